"""The table sync (库表同步) by itself: one lot of one table between two databases, with no platform around it.

`sync_table` brings a target table to the state of a source table and proves it; `verify_table` reads both anew and
tells whether they agree. Everything a lot changes is one step at the target. How it works: docs/sync.md.
"""

from huodang.exchange.sync.addresses import parse_address
from huodang.exchange.sync.columns import Kind
from huodang.exchange.sync.errors import (
    AddressError,
    ApplyError,
    BusyError,
    CheckError,
    ColumnsError,
    ConnectError,
    DriftError,
    MassDeleteError,
    ProofError,
    SourceLostError,
    SpaceError,
    SyncError,
    TableError,
)
from huodang.exchange.sync.service import sync_table, verify_table
from huodang.exchange.sync.values import ColumnReport, Progress, Proof, Step, SyncReport, SyncRequest

__all__ = [
    "AddressError",
    "ApplyError",
    "BusyError",
    "CheckError",
    "ColumnReport",
    "ColumnsError",
    "ConnectError",
    "DriftError",
    "Kind",
    "MassDeleteError",
    "Progress",
    "Proof",
    "ProofError",
    "SourceLostError",
    "SpaceError",
    "Step",
    "SyncError",
    "SyncReport",
    "SyncRequest",
    "TableError",
    "parse_address",
    "sync_table",
    "verify_table",
]
