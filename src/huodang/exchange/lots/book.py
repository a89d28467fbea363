"""The lots and holdings of a hub as they stand in its tables: reading them, and the small writes of their states."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.lots import records
from huodang.exchange.lots.errors import UnknownLotError
from huodang.exchange.lots.staging import buckets_from_text
from huodang.exchange.lots.values import Delivery, FaultCount, Holding, Lot, LotState, Staged
from huodang.exchange.quality import Fault, QualityReport
from huodang.exchange.values import Agreement
from huodang.standards import Place

_lot, _holding, _page, _fault = records.lot, records.holding, records.lot_page, records.lot_fault
_WITH_HOLDING: Final = sa.select(_lot, _holding.c.resource, _holding.c.provider, _holding.c.agreement_id).join(
    _holding, _holding.c.number == _lot.c.holding
)


def holding_of(connection: Connection, agreement: Agreement) -> Holding:
    """Give the holding of an agreement; makes an empty one if there is none yet. Needs a write transaction."""
    found = connection.execute(sa.select(_holding).where(_holding.c.agreement_id == agreement.agreement_id)).first()
    if found is None:
        connection.execute(
            sa.insert(_holding).values(
                agreement_id=agreement.agreement_id,
                resource=agreement.resource,
                provider=agreement.provider,
                generation=0,
                last_generation=0,
                open_lot="",
                rows=0,
                buckets="",
                root="",
                lot_id="",
            )
        )
        found = connection.execute(sa.select(_holding).where(_holding.c.agreement_id == agreement.agreement_id)).one()
    return read_holding(found)


def take_place(connection: Connection, number: int, lot_id: str) -> int:
    """Let a lot be the one at work on a holding; give its generation, or 0 if another lot is at work."""
    changed = connection.execute(
        sa.update(_holding)
        .where(_holding.c.number == number, _holding.c.open_lot == "")
        .values(open_lot=lot_id, last_generation=_holding.c.last_generation + 1)
    )
    if not changed.rowcount:
        return 0
    generation: int = connection.execute(
        sa.select(_holding.c.last_generation).where(_holding.c.number == number)
    ).scalar_one()
    return generation


def give_up_place(connection: Connection, lot: Lot) -> None:
    """Let another lot be at work on the holding."""
    connection.execute(
        sa.update(_holding)
        .where(_holding.c.number == lot.holding, _holding.c.open_lot == lot.lot_id)
        .values(open_lot="")
    )


def generation_of(connection: Connection, number: int) -> int:
    """Give the generation of a holding's copy: 0 while it has none."""
    found: int = connection.execute(sa.select(_holding.c.generation).where(_holding.c.number == number)).scalar_one()
    return found


def insert_lot(connection: Connection, values: Mapping[str, Any]) -> None:
    """Write a new lot."""
    nothing: dict[str, Any] = dict.fromkeys(("rows", "inserted", "updated", "deleted", "late", "quarantined"), 0)
    nothing |= dict.fromkeys(("root", "reason", "quality", "statement", "reconciliation", "entry_id"), "")
    connection.execute(sa.insert(_lot).values({**nothing, **values}))


def update_lot(connection: Connection, lot_id: str, **values: Any) -> None:  # noqa: ANN401  (columns of one row)
    """Change a lot's columns."""
    connection.execute(sa.update(_lot).where(_lot.c.lot_id == lot_id).values(**values))


def move_holding(connection: Connection, number: int, **values: Any) -> None:  # noqa: ANN401  (columns of one row)
    """Change a holding's columns."""
    connection.execute(sa.update(_holding).where(_holding.c.number == number).values(**values))


def get_lot(connection: Connection, lot_id: str) -> Lot:
    """Give a lot.

    Raises:
        UnknownLotError: there is none of that name.
    """
    row = connection.execute(_WITH_HOLDING.where(_lot.c.lot_id == lot_id)).first()
    if row is None:
        raise UnknownLotError(
            "没有这个批次",
            "there is no such lot",
            advice_chinese="请在批次列表中核对编号。",
            advice_english="Look the id up in the list of lots.",
            place=Place(element=lot_id[:64]),
        )
    return read_lot(row)


def lots_where(connection: Connection, condition: sa.ColumnElement[bool], *, limit: int) -> list[Lot]:
    """List lots, newest first."""
    statement = _WITH_HOLDING.where(condition).order_by(_lot.c.opened_at.desc(), _lot.c.generation.desc()).limit(limit)
    return [read_lot(row) for row in connection.execute(statement)]


def holdings_where(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Holding]:
    """List holdings by resource and agreement."""
    statement = sa.select(_holding).where(condition).order_by(_holding.c.resource, _holding.c.agreement_id)
    return [read_holding(row) for row in connection.execute(statement)]


