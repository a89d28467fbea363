"""What a gateway does at its department: at most once for a key, in one transaction of the department's database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from huodang.exchange.errors import SourceError
from huodang.exchange.gateway.config import ActionSpec, GatewayFile, InsertSpec, config_error
from huodang.exchange.gateway.conversion import ElementSource, Row, plain
from huodang.exchange.gateway.database_source import DatabaseSource, typed
from huodang.exchange.gateway.mapping import check_columns, compile_elements, standard_element
from huodang.exchange.gateway.shapes import Title
from huodang.exchange.gateway.sources import forms_of
from huodang.exchange.gateway.templates import Template, TemplateFault
from huodang.exchange.values import IDEMPOTENCY_KEY, Outcome
from huodang.standards import IdentityNumber, Place

DONE = "done"
SEVERAL_ROWS = "several_rows"
REJECTED = "source_rejected"
KEY_OF_ANOTHER = "key_of_another"
_IDENTITY = Template.compile("{identity_number}")


@dataclass(frozen=True)
class Insert:
    """One row to write."""

    table: str
    values: Mapping[str, Template]


@dataclass(frozen=True)
class ActionResource:
    """An action that a gateway offers; see `docs/gateway.md`."""

    name: str
    title: Title | None
    table: str
    subject: str
    require: Mapping[str, tuple[str, ...]]
    not_in_state: str
    no_row: str
    all_rows: bool
    set: Mapping[str, Template]
    inserts: tuple[Insert, ...]
    key_table: str
    key_column: str
    fields: tuple[ElementSource, ...]
    required_claims: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """Names that a grant must carry as parameters or claims, the idempotency key among them."""
        return frozenset({IDEMPOTENCY_KEY}).union(*(template.names for template in self._templates()))

    @property
    def row_columns(self) -> frozenset[str]:
        """Columns of the person's row that values are taken from."""
        return frozenset[str]().union(*(template.columns for template in self._templates()))

    def _templates(self) -> list[Template]:
        return [*self.set.values(), *(one for insert in self.inserts for one in insert.values.values())]


@dataclass(frozen=True)
class Performed:
    """How an action went.

    Attributes:
        record: the business record that carries the idempotency key; None unless it was done.
    """

    outcome: Outcome
    reason: str
    record: Row | None = None


def compile_action(spec: ActionSpec, file: GatewayFile) -> ActionResource:
    """Understand one entry of `actions`.

    Raises:
        GatewayConfigError: it contradicts itself or the standard.
    """
    place = Place(file=str(file.path), element=spec.resource)
    inserts = (spec.insert,) if isinstance(spec.insert, InsertSpec) else spec.insert
    keyed = [insert for insert in inserts if insert.key is not None]
    if len(keyed) != 1 or (key := keyed[0].key) is None or key not in keyed[0].values:
        raise config_error(
            "insert 中应有且只有一个 key，且该列应有值",
            "exactly one insert has a `key`, and that column has a value",
            place,
        )
    if keyed[0].values[key] != f"{{{IDEMPOTENCY_KEY}}}":
        raise config_error(
            "key 列的值应为 {idempotency_key}", "the value of the `key` column is {idempotency_key}", place
        )
    if (spec.table is None) is not (spec.subject is None) or (spec.table is None and (spec.require or spec.set)):
        raise config_error(
            "table 与 subject 应同时给出；require 和 set 需要它们",
            "`table` and `subject` go together; `require` and `set` need them",
            place,
        )
    if spec.rows not in ("one", "all"):
        raise config_error("rows 只能是 one 或 all", "`rows` is one or all", place)
    for name in spec.required_claims:
        standard_element(name, place)
    action = ActionResource(
        name=spec.resource,
        title=spec.title,
        table=spec.table or "",
        subject=spec.subject or "",
        require={column: (value,) if isinstance(value, str) else value for column, value in spec.require.items()},
        not_in_state=spec.not_in_state,
        no_row=spec.no_row,
        all_rows=spec.rows == "all",
        set={column: _template(text, column, place) for column, text in spec.set.items()},
        inserts=tuple(
            Insert(insert.table, {column: _template(text, column, place) for column, text in insert.values.items()})
            for insert in inserts
        ),
        key_table=keyed[0].table,
        key_column=key,
        fields=compile_elements(spec.fields, file, place),
        required_claims=frozenset(spec.required_claims),
    )
    if action.row_columns and not action.table:
        raise config_error("使用 {row.…} 需要 table", "{row.…} needs a `table`", place)
    return action


