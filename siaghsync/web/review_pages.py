"""The pages about what waits for a person: the list, one item with both sides, and the decision in two steps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast, get_args
from urllib.parse import urlencode

from starlette.responses import Response

from siaghsync.state import reviews
from siaghsync.state.audit_log import of_record
from siaghsync.state.database import Row
from siaghsync.state.mappings import Mappings
from siaghsync.sync.decisions import Decision, WayOut
from siaghsync.web import sides
from siaghsync.web.site import Visit

_WITH_VALUE = ("link", "posted")


@dataclass(frozen=True, slots=True)
class Item:
    """One review and its details."""

    row: Row
    details: dict[str, Any]

    @property
    def name(self) -> str:
        """What its record is called."""
        return sides.name_of(self.details)

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways out of it."""
        return reviews.ways_out(self.row["entity"], self.row["reason"])


def review_list(visit: Visit) -> Response:
    """Everything that waits for a decision."""
    with visit.desk.state() as state:
        rows = state.rows("SELECT * FROM reviews WHERE resolution IS NULL ORDER BY id LIMIT 500")
    return visit.show("reviews.html", items=[Item(row, json.loads(row["details"])) for row in rows])


def review(visit: Visit) -> Response:
    """One item: what happened, both sides, and the ways out."""
    with visit.desk.state() as state:
        row = state.row("SELECT * FROM reviews WHERE id = ?", (int(visit.request.path_params["review_id"]),))
        if row is None:
            return visit.message("error_404", 404)
        history = of_record(state, row["entity"], row["crm_id"], row["finance_code"])[::-1]
        details = _with_numbers(Mappings(state), json.loads(row["details"]))
    item, lang = Item(row, details), visit.language
    others = [*(details.get("other_crm_ids") or ()), *(details.get("other_finance_codes") or ())]
    return visit.show(
        "review.html",
        item=item,
        row=row,
        both=sides.both_sides(item.details, lang),
        changed=sides.differences(item.details, lang),
        document=sides.document(item.details, lang),
        document_rows=sides.document_rows(item.details, lang),
        faults=item.details.get("faults") or [],
        others=others,
        value_missing=bool(visit.asked("missing")),
        lines=history,
    )


def _with_numbers(mappings: Mappings, details: dict[str, Any]) -> dict[str, Any]:
    """The details with customer numbers where they name other CRM records: a person knows those."""

    def number(crm_id: Any) -> Any:
        known = mappings.of_crm(crm_id) if isinstance(crm_id, str) else None
        return known.customer_number if known and known.customer_number else crm_id

    candidates = [{**c, "taken_by": number(c.get("taken_by"))} for c in details.get("candidates") or ()]
    others = [f"{number(crm_id)} · {crm_id}" for crm_id in details.get("other_crm_ids") or ()]
    return {**details, "candidates": candidates, "other_crm_ids": others}


def confirm(visit: Visit) -> Response:
    """The question before a decision is carried out. Changes nothing."""
    way, value = visit.asked("way"), visit.asked("value")[:100]
    if refusal := _with_item(visit, way, value):
        return refusal
    row = _row(visit)
    assert row is not None
    item = Item(row, json.loads(row["details"]))
    linked = sides.name_linked(item.details, value) if way == "link" else ""
    return visit.show(
        "confirm.html", item=item, row=row, way=way, value=value, linked=linked, needs_value=way in _WITH_VALUE
    )


def decide(visit: Visit) -> Response:
    """Carries a decision out, in the name of who is logged in."""
    way, value = visit.form.get("way", ""), visit.form.get("value", "").strip()[:100]
    if refusal := _with_item(visit, way, value):
        return refusal
    assert visit.session is not None
    review_id = int(visit.request.path_params["review_id"])
    visit.desk.decide(review_id, Decision(cast(WayOut, way), value), visit.session.user)
    return visit.go("/reviews", visit.language.text("decided"))


def _row(visit: Visit) -> Row | None:
    with visit.desk.state() as state:
        return state.row("SELECT * FROM reviews WHERE id = ?", (int(visit.request.path_params["review_id"]),))


def _with_item(visit: Visit, way: str, value: str) -> Response | None:
    """What is wrong with a decision, as a page; None if it can be asked for or carried out."""
    row = _row(visit)
    if row is None:
        return visit.message("error_404", 404)
    if way not in get_args(WayOut):
        return visit.message("error_400", 400)
    if row["resolution"] is not None:
        return visit.go(f"/reviews/{row['id']}")
    if way in _WITH_VALUE and not value:
        return visit.go(f"/reviews/{row['id']}?{urlencode({'missing': way})}")
    return None
