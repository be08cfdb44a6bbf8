"""The stable words of the program: what is done, why, with which outcome, and how a person decides.

They stand in the state file, in JSON output and in the catalog (chapter `reason`), always the same.
"""

from __future__ import annotations

from enum import StrEnum


class Operation(StrEnum):
    """What a run does about a record."""

    CREATE = "create"
    UPDATE = "update"
    LINK = "link"
    SKIP = "skip"
    REVIEW = "review"
    # the steps of an undo
    RESTORE = "restore"
    DELETE = "delete"
    UNLINK = "unlink"


class Match(StrEnum):
    """How the two sides of a pair were found."""

    MARKER = "marker"
    NUMBER = "number"
    NATIONAL_CODE = "national_code"
    LOOK_UP = "look_up"
    RELINKED = "relinked"
    CREATE = "create"
    RECREATED = "recreated"
    IMPORTED = "imported"
    PERSON = "person"


class Reason(StrEnum):
    """Why a record is put to review, skipped, waits or failed."""

    # customers: questions for a person
    STRANGER = "stranger"
    SEVERAL_CANDIDATES = "several_candidates"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    NUMBER_TWICE = "number_twice"
    NUMBER_TAKEN = "number_taken"
    DOUBLE_IN_CRM = "double_in_crm"
    DOUBLE_IN_FINANCE = "double_in_finance"
    MISSING_IN_FINANCE = "missing_in_finance"
    CONTACT_REPLACED = "contact_replaced"
    MADE_NEW_CONTACT = "made_new_contact"
    CODE_TAKEN = "code_taken"
    NO_NAME = "no_name"
    REFUSED = "refused"
    PHONE_TAKEN = "phone_taken"
    BAD_RECORD = "bad_record"
    UNKNOWN_OUTCOME = "unknown_outcome"
    # documents: questions for a person
    MAY_BE_POSTED = "may_be_posted"
    NO_CUSTOMER = "no_customer"
    NO_ROWS = "no_rows"
    ROW_WITHOUT_PRODUCT = "row_without_product"
    ROW_COUNT_NOT_POSITIVE = "row_count_not_positive"
    ROW_RETURNED = "row_returned"
    ROW_PRICE_NEGATIVE = "row_price_negative"
    ROW_DISCOUNT_WRONG = "row_discount_wrong"
    DISCOUNT_DIFFERS = "discount_differs"
    ADDITIONAL_COSTS = "additional_costs"
    TOTAL_DIFFERS = "total_differs"
    FISCAL_YEAR = "fiscal_year"
    NET_DIFFERS = "net_differs"
    CHANGED_AFTER_POSTING = "changed_after_posting"
    WITHDRAWN_AFTER_POSTING = "withdrawn_after_posting"
    DELETED_AFTER_POSTING = "deleted_after_posting"
    SAME_DOCUMENT = "same_document"
    QUOTE_POSTED_ALREADY = "quote_posted_already"
    DIFFERS_FROM_POSTED_QUOTE = "differs_from_posted_quote"
    DIFFERS_FROM_POSTED_INVOICE = "differs_from_posted_invoice"
    CHANGED_AFTER_DISCARD = "changed_after_discard"
    # documents: links
    SAME_AS_QUOTE = "same_as_quote"
    SAME_AS_INVOICE = "same_as_invoice"
    # skipped: not a failure
    NO_NUMBER = "no_number"
    FOREIGN_NUMBER = "foreign_number"
    ADMIN_USER = "admin_user"
    TEST_RECORD = "test_record"
    INACTIVE = "inactive"
    GONE = "gone"
    OLDER_THAN_SEEN = "older_than_seen"
    DISCARDED = "discarded"
    NOT_NUMBERED = "not_numbered"
    NOT_APPROVED = "not_approved"
    TYPE_NOT_POSTED = "type_not_posted"
    BEFORE_START = "before_start"
    CHANGED_SINCE_PLAN = "changed_since_plan"
    # what an undo leaves for a person
    UNDO_POSTED = "undo_posted"
    UNDO_CONTACT_CREATED = "undo_contact_created"
    UNDO_CONTACT_GONE = "undo_contact_gone"
    UNDO_CHANGED_SINCE = "undo_changed_since"
    UNDO_EDITED_SINCE = "undo_edited_since"
    UNDO_HAS_DOCUMENTS = "undo_has_documents"
    UNDO_IN_DOUBT = "undo_in_doubt"
    # waiting: tried again by itself
    WEBHOOK = "webhook"
    RESOLVED = "resolved"
    CUSTOMER_CODE_UNDECIDED = "customer_code_undecided"
    NO_ACCOUNT_PARTY = "no_account_party"
    CUSTOMER_WITHOUT_NUMBER = "customer_without_number"
    CUSTOMER_UNKNOWN = "customer_unknown"
    CUSTOMER_IN_REVIEW = "customer_in_review"
    CUSTOMER_WAITS = "customer_waits"
    QUOTE_IN_DOUBT = "quote_in_doubt"
    TYPE_STOPPED = "type_stopped"
    TWIN_POSTED = "twin_posted"
    NOT_SEEN = "not_seen"


LINK_IN_DOUBT: frozenset[str] = frozenset(
    {
        Reason.STRANGER, Reason.SEVERAL_CANDIDATES, Reason.NUMBER_TWICE, Reason.NUMBER_TAKEN, Reason.DOUBLE_IN_CRM,
        Reason.DOUBLE_IN_FINANCE, Reason.MISSING_IN_FINANCE, Reason.CONTACT_REPLACED, Reason.MADE_NEW_CONTACT, Reason.CODE_TAKEN,
        Reason.UNKNOWN_OUTCOME, Reason.POSSIBLE_DUPLICATE,
    }
)  # fmt: skip
"""Questions that put a customer's link, or its contact, in doubt: no document is booked on it while one of them is open."""
CONTACT_LOST: frozenset[str] = frozenset({Reason.MISSING_IN_FINANCE, Reason.CONTACT_REPLACED})
"""Questions about a linked customer whose contact is not there any more."""


class AuditOutcome(StrEnum):
    """What one line of the audit trail says about an action."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    MISDIRECTED = "misdirected"
    REVIEW = "review"
    SKIPPED = "skipped"
    WAITS = "waits"
    REFUSED = "refused"


class IntentState(StrEnum):
    """Where an intent stands (see `state.outbox`)."""

    OPEN = "open"
    UNKNOWN = "unknown"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    EXPIRED = "expired"


class Resolution(StrEnum):
    """How a review ended. All but `settled` are ways out that a person chooses."""

    RETRY = "retry"
    LINK = "link"
    RECREATE = "recreate"
    UNLINK = "unlink"
    POSTED = "posted"
    CORRECTED = "corrected"
    DISCARD = "discard"
    SETTLED = "settled"
