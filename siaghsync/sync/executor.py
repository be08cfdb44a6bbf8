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
from siaghsync.domain.action import AGAIN, Action
from siaghsync.domain.customer import Contact, customer_kind
from siaghsync.domain.reasons import IntentState, Operation, Reason
from siaghsync.errors import CallError, InDoubt, LockHeld, LoginRefused, NotSent, Paused, PhoneTaken
from siaghsync.messages.message import Message, msg, verbatim
from siaghsync.planning.phones import Refusal
from siaghsync.state.outbox import close_intent, open_intent, unsettled_of
from siaghsync.sync.contacts import read_contact
from siaghsync.sync.context import RunContext
from siaghsync.sync.document_outcomes import DocumentOutcomes
from siaghsync.sync.outcomes import OutcomeRecorder, as_write

MOST_WAITING = 8
"""At most so many times as many intents as threads are on disk: those that still wait for a thread when the process is
killed are in doubt as well, and have to be looked up."""
SECONDS_FOR_OTHERS = 0.05
"""How long an outcome waits for the next one to share its commit."""
DOUBTS_IN_A_ROW = 20
"""So many requests in a row without a clear answer, and the system counts as down."""


@dataclass(frozen=True, slots=True)
class _Reply:
    key: str
    words: tuple[str, ...] = ()
    read_back: Contact | None = None
    preinvoice: SavedPreinvoice | None = None


@dataclass(slots=True)
class Unsettled:
    """What became of some actions is not told yet: creates whose outcome is unknown, since a look-up may follow, and writes
    that were refused for a phone number that another contact has."""

    in_doubt: list[Action] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    """The requests that are under way, and whether anything more may start."""

    width: int
    doubts_in_a_row: int = 0
    halted: CallError | LockHeld | Paused | None = None
    sent: dict[Future[_Reply], tuple[int, Action]] = field(default_factory=dict)
    answered: SimpleQueue[Future[_Reply]] = field(default_factory=SimpleQueue)
    """Those of `sent` that have an outcome which is not recorded yet."""
    unsettled: Unsettled = field(default_factory=Unsettled)
    done: int = 0