def check_action(action: ActionResource, source: DatabaseSource, file: GatewayFile) -> None:
    """Hold an action against the source.

    Raises:
        GatewayConfigError: a table or column isn't there, or the key's column isn't unique.
    """
    place = Place(file=str(file.path), element=action.name)
    if action.table:
        wanted = [action.subject, *action.require, *action.set, *sorted(action.row_columns)]
        check_columns(action.table, dict.fromkeys(wanted), source, place)
    for insert in action.inserts:
        check_columns(insert.table, dict.fromkeys(insert.values), source, place)
    check_columns(
        action.key_table, {one.column: one.element.identifier for one in action.fields if one.column}, source, place
    )
    if action.key_column not in source.unique_columns(action.key_table):
        raise config_error(
            f"{action.key_table} 的列 {action.key_column} 不唯一，重复请求会办理两次",
            f"column {action.key_column} of {action.key_table} isn't unique: a repeated request would act twice",
            Place(column=action.key_column).within(place),
        )


def perform(
    action: ActionResource, source: DatabaseSource, identity: IdentityNumber, texts: Mapping[str, str]
) -> Performed:
    """Do it, or find that it was done under this key before.

    Raises:
        QuestionFault: the grant lacks a value.
        SourceError: the database can't be used; whether it was done shows at the next try with the same key.
    """
    try:
        return _perform(action, source, identity, texts)
    except SourceError as problem:
        if not isinstance(problem.__cause__, IntegrityError):
            raise
    # Another request with the same key may have been quicker: then its record stands there now.
    with source.reading() as connection:
        record = _record(action, source, connection, texts)
    return _again(action, record, texts) if record is not None else Performed(Outcome.UNKNOWN, REJECTED)


def _perform(
    action: ActionResource, source: DatabaseSource, identity: IdentityNumber, texts: Mapping[str, str]
) -> Performed:
    with source.writing() as connection:
        record = _record(action, source, connection, texts)
        if record is not None:
            return _again(action, record, texts)
        row: Row = {}
        if action.table:
            rows = _rows(action, source, connection, identity)
            if not rows:
                return Performed(Outcome.REFUSED, action.no_row)
            fitting = [one for one in rows if _fits(action, one)]
            if not fitting:
                return Performed(Outcome.REFUSED, action.not_in_state)
            if len(fitting) > 1 and not action.all_rows:
                return Performed(Outcome.REFUSED, SEVERAL_ROWS)
            row = fitting[0]
        # Values are made before the row is changed: `{row.…}` is the row as it was.
        inserted = [
            (source.table(one.table), _filled(one.values, texts, row, source.table(one.table)))
            for one in action.inserts
        ]
        if action.set:
            table = source.table(action.table)
            statement = sa.update(table).where(_of_person(table, action, identity))
            for column, values in action.require.items():
                statement = statement.where(
                    table.c[column].in_([typed(value, table.c[column].type) for value in values])
                )
            connection.execute(statement.values(_filled(action.set, texts, row, table)))
        for target, written in inserted:
            connection.execute(sa.insert(target).values(written))
        return Performed(Outcome.DONE, DONE, _record(action, source, connection, texts))


def _again(action: ActionResource, record: Row, texts: Mapping[str, str]) -> Performed:
    """Answer for what was done before; a record of another person under the same key isn't this one's."""
    for insert in action.inserts:
        for column, template in insert.values.items():
            if insert.table == action.key_table and template == _IDENTITY and column in record:
                same = plain(record[column]) == texts["identity_number"]
                return Performed(Outcome.DONE, DONE, record) if same else Performed(Outcome.REFUSED, KEY_OF_ANOTHER)
    return Performed(Outcome.DONE, DONE, record)


def _record(
    action: ActionResource, source: DatabaseSource, connection: sa.Connection, texts: Mapping[str, str]
) -> Row | None:
    table = source.table(action.key_table)
    found = (
        connection.execute(sa.select(table).where(table.c[action.key_column] == texts[IDEMPOTENCY_KEY]))
        .mappings()
        .first()
    )
    return dict(found) if found is not None else None


def _rows(
    action: ActionResource, source: DatabaseSource, connection: sa.Connection, identity: IdentityNumber
) -> list[Row]:
    table = source.table(action.table)
    statement = sa.select(table).where(_of_person(table, action, identity)).with_for_update()
    return [dict(row) for row in connection.execute(statement).mappings()]


def _of_person(table: sa.TableClause, action: ActionResource, identity: IdentityNumber) -> sa.ColumnElement[bool]:
    return table.c[action.subject].in_(forms_of(identity))


def _fits(action: ActionResource, row: Row) -> bool:
    return all(plain(row[column]) in values for column, values in action.require.items())


def _filled(
    templates: Mapping[str, Template], texts: Mapping[str, str], row: Row, table: sa.TableClause
) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for column, template in templates.items():
        value = template.fill(texts, row)
        filled[column] = typed(value, table.c[column].type) if isinstance(value, str) else value
    return filled


def _template(text: str, column: str, place: Place) -> Template:
    try:
        return Template.compile(text)
    except TemplateFault:
        raise config_error(
            f"列 {column} 的值写法有误",
            f"the value of column {column} isn't written as it must be",
            Place(column=column).within(place),
        ) from None
