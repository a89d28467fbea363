"""A whole check on Spark gives what it gives on DuckDB: states, counts, unknown rows and digests of every rule."""

import os
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest

from huodang.standards import Month, check_character
from huodang.store import FixedClock
from huodang.supervision.check import CheckRequest, run_check
from huodang.supervision.rules import all_rules
from huodang.supervision.tables import Kind

pytestmark = pytest.mark.spark

CLOCK = FixedClock(datetime(2024, 6, 1, tzinfo=UTC))


def number(sequence: int) -> str:
    seventeen = f"13010219500101{sequence:03}"
    return seventeen + check_character(seventeen)


PEOPLE = [number(sequence) for sequence in range(1, 13)]
LINES = {
    Kind.PAYMENTS: [
        "公民身份号码,姓名,险种,发放年月,发放金额,银行账号,行政区划",
        *(
            f"{who},人{chr(0x4E00 + place)}{chr(0x5200 + place)},110,{month},{1000 + 500 * (month == 202405)}.50,"
            f"62220000{place // 5:011},130102"
            for place, who in enumerate(PEOPLE)
            for month in (202404, 202405)
        ),
        f"{PEOPLE[0][:17]}{'0' if PEOPLE[0][17] != '0' else '1'},庚庚,110,202405,70,6222000000000000099,130103",
    ],
    Kind.DEATHS: ["身份证号,死亡日期", f"{PEOPLE[0]},2024-03-30", f"{PEOPLE[1]},2024"],
    Kind.CUSTODY: ["证件号码,入监日期,出监日期,刑罚类型", f"{PEOPLE[2]},2023-01-01,,", f"{PEOPLE[3]},2023-01-01,,缓刑"],
    Kind.ENROLMENTS: [
        "身份证号,险种,发放年月,发放金额",
        f"{PEOPLE[4]},170,202405,150",
        f"{PEOPLE[5]},110,202405,1500.50",
    ],
    Kind.POPULATION: [
        "身份证号,姓名,性别,出生日期,户籍状态",
        *(f"{who},甲{chr(0x4E00 + place)},2,19500102,注销" for place, who in enumerate(PEOPLE[6:9])),
    ],
    Kind.CERTIFICATIONS: ["身份证号,认证日期", f"{PEOPLE[7]},2022-01-01"],
    Kind.ARCHIVES: ["身份证号,性别,出生日期,人员类别,退休年月", f"{PEOPLE[8]},1,19510101,male,200501"],
    Kind.BALANCES: ["身份证号,账户余额", f"{PEOPLE[0]},20.00"],
    Kind.DECISIONS: ["身份证号,核定年月,核定金额", f"{PEOPLE[9]},202405,1500.50"],
}


@pytest.mark.filterwarnings("ignore")
def test_whole_check_gives_the_same_digests_on_both_engines(tmp_path: Path) -> None:
    if os.environ.get("HUODANG_SERVICES_REQUIRED") != "1":
        pytest.importorskip("pyspark.sql")
    files = {}
    for kind, lines in LINES.items():
        path = tmp_path / f"{kind}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        files[kind] = (path,)
    results = {}
    for engine in ("duckdb", "spark:local[2]"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            request = CheckRequest(files, tmp_path / engine[:5], (Month(2024, 5),), engine=engine, store=tmp_path / "s")
            results[engine] = run_check(request, clock=CLOCK)
    told = [
        {one.rule.code: (one.state, one.reason, one.count, one.unknown, one.digest) for one in result.rules}
        for result in results.values()
    ]
    assert told[0] == told[1]
    assert {state for state, *_ in told[0].values()} == {"judged"}
    assert len(told[0]) == len(all_rules())
    assert sum(count > 0 for _, _, count, *_ in told[0].values()) >= 8
    assert dict(results["spark:local[2]"].certificate)["engine"]["engine"] == "spark"  # type: ignore[index]
