"""The deliveries of a hub as they stand in its table: which were seen, how far one has come, what became of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.files import records
from huodang.exchange.files.manifest import OpenedManifest
from huodang.store import serialise

_table = records.delivery


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    LANDING = "landing"  # 入库中
    TAKEN = "taken"  # 已接收
    REFUSED = "refused"  # 已拒收


@dataclass(frozen=True)
class Landing:
    """How far the rows of a delivery are staged.

    Attributes:
        file: number of the file being read, in the manifest's order of files with data.
        row: the row read last in it.
        offset: what lies behind in it, as `Position` counts.
        page: number of the next page.
        sent: rows put and removed so far.
    """

    file: int = 0
    row: int = 0
    offset: int = 0
    page: int = 0
    sent: int = 0


@dataclass(frozen=True)
class FileDelivery:
    """One delivery. Holds no personal data.

    Attributes:
        missing_before: how many numbers of the sequence had not come when this one came.
        reason: why it was refused; empty otherwise.
    """

    manifest_digest: str
    department: str
    resource: str
    agreement_id: str
    agreement_version: int
    sequence: int
    content: str
    state: DeliveryState
    folder: str
    lot_id: str
    files: int
    bytes: int
    rows: int
    quarantined: int
    missing_before: int
    reason: str
    as_of: datetime
    received_at: datetime
    ended_at: datetime | None
    entry_id: str
    landing: Landing


def get_delivery(connection: Connection, digest: str) -> FileDelivery | None:
    """Give the delivery of a manifest."""
    row = connection.execute(sa.select(_table).where(_table.c.manifest_digest == digest)).first()
    return None if row is None else _read(row)


def list_deliveries(connection: Connection, *, resource: str | None, limit: int) -> list[FileDelivery]:
    """List deliveries, the newest first."""
    statement = sa.select(_table).order_by(_table.c.received_at.desc(), _table.c.sequence.desc()).limit(limit)
    if resource is not None:
        statement = statement.where(_table.c.resource == resource)
    return [_read(row) for row in connection.execute(statement)]


def last_sequence(connection: Connection, resource: str, agreement_id: str) -> int:
    """Give the highest number that was taken or is landing; 0 if none. Holds others off until the transaction ends."""
    serialise(connection, f"file_delivery:{agreement_id}")
    found = connection.execute(
        sa.select(sa.func.max(_table.c.sequence)).where(
            _table.c.resource == resource,
            _table.c.agreement_id == agreement_id,
            _table.c.state != DeliveryState.REFUSED,
        )
    ).scalar_one()
    return int(found or 0)


def insert_delivery(
    connection: Connection,
    opened: OpenedManifest,
    department: str,
    received_at: datetime,
    **values: Any,  # noqa: ANN401  (columns of one row)
) -> None:
    """Write a delivery down; a refused one with the same digest makes room."""
    manifest = opened.manifest
    connection.execute(
        sa.delete(_table).where(_table.c.manifest_digest == opened.digest, _table.c.state == DeliveryState.REFUSED)
    )
    nothing: dict[str, Any] = {
        "lot_id": "",
        "rows": 0,
        "quarantined": 0,
        "missing_before": 0,
        "reason": "",
        "position": _written(Landing()),
        "entry_id": "",
    }
    connection.execute(
        sa.insert(_table).values(
            {
                **nothing,
                "manifest_digest": opened.digest,
                "department": department,
                "resource": manifest.resource,
                "agreement_id": manifest.agreement_id,
                "agreement_version": manifest.agreement_version,
                "sequence": manifest.sequence,
                "content": manifest.content,
                "files": len(manifest.files),
                "bytes": sum(line.bytes for line in manifest.files),
                "as_of": manifest.as_of,
                "received_at": received_at,
                **values,
            }
        )
    )


def move_landing(connection: Connection, digest: str, landing: Landing) -> None:
    """Remember how far the rows are staged."""
    update_delivery(connection, digest, position=_written(landing))


def update_delivery(connection: Connection, digest: str, **values: Any) -> None:  # noqa: ANN401  (columns of one row)
    """Change a delivery's columns."""
    connection.execute(sa.update(_table).where(_table.c.manifest_digest == digest).values(**values))


def _written(landing: Landing) -> str:
    return json.dumps([landing.file, landing.row, landing.offset, landing.page, landing.sent])


def _read(row: sa.Row[Any]) -> FileDelivery:
    values = dict(row._mapping)  # noqa: SLF001  (the documented name of a row's mapping)
    landing = Landing(*json.loads(values.pop("position")))
    return FileDelivery(**{**values, "state": DeliveryState(values["state"])}, landing=landing)
