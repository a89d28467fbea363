"""The store: the database of one process, its migrations, jobs, objects and time.

Front door: `Database` with `begin()` and `read()`; `metadata` and the column types for each room's `records.py`;
`jobs` and `Worker`; `FolderObjects`; `Clock` and its three kinds. Every other room keeps its records through these, and
knows neither which database it is nor how many processes share it.
"""

from huodang.store import jobs
from huodang.store.bulk import insert_rows
from huodang.store.clock import (
    SHANGHAI,
    Clock,
    FixedClock,
    OffsetClock,
    SystemClock,
    parse_instant,
    shanghai_date,
    shanghai_text,
    to_shanghai,
    utc_text,
)
from huodang.store.columns import Instant, MoneyType, MonthType, RowNumber, metadata
from huodang.store.database import Database, serialise
from huodang.store.errors import (
    DatabaseBusyError,
    DatabaseInconsistentError,
    DatabaseNotMigratedError,
    DatabaseTooNewError,
    DatabaseUnreachableError,
    DatabaseUrlError,
    LeaseLost,
    NestedTransactionError,
    ObjectAlteredError,
    ObjectMissingError,
    StoreError,
)
from huodang.store.jobs import Job
from huodang.store.objects import FolderObjects, sync_folder, write_whole
from huodang.store.worker import Handler, Worker

__all__ = [
    "SHANGHAI",
    "Clock",
    "Database",
    "DatabaseBusyError",
    "DatabaseInconsistentError",
    "DatabaseNotMigratedError",
    "DatabaseTooNewError",
    "DatabaseUnreachableError",
    "DatabaseUrlError",
    "FixedClock",
    "FolderObjects",
    "Handler",
    "Instant",
    "Job",
    "LeaseLost",
    "MoneyType",
    "MonthType",
    "NestedTransactionError",
    "ObjectAlteredError",
    "ObjectMissingError",
    "OffsetClock",
    "RowNumber",
    "StoreError",
    "SystemClock",
    "Worker",
    "insert_rows",
    "jobs",
    "metadata",
    "parse_instant",
    "serialise",
    "shanghai_date",
    "shanghai_text",
    "sync_folder",
    "to_shanghai",
    "utc_text",
    "write_whole",
]
