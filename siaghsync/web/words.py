"""The program's own stable words in both languages, by group: word -> (Persian, English)."""

from __future__ import annotations

from siaghsync.web.advice import ADVICE
from siaghsync.web.field_names import FIELDS

Words = dict[str, tuple[str, str]]

_REASONS: Words = {
    # customers
    "stranger": ("زیر این شماره در سیاق کس دیگری است", "Somebody else stands under this number"),
    "several_candidates": ("بیش از یک نامزد برای پیوند هست", "More than one candidate to link with"),
    "number_twice": ("این شماره در CRM دو بار آمده است", "The number stands on two CRM records"),
    "double_in_crm": ("این مشتری در CRM تکراری است", "A double in the CRM"),
    "double_in_finance": ("این طرف‌حساب در سیاق تکراری است", "A double in Siagh"),
    "missing_in_finance": ("طرف‌حساب پیوندخورده در سیاق نیست", "The linked contact is gone from Siagh"),
    "made_new_contact": ("سیاق به جای ویرایش، طرف‌حساب تازه ساخت", "Siagh made a new contact instead of changing one"),
    "code_taken": ("کدی که سیاق داد از آنِ دیگری است", "Siagh answered with somebody else's code"),
    "refused": ("سیستم مقصد نپذیرفت", "The other system refuses it"),
    "bad_record": ("رکورد خوانا نیست", "The record can't be understood"),
    "no_name": ("در CRM نام ندارد", "It has no name in the CRM"),
    "no_number": ("شمارهٔ مشتری ندارد", "No customer number"),
    "foreign_number": ("شماره با قالب تنظیم‌شده نمی‌خواند", "The number does not fit the setting"),
    "inactive": ("غیرفعال در سیاق", "Inactive in Siagh"),
    "admin_user": ("کاربر مدیر سیاق", "An admin user of Siagh"),
    "gone": ("در CRM حذف شده است", "Deleted in the CRM"),
    "discarded": ("پیش‌تر رها شده است", "It was decided to leave it"),
    "unknown_outcome": ("معلوم نیست در سیاق ثبت شده یا نه", "Nobody knows whether it arrived in Siagh"),
    "webhook": ("خبر تازه از CRM", "The CRM told of a change"),
    "resolved": ("تصمیم گرفته شد؛ در صف اجرای بعدی", "Decided; the next run takes it up"),
    # how a pair was found
    "marker": ("نشان در یادداشت", "The mark in its notes"),
    "number": ("شمارهٔ مشتری", "Customer number"),
    "national_code": ("کد ملی و نام", "National code and name"),
    "look_up": ("جستجو پس از پاسخ نامعلوم", "A look-up after no clear answer"),
    "create": ("ساخته شد", "Created"),
    "person": ("تصمیم یک نفر", "A person"),
    # documents
    "no_customer": ("سند مشتری ندارد", "It names no customer"),
    "no_rows": ("سند ردیف ندارد", "It has no rows"),
    "row_without_product": ("ردیفی کد کالا ندارد", "A row without a product code"),
    "row_count_not_positive": ("تعداد ردیفی صفر یا منفی است", "A row with a count of zero or below"),
    "row_price_negative": ("بهای ردیفی منفی است", "A row with a price below zero"),
    "row_discount_wrong": ("تخفیف ردیفی درست نیست", "A row with a wrong discount"),
    "discount_differs": ("تخفیف سند با ردیف‌ها نمی‌خواند", "The header's discount differs from its rows'"),
    "additional_costs": ("هزینهٔ اضافی دارد", "It has additional costs"),
    "total_differs": ("جمع سند درست در نمی‌آید", "Its total does not add up"),
    "fiscal_year": ("سال مالی سند با سیاق یکی نیست", "Another fiscal year than Siagh's"),
    "net_differs": ("خالص ثبت‌شده در سیاق فرق دارد", "Siagh reports another net amount"),
    "changed_after_posting": ("پس از ثبت تغییر کرده است", "Changed after it was posted"),
    "withdrawn_after_posting": ("پس از ثبت شماره‌اش برداشته شده", "Lost its number after it was posted"),
    "deleted_after_posting": ("پس از ثبت در CRM حذف شده است", "Deleted in the CRM after it was posted"),
    "may_be_posted": (
        "شاید پیش از گم شدن فایل وضعیت ثبت شده باشد",
        "May have been posted before the state file was lost",
    ),
    "changed_after_discard": ("پس از رها شدن تغییر کرده است", "Changed after it was decided to leave it"),
    "quote_posted_already": ("همین پیش‌فاکتور از سند دیگری ثبت شده", "Another document of the same quote is posted"),
    "differs_from_posted_quote": ("با پیش‌فاکتور ثبت‌شده فرق دارد", "It differs from its posted quote"),
    "differs_from_posted_invoice": ("با فاکتور ثبت‌شده فرق دارد", "It differs from its posted invoice"),
    "same_as_quote": ("با پیش‌فاکتورش یکی است", "One with its quote"),
    "same_as_invoice": ("با فاکتورش یکی است", "One with its invoice"),
    "not_numbered": ("هنوز شماره ندارد", "It has no number yet"),
    "before_start": ("پیش از آغاز همگام‌سازی", "From before the start"),
    "customer_without_number": ("مشتری‌اش شماره ندارد", "Its customer has no number"),
    "customer_unknown": ("مشتری‌اش شناخته نیست", "Its customer is not known"),
    "customer_in_review": ("مشتری‌اش منتظر تصمیم است", "Its customer waits for a decision"),
    "customer_waits": ("مشتری‌اش در صف است", "Its customer waits for another try"),
    "quote_in_doubt": ("منتظر تصمیم دربارهٔ پیش‌فاکتورش", "Waits for a decision about its quote"),
    # requests
    "timeout": ("پاسخ دیر رسید", "The answer took too long"),
    "reset": ("ارتباط قطع شد", "The connection broke"),
    "cut": ("پاسخ ناقص رسید", "The answer was cut off"),
    "unreadable": ("پاسخ خوانا نبود", "The answer can't be understood"),
    "refused_connection": ("سرور پاسخ نمی‌دهد", "The server can't be reached"),
    "rejected": ("درخواست پذیرفته نشد", "The request was refused"),
}

