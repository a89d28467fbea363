"""Reading one cell as its element, strictly: what was rounded, shifted or lost on the way is refused, never guessed.

The conversions are those of the gateway's checks (`ElementSource.read`); here each failure gets the reason that tells
the provider what happened, and cells that come again and again are read once.
"""

import re
from collections.abc import Callable, Collection, Iterable
from datetime import date
from decimal import Decimal
from typing import Final

from huodang.exchange.gateway.conversion import UNMAPPED, CellFault, ElementSource, plain
from huodang.exchange.gateway.formats import FormatFault, MomentFormat
from huodang.exchange.quality import reasons
from huodang.standards import BadValue, IdentityError, IdentityFault, IdentityNumber, check_identity_numbers

Reader = Callable[[object], str | None]
"""A cell to the element's value; None is absent. Raises `Unfit`."""

_KNOWN_CELLS: Final = 50_000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_REPLACEMENT: Final = "\ufffd"
_LOST: Final = re.compile("[?？□■〓*＊]")
_SCIENTIFIC: Final = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,3}")
_SERIAL: Final = re.compile(r"[1-6][0-9]{4}(\.[0-9]+)?")
_EIGHT_OR_TEN: Final = re.compile(r"[0-9]{4}([-/.年]?)[0-9]{1,2}([-/.月]?)[0-9]{1,2}日?")
_NAMES: Final = frozenset({"name", "former_name", "archive_name"})
_WRITTEN_LENGTH: Final = 18
_EXACT_FLOAT: Final = 10.0**15
"""From here on a float can't hold every whole number that a driver may have put into it."""


