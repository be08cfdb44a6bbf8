"""The life of a quote or invoice: pending, approved and numbered in either order, in force, or rejected (payamgostar §4)."""

from __future__ import annotations

from collections import Counter
from typing import Literal, get_args

from siaghsync.sandbox.switches import CrmSwitches
from siaghsync.sandbox.wire import Record

Step = Literal["approved", "numbered", "pending", "rejected"]
STEPS: tuple[Step, ...] = get_args(Step)


class Numbering:
    """Gives documents their numbers: each subtype counts on its own, from 1."""

    def __init__(self, rules: CrmSwitches) -> None:
        self._rules = rules
        self._last: Counter[str] = Counter()

    def after(self, step: Step, record: Record) -> Record:
        """What a step changes in a document."""
        code, number = record["crmObjectTypeCode"], record["number"]
        if step == "numbered" and code not in self._rules.unnumbered_types and not number:
            self._last[code] += 1
            number = str(self._last[code])
        return {
            "number": number,
            "billableObjectStateIndex": self._rules.state_codes[self._state(step, record, number)],
        }

    def _state(self, step: Step, record: Record, number: str) -> str:
        if step in ("pending", "rejected"):
            return step
        code, codes = record["crmObjectTypeCode"], self._rules.state_codes
        before = record["billableObjectStateIndex"] in (codes["approved"], codes["in force"])
        approved = step == "approved" or before or code in self._rules.unapproved_types
        numbered = bool(number) or code in self._rules.unnumbered_types
        if approved and numbered:
            return "in force"
        return "approved" if approved else "numbered" if numbered else "pending"
