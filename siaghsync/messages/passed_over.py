"""Why a record is passed over on purpose, and why one waits. Neither is a failure."""

from __future__ import annotations

from siaghsync.messages.entry import NOTHING_TO_DO, Chapter, Entry, Said

_BY_ITSELF = Said(
    "کاری لازم نیست: با اجرای بعدی خودبه‌خود ادامه می‌یابد.", "Nobody has to act: the next run goes on by itself."
)

SKIPS: Chapter = {
    "no_number": Entry(
        Said("شمارهٔ مشتری ندارد", "It has no customer number"),
        (
            Said("در CRM شماره‌اش خالی است.", "Its number is empty in the CRM."),
            Said(
                "هنگام ورود اولیه: از کد سیاق با تنظیم CUSTOMER_NUMBER_* شماره‌ای می‌شود که دوباره خوانا نیست.",
                "At the initial import: CUSTOMER_NUMBER_* make a number of its finance code that could not be read back.",
            ),
        ),
        Said(
            "اگر باید به سیاق برود، در CRM به آن شماره بدهید. هنگام ورود اولیه CUSTOMER_NUMBER_* را درست کنید.",
            "Give it a number in the CRM if it belongs into Finance. At the initial import, put CUSTOMER_NUMBER_* right.",
        ),
    ),
    "foreign_number": Entry(
        Said("شماره با قالب تنظیم‌شده نمی‌خواند", "Its number does not fit CUSTOMER_NUMBER_*"),
        (
            Said("مشتری شرکت دیگری است.", "It is a customer of another company."),
            Said("شماره اشتباه وارد شده است.", "The number was mistyped."),
        ),
        Said(
            "اگر مشتری همین شرکت است، شماره‌اش را در CRM درست کنید.",
            "If it is a customer of this company, correct its number in the CRM.",
        ),
    ),
    "admin_user": Entry(
        Said("کاربر مدیر سیاق", "It is an admin user of Siagh, not a customer"),
        (Said("سیاق کاربران خود را هم در فهرست طرف‌حساب‌ها دارد.", "Siagh lists its own users among the contacts."),),
        NOTHING_TO_DO,
    ),
    "inactive": Entry(
        Said("غیرفعال در سیاق", "It is not active in Siagh"),
        (Said("IMPORT_INACTIVE خاموش است.", "IMPORT_INACTIVE is false."),),
        Said(
            "اگر لازم است، IMPORT_INACTIVE را روشن و `siaghsync initial-import` را اجرا کنید.",
            "Set IMPORT_INACTIVE and run `siaghsync initial-import` if it is wanted.",
        ),
    ),
    "gone": Entry(
        Said("در CRM حذف شده است", "It was deleted in the CRM"),
        (
            Said(
                "منتظر تلاش دوباره بود و در این میان حذف شد.",
                "It waited for another try, and was deleted meanwhile.",
            ),
        ),
        NOTHING_TO_DO,
    ),
    "discarded": Entry(
        Said("پیش‌تر رها شده است", "It was decided to leave it"),
        (
            Said(
                "کسی همین پرسش را با «رها کردن» پاسخ داده است.",
                "A person answered this very question with --discard.",
            ),
        ),
        Said(
            "کاری لازم نیست: فقط اگر رکورد تغییر کند دوباره پرسیده می‌شود.",
            "Nobody has to act: only a change of the record reopens it.",
        ),
    ),
    "not_numbered": Entry(
        Said("هنوز شماره ندارد", "It has no number yet"),
        (Said("INVOICE_STATES برابر `numbered` است.", "INVOICE_STATES is `numbered`."),),
        Said("در CRM به آن شماره بدهید تا ثبت شود.", "Number it in the CRM, and the next sync posts it."),
    ),
    "before_start": Entry(
        Said("پیش از آغاز همگام‌سازی ساخته شده", "It is older than INVOICES_SINCE"),
        (
            Said(
                "پیش از INVOICES_SINCE، یا بدون آن پیش از نخستین ورود اولیه، ساخته شده است.",
                "It was created before INVOICES_SINCE or, without that, before the first initial import.",
            ),
        ),
        Said(
            "اگر لازم است، INVOICES_SINCE را روز زودتری بگذارید.",
            "Set INVOICES_SINCE to an earlier day if it is wanted.",
        ),
    ),
    "changed_since_plan": Entry(
        Said("از زمان برنامهٔ ذخیره‌شده تغییر کرده است", "It is not as it was when the plan was saved"),
        (
            Said(
                "رکورد در CRM یا سیاق پس از `--save-plan` تغییر کرده است.",
                "The record was changed in the CRM or in Siagh after `--save-plan`.",
            ),
        ),
        Said(
            "اجرای عادی بعدی آن را انجام می‌دهد؛ یا برنامهٔ تازه‌ای ذخیره کنید.",
            "The next ordinary run does it; or save a new plan.",
        ),
    ),
}

