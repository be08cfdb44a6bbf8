"""CRM customers that are not linked yet: planned against the finance list, then linked, created, or put aside."""

from __future__ import annotations

from siaghsync.domain.action import Action
from siaghsync.planning.customers import reconcile_customer
from siaghsync.state import reviews
from siaghsync.state.outbox import unsettled_of
from siaghsync.sync import doubts
from siaghsync.sync import outcomes as settle
from siaghsync.sync import recovery as lookup
from siaghsync.sync.contacts import read_contacts
from siaghsync.sync.context import Engine
from siaghsync.sync.executor import carry_out
from siaghsync.sync.matching import case_of_customer


def plan_unlinked(engine: Engine) -> int:
    """Plans every unlinked customer. Returns how many would be created."""
    creates = 0
    for customer in engine.scratch.customers(linked=False):
        action = reconcile_customer(case_of_customer(engine, customer), engine.rules)
        if unsettled_of(engine.run.state, action):
            engine.tell_failure(
                action, "unknown_outcome", "Its creation got no clear answer; it is looked up again later."
            )
            continue
        if action.action == "create" and reviews.rests(engine.run.state, action):
            action = reviews.as_it_stands(engine.run.state, action)
        if not engine.permit(action):
            continue
        creates += action.action == "create"
        engine.scratch.keep_plan([action])
    return creates


def tell_unlinked(engine: Engine) -> None:
    for name in ("link", "create", "skip", "review"):
        for action in engine.scratch.planned(name):
            if name in ("link", "create"):
                engine.would_link.add(action.record)
            if name == "link" and action.checksum is None:
                _note_link(engine, action)
            else:
                engine.tell(action)


def _link(engine: Engine, action: Action) -> None:
    settle.linked(engine, action)
    if action.checksum is None:
        _note_link(engine, action)
    else:
        engine.tell(action)


def _note_link(engine: Engine, link: Action) -> None:
    """The pair's two sides differ: they are compared with the linked ones, and both told as one change."""
    engine.links[link.record] = link
    with engine.run.state.atomic():
        engine.scratch.mark_linked(link.record)


def apply_unlinked(engine: Engine, creates: int) -> None:
    settle.each(engine, engine.scratch.planned("link"), _link)
    settle.each(engine, engine.scratch.planned("skip"), settle.skipped)
    settle.each(engine, engine.scratch.planned("review"), settle.reviewed)
    in_doubt = carry_out(engine, engine.scratch.planned("create"), creates, "creating contacts in Finance")
    if in_doubt:
        read_contacts(engine)
        records = {action.record for action in in_doubt}
        lookup.look_up_contacts(engine, [i for i in doubts.due_creates(engine, "finance") if i.record in records])
