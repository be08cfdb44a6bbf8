"""HTTP statuses that stand for a no, or for no clear answer. `{address}` is the name of the setting."""

from __future__ import annotations

from siaghsync.messages.entry import Chapter, Entry, Said

SERVER_FAILED = Said(
    "خود سرور خطا داد؛ گزارش خودش علت را می‌گوید. بعداً دوباره تلاش کنید.",
    "The server itself failed; its own log says why. Try again later.",
)
_GAVE_UP = Said(
    "پروکسی سر راه از صبر کردن دست کشید. بعداً دوباره تلاش کنید.",
    "A proxy on the way gave up waiting. Try again later.",
)
_STATUS = Said("با وضعیت {status} پاسخ داد", "It answered with status {status}")

STATUSES: Chapter = {
    "status_402": Entry(
        _STATUS,
        (
            Said(
                "مجوز، ماژولی را که این رابط را دارد شامل نیست.",
                "The licence lacks the module that serves this interface.",
            ),
        ),
        Said("از فروشنده بپرسید مجوز شما شامل آن هست یا نه.", "Ask the vendor whether your licence includes it."),
    ),
    "status_403": Entry(
        _STATUS,
        (
            Said(
                "هنگام ورود: حساب پس از چند تلاش قفل شده است و هر تلاش تازه آن را طولانی‌تر می‌کند.",
                "The account is locked after too many attempts; each further one prolongs that.",
            ),
        ),
        Said(
            "هنگام ورود: گذرواژه را درست کنید و نیم ساعت صبر کنید. جز آن: به این کاربر اجازهٔ کار را بدهید.",
            "At the login: correct the password and wait half an hour. Otherwise give this user the right to do it.",
        ),
    ),
    "status_404": Entry(
        _STATUS,
        (Said("نشانی پس از میزبان مسیری دارد.", "The address has a path behind the host."),),
        Said(
            "ببینید {address} ریشهٔ سرور باشد، بدون هیچ مسیری.",
            "Check that {address} is the root of the server, without any path.",
        ),
    ),
    **dict.fromkeys(
        ("status_408", "status_499"), Entry(_STATUS, (Said("سرور کند است.", "The server is slow."),), _GAVE_UP)
    ),
    "status_429": Entry(
        _STATUS,
        (Said("درخواست‌ها بیش از حد سرور است.", "More requests came than the server wants."),),
        Said(
            "از سرور بیش از حد پرسیده می‌شود: CONCURRENCY را کم کنید.",
            "The server is asked too often: lower CONCURRENCY.",
        ),
    ),
    "status_5xx": Entry(_STATUS, (Said("خود سرور خطا داد.", "The server itself failed."),), SERVER_FAILED),
    "status_4xx": Entry(
        _STATUS,
        (Said("سرور درخواست را نپذیرفت.", "The server did not accept the request."),),
        Said(
            "آنچه سیستم می‌گوید در کنار خطاست؛ `siaghsync check-apis` چاره را نام می‌برد.",
            "What the system says stands beside the error; `siaghsync check-apis` names the cure.",
        ),
    ),
}
