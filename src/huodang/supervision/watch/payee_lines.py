"""A month's list made ready for the store: persons as blind indexes, one line a person and scheme, in order of the key.

The list streams through once. Identity numbers and accounts are indexed in batches and forgotten; what waits on disk,
in a folder of its own that goes with the load, holds neither. DuckDB sums and sorts it within a bound of memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from huodang.trust import FieldSealer

SLICES: Final = 256
"""A list is taken in so many slices: those whose index begins with the same two hexadecimal digits."""

_BATCH: Final = 100_000
_ACCOUNT_DIGITS: Final = 16


@dataclass(frozen=True)
class PayLine:
    """One row of a month's list.

    Attributes:
        identity_number: normalised; a row whose number fails is left out before, and counted.
        scheme: code of the scheme, or its name as the list gives it.
        fen: what is paid for the month, in fen; several rows of a person and scheme are summed.
        region: of the agency that pays; may be empty.
        account: the bank account as the list gives it, or any mark of it; kept as a blind index; may be empty.
    """

    identity_number: str = field(repr=False)
    scheme: str
    fen: int
    region: str = ""
    account: str = field(default="", repr=False)


@dataclass(frozen=True)
class StoredLine:
    """One line as it is stored."""

    person_index: str
    scheme: str
    fen: int
    region: str
    account: str


class ReadyList:
    """A list that is indexed, summed and sorted.

    Args:
        folder: for what doesn't fit in memory; emptied by its owner.
        memory: how much DuckDB may take.
    """

    def __init__(self, folder: Path, memory: str = "1GB") -> None:
        self._connection = duckdb.connect(str(folder / "list.duckdb"))
        self._connection.execute(f"SET memory_limit = '{memory}'")
        self._connection.execute(f"SET temp_directory = '{folder}'")
        self._connection.execute(
            "CREATE TABLE taken (person_index VARCHAR, scheme VARCHAR, fen BIGINT, region VARCHAR, account VARCHAR)"
        )
        self.rows = 0
        self.fen = 0
        self.digest = ""

    def take(self, lines: Iterable[PayLine], sealer: FieldSealer) -> Iterator[int]:
        """Take lines in, giving how many there were after each batch."""
        stream = iter(lines)
        taken = 0
        while batch := list(islice(stream, _BATCH)):
            self._connection.from_arrow(_indexed(batch, sealer)).insert_into("taken")
            taken += len(batch)
            yield taken

    def sort(self) -> None:
        """Sum what a person gets twice in a scheme, sort, and tell rows, fen and digest."""
        self._connection.execute(
            "CREATE TABLE ready AS SELECT person_index, scheme, sum(fen)::BIGINT AS fen, max(region) AS region, "
            "max(account) AS account FROM taken GROUP BY person_index, scheme ORDER BY person_index, scheme"
        )
        self._connection.execute("DROP TABLE taken")
        # The same lines in any order have the same digest.
        found = self._connection.execute(
            "SELECT count(*), coalesce(sum(fen), 0), coalesce(sum(md5_number_lower(concat_ws('|', person_index, "
            "scheme, fen, region, account))::HUGEINT), 0) FROM ready"
        ).fetchone()
        assert found is not None  # noqa: S101  (an aggregate always has a row)
        self.rows, self.fen = int(found[0]), int(found[1])
        self.digest = sha256(f"{found[0]}|{found[1]}|{found[2]}".encode()).hexdigest()

    def schemes(self) -> list[str]:
        """Name the schemes in the list."""
        return [row[0] for row in self._connection.execute("SELECT DISTINCT scheme FROM ready ORDER BY 1").fetchall()]

    def slices(self, first: int, end: int) -> list[StoredLine]:
        """Give the lines of slices, from the first to before the end."""
        low, high = bounds(first, end)
        rows = self._connection.execute(
            "SELECT person_index, scheme, fen, region, account FROM ready WHERE person_index >= ? AND person_index < ?",
            [low, high],
        ).fetchall()
        return [StoredLine(*row) for row in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def bounds(first: int, end: int) -> tuple[str, str]:
    """Give where slices begin, and where the one after them does."""
    return f"{first:02x}", f"{end:02x}" if end < SLICES else "g"


def _indexed(batch: Sequence[PayLine], sealer: FieldSealer) -> pa.Table:
    accounts = [line.account for line in batch if line.account]
    marks = iter(sealer.blind_indexes("bank_account", accounts))
    return pa.table(
        {
            "person_index": sealer.blind_indexes("identity_number", [line.identity_number for line in batch]),
            "scheme": [line.scheme for line in batch],
            "fen": pa.array([line.fen for line in batch], pa.int64()),
            "region": [line.region for line in batch],
            "account": [next(marks)[:_ACCOUNT_DIGITS] if line.account else "" for line in batch],
        }
    )
