"""What a gateway does at its department: at most once for one key, or it says why not."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import pytest
from exchange_province import HOUSING_FUND, LI, STRANGER, WANG, Province, fill_housing_fund

from huodang.exchange import Gateway, Refusal, Verdict

SEAL = "housing_fund.seal"


def do(province: Province, gateway: Gateway, subject: str = WANG, key: str = "case1-seal", **changes: Any) -> Verdict:
    parameters = {"on_date": "2025-03-03", "idempotency_key": key}
    answer = province.ask(gateway, province.grant(SEAL, subject, **{"parameters": parameters, **changes}))
    assert isinstance(answer, Verdict), answer
    return answer


def rows(province: Province, statement: str, *values: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(province.folder("housing_fund") / "housing_fund.db", timeout=10)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def test_an_action_changes_the_row_and_leaves_its_business_record(province: Province, housing_fund: Gateway) -> None:
    answer = do(province, housing_fund)
    assert (answer.outcome, answer.reason) == ("done", "done")
    assert answer.fields == {"account_balance": "12345670"}
    assert rows(province, "SELECT GRZHZT, FCRQ FROM GR_ZHXX WHERE GRZH = 'GJJ001'") == [("03", "20250303")]
    assert rows(province, "SELECT * FROM YW_LS") == [("case1-seal", WANG, "GJJ001", "20250303", 123456.7)]


def test_the_same_key_again_with_a_new_grant_gives_the_same_answer_and_acts_no_more(
    province: Province, housing_fund: Gateway
) -> None:
    first, second = do(province, housing_fund), do(province, housing_fund)
    assert (second.outcome, second.reason, second.fields) == (first.outcome, first.reason, first.fields)
    assert len(rows(province, "SELECT * FROM YW_LS")) == 1


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        (LI, "not_in_state"),
        (STRANGER, "several_rows"),
        ("130102195807073332", "no_row"),
    ],
)
def test_an_action_that_does_not_fit_is_refused_with_its_reason_and_changes_nothing(
    province: Province, housing_fund: Gateway, subject: str, reason: str
) -> None:
    before = rows(province, "SELECT * FROM GR_ZHXX")
    answer = do(province, housing_fund, subject)
    assert (answer.outcome, answer.reason) == ("refused", reason)
    assert rows(province, "SELECT * FROM GR_ZHXX") == before
    assert rows(province, "SELECT * FROM YW_LS") == []


def test_a_key_that_was_used_for_another_person_is_not_done_for_this_one(
    province: Province, housing_fund: Gateway
) -> None:
    do(province, housing_fund)
    answer = do(province, housing_fund, STRANGER)
    assert (answer.outcome, answer.reason) == ("refused", "key_of_another")


def test_all_fitting_rows_are_changed_where_the_file_says_so(province: Province) -> None:
    fill_housing_fund(province.folder("housing_fund") / "housing_fund.db")
    province.lay(province.agreement(SEAL))
    config = deepcopy(HOUSING_FUND)
    config["actions"][0]["rows"] = "all"
    assert do(province, province.gateway(config), STRANGER).outcome == "done"
    assert rows(province, "SELECT GRZHZT FROM GR_ZHXX WHERE GRZH IN ('GJJ003', 'GJJ004')") == [("03",), ("03",)]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"on_date": "2025-03-03"}, "parameter_missing"),
        ({"idempotency_key": "k"}, "parameter_missing"),
        ({"idempotency_key": "k", "on_date": "soon"}, "parameter_invalid"),
    ],
)
def test_an_action_without_what_it_needs_is_refused_before_anything_is_done(
    province: Province, housing_fund: Gateway, parameters: dict[str, str], code: str
) -> None:
    answer = province.ask(housing_fund, province.grant(SEAL, parameters=parameters))
    assert isinstance(answer, Refusal)
    assert answer.code == code
    assert rows(province, "SELECT * FROM YW_LS") == []


def test_a_check_may_not_be_asked_under_an_actions_name(province: Province, housing_fund: Gateway) -> None:
    answer = province.ask(housing_fund, province.grant(SEAL, kind="check"))
    assert isinstance(answer, Refusal)
    assert answer.code == "not_in_agreement"


def test_a_fault_in_the_middle_rolls_everything_back_and_the_step_can_be_retried(
    province: Province, housing_fund: Gateway
) -> None:
    rows_before = rows(province, "SELECT * FROM GR_ZHXX")
    with sqlite3.connect(province.folder("housing_fund") / "housing_fund.db") as connection:
        connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON YW_LS BEGIN SELECT RAISE(ABORT, 'the business day is closed'); END"
        )
    connection.close()
    answer = do(province, housing_fund)
    assert (answer.outcome, answer.reason) == ("unknown", "source_rejected")
    assert rows(province, "SELECT * FROM GR_ZHXX") == rows_before
    with sqlite3.connect(province.folder("housing_fund") / "housing_fund.db") as connection:
        connection.execute("DROP TRIGGER no")
    connection.close()
    assert do(province, housing_fund).outcome == "done"


def test_eight_requests_at_once_with_one_key_act_once(province: Province, housing_fund: Gateway) -> None:
    with ThreadPoolExecutor(8) as together:
        answers = list(together.map(lambda _: do(province, housing_fund), range(8)))
    assert {answer.outcome for answer in answers} == {"done"}
    assert len(rows(province, "SELECT * FROM YW_LS")) == 1


_ACT = """
import os, sys
from pathlib import Path
from huodang.exchange import Gateway, read_gateway_file
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        gateway = Gateway.open(read_gateway_file(Path(sys.argv[1])), environment={})
        print(os.getpid(), flush=True)
        gateway.answer([line.strip()])
        os._exit(0)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


def test_a_gateway_killed_at_any_moment_has_acted_at_most_once_and_finishes_when_asked_again(
    province: Province, housing_fund: Gateway
) -> None:
    """kill -9 at moments around the act; every key ends with exactly one business record."""
    config = province.folder("housing_fund") / "gateway.yaml"
    offset = int(province.clock.now().timestamp() - time.time())
    (province.root / "clock.offset").write_text(str(offset), encoding="ascii")
    with config.open("a", encoding="utf-8") as file:
        file.write("clock_offset_file: ../../clock.offset\n")
    with subprocess.Popen(
        [sys.executable, "-c", _ACT, str(config)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for attempt in range(8):
            change(province, "UPDATE GR_ZHXX SET GRZHZT = '01' WHERE GRZH = 'GJJ001'")
            parameters = {"on_date": "2025-03-03", "idempotency_key": f"key-{attempt}"}
            process.stdin.write(province.sign(province.grant(SEAL, parameters=parameters)) + "\n")
            process.stdin.flush()
            child = int(process.stdout.readline())
            time.sleep(attempt * 0.002)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            assert process.stdout.readline() == "gone\n"
            performed = rows(province, "SELECT * FROM YW_LS WHERE YWLSH = ?", f"key-{attempt}")
            state = rows(province, "SELECT GRZHZT FROM GR_ZHXX WHERE GRZH = 'GJJ001'")
            # The record and the change of state stand or fall together.
            assert (len(performed), state) in ((0, [("01",)]), (1, [("03",)]))
            assert do(province, housing_fund, key=f"key-{attempt}").outcome == "done"
            assert len(rows(province, "SELECT * FROM YW_LS WHERE YWLSH = ?", f"key-{attempt}")) == 1


def change(province: Province, statement: str) -> None:
    """The department changes its own data."""
    connection = sqlite3.connect(province.folder("housing_fund") / "housing_fund.db", timeout=10)
    with connection:
        connection.execute(statement)
    connection.close()
