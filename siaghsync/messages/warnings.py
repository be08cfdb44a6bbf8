"""What looks wrong in two systems that can be reached: the warnings of `check-apis`."""

from __future__ import annotations

from siaghsync.messages.entry import Chapter, Entry, Said

WARNINGS: Chapter = {
    "clock": Entry(
        Said("ساعت یک سیستم با این رایانه نمی‌خواند", "A system's clock differs from this computer's"),
        (
            Said(
                "یکی از دو رایانه ساعتش را از شبکه نمی‌گیرد.", "One of the two does not take its time from the network."
            ),
        ),
        Said(
            "هر دو رایانه ساعت خود را از شبکه (NTP) بگیرند.",
            "Let both computers take their time from the network (NTP).",
        ),
    ),
    "unknown_type": Entry(
        Said(
            "CRM از این نوع چیزی نشان نمی‌دهد، از نوع‌های دیگر آری",
            "The CRM shows nothing of this subtype, but of others",
        ),
        (
            Said(
                "CRM_PERSON_TYPE یا CRM_ORGANIZATION_TYPE کد درست را ندارد.",
                "CRM_PERSON_TYPE or CRM_ORGANIZATION_TYPE does not hold the right code.",
            ),
        ),
        Said("کد درست را در {setting} بنویسید", "Write the right code into {setting}"),
    ),
    "nothing_to_read": Entry(
        Said("سیستمی حتی یک مشتری نشان نمی‌دهد", "A system shows not a single customer"),
        (
            Said("کاربر اجازهٔ خواندن ندارد.", "The user may not read them."),
            Said("شرکت یا سال مالی دیگری است.", "It is another company or fiscal year."),
        ),
        Said(
            "اگر مشتری دارد، نشانی، شرکت و سال مالی را ببینید و به این کاربر اجازهٔ خواندن همه را بدهید.",
            "If it has some, check its address, company and fiscal year, and give this user the right to read them all.",
        ),
    ),
    "numbers_do_not_fit": Entry(
        Said("شماره‌هایی با CUSTOMER_NUMBER_* نمی‌خواند", "Some customer numbers do not fit CUSTOMER_NUMBER_*"),
        (
            Said("مشتریان شرکت دیگری‌اند.", "They are another company's."),
            Said("CUSTOMER_NUMBER_* درست نیست.", "CUSTOMER_NUMBER_* are not right."),
        ),
        Said(
            "اگر از شرکت دیگری‌اند، درست است. اگر نه، شماره‌ها یا تنظیم‌ها را درست کنید.",
            "If they are another company's, all is well. If not, put the numbers, or the settings, right.",
        ),
    ),
    "kinds_swapped": Entry(
        Said("شاید حقیقی و حقوقی در سیاق جابه‌جا باشد", "Persons and organizations may be swapped in Siagh"),
        (
            Said(
                "نوع طرف‌حساب (TowardType) در این سیاق وارونه به کار رفته است.",
                "The kind of contact (TowardType) was used the other way round in this Siagh.",
            ),
        ),
        Said(
            "پیش از ورود اولیه چند تا از آن‌ها را در سیاق ببینید.",
            "Look at some of them in Siagh before the initial import.",
        ),
    ),
    "fiscal_year": Entry(
        Said("سیاق در سال مالی دیگری ثبت می‌کند", "Siagh posts in another fiscal year than today's"),
        (
            Said(
                "برای این کاربر سال مالی پیشین انتخاب شده است.",
                "The former fiscal year is chosen for this user.",
            ),
        ),
        Said(
            "سندهای سال دیگر برای تصمیم می‌مانند. با این کاربر در سیاق وارد شوید و سال را انتخاب کنید.",
            "Documents of another year go to review. Log in to Siagh as this user and choose the year.",
        ),
    ),
    "date": Entry(
        Said("تاریخ سیاق با امروز یکی نیست", "Siagh's own date is not today's"),
        (Said("ساعت سرور نادرست است.", "The server's clock is wrong."),),
        Said("تاریخ سرور را درست کنید.", "Put the date of the server right."),
    ),
    "no_look_up": Entry(
        Said(
            "سیاق طرف‌حسابی را که نشان می‌دهد با کدش پیدا نمی‌کند",
            "Siagh lists a contact, but does not find it by its code",
        ),
        (Said("نسخهٔ سیاق طور دیگری پاسخ می‌دهد.", "This version of Siagh answers otherwise."),),
        Said(
            "از فروشنده بپرسید کدام نسخه چنین پاسخ می‌دهد: بی این جستجو هیچ مشتری پیوندخورده‌ای ویرایش شدنی نیست.",
            "Ask the vendor which version answers so: without that look-up no linked customer can be updated.",
        ),
    ),
    "slow_list": Entry(
        Said("خواندن فهرست بیش از نیمی از مهلت را گرفت", "Reading the list took more than half of the time allowed"),
        (Said("فهرست بلند است یا سرور کند.", "The list is long, or the server slow."),),
        Said("HTTP_TIMEOUT_SECONDS را بیشتر کنید.", "Raise HTTP_TIMEOUT_SECONDS."),
    ),
}
