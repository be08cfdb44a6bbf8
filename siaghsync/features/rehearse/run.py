"""Does the steps of a rehearsal: the record on disk, the request, what was read back, and what that says."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any, Literal, TypeVar

from siaghsync.connectors.payamgostar.customers import crm_id_of
from siaghsync.connectors.payamgostar.documents import document_from_crm
from siaghsync.connectors.siagh.client import Saved, SavedPreinvoice
from siaghsync.connectors.siagh.schema import contact_from_finance
from siaghsync.domain.customer import Contact
from siaghsync.domain.document import DocumentSource, plain
from siaghsync.domain.rehearsal import MARK, fictional_code, is_test_record, marked_name
from siaghsync.errors import BadRecord, CallError, InDoubt, LoginRefused, NotSent, Refused
from siaghsync.features.rehearse import rules
from siaghsync.features.rehearse.journal import Journal, TestRecord
from siaghsync.features.rehearse.rules import Shape
from siaghsync.features.rehearse.steps import LEFTOVERS, STEPS, Part, Step
from siaghsync.messages.message import Message, msg
from siaghsync.planning.documents import DocumentRules
from siaghsync.state.facts import PREINVOICE_CUSTOMER, Fact, learn
from siaghsync.sync.context import RunContext
from siaghsync.sync.finding import any_page

SCRIPT_ERROR = "script_error_saves_nothing"
Outcome = Literal["done", "declined", "passed_over", "refused", "unknown"]
Ask = Callable[[str, Message], Any]
"""Asks a person (question, what to look at); None if nobody answers."""
_MOST_DOCUMENTS = 10
T = TypeVar("T")


class _PassedOver(Exception):
    """A step that can't be done here; `why` says why."""

    def __init__(self, why: Message) -> None:
        super().__init__(why.code)
        self.why = why


@dataclass(slots=True)
class Done:
    """What became of a step, with why."""

    step: Step
    outcome: Outcome
    message: Message | None = None


