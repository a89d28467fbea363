"""Why a payment is held or stopped: its grounds, the months they cover, from which month the law stops. Reads only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.pension import Custody, PaymentAction, payment_effect_of_custody, payment_effect_of_death
from huodang.standards import Month
from huodang.store import SHANGHAI
from huodang.supervision.clues import Signal
from huodang.supervision.control import records

HOLD, STOP = "hold", "stop"


class Basis(StrEnum):
    """What a ground rests on."""

    ONE_SOURCE = "one_source"  # 单一来源
    SIGNALS = "signals"  # 两个独立来源
    DECISION = "decision"  # 两个人的认定，或联席会议裁定


BASIS_LABELS = {
    Basis.ONE_SOURCE: ("一个登记部门的记录，尚未核实。", "The record of one register, not verified yet."),
    Basis.SIGNALS: (
        "两个互不抄录的登记部门各有记录。",
        "Two registers that don't copy one another each have a record.",
    ),
    Basis.DECISION: ("经核查、复核认定。", "It was verified and confirmed by two people."),
}


class Ended(StrEnum):
    """Why a ground ended."""

    LAPSED = "lapsed"
    RELEASED = "released"
    LET_GO = "let_go"
    STOPPED = "stopped"
    RESTORED = "restored"
    RESUMED = "resumed"


@dataclass(frozen=True)
class Ground:
    """One hold or stop of a payment.

    Attributes:
        kind: `hold` or `stop`.
        from_month, until_month: the payments it covers; None: without end.
        judged_by: who upheld it; empty while nobody has.
        ended_why: see `Ended`; empty while it stands.
    """

    number: int
    clue_id: str
    person_index: str
    scheme: str
    kind: str
    basis: Basis
    from_month: Month
    until_month: Month | None
    begun_at: datetime
    judged_by: str
    judged_at: datetime | None
    ended_at: datetime | None
    ended_why: str

    @property
    def stands(self) -> bool:
        """Whether it hasn't ended."""
        return self.ended_at is None

    def covers(self, month: Month) -> bool:
        """Say whether the payment for a month is rightly withheld on this ground, as things are now.

        What has ended covers nothing any more, except a stop whose reason was over from some month on: until then.
        """
        if not self.stands and self.ended_why != Ended.RESUMED:
            return False
        return self.from_month <= month and (self.until_month is None or month <= self.until_month)


def grounds_of(connection: Connection, person_index: str, scheme: str) -> list[Ground]:
    """List every ground that a payment ever had, the oldest first."""
    table = records.ground
    return _list(connection, (table.c.person_index == person_index) & (table.c.scheme == scheme))


def grounds_of_clue(connection: Connection, clue_id: str) -> list[Ground]:
    """List every ground that a clue ever gave, the oldest first."""
    return _list(connection, records.ground.c.clue_id == clue_id)


def standing_grounds(connection: Connection) -> list[Ground]:
    """List every ground that stands, in all payments."""
    return _list(connection, records.ground.c.ended_at.is_(None))


def _list(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Ground]:
    table = records.ground
    rows = connection.execute(sa.select(table).where(condition).order_by(table.c.number))
    return [_read(row) for row in rows]


def _read(row: sa.Row[Any]) -> Ground:
    return Ground(
        number=row.number,
        clue_id=row.clue_id,
        person_index=row.person_index,
        scheme=row.scheme,
        kind=row.kind,
        basis=Basis(row.basis),
        from_month=row.from_month,
        until_month=row.until_month,
        begun_at=row.begun_at,
        judged_by=row.judged_by,
        judged_at=row.judged_at,
        ended_at=row.ended_at,
        ended_why=row.ended_why,
    )


def standing(grounds: Iterable[Ground], kind: str, clue_id: str = "") -> list[Ground]:
    """Pick the grounds of a kind that stand, of one clue or of all."""
    return [one for one in grounds if one.stands and one.kind == kind and clue_id in {"", one.clue_id}]


def lawful_stop(matter: str, fact_from: str, signals: Sequence[Signal], today: date) -> Month | None:
    """Say from which month on nothing is due; None where the law pays on (probation, serving outside prison).

    Without a known day it is the month after this one: nothing that may be due is withheld.

    Source: `pension.payment_effect_of_death` and `payment_effect_of_custody`, with the law they name.
    """
    following = Month.of(today) + 1
    day = _day(fact_from)
    if day is None:
        return following
    if matter == "death":
        return payment_effect_of_death(day).from_month
    if matter == "custody":
        told = {one.fact.get("sentence_type", "") for one in signals} & {one.value for one in Custody}
        kind = Custody(min(told)) if len(told) == 1 else Custody.PRISON
        effect = payment_effect_of_custody(kind, day)
        return effect.from_month if effect.action is not PaymentAction.PAY else None
    return following


def month_begins(month: Month) -> datetime:
    """Give the first instant of a month, as it is in Beijing."""
    return datetime(month.year, month.month, 1, tzinfo=SHANGHAI)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
