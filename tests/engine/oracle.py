"""Compares what both systems and the state file hold with what ought to be there, after everything has settled.

It knows the wire contracts and behaviour page only and shares no code with the program, so that the two can't be wrong
in the same way. `Ledger` is what the world did by itself: all that the program made can be told by it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.engine.bench import Bench

Record = Mapping[str, Any]
_FORM = ("Name", "MobileNo", "TelNo", "NationalCode", "Email", "WebSiteAddress", "Address", "PostalCode", "Description")
"""What a sync may change in a contact; all else belongs to Finance alone."""
_OURS = {*_FORM, "tmpid", "TowardType"}
MARK = re.compile(r"\[CRM ([^\[\]]+)\]\s*$")


@dataclass
class Ledger:
    """What was in both systems without the program's doing: codes, ids, and each contact as the world left it."""

    contacts: dict[int, dict[str, Any]] = field(default_factory=dict)
    records: set[str] = field(default_factory=set)
    due: set[int] = field(default_factory=set)
    """Codes that an import has to bring to the CRM."""
    numbered: set[str] = field(default_factory=set)
    """CRM ids of records whose number people have changed."""
    cleared: set[str] = field(default_factory=set)
    """CRM ids of customers whose e-mail or web address was taken away: Finance keeps the last one that it got, whichever."""
    restored: set[str] = field(default_factory=set)
    """CRM ids of customers that came back as they were earlier, perhaps without the postal code that Finance got since."""

    @staticmethod
    def of(bench: Bench) -> Ledger:
        """All that is there now."""
        contacts = {int(c["Code"]): dict(c) for c in bench.sandbox.finance.snapshot()}
        due = {code for code, c in contacts.items() if c["IsActive"] and not c["IsAdminUser"]}
        return Ledger(contacts, set(bench.sandbox.crm.records), due)


@dataclass
class Verdict:
    """What is wrong, sorted by the promise that it breaks. `excused` are doubles that stand in review."""

    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    reviews: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    """Those of the duplicates that are wrong even before all has settled."""
    excused: int = 0

    @property
    def good(self) -> bool:
        return not (self.duplicates or self.lost or self.stuck)

    def __str__(self) -> str:
        parts = {"duplicate": self.duplicates, "lost": self.lost, "stuck": self.stuck, "review": self.reviews}
        return "\n".join(f"{name}: {text}" for name, texts in parts.items() for text in texts) or "all is well"


def judge(bench: Bench, ledger: Ledger, *, may_ask: Iterable[str] = (), imported: bool = False) -> Verdict:
    """The verdict on the present state of `bench`.

    `may_ask` are the reasons for which a review may be open. `imported`: CRM records that the program has made show all
    that Finance has, too.
    """
    case = _Case(bench, ledger)
    verdict = Verdict(stuck=bench.unsettled())
    verdict.reviews = [f"{r['reason']}: {r['target']} {r['record']}: {r['message_params']}" for r in case.reviews]
    verdict.stuck += [text for text in verdict.reviews if text.partition(":")[0] not in set(may_ask)]
    case.claims(verdict)
    verdict.twice = list(verdict.duplicates)
    case.strays(verdict)
    case.pairs(verdict, imported=imported)
    case.unlinked(verdict)
    return verdict