WAITS: Chapter = {
    "webhook": Entry(
        Said("خبر تازه از CRM", "The CRM told of a change"),
        (Said("وب‌هوکی رسیده و اجرا هنوز نوبت آن نشده است.", "A webhook came, and no run has taken it up yet."),),
        _BY_ITSELF,
    ),
    "resolved": Entry(
        Said("تصمیم گرفته شد؛ در صف اجرای بعدی", "Decided; the next run takes it up"),
        (Said("کسی «تلاش دوباره» را انتخاب کرده است.", "A person chose --retry."),),
        _BY_ITSELF,
    ),
    "customer_without_number": Entry(
        Said("مشتری‌اش شماره ندارد", "Its customer has no number"),
        (
            Said(
                "شمارهٔ مشتری این سند در CRM خالی است یا با قالب نمی‌خواند.",
                "The number of this document's customer is empty in the CRM, or does not fit CUSTOMER_NUMBER_*.",
            ),
        ),
        Said(
            "در CRM به مشتری شماره بدهید؛ سند خودبه‌خود ثبت می‌شود.",
            "Give the customer a number in the CRM; the document is then posted by itself.",
        ),
    ),
    "customer_unknown": Entry(
        Said("مشتری‌اش شناخته نیست", "Its customer is not known"),
        (
            Said(
                "مشتری این سند در CRM حذف شده یا از نوعی است که خوانده نمی‌شود.",
                "The document's customer was deleted in the CRM, or is of a kind that is not read.",
            ),
        ),
        Said(
            "در CRM مشتری درست را در سند بنویسید. اگر نوع دیگری دارد، CRM_PERSON_TYPE یا CRM_ORGANIZATION_TYPE را ببینید.",
            "Name the right customer in the document. If it is of another kind, see CRM_PERSON_TYPE and "
            "CRM_ORGANIZATION_TYPE.",
        ),
    ),
    "customer_in_review": Entry(
        Said("مشتری‌اش منتظر تصمیم است", "Its customer waits for a decision"),
        (Said("دربارهٔ مشتری پرسشی باز است.", "There is an open question about the customer."),),
        Said(
            "دربارهٔ مشتری تصمیم بگیرید؛ سند خودبه‌خود ثبت می‌شود.",
            "Decide about the customer; the document is then posted by itself.",
        ),
    ),
    "customer_waits": Entry(
        Said("مشتری‌اش در صف است", "Its customer waits for another try"),
        (Said("فرستادن مشتری هنوز موفق نشده است.", "The customer could not be sent yet."),),
        _BY_ITSELF,
    ),
    "quote_in_doubt": Entry(
        Said("منتظر تصمیم دربارهٔ پیش‌فاکتورش", "Waits for a decision about its quote"),
        (
            Said(
                "معلوم نیست سند دیگری از همین پیش‌فاکتور ثبت شده یا نه.",
                "Nobody knows whether another document of the same quote was posted.",
            ),
        ),
        Said(
            "دربارهٔ آن سند تصمیم بگیرید؛ این یکی سپس خودبه‌خود بررسی می‌شود.",
            "Decide about that document; this one is then looked at by itself.",
        ),
    ),
    "twin_posted": Entry(
        Said("سند همراه آن ثبت شده است", "The document that belongs to it is posted"),
        (
            Said(
                "همگام‌سازی هنوز این سند را با جفتش مقایسه نکرده است.",
                "No sync has compared the two yet.",
            ),
        ),
        _BY_ITSELF,
    ),
    "not_seen": Entry(
        Said("هنوز خوانده نشده است", "Nothing is known of it yet"),
        (Said("هیچ همگام‌سازی این سند را نخوانده است.", "No sync has read it."),),
        Said(
            "`siaghsync sync` را اجرا کنید؛ `sync --full` همه را می‌خواند.",
            "Run `siaghsync sync`; `sync --full` reads all of them.",
        ),
    ),
}
