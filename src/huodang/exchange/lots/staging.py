"""Rows of one lot, written beside the copy that holds until then: a row's generation says in which copies it stands.

The copy that others read ends with the holding's generation; a lot at work writes a later one. So nothing is moved
when a lot is taken, and nothing that was read before is disturbed when it isn't.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.lots import records
from huodang.exchange.lots.values import Change, Lot, Put, Removal, Staged
from huodang.exchange.quality import StandardRow, bucket_bounds, bucket_hashes
from huodang.store import Database, insert_rows
from huodang.trust import FieldSealer

SUBJECT: Final = "identity_number"
CONTENT: Final = "lot"
_IN_ONE_QUESTION: Final = 500
_FETCHED_AT_ONCE: Final = 20_000
_rows = records.delivered_row
_marks = records.lot_mark
_ROW_COLUMNS: Final = ("holding", "key_index", "since", "subject_index", "digest", "content")
_MARK_COLUMNS: Final = ("lot_id", "key_index", "twin")
_KEYS: Final[sa.BindParameter[str]] = sa.bindparam("keys", expanding=True)
_HELD: Final = sa.select(_rows.c.key_index, _rows.c.digest).where(
    _rows.c.holding == sa.bindparam("holding"),
    _rows.c.key_index.in_(_KEYS),
    _rows.c.since < sa.bindparam("generation"),
    sa.or_(_rows.c.until.is_(None), _rows.c.until == sa.bindparam("generation")),
)
_END: Final = (
    sa.update(_rows)
    .where(
        _rows.c.holding == sa.bindparam("of_holding"),
        _rows.c.key_index == sa.bindparam("of_key"),
        _rows.c.until.is_(None),
        _rows.c.since < sa.bindparam("of_generation"),
    )
    .values(until=sa.bindparam("of_generation"))
)
_KNOWN_MARKS: Final = sa.select(_marks.c.key_index, _marks.c.twin).where(
    _marks.c.lot_id == sa.bindparam("lot"), _marks.c.key_index.in_(_KEYS)
)


def seal_binding(holding: int, key_index: str) -> str:
    """Name the row that sealed contents are bound to."""
    return f"{holding}:{key_index}"


@dataclass(frozen=True)
class _Sorted:
    """A page's changes by what they do."""

    puts: list[StandardRow | Put]
    removals: list[str]
    twins: list[StandardRow | Put]
    withdrawn: Staged


def stage_changes(
    connection: Connection, lot: Lot, changes: Iterable[Change], sealer: FieldSealer, *, holds_rows: bool
) -> Staged:
    """Write one page of a lot in the caller's transaction.

    Args:
        connection: the transaction.
        lot: the open lot.
        changes: the page's rows.
        sealer: seals contents.
        holds_rows: the copy isn't empty, so that rows must be looked for in it.
    """
    page = _sorted(connection, lot, changes)
    held = _held(connection, lot, [*(row.mark for row in page.puts), *page.removals]) if holds_rows else {}
    fresh = [row for row in page.puts if held.get(row.mark) != row.digest]
    updated = [row.mark for row in fresh if row.mark in held]
    removed = [mark for mark in page.removals if mark in held]
    _end(connection, lot, [*updated, *removed])
    seal, index, holding, generation = sealer.seal, sealer.blind_index, lot.holding, lot.generation
    insert_rows(
        connection,
        _rows,
        _ROW_COLUMNS,
        [
            (
                holding,
                row.mark,
                generation,
                index(SUBJECT, subject) if (subject := _subject(row)) else "",
                row.digest,
                seal(CONTENT, row.content.decode(), f"{holding}:{row.mark}"),
            )
            for row in fresh
        ],
    )
    back = page.withdrawn
    return Staged(
        inserted=len(fresh) - len(updated) - back.inserted,
        updated=len(updated) - back.updated,
        deleted=len(removed) - back.deleted,
        unchanged=len(page.puts) - len(fresh) - back.unchanged,
        twins=tuple(page.twins),
    )


def end_unnamed(connection: Connection, lot: Lot) -> None:
    """End the rows of replaced buckets that the lot didn't name."""
    for first, last in _ranges(lot.replaces):
        named = sa.exists().where(_marks.c.lot_id == lot.lot_id, _marks.c.key_index == _rows.c.key_index)
        connection.execute(
            sa.update(_rows)
            .where(
                _rows.c.holding == lot.holding,
                _rows.c.key_index >= bucket_bounds(first)[0],
                _rows.c.key_index < bucket_bounds(last)[1],
                _rows.c.until.is_(None),
                _rows.c.since < lot.generation,
                ~named,
            )
            .values(until=lot.generation)
        )


def count_unnamed(connection: Connection, lot: Lot) -> int:
    """Count the rows that the lot ended without naming them."""
    named = sa.exists().where(_marks.c.lot_id == lot.lot_id, _marks.c.key_index == _rows.c.key_index)
    statement = sa.select(sa.func.count()).where(
        _rows.c.holding == lot.holding, _rows.c.until == lot.generation, ~named
    )
    return int(connection.execute(statement).scalar_one())


def hash_copy(database: Database, holding: int, generation: int) -> tuple[dict[int, str], int]:
    """Hash the copy as it is with a generation: by bucket, and how many rows. Unseals nothing."""
    statement = (
        sa.select(_rows.c.key_index, _rows.c.digest)
        .where(
            _rows.c.holding == holding,
            _rows.c.since <= generation,
            sa.or_(_rows.c.until.is_(None), _rows.c.until > generation),
        )
        .order_by(_rows.c.key_index)
    )
    count = 0

    def rows() -> Iterator[tuple[str, bytes]]:
        nonlocal count
        with database.read() as connection:
            options = {"stream_results": True, "yield_per": _FETCHED_AT_ONCE}
            for page in connection.execution_options(**options).execute(statement).partitions():
                count += len(page)
                yield from ((mark, digest) for mark, digest in page)

    return bucket_hashes(rows()), count


