"""Asks the CRM's `find` for pages and looks at each whether it is what was asked for (contract payamgostar §3.2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from siaghsync.connectors.payamgostar.client import Page, Payamgostar, Source, kind_of
from siaghsync.connectors.payamgostar.customers import modified_of, type_of
from siaghsync.connectors.payamgostar.dates import crm_date
from siaghsync.domain.site import is_no
from siaghsync.errors import CallError, InDoubt, Refused
from siaghsync.messages.message import Message, msg
from siaghsync.state import facts
from siaghsync.state.database import State

EVER = "1900-01-01T00:00:00.000"
"""Asked for where a query without a condition brings nothing."""
_TICK = timedelta(seconds=1)
"""A server whose dates have whole seconds compares by these."""
_SAMPLE = 200
_MANY = 5
"""So many different dates are in order by chance less than once in a hundred times."""


@dataclass(slots=True)
class Finder:
    """The pages of one run's lists. `known` is what earlier runs or probes have learned, `answers` what this run sees:
    question (domain.site) -> answer. A no stays a no for the whole run."""

    crm: Payamgostar
    to_date: Callable[[str | None], str | None]
    known: Mapping[str, Any]
    answers: dict[str, Any] = field(default_factory=dict)
    refusal: Refused | None = None
    """The answer to the condition by date, if that was refused."""

    def is_no(self, question: str) -> bool:
        """Whether it is known that the CRM's find does not do this."""
        return is_no(self.answers.get(question, self.known.get(question)))

    def is_yes(self, question: str) -> bool:
        """Whether it is known that the CRM's find does this."""
        return self.answers.get(question, self.known.get(question)) is True

    def page(
        self, source: Source, *, since: str | None, page: int, size: int, descending: bool = False, steady: bool = False
    ) -> Page:
        """One page as `Payamgostar.find` gives it. Where queries without a condition are refused or are known to bring
        nothing, or where no list of customers can tell, a date in the far past is the condition."""
        if self.answers.get("find_filters_by_date") == "hides":
            since = None
        if since is None and is_no(self.answers.get("find_empty_queries")):
            since = EVER
        found, asked = self._find(source, since, page=page, size=size, descending=descending, steady=steady)
        doubtful = self.is_no("find_empty_queries") or self.is_no("find_customers")
        if asked is None and not found.records and doubtful:
            again, asked = self._find(source, EVER, page=page, size=size, descending=descending, steady=steady)
            # A record may have come in between: only asked once more is nothing a sign.
            if again.records and not self._find(source, None, size=1)[0].records:
                self.answers["find_empty_queries"] = "none"
            found = again
        if self.refusal and (since or doubtful) and page == 1 and not found.records:
            raise self.refusal  # nothing is shown without the condition: nobody knows whether there is anything
        if asked is None and found.records:
            self.answers.setdefault("find_empty_queries", "all")
        self.answers.setdefault(_about(source), True)
        self._look_at(source, found, asked, descending=descending, steady=steady)
        return found

    def _find(self, source: Source, since: str | None, **named: Any) -> tuple[Page, str | None]:
        """A page, and the date that was the condition in the end. What find refuses with status 400, the condition or the order,
        is not asked for again in this run. Raises CallError."""
        page, way, refusal = first_taken(self.crm, source, self._ways(since), **named)
        asked: str | None = way["since"]
        if not way["ordered"]:
            self.answers["find_orders"] = "refused"
        if asked != since and since is None:
            self.answers["find_empty_queries"] = "refused"
        elif asked != since:
            self.answers["find_filters_by_date"] = "refused"
            self.refusal = self.refusal or refusal
        return page, asked

    def _ways(self, since: str | None) -> list[dict[str, Any]]:
        """How a page can be asked for, the wanted way first."""
        conditions = [since, EVER if since is None else None]
        if self.answers.get("find_filters_by_date") == "refused":
            conditions = [None]
        elif since is None and self.answers.get("find_empty_queries") == "refused":
            conditions = [EVER]
        found = ways(*({"since": condition} for condition in conditions))
        return [way for way in found if not way["ordered"] or self.answers.get("find_orders") != "refused"]

    def _look_at(self, source: Source, page: Page, since: str | None, *, descending: bool, steady: bool) -> None:
        dates = [date for record in page.records if (date := self.to_date(modified_of(record)))]
        if since is not None and since != EVER:
            if dates and min(dates) < (datetime.fromisoformat(since) - _TICK).isoformat():
                self._does_not("find_filters_by_date")
            elif page.total is not None and len(page.records) >= page.total:
                self.answers.setdefault("find_filters_by_date", True)
        if not steady and dates != sorted(dates, reverse=descending):
            self._does_not("find_orders")
        elif not steady and not descending and len(set(dates)) > _MANY:  # newest first is what many give unasked
            self.answers.setdefault("find_orders", self._still_orders(source, since, len(page.records)))
        if not all(self.of_type(source, record) for record in page.records):
            self._does_not("find_filters_by_type")
        elif page.records and since in (None, EVER) and self.crm.type_of_source(source):
            self.answers.setdefault("find_filters_by_type", True)

    def _still_orders(self, source: Source, since: str | None, size: int) -> bool:
        """Whether a list that came oldest first comes newest first as well, if it is known that it did not."""
        if not is_no(self.known.get("find_orders")):
            return True
        page, _ = self._find(source, since, size=size, descending=True)
        dates = [date for record in page.records if (date := self.to_date(modified_of(record)))]
        return len(set(dates)) > _MANY and dates == sorted(dates, reverse=True)

    def _does_not(self, question: str) -> None:
        if not is_no(self.answers.get(question)):  # a refusal says more
            self.answers[question] = False

    def repeats(self, number: int, ids: set[str], last: set[str]) -> bool:
        """Whether a page is the `last` one once more. One that only holds what was there before can come of edits."""
        if number == 1 or not ids:
            return False
        if last == ids:
            self.answers["find_pages"] = False
            return True
        self.answers.setdefault("find_pages", True)
        return False

    def of_type(self, source: Source, record: Mapping[str, Any]) -> bool:
        """Whether a record belongs to a source: find may take no notice of the subtype."""
        wanted, found = self.crm.type_of_source(source), type_of(record)
        return wanted is None or not found or found.lower() == wanted.lower()

    def hides(self, sources: Collection[Source]) -> Literal["queries", "lists"] | None:
        """Where customers may be though queries without a condition have shown none in any source: in queries with one, or only
        behind their ids."""
        if is_no(self.answers.get("find_empty_queries")):
            return None
        try:
            shows_any = bool(self.crm.search(0))
        except CallError as error:
            if not is_absent(error):
                raise
            shows_any = None  # nobody knows
        if shows_any is not False and any(map(self.shows_any, sources)):
            self.answers["find_empty_queries"] = "none"
            return "queries"
        return "lists" if shows_any else None

    def hidden_without_condition(self, sources: Iterable[Source]) -> list[Source]:
        """Those of these lists, which were empty, that show something if a date in the far past is the condition."""
        if is_no(self.answers.get("find_empty_queries")):
            return []
        found = [source for source in sources if self.shows_any(source)]
        if found:
            self.answers["find_empty_queries"] = "none"
        return found

    def newest_of(self, source: Source) -> list[dict[str, Any]]:
        """The newest record of a list, or one that the CRM shows first."""
        return any_page(self.crm, source, size=1, descending=True).records

    def newest_date(self, source: Source) -> str | None:
        """The newest ModifyDate of a list, "" if it is empty, or None if nobody can tell."""
        try:
            page, _ = self._find(source, EVER, size=_SAMPLE, descending=True)
        except (InDoubt, Refused):
            return None
        if not (self.is_yes("find_orders") or len(page.records) == page.total):
            return None
        return max((self.to_date(modified_of(record)) or "" for record in page.records), default="")

    def shows_any(self, source: Source) -> bool:
        """Whether a list holds anything at all, whatever its date."""
        return bool(self._find(source, EVER, size=1)[0].records)

    def learn_without_type(self, sources: Collection[Source]) -> None:
        """Learns from the customers, who are surely there, whether find brings anything without a subtype."""
        kinds = dict.fromkeys(map(kind_of, sources))
        try:
            if any(self._find(kind, EVER, size=1, every_type=True)[0].records for kind in kinds):
                self.answers["find_without_type"] = True
            elif any(map(self.shows_any, sources)):
                self.answers["find_without_type"] = False
        except CallError as error:
            if not is_absent(error):
                raise

    def learn(self, state: State, at: str, count: int) -> None:
        """Keeps what this run has learned out of `count` records. Belongs inside `State.atomic`."""
        seen = msg("facts.records", count=count)
        for question, answer in self.answers.items():
            if is_no(answer) or self.known.get(question) != answer:
                facts.learn(state, facts.Fact(question, answer, "probe", seen, at))

    def absent(self, source: Source, error: CallError) -> bool:
        """Whether an error says that this CRM has no find for a source."""
        no_find = is_absent(error) or error is self.refusal
        if no_find:
            self.answers[_about(source)] = False
        return no_find


