"""File exchange (文件交换): readers and writers of what departments hand over, manifests, drop folders.

`detect` tells what a file is, `read_rows` streams its rows, `write_rows` writes one that others can open. A provider
makes a delivery with `pack`, anybody looks it through with `check_delivery`, a hub takes it in with `DropDesk`.
"""

from huodang.exchange.files.archives import ArchiveLimits, check_archive, unpack
from huodang.exchange.files.cells import cell_text, neutralise, restore
from huodang.exchange.files.checking import CheckReport, Problem, check_delivery, check_files
from huodang.exchange.files.deliveries import DeliveryState, FileDelivery
from huodang.exchange.files.detection import Detected, detect
from huodang.exchange.files.drop import DropDesk, DropOutcome
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
from huodang.exchange.files.inspection import DataFile, FileCount, Inspected, Inspection, Progress
from huodang.exchange.files.looking import Converted, Look, convert, look_at, read_format
from huodang.exchange.files.manifest import (
    FILE_MANIFEST,
    MANIFEST_NAME,
    FileState,
    Manifest,
    ManifestFile,
    OpenedManifest,
    manifest_bytes,
    read_manifest,
)
from huodang.exchange.files.mapping import FileMapping, ReadMapping, mapping_of, read_mapping
from huodang.exchange.files.packing import Packed, PackOrder, next_sequence, pack
from huodang.exchange.files.places import DropSettings
from huodang.exchange.files.reading import RowReader, read_rows
from huodang.exchange.files.writers import write_rows

__all__ = [
    "FILE_MANIFEST",
    "MANIFEST_NAME",
    "ArchiveError",
    "ArchiveLimits",
    "CellProblem",
    "CheckReport",
    "Converted",
    "DataFile",
    "DeliveryError",
    "DeliveryState",
    "Detected",
    "DropDesk",
    "DropOutcome",
    "DropSettings",
    "FileCount",
    "FileDelivery",
    "FileError",
    "FileFormat",
    "FileFormatError",
    "FileKind",
    "FileMapping",
    "FileMappingError",
    "FileRow",
    "FileState",
    "FileWriteError",
    "FixedField",
    "Inspected",
    "Inspection",
    "Look",
    "Manifest",
    "ManifestError",
    "ManifestFile",
    "OpenedManifest",
    "PackOrder",
    "Packed",
    "Position",
    "Problem",
    "Progress",
    "ReadMapping",
    "Remark",
    "RowReader",
    "cell_text",
    "check_archive",
    "check_delivery",
    "check_files",
    "convert",
    "detect",
    "look_at",
    "manifest_bytes",
    "mapping_of",
    "neutralise",
    "next_sequence",
    "pack",
    "read_format",
    "read_manifest",
    "read_mapping",
    "read_rows",
    "restore",
    "unpack",
    "write_rows",
]
