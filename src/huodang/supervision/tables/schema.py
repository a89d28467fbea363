"""The canonical tables as rules see them: one Arrow schema a kind, alike on every engine.

`row` counts from 0 in its kind over all files (canaries stand below 0); `person` is the first 17 digits of the
18-character number as one integer; `fault` is the `IdentityFault`. Dates are `YYYYMMDD`, months `YYYYMM`, money is
fen; NULL is "not told".
"""

from typing import Final

import pyarrow as pa

from huodang.supervision.tables.kinds import Kind

_DAY: Final = pa.int32()
_MONTH: Final = pa.int32()
_FEN: Final = pa.int64()
_TEXT: Final = pa.string()

COMMON: Final = (("row", pa.int64()), ("person", pa.int64()), ("fault", pa.int8()), ("name", _TEXT))
"""The columns that every table begins with."""

_OWN: Final[dict[Kind, tuple[tuple[str, pa.DataType], ...]]] = {
    Kind.PAYMENTS: (
        ("month", _MONTH),
        ("scheme", _TEXT),
        ("fen", _FEN),
        ("account", pa.int64()),
        ("region", _TEXT),
        ("kind", _TEXT),
        ("sex", pa.int8()),
        ("birth", _DAY),
        ("category", _TEXT),
        ("benefit_from", _MONTH),
        ("expected_fen", _FEN),
        ("decision", _TEXT),
    ),
    Kind.DEATHS: (("died_from", _DAY), ("died_to", _DAY), ("source", _TEXT)),
    Kind.CUSTODY: (("custody_from", _DAY), ("custody_to", _DAY), ("sentence_type", _TEXT)),
    Kind.ENROLMENTS: (("scheme", _TEXT), ("month", _MONTH), ("fen", _FEN), ("kind", _TEXT), ("region", _TEXT)),
    Kind.POPULATION: (("sex", pa.int8()), ("birth", _DAY), ("status", _TEXT), ("died", _DAY)),
    Kind.CERTIFICATIONS: (("certified_on", _DAY), ("due_on", _DAY), ("result", _TEXT)),
    Kind.ARCHIVES: (
        ("sex", pa.int8()),
        ("birth", _DAY),
        ("category", _TEXT),
        ("retirement_month", _MONTH),
        ("special", pa.int8()),
        ("employer", _TEXT),
        ("contribution_months", pa.int32()),
        ("doctor", _TEXT),
        ("clerk", _TEXT),
        ("address", pa.int64()),
        ("overrides", pa.int32()),
    ),
    Kind.BALANCES: (("fen", _FEN), ("as_of", _DAY)),
    Kind.DECISIONS: (("month", _MONTH), ("fen", _FEN), ("decision", _TEXT)),
    Kind.INSTITUTIONS: (("account", pa.int64()),),
    Kind.VISITS: (("last_on", _DAY),),
}

SCHEMAS: Final[dict[Kind, pa.Schema]] = {kind: pa.schema([*COMMON, *_OWN[kind]]) for kind in Kind}
"""The schema of each prepared table, in the order of its columns."""

_SQL: Final = {pa.int8(): "TINYINT", pa.int32(): "INTEGER", pa.int64(): "BIGINT", _TEXT: "VARCHAR"}


def sql_type(kind: Kind, column: str) -> str:
    """Give the type of a column in the SQL of DuckDB."""
    return _SQL[SCHEMAS[kind].field(column).type]
