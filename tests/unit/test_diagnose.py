"""Causes and cures, without any system: certificates, and that every failure has something to say."""

from __future__ import annotations

import pytest

from siaghsync.domain.numbering import NumberScheme
from siaghsync.errors import LoginRefused, StateError
from siaghsync.features.check_apis.diagnose import Setup, told
from siaghsync.features.check_apis.warnings import Expected, misgivings, unchecked
from siaghsync.wire.outcomes import in_doubt, not_sent, refused

CRM = Setup("crm", is_https=True)
EXPECTED = Expected(NumberScheme(), "person", "organization", "", "1404/09/30", 30)


@pytest.mark.parametrize(
    ("note", "cause"),
    [
        ("self-signed certificate", "self-signed"),
        ("unable to get local issuer certificate", "not installed"),
        ("Hostname mismatch, certificate is not valid for 'a'", "another host name"),
        ("IP address mismatch, certificate is not valid for '10.0.0.1'", "another host name"),
        ("certificate has expired", "has expired"),
        ("certificate is not yet valid", "not valid yet"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said(note: str, cause: str) -> None:
    found = told(not_sent("crm", "log in", "tls", note), CRM)
    assert [c for c in found["causes"] if cause in c] == found["causes"]


@pytest.mark.parametrize(
    "reason",
    [
        "unresolved", "refused_connection", "connect_timeout", "tls", "timeout", "reset", "cut", "redirect", "status_402",
        "status_403", "status_404", "status_405", "status_407", "status_502", "status_503", "status_504",
    ],
)  # fmt: skip
@pytest.mark.parametrize("system", ["crm", "finance"])
def test_each_trouble_at_the_door_has_causes_and_a_cure(system: str, reason: str) -> None:
    error = in_doubt("crm" if system == "crm" else "finance", "log in", reason)
    found = told(error, Setup("crm" if system == "crm" else "finance"))
    assert found["causes"]
    assert found["hint"] or reason in ("status_402", "status_403")


def test_what_the_system_said_is_told_once() -> None:
    assert told(refused("crm", "list persons", "status_403", "keep out"), CRM)["said"] == ""
    said = LoginRefused("finance", "log in", "status_401", "no", detail="user is locked")
    assert told(said, Setup("finance"))["said"] == "user is locked"


def test_a_failure_that_is_no_call_keeps_its_own_cure() -> None:
    found = told(StateError("broken", "mend it"), CRM)
    assert (found["causes"], found["hint"]) == ([], "mend it")


# --- misgivings --------------------------------------------------------------------------------------------


def hint(numbers: list[str], scheme: NumberScheme) -> str:
    expected = Expected(scheme, "person", "organization", "", "1404/09/30", 30)
    (found,) = misgivings({"numbers": numbers}, {}, expected)
    return found["hint"]


def test_settings_that_would_fit_are_guessed_only_if_plain_to_see() -> None:
    assert "CUSTOMER_NUMBER_PREFIX" in hint(["100-1", "100-22", "100-3"], NumberScheme())
    assert "leave CUSTOMER_NUMBER_PREFIX empty" in hint(["1", "22", "3"], NumberScheme("100-"))
    assert "CUSTOMER_NUMBER_WIDTH to 6" in hint(["000001", "000022", "000003"], NumberScheme())
    for mixed in (["100-1", "100-2"], ["100-1", "200-2", "300-3"], ["a", "b", "c"]):
        assert "another company" in hint(mixed, NumberScheme("7-"))
    assert "another company" in hint(["000001", "0002", "03"], NumberScheme())


def test_nothing_is_suspected_where_nothing_is_known() -> None:
    assert misgivings({}, {}, EXPECTED) == []
    assert len(unchecked({}, EXPECTED)) == 1


@pytest.mark.parametrize(("seconds", "is_slow"), [(14, False), (16, True)])
def test_a_list_that_takes_half_of_the_time_limit_is_slow(seconds: int, is_slow: bool) -> None:
    found = misgivings({}, {"list_ms": seconds * 1000.0}, EXPECTED)
    assert [each["reason"] for each in found] == (["slow_list"] if is_slow else [])


@pytest.mark.parametrize(
    ("right", "wrong", "is_swapped"),
    [((9, 0), (0, 0), False), ((1, 1), (2, 1), True), ((1, 1), (1, 1), False), ((0, 0), (1, 1), False)],
)
def test_kinds_are_suspected_by_majority(right: tuple[int, int], wrong: tuple[int, int], is_swapped: bool) -> None:
    facts = {
        "persons_with_10_digits": right[0], "organizations_with_11_digits": right[1],
        "persons_with_11_digits": wrong[0], "organizations_with_10_digits": wrong[1],
    }  # fmt: skip
    assert [each["reason"] for each in misgivings({}, facts, EXPECTED)] == (["kinds_swapped"] if is_swapped else [])
