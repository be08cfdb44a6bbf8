"""The newcomer's first command: the whole program on one screen, with the real commands against the sandbox."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from siaghsync.domain.numbering import NumberScheme
from siaghsync.errors import SiaghsyncError
from siaghsync.messages.catalog import render
from siaghsync.report.terminal import console
from siaghsync.sandbox import Sandbox

_CUSTOMERS = 60
_ALREADY_IN_CRM = 12


def play() -> int:
    """Shows every step in a temporary folder. Returns the exit code: 0, or that of the first command that failed."""
    with tempfile.TemporaryDirectory(prefix="siaghsync-demo-") as folder:
        with Sandbox(customers=_CUSTOMERS, also_in_crm=_ALREADY_IN_CRM) as systems:
            env_file = Path(folder) / ".env"
            env_file.touch(0o600)
            env_file.write_text("".join(f"{k}={v}\n" for k, v in systems.settings().items()), encoding="utf-8")
            try:
                _play(systems, env_file)
            except _StepFailed as failure:
                console().print(f"\n{render(failure.message)}", style="red", markup=False)
                return failure.exit_code
    return 0


class _StepFailed(SiaghsyncError):
    def __init__(self, command: str, exit_code: int) -> None:
        super().__init__("cli.step_failed", command=command, code=exit_code)
        self.exit_code = exit_code


def _play(systems: Sandbox, env_file: Path) -> None:
    out = console()

    def tell(title: str, text: str = "") -> None:
        out.print()
        out.rule(title, style="cyan")
        if text:
            out.print(text, markup=False)

    def run(*arguments: str) -> None:
        out.print(f"$ siaghsync {' '.join(arguments)}", style="bold cyan", markup=False)
        sys.stdout.flush()
        ended = subprocess.run(
            [sys.executable, "-m", "siaghsync", "--env-file", str(env_file), *arguments], check=False
        )
        if ended.returncode:
            raise _StepFailed(" ".join(arguments), ended.returncode)

    tell(
        "1. Two systems that do not know each other",
        f"A stand-in of Siagh with {_CUSTOMERS} customers and one of Payamgostar, which has {_ALREADY_IN_CRM} of them already.",
    )
    run("check-apis")
    tell("2. What an import would do", "Nothing is written yet.")
    run("initial-import", "--dry-run")
    tell("3. The import", "Customers that both systems have are linked; the others are created in the CRM.")
    run("initial-import", "--yes")
    tell("4. The same again", "Every customer is linked, so nothing is made twice.")
    run("initial-import", "--yes")
    tell("5. People work in the CRM", "\n".join(_edit_crm(systems)))
    run("sync")
    tell("6. Somebody changes a customer in Finance as well", "\n".join(_edit_both(systems)))
    run("sync")
    tell("7. A quote is approved in the CRM", "\n".join(_approve_quote(systems)))
    run("sync")
    tell("8. In the end", "cron would run `siaghsync sync --quiet` every five minutes from now on.")
    run("status")


def _linked(systems: Sandbox) -> list[tuple[str, int]]:
    """(CRM id, finance code) of customers that both systems have, in order of their code."""
    scheme = NumberScheme()
    codes = {record["crmId"]: scheme.decode(record["customerNumber"] or "") for record in systems.crm.records.values()}
    return sorted(
        ((crm_id, code) for crm_id, code in codes.items() if code in systems.finance.contacts), key=lambda p: p[1]
    )


def _edit_crm(systems: Sandbox) -> list[str]:
    (renamed, _), (moved, _), (called, _) = _linked(systems)[:3]
    name = f"{systems.crm.records[renamed]['nickName']} | شعبه مرکزی"
    systems.crm.edit(renamed, nickName=name)
    systems.crm.edit(
        moved, addressContacts=[{"default": True, "address": "تهران، خیابان آزادی، پلاک ۱۱۰", "zipCode": "1458889999"}]
    )
    systems.crm.edit(called, phoneContacts=[{"default": True, "phoneType": "موبایل", "phoneNumber": "۰۹۱۲۱۱۱۰۰۰۱"}])
    systems.crm.add_person(
        firstName="مریم", lastName="نمونه", nickName="مریم نمونه", customerNumber="90001", nationalCode="0499370899"
    )
    return [
        f"- One is renamed to «{name}»: the | would begin a new field in Siagh's form, so it is cleaned.",
        "- One has moved, one has a new mobile number (typed with Persian digits).",
        "- A new customer, number 90001, is entered.",
    ]


def _approve_quote(systems: Sandbox) -> list[str]:
    crm_id, code = _linked(systems)[4]
    rows = [{"productCode": "Product-1", "count": 2, "baseUnitPrice": 2860000}]
    systems.crm.add_quote(crm_id, rows, number="100-1405/15", crmObjectTypeCode="PI_5", subject="نمونه پیش‌فاکتور")
    return [
        f"- Quote 100-1405/15 for the customer with finance code {code} gets its number, so it is in force.",
        "- It becomes a pre-invoice in Siagh, once; its number there is shown as the finance code.",
    ]


def _edit_both(systems: Sandbox) -> list[str]:
    crm_id, code = _linked(systems)[3]
    systems.finance.edit(code, Address="typed in the finance system only", Email="old@example.com")
    systems.crm.edit(crm_id, email="new@example.com")
    return [
        f"- In Finance, address and e-mail of contact {code} are typed over.",
        "- In the CRM, the same customer gets a new e-mail address. The CRM wins; what Finance held stays in the audit trail.",
    ]
