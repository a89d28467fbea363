"""One row for each person and scheme: what the scores know of who is paid.

Everything is aggregated in DuckDB and handed over as columns in the order of person and scheme, so that no order of
input rows can change a score. -1 stands for "not told".
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from huodang.pension import Category
from huodang.pension.errors import BadFacts
from huodang.pension.vectorised import CATEGORY_CODES
from huodang.supervision.scores import people_sql as statements
from huodang.supervision.scores.sources import Sources

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]

NOT_TOLD: Final = -1


@dataclass(frozen=True)
class People:
    """Columns of equal length; months are ordinals (year × 12 + month - 1), money is fen, -1 is not told.

    Attributes:
        person, row: The packed number, and the payment's row that stands for the person (the first of the last month).
        latest: The last month paid.
        fen: What was paid in the last month, back pay aside; `highest` and `middle` over all months.
        lump: Back pay over all months; `decided`: 1 where a decision stands behind every lump, 0 where not.
        expected: Recalculated entitlement of the last month.
        born: `YYYYMMDD` of the identity number; `sex` 1 or 2.
        started: Month of retirement, of the archive, else of the payments.
        credited: Contribution months, as the archive claims; `found`: as the contribution rows show.
        recent, before: Mean monthly contribution in fen in the last year before retirement, and in the years before it.
        trace: Last day (`YYYYMMDD`) of a visit, a certification or a contribution; `account_people`, `address_people`:
            how many people share the account, how many under 75 the address; `account_homes`: how many addresses the
            people of the account have.
    """

    person: Integers
    row: Integers
    scheme: Codes
    region: Codes
    prefecture: Codes
    latest: Codes
    months: Codes
    fen: Integers
    highest: Integers
    middle: Integers
    lump: Integers
    decided: Codes
    expected: Integers
    born: Codes
    sex: Codes
    category: Codes
    started: Codes
    special: Codes
    credited: Codes
    found: Codes
    recent: Integers
    before: Integers
    trace: Codes
    employer: Codes
    doctor: Codes
    clerk: Codes
    overrides: Codes
    account: Integers
    address: Integers
    account_people: Codes
    account_homes: Codes
    address_people: Codes

    def __len__(self) -> int:
        return len(self.person)

    def age(self) -> Codes:
        """Tell everybody's age in whole years in the last month paid."""
        months = self.latest - (self.born // 10_000 * 12 + self.born // 100 % 100 - 1)
        return (months // 12).astype(np.int32)


@dataclass(frozen=True)
class Names:
    """The texts behind the codes of a column."""

    scheme: tuple[str, ...]
    region: tuple[str, ...]
    employer: tuple[str, ...]
    doctor: tuple[str, ...]
    clerk: tuple[str, ...]


def gather(sources: Sources) -> tuple[People, Names]:
    """Aggregate all tables into one row for each person and scheme."""
    run = sources.connection.execute
    run(statements.MONTHLY)
    one_month = (run("SELECT count(DISTINCT month) FROM payments").fetchone() or (0,))[0] <= 1
    for statement in (
        statements.PAID_ONE_MONTH if one_month else statements.PAID,
        statements.FILED,
        statements.CONTRIBUTED,
        statements.TRACES,
        statements.SHARED_ACCOUNTS,
        statements.SHARED_ADDRESSES,
    ):
        run(statement)
    texts = {name: _code_table(sources, name, texts) for name, texts in statements.CODED.items()}
    found = run(statements.PEOPLE).fetchnumpy()
    categories, spelled = np.unique(found.pop("category").astype(str), return_inverse=True)
    codes = np.array([_category_code(text) for text in categories.tolist()], dtype=np.int32)
    kept = {name: np.ascontiguousarray(column) for name, column in found.items()}
    people = People(category=codes[spelled] if len(codes) else np.zeros(0, dtype=np.int32), **kept)
    names = Names(texts["schemes"], texts["regions"], texts["employers"], texts["doctors"], texts["clerks"])
    return people, names


def unjudged(sources: Sources) -> int:
    """Count the payments that no score can be made for: no readable person, month or amount."""
    counted = sources.connection.execute(
        "SELECT count(*) FROM payments WHERE person IS NULL OR coalesce(fault, 0) <> 0 OR month IS NULL OR fen IS NULL"
    ).fetchone()
    return int(counted[0]) if counted else 0


def _code_table(sources: Sources, name: str, texts: str) -> tuple[str, ...]:
    sources.connection.execute(
        f"CREATE TEMP TABLE {name} AS SELECT text, (row_number() OVER (ORDER BY text) - 1)::INTEGER AS code "
        f"FROM (SELECT DISTINCT text FROM ({texts}) WHERE text IS NOT NULL)"
    )
    return tuple(row[0] for row in sources.connection.execute(f"SELECT text FROM {name} ORDER BY code").fetchall())


def _category_code(text: str) -> int:
    if not text:
        return NOT_TOLD
    try:
        return CATEGORY_CODES[Category.parse(text)]
    except BadFacts:
        return NOT_TOLD
