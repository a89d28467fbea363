"""Who was paid after death by which register: captures out of the prepared tables of checks' runs."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import duckdb

from huodang.standards import Place
from huodang.supervision.watch.errors import RunError
from huodang.supervision.watch.estimates import Captures

_WORDS: Final = (
    ("health", ("卫健", "卫生", "医院", "死亡医学证明", "死因", "health", "hospital")),
    ("police", ("公安", "户籍", "户口", "派出所", "police")),
    ("civil_affairs", ("民政", "殡葬", "殡仪", "火化", "civil", "cremat", "funeral")),
    ("justice", ("司法", "监狱", "justice", "prison")),
)
_PAID_AFTER: Final = """
SELECT DISTINCT deaths.person, coalesce(deaths.source, '') AS source
FROM read_parquet(?) AS deaths JOIN read_parquet(?) AS payments ON payments.person = deaths.person
WHERE deaths.fault = 0 AND payments.fault = 0 AND deaths.row >= 0 AND payments.row >= 0
  AND payments.fen > 0 AND payments.month > deaths.died_to // 100
"""


def register_of(source: str) -> str:
    """Give the register that a source's words name; the words themselves where none is known."""
    lowered = source.lower()
    for register, words in _WORDS:
        if any(word in lowered for word in words):
            return register
    return lowered.strip()[:40]


def captures_of_runs(runs: Iterable[Path]) -> Captures:
    """Count who was paid after death, by the registers that have the death, over one run or several.

    Args:
        runs: folders with prepared tables, whose deaths name their source.

    Raises:
        RunError: a folder holds no prepared deaths and payments, or a death there names no source.
        CaptureError: fewer than two registers have anybody.
    """
    persons: dict[str, set[int]] = defaultdict(set)
    for run in runs:
        deaths = _table(run, "deaths.parquet")
        payments = _table(run, "payments.parquet")
        with duckdb.connect() as connection:
            connection.execute("SET memory_limit = '1GB'")
            for person, source in connection.execute(_PAID_AFTER, [str(deaths), str(payments)]).fetchall():
                if not source:
                    raise RunError(
                        "死亡记录没有注明来源，无法分辨登记部门",
                        "a death names no source: the registers can't be told apart",
                        advice_chinese="请在死亡文件中加“来源”列（卫健、公安、民政），重新核查。",
                        advice_english="Add a column for the source (health, police, civil affairs), and check anew.",
                        place=Place(file=run.name),
                    )
                persons[register_of(source)].add(person)
    return Captures.of(persons)


def _table(run: Path, name: str) -> Path:
    found = sorted(run.rglob(name)) if run.is_dir() else []
    if not found:
        raise RunError(
            f"文件夹中没有整理好的数据：缺少 {name}",
            f"the folder holds no prepared tables: {name} is missing",
            advice_chinese="请给出 huodang check --store 保留的文件夹，或直接给出 --payments 和 --deaths。",
            advice_english="Give a folder kept by `huodang check --store`, or the files: --payments and --deaths.",
            place=Place(file=run.name),
        )
    return found[0]