class _Case:
    """The evidence, and each of the questions asked about it."""

    def __init__(self, bench: Bench, ledger: Ledger) -> None:
        self.ledger = ledger
        self.numberless = bench.settings.get("CUSTOMERS_WITHOUT_NUMBER") == "create"
        self.contacts = {int(c["Code"]): c for c in bench.sandbox.finance.snapshot()}
        self.records = dict(bench.sandbox.crm.records)
        pairs = bench.rows("SELECT crm_id, finance_code FROM customer_mappings")
        self.code_of = {row["crm_id"]: row["finance_code"] for row in pairs}
        self.crm_of = {code: crm_id for crm_id, code in self.code_of.items()}
        self.reviews = bench.rows("SELECT * FROM reviews WHERE resolution IS NULL")
        self.asked = {(r["target"], r["record"]) for r in self.reviews}

    def strays(self, verdict: Verdict) -> None:
        """Whatever the program made is one half of a pair, or a person was told of it."""
        for code in self.contacts.keys() - self.ledger.contacts.keys() - self.crm_of.keys():
            if ("crm", str(code)) in self.asked:
                verdict.excused += 1
            else:
                verdict.duplicates.append(f"contact {code} ({self.contacts[code]['Name']}) was made for nobody")
        for crm_id in self.records.keys() - self.ledger.records - self.code_of.keys():
            if ("finance", crm_id) in self.asked:
                verdict.excused += 1
            else:
                verdict.duplicates.append(
                    f"CRM record {crm_id} ({self.records[crm_id]['nickName']}) was made for nobody"
                )

    def claims(self, verdict: Verdict) -> None:
        """No two contacts carry the same mark, or the same code and name; no two CRM records of the program's making either.

        Where people have given two CRM records one number, both their contacts are marked with it.
        """
        shared = Counter(r["customerNumber"] for r in self.records.values())
        marks: dict[str, list[int]] = defaultdict(list)
        selves: dict[tuple[str, str], list[int]] = defaultdict(list)
        for code, contact in self.contacts.items():
            mark = MARK.search(contact["Description"] or "")
            if mark and shared[mark[1]] < 2:
                marks[mark[1]].append(code)
            if contact["NationalCode"] and not contact["IsAdminUser"]:
                selves[digits(contact["NationalCode"]), folded(contact["Name"])].append(code)
        for what, codes in (*marks.items(), *selves.items()):
            made = [code for code in codes if code not in self.ledger.contacts]
            told = [code for code in codes if ("crm", str(code)) in self.asked]
            if len(codes) - len(told) > 1 and made:
                verdict.duplicates.append(f"contacts {codes} are all {what}")
        not_ours = self.ledger.records | self.ledger.numbered
        made_here = [i for i in self.records if i not in not_ours and ("finance", i) not in self.asked]
        numbers = Counter(self.records[i]["customerNumber"] for i in made_here)
        verdict.duplicates += [f"CRM number {n} was given {times} times" for n, times in numbers.items() if times > 1]

    def pairs(self, verdict: Verdict, *, imported: bool) -> None:
        """Both halves of each pair exist; Finance says what the CRM says, and keeps what only Finance knows."""
        for crm_id, code in self.code_of.items():
            record, contact = self.records.get(crm_id), self.contacts.get(code)
            if record is None or contact is None:
                if record is not None and ("finance", crm_id) not in self.asked:
                    verdict.lost.append(f"the contact {code} of CRM record {crm_id} is not there, and nobody was told")
                continue
            if ("finance", crm_id) not in self.asked:
                made = imported and crm_id not in self.ledger.records
                verdict.lost += self._differences(record, contact, self.ledger.contacts.get(code), made)

    def _differences(self, record: Record, contact: Record, before: Record | None, made: bool) -> list[str]:
        who = f"contact {contact['Code']}"
        wanted, problems = said(record), []
        for name in _FORM:
            want, have = wanted[name], _shown(contact, name)
            if want and not _same(name, want, have):
                problems.append(f"{who}: {name} is {have!r}, the CRM says {want!r}")
            may_be_another = have and (
                (name in ("Email", "WebSiteAddress") and record["crmId"] in self.ledger.cleared)
                or (name == "PostalCode" and record["crmId"] in self.ledger.restored)
            )
            if not (want or may_be_another or before is None or _same(name, _shown(before, name), have)):
                problems.append(f"{who}: {name} was {before[name]!r} and is {have!r}, the CRM has none")
            if made and have and not want:
                problems.append(f"{who}: {name} {have!r} did not reach the CRM")
        if before is not None:
            changed = [name for name in before if name not in _OURS and before[name] != contact[name]]
            problems += [f"{who}: {name} was {before[name]!r} and is {contact[name]!r}" for name in changed]
            mark = MARK.search(before["Description"] or "")
            if mark and not MARK.search(contact["Description"] or ""):
                problems.append(f"{who}: its mark {mark[1]} is gone")
        elif contact["IsActive"] is not True or contact["FatherName"] is not None:
            problems.append(f"{who}: it was made with values that nobody gave")
        return problems

    def unlinked(self, verdict: Verdict) -> None:
        """Whoever ought to be in Finance is linked, skipped for a reason, or before a person."""
        numbers = Counter(r["customerNumber"] for r in self.records.values())
        for crm_id, record in self.records.items():
            number = record["customerNumber"]
            wanted = (number.isdecimal() and numbers[number] == 1) if number else self.numberless
            if wanted and crm_id not in self.code_of and ("finance", crm_id) not in self.asked:
                verdict.lost.append(f"CRM record {crm_id} (number {number}) is not in Finance, and nobody was told")
        for code in (self.ledger.due & self.contacts.keys()) - self.crm_of.keys():
            if ("crm", str(code)) not in self.asked:
                verdict.lost.append(f"contact {code} has no CRM record, and nobody was told")


def said(record: Record) -> dict[str, str]:
    """What a CRM record says, by the names of a contact's properties."""
    phones = {p["phoneType"]: p["phoneNumber"] for p in reversed(record["phoneContacts"] or [])}
    place: Record = next(iter(record["addressContacts"] or []), {})
    values = {
        "Name": record["nickName"],
        "MobileNo": phones.get("Mobile"),
        "TelNo": phones.get("Office"),
        "NationalCode": record["nationalCode"],
        "Email": record["email"],
        "WebSiteAddress": record["website"],
        "Address": place.get("address"),
        "PostalCode": place.get("zipCode"),
        "Description": record["description"],
    }
    return {name: value or "" for name, value in values.items()}


def _shown(contact: Record, name: str) -> str:
    value = str(contact[name] or "")
    return MARK.sub("", value).strip() if name == "Description" else value


def _same(name: str, left: str, right: str) -> bool:
    """Whether two values differ in spelling only, by the rules of the behaviour page."""
    if name in ("MobileNo", "TelNo", "NationalCode", "PostalCode"):
        return digits(left) == digits(right)
    return folded(left) == folded(right)


def digits(text: str) -> str:
    digits = "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())
    return digits.lstrip("0").removeprefix("98") if len(digits) > 10 else digits.lstrip("0")


def folded(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace("|", "/")
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    return re.sub(r"[\s\u200c]+", "", text).translate(str.maketrans("يىك", "ییک")).casefold()