def ways(*conditions: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The options of `Payamgostar.find` for each condition, first with an order, then without one."""
    return [{**condition, "ordered": ordered} for ordered in (True, False) for condition in conditions]


def first_taken(
    crm: Payamgostar, source: Source, tried: Iterable[Mapping[str, Any]], **named: Any
) -> tuple[Page, Mapping[str, Any], Refused | None]:
    """A page, asked for in the first of these ways that find does not refuse with status 400; that way; what it said to the first
    one, if that was refused. Raises CallError, the first refusal if all are refused."""
    refusal: Refused | None = None
    for way in tried:
        try:
            return crm.find(source, **way, **named), way, refusal
        except Refused as error:
            if error.reason != "status_400":
                raise
            refusal = refusal or error
    assert refusal
    raise refusal


def any_page(crm: Payamgostar, source: Source, **named: Any) -> Page:
    """A page of all there is, in whichever way this CRM lets ask for it. Raises CallError."""
    page, _, _ = first_taken(crm, source, ways({"since": EVER}, {"since": None}), **named)
    if page.records:
        return page
    return first_taken(crm, source, ways({"since": None}, {"since": EVER}), **named)[
        0
    ]  # a condition may mean something else


def is_hidden(crm: Payamgostar, source: Source, crm_id: str, since: str) -> bool:
    """Whether the CRM has a record of this source with a date from `since` on, which a list of those did not show. One that can't
    be read says nothing."""
    try:
        record = crm.get(kind_of(source), crm_id)
    except (InDoubt, Refused):
        return False
    wanted, found = crm.type_of_source(source), type_of(record) if record else None
    is_own = record is not None and (wanted is None or not found or found.lower() == wanted.lower())
    return is_own and (crm_date(modified_of(record or {})) or "") >= since


def is_absent(error: CallError) -> bool:
    """Whether an error says that there is no such address: 404, or an answer without a body."""
    problem = error.message.params.get("problem")
    empty = isinstance(problem, Message) and problem.params.get("came") == "no_body"
    return empty or (error.reason == "status_404" and isinstance(error, Refused))


def _about(source: Source) -> str:
    return "find_documents" if kind_of(source) in ("quote", "invoice") else "find_customers"
