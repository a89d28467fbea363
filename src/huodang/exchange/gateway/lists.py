"""Lists (名单): who falls into a span of days, such as everybody born in a month. Bounded, and from a database only.

A list names no person in its grant; the agreement says which elements each row may hold, and the gateway's file how
many rows at most. What can't be read is left out and told, never guessed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from huodang.exchange.gateway.answers import Answer
from huodang.exchange.gateway.conditions import QuestionFault
from huodang.exchange.gateway.config import GatewayFile, ListSpec, config_error
from huodang.exchange.gateway.conversion import CellFault, ElementSource, Row
from huodang.exchange.gateway.database_source import DatabaseSource, typed
from huodang.exchange.gateway.formats import ISO_DATE, MomentFormat
from huodang.exchange.gateway.mapping import check_columns, compile_elements, moment_format
from huodang.exchange.gateway.shapes import Title
from huodang.exchange.values import Outcome
from huodang.standards import Place

LISTED = Answer(Outcome.CLEAR, "listed")
LISTED_WITH_GAPS = Answer(Outcome.CLEAR, "listed_with_gaps")
TOO_MANY = Answer(Outcome.UNKNOWN, "too_many")


@dataclass(frozen=True)
class ListResource:
    """A list that a gateway offers.

    Attributes:
        column: the column of the day that bounds the list.
        lower: parameter with the first day, included.
        upper: parameter with the last day, included.
        format: how the column writes a day.
        most: more rows than this are not handed over at all.
    """

    name: str
    title: Title | None
    table: str
    column: str
    lower: str
    upper: str
    format: MomentFormat
    most: int
    only: Mapping[str, tuple[str, ...]]
    elements: tuple[ElementSource, ...]

    @property
    def offers(self) -> frozenset[str]:
        """Elements that a row may hold, if agreement and grant say so."""
        return frozenset(source.element.identifier for source in self.elements)

    @property
    def parameters(self) -> frozenset[str]:
        """Parameters that a grant must carry."""
        return frozenset({self.lower, self.upper})


@dataclass(frozen=True)
class Listed:
    """What a list holds: rows by element, and the source's rows behind them as evidence."""

    answer: Answer
    rows: tuple[dict[str, str], ...]
    evidence: tuple[Row, ...]


def compile_list(spec: ListSpec, file: GatewayFile) -> ListResource:
    """Understand one entry of `lists`.

    Raises:
        GatewayConfigError: an element or format isn't known, or the format's text doesn't sort by time.
    """
    place = Place(file=str(file.path), element=spec.resource)
    pattern = moment_format(spec.within.format, place) if spec.within.format else ISO_DATE
    if not pattern.pattern.lower().startswith("yyyy") or "day" not in pattern.parts:
        raise config_error("within 的格式须由年、月、日依次组成", "`within` takes year, month and day in order", place)
    return ListResource(
        name=spec.resource,
        title=spec.title,
        table=spec.table,
        column=spec.within.column,
        lower=spec.within.lower,
        upper=spec.within.upper,
        format=pattern,
        most=spec.most,
        only={column: (value,) if isinstance(value, str) else value for column, value in spec.only.items()},
        elements=compile_elements(spec.elements, file, place),
    )


def check_list(resource: ListResource, source: DatabaseSource, place: Place) -> None:
    """Hold a list against the source.

    Raises:
        GatewayConfigError: the table or a column isn't there.
    """
    columns: dict[str, str | None] = {
        source.column: source.element.identifier for source in resource.elements if source.column
    }
    columns |= dict.fromkeys((resource.column, *resource.only))
    check_columns(resource.table, columns, source, place)


def read_list(
    resource: ListResource, source: DatabaseSource, parameters: Mapping[str, str], fields: frozenset[str]
) -> Listed:
    """Read the rows of a list, ordered by the bounding day.

    Args:
        resource: which list.
        source: the department's database.
        parameters: of the grant: the two days.
        fields: elements that agreement and grant name.

    Raises:
        QuestionFault: a day can't be read.
        SourceError: the source can't be read at this moment.
    """
    table = source.table(resource.table)
    column = table.c[resource.column]
    first, last = (
        sa.literal(typed(resource.format.write(_day(parameters, name)), column.type), column.type)
        for name in (resource.lower, resource.upper)
    )
    wanted = [one for one in resource.elements if one.element.identifier in fields]
    names = tuple(dict.fromkeys(one.column for one in wanted if one.column))
    statement = (
        sa.select(*(table.c[name] for name in names))
        .where(column >= first, column <= last)
        .order_by(column, *(table.c[name] for name in names))
        .limit(resource.most + 1)
    )
    for name, values in resource.only.items():
        statement = statement.where(table.c[name].in_([typed(value, table.c[name].type) for value in values]))
    with source.reading() as connection:
        found: Sequence[Row] = [dict(zip(names, record, strict=True)) for record in connection.execute(statement)]
    if len(found) > resource.most:
        return Listed(TOO_MANY, (), ())
    rows: list[dict[str, str]] = []
    for row in found:
        try:
            values_of = {one.element.identifier: one.read(row) for one in wanted}
        except CellFault:
            continue
        rows.append({name: value for name, value in values_of.items() if value is not None})
    return Listed(LISTED if len(rows) == len(found) else LISTED_WITH_GAPS, tuple(rows), tuple(found))


def _day(parameters: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(parameters[name])
    except (KeyError, ValueError):
        raise QuestionFault("parameter_invalid", name) from None
