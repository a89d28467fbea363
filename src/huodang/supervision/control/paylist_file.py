"""A monthly list as a file: read whole or refused whole, compared in memory with what stands against payments.

Ten million rows stay within bounds: DuckDB holds row, person, scheme and fen; the persons under control, a few
thousand, are joined as packed numbers in memory. Working copies are taken away again.
"""

import csv
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from huodang.standards import Money, Month, Place, code_table
from huodang.supervision.control.errors import PaylistError
from huodang.supervision.control.paylist_values import Against, Hit, Totals
from huodang.supervision.tables import (
    SAID,
    Kind,
    Opened,
    Reason,
    connect,
    digest_of,
    load,
    open_files,
    path_literal,
    understand,
)

_COLUMNS: Final = ("row", "person", "fault", "scheme", "month", "fen")
CLEAN: Final = "clean.csv"
WITHHELD: Final = "withheld.csv"
Told = Callable[[str, int, int | None], None]


class PaylistFile:
    """One list, loaded; see `opened`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, found: Opened, digest: str) -> None:
        self._connection = connection
        self._found = found
        self.digest = digest

    def hits(self, against: Sequence[Against]) -> list[Hit]:
        """Find the rows that something stands against, in order; a stop goes before a hold, that before a proposal."""
        order = {"stop": 0, "hold": 1, "proposed": 2}
        ranked = sorted(against, key=lambda one: (order[one.why], one.clue_id))
        table = pa.table(
            {
                "number_": pa.array(range(len(ranked)), pa.int64()),
                "person_": pa.array([one.person for one in ranked], pa.int64()),
                "scheme_": pa.array([one.scheme for one in ranked], pa.string()),
            }
        )
        self._connection.register("against_", table)
        try:
            rows = self._connection.execute(
                "SELECT row, min(number_), any_value(fen), any_value(month) FROM payments JOIN against_ "
                "ON person = person_ AND scheme = scheme_ WHERE fault = 0 GROUP BY row ORDER BY row"
            ).fetchall()
        finally:
            self._connection.unregister("against_")
        places = self._places([row[0] for row in rows])
        return [Hit(row, places[row], fen, str(month), ranked[number]) for row, number, fen, month in rows]

    def write(self, out: Path, hits: Sequence[Hit], month: Month) -> Totals:
        """Write the clean list as the file has it, and the withheld list without any name; give the totals.

        Raises:
            PaylistError: the parts don't sum up to the whole.
        """
        out.mkdir(parents=True, exist_ok=True)
        withheld = [hit for hit in hits if hit.against.why != "proposed"]
        self._connection.register("withheld_", pa.table({"row_": pa.array([hit.row for hit in withheld], pa.int64())}))
        try:
            clean_rows, clean_fen = self._sums("WHERE row NOT IN (SELECT row_ FROM withheld_)")
            parts = " UNION ALL ".join(
                f"SELECT {_listed(file.table.format.columns)}, file_row_number + {file.offset} AS order_ "
                f"FROM {file.scan} WHERE file_row_number + {file.offset} NOT IN (SELECT row_ FROM withheld_)"
                for file in self._found.files
            )
            partial = out / f"{CLEAN}.partial"
            self._connection.execute(
                f"COPY (SELECT * EXCLUDE (order_) FROM ({parts}) ORDER BY order_) "
                f"TO {path_literal(partial)} (FORMAT csv, HEADER)"
            )
        finally:
            self._connection.unregister("withheld_")
        rows, fen = self._sums("")
        not_compared, _ = self._sums("WHERE fault <> 0 OR person IS NULL")
        other_months, _ = self._sums(f"WHERE month <> {int(str(month))}")
        held = [hit.fen for hit in withheld if hit.against.why == "hold"]
        stopped = [hit.fen for hit in withheld if hit.against.why == "stop"]
        totals = Totals(
            rows=rows,
            fen=fen,
            clean_rows=clean_rows,
            clean_fen=clean_fen,
            held_rows=len(held),
            held_fen=sum(held),
            stopped_rows=len(stopped),
            stopped_fen=sum(stopped),
            not_compared=not_compared,
            other_months=other_months,
        )
        if (clean_rows + len(withheld), clean_fen + sum(held) + sum(stopped)) != (rows, fen):
            raise PaylistError(
                "清单各部分之和与总数不符，未写出", "the parts don't sum up to the whole; nothing is written"
            )
        _write_withheld(out / f"{WITHHELD}.partial", withheld)
        for name in (CLEAN, WITHHELD):
            (out / f"{name}.partial").replace(out / name)
        return totals

    def _sums(self, where: str) -> tuple[int, int]:
        # All rows are fetched: a result left open would keep the connection busy.
        ((rows, fen),) = self._connection.execute(
            f"SELECT count(*), coalesce(sum(fen), 0) FROM payments {where}"
        ).fetchall()
        return int(rows), int(fen)

    def _places(self, rows: Sequence[int]) -> dict[int, int]:
        places: dict[int, int] = {}
        self._connection.register("asked_", pa.table({"row_": pa.array(rows, pa.int64())}))
        try:
            for file in self._found.files:
                found = self._connection.execute(
                    f"SELECT file_row_number + {file.offset}, {file.place} FROM {file.scan} "
                    f"WHERE file_row_number + {file.offset} IN (SELECT row_ FROM asked_)"
                )
                places.update({int(row): int(place) for row, place in found.fetchall()})
        finally:
            self._connection.unregister("asked_")
        return places


@contextmanager
def opened(path: Path, work: Path, *, scheme: str = "", memory: str = "4GB", told: Told) -> Iterator[PaylistFile]:
    """Read a list, whole or not at all.

    Args:
        path: CSV, Excel, Parquet or DBF; headers as for `huodang check`.
        work: a folder for working copies, emptied afterwards.
        scheme: of all rows, for a list without a column of it.
        memory: what the database may use.
        told: told each step.

    Raises:
        PaylistError: a row can't be read or has no scheme; the place names the first.
        HuodangError: the file can't be read or its columns aren't understood.
    """
    work.mkdir(parents=True, exist_ok=True)
    try:
        with closing(connect(memory, None, work / "spill")) as connection:
            understanding = understand({Kind.PAYMENTS: [path]})
            if understanding.problems:
                raise understanding.problems[0]
            found = open_files(understanding, work / "staging", connection, told)[Kind.PAYMENTS]
            loaded = load(connection, Kind.PAYMENTS, found, work, columns=_COLUMNS, progress=told)
            if loaded.quarantined:
                raise _unreadable(path, work, sum(loaded.quarantined.values()))
            _settle_scheme(connection, path, scheme)
            yield PaylistFile(connection, found, digest_of(path))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _settle_scheme(connection: duckdb.DuckDBPyConnection, path: Path, scheme: str) -> None:
    known = sorted(code_table("scheme").codes)
    if scheme:
        connection.execute("UPDATE payments SET scheme = ? WHERE scheme IS NULL", [scheme])
    ((first, number),) = connection.execute(
        "SELECT min(row), count(*) FROM payments WHERE scheme IS NULL OR scheme NOT IN (SELECT unnest(?))", [known]
    ).fetchall()
    if number:
        raise PaylistError(
            f"有 {number} 行没有险种，或险种无法识别",
            f"{number} rows have no scheme, or one that isn't known",
            advice_chinese="整份清单没有险种列时，用 --scheme 110 写明；其余请改正后重新提交。",
            advice_english="Where the whole list has no such column, give --scheme 110; else correct it.",
            place=Place(file=path.name, row=int(first) + 2, column="scheme"),
        )


def _unreadable(path: Path, work: Path, number: int) -> PaylistError:
    with (work / f"{Kind.PAYMENTS}.csv").open(encoding="utf-8-sig", newline="") as file:
        first = next(csv.DictReader(file))
    said = SAID[next(one for one in Reason if one.code == first["reason"])]
    return PaylistError(
        f"清单有 {number} 行不能读取，整份不收；首行：{said.chinese}",
        f"{number} rows of the list can't be read, so none is taken; the first: {said.english}",
        advice_chinese="请改正后重新提交整份清单。",
        advice_english="Correct it and hand the whole list in again.",
        place=Place(file=path.name, row=int(first["row"]), column=first["column"] or None),
    )


def _listed(columns: Sequence[str]) -> str:
    return ", ".join('"' + column.replace('"', '""') + '"' for column in columns)


def _write_withheld(path: Path, hits: Sequence[Hit]) -> None:
    words = {"hold": ("暂停一期", "held once"), "stop": ("终止", "stopped")}
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file_row", "scheme", "month", "yuan", "why", "原因", "judged", "clue_id"])
        for hit in hits:
            chinese, english = words[hit.against.why]
            judged = "yes" if hit.against.judged else "no"
            yuan = Money(hit.fen).text
            writer.writerow(
                [hit.file_row, hit.against.scheme, hit.month, yuan, english, chinese, judged, hit.against.clue_id]
            )
