"""Looking at corrections: lists without values, one correction with what the policy lets the onlooker see."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.decisions import Action, Actor, Decision, DecisionRequest, decide
from huodang.exchange.looks import Looks
from huodang.exchange.sharing import records
from huodang.exchange.sharing.copies import CopyKeeper
from huodang.exchange.sharing.correction_states import CORRECTION
from huodang.exchange.sharing.correction_steps import IDENTITY, CorrectionSteps, ForgetAnswers
from huodang.exchange.sharing.doubts import Doubts
from huodang.exchange.sharing.engine import Engine, may_see, unknown
from huodang.exchange.sharing.matters import CORRECTION_PURPOSE, PURPOSE, Desk, Matter
from huodang.exchange.sharing.notices import NoticeBook, NoticeRow, read_notice
from huodang.exchange.sharing.views import (
    EventChoice,
    HistoryLine,
    OverdueLine,
    Standing,
    choices,
    history_of,
    matters_seen_by,
    overdue_lines,
    standing_of,
)
from huodang.store import Database
from huodang.trust import SignedEnvelope

_VALUES = ("received", "believed", "corrected")


@dataclass(frozen=True)
class CorrectionRow:
    """A correction in a list; it names nobody.

    Attributes:
        kind: `correction`, `announcement` (the provider's own) or `recall` (of a whole delivery).
    """

    correction_id: str
    kind: str
    consumer: str
    provider: str
    resource: str
    element: str
    raised_at: datetime
    standing: Standing


@dataclass(frozen=True)
class CorrectionView:
    """A correction as one of its sides sees it.

    Attributes:
        values: identity number, received, believed, corrected value, whole, masked or hidden as the policy says.
        evidence: SHA-256 of the evidence.
        reference: the delivery by which the value came.
        decided: record of the joint meeting.
        may: what the one who looks may do now.
    """

    row: CorrectionRow
    origin: str
    reference: str
    evidence: str
    values: Mapping[str, str]
    in_force_from: date | None
    decided: str
    notices: tuple[NoticeRow, ...]
    history: tuple[HistoryLine, ...]
    may: tuple[EventChoice, ...]


class CorrectionReader(Doubts):
    """Shows corrections and notices.

    Args:
        database: the hub's.
        desk: ledger, sealer, clock and terms.
        looks: where seeing a value in doubt is recorded.
        keepers: the delivery modes' copies.
        notices: writes what consumers are told.
    """

    def __init__(
        self,
        database: Database,
        desk: Desk,
        looks: Looks,
        keepers: Sequence[CopyKeeper],
        notices: NoticeBook,
        *,
        forget_answers: ForgetAnswers,
    ) -> None:
        super().__init__(desk.sealer)
        self._database = database
        self._desk = desk
        self._looks = looks
        self._keepers = {one.origin: one for one in keepers}
        self._notices = notices
        self._steps = CorrectionSteps(desk, keepers, notices, forget_answers)
        self._engine = Engine(
            CORRECTION,
            records.correction,
            records.correction_history,
            self._steps.guards(),
            self._steps.effects(),
            desk,
        )

    def notices(self, actor: Actor, *, open_only: bool = False, limit: int = 100) -> list[NoticeRow]:
        """List what the actor's department was told, the newest first."""
        if not decide(
            DecisionRequest(actor, Action.ACKNOWLEDGE_NOTICE, PURPOSE, department=actor.department)
        ).permitted:
            return []
        table = records.notice
        statement = sa.select(table).where(table.c.consumer == actor.department).order_by(table.c.issued_at.desc())
        if open_only:
            statement = statement.where(table.c.acknowledged_at.is_(None))
        with self._database.read() as connection:
            return [_notice_row(row) for row in connection.execute(statement.limit(limit))]

    def notice(self, actor: Actor, notice_id: str) -> SignedEnvelope:
        """Give a notice as it was signed, for the actor's department to keep and to open with its own key.

        Raises:
            UnknownMatterError: there is no such notice, or it is another department's.
        """
        with self._database.read() as connection:
            table = records.notice
            row = connection.execute(sa.select(table).where(table.c.notice_id == notice_id)).one_or_none()
        department = "" if row is None else row.consumer
        if (
            row is None
            or not decide(DecisionRequest(actor, Action.ACKNOWLEDGE_NOTICE, PURPOSE, department=department)).permitted
        ):
            raise unknown(notice_id)
        return read_notice(row.envelope)[1]

    def view(self, actor: Actor, correction_id: str) -> CorrectionView:
        """Show a correction; values as the policy says, and then a look is recorded.

        Raises:
            UnknownMatterError: there is none, or it isn't the actor's to see.
        """
        with self._database.begin() as connection:
            matter = self._engine.load(connection, correction_id)
            if not may_see(actor, matter):
                raise unknown(correction_id)
            return self._view(connection, matter, actor)

    def corrections(self, actor: Actor, *, state: str | None = None, limit: int = 100) -> list[CorrectionRow]:
        """List the corrections that the actor may know of, the newest first; no values."""
        with self._database.read() as connection:
            found = matters_seen_by(self._engine, connection, actor, state=state, limit=limit)
            return [self._row(one) for one in found]

    def overdue(self, actor: Actor) -> list[OverdueLine]:
        """List what is overdue and by whom, of the corrections that the actor may know of."""
        with self._database.read() as connection:
            return overdue_lines(self._engine, connection, actor, self._desk.clock.today(), self._desk.terms)

    def _row(self, matter: Matter) -> CorrectionRow:
        row = matter.row
        return CorrectionRow(
            correction_id=matter.matter_id,
            kind=row["kind"],
            consumer=matter.consumer,
            provider=matter.provider,
            resource=matter.resource,
            element=row["element"],
            raised_at=row["raised_at"],
            standing=standing_of(self._engine, matter, self._desk.clock.today(), self._desk.terms),
        )

    def _view(self, connection: Connection, matter: Matter, actor: Actor) -> CorrectionView:
        row, table = matter.row, records.notice
        told = connection.execute(
            sa.select(table).where(table.c.correction_id == matter.matter_id).order_by(table.c.consumer)
        )
        return CorrectionView(
            row=self._row(matter),
            origin=row["origin"],
            reference=row["reference"],
            evidence=row["evidence"],
            values=self._shown(connection, matter, actor),
            in_force_from=row["in_force_from"],
            decided=row["decided"],
            notices=tuple(_notice_row(one) for one in told),
            history=tuple(history_of(self._engine, connection, matter.matter_id)),
            may=tuple(choices(self._engine, matter, actor)),
        )

    def _shown(self, connection: Connection, matter: Matter, actor: Actor) -> dict[str, str]:
        """Open the values for one who may see them, and record that look; nobody else gets any."""
        element = matter.row["element"]
        if not element:
            return {}
        # Own side only: of the other department's staff nobody sees more than that there is a correction.
        decision = decide(
            DecisionRequest(
                actor,
                Action.VIEW_CORRECTION,
                CORRECTION_PURPOSE,
                (IDENTITY, element),
                department=actor.department if actor.department in {matter.consumer, matter.provider} else "",
                assigned=matter.row["raised_by"] == actor.user_id,
            )
        )
        if not decision.permitted:
            return {}
        self._look(connection, actor, matter.matter_id, matter.row["subject_index"], element, decision, matter.resource)
        shown = {name: decision.show(element, self._steps.open_value(matter, name)) for name in _VALUES}
        shown["identity"] = decision.show(IDENTITY, self._steps.open_value(matter, "identity"))
        return {name: value for name, value in shown.items() if name == "identity" or matter.row[name]}

    def _look(  # noqa: PLR0917  (one look has so many sides)
        self,
        connection: Connection,
        actor: Actor,
        correction_id: str,
        subject_index: str,
        element: str,
        decision: Decision,
        resource: str,
    ) -> None:
        self._looks.record(
            connection,
            actor=actor,
            purpose=CORRECTION_PURPOSE,
            case_id=correction_id,
            subject_index=subject_index,
            elements=decision.elements or (element,),
            decision=decision,
            what=resource,
        )


def _notice_row(row: sa.Row[Any]) -> NoticeRow:
    notice, _ = read_notice(row.envelope)
    return NoticeRow(
        notice_id=row.notice_id,
        correction_id=row.correction_id,
        kind=notice.kind,
        resource=notice.resource,
        element=notice.element,
        consumer=row.consumer,
        copies=tuple((origin, reference) for origin, reference in json.loads(row.copies)),
        reason=notice.reason,
        issued_at=row.issued_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
    )