@dataclass(frozen=True, slots=True)
class Executor:
    """Sends creates and updates of one run and records each outcome."""

    context: RunContext
    outcomes: OutcomeRecorder
    documents: DocumentOutcomes

    def carry_out(
        self, actions: Iterable[Action], total: int, label: str, *, done: int = 0, careful: bool = False
    ) -> Unsettled:
        """Sends the actions, at most CONCURRENCY at a time. `label`, `total` and `done` are for the progress that is shown.

        With `careful` no intent is on disk before a thread is free for it. Raises the CallError that shows that the system
        can't be reached, LockHeld if the lock is lost, or Paused, after everything under way has been recorded.
        """
        # Twice the threads, so that none idles while outcomes are committed; but a document that waits for a thread when
        # the process is killed would be in doubt, and work for a person.
        limit = self.context.limits.concurrency
        batch = _Batch(limit * (1 if careful else 2), done=done)
        source = iter(actions)
        finished: list[Future[_Reply]] = []
        with ThreadPoolExecutor(limit) as pool:
            while True:
                # Pulled outside the transaction, because the source may read. Those that are finished make room.
                ready = list(self._ready(batch, source, len(finished)))
                with self.context.state.atomic():
                    for future in finished:
                        self._record(batch, future)
                    opened = self._open_all(batch, ready)
                if batch.halted:
                    for future in batch.sent:
                        future.cancel()  # what has no thread yet; it is answered as cancelled
                # From here on every intent is on disk. A kill before, within or after the requests below finds it open at
                # the next start, and nobody repeats it before a look-up.
                for intent_id, action in opened:
                    future = pool.submit(self._send, action)
                    batch.sent[future] = (intent_id, action)
                    future.add_done_callback(batch.answered.put)
                self.context.progress(label, batch.done, total)
                if not batch.sent:
                    break
                finished = _answered(batch, 1 if careful else limit)
                if len(finished) >= limit and not careful:
                    # Answers come quicker than commits: more in one commit, so that no thread waits for the disk.
                    batch.width = min(batch.width * 2, limit * MOST_WAITING)
        if batch.halted:
            raise batch.halted
        return batch.unsettled

    def _ready(self, batch: _Batch, source: Iterator[Action], finished: int) -> Iterator[Action]:
        """The next actions to send; none once the system counts as down or a signal came."""
        idle = 0 if batch.halted or self.context.cancel.is_set() else batch.width - len(batch.sent) + finished
        return islice(source, max(idle, 0))

    def _open_all(self, batch: _Batch, ready: list[Action]) -> list[tuple[int, Action]]:
        """The actions with their intents; nothing once the batch is halted, the lock is lost or a pause has begun."""
        if batch.halted:
            return []
        try:
            self.context.stop_if_paused()
            return [(self._open(action), action) for action in ready]
        except (LockHeld, Paused) as error:  # at the first one
            batch.halted = error
            return []

    def _open(self, action: Action) -> int:
        write = as_write(action)
        for intent in unsettled_of(self.context.state, write):
            # No create can be here: it was in doubt, and the look that led to this action showed that it is not there.
            self.outcomes.expired(intent, msg("sync.not_arrived"))
        return open_intent(self.context.run, write)

    def _send(self, action: Action) -> _Reply:
        if action.operation is Operation.DELETE:
            self.context.crm.delete(customer_kind(action.kind), action.crm_id or "")
            return _Reply(action.crm_id or "")
        if action.target == "crm":
            return _Reply(self.context.crm.create(customer_kind(action.kind), action.payload))
        if action.entity == "invoice":
            preinvoice = self.context.finance.save_preinvoice(action.payload)
            return _Reply(preinvoice.key, preinvoice.messages, preinvoice=preinvoice)
        code = None if action.operation is Operation.CREATE else action.finance_code
        saved = self.context.finance.save_contact(action.payload, code)
        shown = read_contact(self.context.finance, code) if code and action.details.get(AGAIN) else None
        # Where it can't be read, the next whole look sends the values once more and reads again.
        return _Reply(saved.code, saved.messages, shown if isinstance(shown, Contact) else None)

    def _record(self, batch: _Batch, future: Future[_Reply]) -> None:
        intent_id, action = batch.sent.pop(future)
        batch.done += 1
        run = self.context.run
        if future.cancelled():
            close_intent(run, intent_id, IntentState.NOT_SENT, msg("sync.system_down"))
            return
        try:
            reply = future.result()
        except NotSent as error:
            close_intent(run, intent_id, IntentState.NOT_SENT, error.message)
            if error.reason != "interrupted":
                batch.halted = batch.halted or error
        except InDoubt as error:
            self._record_doubt(batch, intent_id, action, error)
            batch.doubts_in_a_row += 1
            if batch.doubts_in_a_row >= DOUBTS_IN_A_ROW:
                batch.halted = batch.halted or error
        except CallError as error:  # a clear no
            close_intent(run, intent_id, IntentState.REJECTED, _own_words(error))
            if isinstance(error, LoginRefused):
                batch.halted = batch.halted or error
                return
            batch.doubts_in_a_row = 0
            if isinstance(error, PhoneTaken):
                batch.unsettled.refused.append(Refusal(action, error.fields))
            else:
                self.outcomes.failed(action, Reason.REFUSED, error.message)
        else:
            batch.doubts_in_a_row = 0
            if reply.preinvoice:
                self.documents.posted(intent_id, action, reply.preinvoice)
            else:
                self.outcomes.confirmed(intent_id, action, reply.key, reply.words, reply.read_back)

    def _record_doubt(self, batch: _Batch, intent_id: int, action: Action, error: InDoubt) -> None:
        if action.entity == "invoice":
            self.documents.unknown(intent_id, action, error.message, script_error=error.reason == "script_error")
            return
        self.outcomes.unknown(intent_id, action, error.message)
        if action.operation is Operation.CREATE:
            batch.unsettled.in_doubt.append(action)
        else:
            self.outcomes.report.tell_failure(as_write(action), Reason.UNKNOWN_OUTCOME, error.message)


def _answered(batch: _Batch, wanted: int) -> list[Future[_Reply]]:
    """One outcome at least, and all that have come meanwhile or come right after it: up to `wanted` are waited for.

    They share one commit, and each still shares it with its own mapping, checksum, audit row and intent. The threads
    have enough to do meanwhile.
    """
    finished = [batch.answered.get()]
    with suppress(Empty):
        while len(finished) < min(wanted, len(batch.sent)):
            finished.append(batch.answered.get(timeout=SECONDS_FOR_OTHERS))
    return [*finished, *(batch.answered.get() for _ in range(batch.answered.qsize()))]


def _own_words(error: CallError) -> Message:
    """What the system said, else what we say of it."""
    return verbatim(error.detail) if error.detail else error.message
