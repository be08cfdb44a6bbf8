"""Questions about quotes and invoices, which a person has to answer: a posted pre-invoice can't be changed from here."""

from __future__ import annotations

from siaghsync.messages.entry import Chapter, Entry, Said

_IN_DOUBT = Said(
    "در سیاق دنبال پیش‌فاکتوری از همین مشتری با شمارهٔ این سند در یادداشت و مبلغ خالص آن بگردید. اگر هست، شمارهٔ آن را "
    "بنویسید؛ اگر نیست، تلاش دوباره را بزنید. دربارهٔ مشتری خود برنامه می‌گردد.",
    "Look in Siagh for a pre-invoice of this customer with this document's number in its notes and its net amount. "
    "If it is there, write its number; if not, try again. Customers are looked up by themselves.",
)
_MEND_DOCUMENT = Said(
    "سند را در CRM درست کنید؛ پس از آن خودبه‌خود دوباره بررسی می‌شود.",
    "Put the document right in the CRM; it is then looked at again by itself.",
)
_CHANGED = Said(
    "پیش‌فاکتور ثبت‌شده را در سیاق به دست خود اصلاح کنید، سپس این مورد را رها کنید.",
    "Put the posted pre-invoice right in Siagh by hand, then leave this item.",
)
_TWO_OF_ONE = Said(
    "پیش‌فاکتور و فاکتوری که از آن ساخته شده یکی شمرده می‌شوند و فقط یک بار ثبت می‌شوند.",
    "A quote and the invoice made from it count as one, and are posted once.",
)


def _fault(fa: str, en: str, cause_fa: str, cause_en: str) -> Entry:
    return Entry(Said(fa, en), (Said(cause_fa, cause_en),), _MEND_DOCUMENT)


def _later(fa: str, en: str, cause_fa: str, cause_en: str) -> Entry:
    return Entry(Said(fa, en), (Said(cause_fa, cause_en),), _CHANGED)


