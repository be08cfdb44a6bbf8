"""The brakes."""

from __future__ import annotations

import pytest

from siaghsync.errors import BrakeError
from siaghsync.messages import catalog
from siaghsync.planning.limits import check_creates, check_list_size, check_updates


@pytest.mark.parametrize(
    ("found", "known", "stops"),
    [(0, 0, False), (5, 0, False), (0, 1, True), (1, 1, False), (1, 2, False), (1, 3, True), (49, 100, True),
     (50, 100, False), (1000, 10, False)],
)  # fmt: skip
def test_a_list_that_shrank_by_half_stops_the_run(found: int, known: int, stops: bool) -> None:
    if not stops:
        check_list_size("finance", found, known)
        return
    with pytest.raises(BrakeError) as caught:
        check_list_size("finance", found, known)
    message = caught.value.message
    assert dict(message.params) == {"system": "finance", "found": found, "known": known}
    assert f"Only {found} customers were found in Siagh (finance), but {known} are linked." in catalog.render(message)
    assert "--force" in catalog.cure(message)
    assert "--force" in catalog.cure(message, "fa")
    assert caught.value.exit_code == 1


def test_too_many_creates_stop_the_run() -> None:
    check_creates(0, 0)
    check_creates(500, 500)
    with pytest.raises(BrakeError) as caught:
        check_creates(501, 500)
    text = catalog.render(caught.value.message)
    assert "501 new records" in text
    assert "MAX_CREATES_PER_RUN (500)" in text
    assert "--force" in catalog.cure(caught.value.message)
    assert caught.value.exit_code == 1


def test_too_many_changes_stop_the_run() -> None:
    check_updates(0, 0)
    check_updates(500, 500)
    with pytest.raises(BrakeError) as caught:
        check_updates(1501, 500)
    assert "MAX_UPDATES_PER_RUN (500)" in catalog.render(caught.value.message)
    assert "۱٬۵۰۱" in catalog.render(caught.value.message, "fa")
    assert "--force" in catalog.cure(caught.value.message)
