"""Carries actions out: intent on disk, request, outcome on disk. It decides nothing and adds nothing.

Threads carry requests only; the calling thread alone touches the state file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from queue import Empty, SimpleQueue

from siaghsync.connectors.siagh.client import SavedPreinvoice
from siaghsync.domain.action import Action
from siaghsync.domain.customer import customer_kind
from siaghsync.errors import CallError, InDoubt, LoginRefused, NotSent
from siaghsync.state.outbox import close_intent, open_intent, unsettled_of
from siaghsync.sync import outcomes as settle
from siaghsync.sync.context import Engine

MOST_WAITING = 8
"""So many times the threads may have an intent on disk: what waits for a thread when the process is killed is in doubt
as well, and has to be looked up."""
SECONDS_FOR_OTHERS = 0.05
"""How long an outcome waits for the next one to share its commit."""
DOUBTS_IN_A_ROW = 20
"""So many requests in a row without a clear answer, and the system counts as down."""


@dataclass(slots=True)
class _Flight:
    """What is in the air, and whether anything more may start."""

    total: int
    width: int
    done: int = 0
    doubts_in_a_row: int = 0
    halted: CallError | None = None
    flying: dict[Future[_Reply], tuple[int, Action]] = field(default_factory=dict)
    landed: SimpleQueue[Future[_Reply]] = field(default_factory=SimpleQueue)
    """Those of `flying` that have an outcome which is not settled yet."""
    in_doubt: list[Action] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Reply:
    key: str
    messages: tuple[str, ...] = ()
    preinvoice: SavedPreinvoice | None = None


def carry_out(
    engine: Engine, actions: Iterable[Action], total: int, label: str, done: int = 0, *, careful: bool = False
) -> list[Action]:
    """Sends creates and updates, at most `concurrency` at a time, and settles each.

    `total` and `done` are for the progress that is shown. Returns the creates whose outcome is unknown; they are not
    told yet, since a look-up may follow. Raises the CallError that shows that the system can't be reached, after
    everything in the air has been settled.
    """
    # Twice the threads, so that none idles while outcomes are committed; but a document that waits for a thread when
    # the process is killed would be in doubt, and work for a person.
    flight = _Flight(total, engine.limits.concurrency * (1 if careful else 2), done)
    source = iter(actions)
    finished: list[Future[_Reply]] = []
    with ThreadPoolExecutor(engine.limits.concurrency) as pool:
        while True:
            with engine.run.state.atomic():
                for future in finished:
                    _settle(engine, flight, future)
                opened = [(_open(engine, action), action) for action in _ready(engine, flight, source)]
            if flight.halted:
                for future in flight.flying:
                    future.cancel()  # what has no thread yet; it lands as cancelled
            # From here on every intent is on disk. A kill before, within or after the requests below finds it open at
            # the next start, and nobody repeats it before a look-up.
            for intent_id, action in opened:
                future = pool.submit(_send, engine, action)
                flight.flying[future] = (intent_id, action)
                future.add_done_callback(flight.landed.put)
            engine.progress(label, flight.done, flight.total)
            if not flight.flying:
                break
            finished = _landed(flight, 1 if careful else engine.limits.concurrency)
            if len(finished) >= engine.limits.concurrency and not careful:
                # Answers come quicker than commits: more in one commit, so that no thread waits for the disk.
                flight.width = min(flight.width * 2, engine.limits.concurrency * MOST_WAITING)
    if flight.halted:
        raise flight.halted
    return flight.in_doubt


def _landed(flight: _Flight, wanted: int) -> list[Future[_Reply]]:
    """One outcome at least, and all that have come meanwhile or come right after it: up to `wanted` are waited for.

    They share one commit, and each still shares it with its own mapping, checksum, audit row and intent. The threads
    have enough to do meanwhile.
    """
    finished = [flight.landed.get()]
    with suppress(Empty):
        while len(finished) < min(wanted, len(flight.flying)):
            finished.append(flight.landed.get(timeout=SECONDS_FOR_OTHERS))
    return [*finished, *(flight.landed.get() for _ in range(flight.landed.qsize()))]


def _ready(engine: Engine, flight: _Flight, source: Iterator[Action]) -> Iterator[Action]:
    """The next actions to send; none once the flight is halted or a signal came."""
    idle = 0 if flight.halted or engine.stop.is_set() else flight.width - len(flight.flying)
    return islice(source, idle)


def _open(engine: Engine, action: Action) -> int:
    for intent in unsettled_of(engine.run.state, action):
        # Only an update can be here: it was in doubt, and the look that led to this action showed that it is not there.
        settle.lapsed(engine, intent, "The next look showed that it had not arrived.")
    return open_intent(engine.run, action)


def _send(engine: Engine, action: Action) -> _Reply:
    if action.target == "crm":
        return _Reply(engine.crm.create(customer_kind(action.kind), action.payload))
    if action.entity == "invoice":
        document = action.payload
        preinvoice = engine.siagh.save_preinvoice(document["header"], document["rows"], document["suid"])
        return _Reply(preinvoice.key, preinvoice.messages, preinvoice)
    code = action.finance_code if action.action == "update" else None
    saved = engine.siagh.save_contact(action.payload, code)
    if not saved.code.strip().isdecimal():
        raise InDoubt(
            "finance", "save a contact", "unreadable",
            f"Siagh (finance) answered {saved.code!r} where the contact's code belongs.",
        )  # fmt: skip
    return _Reply(saved.code.strip(), saved.messages)


def _settle(engine: Engine, flight: _Flight, future: Future[_Reply]) -> None:
    intent_id, action = flight.flying.pop(future)
    flight.done += 1
    if future.cancelled():
        close_intent(engine.run, intent_id, "not_sent", "The system counted as down before its turn came.")
        return
    try:
        reply = future.result()
    except NotSent as error:
        close_intent(engine.run, intent_id, "not_sent", error.message)
        if error.reason != "interrupted":
            flight.halted = flight.halted or error
    except InDoubt as error:
        _settle_doubt(engine, flight, intent_id, action, error)
        flight.doubts_in_a_row += 1
        if flight.doubts_in_a_row >= DOUBTS_IN_A_ROW:
            flight.halted = flight.halted or error
    except CallError as error:  # a clear no
        close_intent(engine.run, intent_id, "rejected", error.detail or error.message)
        if isinstance(error, LoginRefused):
            flight.halted = flight.halted or error
            return
        flight.doubts_in_a_row = 0
        settle.failed(engine, action, "refused", _in_its_words(error))
    else:
        flight.doubts_in_a_row = 0
        if reply.preinvoice:
            from siaghsync.sync import settle_documents

            settle_documents.posted(engine, intent_id, action, reply.preinvoice)
        else:
            settle.confirmed(engine, intent_id, action, reply.key, reply.messages)


def _settle_doubt(engine: Engine, flight: _Flight, intent_id: int, action: Action, error: InDoubt) -> None:
    if action.entity == "invoice":
        from siaghsync.sync import settle_documents

        settle_documents.in_doubt(engine, intent_id, action, _in_its_words(error))
        return
    settle.in_doubt(engine, intent_id, action, error.message)
    if action.action == "create":
        flight.in_doubt.append(action)
    else:
        engine.tell_failure(action, "unknown_outcome", error.message)


def _in_its_words(error: CallError) -> str:
    return f"{error.message} {error.detail}".strip() if error.detail not in error.message else error.message