DOCUMENTS: Chapter = {
    "unknown_outcome": Entry(
        Said("معلوم نیست ثبت شده یا نه", "Nobody knows whether it arrived"),
        (
            Said(
                "پاسخ روشنی نیامد: ارتباط قطع شد، وقت تمام شد یا برنامه در همان لحظه متوقف شد.",
                "No clear answer came: the connection broke, time ran out, or the program was ended at that moment.",
            ),
        ),
        _IN_DOUBT,
    ),
    "may_be_posted": Entry(
        Said(
            "شاید پیش از این فایل وضعیت ثبت شده باشد",
            "May have been posted before this state file was put in place",
        ),
        (
            Said(
                "فایل وضعیت تازه است، و سند یا پیش‌فاکتوری که سند از آن ساخته شده از زمان پیش از آن.",
                "The state file is new, and the document, or the quote that it was made from, is older than it.",
            ),
            Said(
                "پشتیبان فایل وضعیت بازگردانده شده، و سند یا پیش‌فاکتور آن از زمان پیش از آن است.",
                "A copy of the state file was put back, and the document, or the quote it was made from, is older than that.",
            ),
        ),
        _IN_DOUBT,
    ),
    "no_customer": _fault(
        "سند مشتری ندارد",
        "It names no customer",
        "فیلد مشتری در سند خالی است.",
        "The document's customer is empty.",
    ),
    "no_rows": _fault("سند ردیف ندارد", "It has no rows", "هنوز کالایی وارد نشده است.", "No product was entered yet."),
    "row_without_product": _fault(
        "ردیفی کد کالا ندارد",
        "A row without a product code",
        "کالا با متن آزاد وارد شده، یا در CRM کد ندارد.",
        "The product was entered as free text, or has no code in the CRM.",
    ),
    "row_count_not_positive": _fault(
        "تعداد ردیفی صفر یا منفی است",
        "A row with a count of zero or below",
        "شاید برگشت از فروش باشد، که پیش‌فاکتور نمی‌شود.",
        "It may be a return, which no pre-invoice can be.",
    ),
    "row_price_negative": _fault(
        "بهای ردیفی منفی است",
        "A row with a price below zero",
        "شاید تخفیفی به شکل ردیف باشد.",
        "It may be a discount in the form of a row.",
    ),
    "row_discount_wrong": _fault(
        "تخفیف ردیفی درست نیست",
        "A row with a wrong discount",
        "تخفیف منفی است یا از بهای ردیف بیشتر است.",
        "The discount is below zero, or more than the row's price.",
    ),
    "discount_differs": _fault(
        "تخفیف سند با ردیف‌ها نمی‌خواند",
        "The header's discount differs from its rows'",
        "تخفیف هم در سند و هم در ردیف‌ها آمده است، و معلوم نیست یکی دیگری را در بر دارد یا نه.",
        "Both the document and its rows have a discount, and whether one contains the other can't be known.",
    ),
    "additional_costs": _fault(
        "هزینهٔ اضافی دارد",
        "It has additional costs",
        "پیش‌فاکتور سیاق جایی برای هزینهٔ اضافی ندارد.",
        "A pre-invoice of Siagh has no place for additional costs.",
    ),
    "total_differs": _fault(
        "جمع سند درست در نمی‌آید",
        "Its total does not add up",
        "جمعی که CRM می‌دهد با ردیف‌ها یکی نیست.",
        "The total that the CRM gives is not what its rows come to.",
    ),
    "fiscal_year": Entry(
        Said("سال مالی سند با سیاق یکی نیست", "Another fiscal year than Siagh's"),
        (
            Said(
                "تاریخ سند در سال شمسی دیگری است.",
                "The document's date is in another Jalali year.",
            ),
            Said(
                "کاربر سیاق در سال مالی دیگری کار می‌کند.",
                "The Siagh user works in another fiscal year.",
            ),
        ),
        Said(
            "سال مالی سیاق یا تاریخ سند را درست کنید، یا سند را به دست خود ثبت و این مورد را رها کنید.",
            "Put Siagh's fiscal year or the document's date right, or post it by hand and leave this item.",
        ),
    ),
    "net_differs": Entry(
        Said("خالص ثبت‌شده در سیاق فرق دارد", "Siagh reports another net amount"),
        (
            Said(
                "سیاق تخفیف، مالیات یا گرد کردن خود را به کار برده، یا مبلغی گزارش نکرده است.",
                "Siagh applied a discount, tax or rounding of its own, or reported no amount.",
            ),
        ),
        Said(
            "مبلغ پیش‌فاکتور را در سیاق با سند CRM مقایسه کنید و اگر لازم است در سیاق اصلاح کنید.",
            "Compare the pre-invoice in Siagh with the document, and put it right there if need be.",
        ),
    ),
    "changed_after_posting": _later(
        "پس از ثبت تغییر کرده است",
        "Changed after it was posted",
        "کسی سند را در CRM پس از ثبت ویرایش کرده است.",
        "Somebody edited the document in the CRM after it was posted.",
    ),
    "withdrawn_after_posting": _later(
        "پس از ثبت شماره‌اش برداشته شده",
        "Lost its number after it was posted",
        "سند در CRM به پیش‌نویس برگشته است.",
        "The document became a draft again in the CRM.",
    ),
    "deleted_after_posting": _later(
        "پس از ثبت در CRM حذف شده است",
        "Deleted in the CRM after it was posted",
        "کسی سند را در CRM حذف کرده است.",
        "Somebody deleted the document in the CRM.",
    ),
    "quote_posted_already": _later(
        "همین پیش‌فاکتور از سند دیگری ثبت شده",
        "Another document of the same quote is posted",
        "از یک پیش‌فاکتور CRM بیش از یک فاکتور ساخته شده است.",
        "More than one invoice was made from one quote.",
    ),
    "differs_from_posted_quote": _later(
        "با پیش‌فاکتور ثبت‌شده فرق دارد",
        "It differs from its posted quote",
        "فاکتور پس از ساخته شدن از پیش‌فاکتور تغییر کرده است.",
        "The invoice was changed after it was made from the quote.",
    ),
    "differs_from_posted_invoice": _later(
        "با فاکتور ثبت‌شده فرق دارد",
        "It differs from its posted invoice",
        "پیش‌فاکتور پس از ساخته شدن فاکتور از آن تغییر کرده است.",
        "The quote was changed after the invoice was made from it.",
    ),
    "changed_after_discard": Entry(
        Said("پس از رها شدن تغییر کرده است", "Changed after it was decided to leave it"),
        (
            Said(
                "کسی تصمیم گرفته بود سند ثبت نشود، و سپس سند در CRM ویرایش شد.",
                "A person had decided not to post it, and then it was edited in the CRM.",
            ),
        ),
        Said(
            "اگر اکنون باید ثبت شود تلاش دوباره را بزنید، وگرنه رهایش کنید.",
            "If it is to be posted now, try again; if not, leave it.",
        ),
    ),
    "same_as_quote": Entry(
        Said("با پیش‌فاکتورش یکی است", "One with its quote"),
        (_TWO_OF_ONE,),
        Said("کاری لازم نیست.", "Nothing is to be done."),
    ),
    "same_as_invoice": Entry(
        Said("با فاکتورش یکی است", "One with its invoice"),
        (_TWO_OF_ONE,),
        Said("کاری لازم نیست.", "Nothing is to be done."),
    ),
}
