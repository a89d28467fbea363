"""The canonical tables of a check (数据准备): headers understood, files read, numbers packed, the unfit set aside.

`understand` tells what files hold before anything runs; `prepare` makes the packed store, sorted by person, that rules,
scores and the online store read.
"""

from huodang.supervision.tables.column_map import Mapped, read_column_map
from huodang.supervision.tables.errors import ChangedFileError, ColumnMapError, NotUnderstoodError, TablesError
from huodang.supervision.tables.headers import recognise
from huodang.supervision.tables.kinds import SOURCES, Kind, Source
from huodang.supervision.tables.loading import Loaded, connect, load
from huodang.supervision.tables.original import ORIGINAL, originals
from huodang.supervision.tables.preparing import Prepared, PrepareSettings, prepare
from huodang.supervision.tables.raw_files import Opened, Progress, digest_of, open_files, path_literal
from huodang.supervision.tables.reasons import SAID, Reason
from huodang.supervision.tables.schema import COMMON, SCHEMAS
from huodang.supervision.tables.understanding import Understanding, UnderstoodColumn, UnderstoodTable, understand

__all__ = [
    "COMMON",
    "ORIGINAL",
    "SAID",
    "SCHEMAS",
    "SOURCES",
    "ChangedFileError",
    "ColumnMapError",
    "Kind",
    "Loaded",
    "Mapped",
    "NotUnderstoodError",
    "Opened",
    "PrepareSettings",
    "Prepared",
    "Progress",
    "Reason",
    "Source",
    "TablesError",
    "Understanding",
    "UnderstoodColumn",
    "UnderstoodTable",
    "connect",
    "digest_of",
    "load",
    "open_files",
    "originals",
    "path_literal",
    "prepare",
    "read_column_map",
    "recognise",
    "understand",
]
