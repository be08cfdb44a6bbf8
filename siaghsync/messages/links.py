"""How the two sides of a pair were found to belong together."""

from __future__ import annotations

from siaghsync.messages.entry import Said

LINKED_BY: dict[str, Said] = {
    "marker": Said("نشان در یادداشت", "The mark in its notes"),
    "number": Said("شمارهٔ مشتری", "Customer number"),
    "national_code": Said("کد ملی و نام", "National code and name"),
    "look_up": Said("جستجو پس از پاسخ نامعلوم", "A look-up after no clear answer"),
    "create": Said("ساخته شد", "Created"),
    "person": Said("تصمیم یک نفر", "A person"),
}
