"""What `check-apis` finds out: why a system can't be used, and what looks wrong though it can.

Of a diagnosis' causes only those are shown that the facts allow. Names in braces are filled with what was found.
"""

from __future__ import annotations

from siaghsync.messages.entry import Chapter, Entry, Said

DIAGNOSES: Chapter = {
    "scheme": Entry(
        Said("http و https جابه‌جا شده‌اند", "http and https are mixed up"),
        (
            Said(
                "سرور روی این درگاه {wanted} حرف می‌زند و نشانی {given} می‌گوید.",
                "The server speaks {wanted} at this port, and the address says {given}.",
            ),
            Said("چیزی در راه دخالت می‌کند.", "Something on the way cuts in."),
        ),
        Said("{wanted}:// را در {address} بیازمایید. {hint}", "Try {wanted}:// in {address}. {hint}"),
    ),
    "gateway": Entry(
        Said("پروکسی یا درگاهی به جای سیستم پاسخ می‌دهد", "A proxy or gateway answers instead of the system"),
        (
            Said(
                "پروکسی یا درگاهی پاسخ می‌دهد و سیستم پشت آن خاموش یا دور از دسترس است.",
                "A proxy or gateway answers, and the system behind it is down or unreachable.",
            ),
            Said("نشانی به جای سیستم به پروکسی می‌رسد.", "The address leads to a proxy instead of the system."),
        ),
        Said(
            "ببینید خود سیستم کار می‌کند؛ اگر می‌شود {address} بدون پروکسی به آن برسد.",
            "Look whether the system itself runs; let {address} lead to it without a proxy if you can.",
        ),
    ),
    "page": Entry(
        Said("صفحه‌ای برای آدم‌ها پاسخ می‌دهد", "A page for people answers"),
        (
            Said(
                "{address} پس از میزبان مسیری دارد و به صفحه‌ای برای آدم‌ها می‌رسد.",
                "{address} has a path behind the host, and leads to a page for people.",
            ),
            Said(
                "وب‌سرور جلویی خودش ورود می‌خواهد (Windows یا basic).",
                "The web server in front asks for a login of its own (Windows or basic authentication).",
            ),
            Said(
                "پروکسی، دیوار آتش یا صفحهٔ ورودی در راه به جای سیستم پاسخ می‌دهد.",
                "A proxy, firewall or login page on the way answers instead of the system.",
            ),
            Said("نشانی به برنامهٔ دیگری می‌رسد.", "The address leads to another program."),
        ),
        Said(
            "نشانیِ {address} را روی همین رایانه باز کنید: باید بی هیچ صفحهٔ میانی به خود سیستم برسد.",
            "Open the address in {address} on this very computer: it has to lead to the system itself, without any page in "
            "between.",
        ),
    ),
    "address": Entry(
        Said("نشانی به سیستم نمی‌رسد", "The address does not lead to the system"),
        (
            Said(
                "{address} به {path} ختم می‌شود که siaghsync خودش می‌افزاید.",
                "{address} ends in {path}, which siaghsync adds itself.",
            ),
            Said(
                "{address} پس از میزبان مسیری دارد که آنجا جایش نیست.",
                "{address} has a path behind the host that does not belong there.",
            ),
            Said("برنامهٔ دیگری روی این میزبان و درگاه پاسخ می‌دهد.", "Another program answers at this host and port."),
            Said("نشانی‌های {address} و {other} جابه‌جا شده‌اند.", "The addresses in {address} and {other} are swapped."),
            Said(
                "سیستم زیر مسیری از آنِ خود نصب شده، یا نسخه‌ای قدیمی است.",
                "The system is installed below a path of its own, or is an old version.",
            ),
        ),
        Said(
            "در {address} فقط http یا https، میزبان و در صورت نیاز درگاه بماند، مانند http://172.16.16.16.",
            "Leave only scheme, host and, if need be, port in {address}, like http://172.16.16.16.",
        ),
    ),
    "login_crm": Entry(
        Said("CRM ورود را نپذیرفت", "The CRM refused the login"),
        (
            Said("گذرواژه نادرست یا منقضی است.", "The password is wrong or has expired."),
            Said("نام کاربری طور دیگری نوشته می‌شود.", "The user name is spelled otherwise."),
            Said("کاربر فعال نیست.", "The user is not active."),
        ),
        Said(
            "با همین کاربر در خود CRM وارد شوید، سپس CRM_USERNAME و CRM_PASSWORD را درست کنید. زیاد نیازمایید: CRM حساب را "
            "قفل می‌کند.",
            "Log in to the CRM itself as this user, then put CRM_USERNAME and CRM_PASSWORD right. Don't try often: the CRM "
            "locks the account.",
        ),
    ),
    "login_finance": Entry(
        Said("سیاق ورود را نپذیرفت", "Siagh refused the login"),
        (
            Said(
                "FINANCE_PASSWORD هش گذرواژهٔ خالی یا یک پایان خط است.",
                "FINANCE_PASSWORD is the hash of an empty password or a mere line end.",
            ),
            Said(
                "FINANCE_USERNAME با ي یا ك عربی نوشته شده و شاید سیاق ی یا ک فارسی دارد.",
                "FINANCE_USERNAME is typed with Arabic ي or ك, where Siagh may have Persian ی or ک.",
            ),
            Said("گذرواژه یا نام کاربری نادرست است.", "The password, or the user name, is wrong."),
            Said(
                "گذرواژه دو بار هش شده است: به `hash-password` خود هش داده شده.",
                "The password was hashed twice: `hash-password` was given what was the hash already.",
            ),
            Said(
                "چیزی بیش از گذرواژه هش شده (فاصله یا پایان خط، مانند `echo ... | md5sum`)، یا با کدگذاری دیگری.",
                "More was hashed than the password: a space or line end (as with `echo ... | md5sum`), or in another encoding.",
            ),
            Said(
                "هش از گذرواژه با حروف بزرگ و کوچک دیگر یا صفحه‌کلید دیگری ساخته شده است.",
                "The hash was made of a password in another case or keyboard layout.",
            ),
            Said("کاربر در سیاق فعال نیست.", "The user is not active in Siagh."),
        ),
        Said(
            "با همین کاربر در خود سیاق وارد شوید؛ سپس همان گذرواژه را به `siaghsync hash-password --save` بدهید که بی نمایش "
            "می‌پرسد. حروف کوچک هش علت نیست: همیشه با حروف بزرگ فرستاده می‌شود.",
            "Log in to Siagh itself as this user; then type that password into `siaghsync hash-password --save`, which asks "
            "without echo. A hash in lower case is no cause: it is always sent in upper case.",
        ),
    ),
    "rights": Entry(
        Said("کاربر اجازهٔ این کار را ندارد", "The user may not do this"),
        (
            Said("کاربر اجازهٔ این کار را ندارد: {what}.", "The user may not {what}."),
            Said("مجوز آن را شامل نیست.", "The licence does not include it."),
        ),
        Said(
            "در {system} به این کاربر اجازهٔ این کار را بدهید: {what}.",
            "Give this user, in the {system}, the right to {what}",
        ),
    ),
    "type": Entry(
        Said("CRM این نوع را نمی‌شناسد", "The CRM does not know this subtype"),
        (Said("CRM نوعی به نام {value} ندارد.", "The CRM knows no subtype {value}."),),
        Said(
            "کد نوع را در تنظیمات CRM ببینید و در {setting} بنویسید.",
            "Look up the subtype's code in the CRM's settings and write it into {setting}.",
        ),
    ),
    "certificate": Entry(
        Said("به گواهی سرور اعتمادی نیست", "The server's certificate is not trusted"),
        (
            Said(
                "گواهی سرور را خودش امضا کرده (self-signed)، یا مرجع آن اینجا ناشناخته است.",
                "The server's certificate is its own (self-signed), or its authority is unknown here.",
            ),
            Said(
                "مرجع گواهی سرور روی این رایانه نصب نیست.",
                "The authority of the server's certificate is not installed on this computer.",
            ),
            Said(
                "گواهی برای نام میزبان دیگری جز آنِ نشانی است.",
                "The certificate is for another host name than the one in the address.",
            ),
            Said(
                "گواهی منقضی شده، یا ساعت این رایانه نادرست است.",
                "The certificate has expired, or this computer's clock is wrong.",
            ),
            Said(
                "گواهی هنوز معتبر نشده، یا ساعت این رایانه نادرست است.",
                "The certificate is not valid yet, or this computer's clock is wrong.",
            ),
        ),
        Said(
            "گواهی مرجع را روی این رایانه نصب کنید، یا نام میزبانی را به کار ببرید که گواهی برای آن است.",
            "Install the authority's certificate on this computer, or use the host name that the certificate is for.",
        ),
    ),
}
