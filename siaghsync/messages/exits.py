"""What the exit codes of the command mean."""

from __future__ import annotations

from siaghsync.messages.entry import Said

EXITS: dict[tuple[int, ...], Said] = {
    (0,): Said("انجام شد، یا کاری نبود", "done, or nothing to do"),
    (1,): Said(
        "انجام شد، ولی رکوردهایی ناموفق بود یا تازه منتظر تصمیم است؛ یا ترمزی اجرا را پیش از نوشتن هر چیزی نگه داشت",
        "done, but records failed or newly wait for a person; or a brake stopped the run before it wrote anything",
    ),
    (2,): Said(
        "کاربرد یا تنظیم نادرست، یا فایل وضعیتی که به کار نمی‌آید",
        "wrong use or settings, or a state file that can't be used",
    ),
    (3,): Said(
        "یکی از دو سیستم در دسترس نیست یا ورود را نمی‌پذیرد",
        "a system can't be reached or refuses the login",
    ),
    (70,): Said("ایرادی در خود siaghsync", "a bug in siaghsync itself"),
    (75,): Said("اجرای دیگری هنوز در حال کار است", "another run is still at work"),
    (130, 143): Said(
        "با Ctrl-C یا SIGTERM متوقف شد؛ هر چه انجام شده ذخیره است",
        "interrupted by Ctrl-C or SIGTERM; what was done is saved",
    ),
}