_OUTCOMES: Words = {
    "ok": ("موفق", "ok"),
    "partial": ("ناتمام", "partial"),
    "failed": ("ناموفق", "failed"),
    "done": ("انجام شد", "done"),
    "unknown": ("نامعلوم", "unknown"),
    "review": ("برای تصمیم", "for decision"),
    "misdirected": ("به اشتباه رفت", "misdirected"),
    "lapsed": ("بی‌نتیجه ماند", "lapsed"),
    "skipped": ("کنار گذاشته شد", "skipped"),
    "waits": ("در صف", "waits"),
    "retry": ("تلاش دوباره", "try again"),
    "link": ("پیوند", "link"),
    "posted": ("ثبت‌شده", "stands in Siagh"),
    "discard": ("رها شد", "left as it is"),
    "settled": ("خودبه‌خود حل شد", "settled itself"),
}

_ACTIONS: Words = {
    "create": ("ساختن", "create"),
    "update": ("ویرایش", "update"),
    "link": ("پیوند", "link"),
    "skip": ("کنار گذاشتن", "skip"),
    "review": ("پرسش", "review"),
    "resolve": ("تصمیم", "decision"),
}

_ENTITIES: Words = {
    "customer": ("مشتری", "customer"),
    "invoice": ("سند فروش", "document"),
    "person": ("شخص حقیقی", "person"),
    "organization": ("شخص حقوقی", "organization"),
    "quote": ("پیش‌فاکتور", "quote"),
    # a document's kind, where `invoice` as an entity means both kinds
    "sales_invoice": ("فاکتور", "invoice"),
}

_COMMANDS: Words = {
    "sync": ("همگام‌سازی", "sync"),
    "webhook": ("خبر CRM", "webhook"),
    "initial-import": ("ورود اولیه", "initial-import"),
    "review resolve": ("تصمیم", "decision"),
    "verify": ("مقایسه", "verify"),
}

_COUNTS: Words = {
    "seen": ("دیده‌شده", "seen"),
    "created": ("ساخته", "created"),
    "updated": ("ویرایش", "updated"),
    "linked": ("پیوند", "linked"),
    "unchanged": ("بی‌تغییر", "unchanged"),
    "skipped": ("کنار گذاشته", "skipped"),
    "failed": ("ناموفق", "failed"),
    "review": ("برای تصمیم", "for decision"),
    "crm": ("CRM", "CRM"),
    "finance": ("سیاق", "Siagh"),
}

WORDS: dict[str, Words] = {
    "advice": ADVICE,
    "isactive": {"1": ("بله", "yes"), "0": ("خیر", "no")},
    "gender": {"1": ("مرد", "male"), "0": ("زن", "female")},
    "reason": _REASONS,
    "outcome": _OUTCOMES,
    "action": _ACTIONS,
    "entity": _ENTITIES,
    "command": _COMMANDS,
    "count": _COUNTS,
    "field": FIELDS,
}
