"""What speaks for and against a CRM record and a finance contact being the same customer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from siaghsync.domain.customer import Contact, Customer, Kind
from siaghsync.domain.normalize import fold, legal_id_is_valid, national_code_is_valid, national_key, phone_key

_SHORTEST_WORD = 3
_WORD = re.compile(r"[^\W_]+")
_NO_NAMES = frozenset(
    fold(word)
    for word in (
        "شرکت", "شركت", "بازرگانی", "فروشگاه", "گروه", "آقای", "خانم", "جناب", "سرکار", "مهندس", "دکتر", "حاج", "موسسه",
        "مؤسسه", "کارخانه", "دفتر", "نمایندگی", "تولیدی", "صنعتی", "خدمات", "تعاونی", "سهامی", "خاص", "عام", "company", "group",
        "ltd", "inc", "shop", "store", "mrs",
    )
)  # fmt: skip
"""Forms of company and address, which say nothing about who somebody is."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is equal, and what contradicts. A `phone` that is the only evidence counts only with `shared_word`."""

    name: bool
    code: bool
    phone: bool
    shared_word: bool
    other_code: bool
    other_kind: bool

    @property
    def contradicts(self) -> bool:
        """Whether something speaks against: the program never links such a pair by itself."""
        return self.other_code or self.other_kind

    @property
    def agrees(self) -> bool:
        """Whether at least one thing speaks for the pair, and none against it."""
        return (self.name or self.code or (self.phone and self.shared_word)) and not self.contradicts

    @property
    def agrees_in_two(self) -> bool:
        """Whether two of name, national code and phone are equal, and nothing speaks against the pair."""
        return self.name + self.code + self.phone >= 2 and not self.contradicts


def evidence(customer: Customer, contact: Contact) -> Evidence:
    """Compares two records after normalising."""
    ours, theirs = national_key(customer.national_code), national_key(contact.national_code)
    return Evidence(
        name=bool(_names(customer) & _names(contact)),
        code=bool(ours) and ours == theirs,
        phone=bool(_phones(customer) & _phones(contact)),
        shared_word=bool(_words(customer) & _words(contact)),
        other_code=_other_code(customer.national_code, contact.national_code),
        other_kind=_other_kind(customer.kind, contact),
    )


def contradict(kind: Kind, national_code: str, contact: Contact) -> bool:
    """Whether a contact is of another kind, or has another valid national code or legal id."""
    return _other_kind(kind, contact) or _other_code(national_code, contact.national_code)


def agree(customer: Customer, contact: Contact) -> bool:
    """Whether a CRM record and a finance contact may be linked: something speaks for it and nothing against it."""
    return evidence(customer, contact).agrees


def pair_keys(who: Customer | Contact) -> set[str]:
    """What two records have in common exactly if they share two of name, national code and phone."""
    names, codes, phones = _names(who), {national_key(who.national_code)} - {""}, _phones(who)
    by_phone = {f"{phone}|{other}" for phone in phones for other in names | codes}
    return by_phone | {f"{code}:{name}" for code in codes for name in names}


def _names(who: Customer | Contact) -> set[str]:
    return {fold(name) for name in who.names} - {""}


def _phones(who: Customer | Contact) -> set[str]:
    return {phone_key(phone) for phone in who.phones} - {""}


def _words(who: Customer | Contact) -> set[str]:
    # Apart at half-spaces and marks too; each word is folded by itself, for a name is folded without its spaces.
    words = {fold(word) for name in who.names for word in _WORD.findall(name)}
    return {word for word in words if len(word) >= _SHORTEST_WORD} - _NO_NAMES


def _other_kind(kind: Kind, contact: Contact) -> bool:
    return contact.kind_known and kind != contact.kind


def _other_code(ours: str, theirs: str) -> bool:
    return len({national_key(code) for code in (ours, theirs) if _code_is_valid(code)}) > 1


def _code_is_valid(text: str) -> bool:
    return national_code_is_valid(text) or legal_id_is_valid(text)
