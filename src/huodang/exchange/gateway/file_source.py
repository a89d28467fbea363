"""A folder of CSV deliveries as a source. A broken row is quarantined and named; the other rows go on answering."""

import csv
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from huodang.exchange.errors import SourceError
from huodang.exchange.gateway.conversion import BROKEN, CellFault, Row, plain
from huodang.exchange.gateway.sources import DISTINCT_LIMIT, Found, Selection, Wanted, forms_of
from huodang.standards import AmbiguousTextError, BadValue, IdentityNumber, Place, TextError, decode_text, to_half_width

ENCODINGS: Final = frozenset({"gb18030", "utf-8", "auto"})


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that couldn't be read: where it stands, and its text, which never leaves this process."""

    place: Place
    text: str = field(repr=False)

    def may_concern(self, wanted: Wanted) -> bool:
        """Say whether the row may be about a person: it carries the number in some form, or the claimed name."""
        text = to_half_width(self.text).upper()
        if any(form.upper() in text for form in forms_of(wanted.identity)):
            return True
        return bool(wanted.name) and to_half_width(wanted.name).upper() in text


@dataclass(frozen=True)
class _Delivery:
    """One reading of the files of a resource."""

    stamp: tuple[tuple[str, int, int], ...]
    rows: dict[str, tuple[Row, ...]]
    quarantine: tuple[QuarantinedRow, ...]
    laid: datetime


class FileSource:
    """A folder of CSV files with a heading line; one line is one row."""

    def __init__(self, folder: Path, *, encoding: str = "auto", delimiter: str = ",") -> None:
        self._folder = folder
        self._encoding = encoding
        self._delimiter = delimiter
        self._lookups: list[FileLookup] = []

    def files(self, pattern: str, *, take_all: bool) -> list[Path]:
        """List the files of a pattern in the order of their names; only the last one unless all count."""
        found = sorted(path for path in self._folder.glob(pattern) if path.is_file())
        return found if take_all else found[-1:]

    def columns(self, table: str) -> tuple[str, ...]:
        """List the columns of the newest file of a pattern; empty if there is no file."""
        for path in self.files(table, take_all=False):
            return next(self.lines(path))[1]
        return ()

    def lookup(self, selection: Selection) -> "FileLookup":
        """Prepare the index of one resource."""
        lookup = FileLookup(self, selection)
        self._lookups.append(lookup)
        return lookup

    def distinct(self, table: str, column: str) -> list[str]:
        """List the different values of a column, up to a bound."""
        values: set[str] = set()
        for path in self.files(table, take_all=True):
            lines = self.lines(path)
            heading = next(lines)[1]
            position = heading.index(column)
            for _number, cells, _text in lines:
                if len(cells) == len(heading) and (value := plain(cells[position])) and len(values) < DISTINCT_LIMIT:
                    values.add(value)
        return sorted(values)

    def reachable(self) -> bool:
        """Say whether every resource's files can be read."""
        try:
            for lookup in self._lookups:
                lookup.delivery()
        except SourceError:
            return False
        return True

    def quarantine(self) -> tuple[str, ...]:
        """Name the rows that couldn't be read."""
        try:
            broken = [row for lookup in self._lookups for row in lookup.delivery().quarantine]
        except SourceError:
            return ()
        return tuple(dict.fromkeys(row.place.sentence("zh") for row in broken))

    def close(self) -> None:
        """Hold nothing open: files are read whole."""

    def lines(self, path: Path) -> Iterator[tuple[int, tuple[str, ...], str]]:
        """Read a file line by line: line number, cells, raw text; the heading first.

        One line is one row, so that an unclosed quotation mark breaks its own row and no other. Bytes that aren't text
        become lone surrogates, which break their row too.

        Raises:
            SourceError: the file can't be read, or has no proper heading.
        """
        try:
            data = path.read_bytes()
        except OSError as problem:
            raise _file_fault(path, "文件无法读取", "the file can't be read") from problem
        numbered = enumerate(self._text(path, data).split("\n"), start=1)
        heading = self._cells(next(numbered, (1, ""))[1])
        names = tuple(name.strip() for name in heading or ())
        if (
            not all(names)
            or len(set(names)) != len(names)
            or any("\udc80" <= sign <= "\udcff" for sign in "".join(names))
        ):
            raise _file_fault(path, "表头有误", "the heading line is broken")
        yield 1, names, ""
        for number, line in numbered:
            if line.strip():
                yield number, self._cells(line) or (), line

    def _text(self, path: Path, data: bytes) -> str:
        if self._encoding == "auto":
            try:
                return decode_text(data)
            except AmbiguousTextError:
                raise _file_fault(
                    path, "文件编码有两种读法，请在配置中声明 encoding", "declare the file's encoding"
                ) from None
            except TextError:
                return data.decode("gb18030", errors="surrogateescape")
        return data.removeprefix(b"\xef\xbb\xbf").decode(self._encoding, errors="surrogateescape")

    def _cells(self, line: str) -> tuple[str, ...] | None:
        try:
            return tuple(next(csv.reader([line.removesuffix("\r")], delimiter=self._delimiter, strict=True)))
        except (csv.Error, StopIteration):
            return None


