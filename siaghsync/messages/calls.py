"""What can become of a single request: the `reason` of a CallError. `{address}` is the name of the setting."""

from __future__ import annotations

from siaghsync.messages.entry import NOTHING_TO_DO, Chapter, Entry, Said
from siaghsync.messages.statuses import SERVER_FAILED, STATUSES

_LATER = Said(
    "بعداً دوباره تلاش کنید؛ اگر ماند، گزارش خود سرور و پروکسی‌های سر راه را ببینید.",
    "Try again later; if it stays so, look at the server's own log and at proxies on the way.",
)
_TO_ITSELF = Said(
    "ببینید {address} به خود سیستم می‌رسد.",
    "Check that {address} leads to the system itself.",
)
_BROKEN = (
    Said("وب‌سرویس سرور از نو راه افتاد.", "The server's web service was started anew."),
    Said("پروکسی یا دیوار آتشی ارتباط را برید.", "A proxy or firewall cut the connection."),
)

CALLS: Chapter = {
    "unresolved": Entry(
        Said("نام میزبان پیدا نشد", "The host name was not found"),
        (
            Said("نام میزبان اشتباه نوشته شده است.", "The host name is misspelled."),
            Said(
                "فقط در شبکهٔ شرکت شناخته است و این رایانه سرور نام دیگری دارد (VPN خاموش؟).",
                "It is known in the company's network only, and this computer uses another name server (VPN off?).",
            ),
        ),
        Said(
            "نام میزبان در {address} و سرور نام این رایانه را ببینید.",
            "Check the host name in {address}, and the name server of this computer.",
        ),
    ),
    "refused_connection": Entry(
        Said("ارتباطی برقرار نشد", "No connection came about"),
        (
            Said("سرور یا وب‌سرویس آن کار نمی‌کند.", "The server, or its web service, does not run."),
            Said(
                "درگاه نادرست است: بدون آن، برای http درگاه ۸۰ و برای https درگاه ۴۴۳ است.",
                "The port is wrong: without one, 80 is meant for http and 443 for https.",
            ),
            Said("دیوار آتش این رایانه را نمی‌پذیرد.", "A firewall refuses this computer."),
        ),
        Said(
            "میزبان و درگاه در {address} را ببینید، و اینکه سرور و وب‌سرویس آن روشن باشد.",
            "Check host and port in {address}, and that the server and its web service run.",
        ),
    ),
    "connect_timeout": Entry(
        Said("سرور به موقع ارتباط را نپذیرفت", "The server did not accept the connection in time"),
        (
            Said("دیوار آتش آنچه را این رایانه می‌فرستد دور می‌اندازد.", "A firewall drops what this computer sends."),
            Said(
                "این رایانه به آن نشانی نمی‌رسد (VPN خاموش، شبکهٔ دیگر).",
                "The address is one that this computer can't reach (VPN off, another network).",
            ),
        ),
        Said(
            "شبکه، VPN و دیوار آتش میان این رایانه و سرورِ {address} را ببینید.",
            "Check the network, VPN and firewall between this computer and the server in {address}.",
        ),
    ),
    "tls": Entry(
        Said("ارتباط امن (TLS) برقرار نشد", "No secure connection (TLS) came about"),
        (
            Said("سرور روی این درگاه http ساده حرف می‌زند.", "The server speaks plain http at this port."),
            Said(
                "فقط نسخه‌هایی از TLS را می‌داند که این رایانه نمی‌پذیرد.",
                "It knows only TLS versions that this computer refuses.",
            ),
        ),
        Said(
            "ببینید {address} باید با https شروع شود و این رایانه به گواهی سرور اعتماد داشته باشد.",
            "Check that {address} should begin with https, and that this computer trusts the server's certificate.",
        ),
    ),
    "unsendable": Entry(
        Said("درخواست به شکل HTTP نوشتنی نبود", "The request could not be written down as HTTP"),
        (Said("نشانی نویسهٔ نابجایی دارد.", "The address holds a letter that does not belong there."),),
        Said(
            "ببینید {address} نشانی ساده‌ای مانند http://172.16.16.16 باشد.",
            "Check that {address} is a plain address like http://172.16.16.16.",
        ),
    ),
    "interrupted": Entry(
        Said("از اجرا خواسته شد بایستد", "The run was asked to stop"),
        (Said("Ctrl-C یا SIGTERM.", "Ctrl-C or SIGTERM."),),
        NOTHING_TO_DO,
    ),
    "timeout": Entry(
        Said("پاسخ کامل به موقع نرسید", "There was no complete answer within the time limit"),
        (
            Said("سرور زیر بار است یا گیر کرده.", "The server is overloaded or hangs."),
            Said("چیزی در راه پاسخ را می‌بلعد.", "Something on the way swallows the answer."),
        ),
        Said(
            "بعداً دوباره تلاش کنید؛ اگر سرور فقط کند است، HTTP_TIMEOUT_SECONDS را بیشتر کنید.",
            "Try again later; if the server is just slow, raise HTTP_TIMEOUT_SECONDS.",
        ),
    ),
    "reset": Entry(
        Said("ارتباط پیش از رسیدن پاسخ قطع شد", "The connection broke before the answer was there"),
        _BROKEN,
        _LATER,
    ),
    "cut": Entry(
        Said("پاسخ نیمه‌کاره ماند", "The answer ended in the middle"),
        _BROKEN,
        _LATER,
    ),
    "redirect": Entry(
        Said(
            "سرور به نشانی دیگری فرستاد، و این هرگز دنبال نمی‌شود",
            "The server answered with a redirect, and redirects are never followed",
        ),
        (
            Said(
                "سرور https می‌خواهد و نشانی http می‌گوید، یا برعکس.",
                "The server wants https where the address says http, or the other way round.",
            ),
            Said(
                "نشانی به صفحه‌ای برای آدم‌ها می‌رسد که به صفحهٔ ورودش می‌فرستد.",
                "The address leads to a page for people, which sends them to its login.",
            ),
        ),
        Said(
            "در {address} نشانی‌ای را بنویسید که سرور واقعاً پاسخ می‌دهد، با http یا https چنان که می‌خواهد.",
            "Enter the address that the server really answers at in {address}, with http or https as it wants.",
        ),
    ),
    "unreadable": Entry(
        Said("پاسخ خوانا نبود", "The answer could not be understood"),
        (
            Said(
                "پروکسی، صفحهٔ ورود یا برنامهٔ دیگری به جای سیستم پاسخ می‌دهد.",
                "A proxy, a login page or another program answers instead of the system.",
            ),
            Said("نسخهٔ سیستم تازه است و پاسخ دیگری می‌دهد.", "The system is of a new version that answers otherwise."),
        ),
        Said(
            "ببینید {address} به خود سیستم می‌رسد، نه به پروکسی، صفحهٔ ورود یا برنامه‌ای دیگر.",
            "Check that {address} leads to the system itself and not a proxy, a login page or another program.",
        ),
    ),
    "too_large": Entry(
        Said("پاسخ از هر پاسخ معقولی بزرگ‌تر بود", "The answer was larger than any that makes sense"),
        (Said("برنامهٔ دیگری پاسخ می‌دهد.", "Another program answers."),),
        _TO_ITSELF,
    ),
    "disk": Entry(
        Said("پاسخ در پوشهٔ موقت جا نشد", "The answer could not be kept in the temporary folder"),
        (Said("دیسک پر است یا اجازهٔ نوشتن نیست.", "The disk is full, or it may not be written there."),),
        Said(
            "در پوشهٔ موقت جا باز کنید یا با TMPDIR پوشهٔ دیگری بدهید.",
            "Free space in the temporary folder, or name another one in TMPDIR.",
        ),
    ),
    "script_error": Entry(
        Said(
            "اسکریپت خود سرور هنگام کار روی درخواست خطا داد",
            "The server's own script failed while it worked on the request",
        ),
        (
            Said(
                "ایرادی در خود سیستم، یا داده‌ای که نمی‌شناسد.",
                "A fault of the system itself, or a value it does not know.",
            ),
        ),
        SERVER_FAILED,
    ),
    "rejected": Entry(
        Said("سیستم آنچه را فرستاده شد نپذیرفت", "The system did not accept what was sent"),
        (Said("یکی از مقادیر با قواعد آن سیستم نمی‌خواند.", "One of the values breaks a rule of that system."),),
        Said(
            "آنچه سیستم می‌گوید در کنار خطاست؛ همان را درست کنید.",
            "What the system says stands beside the error; put that right.",
        ),
    ),
    "cooling_down": Entry(
        Said("حساب قفل بود و هنوز ورودی آزموده نمی‌شود", "The account was locked, and no login is tried yet"),
        (
            Said(
                "به اجرا یا بررسی پیشین گفته شد که حساب قفل است.",
                "An earlier run, or check, was told that the account is locked.",
            ),
        ),
        Said("در این میان CRM_USERNAME و CRM_PASSWORD را ببینید.", "Check CRM_USERNAME and CRM_PASSWORD meanwhile."),
    ),
    **STATUSES,
}


def call(reason: str) -> Entry | None:
    """The entry of a CallError's reason, `status_503` included; None if it is no such reason."""
    group = "status_5xx" if reason.startswith(("status_1", "status_5")) else "status_4xx"
    return CALLS.get(reason) or (CALLS[group] if reason.startswith("status_") else None)
