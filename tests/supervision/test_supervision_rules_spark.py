"""Every rule says the same on Spark as on DuckDB, row by row, on random dirty tables."""

import os
import random
import warnings

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rule_tables import duckdb, person

from huodang.standards import Month
from huodang.supervision.rules import RuleSettings, Tables, all_rules, plant_all, rule
from huodang.supervision.tables import SCHEMAS, Kind

pytestmark = pytest.mark.spark

SETTINGS = RuleSettings(Month(2025, 6), (Month(2024, 12), Month(2025, 5)), account_persons=2, jump_fen=100)
ONE_MONTH = RuleSettings(Month(2025, 6), account_persons=1)
PEOPLE = [person(sequence, born) for sequence in (1, 2, 3, 23, 104) for born in (19550615, 19700101, 19820228)]
MONTHS = [202411, 202412, 202501, 202504, 202505, 202506]
DAYS = [20231231, 20240229, 20241130, 20250101, 20250430, 20250531, 20250601, 20250701, None]
CELLS = {
    "person": [*PEOPLE, None],
    "fault": [0, 0, 0, 0, 0, 8, 1],
    "name": ["李娜", "李 娜", "李·娜", "王秀英", "王*英", "", None],
    "month": MONTHS,
    "scheme": ["110", "170", "城乡居民基本养老保险", "310", None],
    "fen": [300_000, 300_001, 306_000, 900_000, 1],
    "account": [1, 2, 3, 1 << 59, None],
    "region": ["130102", "130200", None],
    "kind": ["regular", "back_pay", "benefit", "contribution", None],
    "sex": [0, 1, 2, 9, None],
    "birth": [19550615, 19550614, 19700101, 18000101, None],
    "category": ["male", "女55", "female50", "别的", None],
    "benefit_from": [200501, 201505, 202505, None],
    "retirement_month": [201505, 202506, None],
    "expected_fen": [300_000, 306_000, None],
    "decision": ["冀核〔2025〕1号", " ", None],
    "died_from": DAYS,
    "died_to": DAYS,
    "died": DAYS,
    "source": ["police", "health", None],
    "custody_from": DAYS,
    "custody_to": DAYS,
    "sentence_type": ["imprisonment", "prison", "probation", "outside", "strange", None],
    "status": ["normal", "dead", "cancelled", "emigrated", None],
    "certified_on": DAYS,
    "due_on": DAYS,
    "result": ["1", "未通过", None],
    "special": [0, 1, None],
    "as_of": DAYS,
}


def random_table(kind, seed, rows):
    draw = random.Random(f"{seed} {kind.value}")
    made = []
    for number in range(rows):
        cells = {name: draw.choice(CELLS.get(name, [None])) for name in SCHEMAS[kind].names} | {"row": number}
        if kind is Kind.DEATHS and cells["died_from"] and cells["died_to"]:
            cells["died_from"], cells["died_to"] = sorted((cells["died_from"], cells["died_to"]))
        made.append(cells)
    return pa.Table.from_pylist(made, schema=SCHEMAS[kind])


@pytest.fixture(scope="module")
def spark():
    if os.environ.get("HUODANG_SERVICES_REQUIRED") == "1":
        from pyspark import sql  # noqa: PLC0415
    else:
        sql = pytest.importorskip("pyspark.sql")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Small tables: plans are walked, not compiled, and not split.
        session = (
            sql.SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "1")
            .config("spark.sql.codegen.wholeStage", "false")
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
            .config("spark.sql.session.timeZone", "UTC")
            .getOrCreate()
        )
        yield ibis.pyspark.connect(session)
        session.stop()


@pytest.fixture(scope="module")
def engines(tmp_path_factory, spark):
    """The same dirty tables on both engines."""
    folder = tmp_path_factory.mktemp("tables")
    planted = plant_all(all_rules(), SETTINGS).tables
    for kind in Kind:
        table = random_table(kind, 1, 300)
        if kind in planted:
            table = pa.concat_tables([table, planted[kind]])
        pq.write_table(table, folder / f"{kind.value}.parquet")
    return [
        (
            backend,
            Tables.of(
                {
                    kind: backend.read_parquet(str(folder / f"{kind}.parquet"), table_name=f"both_{kind}")
                    for kind in Kind
                }
            ),
        )
        for backend in (duckdb(), spark)
    ]


def rows_of(backend, expression):
    if expression is None:
        return None
    table = backend.to_pyarrow(expression)
    return table.column_names, sorted(map(repr, table.to_pylist()))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("code", [each.code for each in all_rules()])
def test_both_engines_find_the_same_and_leave_the_same_unknown(engines, code):
    one = rule(code)
    found = [rows_of(backend, one.find(tables, SETTINGS)) for backend, tables in engines]
    unknown = [rows_of(backend, one.unknown(tables, SETTINGS)) for backend, tables in engines]
    assert found[0] == found[1]
    assert found[0][1]
    assert unknown[0] == unknown[1]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("code", ["paid_twice", "account_shared"])
def test_both_engines_find_the_same_where_one_month_alone_is_asked(engines, code):
    found = [rows_of(backend, rule(code).find(tables, ONE_MONTH)) for backend, tables in engines]
    assert found[0] == found[1]
    assert found[0][1]
