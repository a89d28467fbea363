"""What the names in the correction's table mean: guards and effects."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.sharing import records
from huodang.exchange.sharing.copies import Copy, CopyKeeper
from huodang.exchange.sharing.demand_steps import (
    decision_recorded,
    escalate,
    note_given,
    reason_and_law_given,
    record_decision,
)
from huodang.exchange.sharing.errors import SharingGuardError
from huodang.exchange.sharing.matters import Change, Desk, Effect, Guard, Matter
from huodang.exchange.sharing.notices import NoticeBook

IDENTITY: Final = "identity_number"
LONGEST_VALUE: Final = 500


class ForgetAnswers(Protocol):
    """Lets no recorded answer of a resource, or none of it about one person, be used again: `Exchange`."""

    def __call__(self, connection: Connection, *, resource: str, identity_number: str | None = None) -> int:
        """Forget them in the caller's transaction; give how many."""


class CorrectionSteps:
    """Guards and effects of corrections."""

    def __init__(
        self, desk: Desk, keepers: Sequence[CopyKeeper], notices: NoticeBook, forget_answers: ForgetAnswers
    ) -> None:
        self._desk = desk
        self._forget = forget_answers
        self._keepers = {one.origin: one for one in keepers}
        self._notices = notices

    def guards(self) -> Mapping[str, Guard]:
        """Give the conditions by name."""
        return {
            "note_given": note_given,
            "reason_and_law_given": reason_and_law_given,
            "decision_recorded": decision_recorded,
            "corrected_value_given": self._corrected_value_given,
            "all_acknowledged": self._all_acknowledged,
        }

    def effects(self) -> Mapping[str, Effect]:
        """Give what is done, by name."""
        return {
            "keep_corrected_value": self._keep_corrected_value,
            "forget_answers": self._forget_answers,
            "tell_consumers": self._tell_consumers,
            "recall_delivery": self._recall_delivery,
            "record_decision": record_decision,
            "escalate": escalate,
        }

    def open_value(self, matter: Matter, name: str) -> str:
        """Open one sealed value of a correction: `identity`, `received`, `believed` or `corrected`."""
        element = IDENTITY if name == "identity" else matter.row["element"]
        sealed = matter.row[name]
        return self._desk.sealer.open(element, sealed, seat(matter.matter_id, name)) if sealed else ""

    def seal_value(self, correction_id: str, element: str, name: str, text: str) -> str:
        """Seal one value of a correction."""
        sealed_as = IDENTITY if name == "identity" else element
        return self._desk.sealer.seal(sealed_as, text, seat(correction_id, name)) if text else ""

    def copies_of(self, change: Change) -> list[Copy]:
        """List every copy that the correction or recall concerns."""
        matter = change.matter
        if matter.row["kind"] == "recall":
            keeper = self._keepers[matter.row["origin"]]
            return keeper.of_delivery(change.connection, matter.resource, matter.row["reference"])
        subject, element = matter.row["subject_index"], matter.row["element"]
        return [
            copy
            for keeper in self._keepers.values()
            for copy in keeper.copies(change.connection, matter.resource, subject, element)
        ]

    def _corrected_value_given(self, change: Change) -> SharingGuardError | None:
        value = change.text("corrected")
        if value and len(value) <= LONGEST_VALUE and _day(change.text("in_force_from")) is not None:
            return None
        return SharingGuardError(
            "corrected_value_given",
            "请写明更正后的值（corrected）和生效日期（in_force_from，如 2025-03-03）",
            "give the corrected value (`corrected`) and the day from which it holds (`in_force_from`, as 2025-03-03)",
        )

    def _all_acknowledged(self, change: Change) -> SharingGuardError | None:
        table = records.notice
        open_notices = connection_count(change, table.c.acknowledged_at.is_(None))
        if not open_notices:
            return None
        return SharingGuardError(
            "all_acknowledged", "还有使用方没有确认", "a consumer hasn't acknowledged its notice yet"
        )

    def _keep_corrected_value(self, change: Change) -> None:
        matter = change.matter
        value = change.text("corrected")
        change.updates |= {
            "corrected": self.seal_value(matter.matter_id, matter.row["element"], "corrected", value),
            "in_force_from": _day(change.text("in_force_from")),
            "accepted_at": change.now,
        }

    def _forget_answers(self, change: Change) -> None:
        """Have everybody asked anew: a kept answer may rest on what was wrong, whichever element it names."""
        matter = change.matter
        about = None if matter.row["kind"] == "recall" else self.open_value(matter, "identity")
        self._forget(change.connection, resource=matter.resource, identity_number=about)

    def _tell_consumers(self, change: Change) -> None:
        matter = change.matter
        told: dict[str, str] = {}
        if matter.row["kind"] != "recall":
            told = {
                IDENTITY: self.open_value(matter, "identity"),
                "received": self.open_value(matter, "received"),
                "corrected": change.text("corrected"),
                "in_force_from": change.text("in_force_from"),
            }
        self._notices.tell(change.connection, matter, self.copies_of(change), told, change.note, change.now)

    def _recall_delivery(self, change: Change) -> None:
        row = change.matter.row
        self._keepers[row["origin"]].recall(change.connection, row["reference"], change.now)
        change.updates["accepted_at"] = change.now


def connection_count(change: Change, condition: sa.ColumnElement[bool]) -> int:
    """Count the notices of a correction that fulfil a condition."""
    table = records.notice
    return change.connection.execute(
        sa.select(sa.func.count()).select_from(table).where(table.c.correction_id == change.matter.matter_id, condition)
    ).scalar_one()


def seat(correction_id: str, name: str) -> str:
    """Name the place that a sealed value is bound to."""
    return f"{correction_id}:{name}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
