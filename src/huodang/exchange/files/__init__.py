"""File exchange (文件交换): readers and writers of what departments hand over, manifests, drop folders.

`detect` tells what a file is, `read_rows` streams its rows, `write_rows` writes one that others can open.
"""

from huodang.exchange.files.archives import ArchiveLimits, check_archive, unpack
from huodang.exchange.files.cells import cell_text, neutralise, restore
from huodang.exchange.files.detection import Detected, detect
from huodang.exchange.files.errors import (
    ArchiveError,
    DeliveryError,
    FileError,
    FileFormatError,
    FileMappingError,
    FileWriteError,
    ManifestError,
)
from huodang.exchange.files.formats import (
    CellProblem,
    FileFormat,
    FileKind,
    FileRow,
    FixedField,
    Position,
    Remark,
)
from huodang.exchange.files.reading import RowReader, read_rows
from huodang.exchange.files.writers import write_rows

__all__ = [
    "ArchiveError",
    "ArchiveLimits",
    "CellProblem",
    "DeliveryError",
    "Detected",
    "FileError",
    "FileFormat",
    "FileFormatError",
    "FileKind",
    "FileMappingError",
    "FileRow",
    "FileWriteError",
    "FixedField",
    "ManifestError",
    "Position",
    "Remark",
    "RowReader",
    "cell_text",
    "check_archive",
    "detect",
    "neutralise",
    "read_rows",
    "restore",
    "unpack",
    "write_rows",
]
