"""What a known outcome changes on disk: mapping, intent, waiting, review and audit trail, always in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Customer, CustomerMapping, customer_kind
from siaghsync.state import retries as waiting
from siaghsync.state import reviews
from siaghsync.state.audit import Run
from siaghsync.state.notebook import BATCH
from siaghsync.state.outbox import Intent, close_intent, unsettled_of
from siaghsync.sync.context import Engine


def confirmed(engine: Engine, intent_id: int, action: Action, key: str, messages: tuple[str, ...] = ()) -> None:
    """The target said yes. `key` is the finance code or CRM id that it answered with.

    A key that contradicts the state (a new contact instead of an update, a code that belongs to somebody else) is put
    before a person; the mappings stay as they were.
    """
    with engine.run.state.atomic():
        close_intent(engine.run, intent_id, "confirmed")
        if action.action == "update":
            _updated(engine, action, key, messages)
        else:
            _created(engine, action, key, messages)


def _updated(engine: Engine, action: Action, key: str, messages: tuple[str, ...]) -> None:
    if key.strip() != str(action.finance_code):
        stray = replace(
            action,
            action="review",
            reason="made_new_contact",
            message=f"Finance was asked to change contact {action.finance_code}, but made the new contact {key} instead.",
            details={"new_contact": key, "payload": dict(action.payload)},
        )
        engine.run.note(action, "misdirected", message=stray.message)
        reviewed(engine, stray)
        return
    _in_step(engine, action)
    engine.run.note(action, "done", message="\n".join(messages) or None)
    engine.tell_done(action)


def _created(engine: Engine, action: Action, key: str, messages: tuple[str, ...]) -> None:
    crm_id = action.crm_id if action.target == "finance" else key
    code = int(key) if action.target == "finance" else action.finance_code
    assert crm_id is not None
    assert code is not None
    done = replace(action, crm_id=crm_id, finance_code=code)
    known = _standing(engine.run, crm_id, code)
    if "mapping" in known:
        text = f"The answer to the new record was {key}, which is linked to another record already."
        engine.run.note(done, "misdirected", message=text)
        reviewed(engine, replace(done, action="review", reason="code_taken", message=text))
        return
    engine.mappings.add(_pair_of(done), done.reason or done.action, engine.run.at())
    if known:
        _release(engine.run, done)
    engine.run.note(done, "done", message="\n".join(messages) or None)
    engine.tell_done(done)


def _in_step(engine: Engine, action: Action) -> None:
    """The pair is linked and both sides agree; nothing about it is left open."""
    pair = _pair_of(action)
    known = _standing(engine.run, pair.crm_id, pair.finance_code)
    if "mapping" in known and engine.mappings.of_crm(pair.crm_id):
        engine.mappings.settle(pair, engine.run.at())
    else:
        engine.mappings.add(pair, action.reason or action.action, engine.run.at())
    if known - {"mapping"}:
        _release(engine.run, action)


def _pair_of(action: Action) -> CustomerMapping:
    assert action.crm_id is not None
    assert action.finance_code is not None
    return CustomerMapping(
        action.crm_id,
        action.finance_code,
        customer_kind(action.kind),
        action.customer_number,
        action.checksum,
        action.sent_checksum,
    )


_STANDING = "SELECT 'mapping' FROM customer_mappings WHERE crm_id = :record1 OR finance_code = :record2 UNION ALL "
_STANDING += " UNION ALL ".join(
    f"SELECT '{table}' FROM {table} WHERE entity = 'customer' AND target = :target{side} AND record = :record{side}{condition}"
    for table, condition in (
        ("waiting", ""),
        ("skips", ""),
        ("reviews", " AND resolution IS NULL"),
        ("intents", " AND state IN ('open', 'unknown')"),
    )
    for side in (1, 2)
)


def _standing(run: Run, crm_id: str, code: int) -> set[str]:
    """The tables in which the state file holds something about either side of a pair: one question instead of a dozen.

    A mapping, or a loose end: something that waits, is skipped, is asked, or is in the air.
    """
    names = {"target1": "finance", "record1": crm_id, "target2": "crm", "record2": str(code)}
    return {row[0] for row in run.state.rows(_STANDING, names)}


def _release(run: Run, action: Action) -> None:
    """Nothing waits for, or asks about, either side of a pair any more."""
    sides = (
        replace(action, target="finance", record=action.crm_id or ""),
        replace(action, target="crm", record=str(action.finance_code)),
    )
    for side in sides:
        waiting.release(run.state, side)
        reviews.settle(run, side)
        for intent in unsettled_of(run.state, side):
            if intent.action.action == "create":
                close_intent(run, intent.id, "confirmed", "The pair is linked now.")


def each(
    engine: Engine, actions: Iterator[Action], settle_one: Callable[[Engine, Action], None], *, told: bool = False
) -> None:
    """Settles actions that nothing is sent for, many in one commit; with `told` each is told as well.

    A kill loses the last commit's worth of them at most, and they are planned again in the next run.
    """
    while batch := list(islice(actions, BATCH)):
        with engine.run.state.atomic():
            for action in batch:
                settle_one(engine, action)
                if told:
                    engine.tell(action)


def linked(engine: Engine, action: Action) -> None:
    """Records a link. If the two differ, `checksum` is None and the next look compares them."""
    with engine.run.state.atomic():
        _in_step(engine, action)
        engine.run.note(action, "done")


def unchanged(engine: Engine, customer: Customer, mapping: CustomerMapping, sent_checksum: str | None) -> None:
    """A linked customer was compared and nothing differs. An update in doubt has arrived, then."""
    with engine.run.state.atomic():
        number = customer.number or mapping.customer_number
        pair = replace(
            mapping,
            kind=customer.kind,
            customer_number=number,
            checksum=customer.checksum,
            sent_checksum=sent_checksum,
        )
        if pair == mapping and not _standing(engine.run, customer.crm_id, mapping.finance_code) - {"mapping"}:
            return
        engine.mappings.settle(pair, engine.run.at())
        subject = Action(
            "update",
            "customer",
            "finance",
            customer.crm_id,
            customer.kind,
            number,
            customer.crm_id,
            mapping.finance_code,
        )
        for intent in unsettled_of(engine.run.state, subject):
            close_intent(engine.run, intent.id, "confirmed", "A look showed that it had arrived.")
            engine.run.note(intent.action, "done", message="No answer came; a look showed that it had arrived.")
        waiting.release(engine.run.state, subject)
        reviews.settle(engine.run, subject)


def reviewed(engine: Engine, action: Action) -> None:
    """Puts a record before a person."""
    with engine.run.state.atomic():
        verdict = reviews.put(engine.run, action)
        waiting.release(engine.run.state, action)
        if verdict == "discarded":
            engine.tell(replace(action, action="skip", reason="discarded"))
            return
        if verdict == "new":
            engine.new_reviews += 1
            engine.run.note(action, "review")
        engine.tell(action)


def skipped(engine: Engine, action: Action) -> None:
    """Passes over a record on purpose, and remembers why."""
    with engine.run.state.atomic():
        if waiting.note_skip(engine.run, action):
            engine.run.note(action, "skipped")
        reviews.settle(engine.run, action)
        engine.tell(action)


def failed(engine: Engine, action: Action, reason: str, message: str) -> None:
    """This run could not do it. It waits for another try, or, after the usual tries, for a person."""
    with engine.run.state.atomic():
        attempts = waiting.postpone(engine.run, action, reason, message)
        engine.run.note(action, "failed", message=message, reason=reason)
        if attempts < engine.limits.max_attempts:
            engine.tell_failure(action, reason, message)
            return
        final = reason if reason in reviews.FINAL_REASONS else "refused"
        text = f"Tried in {attempts} runs, without success. The last time: {message}"
        reviewed(
            engine,
            replace(
                action,
                action="review",
                reason=final,
                message=text,
                details={**action.details, "payload": dict(action.payload)},
            ),
        )


def in_doubt(engine: Engine, intent_id: int, action: Action, message: str) -> None:
    """Nobody knows whether it arrived. A create stays open until a look-up; an update is compared at the next look."""
    with engine.run.state.atomic():
        close_intent(engine.run, intent_id, "unknown", message)
        engine.run.note(action, "unknown", message=message)
        if action.action == "update":
            waiting.postpone(engine.run, action, "unknown_outcome", message)


def lapsed(engine: Engine, intent: Intent, message: str) -> None:
    """What was in doubt is not there. The record is free to be sent again."""
    with engine.run.state.atomic():
        close_intent(engine.run, intent.id, "lapsed", message)
        engine.run.note(intent.action, "lapsed", message=message)


def gone(engine: Engine, entry: waiting.Waiting) -> None:
    """A record that waited for another try is not in the CRM any more: there is nothing left to do for it."""
    subject = Action("skip", entry.entity, entry.target, entry.record, entry.kind, entry.customer_number, entry.record)
    with engine.run.state.atomic():
        waiting.release(engine.run.state, subject)
        reviews.settle(engine.run, subject)
        engine.run.note(subject, "skipped", reason="gone", message="It was deleted in the CRM.")
        engine.tell(replace(subject, reason="gone"))
