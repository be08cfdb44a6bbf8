"""The ways in which a command can end without having done its work: `error.kind` in the JSON of every command."""

from __future__ import annotations

from siaghsync.messages.entry import Chapter, Entry, Said

KINDS: Chapter = {
    "usage": Entry(
        Said("دستور به این شکل اجرا شدنی نیست", "The command can't be carried out as it was given"),
        (
            Said(
                "گزینه‌ای نادرست یا کم است، یا دو گزینه با هم نمی‌خوانند.",
                "An option is wrong or missing, or two of them don't go together.",
            ),
            Said("هنوز ورود اولیه انجام نشده است.", "The initial import has not been done yet."),
        ),
        Said(
            "پیام می‌گوید چه باید داد؛ `--help` همهٔ گزینه‌ها را نشان می‌دهد.",
            "The message says what is wanted; `--help` shows all options.",
        ),
    ),
    "settings": Entry(
        Said("تنظیمی نادرست یا کم است", "A setting is wrong or missing"),
        (
            Said("فایل `.env` کامل نیست.", "The file `.env` is not complete."),
            Said("فایل دیگری خوانده شده است.", "Another file was read than the one that was meant."),
        ),
        Said(
            "هر تنظیمی را که پیام نام می‌برد در `.env` درست کنید.",
            "Put each setting that the message names right in `.env`.",
        ),
    ),
    "state": Entry(
        Said("فایل وضعیت به این شکل به کار نمی‌آید", "The state file can't be used as it is"),
        (
            Said("جابه‌جا یا حذف شده، یا نسخهٔ خرابی است.", "It was moved or deleted, or is damaged."),
            Said("نسخهٔ تازه‌تری از برنامه آن را نوشته است.", "A newer version of the program has written it."),
            Said("دیسک پر است یا اجازهٔ نوشتن نیست.", "The disk is full, or it may not be written."),
        ),
        Said(
            "نسخهٔ پشتیبان را سر جایش بگذارید؛ اگر نیست `siaghsync initial-import` آنچه را هست دوباره پیوند می‌دهد.",
            "Put your copy back; without one `siaghsync initial-import` links again what is there.",
        ),
    ),
    "brake": Entry(
        Said(
            "اجرا پیش از نوشتن هر چیزی ایستاد، چون اندازه‌اش غیرعادی است",
            "The run stopped before it wrote anything, since it is out of proportion",
        ),
        (
            Said(
                "سیستمی فهرست خالی یا بسیار کوتاه‌تری داد: شرکت، سال مالی یا کاربر دیگری.",
                "A system gave an empty or much shorter list: another company, fiscal year or user.",
            ),
            Said(
                "بیش از MAX_CREATES_PER_RUN رکورد تازه ساخته می‌شد.",
                "More new records than MAX_CREATES_PER_RUN were to be made.",
            ),
        ),
        Said(
            "علت را پیدا کنید؛ اگر درست است، یک بار با `--force` اجرا کنید.",
            "Find out why; if it is right, run it once with `--force`.",
        ),
    ),
    "locked": Entry(
        Said("اجرای دیگری در حال کار است", "Another run is still at work"),
        (
            Said("اجرای پیشین cron هنوز تمام نشده است.", "The run before, from cron, is not done yet."),
            Said("کسی همین حالا دستوری را اجرا می‌کند.", "Somebody runs a command right now."),
        ),
        Said(
            "کاری لازم نیست؛ اگر ساعت‌ها همین بود، آن فرایند را ببینید.",
            "Nothing; if it stays so for hours, look at that process.",
        ),
    ),
    "interrupted": Entry(
        Said("به درخواست متوقف شد", "Stopped on request"),
        (Said("Ctrl-C، یا SIGTERM از سیستم.", "Ctrl-C, or SIGTERM from the system."),),
        Said(
            "هر چه انجام شده ذخیره است؛ اجرای بعدی ادامه می‌دهد.",
            "What was done is saved; the next run goes on.",
        ),
    ),
    "unreachable": Entry(
        Said("یکی از دو سیستم در دسترس نیست", "One of the two systems can't be reached"),
        (
            Said("سرور یا شبکه کار نمی‌کند.", "The server or the network is down."),
            Said("نشانی در تنظیمات درست نیست.", "The address in the settings is wrong."),
        ),
        Said(
            "`siaghsync check-apis` علت محتمل و چاره را نام می‌برد.",
            "`siaghsync check-apis` names the likely cause and the cure.",
        ),
    ),
    "refused": Entry(
        Said("یکی از دو سیستم درخواست را نپذیرفت", "One of the two systems refused a request"),
        (
            Said("کاربر آن سیستم اجازهٔ این کار را ندارد.", "The user there lacks the right to do this."),
            Said("مجوز آن سیستم این بخش را ندارد.", "The licence there does not include it."),
        ),
        Said(
            "پیام آن سیستم در کنار خطاست؛ `siaghsync check-apis` چاره را نام می‌برد.",
            "What the system said stands in the message; `siaghsync check-apis` names the cure.",
        ),
    ),
    "no_answer": Entry(
        Said("یکی از دو سیستم پاسخ روشنی نداد", "One of the two systems gave no clear answer"),
        (
            Said("سرور زیر بار است یا از کار افتاده.", "The server is overloaded or broke down."),
            Said("چیزی در راه ارتباط را قطع کرده است.", "Something on the way cut the connection."),
        ),
        Said(
            "کاری لازم نیست: اجرای بعدی نگاه می‌کند چه رسیده است و هیچ چیز را دو بار نمی‌سازد.",
            "Nothing: the next run looks up what arrived, and makes nothing twice.",
        ),
    ),
    "login_refused": Entry(
        Said("ورود به یکی از دو سیستم پذیرفته نشد", "One of the two systems refused the login"),
        (
            Said("نام کاربری یا گذرواژه درست نیست.", "The user name or the password is wrong."),
            Said(
                "کاربر غیرفعال است، یا مجوز آن را ندارد.", "The user is not active, or the licence does not cover it."
            ),
        ),
        Said(
            "با همین کاربر در خود آن سیستم وارد شوید و سپس تنظیمات را درست کنید.",
            "Log in to that system itself as this user, then put the settings right.",
        ),
    ),
    "login_locked": Entry(
        Said("حساب کاربری موقتاً قفل است", "The account is locked for a while"),
        (
            Said(
                "چند بار با گذرواژهٔ نادرست وارد شده‌اند.",
                "Too many logins came with a wrong password.",
            ),
        ),
        Said(
            "گذرواژه را درست کنید، نیم ساعت صبر کنید، سپس `siaghsync check-apis`. هر تلاش زودتر قفل را طولانی‌تر می‌کند.",
            "Correct the password, wait half an hour, then `siaghsync check-apis`. Each earlier attempt prolongs the lock.",
        ),
    ),
    "bad_record": Entry(
        Said("رکوردی خوانا نیست", "A record can't be understood"),
        (
            Said(
                "فیلدی ندارد که باید داشته باشد، یا چیزی در آن است که با نوعش نمی‌خواند.",
                "A field that must be there is missing, or holds what does not fit its kind.",
            ),
        ),
        Said(
            "رکورد را در سیستم خودش درست کنید؛ پیام می‌گوید کدام فیلد.",
            "Put the record right in its own system; the message names the field.",
        ),
    ),
    "error": Entry(
        Said("بخشی از نمایش ناتمام ماند", "A part of the demo failed"),
        (
            Said(
                "چیزی روی این رایانه جلوی `siaghsync demo` را گرفت.",
                "Something on this computer stopped `siaghsync demo`.",
            ),
        ),
        Said("پیام بالای آن را بخوانید.", "Read what it said above."),
    ),
    "bug": Entry(
        Said("ایرادی در خود siaghsync", "A bug in siaghsync itself"),
        (Said("برنامه به وضعی رسید که پیش‌بینی نشده بود.", "The program met what it was not made for."),),
        Said(
            "چیزی از دست نرفته است. با `--verbose` دوباره اجرا کنید و آنچه می‌گوید گزارش دهید؛ گذرواژه‌ای در آن نیست.",
            "Nothing is lost. Run it again with `--verbose` and report what it shows; it holds no passwords.",
        ),
    ),
}
