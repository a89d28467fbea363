"""From a cell of a department's row to a value of a standard element, or a fault that names no person and no value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property, lru_cache
from typing import Final

from huodang.exchange.gateway.conditions import ValueKind
from huodang.exchange.gateway.formats import ISO_DATE, FormatFault, MomentFormat
from huodang.standards import BadValue, DataElement, Money, Month, decode_text
from huodang.store import SHANGHAI

Row = Mapping[str, object]
"""One row of a source by column name, as the driver or the CSV reader gives it."""

Codes = Callable[[str], str | None]
"""Local code to standard code; None if it isn't known."""

UNMAPPED: Final = "source_value_unmapped"
BROKEN: Final = "source_value_broken"
MISSING: Final = "source_value_missing"
QUARANTINED: Final = "source_row_quarantined"
UNREACHABLE: Final = "source_unreachable"

_KINDS: Final[dict[str, ValueKind]] = {
    "date": ValueKind.DATE,
    "month": ValueKind.MONTH,
    "integer": ValueKind.NUMBER,
    "decimal": ValueKind.NUMBER,
    "money": ValueKind.MONEY,
}
_NAMES: Final = frozenset({"name", "former_name", "archive_name"})


class CellFault(Exception):  # noqa: N818  (becomes the reason of an unknown verdict or of a quarantined row)
    """A cell can't be read as its element. Carries the reason code, the element and the column."""

    def __init__(self, reason: str, element: str, column: str) -> None:
        super().__init__(reason, element, column)
        self.reason = reason
        self.element = element
        self.column = column


def kind_of(element: DataElement) -> ValueKind:
    """Say how values of an element compare."""
    if element.identifier in _NAMES:
        return ValueKind.NAME
    return _KINDS.get(element.type, ValueKind.TEXT)


def plain(raw: object) -> str | None:
    """Give a cell as trimmed text; None for NULL and for empty text. Numbers come without exponent.

    A float (SQLite keeps decimals so) is taken by its shortest decimal text: the digits that the source shows.
    """
    if type(raw) is str:  # most cells are
        return raw.strip(_BLANK) or None
    match raw:
        case None:
            return None
        case bool():
            text = "1" if raw else "0"
        case float():
            text = _number(Decimal(repr(raw)))
        case Decimal():
            text = _number(raw)
        case bytes():
            text = decode_text(raw)
        case datetime():
            moment = raw.astimezone(SHANGHAI) if raw.tzinfo else raw
            text = moment.strftime("%Y-%m-%d %H:%M:%S")
        case _:
            text = str(raw)
    return text.strip(_BLANK) or None


_BLANK: Final = " \t\r\n\u3000\0"


def _number(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError("not a number")
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


@dataclass(frozen=True)
class ElementSource:
    """Where an element stands in a source and how it is read; see `docs/gateway.md`.

    Attributes:
        column: the column; empty if the value is constant.
        codes: local to standard code; None for elements that aren't codes.
        format: pattern of a date, month or instant in text.
        yuan: the amount stands in yuan, not fen.
        absent_values: texts that mean "none".
    """

    element: DataElement
    column: str = ""
    constant: str | None = None
    codes: Codes | None = None
    format: MomentFormat | None = None
    yuan: bool = False
    absent_values: frozenset[str] = frozenset()

    def read(self, row: Row) -> str | None:
        """Read the element from a row; None is absent.

        Raises:
            CellFault: the value isn't what the mapping says.
        """
        return self.reader(row)

    @cached_property
    def reader(self) -> Callable[[Row], str | None]:
        """Give `read`, made once for this element: a batch reads thousands of rows with it."""
        constant, column, whole = self.constant, self.column, self._read
        if constant is not None:
            return lambda _row: constant
        # Dates, months and codes are the same for many; names and numbers aren't, and aren't to be kept in memory.
        recurs = self.codes is not None or self.element.type in ("date", "month")
        of_text = lru_cache(maxsize=8192)(whole) if recurs else whole

        def read(row: Row) -> str | None:
            raw = row[column]
            if raw is None:
                return None
            return of_text(raw) if type(raw) is str else whole(raw)

        return read

    def _read(self, raw: object) -> str | None:
        try:
            text = plain(raw)
            if text is None or text in self.absent_values:
                return None
            return self._standard(raw, text)
        except CellFault:
            raise
        except (FormatFault, BadValue, InvalidOperation, ValueError):
            raise CellFault(BROKEN, self.element.identifier, self.column) from None

    def _standard(self, raw: object, text: str) -> str:
        if self.codes is not None:
            code = self.codes(text)
            if code is None:
                raise CellFault(UNMAPPED, self.element.identifier, self.column)
            return code
        match self.element.type:
            case "date":
                value = self._date(raw, text)
            case "month":
                value = self._month(raw, text)
            case "money":
                value = str(Money.yuan(text).fen if self.yuan else _whole(text))
            case "integer":
                value = str(_whole(text))
            case "decimal":
                value = _number(Decimal(text))
            case _:
                value = text
        if len(value) > self.element.length:
            raise CellFault(BROKEN, self.element.identifier, self.column)
        return value

    def _date(self, raw: object, text: str) -> str:
        if isinstance(raw, datetime):
            return text[:10]
        if isinstance(raw, date):
            return raw.isoformat()
        return (self.format or ISO_DATE).date(text).isoformat()

    def _month(self, raw: object, text: str) -> str:
        if isinstance(raw, date):
            return str(Month.of(raw))
        return self.format.month(text) if self.format else str(Month.parse(text))


def _whole(text: str) -> int:
    number = Decimal(text)
    if number != number.to_integral_value():
        raise ValueError("not a whole number")
    return int(number)
