"""A site with everything that the dashboard can show, made by real runs; what would take many runs is put into the state file."""

from __future__ import annotations

import json
from contextlib import closing
from string import Formatter

from siaghsync import clock
from siaghsync.domain.action import Action, Entity
from siaghsync.domain.reasons import Operation, Reason
from siaghsync.messages import catalog
from siaghsync.messages.message import Message, Param
from siaghsync.state import reviews
from siaghsync.state.audit import Run, stamp
from siaghsync.state.database import open_state
from siaghsync.state.retries import note_skip, schedule_retry
from tests.web.serving import PASSWORD, ready
from tests.world import World

ADMINISTRATOR = "زهرا کریمی"
MANY = 55
"""Questions of one kind: more than a page of them."""
WORDS = "کد ملی با اطلاعات ثبت احوال نمی‌خواند"
_REASONS = list(Reason)
_OF_DOCUMENTS = _REASONS[_REASONS.index(Reason.MAY_BE_POSTED) : _REASONS.index(Reason.NO_NUMBER)]
_SKIPPED = _REASONS[_REASONS.index(Reason.NO_NUMBER) : _REASONS.index(Reason.UNDO_POSTED)]
_WAITING = _REASONS[_REASONS.index(Reason.WEBHOOK) :]
_IN_PLACES: dict[str, Param] = {
    "count": 3, "amount": "1250000", "time": "2026-07-01T10:00:00.000+00:00", "day": "2026-07-01", "field": "net",
    "reason": "stranger", "kind": "quote",
}  # fmt: skip
"""The format of a place in a message -> what a test puts there."""


def staged(world: World) -> World:
    """The world with questions of every reason, long lists, decisions that wait for a run, and runs that went wrong."""
    ready(world, MAX_RETRY_ATTEMPTS="1", ENABLE_WEBHOOKS="false").imported()
    world.run("dashboard-user", "add", ADMINISTRATOR, "--role", "administer", "--stdin", stdin=f"{PASSWORD}\n")
    customer = world.crm_of(world.rows("SELECT min(finance_code) FROM customer_mappings")[0][0])
    _real_questions(world, customer)
    with closing(open_state(world.state_file)) as state:
        run = Run(state, "sync", clock.now, "siaghsync")
        with state.atomic():
            _every_reason(run)
        run.finish("partial", {})
        some = [review for review in reviews.open_items(state) if review.name.startswith("L-")][:3]
        for review in some:
            reviews.store(state, review, "discard", "", stamp(clock.now()), "زهرا کریمی (dashboard)")
    return world


def fail(world: World) -> None:
    """A sync that finds Siagh out of order."""
    world.arm("refuse_before", "finance:LoginUser", times=None)
    world.run("sync")


def _real_questions(world: World, customer: str) -> None:
    sold = {"productCode": "P-1", "count": 2, "baseUnitPrice": 4_000_000}
    quote = world.crm.add_quote(
        customer, [sold, {**sold, "productCode": "P-2"}], number="C-1", crmObjectTypeCode="PI_5"
    )
    gone = world.crm.add_quote(customer, [sold], number="C-2", crmObjectTypeCode="PI_5")
    world.json("sync")
    world.json("rehearse", "--yes")
    world.crm.edit(quote, details=[{**sold, "count": 3}, {**sold, "productCode": "P-3"}])
    world.crm.delete(gone)
    said = {"Errors": [{"Description": WORDS, "ErrorCode": -1}], "ReturnValue": False, "FinalMessages": []}
    world.arm("json", "finance:SaveFormData/create", body=json.dumps(said).encode())
    world.crm.add_person(nickName="آنکه نشد", firstName="", lastName="", customerNumber="952")
    world.json("sync", "--full", exit_code=1)
    for n in range(MANY):
        row = {"productCode": "", "count": 1, "baseUnitPrice": 1_250_000 * (n + 1)}
        world.crm.add_quote(customer, [row], number=f"L-{n}", crmObjectTypeCode="PI_5")
    world.finance.add_contact(Name="شرکت بازرگانی دیگر", Code=950)
    world.finance.add_contact(Name="دارندهٔ شماره", Code=960, MobileNo="09120000001")
    phone = {"phoneNumber": "09120000001", "phoneType": "Mobile", "default": True}
    world.crm.add_person(nickName="بی‌شماره", firstName="", lastName="", customerNumber="961", phoneContacts=[phone])
    world.crm.add_person(nickName="كيميا گران‌بها", firstName="", lastName="", customerNumber="950")
    for name in ("بهرام دادگر", "شهرزاد نیکخواه"):
        world.crm.add_person(nickName=name, firstName="", lastName="", customerNumber="951")
    world.crm.add_quote(customer, [sold], number="D-1", crmObjectTypeCode="PI_5")
    world.arm("reset_after", "finance:SaveFormData/preinvoice")
    world.json("sync", exit_code=1)


def _every_reason(run: Run) -> None:
    known = {reason for (reason,) in run.state.rows("SELECT DISTINCT reason FROM reviews")}
    asked = _REASONS[: _REASONS.index(Reason.NO_NUMBER)]
    for place, reason in enumerate(asked):
        if reason not in known:
            reviews.put(run, _action(place, reason))
    for place, reason in enumerate(_SKIPPED, 1000):
        note_skip(run, _action(place, reason))
    for place, reason in enumerate(_WAITING, 2000):
        action = _action(place, reason)
        schedule_retry(run, action, reason, _message(f"reason.{reason}"))


def _action(place: int, reason: Reason) -> Action:
    entity: Entity = "invoice" if reason in _OF_DOCUMENTS else "customer"
    return Action(
        operation=Operation.REVIEW,
        entity=entity,
        target="finance",
        record=f"00000000-0000-0000-0000-{place:012}",
        kind="quote" if entity == "invoice" else "person",
        customer_number=str(7000 + place),
        name=f"Q-{place}" if entity == "invoice" else f"مشتری شمارهٔ {place}",
        reason=reason,
        message=_message(f"reason.{reason}"),
        checksum=reason,
    )


def _message(code: str) -> Message:
    """The message with something in each of its places."""
    entry = catalog.find(code)
    places = Formatter().parse(entry.text["fa"] if entry else "")
    return Message(code, {name: _IN_PLACES.get(form or "", "12") for _, name, form, _ in places if name})
