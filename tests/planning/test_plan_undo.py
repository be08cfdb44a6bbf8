"""What an undo plans, for any values before the run, after it, and now."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from siaghsync.domain.customer import Contact, CustomerMapping
from siaghsync.domain.fields import READ_BACK
from siaghsync.domain.reasons import Operation
from siaghsync.domain.site import NO_SITE
from siaghsync.domain.undo import Done
from siaghsync.planning.import_ import expected_customer
from siaghsync.planning.undo import Now, plan_undo

NAMES = ("name", "email", "address", "website")
texts = st.sampled_from(["", "a", "b", "c", "علی"])
values = st.fixed_dictionaries(dict.fromkeys(NAMES, texts))
SENT = {"name": "علی", "number": "7", "email": "a@example.com", "phone": "02180112233"}
DAY, LATER = "2026-01-05T12:00:00.123", "2026-01-05T12:00:00.124"


def contact(fields: dict[str, str]) -> Contact:
    blank = dict.fromkeys((row.name for row in READ_BACK), "") | {"active": "1", "kind": "0"}
    return Contact(7, "person", (), "", (), {**blank, **fields})


@given(before=values, after=values, now=values)
def test_what_is_still_as_the_run_left_it_goes_back_and_nothing_else(
    before: dict[str, str], after: dict[str, str], now: dict[str, str]
) -> None:
    changes = {name: (before[name], after[name]) for name in NAMES if before[name] != after[name]}
    done = Done("finance", "person", "", "7", "p", 7, changes=changes)
    planned = list(plan_undo(done, Now(CustomerMapping("p", 7, "person", "7"), contact=contact(now)), NO_SITE))
    sent = next((a.payload for a in planned if a.operation is Operation.RESTORE), now)
    left = {name for a in planned if a.operation is Operation.SKIP for name in a.changes}
    for name in NAMES:
        goes_back = name in changes and now[name] == after[name]
        assert sent[name] == (before[name] if goes_back else now[name])
        assert (name in left) == (name in changes and now[name] not in (before[name], after[name]))


@given(email=texts, modified=st.sampled_from([DAY, LATER]), documents=st.booleans(), number=st.sampled_from(["7", "8"]))
def test_a_record_is_deleted_only_as_the_import_left_it(
    email: str, modified: str, documents: bool, number: str
) -> None:
    done = Done("crm", "person", "علی", "7", "p", 7, created=True, sent=SENT)
    made = expected_customer({"kind": "person", **SENT, "phones": [["office", SENT["phone"]]]})
    shown = replace(made, fields={**made.fields, "email": email or SENT["email"]}, number=number, modified=modified)
    now = Now(CustomerMapping("p", 7, "person", "7"), shown, created=DAY, documents=documents)
    (step,) = plan_undo(done, now, NO_SITE)
    untouched = not email and modified == DAY and number == "7" and not documents
    assert (step.operation is Operation.DELETE) == untouched
    assert step.operation in (Operation.DELETE, Operation.SKIP)
