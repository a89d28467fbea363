"""What the guards and effects in the table of control mean."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from huodang.archive import PaymentDraft, PaymentKind
from huodang.standards import BadValue, IdentityNumber, Money, Month, code_table
from huodang.store import jobs
from huodang.supervision.clues import ClueRecord, Judgement, Measure, Outcome, matter_label, may_hold
from huodang.supervision.control import records
from huodang.supervision.control.engine import Change, Effect, Guard
from huodang.supervision.control.errors import ControlGuardError
from huodang.supervision.control.grounds import (
    BASIS_LABELS,
    HOLD,
    STOP,
    Basis,
    Ended,
    Ground,
    grounds_of,
    month_begins,
    standing,
)

HOLD_END_JOB: Final = "control.hold_end"
_HOLD_EVENTS: Final = frozenset({"lapse", "release"})


def guards() -> Mapping[str, Guard]:
    """Give the conditions by name."""
    return {
        "justified_hold": _justified_hold,
        "never_held_before": _never_held_before,
        "hold_is_over": _hold_is_over,
        "hold_not_justified": _hold_not_justified,
        "has_hold": _has_hold,
        "has_stop": _has_stop,
        "has_ground": _has_ground,
        "another_hold": lambda change: _another(change, HOLD),
        "another_stop": lambda change: _another(change, STOP),
        "justified_stop": _justified_stop,
        "stop_not_justified": _stop_not_justified,
        "stop_by_signals": _stop_by_signals,
        "note_given": _note_given,
        "month_given": _month_given,
    }


def effects() -> Mapping[str, Effect]:
    """Give what is done, by name."""
    return {
        "begin_hold": _begin_hold,
        "begin_stop": _begin_stop,
        "end_ground": _end_ground,
        "end_from_month": _end_from_month,
        "pay_back": _pay_back,
        "uphold": _uphold,
        "escalate": lambda change: change.desk.clues.escalate_lapsed(change.connection, change.clue.clue_id),
        "tell_held": lambda change: _tell(change, "held", str(Month.of(change.today) + 1)),
        "tell_lapsed": lambda change: _tell(change, "lapsed"),
        "tell_released": lambda change: _tell(change, "released"),
        "tell_stopped": lambda change: _tell(change, "stopped", str(change.data["from_month"])),
        "tell_restored": lambda change: _tell(change, "restored"),
        "tell_resumed": lambda change: _tell(change, "resumed", str(change.data["month"])),
    }


def desired(clue: ClueRecord, judgement: Judgement) -> str:
    """Say what a clue asks of its payments now: `stop`, `hold` or nothing. A person's decision comes before signals."""
    if not may_hold(clue.matter):
        return ""
    if clue.outcome:
        return STOP if clue.outcome == Outcome.CONFIRMED else ""
    return {Measure.STOP: STOP, Measure.HOLD: HOLD}.get(judgement.measure, "")


def _wanted(change: Change) -> str:
    return desired(change.clue, change.desk.clues.judgement(change.connection, change.clue.clue_id))


def _justified_hold(change: Change) -> ControlGuardError | None:
    if _wanted(change) == HOLD:
        return None
    return _no("justified_hold", "现有线索不足以暂停，或应当终止", "the signals don't justify a hold, or justify more")


def _never_held_before(change: Change) -> ControlGuardError | None:
    if not any(one.kind == HOLD and one.clue_id == change.clue.clue_id for one in change.grounds):
        return None
    return _no("never_held_before", "同一疑点只能暂停一次", "a clue holds a payment once at most")


def _hold_is_over(change: Change) -> ControlGuardError | None:
    own = _own(change, HOLD)
    if own is not None and own.until_month is not None and own.until_month < Month.of(change.today):
        return None
    return _no("hold_is_over", "暂停的这一期还没有过去", "the payment on hold isn't past yet")


def _hold_not_justified(change: Change) -> ControlGuardError | None:
    if _wanted(change) != HOLD:
        return None
    return _no("hold_not_justified", "暂停的理由仍然成立", "the hold is still justified")


