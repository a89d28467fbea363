"""A gateway doesn't start on a file that doesn't fit: the error names file, resource, column and element."""

import sqlite3
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from exchange_province import (
    HOUSING_FUND,
    JUSTICE,
    POLICE,
    WANG,
    Province,
    fill_housing_fund,
    fill_police,
    write_custody,
)

from huodang.exchange import Gateway, GatewayConfigError, SourceError, read_gateway_file
from huodang.exchange.gateway.actions import KEY_OF_ANOTHER, REJECTED, SEVERAL_ROWS
from huodang.exchange.gateway.conversion import BROKEN, MISSING, QUARANTINED, UNMAPPED, UNREACHABLE
from huodang.exchange.gateway.refusals import SENTENCES
from huodang.trust import UnusableKeyError

Change = Callable[[dict[str, Any]], None]


def setting(path: str, value: Any) -> Change:
    """Set one place of the file, written as `resources.0.table`; `...` deletes it."""

    def change(config: dict[str, Any]) -> None:
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
        target: Any = config
        for step in steps:
            target = target[step]
        if value is ...:
            del target[last]
        else:
            target[last] = value

    return change


def refused(province: Province, base: dict[str, Any], change: Change) -> GatewayConfigError:
    fill_police(province.folder("police") / "police.db")
    fill_housing_fund(province.folder("housing_fund") / "housing_fund.db")
    write_custody(province.folder("justice") / "files", [])
    config = deepcopy(base)
    change(config)
    with pytest.raises(GatewayConfigError) as caught:
        province.gateway(config)
    assert str(caught.value.place.file).endswith("gateway.yaml") or caught.value.place.file is not None
    assert caught.value.chinese
    assert caught.value.english
    return caught.value


