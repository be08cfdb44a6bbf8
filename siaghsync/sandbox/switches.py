"""What may be otherwise at another site, as switches of the two worlds. docs/sandbox.md is made from this table.

The worlds stand as live servers were seen to stand; where nobody has looked, a switch has each position (contracts,
marked [vendor], [claimed], [assumed]). A test sets the attributes at any time: `sandbox.crm.page_cap = 50`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints


@dataclass
class CrmSwitches:
    """How this Payamgostar behaves."""

    strict: bool = False
    """Refuses what is not in the documents: unknown and missing properties, other types, too long texts (§1)."""
    pascal_case: bool = False
    """Every property of every answer in PascalCase (§1)."""
    unknown_address: Literal["empty", "404"] = "empty"
    """An address that doesn't exist: 200 with an empty body, or 404 (§1)."""
    missing: set[str] = field(default_factory=set)
    """Endpoints that this version doesn't have, by short name: `quote/sales/find`, `crmobjecttype/search` (§3.2)."""
    date_header: bool = True
    """Answers carry the header `Date`, by the server's own clock (§1)."""
    clock_offset: float = 0.0
    """Seconds that the server's clock is ahead of ours; negative if behind (§1)."""
    date_precision: Literal["ms", "seconds"] = "ms"
    """Fraction of the dates that this server stamps (§1)."""
    licensed: bool = True
    """False: login answers 402 (§2)."""
    token_seconds: float = 7200.0
    """Life of an access token (§2)."""
    max_tries: int = 5
    """Wrong passwords until the account is locked (403, §2)."""
    lock_seconds: float = 900.0
    """Length of a lock, from the last attempt on (§2)."""
    identity_types: Literal["person 1, organization 2", "organization 1, person 2"] = "person 1, organization 2"
    """What the filter `identityType` of identity/search means (§3.1)."""
    search_number: Literal["shown", "empty", "null"] = "shown"
    """`customerNo` in identity/search: the number, or always empty or null (§3.1)."""
    find_refuses: set[str] = field(default_factory=set)
    """What find answers 400 to: the field of a query, such as `modifyDate` and `customerNumber`, or `orders` (§3.2)."""
    find_filters_by_date: bool = True
    """find obeys queries on dates, or passes over them (§3.2)."""
    find_filters_by_number: bool = True
    """find obeys queries on other fields than names and dates, or passes over them (§3.2)."""
    find_orders: bool = True
    """find obeys `orders`, or answers in an order of its own (§3.2)."""
    own_order: Literal["CrmId", "newest", "oldest"] = "CrmId"
    """What find answers in an order of its own is sorted by: by id, or by ModifyDate (§3.2)."""
    find_pages: bool = True
    """find obeys `pageNumber`, or gives its first page each time (§3.2)."""
    find_empty_queries: Literal["all", "none", "400"] = "all"
    """find without queries: every record, none, or a refusal (§3.2)."""
    empty_type_key_means_all: bool = True
    """find without typeKey: all subtypes, or none (§3.2)."""
    find_filters_by_type: bool = True
    """find obeys `typeKey`, or gives every subtype (§3.2)."""
    find_as_of: str | None = None
    """find answers from pages cached at this moment of the CRM (`2026-07-01T10:00:00`); get doesn't (§3.2)."""
    page_cap: int = 500
    """No page of search or find is longer, whatever was asked for (§3.2)."""
    visible_delay: float = 0.0
    """Seconds until a change becomes visible, while it bears the date of when it was asked for (§3.2)."""
    unknown_id: Literal["404", "null", "400", "403", "object", "empty"] = "404"
    """What an unknown id is answered with: that status and an error, or 200 with null, {} or no body (§3.3)."""
    unshown: set[str] = field(default_factory=set)
    """Ids that `get` answers as unknown although lists show them (§3.1, §3.3)."""
    since_means: Literal["from", "utc", "equals"] = "from"
    """What "ModifyDate at least" means: from then on, the value read as UTC, or exactly that date (§3.2)."""
    typeless_type: str = ""
    """The only type that a list of documents shows without a type; "": all (§3.2)."""
    types_from: int = 1
    """The number of the first page of `crmobjecttype/search` (§7)."""
    null_lists: bool = False
    """Lists of a customer that are empty are given as null (§3.4)."""
    answer_key: Literal["crmId", "id"] = "crmId"
    """What `create` and `update` call the id in their answer (§3.5)."""
    creates_nothing: bool = False
    """`create` makes nothing and answers with the all-zero GUID (§3.5)."""
    refuse_double_number: bool = False
    """`create` answers 400 to a customer number that is taken (§3.5)."""
    refuse_doubles: set[str] = field(default_factory=set)
    """What else no two customers may share: of phone, email, name, nationalCode, economicCode (§3.5)."""
    checks_national_codes: bool = False
    """`create` answers 400 to a person's national code with a wrong check digit (§3.5)."""
    automatic_numbers: bool = False
    """A customer that is created without a number gets the largest one given so far, plus one (§6)."""
    unknown_codes: Literal["refuse", "accept"] = "refuse"
    """`create` and `update` with a subtype or category that isn't set up: 400, or taken as it is (§3.5)."""
    update_keeps: bool = True
    """update: fields that are left out are kept, or emptied (§3.5)."""
    details_in_find: Literal["full", "null", "missing"] = "full"
    """Rows of documents in the answers of find (§4)."""
    names_quote: bool = True
    """Invoices carry `relatedQuoteId`, the quote that they were made from, or leave it out (§4)."""
    document_date: str | None = None
    """Date of quotes and invoices that are added without one; None: they have none of their own (§4)."""
    header_discount: Literal["repeats", "on top"] = "repeats"
    """The header's discount is the sum of the rows', or 0 and, if given, on top of them (§4)."""
    whole_rials: bool = False
    """Totals of rows and header are rounded to whole rials (§4)."""
    deletes: Literal["yes", "refuse", "ignore"] = "yes"
    """`delete` takes the record away, is refused with 400, or is accepted and does nothing (§3.5)."""
    document_indexes: dict[str, int] = field(default_factory=lambda: {"quote": 8, "invoice": 5})
    """`crmObjectTypeIndex` of documents, in the list of types too (§4, §7)."""
    state_codes: dict[str, int] = field(
        default_factory=lambda: {"pending": 1, "in force": 2, "rejected": 3, "approved": 4, "numbered": 5}
    )
    """`billableObjectStateIndex` by state; in force is approved and numbered. Only 1 and 2 have been seen (§4)."""
    unnumbered_types: set[str] = field(default_factory=set)
    """Subtypes whose documents never get a number (§4)."""
    unapproved_types: set[str] = field(default_factory=set)
    """Subtypes whose documents need no approval (§4)."""
    webhook_events: Literal["names", "numbers"] = "names"
    """`event` of a webhook: Insert, Update, Delete, or 2, 1, 0 (§5)."""
    webhook_calls: Literal["once", "lost", "doubled", "swapped"] = "once"
    """Webhooks come once each, never, twice each, or each second one before the first (§5)."""
    latency: float = 0.0
    """Seconds before any request is worked on."""


