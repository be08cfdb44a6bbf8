"""Causes and cures, without any system: every failure has something to tell, and what looks wrong is warned of."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from siaghsync.domain.customer import Kind
from siaghsync.domain.numbering import NumberScheme
from siaghsync.errors import CallError, InDoubt, LoginLocked, LoginRefused, NotSent, Refused, StateError, System
from siaghsync.features.check_apis.diagnose import Setup, explain
from siaghsync.features.check_apis.render import as_json
from siaghsync.features.check_apis.rules import ApiReport, Expected, Findings, config_warnings, unchecked
from siaghsync.messages import catalog
from siaghsync.messages.message import msg

CRM = Setup("crm", is_https=True)
PLAIN = Setup("crm")
TYPES: dict[Kind, list[str]] = {"person": ["person"], "organization": ["organization"]}
EXPECTED = Expected(NumberScheme(), TYPES, "", "", "1404/09/30", 30)


def told(error: CallError, setup: Setup = CRM) -> dict[str, Any]:
    return explain(error, setup).as_json()


def code(error: CallError, setup: Setup = CRM) -> str:
    return explain(error, setup).diagnosis.message.code


@pytest.mark.parametrize(
    ("verify_code", "cause"),
    [
        (18, "self-signed"), (19, "self-signed"), (20, "not installed"), (21, "not installed"), (2, "not installed"),
        (62, "another host name"), (64, "another host name"), (10, "has expired"), (9, "not valid yet"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_certificate_is_said(verify_code: int, cause: str) -> None:
    (found,) = told(NotSent("crm", "log_in", "tls", note="", verify_code=verify_code))["causes"]
    assert cause in found


def test_tls_that_failed_for_another_reason_has_the_causes_of_the_call() -> None:
    assert code(NotSent("crm", "log_in", "tls", note="")) == "call.tls"
    assert code(NotSent("crm", "log_in", "tls", note="", verify_code=99)) == "call.tls"


def error(system: System, reason: str) -> CallError:
    status = reason.removeprefix("status_")
    if reason in ("unresolved", "refused_connection", "connect_timeout", "tls", "unsendable"):
        return NotSent(system, "log_in", reason, note="")
    return InDoubt(system, "log_in", reason, status=int(status) if status.isdigit() else None)


@pytest.mark.parametrize(
    "reason",
    [
        "unresolved", "refused_connection", "connect_timeout", "tls", "timeout", "reset", "cut", "redirect", "status_402",
        "status_403", "status_404", "status_405", "status_407", "status_502", "status_503", "status_504",
    ],
)  # fmt: skip
@pytest.mark.parametrize("system", ["crm", "finance"])
@pytest.mark.parametrize("is_https", [False, True])
def test_each_failure_at_the_login_has_causes_and_a_cure(system: System, reason: str, is_https: bool) -> None:
    failure = explain(error(system, reason), Setup(system, is_https=is_https))
    assert failure.as_json()["causes"]
    assert failure.as_json()["hint"]
    about = failure.diagnosis
    in_persian = [*catalog.causes(about.message, "fa", about.holds), catalog.cure(about.message, "fa")]
    assert all(re.search("[\u0600-\u06ff]", text) for text in in_persian)


def test_a_page_is_told_from_data_by_a_flag_and_not_by_words() -> None:
    words = "an HTML page"
    assert code(Refused("crm", "log_in", "status_403", status=403, detail=words)) == "call.status_403"
    assert code(Refused("crm", "log_in", "status_403", status=403, detail="x", is_page=True)) == "check.page"
    for problem in (msg("shape.whole", expected="json", came="html"), msg("answer.no_list", found="html")):
        assert code(InDoubt("crm", "list_persons", "unreadable", problem=problem)) == "check.page"
    object_came = msg("answer.no_list", found="object")
    assert code(InDoubt("crm", "list_persons", "unreadable", problem=object_came)) == "call.unreadable"


def test_a_login_page_in_front_is_told_from_a_wrong_password() -> None:
    asks = LoginRefused("crm", "log_in", "status_401", code="login.crm_401", is_page=True)
    assert any("login of its own" in cause for cause in told(asks)["causes"])
    wrong = LoginRefused("crm", "log_in", "status_401", code="login.crm_401")
    assert code(wrong) == "check.login_crm"


def test_plain_http_at_a_port_for_https_is_seen() -> None:
    page = LoginRefused("crm", "log_in", "status_400", code="login.crm_400", is_page=True)
    for failed in (page, InDoubt("crm", "log_in", "reset"), InDoubt("crm", "log_in", "cut")):
        found = told(failed, PLAIN)
        assert "speaks https at this port" in found["causes"][0]
        assert found["hint"] == "Try https:// in CRM_API_BASE_URL."
        assert code(failed, CRM) != "check.scheme"
    assert code(InDoubt("crm", "list_persons", "reset"), PLAIN) == "call.reset"


def test_only_a_path_of_ours_is_shown() -> None:
    failed = Refused("crm", "log_in", "status_404", status=404)
    ours = told(failed, Setup("crm", path="/api/v2"))
    assert ours["causes"] == ["CRM_API_BASE_URL ends in /api/v2, which siaghsync adds itself."]
    other = told(failed, Setup("crm", path="/s3cret"))
    assert "s3cret" not in json.dumps(other)
    assert "has a path after the host" in other["causes"][0]
    assert "CRM_API_BASE_URL and FINANCE_API_BASE_URL are swapped" in other["causes"][2]
    assert len(told(failed, Setup("crm"))["causes"]) == 3


def test_a_finance_login_that_was_refused_has_the_suspicious_causes_first() -> None:
    failed = LoginRefused("finance", "log_in", "rejected", code="login.finance", detail="user is locked")
    assert "is wrong" in told(failed, Setup("finance"))["causes"][0]
    odd = Setup("finance", user_has_arabic_letters=True, is_hash_of_nothing=True)
    first, second, *_ = told(failed, odd)["causes"]
    assert "hash of an empty password" in first
    assert "Arabic" in second


def test_a_right_that_is_missing_is_named() -> None:
    quotes = told(Refused("crm", "list_quotes", "status_403", status=403))
    assert quotes["causes"][0] == "The user may not list quotes."
    assert "SYNC_QUOTES=false" in quotes["hint"]
    contacts = told(Refused("finance", "list_contacts", "status_403", status=403), Setup("finance"))
    assert contacts["causes"][0] == "The user may not list all contacts."
    assert "=false" not in contacts["hint"]


def test_a_subtype_that_is_refused_is_named_with_its_setting() -> None:
    failed = Refused("crm", "list_organizations", "status_400", status=400)
    found = told(failed, Setup("crm", types=("person", "firm")))
    assert "'firm'" in found["causes"][0]
    assert "CRM_ORGANIZATION_TYPE" in found["hint"]


def test_what_the_system_said_is_told_once() -> None:
    refused = told(Refused("crm", "list_persons", "status_403", status=403, detail="keep out"))
    assert "keep out" in refused["message"]
    assert refused["said"] == ""
    said = LoginRefused("finance", "log_in", "status_401", code="login.finance", detail="user is locked")
    assert told(said, Setup("finance"))["said"] == "user is locked"


def test_a_lock_keeps_the_cure_of_its_own() -> None:
    found = told(LoginLocked("crm", "log_in", "status_403", code="login.crm_403"))
    assert "30 minutes" in found["hint"]
    assert found["kind"] == "login_locked"


def test_a_failure_that_is_no_call_keeps_its_own_cure() -> None:
    failure = explain(StateError("file.not_readable", path="x", problem="gone"), CRM).as_json()
    assert (failure["causes"], failure["hint"]) == ([], "Check the name of the file, and that you may read it.")


def test_the_document_names_the_first_failure_and_has_each_systems_facts() -> None:
    crm, finance = Findings("crm", {"persons": 2}), Findings("finance", {"contacts": 1})
    whole = as_json(ApiReport(crm, finance, [], unchecked({}, EXPECTED)))
    assert (whole["crm"], whole["finance"]) == ({"ok": True, "failures": [], "persons": 2}, whole["finance"])
    assert "error" not in whole
    finance.failures.append(explain(NotSent("finance", "log_in", "unresolved", note=""), Setup("finance")))
    failed = as_json(ApiReport(crm, finance, [], []))
    assert failed["error"] == failed["finance"]["error"]
    assert set(failed["error"]) == {"kind", "message", "hint"}
    assert set(failed["finance"]["failures"][0]) == {"kind", "message", "said", "causes", "hint"}
    assert failed["finance"]["contacts"] == 1


# --- warnings ----------------------------------------------------------------------------------------------


def hint(numbers: list[str], scheme: NumberScheme) -> str:
    expected = Expected(scheme, TYPES, "", "", "1404/09/30", 30)
    (found,) = config_warnings({"numbers": numbers}, {}, expected)
    return str(found.as_json()["hint"])


def test_settings_that_would_fit_are_guessed_only_if_plain_to_see() -> None:
    assert "CUSTOMER_NUMBER_PREFIX" in hint(["100-1", "100-22", "100-3"], NumberScheme())
    assert "leave CUSTOMER_NUMBER_PREFIX empty" in hint(["1", "22", "3"], NumberScheme("100-"))
    assert "CUSTOMER_NUMBER_WIDTH to 6" in hint(["000001", "000022", "000003"], NumberScheme())
    for mixed in (["100-1", "100-2"], ["100-1", "200-2", "300-3"], ["a", "b", "c"]):
        assert "another company" in hint(mixed, NumberScheme("7-"))
    assert "another company" in hint(["000001", "0002", "03"], NumberScheme())


def test_nothing_is_suspected_where_nothing_is_known() -> None:
    assert config_warnings({}, {}, EXPECTED) == []
    assert len(unchecked({}, EXPECTED)) == 1


@pytest.mark.parametrize(("seconds", "is_slow"), [(14, False), (16, True)])
def test_a_list_that_takes_half_of_the_time_limit_is_slow(seconds: int, is_slow: bool) -> None:
    found = config_warnings({}, {"list_ms": seconds * 1000.0}, EXPECTED)
    assert [each.reason for each in found] == (["slow_list"] if is_slow else [])


@pytest.mark.parametrize(
    ("right", "wrong", "is_swapped"),
    [((9, 0), (0, 0), False), ((1, 1), (2, 1), True), ((1, 1), (1, 1), False), ((0, 0), (1, 1), False)],
)
def test_kinds_are_suspected_by_majority(right: tuple[int, int], wrong: tuple[int, int], is_swapped: bool) -> None:
    facts = {
        "persons_with_10_digits": right[0], "organizations_with_11_digits": right[1],
        "persons_with_11_digits": wrong[0], "organizations_with_10_digits": wrong[1],
    }  # fmt: skip
    assert [each.reason for each in config_warnings({}, facts, EXPECTED)] == (["kinds_swapped"] if is_swapped else [])


def test_each_warning_can_be_told_in_both_languages() -> None:
    crm = {
        "persons": 0, "organizations": 0, "clock_seconds": -7200, "numbers": ["x"],
        "persons_of_other_types": {"total": 5, "types": ["haghighi"]}, "organizations_of_other_types": {"total": 1, "types": []},
    }  # fmt: skip
    finance = {
        "contacts": 1, "admins": 1, "clock_seconds": 400, "fiscal_year": 1399, "system_date": "1390/01/01",
        "finds_by_code": False, "list_ms": 20_000.0, "persons_with_11_digits": 3, "organizations_with_10_digits": 0,
        "persons_with_10_digits": 0, "organizations_with_11_digits": 1,
    }  # fmt: skip
    found = config_warnings(crm, finance, EXPECTED)
    told_of = [(each.system, each.reason) for each in found]
    assert told_of == [
        ("crm", "clock"), ("finance", "clock"), ("crm", "unknown_type"), ("crm", "unknown_type"),
        ("finance", "nothing_to_read"), ("crm", "numbers_do_not_fit"), ("finance", "kinds_swapped"),
        ("finance", "fiscal_year"), ("finance", "date"), ("finance", "no_look_up"), ("finance", "slow_list"),
    ]  # fmt: skip
    data = [each.as_json() for each in found]
    assert all(each["message"] and each["hint"] for each in data)
    assert "2 hours behind this computer's" in data[0]["message"]
    assert "7 minutes ahead of this computer's" in data[1]["message"]
    assert "'haghighi'" in data[2]["hint"]
    assert data[3]["hint"] == "Write the right code into CRM_ORGANIZATION_TYPE."
    assert all(catalog.render(each.message, "fa") != catalog.render(each.message, "en") for each in found)


def test_a_session_without_a_fiscal_year_is_warned_of_under_the_same_reason() -> None:
    (found,) = config_warnings({}, {"fiscal_year": None}, EXPECTED)
    assert (found.reason, found.message.code) == ("fiscal_year", "warning.no_fiscal_year")
    assert config_warnings({}, {"fiscal_year": 1404}, EXPECTED) == []
