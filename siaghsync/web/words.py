"""The program's own stable words in both languages, by group: word -> (Persian, English)."""

from __future__ import annotations

from collections.abc import Mapping

from siaghsync.messages.links import LINKED_BY
from siaghsync.web.field_names import FIELDS

Words = Mapping[str, tuple[str, str]]

_OUTCOMES: Words = {
    "ok": ("موفق", "ok"),
    "partial": ("ناتمام", "partial"),
    "failed": ("ناموفق", "failed"),
    "done": ("انجام شد", "done"),
    "unknown": ("نامعلوم", "unknown"),
    "review": ("برای تصمیم", "for decision"),
    "misdirected": ("به اشتباه رفت", "misdirected"),
    "lapsed": ("بی‌نتیجه ماند", "lapsed"),
    "skipped": ("کنار گذاشته شد", "skipped"),
    "waits": ("در صف", "waits"),
    "retry": ("تلاش دوباره", "try again"),
    "link": ("پیوند", "link"),
    "posted": ("ثبت‌شده", "stands in Siagh"),
    "discard": ("رها شد", "left as it is"),
    "settled": ("خودبه‌خود حل شد", "settled itself"),
}

_ACTIONS: Words = {
    "create": ("ساختن", "create"),
    "update": ("ویرایش", "update"),
    "link": ("پیوند", "link"),
    "skip": ("کنار گذاشتن", "skip"),
    "review": ("پرسش", "review"),
    "resolve": ("تصمیم", "decision"),
}

_ENTITIES: Words = {
    "customer": ("مشتری", "customer"),
    "invoice": ("سند فروش", "document"),
    "person": ("شخص حقیقی", "person"),
    "organization": ("شخص حقوقی", "organization"),
    "quote": ("پیش‌فاکتور", "quote"),
    # a document's kind, where `invoice` as an entity means both kinds
    "sales_invoice": ("فاکتور", "invoice"),
}

_COMMANDS: Words = {
    "sync": ("همگام‌سازی", "sync"),
    "webhook": ("خبر CRM", "webhook"),
    "initial-import": ("ورود اولیه", "initial-import"),
    "review resolve": ("تصمیم", "decision"),
    "verify": ("مقایسه", "verify"),
}

_COUNTS: Words = {
    "seen": ("دیده‌شده", "seen"),
    "created": ("ساخته", "created"),
    "updated": ("ویرایش", "updated"),
    "linked": ("پیوند", "linked"),
    "unchanged": ("بی‌تغییر", "unchanged"),
    "skipped": ("کنار گذاشته", "skipped"),
    "failed": ("ناموفق", "failed"),
    "review": ("برای تصمیم", "for decision"),
    "crm": ("CRM", "CRM"),
    "finance": ("سیاق", "Siagh"),
}

WORDS: dict[str, Words] = {
    "isactive": {"1": ("بله", "yes"), "0": ("خیر", "no")},
    "gender": {"1": ("مرد", "male"), "0": ("زن", "female")},
    "reason": LINKED_BY,  # all other reasons stand in the book
    "outcome": _OUTCOMES,
    "action": _ACTIONS,
    "entity": _ENTITIES,
    "command": _COMMANDS,
    "count": _COUNTS,
    "field": FIELDS,
}
