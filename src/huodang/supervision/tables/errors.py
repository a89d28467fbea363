"""What stops a check before it begins, each with what to do."""

from typing import ClassVar

from huodang.standards import HuodangError


class TablesError(HuodangError):
    """The tables of a check can't be read or understood."""

    code: ClassVar[str] = "supervision.tables"


class NotUnderstoodError(TablesError):
    """A column that is needed wasn't found, or two columns could be it."""

    code: ClassVar[str] = "supervision.not_understood"


class ColumnMapError(TablesError):
    """The mapping file can't be used."""

    code: ClassVar[str] = "supervision.column_map"


class ChangedFileError(TablesError):
    """A file isn't what it was when it was understood."""

    code: ClassVar[str] = "supervision.changed_file"
