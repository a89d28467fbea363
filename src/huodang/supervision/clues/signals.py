"""The signals of a clue as they are kept, what is believed of registers, and the judgement that follows."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.standards import Month
from huodang.supervision.clues import records
from huodang.supervision.clues.clue_record import FACT, SIGNAL, Desk
from huodang.supervision.clues.matters import may_hold
from huodang.supervision.clues.measures import Judgement, Measure, Rates, judge
from huodang.supervision.clues.values import Signal, Stake, Stance
from huodang.trust import FieldSealer, canonical_json


def signals_of(connection: Connection, sealer: FieldSealer, clue_id: str) -> tuple[Signal, ...]:
    """Give the signals of a clue that stand, the first known first."""
    table = records.signal
    rows = connection.execute(
        sa.select(table)
        .where(table.c.clue_id == clue_id, table.c.withdrawn_at.is_(None))
        .order_by(table.c.known_at, table.c.number)
    )
    return tuple(
        Signal(
            register=row.register,
            kind=row.kind,
            fact=json.loads(sealer.open(FACT, row.fact, _seat(clue_id, row.digest))),
            digest=row.digest,
            confirmed=row.confirmed,
            fuzzy=row.fuzzy,
            known_at=row.known_at,
            stance=Stance(row.stance),
            copy_of=row.copy_of,
        )
        for row in rows
    )


def keyed(sealer: FieldSealer, digest: str) -> str:
    """Give a digest as it is kept: under a key, so that nobody guesses a record from the database."""
    return sealer.blind_index(SIGNAL, digest)


def with_keys(sealer: FieldSealer, signals: Sequence[Signal]) -> list[Signal]:
    """Give signals with their digests as they are kept."""
    return [replace(one, digest=keyed(sealer, one.digest)) for one in signals]


def add_signals(
    connection: Connection, sealer: FieldSealer, clue_id: str, signals: Sequence[Signal], now: datetime
) -> int:
    """Keep those signals, digests under key, that the clue doesn't have yet; give their number.

    A signal known as a likeness that comes again by number, or confirmed, takes the surer form.
    """
    table = records.signal
    had = {
        row.digest: row
        for row in connection.execute(
            sa.select(table.c.digest, table.c.fuzzy, table.c.confirmed).where(table.c.clue_id == clue_id)
        )
    }
    added = 0
    for one in dict.fromkeys(signal.digest for signal in signals):
        signal = next(each for each in signals if each.digest == one)
        if one not in had:
            connection.execute(
                sa.insert(table).values(
                    clue_id=clue_id,
                    register=signal.register,
                    kind=signal.kind,
                    stance=signal.stance.value,
                    digest=one,
                    copy_of=signal.copy_of,
                    confirmed=signal.confirmed,
                    fuzzy=signal.fuzzy,
                    fact=sealer.seal(FACT, canonical_json(dict(signal.fact)).decode(), _seat(clue_id, one)),
                    known_at=signal.known_at,
                    added_at=now,
                    counted="",
                )
            )
            added += 1
        elif (had[one].fuzzy and not signal.fuzzy) or (signal.confirmed and not had[one].confirmed):
            surer = {
                "fuzzy": had[one].fuzzy and signal.fuzzy,
                "confirmed": had[one].confirmed or signal.confirmed,
            }
            connection.execute(
                sa.update(table).where(table.c.clue_id == clue_id, table.c.digest == one).values(**surer)
            )
            added += 1
    return added


def rates_of(connection: Connection, desk: Desk) -> Rates:
    """Give what is believed of every register, from priors and from how clues ended."""
    rows = connection.execute(sa.select(records.register_record))
    return desk.registers.rates({(row.register, row.kind): (row.right, row.wrong) for row in rows})


def judgement_of(connection: Connection, desk: Desk, clue_id: str, matter: str) -> Judgement:
    """Judge a clue by the signals that stand; of matters for which nothing is held, the measure is at most to look."""
    found = judge(signals_of(connection, desk.sealer, clue_id), rates_of(connection, desk), desk.registers.weighed())
    if found.measure in {Measure.HOLD, Measure.STOP} and not may_hold(matter):
        return replace(found, measure=Measure.VERIFY, reason="not_for_holding")
    return found


def learn(connection: Connection, clue_id: str, *, right: bool) -> None:
    """Count how a clue's signals turned out, once a register and kind; what was withdrawn before was wrong, too."""
    table = records.signal
    rows = connection.execute(
        sa.select(table.c.number, table.c.register, table.c.kind)
        .where(
            table.c.clue_id == clue_id,
            table.c.stance == Stance.FOR.value,
            table.c.fuzzy.is_(False),
            table.c.withdrawn_at.is_(None) if right else sa.true(),
        )
        .order_by(table.c.number.desc())
    )
    first = {(row.register, row.kind): row.number for row in rows}
    told = "right" if right else "wrong"
    for (register, kind), number in sorted(first.items()):
        connection.execute(sa.update(table).where(table.c.number == number).values(counted=told))
        _count(connection, register, kind, told, 1)


def unlearn(connection: Connection, clue_id: str) -> None:
    """Take back what an outcome taught."""
    table = records.signal
    counted = (table.c.clue_id == clue_id) & (table.c.counted != "")
    for row in connection.execute(sa.select(table).where(counted)).all():
        _count(connection, row.register, row.kind, row.counted, -1)
    connection.execute(sa.update(table).where(counted).values(counted=""))


def withdraw_signals(connection: Connection, clue_id: str, condition: sa.ColumnElement[bool], now: datetime) -> int:
    """Mark those signals of a clue as withdrawn that fulfil a condition; give their number."""
    table = records.signal
    return connection.execute(
        sa.update(table)
        .where(table.c.clue_id == clue_id, table.c.withdrawn_at.is_(None), condition)
        .values(withdrawn_at=now)
    ).rowcount


def _count(connection: Connection, register: str, kind: str, told: str, times: int) -> None:
    table = records.register_record
    whose = (table.c.register == register) & (table.c.kind == kind)
    if connection.execute(sa.update(table).where(whose).values({told: table.c[told] + times})).rowcount == 0:
        fresh = {"right": 0, "wrong": 0, told: times}
        connection.execute(sa.insert(table).values(register=register, kind=kind, **fresh))


def stakes_of(connection: Connection, clue_id: str) -> tuple[Stake, ...]:
    """Give what is at stake by scheme: all months named, and the largest sum that any finding named."""
    table = records.finding
    rows = connection.execute(sa.select(table).where(table.c.clue_id == clue_id).order_by(table.c.scheme)).all()
    months: dict[str, set[Month]] = {}
    fen: dict[str, int] = {}
    for row in rows:
        months.setdefault(row.scheme, set()).update(Month.parse(one) for one in row.months.split())
        fen[row.scheme] = max(row.fen, fen.get(row.scheme, 0))
    return tuple(Stake(scheme, tuple(sorted(months[scheme])), fen[scheme]) for scheme in sorted(fen))


def _seat(clue_id: str, digest: str) -> str:
    return f"{clue_id}:{digest}"
