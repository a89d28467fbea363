"""What clues, payees, monthly lists, recoveries and lag look like on the JSON API: money in fen, months as YYYYMM."""

from collections.abc import Callable
from dataclasses import fields
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

import msgspec

from huodang.standards import Money, Month
from huodang.supervision.clues import ClueRow, ClueView, EventChoice
from huodang.supervision.clues.views import EvidenceLine, HistoryLine, OpinionLine, SignalLine
from huodang.supervision.control import Notice
from huodang.supervision.control.paylist_values import Paylist, Totals
from huodang.supervision.recovery import Means, RecoveryRow, RecoveryView
from huodang.supervision.recovery.values import RecoveryChoice, RecoveryHistoryLine
from huodang.supervision.watch import Days, LagLine, PaidRow

Note = Annotated[str, msgspec.Meta(max_length=2000)]
Word = Annotated[str, msgspec.Meta(max_length=500)]
Name = Annotated[str, msgspec.Meta(max_length=128)]
EventName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Day = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]
DayOrNone = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?\Z")]
MonthText = Annotated[str, msgspec.Meta(pattern=r"^(19|20)[0-9]{2}(0[1-9]|1[0-2])\Z")]
Fen = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]

_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "first_month": Month.parse,
    "account_offset": Money,
    "monthly_benefit_offset": Money,
    "amount": Money,
}
"""How what an event on a recovery needs becomes a value of the room."""


class ClueData(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What an event on a clue needs, as `needs` under `may` of the clue tells; see docs/clues.md."""

    investigator: Name = ""
    department: Name = ""
    answer: Literal["", "yes", "no", "unknown"] = ""
    letter: Word = ""
    law: Word = ""
    fact_from: DayOrNone = ""
    meeting: Name = ""
    into: Name = ""
    seen_in_person: Literal["", "yes"] = ""


class ClueMoved(msgspec.Struct, forbid_unknown_fields=True):
    """One event of the transition table of clues."""

    event: EventName
    note: Note = ""
    data: ClueData = msgspec.field(default_factory=ClueData)


class RecoveryData(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What an event on a recovery needs, as `needs` under `may` of the recovery tells; money in fen."""

    served_on: Day | None = None
    moved_on: Day | None = None
    means: Means | None = None
    reference: Name | None = None
    instalments: Annotated[int, msgspec.Meta(ge=1, le=600)] | None = None
    first_month: MonthText | None = None
    account_offset: Fen | None = None
    monthly_benefit_offset: Fen | None = None
    amount: Fen | None = None

    def given(self) -> dict[str, Any]:
        """Give what came, in the values of the room."""
        came = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: _READ.get(name, _same)(value) for name, value in came.items() if value is not None}


class RecoveryMoved(msgspec.Struct, forbid_unknown_fields=True):
    """One event of the transition table of recoveries; revisions and bank files come by command, not here."""

    event: EventName
    note: Note = ""
    data: RecoveryData = msgspec.field(default_factory=RecoveryData)


class PayeeAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Whether this person is paid anywhere, and for which purpose one asks."""

    identity_number: Annotated[str, msgspec.Meta(max_length=64)]
    purpose: Literal["supervision", "audit"]
    case_id: Name = ""


class Clues(msgspec.Struct):
    """Clues, the most pressing first; they name nobody."""

    clues: list[ClueRow]


class StakeShown(msgspec.Struct):
    """What is at stake in one scheme."""

    scheme: str
    months: list[str]
    fen: int


class ClueShown(msgspec.Struct):
    """A clue with signals, opinions, history and what one may do now; values masked as the policy says."""

    row: ClueRow
    identity: str
    stakes: list[StakeShown]
    signals: list[SignalLine]
    witnesses: list[str]
    reason: str
    mille_wrong: int
    opinions: list[OpinionLine]
    evidence: list[EvidenceLine]
    proposed_by: str
    decided_by: str
    fact_from: str
    law: str
    merged_into: str
    history: list[HistoryLine]
    may: list[EventChoice]


class EvidenceShown(msgspec.Struct):
    """One piece of frozen evidence that fits its digest."""

    digest: str
    run_id: str
    frozen_at: datetime
    shown: dict[str, str]


class EvidenceOpened(msgspec.Struct):
    """The frozen evidence of a clue."""

    evidence: list[EvidenceShown]


class NoticeToPerson(msgspec.Struct):
    """What a person was told, each part in Chinese and English, and until when it can be objected to."""

    notice_id: str
    kind: str
    scheme: str
    written_at: datetime
    parts: dict[str, tuple[str, str]]
    object_by: date
    entry_id: str


class NoticesToPerson(msgspec.Struct):
    """What the person was told because of a clue, the oldest first."""

    notices: list[NoticeToPerson]


class PayeeShown(msgspec.Struct):
    """Whether a person is paid; `elsewhere` counts payments outside of one's region, of which nothing is shown."""

    identity_number: str
    paid: bool
    rows: list[PaidRow]
    elsewhere: int
    entry_id: str


