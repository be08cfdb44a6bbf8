"""Each thing that may be otherwise at another site: the same story with each position of the sandbox's switches.

An import, newcomers, edits, a quote and an invoice; in the end nothing is there twice, nothing is lost, and nothing is left to
do. Where find does several things otherwise at once, and records change meanwhile, test_finding looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.bench import Bench
from tests.engine.fake_customers import Folk
from tests.engine.fake_documents import Papers
from tests.engine.moments import World
from tests.engine.oracle import Ledger, judge
from tests.engine.scenarios import FULL, GRACE, IMPORT, SYNC, edit, newcomer
from tests.environment import SINCE

CRM: list[tuple[str, Any]] = [
    ("strict", True), ("pascal_case", True), ("unknown_address", "404"), ("date_header", True), ("date_header", False),
    ("date_precision", "seconds"), ("token_seconds", 0.2), ("identity_types", "organization 1, person 2"),
    ("search_number", "empty"), ("search_number", "null"), ("find_filters_by_number", False),
    ("page_cap", 2), ("unknown_id", "null"), ("unknown_id", "400"),
    ("unknown_id", "object"), ("unknown_id", "empty"), ("since_means", "utc"), ("since_means", "equals"), ("types_from", 0),
    ("null_lists", True), ("answer_key", "id"), ("refuse_double_number", True),
    ("refuse_doubles", {"nationalCode"}), ("refuse_doubles", {"phone", "email"}), ("automatic_numbers", True),
    ("unknown_codes", "accept"), ("update_keeps", False), ("details_in_find", "null"), ("details_in_find", "missing"),
    ("document_date", None), ("header_discount", "on top"), ("whole_rials", True), ("checks_national_codes", True),
    ("state_codes", {"pending": 9, "in force": 2, "rejected": 8, "approved": 7, "numbered": 6}), ("latency", 0.02),
    ("find_filters_by_date", False), ("find_orders", False), ("find_pages", False), ("find_empty_queries", "none"),
    ("find_empty_queries", "400"), ("find_filters_by_type", False), ("empty_type_key_means_all", False),
    ("missing", {"person/find", "organization/find"}), ("find_refuses", {"modifyDate", "orders", "customerNumber"}),
    ("names_quote", False), ("document_indexes", {"quote": 11, "invoice": 12}),
]  # fmt: skip
FINANCE: list[tuple[str, Any]] = [
    ("strict", True), ("camel_case", True), ("date_header", True), ("date_header", False), ("session_seconds", 0.2),
    ("filters", {"TelNo"}), ("unknown_filter", "refuse"), ("shows_tmpid", True), ("codes_as", "number"),
    ("toward_type_reversed", True), ("account_party", "code"), ("account_party", "other"),
    ("ignored_keys", {"gn_web_users.passno"}), ("ignored_keys", {"gn_web_users.tmpid", "tmpid"}),
    ("empty_key_empties", False), ("update_keeps", False),
    ("shortens", {"Address": 12, "Name": 30}), ("drops", {"Address": "،"}), ("unique_phones", ()), ("phones_compared", "across"),
    ("phone_spelling", "exact"), ("phone_spelling", "national"), ("refusals", "short"), ("warning", "توجه"),
    ("customer_key", "contact"), ("text_amounts", "refuse"), ("whole_quantities", True), ("dashed_suid", "refuse"),
    ("script_error_saves", True), ("refuses_other_year", False), ("reports_tax_in_net", True), ("latency", 0.02),
]  # fmt: skip
POSITIONS = [("crm", *each) for each in CRM] + [("finance", *each) for each in FINANCE]
LEFT_OUT = {"ignored_keys": "NationalCode", "shortens": "Address", "drops": "Address"}
"""Where Siagh does not store a value as it was sent: the field that may differ in the end."""
MAY_ASK = {"reports_tax_in_net": {"net_differs"}}
"""What a person may rightly be asked."""
EMPTY = World((), (), None, 0.0)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("positions")) as bench:
        bench.settings = {"UNKNOWN_GRACE_SECONDS": str(GRACE), "CONCURRENCY": "3", **SINCE}
        yield bench


@pytest.mark.parametrize(
    ("system", "name", "value"), POSITIONS, ids=lambda each: str(sorted(each) if isinstance(each, set) else each)
)
def test_the_story_ends_well_in_this_position(bench: Bench, system: str, name: str, value: Any) -> None:
    bench.restore(EMPTY)
    setattr(getattr(bench.sandbox, system), name, value)
    if name == "document_date":  # documents are of the day on which they are entered, then
        bench.sandbox.finance.fiscal_year = 0
    folk, papers = Folk(), Papers(bench)
    bench.sandbox.finance.add_contact(Name="مدیر", IsAdminUser=True)
    for _ in range(5):
        bench.sandbox.finance.add_contact(**folk.next().contact())
    ledger = Ledger.of(bench)
    assert bench.rest(*IMPORT, pause=GRACE + 1)[0].code == 0
    assert bench.rest(*SYNC, pause=GRACE + 1)[0].code == 0
    records = sorted(bench.sandbox.crm.records)
    assert len(records) == 5
    for way, crm_id in enumerate(records):
        edit(bench, folk, crm_id, way)
    ledger.cleared.add(records[2])
    ledger.records |= {newcomer(bench, folk), newcomer(bench, folk, "whole")}
    papers.quote(records[0], 5)
    papers.invoice(records[1], 7)
    assert bench.rest(*SYNC, pause=GRACE + 1)[0].is_quiet
    verdict = judge(bench, ledger, may_ask=MAY_ASK.get(name, ()))
    verdict.lost = [text for text in verdict.lost if f": {LEFT_OUT.get(name)} is " not in text]
    assert verdict.good, str(verdict)
    assert papers.twice() == papers.wrong() == []
    assert len(bench.sandbox.finance.preinvoices) == 2
    assert bench.rest(*FULL, pause=GRACE + 1)[0].is_quiet
    last = bench.run(*FULL)
    assert not [event for event in last.events if event.stage == "committed"], last
