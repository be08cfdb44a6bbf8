"""What a person should look at before deciding about a review, in both languages: reason -> (Persian, English)."""

from __future__ import annotations

_IN_DOUBT = (
    "در سیاق دنبال پیش‌فاکتوری از همین مشتری با شمارهٔ این سند در یادداشت و مبلغ خالص زیر بگردید. اگر هست، شمارهٔ آن را "
    "بنویسید؛ اگر نیست، تلاش دوباره را بزنید.",
    "Look in Siagh for a pre-invoice of this customer with this document's number in its notes and the net amount below. "
    "If it is there, write its number; if not, try again.",
)
_MEND_DOCUMENT = (
    "سند را در CRM درست کنید؛ پس از آن خودبه‌خود دوباره بررسی می‌شود.",
    "Put the document right in the CRM; it is then looked at again by itself.",
)
_CHANGED = (
    "پیش‌فاکتور ثبت‌شده را در سیاق به دست خود اصلاح کنید، سپس این مورد را رها کنید.",
    "Put the posted pre-invoice right in Siagh by hand, then leave this item.",
)
_MEND_DOUBLE = (
    "یکی از دو رکورد زیادی است. رکورد اضافی را حذف کنید یا شماره‌اش را عوض کنید، سپس تلاش دوباره را بزنید.",
    "One of the two is too many. Delete it or give it another number, then try again.",
)

ADVICE: dict[str, tuple[str, str]] = {
    "stranger": (
        "اگر هر دو یک مشتری هستند پیوندشان دهید؛ اگر نه، شمارهٔ مشتری را در CRM درست کنید و دوباره تلاش کنید.",
        "If both are the same customer, link them; if not, put the number right in the CRM and try again.",
    ),
    "several_candidates": (
        "نامزدی را که همین مشتری است انتخاب کنید.",
        "Choose the candidate that is this customer.",
    ),
    "number_twice": _MEND_DOUBLE,
    "double_in_crm": _MEND_DOUBLE,
    "double_in_finance": _MEND_DOUBLE,
    "missing_in_finance": (
        "شاید در سیاق حذف شده باشد. اگر طرف‌حساب دیگری جای آن را گرفته، کد آن را پیوند دهید.",
        "It may have been deleted in Siagh. If another contact took its place, link that one's code.",
    ),
    "made_new_contact": (
        "در سیاق ببینید کدام‌یک درست است، طرف‌حساب اضافی را حذف کنید و کد درست را پیوند دهید.",
        "See in Siagh which one is right, delete the other, and link the right code.",
    ),
    "code_taken": (
        "در سیاق ببینید این کد از آنِ کیست و کد درست را پیوند دهید.",
        "See in Siagh whose code this is, and link the right one.",
    ),
    "refused": (
        "علت را در شرح برنامه ببینید، آن را برطرف کنید و دوباره تلاش کنید.",
        "See below why, put that right, and try again.",
    ),
    "bad_record": (
        "رکورد را در CRM درست کنید؛ پس از آن دوباره تلاش کنید.",
        "Put the record right in the CRM, then try again.",
    ),
    "no_name": (
        "در CRM نام مشتری را بنویسید؛ پس از آن خودبه‌خود دوباره بررسی می‌شود.",
        "Give the customer a name in the CRM; it is then looked at again by itself.",
    ),
    "unknown_outcome": _IN_DOUBT,
    "may_be_posted": _IN_DOUBT,
    "net_differs": (
        "مبلغ پیش‌فاکتور را در سیاق با سند CRM مقایسه کنید و اگر لازم است در سیاق اصلاح کنید.",
        "Compare the pre-invoice in Siagh with the document, and put it right there if need be.",
    ),
    "fiscal_year": (
        "سال مالی سیاق یا تاریخ سند را درست کنید، یا سند را به دست خود ثبت و این مورد را رها کنید.",
        "Put Siagh's fiscal year or the document's date right, or post it by hand and leave this item.",
    ),
    **dict.fromkeys(
        (
            "no_customer",
            "no_rows",
            "row_without_product",
            "row_count_not_positive",
            "row_price_negative",
            "row_discount_wrong",
            "discount_differs",
            "additional_costs",
            "total_differs",
        ),
        _MEND_DOCUMENT,
    ),
    **dict.fromkeys(
        (
            "changed_after_posting",
            "withdrawn_after_posting",
            "deleted_after_posting",
            "quote_posted_already",
            "differs_from_posted_quote",
            "differs_from_posted_invoice",
        ),
        _CHANGED,
    ),
    "changed_after_discard": (
        "اگر اکنون باید ثبت شود تلاش دوباره را بزنید، وگرنه رهایش کنید.",
        "If it is to be posted now, try again; if not, leave it.",
    ),
}