def forget_ended(connection: Connection, holding: int, generation: int, *, most: int) -> int:
    """Take the contents out of rows that no copy holds any more; key and digest stay as history. Give how many."""
    keys = (
        sa.select(_rows.c.key_index, _rows.c.since)
        .where(_rows.c.holding == holding, _rows.c.until <= generation, _rows.c.content != "")
        .limit(most)
    )
    found = [tuple(row) for row in connection.execute(keys)]
    if found:
        connection.execute(
            sa.update(_rows)
            .where(
                _rows.c.holding == holding,
                _rows.c.key_index == sa.bindparam("of_key"),
                _rows.c.since == sa.bindparam("of_since"),
            )
            .values(content=""),
            [{"of_key": key, "of_since": since} for key, since in found],
        )
    return len(found)


def undo(connection: Connection, lot: Lot) -> None:
    """Take every trace of a lot's rows away: the copy is as it was."""
    connection.execute(sa.delete(_rows).where(_rows.c.holding == lot.holding, _rows.c.since == lot.generation))
    connection.execute(
        sa.update(_rows).where(_rows.c.holding == lot.holding, _rows.c.until == lot.generation).values(until=None)
    )


def drop_marks(connection: Connection, lot: Lot) -> None:
    """Forget which marks a lot has named."""
    connection.execute(sa.delete(_marks).where(_marks.c.lot_id == lot.lot_id))


def buckets_to_text(buckets: Mapping[int, str]) -> str:
    """Write bucket hashes for the database."""
    return json.dumps({f"{bucket:02x}": value for bucket, value in buckets.items()})


def buckets_from_text(text: str) -> dict[int, str]:
    """Read what `buckets_to_text` wrote."""
    return {int(bucket, 16): value for bucket, value in json.loads(text or "{}").items()}


def _sorted(connection: Connection, lot: Lot, changes: Iterable[Change]) -> _Sorted:
    puts: list[StandardRow | Put] = []
    removals: list[str] = []
    for one in changes:
        if isinstance(one, Removal):
            removals.append(one.mark)
        else:
            puts.append(one)
    if lot.mode == "table" and not lot.replaces:
        return _Sorted(puts, removals, [], Staged())
    return _without_twins(connection, lot, puts, removals)


def _without_twins(
    connection: Connection, lot: Lot, puts: Sequence[StandardRow | Put], removals: Sequence[str]
) -> _Sorted:
    """Name the page's marks; a key that was named before is nobody's row: it leaves the copy as it is."""
    marks = [*(row.mark for row in puts), *removals]
    known: dict[str, bool] = {}
    for chunk in _chunks(marks):
        found = connection.execute(_KNOWN_MARKS, {"lot": lot.lot_id, "keys": chunk})
        known.update((key, twin) for key, twin in found)
    counted: dict[str, int] = {}
    for mark in marks:
        counted[mark] = counted.get(mark, 0) + 1
    doubled = {mark for mark, number in counted.items() if number > 1 or mark in known}
    fresh = [(lot.lot_id, mark, mark in doubled) for mark in counted if mark not in known]
    insert_rows(connection, _marks, _MARK_COLUMNS, fresh)
    back = [_withdraw(connection, lot, mark) for mark in doubled if known.get(mark) is False]
    return _Sorted(
        [row for row in puts if row.mark not in doubled],
        [mark for mark in removals if mark not in doubled],
        [row for row in puts if row.mark in doubled],
        Staged(*(sum(getattr(one, name) for one in back) for name in ("inserted", "updated", "deleted", "unchanged"))),
    )


def _withdraw(connection: Connection, lot: Lot, mark: str) -> Staged:
    """Take back what an earlier page did with a key, and say what that was."""
    of_row = (_rows.c.holding == lot.holding, _rows.c.key_index == mark)
    made = connection.execute(sa.delete(_rows).where(*of_row, _rows.c.since == lot.generation)).rowcount
    ended = connection.execute(
        sa.update(_rows).where(*of_row, _rows.c.until == lot.generation).values(until=None)
    ).rowcount
    connection.execute(
        sa.update(_marks).where(_marks.c.lot_id == lot.lot_id, _marks.c.key_index == mark).values(twin=True)
    )
    if made:
        return Staged(updated=1) if ended else Staged(inserted=1)
    return Staged(deleted=1) if ended else Staged(unchanged=1)


def _held(connection: Connection, lot: Lot, marks: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for chunk in _chunks(marks):
        parameters = {"holding": lot.holding, "generation": lot.generation, "keys": chunk}
        found |= {key: bytes(digest) for key, digest in connection.execute(_HELD, parameters)}
    return found


def _end(connection: Connection, lot: Lot, marks: Sequence[str]) -> None:
    if marks:
        connection.execute(
            _END, [{"of_holding": lot.holding, "of_key": mark, "of_generation": lot.generation} for mark in marks]
        )


def _subject(row: StandardRow | Put) -> str:
    return row.subject if isinstance(row, Put) else row.values.get(SUBJECT, "")


def _chunks(marks: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(marks), _IN_ONE_QUESTION):
        yield list(marks[start : start + _IN_ONE_QUESTION])


def _ranges(buckets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Join neighbouring buckets: a full delivery is one range."""
    ordered = sorted(set(buckets))
    for position, bucket in enumerate(ordered):
        if position == 0 or ordered[position - 1] != bucket - 1:
            first = bucket
        if position + 1 == len(ordered) or ordered[position + 1] != bucket + 1:
            yield first, bucket