class Unfit(Exception):  # noqa: N818  (becomes the fault of a quarantined row)
    """A cell can't be read as its element; carries the reason's code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def reader_of(
    source: ElementSource, formats: tuple[MomentFormat, ...] = (), sound: Collection[str] = frozenset()
) -> Reader:
    """Make the reader of one element.

    Args:
        source: where it stands and how it is read.
        formats: several declared formats of a date or month, tried in order; empty takes the one of `source`.
        sound: identity numbers that were found right beforehand, many at once.
    """
    if source.constant is not None:
        constant = source.constant
        return lambda _raw: constant
    if source.element.identifier == "identity_number":
        return _identity_reader(source, sound)
    if source.element.type == "text":
        return _text_reader(source)
    return _remembering(_general_reader(source, formats))


def sound_numbers(cells: Iterable[object]) -> list[str]:
    """Pick the cells that are right identity numbers in their one written form, all checked at once."""
    texts = [cell for cell in cells if type(cell) is str and len(cell) == _WRITTEN_LENGTH and cell.isascii()]
    faults = check_identity_numbers(texts) if texts else ()
    return [text for text, fault in zip(texts, faults, strict=True) if not fault and text == text.strip().upper()]


def _identity_reader(source: ElementSource, sound: Collection[str]) -> Reader:
    absent = source.absent_values

    def read(raw: object) -> str | None:
        if raw in sound and raw not in absent:
            return str(raw)
        if isinstance(raw, float) or (isinstance(raw, Decimal) and raw.as_tuple().exponent != 0):
            # A float may have been rounded on the way, and nobody can say that it hasn't.
            raise Unfit(reasons.NUMBER_SCIENTIFIC)
        text = _plain(raw)
        if text is None or text in absent:
            return None
        try:
            return IdentityNumber.parse(text).text
        except IdentityError as problem:
            raise Unfit(_IDENTITY.get(problem.fault, reasons.IDENTITY_INVALID)) from None

    return read


_IDENTITY: Final = {
    IdentityFault.SPREADSHEET: reasons.NUMBER_SCIENTIFIC,
    IdentityFault.CHECK_DIGIT: reasons.IDENTITY_CHECK_DIGIT,
    IdentityFault.BIRTH_DATE: reasons.IDENTITY_BIRTH_DATE,
    IdentityFault.BIRTH_FUTURE: reasons.IDENTITY_BIRTH_DATE,
}


def _text_reader(source: ElementSource) -> Reader:
    absent, longest = source.absent_values, source.element.length
    is_name = source.element.identifier in _NAMES

    def read(raw: object) -> str | None:
        if isinstance(raw, float) and abs(raw) >= _EXACT_FLOAT:
            raise Unfit(reasons.NUMBER_SCIENTIFIC)
        text = _plain(raw)
        if text is None or text in absent:
            return None
        if len(text) > longest:
            raise Unfit(reasons.VALUE_TOO_LONG)
        if not text.isprintable() and _CONTROL.search(text):
            raise Unfit(reasons.CONTROL_CHARACTER)
        if is_name and _LOST.search(text):
            raise Unfit(reasons.NAME_LOST_CHARACTER)
        if not is_name and "0" <= text[0] <= "9" and _SCIENTIFIC.fullmatch(text):
            raise Unfit(reasons.NUMBER_SCIENTIFIC)
        return text

    return read


def _general_reader(source: ElementSource, formats: tuple[MomentFormat, ...]) -> Reader:
    column, kind, longest = source.column, source.element.type, source.element.length

    def read(raw: object) -> str | None:
        if formats and isinstance(raw, str):
            text = _plain(raw)
            if text is None or text in source.absent_values:
                return None
            return _by_formats(text, kind, formats)
        _plain(raw)
        try:
            return source.read({column: raw})
        except CellFault as fault:
            if fault.reason == UNMAPPED:
                raise Unfit(reasons.VALUE_UNMAPPED) from None
            raise Unfit(_why(raw, kind, longest)) from None

    return read


def _by_formats(text: str, kind: str, formats: tuple[MomentFormat, ...]) -> str:
    for one in formats:
        try:
            return one.date(text).isoformat() if kind == "date" else one.month(text)
        except FormatFault:
            continue
    raise Unfit(_why(text, kind, len(text)))


def _why(raw: object, kind: str, longest: int) -> str:
    """Name the reason for which a cell couldn't be read."""
    text = plain(raw) or ""
    if kind in ("date", "month"):
        if isinstance(raw, int | float | Decimal) or _SERIAL.fullmatch(text):
            return reasons.DATE_SERIAL if _SERIAL.fullmatch(text) else reasons.DATE_FORMAT
        if _EIGHT_OR_TEN.fullmatch(text):
            digits = [int(part) for part in re.findall(r"[0-9]+", text)]
            if len(digits) == 1 and len(text) == 8:
                digits = [int(text[:4]), int(text[4:6]), int(text[6:])]
            if len(digits) == 3:
                try:
                    date(*digits)
                except ValueError:
                    return reasons.DATE_IMPOSSIBLE
        return reasons.DATE_FORMAT
    if _SCIENTIFIC.fullmatch(text):
        return reasons.NUMBER_SCIENTIFIC
    return reasons.VALUE_TOO_LONG if len(text) > longest else reasons.VALUE_BROKEN


def _plain(raw: object) -> str | None:
    if isinstance(raw, str):
        text: str | None = raw.strip(" \t\r\n\u3000\0") or None
    else:
        try:
            text = plain(raw)
        except BadValue:
            raise Unfit(reasons.ENCODING_BROKEN) from None
        except ValueError:
            raise Unfit(reasons.VALUE_BROKEN) from None
    if text is not None and _REPLACEMENT in text:
        raise Unfit(reasons.ENCODING_BROKEN)
    return text


def _remembering(read: Reader) -> Reader:
    """Remember what codes, dates and numbers became: a table has few different ones."""
    known: dict[object, str | None] = {}

    def remember(raw: object) -> str | None:
        # A date and a datetime of midnight are equal, and so are 1 and True: only text and plain kinds are remembered.
        if type(raw) is not str:
            return None if raw is None else read(raw)
        try:
            return known[raw]
        except KeyError:
            value = read(raw)
            if len(known) >= _KNOWN_CELLS:
                known.clear()
            known[raw] = value
            return value

    return remember