@pytest.mark.parametrize(
    ("path", "value", "column", "element"),
    [
        ("resources.0.elements.name", "XINGMING", "XINGMING", "name"),
        ("resources.0.elements.birth_date", {"column": "CSNY", "format": "yyyymmdd"}, "CSNY", "birth_date"),
        ("resources.0.subject", "SFZH", "SFZH", "identity_number"),
        ("resources.0.as_of", {"column": "GXSJ2"}, "GXSJ2", "police.household"),
        ("resources.0.only", {"YXBZ": "1"}, "YXBZ", "police.household"),
        ("resources.0.order", {"column": "XH"}, "XH", "police.household"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_its_resource(
    province: Province, path: str, value: Any, column: str, element: str
) -> None:
    error = refused(province, POLICE, setting(path, value))
    assert error.place.column == column
    assert error.place.element == element
    assert "T_CZRK_JBXX" in error.chinese
    assert "GMSFHM" in error.chinese  # what there is instead


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("resources.0.table", "T_NOWHERE", "T_NOWHERE"),
        ("resources.0.elements.shoe_size", "XM", "shoe_size"),
        ("resources.0.elements.sex", {"column": "XB", "crosswalk": "police.shoes"}, "police.shoes"),
        ("resources.0.elements.sex", {"column": "XB", "crosswalk": {"1": "male"}}, "male"),
        ("resources.0.elements.sex", {"column": "XB", "crosswalk": {"file": "no.csv"}}, "对照文件"),
        ("resources.0.elements.sex", {"column": "XB", "crosswalk": 1}, "crosswalk"),
        ("resources.0.elements.name", {"column": "XM", "crosswalk": "police.sex"}, "crosswalk"),
        ("resources.0.elements.birth_date", {"column": "CSRQ", "format": "soon"}, "soon"),
        ("resources.0.elements.name", {"column": "XM", "format": "yyyymmdd"}, "format"),
        ("resources.0.elements.name", {"column": "XM", "unit": "yuan"}, "unit"),
        ("resources.0.elements.name", {}, "column"),
        ("resources.0.elements.name", {"column": "XM", "constant": "x"}, "column"),
        ("resources.0.elements.name", {"colum": "XM"}, "colum"),
        ("resources.0.required", ["phone"], "required"),
        ("resources.0.required_claims", ["shoe_size"], "shoe_size"),
        ("resources.0.otherwise", {"outcome": "fine", "reason": "x"}, "fine"),
        ("resources.0.otherwise", {"outcome": "done", "reason": "x"}, "done"),
        ("resources.0.otherwise", {"outcome": "clear", "reason": "Not A Code"}, "reason"),
        ("resources.0.outcomes.0.when", {"phone": "present"}, "phone"),
        ("resources.0.outcomes.0.when", {"death_date": "dead"}, "dead"),
        ("resources.0.as_of", {"now": True, "file_time": True}, "as_of"),
        ("resources.0.as_of", {"file_time": True}, "as_of"),
        ("resources.0.file", "x.csv", "table"),
        ("resources.0.take", "all", "take"),
        ("resources.0.resource", "health.death", "部门代码"),
        ("resources.0.resource", "household", "resource"),
        ("resources.0.tabel", "x", "tabel"),
        ("resources", [], "资源"),
        ("source", {"url": "sqlite:///absent.db"}, "数据库文件"),
        ("source", {"url": "oracle://x/y"}, "oracle"),
        ("source", {"url": "not a url"}, "数据库地址"),
        ("source", {"url": "mysql+pymysql://u:${NO_SUCH_SECRET}@h/d"}, "NO_SUCH_SECRET"),
        ("source", {}, "source"),
        ("source", {"files": {"folder": "nowhere"}}, "文件夹"),
        ("listen", {"host": "0.0.0.0", "port": 1}, "tls"),  # noqa: S104  (it must be refused)
        ("listen", {"port": 70000}, "port"),
        ("department", "Police Department", "department"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_says_why(province: Province, path: str, value: Any, told: str) -> None:
    config = deepcopy(POLICE)
    if path == "department":
        fill_police(province.folder("police") / "police.db")
        config["department"] = value
        file = province.folder("police") / "gateway.yaml"
        file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        with pytest.raises(GatewayConfigError, match=told):
            read_gateway_file(file)
        return
    assert told in str(refused(province, POLICE, setting(path, value)))


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("actions.0.insert.key", ..., "key"),
        ("actions.0.insert.key", "JE", "idempotency_key"),
        ("actions.0.insert.values.YWLSH", "{case_id}", "idempotency_key"),
        ("actions.0.insert.values.NOSUCH", "x", "NOSUCH"),
        ("actions.0.insert.table", "YW_NONE", "YW_NONE"),
        ("actions.0.set.NOSUCH", "x", "NOSUCH"),
        ("actions.0.require", {"NOSUCH": "1"}, "NOSUCH"),
        ("actions.0.insert.values.GRZH", "{row.NOSUCH}", "NOSUCH"),
        ("actions.0.insert.values.GRZH", "{row.GRZH", "GRZH"),
        ("actions.0.table", ..., "table"),
        ("actions.0.rows", "some", "rows"),
        ("actions.0.fields", {"account_balance": "NOSUCH"}, "NOSUCH"),
        ("actions.0.required_claims", ["shoe_size"], "shoe_size"),
    ],
)
def test_an_action_that_does_not_fit_is_refused_and_says_why(
    province: Province, path: str, value: Any, told: str
) -> None:
    assert told in str(refused(province, HOUSING_FUND, setting(path, value)))


def test_a_key_column_that_is_not_unique_is_refused_as_a_repeat_would_act_twice(province: Province) -> None:
    def change(config: dict[str, Any]) -> None:
        config["actions"][0]["insert"]["table"] = "GR_ZHXX"
        config["actions"][0]["insert"]["key"] = "ZJHM"
        config["actions"][0]["insert"]["values"] = {"ZJHM": "{idempotency_key}"}
        config["actions"][0]["fields"] = {}

    error = refused(province, HOUSING_FUND, change)
    assert error.place.column == "ZJHM"
    assert "不唯一" in error.chinese


def test_files_take_no_actions(province: Province) -> None:
    assert "文件来源" in str(refused(province, JUSTICE, setting("actions", HOUSING_FUND["actions"])))


def test_a_code_written_without_quotation_marks_is_explained(province: Province) -> None:
    error = refused(province, HOUSING_FUND, setting("actions.0.require", {"GRZHZT": [1]}))
    assert "加引号" in error.chinese


def test_codes_without_crosswalk_are_warnings_at_start_up(province: Province) -> None:
    fill_police(province.folder("police") / "police.db")
    config = deepcopy(POLICE)
    config["resources"][0]["elements"]["sex"] = {"column": "XB", "crosswalk": {"1": "1"}}
    (warning,) = province.gateway(config).warnings
    assert "XB" in warning
    assert "2" in warning


def test_a_wrong_column_does_not_spill_names_into_the_warnings(province: Province) -> None:
    fill_police(province.folder("police") / "police.db")
    config = deepcopy(POLICE)
    config["resources"][0]["elements"]["sex"] = "GMSFHM"
    (warning,) = province.gateway(config).warnings
    assert WANG not in warning


def test_a_crosswalk_may_stand_in_a_file_beside(province: Province) -> None:
    fill_police(province.folder("police") / "police.db")
    (province.folder("police") / "sex.csv").write_text("local,standard\n1,1\n2,2\n", encoding="utf-8")
    config = deepcopy(POLICE)
    config["resources"][0]["elements"]["sex"] = {"column": "XB", "crosswalk": {"file": "sex.csv"}}
    assert province.gateway(config).warnings == ()


@pytest.mark.parametrize("text", ["a: [", "\t", "- 1", "department: police", "[" * 100_000])
def test_a_file_that_is_no_yaml_or_no_gateway_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GatewayConfigError):
        read_gateway_file(path)


def test_a_file_that_is_not_there_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(GatewayConfigError, match=r"absent\.yaml"):
        read_gateway_file(tmp_path / "absent.yaml")


def test_a_gateway_without_its_key_does_not_start(province: Province) -> None:
    fill_police(province.folder("police") / "police.db")
    with pytest.raises(UnusableKeyError):
        province.gateway(POLICE | {"keys": "../justice/keys"})


def test_a_gateway_without_a_delivery_does_not_start(province: Province) -> None:
    (province.folder("justice") / "files").mkdir(parents=True)
    with pytest.raises((GatewayConfigError, SourceError)):
        province.gateway(JUSTICE)


def test_the_documented_example_is_a_gateway(province: Province) -> None:
    """The YAML of docs/gateway.md is read, and starts over a database that has its tables."""
    document = Path(__file__).parents[2] / "docs" / "gateway.md"
    example = document.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    check, action = example.split("actions:\n")
    fill_police(province.folder("police") / "police.db")
    path = province.folder("police") / "gateway.yaml"
    path.write_text(check, encoding="utf-8")
    gateway = Gateway.open(read_gateway_file(path), environment={})
    assert list(gateway.resources) == ["police.household"]
    gateway.close()
    folder = province.folder("housing_fund")
    with sqlite3.connect(folder / "police.db") as connection:
        connection.execute("CREATE TABLE GR_ZHXX (GRZH TEXT, ZJHM TEXT, GRZHZT TEXT, FCRQ TEXT)")
        connection.execute("CREATE TABLE YW_LS (YWLSH TEXT PRIMARY KEY, ZJHM TEXT, GRZH TEXT, YWLX TEXT, YWRQ TEXT)")
    connection.close()
    head = check.split("resources:")[0].replace("department: police", "department: housing_fund")
    path = folder / "gateway.yaml"
    path.write_text(f"{head}actions:\n{action}", encoding="utf-8")
    gateway = Gateway.open(read_gateway_file(path), environment={})
    assert list(gateway.resources) == ["housing_fund.seal"]
    gateway.close()


def test_every_refusal_and_every_reason_of_the_gateways_own_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text(encoding="utf-8")
    own = {UNMAPPED, BROKEN, MISSING, QUARANTINED, UNREACHABLE, REJECTED, SEVERAL_ROWS, KEY_OF_ANOTHER}
    assert {code for code in {*SENTENCES, *own} if f"`{code}`" not in text} == set()
