"""What becomes of a contact form: a new contact, a changed one, or a refusal (contract siagh §3.2)."""

from __future__ import annotations

from siaghsync.sandbox import forms, forms_strict
from siaghsync.sandbox.books import CONTACT, FinanceWorld
from siaghsync.sandbox.call import Call, Reply
from siaghsync.sandbox.forms import CONTACT_KEYS, FormError
from siaghsync.sandbox.verdicts import refused, saved
from siaghsync.sandbox.wire import Record

DOUBLE = {
    "MobileNo": "شماره موبایل نمی تواند تکراری باشد.",
    "TelNo": "شماره تلفن نمی تواند تکراری باشد.",
}
"""What is said of a phone that another contact has, by property."""
_NEVER_EMPTIED = {"Name", "IsActive", "TowardType"}


def save_contact(world: FinanceWorld, call: Call, form: dict[str, str]) -> Reply:
    """Changes the contact whose code stands in both places; anything else makes a new one. Raises FormError."""
    if world.strict:
        forms_strict.contact(form)
    read = forms.contact(form)
    known = read.code if read.code in world.contacts else None
    fields = _fields(world, read.values, known)
    if known is None or "Name" in fields:
        _named(fields)
    if taken := world.phones_taken(fields, but=known):
        return refused(world, *((DOUBLE.get(name, DOUBLE["TelNo"]), "") for name in taken))

    def change() -> int:
        if known is None:
            return world.add_contact(**fields)
        world.edit(known, **fields)
        return known

    code = str(call.commit(change))
    return saved(world, code, code)


def _fields(world: FinanceWorld, values: dict[str, str], known: int | None) -> Record:
    fields = forms.properties(values, known is None or world.empty_key_empties, world.ignored_keys)
    for name, letters in world.shortens.items():
        if isinstance(fields.get(name), str):
            fields[name] = fields[name][:letters]
    for name, left_out in world.drops.items():
        if isinstance(fields.get(name), str):
            fields[name] = fields[name].translate({ord(letter): None for letter in left_out})
    if known is None or world.update_keeps:
        return fields
    emptied = {name: CONTACT[name] for name in CONTACT_KEYS.values() if name not in _NEVER_EMPTIED}
    return {**emptied, **fields}


def _named(fields: Record) -> None:
    if not str(fields.get("Name") or "").strip():
        raise FormError("نام درست وارد نشده است", "fullname")