def _has_hold(change: Change) -> ControlGuardError | None:
    return None if _own(change, HOLD) else _no("has_hold", "该疑点没有暂停这项待遇", "this clue holds nothing")


def _has_stop(change: Change) -> ControlGuardError | None:
    return None if _own(change, STOP) else _no("has_stop", "该疑点没有终止这项待遇", "this clue stops nothing")


def _month_given(change: Change) -> ControlGuardError | None:
    if isinstance(change.data.get("month"), Month):
        return None
    return _no("month_given", "请写明从哪个月起续发", "name the month from which it is paid")


def _has_ground(change: Change) -> ControlGuardError | None:
    if _own(change, HOLD) or _own(change, STOP):
        return None
    return _no("has_ground", "该疑点没有暂停或终止这项待遇", "this clue neither holds nor stops the payment")


def _justified_stop(change: Change) -> ControlGuardError | None:
    """Two independent witnesses now, or a decision by two people; a stop that a person let go isn't made again."""
    basis = change.data.get("basis")
    if basis == Basis.DECISION and change.clue.outcome == Outcome.CONFIRMED and _wanted(change) == STOP:
        return None
    judgement = change.desk.clues.judgement(change.connection, change.clue.clue_id)
    let_go = any(one.ended_why == Ended.LET_GO and one.clue_id == change.clue.clue_id for one in change.grounds)
    if (
        basis == Basis.SIGNALS
        and not change.clue.outcome
        and judgement.measure is Measure.STOP
        and len(judgement.witnesses) > 1
        and not let_go
    ):
        return None
    return _no(
        "justified_stop",
        "终止须有两个独立来源，或经两人认定",
        "a stop needs two independent witnesses, or a decision by two people",
    )


def _stop_not_justified(change: Change) -> ControlGuardError | None:
    own = _own(change, STOP)
    if own is None or _wanted(change) == STOP:
        return _no("stop_not_justified", "终止的理由仍然成立", "the stop is still justified")
    return None


def _stop_by_signals(change: Change) -> ControlGuardError | None:
    own = _own(change, STOP)
    if own is not None and own.basis is Basis.SIGNALS:
        return None
    return _no(
        "stop_by_signals",
        "经认定的终止须先重新核查疑点",
        "a stop that was decided is undone by reopening its clue",
    )


def _note_given(change: Change) -> ControlGuardError | None:
    if len(change.note) >= 2 and "\0" not in change.note:
        return None
    return _no("note_given", "请写明理由（note）", "give the reason (`note`)")


def _another(change: Change, kind: str) -> ControlGuardError | None:
    if any(one.clue_id != change.clue.clue_id for one in standing(change.grounds, kind)):
        return None
    return _no(f"another_{kind}", "没有其他疑点暂停或终止这项待遇", "no other clue holds or stops this payment")


def _own(change: Change, kind: str) -> Ground | None:
    return next(iter(standing(change.grounds, kind, change.clue.clue_id)), None)


def _no(guard: str, chinese: str, english: str) -> ControlGuardError:
    return ControlGuardError(guard, chinese, english)


def _begin_hold(change: Change) -> None:
    month = Month.of(change.today) + 1
    number = _insert(change, HOLD, Basis.ONE_SOURCE, month, month)
    jobs.enqueue(
        change.connection,
        HOLD_END_JOB,
        {"ground": number},
        run_at=month_begins(month + 1),
        key=f"{HOLD_END_JOB}:{number}",
    )


def _begin_stop(change: Change) -> None:
    """Stop, and end the clue's own hold; a stop by signals that is decided now is written anew with its basis."""
    for kind in (HOLD, STOP):
        if own := _own(change, kind):
            _end(change, own, Ended.STOPPED)
    _insert(change, STOP, change.data["basis"], change.data["from_month"], None)


def _insert(change: Change, kind: str, basis: Basis, first: Month, last: Month | None) -> int:
    decided = basis is Basis.DECISION
    made = change.connection.execute(
        sa.insert(records.ground)
        .values(
            clue_id=change.clue.clue_id,
            person_index=change.person_index,
            scheme=change.scheme,
            kind=kind,
            basis=basis.value,
            from_month=first,
            until_month=last,
            begun_at=change.now,
            judged_by=change.clue.row["decided_by"] if decided else "",
            judged_at=change.now if decided else None,
            ended_why="",
        )
        .returning(records.ground.c.number)
    )
    return int(made.scalar_one())