def page_of(connection: Connection, lot_id: str, number: int) -> tuple[str, Staged] | None:
    """Give digest and effect of a page that was staged; None if it wasn't."""
    row = connection.execute(sa.select(_page).where(_page.c.lot_id == lot_id, _page.c.number == number)).first()
    return None if row is None else (row.digest, Staged(row.inserted, row.updated, row.deleted, row.unchanged))


def insert_page(connection: Connection, lot_id: str, number: int, digest: str, staged: Staged) -> None:
    """Write down that a page is staged."""
    connection.execute(
        sa.insert(_page).values(
            lot_id=lot_id,
            number=number,
            digest=digest,
            inserted=staged.inserted,
            updated=staged.updated,
            deleted=staged.deleted,
            unchanged=staged.unchanged,
        )
    )


def pages_staged(connection: Connection, lot_id: str) -> tuple[frozenset[int], Staged]:
    """Give the numbers of the staged pages, and what they changed together."""
    rows = connection.execute(sa.select(_page).where(_page.c.lot_id == lot_id)).all()
    totals = (sum(getattr(row, name) for row in rows) for name in ("inserted", "updated", "deleted", "unchanged"))
    return frozenset(row.number for row in rows), Staged(*totals)


def write_faults(connection: Connection, lot_id: str, counts: Mapping[tuple[str, str, str], int]) -> None:
    """Put down how many rows were kept back, by reason, element and column; what stood there before is replaced."""
    connection.execute(sa.delete(_fault).where(_fault.c.lot_id == lot_id))
    if counts:
        connection.execute(
            sa.insert(_fault),
            [
                {"lot_id": lot_id, "reason": reason, "element": element, "source_column": column, "rows": number}
                for (reason, element, column), number in counts.items()
            ],
        )


def faults_of(connection: Connection, lot_id: str) -> list[FaultCount]:
    """Tell what was wrong in a lot, the most frequent first."""
    rows = connection.execute(sa.select(_fault).where(_fault.c.lot_id == lot_id).order_by(_fault.c.rows.desc()))
    found: list[FaultCount] = []
    for row in rows:
        fault = Fault(row.source_column, row.element, row.reason)
        found.append(FaultCount(row.reason, row.element, row.source_column, row.rows, fault.chinese, fault.english))
    return found


def deliveries(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Delivery]:
    """List every version of rows that was delivered, the newest first."""
    rows, ending = records.delivered_row, records.lot.alias("ending")
    statement = (
        sa.select(
            rows,
            _holding.c.resource,
            _holding.c.agreement_id,
            _lot.c.lot_id,
            _lot.c.ended_at,
            _lot.c.opened_at,
            ending.c.lot_id.label("ended_by"),
        )
        .join(_holding, _holding.c.number == rows.c.holding)
        .join(_lot, sa.and_(_lot.c.holding == rows.c.holding, _lot.c.generation == rows.c.since))
        .outerjoin(ending, sa.and_(ending.c.holding == rows.c.holding, ending.c.generation == rows.c.until))
        .where(condition, rows.c.since <= _holding.c.generation)
        .order_by(rows.c.since.desc())
    )
    return [
        Delivery(
            lot_id=row.lot_id,
            resource=row.resource,
            agreement_id=row.agreement_id,
            key_index=row.key_index,
            subject_index=row.subject_index,
            digest=bytes(row.digest).hex(),
            delivered_at=row.ended_at or row.opened_at,
            ended_by=row.ended_by or "",
            recalled_at=row.recalled_at,
        )
        for row in connection.execute(statement)
    ]


def read_holding(row: sa.Row[Any]) -> Holding:
    """Read one row of holdings."""
    return Holding(
        number=row.number,
        resource=row.resource,
        provider=row.provider,
        agreement_id=row.agreement_id,
        rows=row.rows,
        root=row.root,
        lot_id=row.lot_id,
        open_lot=row.open_lot,
        as_of=row.as_of,
        taken_at=row.taken_at,
        buckets=buckets_from_text(row.buckets),
    )


def read_lot(row: sa.Row[Any]) -> Lot:
    """Read one row of lots, joined with its holding."""
    replaces: Sequence[int] = json.loads(row.replaces)
    quality = QualityReport.from_payload(json.loads(row.quality)) if row.quality else None
    started: datetime = row.opened_at
    return Lot(
        lot_id=row.lot_id,
        resource=row.resource,
        provider=row.provider,
        agreement_id=row.agreement_id,
        agreement_version=row.agreement_version,
        holding=row.holding,
        generation=row.generation,
        mode=row.mode,
        content=row.content,
        replaces=tuple(replaces),
        source=row.source,
        remote=row.remote,
        state=LotState(row.state),
        opened_at=started,
        ended_at=row.ended_at,
        as_of=row.as_of,
        rows=row.rows,
        inserted=row.inserted,
        updated=row.updated,
        deleted=row.deleted,
        late=row.late,
        quarantined=row.quarantined,
        root=row.root,
        reason=row.reason,
        quality=quality,
        statement=row.statement,
        reconciliation=row.reconciliation,
        entry_id=row.entry_id,
    )
