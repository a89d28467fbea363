"""What a finding shows of a row: the texts as they stand in the file, read for the rows found only."""

from collections.abc import Sequence
from typing import Final

import duckdb
import pyarrow as pa

from huodang.supervision.tables import values
from huodang.supervision.tables.identity_sql import literal
from huodang.supervision.tables.raw_files import Opened
from huodang.supervision.tables.selecting import RawFile, quoted

SHOWN: Final = ("identity_number", "name", "scheme", "month", "amount", "account", "region")
ORIGINAL: Final = pa.schema(
    [("row", pa.int64()), ("file", pa.string()), ("file_row", pa.int64()), *((name, pa.string()) for name in SHOWN)]
)
"""What `originals` gives; a column that the file hasn't is NULL."""


def originals(connection: duckdb.DuckDBPyConnection, opened: Opened, rows: Sequence[int] | pa.Array) -> pa.Table:
    """Read the original texts of some rows, in the order of `row`."""
    array = rows if isinstance(rows, pa.Array) else pa.array(sorted(set(rows)), pa.int64())
    wanted = pa.table({"wanted_": array})
    connection.register("wanted_rows_", wanted)
    try:
        parts = " UNION ALL ".join(_one(file) for file in opened.files)
        found: pa.Table = connection.sql(f"SELECT * FROM ({parts}) ORDER BY row").to_arrow_table()
    finally:
        connection.unregister("wanted_rows_")
    return found.cast(ORIGINAL)


def _one(file: RawFile) -> str:
    columns = ", ".join(f"{_shown(file, name)} AS {name}" for name in SHOWN)
    return (
        f"SELECT file_row_number + {file.offset} AS row, {literal(file.table.file)} AS file, {file.place} AS file_row, "
        f"{columns} FROM {file.scan} WHERE file_row_number IN "
        f"(SELECT wanted_ - {file.offset} FROM wanted_rows_ "
        f"WHERE wanted_ >= {file.offset} AND wanted_ < {file.offset + file.rows})"
    )


def _shown(file: RawFile, name: str) -> str:
    found = file.table.column(name)
    if found is None:
        return "NULL::VARCHAR"
    if found.header is None:
        return literal(found.value or "")
    return values.text_of(quoted(found.header), file.types[found.header])