def _end_ground(change: Change) -> None:
    kind = HOLD if change.event in _HOLD_EVENTS else STOP
    by_person = change.actor.role != "system"
    why = {
        "lapse": Ended.LAPSED,
        "release": Ended.LET_GO if by_person else Ended.RELEASED,
        "restore": Ended.LET_GO if by_person else Ended.RESTORED,
    }[change.event]
    for own in standing(change.grounds, kind, change.clue.clue_id):
        _end(change, own, why)


def _end_from_month(change: Change) -> None:
    for own in standing(change.grounds, STOP, change.clue.clue_id):
        _end(change, own, Ended.RESUMED, until=change.data["month"] - 1)


def _end(change: Change, ground: Ground, why: Ended, *, until: Month | None = None) -> None:
    values: dict[str, Any] = {"ended_at": change.now, "ended_why": why.value}
    if until is not None:
        values["until_month"] = until
    table = records.ground
    change.connection.execute(sa.update(table).where(table.c.number == ground.number).values(**values))


def _uphold(change: Change) -> None:
    table = records.ground
    change.connection.execute(
        sa.update(table)
        .where(
            table.c.clue_id == change.clue.clue_id,
            table.c.person_index == change.person_index,
            table.c.scheme == change.scheme,
            table.c.ended_at.is_(None),
            table.c.judged_by == "",
        )
        .values(judged_by=change.actor.user_id, judged_at=change.now)
    )


def _pay_back(change: Change) -> None:
    """Pay back every month withheld that no ground covers any more, to the fen; each once."""
    table, connection = records.withheld, change.connection
    now_standing = grounds_of(connection, change.person_index, change.scheme)
    rows = connection.execute(
        sa.select(table)
        .where(
            table.c.person_index == change.person_index,
            table.c.scheme == change.scheme,
            table.c.paid_back_at.is_(None),
        )
        .order_by(table.c.number)
    ).all()
    by_month: dict[Month, list[Any]] = {}
    for row in rows:
        if not any(ground.covers(row.month) for ground in now_standing):
            by_month.setdefault(row.month, []).append(row)
    for month in sorted(by_month):
        lines = by_month[month]
        fen = sum(line.fen for line in lines)
        number = change.desk.clues.identity_number(connection, change.clue.clue_id)
        draft = PaymentDraft(
            identity_number=IdentityNumber.parse(number),
            scheme=change.scheme,
            month=month,
            amount=Money(fen),
            case_id=lines[0].clue_id,
            parts={"withheld": Money(fen)},
        )
        record = change.desk.payments.record(connection, draft, PaymentKind.BACK_PAY)
        connection.execute(
            sa.update(table)
            .where(table.c.number.in_([line.number for line in lines]))
            .values(paid_back_at=change.now, payment_id=record.id)
        )
        change.paid_back[str(month)] = fen


def _tell(change: Change, kind: str, month: str = "") -> None:
    matter = matter_label(change.clue.matter)
    basis = BASIS_LABELS.get(change.data.get("basis", ""), ("", ""))
    try:
        scheme = code_table("scheme").meaning(change.scheme)
    except BadValue:
        scheme = change.scheme
    months = "、".join(Month.parse(one).iso for one in sorted(change.paid_back)) or "—"
    change.notice_id = change.desk.notices.write(
        change.connection,
        kind,
        change.person_index,
        scheme=change.scheme,
        clue_id=change.clue.clue_id,
        values={
            "scheme": scheme,
            "scheme_en": f"scheme {change.scheme}",
            "matter": matter[0],
            "matter_en": matter[1],
            "month": Month.parse(month).iso if month else "",
            "months": months,
            "amount": Money(sum(change.paid_back.values())).text,
            "basis": basis[0],
            "basis_en": basis[1],
        },
    )
