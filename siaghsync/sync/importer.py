"""The order of an initial import: read both lists, settle what is in doubt, plan, ask, create in the CRM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from siaghsync.connectors.payamgostar.customers import crm_id_of, customer_from_crm
from siaghsync.domain.action import Action, check_list_size
from siaghsync.domain.customer import Contact, Customer, Kind, digest
from siaghsync.errors import BadRecord, Interrupted
from siaghsync.planning.cases import ContactCase, about_contact
from siaghsync.planning.import_ import reconcile_contact
from siaghsync.state import reviews
from siaghsync.state.meta import COMPLETED, STARTED, STATE_WAS_LOST
from siaghsync.state.notebook import BATCH
from siaghsync.state.outbox import unsettled_of
from siaghsync.sync import doubts
from siaghsync.sync import outcomes as settle
from siaghsync.sync import recovery as lookup
from siaghsync.sync.contacts import read_contacts
from siaghsync.sync.context import Engine
from siaghsync.sync.executor import carry_out
from siaghsync.sync.matching import case_of_contact, lone_contacts
from siaghsync.sync.reader import as_crm_date, crm_now, read_source
from siaghsync.sync.sync_reading import SOURCES


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What an import was asked for on the command line. `limit` bounds how many records are newly linked or created."""

    limit: int | None = None
    force: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class ImportPlan:
    """What an import is going to do, in numbers, by action."""

    planned: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("create", "link", "skip", "review"), 0))
    linked_already: int = 0
    left_for_later: int = 0


Confirm = Callable[[ImportPlan], bool]


def initial_import(engine: Engine, options: ImportOptions, confirm: Confirm) -> bool:
    """Makes a CRM record for every finance contact that has none, and links those that have one.

    `confirm` is asked before anything is written. Returns whether it said yes. Raises CallError, BrakeError and
    Interrupted as a sync does. An import that went through without a limit is remembered as completed: what failed in
    it, or waits for a person, is in the state file.
    """
    bad = _read_both(engine, options)
    if not options.dry_run:
        doubts.adopt(engine)
        lookup.look_up_customers(engine, doubts.due_creates(engine, "crm"))
    plan = _plan(engine, options, {contact.code for contact, _ in bad})
    if options.dry_run:
        for name in plan.planned:
            for action in engine.scratch.planned(name):
                engine.tell(action)
        return True
    if not confirm(plan):
        return False
    _apply(engine, plan.planned["create"])
    for contact, message in bad:
        settle.failed(engine, _subject(engine, contact), "bad_record", message)
    if engine.stop.is_set():
        raise Interrupted(130)
    if options.limit is None and not engine.left_out:
        engine.run.state.set_fact(COMPLETED, engine.run.at())
    return True


def _read_both(engine: Engine, options: ImportOptions) -> list[tuple[Contact, str]]:
    found, bad = read_contacts(engine)
    for kind in SOURCES:
        read_source(engine, kind, _Intake(engine, kind), everything=True)
    if not options.force:
        known = engine.mappings.count()
        check_list_size("Finance", found, known)
        check_list_size("The CRM", sum(engine.scratch.reading_count(kind) for kind in SOURCES), known)
    return [(contact, message) for contact, message in bad if engine.mappings.of_code(contact.code) is None]


@dataclass(slots=True)
class _Intake:
    """Takes every CRM customer into the scratch tables; one that can't be understood is nobody's candidate."""

    engine: Engine
    kind: Kind

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """The checksums of the records, in order."""
        keep: list[tuple[Customer, bool]] = []
        checksums = []
        for raw in records:
            try:
                customer = customer_from_crm(raw, self.kind)
            except BadRecord as error:
                self.engine.notices.append(error.message)
                checksums.append(digest(crm_id_of(raw)))
                continue
            keep.append((customer, self.engine.mappings.of_crm(customer.crm_id) is not None))
            checksums.append(customer.checksum)
        self.engine.scratch.keep_customers(keep)
        return checksums


def _plan(engine: Engine, options: ImportOptions, bad: set[int]) -> ImportPlan:
    plan = ImportPlan()
    counts = engine.counts["customer"]
    plan.linked_already = engine.scratch.count_linked_contacts()
    counts.unchanged += plan.linked_already
    told = {failure["finance_code"] for failure in engine.failures}
    for contact, is_lone in _unlinked(engine):
        if contact.code in bad:
            continue
        case = ContactCase(contact) if is_lone else case_of_contact(engine, contact)
        action = reconcile_contact(case, engine.rules)
        if not is_lone and unsettled_of(engine.run.state, action):
            if str(contact.code) not in told:
                engine.tell_failure(
                    action, "unknown_outcome", "Its creation got no clear answer; it is looked up again later."
                )
            continue
        if not is_lone and action.action == "create" and reviews.rests(engine.run.state, action):
            action = reviews.as_it_stands(engine.run.state, action)
        is_new = action.action in ("create", "link")
        if is_new and options.limit is not None and plan.planned["create"] + plan.planned["link"] >= options.limit:
            plan.left_for_later += 1
            continue
        if not engine.permit(action):
            continue
        plan.planned[action.action] += 1
        engine.scratch.keep_plan([action])
    return plan


def _unlinked(engine: Engine) -> Iterator[tuple[Contact, bool]]:
    """Every unlinked contact, with whether nothing but itself decides about it."""
    contacts = engine.scratch.unlinked_contacts()
    while batch := list(islice(contacts, BATCH)):
        lone = lone_contacts(engine, batch)
        yield from ((contact, contact.code in lone) for contact in batch)


def _apply(engine: Engine, creates: int) -> None:
    if engine.run.state.fact(STARTED) is None:
        with engine.run.state.atomic():
            engine.run.state.set_fact(STARTED, as_crm_date(crm_now(engine)))
            if engine.scratch.any_marker():
                engine.run.state.set_fact(STATE_WAS_LOST, "a finance contact carries a mark")
    settle.each(engine, engine.scratch.planned("link"), settle.linked, told=True)
    settle.each(engine, engine.scratch.planned("skip"), settle.skipped)
    settle.each(engine, engine.scratch.planned("review"), settle.reviewed)
    in_doubt = carry_out(engine, engine.scratch.planned("create"), creates, "creating records in the CRM")
    records = {action.record for action in in_doubt}
    lookup.look_up_customers(engine, [i for i in doubts.due_creates(engine, "crm") if i.record in records])


def _subject(engine: Engine, contact: Contact) -> Action:
    return about_contact("create", contact, engine.rules)