class PaylistShown(msgspec.Struct):
    """A monthly list as it was checked; `unjudged` names the clues that keep it from being released."""

    list_id: str
    month: str
    state: str
    digest: str
    totals: Totals
    unjudged: list[str]
    clean: str
    withheld: str
    checked_by: str
    checked_at: datetime
    released_by: str
    released_at: datetime | None
    entry_id: str


class PaylistsShown(msgspec.Struct):
    """Monthly lists, the newest first."""

    paylists: list[PaylistShown]


class RecoveryListed(msgspec.Struct):
    """One recovery in a list; it names nobody, money in fen."""

    recovery_id: str
    matter: str
    scheme: str
    region: str
    cause: str
    debtor: str
    state: str
    state_label: tuple[str, str]
    debt: int
    recovered: int
    written_off: int
    outstanding: int
    opened_at: datetime
    due_on: date | None
    overdue: bool


class RecoveriesListed(msgspec.Struct):
    """Recoveries, what is due first comes first."""

    recoveries: list[RecoveryListed]


class OverpaidShown(msgspec.Struct):
    """One month that was overpaid, with the code of the reason and the law."""

    month: str
    paid: int
    due: int
    code: str
    law: str


class MovementShown(msgspec.Struct):
    """One movement of money; its ledger entry is the receipt."""

    moved_on: date
    means: str
    amount: int
    reference: str
    by: str
    entry_id: str


class PlanShown(msgspec.Struct):
    """What was agreed to come in one month."""

    month: str
    means: str
    amount: int


class RecoveryShown(msgspec.Struct):
    """All of one recovery; number and account masked as the policy says."""

    row: RecoveryListed
    identity_number: str
    bank: str
    account: str
    statement: str
    months: list[OverpaidShown]
    movements: list[MovementShown]
    plan: list[PlanShown]
    history: list[RecoveryHistoryLine]
    may: list[RecoveryChoice]


class LagShown(msgspec.Struct):
    """One department's lag in one month, in days and fen by part of the way; department "" is all together."""

    department: str
    month: str
    deaths: int
    paid: int
    unheld: int
    days: dict[str, Days]
    fen: dict[str, int]
    overpaid: int


class LagsShown(msgspec.Struct):
    """Lines of lag, months in their order."""

    lines: list[LagShown]


def clue_shown(view: ClueView) -> ClueShown:
    """Show a clue."""
    same = {one.name: getattr(view, one.name) for one in fields(view)}
    stakes = [StakeShown(one.scheme, [str(month) for month in one.months], one.fen) for one in view.stakes]
    return ClueShown(**{**same, "stakes": stakes})


def notice_shown(notice: Notice) -> NoticeToPerson:
    """Show a notice without whom it was written to."""
    return NoticeToPerson(
        notice_id=notice.notice_id,
        kind=notice.kind,
        scheme=notice.scheme,
        written_at=notice.written_at,
        parts=dict(notice.parts),
        object_by=notice.object_by,
        entry_id=notice.entry_id,
    )


def paylist_shown(paylist: Paylist) -> PaylistShown:
    """Show a monthly list."""
    same = {one.name: getattr(paylist, one.name) for one in fields(paylist)}
    return PaylistShown(**{**same, "month": str(paylist.month), "unjudged": list(paylist.unjudged)})


def recovery_listed(row: RecoveryRow) -> RecoveryListed:
    """Show a recovery in a list."""
    same = {one.name: _flat(getattr(row, one.name)) for one in fields(row)}
    return RecoveryListed(**{**same, "debtor": row.debtor.value})


def recovery_shown(view: RecoveryView) -> RecoveryShown:
    """Show a recovery."""
    return RecoveryShown(
        row=recovery_listed(view.row),
        identity_number=view.identity_number,
        bank=view.bank,
        account=view.account,
        statement=view.statement,
        months=[OverpaidShown(str(one.month), one.paid.fen, one.due.fen, one.code, one.law) for one in view.months],
        movements=[
            MovementShown(one.moved_on, one.means.value, one.amount.fen, one.reference, one.by, one.entry_id)
            for one in view.movements
        ],
        plan=[PlanShown(str(one.month), one.means, one.amount.fen) for one in view.plan],
        history=list(view.history),
        may=list(view.may),
    )


def lag_shown(line: LagLine) -> LagShown:
    """Show a line of lag."""
    return LagShown(
        department=line.department,
        month=str(line.month),
        deaths=line.deaths,
        paid=line.paid,
        unheld=line.unheld,
        days={span.value: days for span, days in line.days.items()},
        fen={span.value: fen for span, fen in line.fen.items()},
        overpaid=line.overpaid,
    )


def _flat(value: object) -> Any:  # noqa: ANN401  (whatever a row holds)
    return value.fen if isinstance(value, Money) else value


def _same(value: Any) -> Any:  # noqa: ANN401  (whatever came)
    return value
