"""The settings that decisions about customers depend on."""

from __future__ import annotations

from dataclasses import dataclass

from siaghsync.domain.numbering import NumberScheme


@dataclass(frozen=True, slots=True)
class PlanRules:
    """CUSTOMER_NUMBER_* as `scheme`, FINANCE_NOTE_MARKER as `mark`, CRM_CATEGORY and IMPORT_INACTIVE."""

    scheme: NumberScheme
    mark: bool = True
    category: str = ""
    import_inactive: bool = False
