"""What a gateway offers to match against: whether a grant is admitted, the values, the memory, a line in the log."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from huodang.exchange.gateway.admission import admit_delivery
from huodang.exchange.gateway.config import config_error
from huodang.exchange.gateway.database_source import DatabaseSource, typed
from huodang.exchange.gateway.file_source import FileSource
from huodang.exchange.gateway.memory import LogLine
from huodang.exchange.gateway.refusals import Refused
from huodang.exchange.gateway.service import Gateway
from huodang.exchange.matching.config import MatchesSection, MatchSpec
from huodang.exchange.matching.errors import NotPermittedToMatchError, SetTooSmallError
from huodang.exchange.matching.messages import check_size
from huodang.exchange.matching.probes import Budget, ProbeMemory
from huodang.exchange.matching.values import Normalisation, ValueSet, collect
from huodang.exchange.values import REFUSAL, Agreement, Grant, Kind
from huodang.standards import Place, element
from huodang.trust import SignedEnvelope

OUTCOME: Final = "match"
_BATCH: Final = 20_000


class OfferedSets:
    """The sets that one gateway matches against.

    Args:
        gateway: whose source, keys and agreements count.
        section: of the gateway's file.

    Raises:
        GatewayConfigError: an entry doesn't fit the source or the standard.
        SourceError: the source can't be read at start-up.
    """

    def __init__(self, gateway: Gateway, section: MatchesSection) -> None:
        self.gateway = gateway
        self.specs = {one.resource: one for one in section.offer}
        self._check(section)
        self.memory = ProbeMemory(gateway.file.beside(section.database))

    def admitted(self, envelope: SignedEnvelope, grant: Grant, now: datetime) -> tuple[Agreement, MatchSpec]:
        """Hold a grant against agreement, clock and what is offered.

        Raises:
            NotPermittedToMatchError: it doesn't fit; the log says why.
        """
        agreement = admit_delivery(
            envelope,
            grant,
            department=self.gateway.department,
            kind=Kind.MATCH,
            resources=self.specs.keys(),
            shelf=self.gateway.shelf.contents(),
            now=now,
            skew=self.gateway.skew,
        )
        if isinstance(agreement, Refused):
            raise self.refused(agreement, grant, envelope.digest, now)
        spec = self.specs[grant.resource]
        if spec.element not in grant.elements:
            raise self.refused(Refused("elements_insufficient", spec.element), grant, envelope.digest, now)
        return agreement, spec

    def values(self, spec: MatchSpec) -> ValueSet:
        """Make the department's own set.

        Raises:
            SetTooSmallError: it has fewer values than the file asks for.
        """
        return self.large_enough(collect(self.cells(spec), normalisation_of(spec)), spec)

    def large_enough(self, values: ValueSet, spec: MatchSpec) -> ValueSet:
        """Hand back the department's own set if it has as many values as the file asks for.

        Raises:
            SetTooSmallError: it has fewer; how many there are is no business of whoever asks.
        """
        try:
            check_size(values.size, smallest=spec.minimum_set, largest=10**9)
        except SetTooSmallError:
            raise SetTooSmallError(
                "提供方的集合太小，不予比对",
                "the provider's set is too small to be matched",
                advice_chinese="集合过小会暴露个别人。",
                advice_english="A small set would tell about single persons.",
            ) from None
        return values

    def cells(self, spec: MatchSpec) -> Iterator[object]:
        """Read the cells of a set, one a row."""
        source = self.gateway.source
        only = {name: (one,) if isinstance(one, str) else one for name, one in spec.only.items()}
        if isinstance(source, DatabaseSource):
            table = source.table(spec.table or "")
            statement = sa.select(table.c[spec.column])
            for name, values in only.items():
                column = table.c[name]
                statement = statement.where(column.in_([typed(value, column.type) for value in values]))
            with source.reading() as connection:
                yield from connection.execution_options(yield_per=_BATCH).scalars(statement)
            return
        for path in source.files(spec.file or "", take_all=spec.take == "all"):
            yield from _cells_of(source, path, spec.column, only)

    def derived(self, use: str, what: str) -> bytes:
        """Derive 64 bytes of key material from the gateway's secret."""
        marks = (self.gateway.secret.blind_index(f"{use}_{number}", what) for number in range(4))
        return bytes.fromhex("".join(marks))

    def write(self, grant: Grant, digest: str, outcome: str, reason: str, now: datetime, *, take: bool = False) -> bool:
        """Append a line, and take the grant's nonce if told; say whether it was taken already."""
        line = line_of(grant, digest, outcome, reason.removeprefix("matching.").replace(".", "_"), now)
        until = grant.expires_at + 2 * self.gateway.skew
        nonce = (grant.nonce, until) if take else (None, None)
        return bool(self.gateway.memory.write([(*nonce, line)]))

    def refused(self, refused: Refused, grant: Grant | None, digest: str, now: datetime) -> NotPermittedToMatchError:
        """Log a refusal; give the error to be raised."""
        line = line_of(grant, digest, REFUSAL, refused.code, now)
        self.gateway.memory.write([(None, None, line)])
        chinese, english = refused.sentences()
        return NotPermittedToMatchError(chinese, english)

    def _check(self, section: MatchesSection) -> None:
        gateway = self.gateway
        if len(self.specs) != len(section.offer) or self.specs.keys() & gateway.resources.keys():
            raise config_error("资源重名", "two resources have one name", self._place("matches"))
        for name, spec in self.specs.items():
            place = self._place(name)
            if not name.startswith(f"{gateway.department}."):
                raise config_error("资源名应以部门代码开头", "a resource's name starts with the department", place)
            element(spec.element)
            of_files = isinstance(gateway.source, FileSource)
            if (spec.file if of_files else spec.table) is None or (spec.table if of_files else spec.file) is not None:
                raise config_error(
                    "数据库来源应写 table，文件来源应写 file", "a database takes `table`, files take `file`", place
                )
            if spec.take not in {None, "latest", "all"} or (spec.take and not of_files):
                raise config_error("take 只能是 latest 或 all", "`take` is latest or all, for files", place)
            present = gateway.source.columns(spec.file or spec.table or "")
            for column in (spec.column, *spec.only):
                if column not in present:
                    raise config_error("没有这一列", "there is no such column", replace(place, column=column))

    def _place(self, name: str) -> Place:
        return Place(file=str(self.gateway.file.path), element=name)


def _cells_of(source: FileSource, path: Path, column: str, only: dict[str, tuple[str, ...]]) -> Iterator[object]:
    lines = source.lines(path)
    heading = next(lines)[1]
    at = heading.index(column)
    conditions = [(heading.index(name), values) for name, values in only.items()]
    for _number, cells, _text in lines:
        if len(cells) == len(heading) and all(cells[position].strip() in values for position, values in conditions):
            yield cells[at]


def normalisation_of(spec: MatchSpec) -> Normalisation:
    """Say how the values of a set are compared."""
    return Normalisation.IDENTITY_NUMBER if spec.element == "identity_number" else Normalisation.TEXT


def budget_of(spec: MatchSpec) -> Budget:
    """Give what the provider allows."""
    return Budget(spec.probes_per_day, spec.similarity_percent, spec.similarity_days)


def line_of(
    grant: Grant | None, digest: str, outcome: str, reason: str, now: datetime, *, fields: tuple[str, ...] = ()
) -> LogLine:
    """Make a line of the log; it names nobody."""
    return LogLine.of_grant(grant, digest, outcome, reason, now, fields=fields)
