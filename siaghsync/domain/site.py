"""What differs from site to site about customers: Siagh's codes of places, and where a national code stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from siaghsync.domain.normalize import fold


@dataclass(frozen=True, slots=True)
class Site:
    """The part of the mapping file that is about customers.

    `national_code_property` is the user key of the extended property that holds a national code where the record's own field
    is empty; "" for none. The others are kept for each field of kind PLACE: `codes` the CRM's names in their compared form ->
    Siagh's code, `names` the code -> the name that is written into the CRM.
    """

    national_code_property: str = ""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def code_of(self, place: str, name: str) -> str:
        """Siagh's code of a place by its name, in whatever spelling; "" without one. `place` is `city` and so on."""
        return self.codes.get(place, {}).get(fold(name), "")

    def name_of(self, place: str, code: str) -> str:
        """The CRM's name of a place by its code; "" without one."""
        return self.names.get(place, {}).get(code, "")


NO_SITE = Site()
"""Without a mapping file."""
