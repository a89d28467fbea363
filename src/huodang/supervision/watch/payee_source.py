"""A month's list out of a prepared store of a check: valid numbers and regular payments only, the rest counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from huodang.standards import Month, code_table
from huodang.supervision.tables import Kind, Prepared
from huodang.supervision.watch.errors import ListError
from huodang.supervision.watch.payee_lines import PayLine

_WEIGHTS = np.array([2 ** (17 - place) % 11 for place in range(17)], dtype=np.int64)
_CHECK = np.array(list("10X98765432"))
_BATCH = 100_000


@dataclass(frozen=True)
class MonthList:
    """A month of a prepared store.

    Attributes:
        month: which.
        rows: rows that are taken.
        left_out: rows of the month that aren't: their number fails, or they pay something back.
    """

    prepared: Prepared
    month: Month
    rows: int
    left_out: int

    def lines(self) -> Iterator[PayLine]:
        """Give the rows, in bounded memory. Numbers are rebuilt from their 17 digits, as only valid ones are taken."""
        codes = _codes()
        for batch in self._batches():
            persons = _texts(batch["person"])
            for number, scheme, fen, region, account in zip(
                persons, batch["scheme"], batch["fen"], batch["region"], batch["account"], strict=True
            ):
                yield PayLine(number, codes.get(scheme, scheme)[:64], int(fen), region, account)

    def _batches(self) -> Iterator[dict[str, np.ndarray]]:
        connection = duckdb.connect()
        try:
            connection.execute("SET memory_limit = '1GB'")
            found = connection.sql(
                "SELECT person, coalesce(scheme, '') AS scheme, fen, left(coalesce(region, ''), 12) AS region, "
                "coalesce(account::VARCHAR, '') AS account FROM read_parquet(?) WHERE " + _TAKEN,
                params=[str(self.prepared.path(Kind.PAYMENTS)), int(str(self.month))],
            )
            reader: Any = found.to_arrow_reader(_BATCH)
            for batch in reader:
                yield {name: batch.column(name).to_numpy(zero_copy_only=False) for name in batch.schema.names}
        finally:
            connection.close()


_TAKEN = (
    "month = ? AND fault = 0 AND person IS NOT NULL AND fen > 0 AND coalesce(kind, 'regular') = 'regular' AND row >= 0"
)


def month_list(prepared: Prepared, month: Month | None = None) -> MonthList:
    """Pick a month of a prepared store; the latest unless told.

    Raises:
        ListError: there are no payments, or none of that month.
    """
    path = prepared.path(Kind.PAYMENTS)
    if path is None:
        raise ListError("没有发放数据", "there are no payments")
    with duckdb.connect() as connection:
        latest = connection.execute("SELECT max(month) FROM read_parquet(?)", [str(path)]).fetchone()
        if month is None and (latest is None or latest[0] is None):
            raise ListError("清单没有月份", "the list tells no month")
        chosen = month if month is not None else Month.parse(str(latest[0] if latest else ""))
        code = int(str(chosen))
        counts = connection.execute(
            f"SELECT count(*) FILTER ({_TAKEN}), count(*) FROM read_parquet(?) WHERE month = ?", [code, str(path), code]
        ).fetchone()
    assert counts is not None  # noqa: S101  (an aggregate always has a row)
    if not counts[0]:
        raise ListError(
            f"清单中没有 {chosen.iso} 的可用行",
            f"the list holds no row of {chosen.iso} that can be taken",
            advice_chinese="请用 --month 指明清单的月份，并核对证件号码。",
            advice_english="Name the list's month by --month, and check the identity numbers.",
        )
    return MonthList(prepared, chosen, int(counts[0]), int(counts[1] - counts[0]))


def _texts(persons: np.ndarray) -> list[str]:
    """Write out numbers from their first 17 digits, with the check character that they must have."""
    digits = (persons[:, None] // 10 ** np.arange(16, -1, -1, dtype=np.int64)) % 10
    checks = _CHECK[(digits @ _WEIGHTS) % 11]
    return [f"{person:017d}{check}" for person, check in zip(persons.tolist(), checks.tolist(), strict=True)]


def _codes() -> dict[str, str]:
    """Give the code of each scheme by its name."""
    table = code_table("scheme")
    return {table.meaning(code): code for code in table.codes}
