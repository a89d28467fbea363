"""One file as SQL: its columns turned into the canonical ones, each row with the reason for quarantine or 0.

Steps are nested, and DuckDB computes of them only what is asked for: columns that no rule reads cost nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from huodang.supervision.tables import codes, values
from huodang.supervision.tables.identity_sql import (
    LOST,
    Layer,
    bare_identity,
    identity_fault_sql,
    identity_layers,
    literal,
)
from huodang.supervision.tables.kinds import Kind
from huodang.supervision.tables.reasons import Reason
from huodang.supervision.tables.schema import SCHEMAS, sql_type
from huodang.supervision.tables.understanding import UnderstoodTable


@dataclass(frozen=True)
class RawFile:
    """One file as it can be queried: Parquet, the file itself or its staged copy.

    Attributes:
        types: DuckDB's type by column.
        offset: `row` of its first row in its kind.
        first_row: the place of its first row in the file, where rows follow each other; else None: `row_` tells.
    """

    table: UnderstoodTable
    scan: str
    types: Mapping[str, str]
    offset: int
    rows: int
    first_row: int | None

    @property
    def place(self) -> str:
        """SQL of the place of a row in the file, counted from 1."""
        return "row_" if self.first_row is None else f"file_row_number + {self.first_row}"


def select(raw: RawFile, columns: Sequence[str], on: date | None) -> str:
    """Give the SELECT of canonical columns and of `reason_` over one file.

    Args:
        raw: the file.
        columns: which columns of the kind's schema.
        on: the day of the check, for birth dates in the future.
    """
    kind = raw.table.kind
    schema = SCHEMAS[kind]
    built = _Builder(raw, on)
    source = f"(SELECT {', '.join(built.source())} FROM {raw.scan})"
    for layer in built.layers:
        source = f"(SELECT *, {', '.join(f'{sql} AS {name}' for name, sql in layer.columns)} FROM {source})"
    picked = [
        f'CAST({built.finals.get(name, "NULL")} AS {sql_type(kind, name)}) AS "{name}"'
        for name in schema.names
        if name in columns
    ]
    return f"SELECT {', '.join(picked)}, CAST({built.reason()} AS TINYINT) AS reason_ FROM {source}"


class _Builder:
    """Gathers the steps for one file."""

    def __init__(self, raw: RawFile, on: date | None) -> None:
        self._raw = raw
        self._table = raw.table
        self.layers: list[Layer] = []
        self.finals: dict[str, str] = {"row": f"file_row_number + {raw.offset}"}
        self._identity(on)
        self._take("name", "name", values.plain_text)
        _KINDS[raw.table.kind](self)

    def source(self) -> list[str]:
        """The columns of the file, renamed so that no header meets a name of ours."""
        return [
            "file_row_number",
            *(
                f"{literal(one.value or '') if one.header is None else quoted(one.header)} AS {raw_name(one.canonical)}"
                for one in self._table.columns
            ),
        ]

    def reason(self) -> str:
        """The reason for quarantine of a row, 0 for none."""
        return f"CASE {' '.join(self._reasons)} ELSE 0 END" if self._reasons else "0"

    def has(self, source: str) -> bool:
        """Say whether the file has a column."""
        return self._table.column(source) is not None

    def _column(self, source: str) -> tuple[str, str]:
        """A column's name in SQL and its type."""
        found = self._table.column(source)
        assert found is not None  # noqa: S101  (asked for with `has` before)
        kind = "VARCHAR" if found.header is None else self._raw.types[found.header]
        return raw_name(source), kind

    def _identity(self, on: date | None) -> None:
        self._reasons: list[str] = []
        if not self.has("identity_number"):
            self.finals["fault"] = "1"
            return
        column, kind = self._column("identity_number")
        self.layers.append(Layer((("identity_text_", bare_identity(values.text_of(column, kind))),)))
        self.layers += identity_layers("identity_text_")
        self.finals |= {"person": "person", "fault": identity_fault_sql(on)}
        self._because(LOST, Reason.IDENTITY_DIGITS_LOST)

    def _because(self, condition: str, reason: Reason) -> None:
        self._reasons.append(f"WHEN {condition} THEN {int(reason)}")

    def _take(self, final: str, source: str, read: Callable[[str, str], str]) -> None:
        if self.has(source):
            self.finals[final] = read(*self._column(source))

    def _layer(self, name: str, sql: str) -> None:
        """Compute a column in a step of its own: reasons ask for it again."""
        self.layers.append(Layer(((name, sql),)))

    def _code(self, final: str, source: str, known: tuple[dict[str, str], codes.Parts]) -> None:
        self._take(final, source, lambda column, kind: values.mapped(column, kind, *known))

    def _scheme(self) -> None:
        self._take("scheme", "scheme", lambda column, kind: values.mapped(column, kind, codes.schemes()))

    def _money(self, final: str, source: str) -> None:
        if self.has(source):
            found = self._table.column(source)
            unit = found.unit if found else "yuan"
            self._layer(f"{final}_", values.money(*self._column(source), unit))
            self.finals[final] = f"{final}_"

    def _day(self, final: str, source: str) -> None:
        if self.has(source):
            self.layers += values.span_layers(*self._column(source), f"{final}_day")
            self.finals[final] = f"CASE WHEN {final}_day_from = {final}_day_to THEN {final}_day_from END"

    def _month(self, final: str, source: str) -> None:
        if self.has(source):
            self._layer(f"{final}_month_", values.month(*self._column(source)))
            self.finals[final] = f"{final}_month_"

    def _empty_row(self) -> None:
        self._because(f"CASE WHEN person IS NOT NULL THEN false ELSE NOT {self._told()} END", Reason.EMPTY_ROW)

    def payments(self) -> None:
        """Steps of that kind of table."""
        self._month("month", "month")
        self._money("fen", "amount")
        self._required("month_month_", Reason.MONTH_UNREADABLE)
        self._required("fen_", Reason.AMOUNT_UNREADABLE)
        self._scheme()
        self._account()
        self._take("region", "region", values.plain_text)
        self._code("kind", "kind", codes.PAYMENT_KIND)
        self._take("sex", "sex", values.sex)
        self._day("birth", "birth_date")
        self._take("category", "category", values.plain_text)
        self._month("benefit_from", "benefit_from")
        self._money("expected_fen", "expected_amount")
        self._take("decision", "decision", values.plain_text)

    def _required(self, name: str, reason: Reason) -> None:
        empty = f"CASE WHEN {self._told()} THEN {int(reason)} ELSE {int(Reason.EMPTY_ROW)} END"
        self._reasons.append(f"WHEN {name} IS NULL THEN {empty}")

    def _told(self) -> str:
        """Whether anything stands in the row."""
        told = [values.is_told(*self._column(one.canonical)) for one in self._table.columns if one.header is not None]
        return f"({' OR '.join(told)})"

    def _account(self) -> None:
        if self.has("account"):
            self._layer("account_text_", values.account_text(*self._column("account")))
            self.finals["account"] = values.account_key("account_text_")

    def deaths(self) -> None:
        """Steps of that kind of table."""
        self.layers += values.span_layers(*self._column("death_date"), "died")
        self.finals |= {"died_from": "died_from", "died_to": "died_to"}
        self._required("died_to", Reason.DEATH_UNREADABLE)
        # The birth date of a number whose check digit is wrong may be wrong, too: only a sound number contradicts.
        sound = f"({identity_fault_sql()}) = 0"
        self._because(
            f"CASE WHEN died_to < (person // 1000) % 100000000 THEN {sound} ELSE false END", Reason.DEATH_BEFORE_BIRTH
        )
        self._take("source", "source", values.plain_text)

    def custody(self) -> None:
        """Steps of that kind of table."""
        self.layers += values.span_layers(*self._column("custody_from"), "began")
        # Where only year or month are known, the shorter term is taken: nobody is accused of a day that may be free.
        self.finals["custody_from"] = "began_to"
        self._required("began_from", Reason.CUSTODY_START_UNREADABLE)
        if self.has("custody_to"):
            self.layers += values.span_layers(*self._column("custody_to"), "ended")
            self.finals["custody_to"] = "ended_from"
            told = values.is_end_told(*self._column("custody_to"))
            self._because(f"ended_to IS NULL AND {told}", Reason.CUSTODY_END_UNREADABLE)
            self._because("ended_to < began_from", Reason.CUSTODY_INVERTED)
        self.finals["sentence_type"] = "'imprisonment'"
        if self.has("sentence_type"):
            column, kind = self._column("sentence_type")
            self.finals["sentence_type"] = f"coalesce({values.mapped(column, kind, *codes.SENTENCE)}, 'imprisonment')"

    def enrolments(self) -> None:
        """Steps of that kind of table."""
        self._month("month", "month")
        self._required("month_month_", Reason.MONTH_UNREADABLE)
        self._money("fen", "amount")
        self._scheme()
        self._take("region", "region", values.plain_text)
        headers = [found.header or "" for name in ("amount", "month") if (found := self._table.column(name))]
        self.finals["kind"] = literal("contribution" if any("缴" in header for header in headers) else "benefit")
        if self.has("kind"):
            column, kind = self._column("kind")
            self.finals["kind"] = (
                f"coalesce({values.mapped(column, kind, *codes.ENROLMENT_KIND)}, {self.finals['kind']})"
            )

    def population(self) -> None:
        """Steps of that kind of table."""
        self._take("sex", "sex", values.sex)
        self._day("birth", "birth_date")
        self._day("died", "death_date")
        self._code("status", "status", codes.POPULATION_STATUS)
        self._empty_row()

    def certifications(self) -> None:
        """Steps of that kind of table."""
        self._day("certified_on", "certified_on")
        self._day("due_on", "due_on")
        self._take("result", "result", values.plain_text)
        self._empty_row()

    def archives(self) -> None:
        """Steps of that kind of table."""
        self._take("sex", "sex", values.sex)
        self._day("birth", "birth_date")
        self._take("category", "category", values.plain_text)
        self._month("retirement_month", "retirement_month")
        self._take("special", "special", values.flag)
        self._take("employer", "employer", values.plain_text)
        self._take("contribution_months", "contribution_months", values.count)
        self._take("doctor", "doctor", values.plain_text)
        self._take("clerk", "clerk", values.plain_text)
        self._take("overrides", "overrides", values.count)
        if self.has("address"):
            self._layer("address_text_", values.account_text(*self._column("address")))
            self.finals["address"] = values.account_key("address_text_")
        self._empty_row()

    def visits(self) -> None:
        """Steps of that kind of table."""
        self._day("last_on", "last_on")
        self._empty_row()

    def balances(self) -> None:
        """Steps of that kind of table."""
        self._money("fen", "balance")
        self._required("fen_", Reason.AMOUNT_UNREADABLE)
        self._day("as_of", "as_of")

    def decisions(self) -> None:
        """Steps of that kind of table."""
        self._month("month", "month")
        self._required("month_month_", Reason.MONTH_UNREADABLE)
        self._money("fen", "amount")
        self._take("decision", "decision", values.plain_text)

    def institutions(self) -> None:
        """Steps of that kind of table."""
        self._account()
        self._required("account_text_", Reason.ACCOUNT_UNREADABLE)


_KINDS: Mapping[Kind, Callable[[_Builder], None]] = {
    Kind.PAYMENTS: _Builder.payments,
    Kind.DEATHS: _Builder.deaths,
    Kind.CUSTODY: _Builder.custody,
    Kind.ENROLMENTS: _Builder.enrolments,
    Kind.POPULATION: _Builder.population,
    Kind.CERTIFICATIONS: _Builder.certifications,
    Kind.ARCHIVES: _Builder.archives,
    Kind.BALANCES: _Builder.balances,
    Kind.DECISIONS: _Builder.decisions,
    Kind.INSTITUTIONS: _Builder.institutions,
    Kind.VISITS: _Builder.visits,
}


def raw_name(canonical: str) -> str:
    """Name a column of the file where no name of ours can meet it."""
    return f"raw_{canonical}"


def quoted(name: str) -> str:
    """Quote a header as a name of SQL."""
    return '"' + name.replace('"', '""') + '"'
