"""What is watched: one entry of `events.publish`, understood, and how one of its rows is read."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from huodang.exchange.events.changes import RowFault, Seen
from huodang.exchange.events.config import EventSpec
from huodang.exchange.events.messages import Change
from huodang.exchange.gateway.config import GatewayFile, config_error
from huodang.exchange.gateway.conversion import BROKEN, CellFault, ElementSource, Row, plain
from huodang.exchange.gateway.database_source import DatabaseSource
from huodang.exchange.gateway.file_source import FileSource
from huodang.exchange.gateway.mapping import check_columns, compile_elements
from huodang.standards import BadValue, IdentityNumber, Place
from huodang.trust import FieldSealer, canonical_json

SUBJECT: Final = "identity_number"
_MARK: Final = "event_row"
_DIGEST: Final = "event_values"


@dataclass(frozen=True)
class Watched:
    """One kind of change that a gateway publishes.

    Attributes:
        spec: as the file says it.
        source_name: the table, or the pattern of files.
        key: columns that name a row.
        only: column to the values that count.
        columns: all that is read of a row.
    """

    spec: EventSpec
    source_name: str
    key: tuple[str, ...]
    only: Mapping[str, tuple[str, ...]]
    elements: tuple[ElementSource, ...]
    columns: tuple[str, ...]

    @property
    def resource(self) -> str:
        """Give the resource's name."""
        return self.spec.resource

    def type_of(self, change: Change) -> str:
        """Give the CloudEvents type of a change."""
        if change is Change.WITHDRAWN:
            return self.spec.withdrawn_type or f"{self.spec.type}.withdrawn"
        return self.spec.type


def compile_watched(spec: EventSpec, file: GatewayFile, source: DatabaseSource | FileSource) -> Watched:
    """Understand one entry of `events.publish` and hold it against the source.

    Raises:
        GatewayConfigError: an element, table or column isn't there, or the entry contradicts itself.
    """
    place = Place(file=str(file.path), element=spec.resource)
    of_files = isinstance(source, FileSource)
    if not spec.resource.startswith(f"{file.spec.department}."):
        raise config_error("资源名应以部门代码开头", "a resource's name starts with the department", place)
    if (spec.file if of_files else spec.table) is None or (spec.table if of_files else spec.file) is not None:
        raise config_error(
            "数据库来源应写 table，文件来源应写 file", "a database takes `table`, files take `file`", place
        )
    misplaced = spec.cursor if of_files else spec.take
    if misplaced or spec.take not in (None, "latest", "all"):
        raise config_error(
            "take 用于文件（latest 或 all），cursor 用于数据库", "`take` is for files, `cursor` for databases", place
        )
    if spec.notify and (isinstance(source, FileSource) or source.kind != "postgresql"):
        raise config_error("notify 只用于 PostgreSQL", "`notify` is for PostgreSQL only", place)
    if SUBJECT in spec.elements:
        raise config_error("证件号码由 subject 指定", "the identity number is named by `subject`", place)
    elements = compile_elements(spec.elements, file, place)
    key = (spec.key,) if isinstance(spec.key, str) else spec.key
    only = {column: (value,) if isinstance(value, str) else value for column, value in spec.only.items()}
    wanted: dict[str, str | None] = dict.fromkeys((*key, *only, *([spec.cursor] if spec.cursor else [])))
    wanted |= {spec.subject: SUBJECT} | {one.column: one.element.identifier for one in elements if one.column}
    watched = Watched(spec, spec.file or spec.table or "", key, only, elements, tuple(wanted))
    check_columns(watched.source_name, wanted, source, place)
    return watched


class RowReader:
    """Turns rows of a source into what the watch compares. Marks and digests are keyed with the gateway's secret."""

    def __init__(self, watched: Watched, secret: FieldSealer) -> None:
        self._watched = watched
        self._secret = secret

    def read(self, row: Row) -> Seen:
        """Read one row; what can't be read becomes a fault, never an error."""
        mark = self._mark(row)
        if any(plain(row[column]) not in values for column, values in self._watched.only.items()):
            return Seen(mark, "", None)
        try:
            values = self._values(row)
        except CellFault as fault:
            raw = [_text(row[column]) for column in self._watched.columns]
            return Seen(mark, self._digest(["", *raw]), None, RowFault(fault.reason, fault.element, fault.column))
        return Seen(mark, self._digest([part for pair in sorted(values.items()) for part in pair]), values)

    def read_all(self, rows: Sequence[Row]) -> list[Seen]:
        """Read rows that came together; of two with one key the one with the greater digest counts, whatever order."""
        found: dict[str, Seen] = {}
        for row in rows:
            seen = self.read(row)
            other = found.pop(seen.mark, None)
            found[seen.mark] = seen if other is None or other.digest < seen.digest else other
        return list(found.values())

    def _values(self, row: Row) -> dict[str, str]:
        subject = self._watched.spec.subject
        try:
            identity = IdentityNumber.parse(plain(row[subject]) or "")
        except (BadValue, ValueError):
            raise CellFault(BROKEN, SUBJECT, subject) from None
        values = {SUBJECT: identity.text}
        for element in self._watched.elements:
            value = element.read(row)
            if value is not None:
                values[element.element.identifier] = value
        return values

    def _mark(self, row: Row) -> str:
        key = canonical_json([self._watched.resource, *(_text(row[column]) for column in self._watched.key)])
        return self._secret.blind_index(_MARK, key.decode())

    def _digest(self, parts: Sequence[str]) -> str:
        return self._secret.blind_index(_DIGEST, canonical_json(list(parts)).decode())


def _text(raw: object) -> str:
    """Give a cell as text for comparing; bytes that are no text still compare."""
    try:
        return (plain(raw) or "").encode("utf-8", "backslashreplace").decode()
    except (BadValue, ValueError):
        return repr(raw)


class Problems:
    """What stands in the way of each resource at this moment, by code; for the steward and `/v1/resources`."""

    def __init__(self) -> None:
        self._codes: dict[str, str] = {}
        self._lock = threading.Lock()

    def tell(self, resource: str, code: str) -> bool:
        """Remember a problem; true if it is news."""
        with self._lock:
            news = self._codes.get(resource) != code
            self._codes[resource] = code
            return news

    def clear(self, resource: str) -> None:
        """Forget a resource's problem."""
        with self._lock:
            self._codes.pop(resource, None)

    def of(self, resource: str) -> str:
        """Give the code of a resource's problem; empty if there is none."""
        with self._lock:
            return self._codes.get(resource, "")