@dataclass(slots=True)
class Rehearsal:
    """One rehearsal. `only` restricts it to a part, `agree` asks before each step, `codes` are those of pre-invoices,
    `fiscal_year` is the session's, `nonce` tells its records from all others."""

    context: RunContext
    only: Part | None
    agree: Callable[[Step], bool]
    ask: Ask
    codes: DocumentRules
    journal: Journal
    fiscal_year: int | None
    nonce: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    steps: list[Done] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    _made: TestRecord | None = None

    @property
    def serial(self) -> str:
        """Seven digits of this rehearsal, for numbers that nobody has."""
        return f"{int(self.nonce, 16) % 10**7:07d}"

    def settle(self) -> bool:
        """Takes the answers to what an earlier rehearsal left open; whether there was one. Writes to neither system."""
        before = len(self.facts)
        for question, about in list(self.journal.pending.items()):
            self._put_question(question, about)
        return len(self.facts) > before

    def run(self) -> None:
        """Does the steps. Raises CallError if a system can't be reached, Interrupted for a signal."""
        earlier = [record for record in self.journal.records if record.system == "crm"]
        for step in (*((LEFTOVERS,) if earlier else ()), *STEPS):
            self.context.stop_if_cancelled()
            if self.only in (None, step.part):
                self.steps.append(self._step(step))
        self._look_after_contacts()

    def _step(self, step: Step) -> Done:
        if not self.agree(step):
            return Done(step, "declined")
        try:
            getattr(self, f"_{step.name}")()
        except _PassedOver as passed:
            return Done(step, "passed_over", passed.why)
        except (NotSent, LoginRefused):
            raise
        except CallError as error:
            return Done(step, "unknown" if isinstance(error, InDoubt) else "refused", error.message)
        return Done(step, "done")

    # --- the CRM ---

    def _leftovers(self) -> None:
        for record in [each for each in self.journal.records if each.system == "crm"]:
            if record.key is None:
                record.key = self._crm_id_of(record.name)
            if record.key is None:
                self.journal.drop(record)
            else:
                self._delete(record)

    def _crm_id_of(self, name: str) -> str | None:
        """The id of the test person with this name, which may stand anywhere in the list."""
        source, number, last = self.context.crm.sources("person")[0], 1, None
        while (page := any_page(self.context.crm, source, page=number, descending=True).records) and page != last:
            if found := next((each for each in page if name in each.values()), None):
                return crm_id_of(found)
            number, last = number + 1, page
        return None

    def _crm_doubles(self) -> None:
        phones, code = [("mobile", rules.fictional_phone(self.serial))], fictional_code(self.serial)
        first = rules.person(self.nonce, "1", phones=phones, national_code=code)
        tries: dict[str, dict[str, Any]] = {
            "number": {**rules.person(self.nonce, "2"), "number": first["number"]},
            "phone": rules.person(self.nonce, "3", phones=phones),
            "national_code": rules.person(self.nonce, "4", national_code=fictional_code(self.serial, wrong=True)),
        }
        made, refused = [self._person(first)], []
        try:
            for word, payload in tries.items():
                try:
                    made.append(self._person(payload))
                except Refused:
                    refused.append(word)
        finally:
            for record in made:
                self._delete(record)
        self._learn("crm_refuses_doubles", refused, msg("rehearse.saw_doubles", refused=rules.in_words(refused)))

    def _person(self, payload: Mapping[str, Any]) -> TestRecord:
        record = TestRecord("crm", "person", payload["name"], self.context.run.id)
        self._make(record, lambda: self.context.crm.create("person", payload), str)
        return record

    def _delete(self, record: TestRecord) -> None:
        """Deletes a test person and looks whether it is gone; one that is not stays among what is left behind."""
        assert record.key
        self.journal.intend(record)
        with suppress(Refused, InDoubt):
            self.context.crm.delete("person", record.key)
        with suppress(Refused, InDoubt):
            if self.context.by_id.get("person", record.key) is None:
                self.journal.drop(record)

    # --- contacts ---

    def _test_contact(self) -> TestRecord:
        """The test contact of this rehearsal, made when it is first needed."""
        if self._made is None:
            record = TestRecord("finance", "contact", marked_name(self.nonce, "A"), self.context.run.id)
            self._create(record, rules.contact(self.nonce, self.serial))
            self._made = record
        return self._made

    def _create(self, record: TestRecord, payload: Mapping[str, str]) -> None:
        self._make(record, lambda: self.context.finance.save_contact(payload, None), lambda saved: saved.code)

    def _update(self, record: TestRecord, **changes: str) -> None:
        payload = {**rules.contact(self.nonce, self.serial), "name": record.name, **changes}
        self.journal.intend(record)
        self._check(record, self.context.finance.save_contact(payload, _code(record)))

    def _update_part(self, record: TestRecord, fields: Mapping[str, str], *, bare_number: bool = False) -> None:
        self.journal.intend(record)
        self._check(record, self.context.finance.save_part(fields, _code(record), bare_number=bare_number))

    def _check(self, record: TestRecord, saved: Saved) -> None:
        if saved.code != record.key:  # a new contact instead (contract siagh §3.2)
            self.journal.intend(replace(record, key=saved.code))
            raise _PassedOver(msg("rehearse.made_new_contact", name=record.name, code=saved.code))

    def _read(self, record: TestRecord) -> dict[str, Any]:
        """A test contact as Finance gives it."""
        raw = self.context.finance.contact(_code(record))
        if raw is None or not is_test_record(*contact_from_finance(raw).names):
            raise _PassedOver(msg("rehearse.not_read_back", name=record.name))
        return raw

    def _contact(self) -> None:
        record, number = self._test_contact(), rules.contact(self.nonce, self.serial)["number"]
        raw, seen = self._read(record), "rehearse.saw_number"
        passno = contact_from_finance(raw).national_code == fictional_code(self.serial)
        self._learn(
            "passno_arrives",
            passno,
            msg("rehearse.saw_code", shown=rules.or_nothing(contact_from_finance(raw).national_code)),
        )
        if not rules.holders(raw, number):
            self._update_part(record, {"name": record.name, "number": number}, bare_number=True)
            raw, seen = self._read(record), "rehearse.saw_bare_number"
        where = ", ".join(rules.holders(raw, number))
        self._learn("tmpid_stored", bool(where), msg(seen, where=where) if where else msg("rehearse.saw_no_number"))

    def _updates(self) -> None:
        record = self._test_contact()
        self._update(record, email="")
        shown = contact_from_finance(self._read(record)).fields
        self._learn(
            "empty_key_empties", not shown["email"], msg("rehearse.saw_emptied", shown=rules.or_nothing(shown["email"]))
        )
        self._update_part(record, {"name": record.name})
        shown = contact_from_finance(self._read(record)).fields
        kept = shown["address"] == rules.contact(self.nonce, self.serial)["address"]
        self._learn("partial_update_keeps", kept, msg("rehearse.saw_kept", shown=rules.or_nothing(shown["address"])))

    def _phones(self) -> None:
        self._update(self._test_contact())
        second = TestRecord("finance", "contact", marked_name(self.nonce, "B"), self.context.run.id)
        payload = {**rules.contact(self.nonce, self.serial), "name": second.name, "national_code": "", "number": ""}
        refused: list[str] = []
        try:
            self._create(second, payload)
        except Refused:
            refused.append("same_field")
            second = replace(second)
            self._create(second, {**payload, "mobile": ""})
            refused += self._taken(second)
        seen = msg("rehearse.saw_phones", refused=rules.in_words(refused))
        self._learn("phones_compared", refused, seen)

    def _taken(self, second: TestRecord) -> Iterator[str]:
        """In which other ways the first contact's number is refused to the second; nothing if updates aren't compared."""
        for word, phones in rules.phone_tries(self.serial).items():
            try:
                self._update(second, **{"national_code": "", "number": "", "mobile": "", **phones})
            except Refused:
                if word != "same_field":
                    yield word
            else:
                if word == "same_field":
                    return

    def _look_after_contacts(self) -> None:
        """Forgets what earlier rehearsals left in Finance and somebody deleted; their pre-invoices can't be looked up and were
        told by now."""
        unsure = {record.name for record in self.journal.records if record.kind == "contact" and record.key is None}
        by_name = {contact.name: str(contact.code) for contact in self._contacts() if unsure & {*contact.names}}
        for record in [each for each in self.journal.records if each.system == "finance"]:
            if record.kind == "contact":
                record.key = record.key or by_name.get(record.name)
                raw = self.context.finance.contact(int(record.key)) if record.key else None
                if raw is None or not is_test_record(*contact_from_finance(raw).names):
                    self.journal.drop(record)
            elif record.run != self.context.run.id:
                self.journal.drop(record)
        self.journal.save()

    def _contacts(self) -> Iterator[Contact]:
        for raw in self.context.finance.contacts():
            with suppress(BadRecord):
                yield contact_from_finance(raw)

    # --- documents ---

    def _preinvoice(self) -> None:
        product, record = self._product(), self._test_contact()
        shapes = self._shapes(record)
        kinds = list(self._by_kind().items())
        shape, first = self._first_accepted(shapes, kinds[0][1], product)
        saved = {kinds[0][0]: first}
        for kind, codes in kinds[1:]:
            with suppress(Refused):
                saved[kind] = self._post(shape, codes, product)
        self._judge_nets({str(kind): each.net for kind, each in saved.items()})
        about = {"shape": shape.answer, "name": record.name, "number": first.number or first.key}
        self._put_question(PREINVOICE_CUSTOMER, about)

    def _shapes(self, record: TestRecord) -> list[Shape]:
        test = contact_from_finance(self._read(record))
        shapes = rules.shapes(test, (other for other in self._contacts() if other.code != test.code))
        if not shapes:
            raise _PassedOver(msg("rehearse.would_land_elsewhere", code=test.code))
        return shapes

    def _first_accepted(self, shapes: list[Shape], codes: DocumentRules, product: str) -> tuple[Shape, SavedPreinvoice]:
        for shape in shapes[:-1]:
            with suppress(Refused):
                return shape, self._post(shape, codes, product)
        return shapes[-1], self._post(shapes[-1], codes, product)

    def _judge_nets(self, nets: Mapping[str, Decimal | None]) -> None:
        verdicts = {kind: rules.judge_net(net) for kind, net in nets.items()}
        told = "; ".join(f"{kind}: {'-' if net is None else plain(net)}" for kind, net in nets.items())
        seen = msg("rehearse.saw_nets", expected=plain(rules.QUANTITY * rules.PRICE), nets=told)
        self._learn("cells_as_numbers", next(iter(verdicts.values()))[0], seen)
        self._learn("net_contains_vat", rules.in_common({kind: each[1] for kind, each in verdicts.items()}), seen)

    def _script_error(self) -> None:
        product, shape = self._product(), self._shapes(self._test_contact())[0]
        try:
            self._post(shape, self.codes, product, sales_centre="", intermediary="")
        except InDoubt as error:
            if error.reason != "script_error":
                raise
            self._put_question(SCRIPT_ERROR, {"name": self.journal.records[-1].name})
        else:
            self._learn(SCRIPT_ERROR, None, msg("rehearse.saw_no_script_error"))

    def _post(self, shape: Shape, codes: DocumentRules, product: str, **other: str) -> SavedPreinvoice:
        name = marked_name(self.nonce, f"P{sum(each.kind == 'preinvoice' for each in self.journal.records) + 1}")
        row = {"product_code": product, "unit": "عدد", "quantity": plain(rules.QUANTITY)}
        payload = {
            **shape.payload,
            "sale_model": codes.sale_model,
            "sales_centre": codes.sales_centre if codes.sales_centre is not None else codes.sale_model,
            "payment_type": codes.payment_type,
            "sale_kind": codes.sale_kind,
            "intermediary": codes.intermediary,
            "fiscal_year": self.fiscal_year or "",
            "type_code": MARK,
            "notes": name,
            "suid": str(uuid.uuid4()),
            "rows": [{**row, "unit_price": plain(rules.PRICE), "discount": "0"}],
            **other,
        }
        record = TestRecord("finance", "preinvoice", name, self.context.run.id)
        send = partial(self.context.finance.save_preinvoice, payload)
        return self._make(record, send, lambda saved: saved.number or saved.key)

    def _by_kind(self) -> dict[int, DocumentRules]:
        """Each configured kind of sale with the codes of the first document type that has it."""
        every = [self.codes.of(name, None) for name in ("", *self.codes.types)]
        return {each.sale_kind: each for each in reversed(every) if each.post} | {every[0].sale_kind: every[0]}

    def _product(self) -> str:
        """The code of a product that exists: of a row of one of the CRM's newest documents."""
        sources: tuple[DocumentSource, ...] = ("quote", "invoice")
        for source in sources:
            with suppress(Refused, InDoubt):
                newest = any_page(self.context.crm, source, size=_MOST_DOCUMENTS, descending=True).records
                for light in newest:
                    with suppress(BadRecord):
                        raw = self.context.crm.get(source, crm_id_of(light) or "")
                        rows = document_from_crm(raw, source).rows if raw else ()
                        if code := next((row.product_code for row in rows if row.product_code), ""):
                            return code
        raise _PassedOver(msg("rehearse.no_product"))

    # --- what all steps share ---

    def _make(self, record: TestRecord, send: Callable[[], T], key: Callable[[T], str]) -> T:
        """The record on disk, the request, and what became of it. Whatever has no clear answer stays as it is."""
        self.journal.intend(record)
        try:
            made = send()
        except InDoubt:
            raise
        except CallError:
            self.journal.drop(record)
            raise
        self.journal.made(record, key(made))
        return made

    def _put_question(self, question: str, about: Mapping[str, Any]) -> None:
        """Asks a person; while nobody answers, the question waits for the next rehearsal."""
        self.journal.pending[question] = dict(about)
        self.journal.save()
        said = self.ask(question, msg(f"rehearse.ask_{question}", **about))
        if said is None:
            self._learn(question, None, msg("rehearse.nobody_said"))
            return
        if question == PREINVOICE_CUSTOMER:
            answer: Any = rules.customer_of(about["shape"], about["name"], said)
            seen = msg(
                "rehearse.saw_customer", number=about["number"], shape=msg(f"check.answer_{about['shape']}"), shown=said
            )
        else:
            saved = msg("check.answer_no" if said else "check.answer_yes")
            answer, seen = bool(said), msg("rehearse.saw_script_error", name=about["name"], saved=saved)
        del self.journal.pending[question]
        self.journal.save()
        self._learn(question, answer, seen)

    def _learn(self, question: str, answer: Any, evidence: Message) -> None:
        fact = Fact(question, answer, "rehearsal", evidence, self.context.run.at())
        self.facts.append(fact)
        if answer is not None:
            learn(self.context.state, fact)


def _code(record: TestRecord) -> int:
    assert record.key
    return int(record.key)
