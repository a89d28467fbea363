"""What can go wrong with a delivered file; each error carries a stable reason beside its code."""

from typing import ClassVar

from huodang.exchange.errors import ExchangeError
from huodang.standards import NOWHERE, Place


class FileError(ExchangeError):
    """Base of every error about files.

    Attributes:
        reason: stable and finer than `code`, such as `duplicate_column`; it stands in reason files and in the ledger.
    """

    code: ClassVar[str] = "exchange.file"

    def __init__(
        self,
        reason: str,
        chinese: str,
        english: str,
        *,
        advice_chinese: str = "",
        advice_english: str = "",
        place: Place = NOWHERE,
    ) -> None:
        super().__init__(chinese, english, advice_chinese=advice_chinese, advice_english=advice_english, place=place)
        self.reason = reason


class FileFormatError(FileError):
    """A file can't be read as what it is, or is said to be."""

    code: ClassVar[str] = "exchange.file_format"


class FileWriteError(FileError):
    """A file can't be written whole; nothing of it stays."""

    code: ClassVar[str] = "exchange.file_write"


class ArchiveError(FileError):
    """A compressed delivery is refused before anything of it is believed."""

    code: ClassVar[str] = "exchange.file_archive"


class ManifestError(FileError):
    """A manifest is missing, not signed as it must be, or doesn't fit its files."""

    code: ClassVar[str] = "exchange.file_manifest"


class FileMappingError(FileError):
    """A mapping of a file's columns to elements can't be used."""

    code: ClassVar[str] = "exchange.file_mapping"


class DeliveryError(FileError):
    """A delivery is refused whole."""

    code: ClassVar[str] = "exchange.file_delivery"