class FileLookup:
    """The rows of one resource by identity number, read again when a file changes."""

    def __init__(self, source: FileSource, selection: Selection) -> None:
        self._source = source
        self._selection = selection
        self._delivery: _Delivery | None = None
        self._lock = threading.Lock()

    def find(self, wanted: Sequence[Wanted]) -> list[Found]:
        """Find the rows of many persons, in their order."""
        delivery = self.delivery()
        return [
            Found(
                delivery.rows.get(one.identity.text, ()),
                any(row.may_concern(one) for row in delivery.quarantine),
                delivery.laid,
            )
            for one in wanted
        ]

    def delivery(self) -> _Delivery:
        """Give the present reading of the files.

        Raises:
            SourceError: there is no file, or a column is missing in one.
        """
        paths = self._source.files(self._selection.table, take_all=self._selection.take_all)
        stamp = tuple((path.name, (status := path.stat()).st_mtime_ns, status.st_size) for path in paths)
        if not paths:
            raise SourceError(
                "没有找到交付文件",
                "there is no delivered file",
                advice_chinese="请把文件放入前置机的文件夹。",
                advice_english="Lay the file into the gateway's folder.",
                place=Place(file=self._selection.table),
            )
        with self._lock:
            if self._delivery is None or self._delivery.stamp != stamp:
                self._delivery = self._read(paths, stamp)
            return self._delivery

    def _read(self, paths: list[Path], stamp: tuple[tuple[str, int, int], ...]) -> _Delivery:
        rows: dict[str, list[Row]] = {}
        broken: list[QuarantinedRow] = []
        for path in paths:
            lines = self._source.lines(path)
            heading = next(lines)[1]
            for column in (*self._selection.columns, *self._selection.only):
                if column not in heading:
                    raise _file_fault(path, "文件中没有这一列", "the file has no such column", column)
            for number, cells, text in lines:
                row = dict(zip(heading, cells, strict=False))
                place = Place(file=path.name, row=number)
                if len(cells) != len(heading) or any("\udc80" <= sign <= "\udcff" for sign in text):
                    broken.append(QuarantinedRow(place, text))
                    continue
                self._take(row, place, text, rows, broken)
        if self._selection.order:
            for found in rows.values():
                found.sort(key=lambda row: plain(row[self._selection.order]) or "", reverse=self._selection.descending)
        laid = datetime.fromtimestamp(max(mark for _, mark, _ in stamp) / 1e9, UTC)
        return _Delivery(stamp, {holder: tuple(found) for holder, found in rows.items()}, tuple(broken), laid)

    def _take(
        self, row: dict[str, str], place: Place, text: str, rows: dict[str, list[Row]], broken: list[QuarantinedRow]
    ) -> None:
        for column, values in self._selection.only.items():
            if plain(row[column]) not in values:
                return
        try:
            holder = IdentityNumber.parse(row[self._selection.subject]).text
        except BadValue:
            broken.append(QuarantinedRow(Place(column=self._selection.subject).within(place), text))
            return
        for element in self._selection.elements:
            try:
                element.read(row)
            except CellFault as fault:
                # An unknown code is the answer's affair (`unknown`); a value of no possible meaning breaks the row.
                if fault.reason == BROKEN:
                    broken.append(QuarantinedRow(Place(column=fault.column, element=fault.element).within(place), text))
                    return
        rows.setdefault(holder, []).append(row)


def _file_fault(path: Path, chinese: str, english: str, column: str | None = None) -> SourceError:
    return SourceError(
        chinese,
        english,
        advice_chinese="请改正后重新交付该文件；在此之前相关核验的结论为“未知”。",
        advice_english="Correct and deliver the file again; until then its checks answer unknown.",
        place=Place(file=path.name, column=column),
    )
