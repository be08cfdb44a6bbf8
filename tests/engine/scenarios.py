"""What the sweep kills: worlds on the eve of a run, and the run that then has to be got through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.engine.bench import Bench
from tests.engine.fake_customers import Folk, Person
from tests.engine.moments import World
from tests.engine.oracle import Ledger

IMPORT = ("initial-import", "--yes")
SYNC = ("sync",)
FULL = ("sync", "--full")
GRACE = 60
_SETTINGS = {"UNKNOWN_GRACE_SECONDS": str(GRACE), "CONCURRENCY": "1"}


@dataclass(frozen=True)
class Scenario:
    """`prepare` makes the world in which `command` is run."""

    name: str
    command: tuple[str, ...]
    prepare: Callable[[Bench, Folk, int], None]
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def is_import(self) -> bool:
        return self.command == IMPORT


@dataclass(frozen=True)
class Eve:
    """The world on the eve of a scenario's run, in a folder of its own."""

    scenario: Scenario
    world: World
    ledger: Ledger


def eve_of(scenario: Scenario, bench: Bench, seed: int, size: int) -> Eve:
    """Makes the world of a scenario with about `size` customers to be written. Uses up `bench`'s present world."""
    bench.settings = {**_SETTINGS, **scenario.settings}
    bench.restore(World((), (), None, 0.0))
    scenario.prepare(bench, Folk(seed), size)
    return Eve(scenario, bench.keep(), Ledger.of(bench))


def _found(bench: Bench, folk: Folk, size: int) -> None:
    """Finance as it is found: a user, an inactive one, customers; a third of them in the CRM already."""
    bench.sandbox.finance.add_contact(Name="مدیر", IsAdminUser=True)
    bench.sandbox.finance.add_contact(Name="غیرفعال", IsActive=False)
    for index in range(size):
        person = folk.next()
        code = bench.sandbox.finance.add_contact(**person.contact())
        if index % 3 == 1:
            _in_crm(bench, person, str(code))


def _in_crm(bench: Bench, person: Person, number: str) -> str:
    add = bench.sandbox.crm.add_organization if person.organization else bench.sandbox.crm.add_person
    return add(**person.crm(number))


def newcomer(bench: Bench, folk: Folk, shape: str | None = None, number: str | None = None) -> str:
    """A new CRM customer with a number that Finance doesn't know. Returns its id."""
    person = folk.next(shape)
    return _in_crm(bench, person, str(70_000 + folk.count) if number is None else number)


def _imported(bench: Bench, folk: Folk, size: int) -> None:
    _found(bench, folk, size)
    for command in (IMPORT, SYNC):
        ended = bench.run(*command)
        assert ended.code == 0, ended


def _newcomers(bench: Bench, folk: Folk, size: int) -> None:
    _imported(bench, folk, 3)
    for _ in range(size):
        newcomer(bench, folk)
    newcomer(bench, folk, number="")


def _numberless(bench: Bench, folk: Folk, size: int) -> None:
    _imported(bench, folk, 3)
    for _ in range(size):
        newcomer(bench, folk, number="")


def _edited(bench: Bench, folk: Folk, size: int) -> None:
    _imported(bench, folk, size)
    for index, crm_id in enumerate(sorted(bench.sandbox.crm.records)):
        edit(bench, folk, crm_id, index)


CLEARS_EMAIL = 2
"""The way of `edit` that takes a value away in the CRM."""


def edit(bench: Bench, folk: Folk, crm_id: str, way: int) -> None:
    """Changes a CRM customer in one of a few ways."""
    mobile = [{"phoneType": "Mobile", "phoneNumber": folk.mobile(), "default": True}]
    ways = (
        {"nickName": folk.name()},
        {"phoneContacts": mobile},
        {"email": "", "description": f"توضیح {folk.count}"},
        {"nickName": folk.name(), "customerNumber": str(80_000 + folk.count), "phoneContacts": mobile},
        {"addressContacts": [{"address": f"خیابان تازه {folk.count}", "zipCode": "9876543210", "default": True}]},
    )
    bench.sandbox.crm.edit(crm_id, **ways[way % len(ways)])


def _mixed(bench: Bench, folk: Folk, size: int) -> None:
    """Newcomers, edits, and customers whom Finance has already: by code, and by national code and name."""
    _imported(bench, folk, size)
    for index, crm_id in enumerate(sorted(bench.sandbox.crm.records)):
        edit(bench, folk, crm_id, index + 1)
    for shape in ("whole", "name_only"):
        newcomer(bench, folk, shape)
    for number in (None, "60001"):
        person = folk.next("whole")
        code = bench.sandbox.finance.add_contact(**person.contact())
        _in_crm(bench, person, number or str(code))


def _exchanged(bench: Bench, folk: Folk, size: int) -> None:
    """Everybody who has a mobile phone has the number of the next one now, the last that of the first."""
    _imported(bench, folk, size)
    found = {crm_id: list(record["phoneContacts"]) for crm_id, record in sorted(bench.sandbox.crm.records.items())}
    mobile = {i: next((p for p in phones if p["phoneType"] == "Mobile"), None) for i, phones in found.items()}
    phoned = [crm_id for crm_id, phone in mobile.items() if phone]
    for crm_id, follower in zip(phoned, phoned[1:] + phoned[:1], strict=True):
        others = [phone for phone in found[crm_id] if phone["phoneType"] != "Mobile"]
        bench.sandbox.crm.edit(crm_id, phoneContacts=[mobile[follower], *others])


def _lost_state(bench: Bench, folk: Folk, size: int) -> None:
    """Newcomers were synced and so carry marks; then the state file was lost."""
    _newcomers(bench, folk, size)
    ended = bench.run(*SYNC)
    assert ended.code == 0, ended
    bench.lose_state()


ALL = (
    Scenario("import", IMPORT, _found),
    Scenario("import, 4 at once", IMPORT, _found, {"CONCURRENCY": "4"}),
    Scenario("import after a lost state file", IMPORT, _lost_state),
    Scenario("sync of newcomers", SYNC, _newcomers),
    Scenario("sync of newcomers, 4 at once", SYNC, _newcomers, {"CONCURRENCY": "4"}),
    Scenario("sync of newcomers, no marks", SYNC, _newcomers, {"FINANCE_NOTE_MARKER": "false"}),
    Scenario("sync of newcomers without a number", SYNC, _numberless, {"CUSTOMERS_WITHOUT_NUMBER": "create"}),
    Scenario("sync of edits", SYNC, _edited),
    Scenario("sync of exchanged phones", SYNC, _exchanged),
    Scenario("sync of everything", SYNC, _mixed),
    Scenario("full sync of everything", FULL, _mixed, {"CONCURRENCY": "4"}),
)
BY_NAME = {scenario.name: scenario for scenario in ALL}


def folder_of(root: Path, scenario: Scenario) -> Path:
    """A folder for a scenario's files."""
    return root / scenario.name.replace(" ", "-").replace(",", "")
