"""How fresh and how proven each copy is, against the update cycle that the catalogue declares (红黄灯). Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from huodang.exchange.catalogue.cycles import due_by
from huodang.exchange.lots.values import Holding, Lot, LotState
from huodang.store import shanghai_date


class Light(StrEnum):
    """What a steward sees at a glance; shown with its word, never by colour alone."""

    GREEN = "green"  # 及时且已对账
    YELLOW = "yellow"  # 今日到期，或最近一批未能入库
    RED = "red"  # 逾期
    GREY = "grey"  # 尚未交付，或不定期


@dataclass(frozen=True)
class Freshness:
    """The standing of one copy.

    Attributes:
        cycle: update cycle of the catalogue's entry; empty if the catalogue holds none.
        proven: the newest lot ended with both sides equal.
        due: last day on which the copy is still within its cycle; None if the cycle sets none.
        trouble: why the newest lot wasn't taken; empty if it was.
    """

    resource: str
    agreement_id: str
    provider: str
    cycle: str
    rows: int
    root: str
    proven: bool
    as_of: datetime | None
    taken_at: datetime | None
    due: date | None
    light: Light
    trouble: str


def freshness_of(holding: Holding, newest: Lot | None, cycle: str, today: date) -> Freshness:
    """Judge one copy on a day.

    Args:
        holding: the copy.
        newest: the newest lot of it that has ended; None if none has.
        cycle: as the catalogue declares it, or empty.
        today: the present day.
    """
    due = due_by(cycle, shanghai_date(holding.as_of)) if cycle and holding.as_of is not None else None
    failed = newest is not None and newest.state in (LotState.REFUSED, LotState.ABANDONED)
    return Freshness(
        resource=holding.resource,
        agreement_id=holding.agreement_id,
        provider=holding.provider,
        cycle=cycle,
        rows=holding.rows,
        root=holding.root,
        proven=bool(holding.lot_id) and not (newest is not None and newest.state is LotState.REFUSED),
        as_of=holding.as_of,
        taken_at=holding.taken_at,
        due=due,
        light=_light(holding, due, today, failed=failed),
        trouble=newest.reason if newest is not None and failed else "",
    )


def _light(holding: Holding, due: date | None, today: date, *, failed: bool) -> Light:
    if not holding.lot_id:
        return Light.GREY
    if due is not None and today > due:
        return Light.RED
    if failed or today == due:
        return Light.YELLOW
    return Light.GREEN if due is not None else Light.GREY


_TURN_DAYS = {"realtime": 0, "daily": 1, "weekly": 7, "monthly": 28, "quarterly": 84, "half_yearly": 168, "yearly": 336}
"""Days after which the hub looks for another lot; shorter than the cycle, so that its grace is kept for trouble."""


def is_due(holding: Holding | None, cycle: str, now: datetime, *, realtime_minutes: int) -> bool:
    """Say whether another lot is to be pulled now.

    Args:
        holding: the copy; None if there is none yet.
        cycle: as the catalogue declares it; an irregular one is looked at every day.
        now: the present instant.
        realtime_minutes: how often a copy of a resource that changes at once is brought up to date.
    """
    if holding is None or holding.taken_at is None:
        return True
    if cycle == "realtime":
        return (now - holding.taken_at).total_seconds() >= 60 * realtime_minutes
    return (shanghai_date(now) - shanghai_date(holding.taken_at)).days >= _TURN_DAYS.get(cycle, 1)