@dataclass
class FinanceSwitches:
    """How this Siagh behaves."""

    strict: bool = False
    """Refuses forms that are not as documented: other keys, other order, other cells, other fixed values (§3.2, §4)."""
    camel_case: bool = False
    """Every property of every answer in camelCase (§1)."""
    date_header: bool = True
    """Answers carry the header `Date`, by the server's own clock."""
    clock_offset: float = 0.0
    """Seconds that the server's clock is ahead of ours; negative if behind."""
    fiscal_year: int = 0
    """Jalali year in which sessions post; 0: the current one (§2)."""
    session_seconds: float = 3600.0
    """Life of a session (§2)."""
    filters: set[str] = field(default_factory=lambda: {"Code", "TelNo"})
    """Properties that GetAll by POST filters by (§3.1)."""
    unknown_filter: Literal["ignore", "refuse"] = "ignore"
    """A filter on any other property: everything is returned, or the request is refused (§3.1)."""
    shows_tmpid: bool = False
    """GetAll gives tmpid back (§3.1: the live server doesn't)."""
    codes_as: Literal["text", "number"] = "text"
    """Gender, CityCode, CountryCode and GeographicCode in GetAll (§3.1)."""
    toward_type_reversed: bool = False
    """`TowardType` in GetAll is true for persons, as one old note has it (§3.1)."""
    account_party: Literal["null", "code", "other"] = "null"
    """`AccountPartyCode` of contacts that were added without one: null, their Code, or a number of its own (§3.1)."""
    ignored_keys: set[str] = field(default_factory=set)
    """Form keys that are accepted but not stored: `tmpid`, `gn_web_users.tmpid`, `gn_web_users.passno` (§3.2)."""
    empty_key_empties: bool = True
    """A form key sent empty empties the field, or leaves it (§3.2)."""
    update_keeps: bool = True
    """An update with fewer keys keeps the fields that it doesn't name, or empties them (§3.2)."""
    shortens: dict[str, int] = field(default_factory=dict)
    """Properties that a form fills and how many letters are silently kept of them: `{"Address": 40}` (§3.2)."""
    drops: dict[str, str] = field(default_factory=dict)
    """Properties that a form fills and the letters that are silently left out of them: `{"Address": "،"}` (§3.2)."""
    unique_phones: tuple[str, ...] = ("MobileNo", "TelNo")
    """Fields whose numbers no two contacts may share; () allows everything (§3.2)."""
    phones_compared: Literal["each", "across"] = "each"
    """A phone is compared with the same field of the others, or with all unique fields (§3.2)."""
    phone_spelling: Literal["exact", "digits", "national"] = "digits"
    """Numbers are compared as written, by their digits, or without country code and leading zeros too (§3.2)."""
    refusals: Literal["full", "short"] = "full"
    """Refusals with all keys as captured, or as the vendor's document shortens them: no ErrorType, no ReturnCode (§3.2)."""
    warning: str = ""
    """A text that comes as `ErrWarning` with every success (§5)."""
    customer_key: Literal["either", "party", "contact"] = "either"
    """`codemoshtari` of a pre-invoice is an account party, a contact's code, or a party if `codecontact` is given (§4)."""
    text_amounts: Literal["read", "refuse"] = "read"
    """Numbers in cells that are sent as strings (§4)."""
    whole_quantities: bool = False
    """The fraction of a quantity is silently cut off (§4)."""
    dashed_suid: Literal["accept", "refuse", "demand"] = "accept"
    """A Suid with dashes; `demand` refuses one without (§4)."""
    error_beside_success: bool = False
    """A success has an entry of the type ErrError beside it (§5)."""
    text_cells: Literal["read", "refuse"] = "read"
    """`vazn`, `hajm` and `radif` that are sent as strings (§4)."""
    script_errors: set[str] = field(default_factory=lambda: {"centre"})
    """What ends in a script error: `centre` (no centre or intermediary), `customer` (an unknown one), `always` (§4)."""
    script_error_saves: bool = False
    """A script error saves the pre-invoice nevertheless (§5)."""
    refuses_other_year: bool = True
    """A pre-invoice of another year than the session's is refused (§4)."""
    reports_tax_in_net: bool = False
    """The net amount of a pre-invoice is reported with `tax_percent` on top (§4)."""
    tax_percent: int = 10
    """Used by `reports_tax_in_net`."""
    untaxed_sale_kinds: set[str] = field(default_factory=set)
    """Kinds of sale (`codenoeeforush`) that `reports_tax_in_net` leaves alone (§4)."""
    products: set[str] | None = None
    """Product codes that exist; None: every code that isn't empty (§4)."""
    latency: float = 0.0
    """Seconds before any request is worked on."""


def parsed(table: type[CrmSwitches] | type[FinanceSwitches], name: str, value: Any) -> Any:
    """A JSON value as the position of a switch. Raises KeyError for an unknown switch, TypeError for no position of it."""
    kind = get_type_hints(table)[name]
    if isinstance(kind, UnionType):
        if value is None:
            return None
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise TypeError(f"{name} is one of {', '.join(map(repr, get_args(kind)))}")
        return value
    if (origin := get_origin(kind)) in (set, tuple):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise TypeError(f"{name} is a list of strings")
        return origin(value)
    if origin is dict:
        if not isinstance(value, dict) or not all(type(each) is int for each in value.values()):
            raise TypeError(f"{name} is an object of integers")
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind and not (kind is float and hasattr(value, "is_finite")):
        raise TypeError(f"{name} is a {kind.__name__}")
    return kind(value)
