"""Who has a phone number, who would give it up, and who waits for whom."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from siaghsync.domain.action import Action
from siaghsync.domain.reasons import Operation
from siaghsync.planning.phones import (
    PART,
    SET_FREE,
    WITHHELD,
    Refusal,
    exchanging,
    holders_of,
    key_of,
    set_at_last,
    set_free,
    withheld,
)


def update(code: int, old: str, new: str, **others: str) -> Action:
    changes: dict[str, tuple[str | None, str]] = {
        "mobile": (old, new),
        **{name: ("", value) for name, value in others.items()},
    }
    payload = {"mobile": new, "phone": "", **others}
    return Action(
        Operation.UPDATE, "customer", "finance", f"p-{code}", "person", str(code), f"p-{code}", code,
        changes=changes, payload=payload,
    )  # fmt: skip


def number(place: int) -> str:
    return f"0912000{place:04}"


def test_a_part_leaves_out_what_is_taken_and_says_so() -> None:
    refusal = Refusal(update(1, number(1), number(2), website="a.example"), ("mobile",))
    part = withheld(refusal, {"mobile"})
    assert part is not None
    assert (part.payload["mobile"], part.changes, part.details[PART]) == (
        number(1), {"website": ("", "a.example")}, WITHHELD,
    )  # fmt: skip
    assert withheld(Refusal(update(1, number(1), number(2)), ("mobile",)), {"mobile"}) is None
    assert withheld(refusal, {"mobile", "phone"}) is None, "Siagh refuses a number that it has already"


def test_the_two_steps_of_an_exchange_say_together_what_changed() -> None:
    refusal = Refusal(update(1, number(1), number(2), website="a.example"), ("mobile",))
    first, then = set_free(refusal), set_at_last(refusal.action)
    assert (first.payload["mobile"], first.details[PART]) == ("", SET_FREE)
    assert first.changes == {"mobile": (number(1), ""), "website": ("", "a.example")}
    assert (then.payload, then.changes) == (refusal.action.payload, {"mobile": ("", number(2))})


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)))
def test_only_rings_are_exchanged_and_all_of_them(wishes: list[int], refused: set[int]) -> None:
    """Contact n has number n and shall get number `wishes[n]`; only those in `refused` may be written to."""
    holders = defaultdict(set, {("mobile", key_of(number(n))): {n + 1} for n in range(6)})
    refusals = {
        n + 1: Refusal(update(n + 1, number(n), number(wishes[n])), ("mobile",)) for n in refused if wishes[n] != n
    }
    rings = [n for n in refusals if _ring(n - 1, wishes) <= {code - 1 for code in refusals}]
    found = exchanging(refusals, holders)
    assert (found is not None) == bool(rings)
    if found:
        assert found.action.finance_code in rings
        assert holders_of(found, holders)


def _ring(start: int, wishes: list[int]) -> set[int]:
    ring, at = {start}, wishes[start]
    while at != start:
        ring.add(at)
        at = wishes[at]
    return ring
