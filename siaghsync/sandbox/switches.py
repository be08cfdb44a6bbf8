"""The facts that nobody has seen for sure, as switches of the two worlds (contracts, marked [assumed])."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class CrmSwitches:
    """How this Payamgostar behaves where its contract leaves a choice; set the attributes at any time."""

    answer_key: Literal["crmId", "id"] = "crmId"
    """What `create` and `update` call the id in their answer (§3.5)."""
    pascal_case: bool = False
    """Every property of every answer in PascalCase (§1)."""
    page_cap: int = 500
    """No page of search or find is longer, whatever was asked for (§3.2)."""
    unknown_id: Literal["404", "null"] = "404"
    """`get` of an unknown id: 404 with an error body, or 200 with null (§3.3)."""
    refuse_double_number: bool = False
    """`create` answers 400 to a customer number that is taken (§3.5)."""
    empty_type_key_means_all: bool = True
    """find without typeKey: all subtypes, or none (§3.2)."""
    details_in_find: Literal["full", "null", "missing"] = "full"
    """Rows of documents in the answers of find (§4)."""
    update_keeps: bool = True
    """update: fields that are left out are kept, or emptied (§3.5)."""
    visible_delay: float = 0.0
    """Seconds until a change becomes visible, while it bears the date of when it was asked for (§3.2)."""
    clock_offset: float = 0.0
    """Seconds that the server's clock is ahead of ours; negative if behind."""
    date_header: bool = True
    """Answers carry the header `Date`, by the server's own clock (§1)."""
    document_date: str | None = None
    """Date of quotes and invoices that are added without one; None: they have none of their own (§4)."""
    date_precision: Literal["ms", "seconds"] = "ms"
    """Fraction of the dates that this server stamps."""
    latency: float = 0.0
    """Seconds before any request is worked on."""
    licensed: bool = True
    """False: login answers 402 (§2)."""
    token_seconds: float = 3600.0
    """Life of an access token."""
    max_tries: int = 5
    """Wrong passwords until the account is locked (403)."""
    lock_seconds: float = 900.0
    """Length of a lock, from the last attempt on."""


@dataclass
class FinanceSwitches:
    """How this Siagh behaves where its contract leaves a choice; set the attributes at any time."""

    filters: set[str] = field(default_factory=lambda: {"Code", "TelNo"})
    """Properties that GetAll by POST filters by (§3.1)."""
    unknown_filter: Literal["ignore", "refuse"] = "ignore"
    """A filter on any other property: everything is returned, or the request is refused."""
    shows_tmpid: bool = False
    """GetAll gives tmpid back (§3.1: the live server doesn't)."""
    empty_key_empties: bool = True
    """A form key sent empty empties the field, or leaves it (§3.2)."""
    unique_phones: tuple[str, ...] = ("MobileNo", "TelNo")
    """Fields whose numbers no two contacts may share, taken together (§3.2); () allows everything."""
    phone_spelling: Literal["digits", "national"] = "digits"
    """Two numbers are the same if their digits are, or if they are without country code and leading zeros too."""
    reports_tax_in_net: bool = False
    """The net amount of a pre-invoice is reported with `tax_percent` on top (§4)."""
    tax_percent: int = 10
    """Used by `reports_tax_in_net`."""
    camel_case: bool = False
    """Every property of every answer in camelCase (§1: read them case-insensitively)."""
    clock_offset: float = 0.0
    """Seconds that the server's clock is ahead of ours; negative if behind."""
    date_header: bool = True
    """Answers carry the header `Date`, by the server's own clock."""
    products: set[str] | None = None
    """Product codes that exist; None: every code that isn't empty."""
    fiscal_year: int = 0
    """Jalali year in which sessions post; 0: the current one."""
    session_seconds: float = 3600.0
    """Life of a session."""
    latency: float = 0.0
    """Seconds before any request is worked on."""
