"""A steward points `huodang connect` at any database, gets an honest proposal, and sees nobody's data."""

import json
import sqlite3
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text
from typer.testing import CliRunner

from huodang.cli import app
from huodang.exchange import Gateway, build_gateway, read_gateway_file
from huodang.exchange.catalogue import Sharing, read_catalogue
from huodang.exchange.connect import (
    ConnectError,
    Inspection,
    InspectionSettings,
    Limits,
    OutputExistsError,
    TableProposal,
    inspect_database,
    inspect_files,
    write_outputs,
)
from huodang.exchange.connect.naming import name_hints
from huodang.standards import HuodangError, check_character, elements
from huodang.trust import Provisioner

TODAY = date(2025, 3, 3)
NAMES = [first + last for first in "王李张刘陈赵" for last in ("建国", "红梅", "伟", "秀英", "磊")]


def person(number: int) -> tuple[str, date, str]:
    """A made-up identity number, with birth date and sex."""
    born = date(1950, 1, 1) + timedelta(days=number * 37 % 15_000)
    sex = "1" if number % 2 else "2"
    seventeen = f"130102{born:%Y%m%d}{number % 100:02d}{sex}"
    return seventeen + check_character(seventeen), born, sex


def settings(department: str = "police", **changes: object) -> InspectionSettings:
    return InspectionSettings(department, TODAY, **changes)  # type: ignore[arg-type]


def fill(path: Path, statements: list[str], rows: dict[str, list[tuple[object, ...]]] | None = None) -> str:
    with sqlite3.connect(path) as connection:
        for one in statements:
            connection.execute(one)
        for table, values in (rows or {}).items():
            marks = ", ".join("?" * len(values[0]))
            connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', values)  # noqa: S608
    connection.close()
    return f"sqlite:///{path}"


def table_of(inspection: Inspection, name: str) -> TableProposal:
    return next(one for one in inspection.proposals if one.mapping.facts.name == name)


def mapped(inspection: Inspection, name: str) -> dict[str, str]:
    """By element, the column proposed."""
    return {element: one.column for element, one in table_of(inspection, name).mapping.used.items()}


CITIZENS = (
    "CREATE TABLE citizens (userName TEXT, id_card VARCHAR(18), gender INTEGER, birthday DATE, mobile_phone TEXT,"
    " address TEXT, product_name TEXT, updated_at TEXT)"
)


def citizens(count: int = 120) -> list[tuple[object, ...]]:
    return [
        (
            NAMES[at % len(NAMES)],
            number,
            {"1": 0, "2": 1}[sex],
            born.isoformat(),
            f"139{at:08d}",
            f"河北省保定市竞秀区朝阳路{at}号",
            "甲",
            f"2025-02-{at % 28 + 1:02d} 08:00:00",
        )
        for at in range(count)
        for number, born, sex in [person(at)]
    ]


@pytest.fixture
def english(tmp_path: Path) -> Inspection:
    return inspect_database(fill(tmp_path / "c.db", [CITIZENS], {"citizens": citizens()}), settings())


def test_english_names_are_understood_and_held_against_the_values(english: Inspection) -> None:
    assert mapped(english, "citizens") == {
        "name": "userName",
        "identity_number": "id_card",
        "sex": "gender",
        "birth_date": "birthday",
        "phone": "mobile_phone",
        "home_address": "address",
    }
    assert table_of(english, "citizens").mapping.newest == "2025-02-28"


def test_codes_of_sex_are_read_from_the_identity_numbers_not_from_their_looks(english: Inspection) -> None:
    spec = table_of(english, "citizens").mapping.used["sex"].spec(several_formats=True)
    assert spec == {"column": "gender", "crosswalk": {"0": "1", "1": "2"}}


def test_a_column_of_another_thing_is_not_taken_for_a_name(english: Inspection) -> None:
    assert "product_name" not in mapped(english, "citizens").values()


@pytest.fixture
def chinese(tmp_path: Path) -> Inspection:
    rows: list[tuple[object, ...]] = []
    for at in range(300):
        number, born, sex = person(at)
        if at % 50 == 0:
            number = number[:-1] + ("0" if number[-1] != "0" else "1")
        day = f"{born:%Y%m%d}" if at % 3 else f"{born:%Y/%m/%d}"
        rows.append(
            (
                number,
                NAMES[at % len(NAMES)],
                {"1": "男", "2": "女"}[sex] if at % 40 else "不知道",
                str(20_000 + at) if at % 30 == 0 else day,
                "汉" if at % 9 else "满",
                NAMES[(at + 1) % len(NAMES)],
                b"\x00\xff",
                "1",
            )
        )
    columns = '"公民身份号码" TEXT, "姓名" TEXT, "性别" TEXT, "出生日期" TEXT, "民族" TEXT, "配偶姓名" TEXT'
    url = fill(
        tmp_path / "z.db", [f'CREATE TABLE "人员 信息" ({columns}, "照片" BLOB, "order" TEXT)'], {"人员 信息": rows}
    )
    return inspect_database(url, settings())


def test_dirty_values_are_counted_with_their_reasons_before_anything_is_published(chinese: Inspection) -> None:
    quality = chinese.quality["人员 信息"]
    reasons = {one.split("|")[0] for one in quality.report.by_reason}
    assert reasons == {"identity_check_digit", "date_serial", "value_unmapped"}
    assert quality.elements["birth_date"].faults == {"date_serial": 10}
    assert 0 < quality.quarantined < 40


def test_what_is_unsure_is_a_question_and_never_used(chinese: Inspection) -> None:
    mapping = table_of(chinese, "人员 信息").mapping
    assert mapping.used["name"].column == "姓名"
    assert [one.column for one in mapping.asked] == ["配偶姓名"]
    assert mapping.used["sex"].crosswalk == {"男": "1", "女": "2"}
    assert "不知道" not in json.dumps(mapping.used["sex"].spec(several_formats=True), ensure_ascii=False)
    assert "# 问：配偶姓名" in chinese.gateway_text(Path("gateway.yaml"))


def test_mixed_dates_are_declared_in_all_their_formats(chinese: Inspection) -> None:
    birth = table_of(chinese, "人员 信息").mapping.used["birth_date"]
    assert birth.formats == ("yyyymmdd", "yyyy/mm/dd")
    assert any("2 种写法" in one.chinese for one in birth.questions)


def test_nothing_shown_or_written_holds_a_value_of_a_person(chinese: Inspection, tmp_path: Path) -> None:
    written = json.dumps(chinese.to_payload(), ensure_ascii=False) + chinese.gateway_text(tmp_path / "g.yaml")
    written += chinese.entries_text().decode()
    assert not [number for at in range(300) if (number := person(at)[0]) in written]
    assert not [name for name in NAMES if len(name) > 2 and name in written]


def test_a_number_turned_to_scientific_notation_is_asked_about_and_never_the_subject(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [(1.30102e17 + at, "李四") for at in range(40)]
    found = inspect_database(fill(tmp_path / "s.db", ["CREATE TABLE t (sfzh REAL, xm TEXT)"], {"t": rows}), settings())
    proposal = table_of(found, "t")
    assert proposal.offers == ()
    assert proposal.why_not is not None
    assert "sfzh" in proposal.why_not.chinese


def test_a_code_whose_meaning_drifts_does_not_win_against_its_values(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [(person(at)[0], "13010000", f"{at:06d}") for at in range(60)]
    statement = "CREATE TABLE AC01 (AAC002 TEXT, AAC003 TEXT, AAC001 TEXT)"
    found = inspect_database(fill(tmp_path / "a.db", [statement], {"AC01": rows}), settings("social_insurance"))
    proposal = mapped(found, "AC01")
    assert proposal["identity_number"] == "AAC002"
    assert "name" not in proposal  # AAC003 is the name nearly everywhere, but here it holds numbers


def test_a_table_without_a_key_is_checked_but_not_delivered(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [(at, person(at % 20)[0], NAMES[at % 20]) for at in range(60)]
    statement = "CREATE TABLE t (seq INTEGER PRIMARY KEY, sfzh TEXT, xm TEXT)"
    proposal = table_of(inspect_database(fill(tmp_path / "k.db", [statement], {"t": rows}), settings()), "t")
    assert [one.kind.value for one in proposal.offers] == ["check", "match"]
    notes = " ".join(one.chinese for one in proposal.offers[0].notes)
    assert "未提出库表交付" in notes
    assert "同一人有多行" in notes


STRANGE = [
    "CREATE TABLE empty_one (sfzh TEXT, xm TEXT)",
    'CREATE TABLE "select" ("group" TEXT, "from" TEXT)',
    "CREATE VIEW broken AS SELECT no_such FROM nothing_there",
    f"CREATE TABLE wide (sfzh TEXT, xm TEXT, {', '.join(f'c{at} TEXT' for at in range(298))})",
    'CREATE TABLE "quo""te: #{}" (sfzh TEXT, "x""m: # [" TEXT, "a\nb" TEXT)',
    "CREATE TABLE encoded (sfzh TEXT, xm TEXT, txt TEXT)",
]


def test_strange_tables_are_told_of_and_stop_nothing(tmp_path: Path) -> None:
    path = tmp_path / "strange.db"
    rows: dict[str, list[tuple[object, ...]]] = {
        "wide": [(person(at)[0], NAMES[at % len(NAMES)], *("v" * 298)) for at in range(30)],
        'quo""te: #{}': [(person(at)[0], NAMES[at % len(NAMES)], "v") for at in range(30)],
    }
    url = fill(path, [*STRANGE, *(f"CREATE TABLE t{at} (a TEXT)" for at in range(100))], rows)
    with sqlite3.connect(path) as connection:
        for at in range(10):
            values = (person(at)[0], "王建国".encode("gb18030"), "长" * 100_000)
            connection.execute("INSERT INTO encoded VALUES (?, CAST(? AS TEXT), ?)", values)
    connection.close()
    found = inspect_database(url, settings())
    assert len(found.proposals) == 106
    assert table_of(found, "broken").why_not is not None
    assert mapped(found, "wide") == {"identity_number": "sfzh", "name": "xm"}
    assert [one.element.identifier for one in table_of(found, "encoded").mapping.asked] == ["name"]
    spec = yaml.safe_load(found.gateway_text(tmp_path / "gateway.yaml"))
    assert 'quo"te: #{}' in [one["table"] for one in spec["resources"]]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("missing.db", "不存在"),
        ("postgresql://u:S3CRET-WORD@127.0.0.1:1/x", "连不上"),
        ("oracle://u:S3CRET-WORD@host/x", "驱动"),
        ("nonsense", "无法识别"),
        ("sqlite://", "没有文件"),
        ("postgresql://u:S3CRET-WORD@@@/x", ""),
        ("mysql://u:${NO_SUCH_VARIABLE_HERE}@h/x", "NO_SUCH_VARIABLE_HERE"),
    ],
)
def test_a_wrong_address_is_told_and_its_password_never_echoed(address: str, told: str) -> None:
    with pytest.raises(HuodangError) as caught:
        inspect_database(address, settings(limits=Limits(statement_seconds=1)))
    assert told in caught.value.sentence("zh")
    assert "S3CRET-WORD" not in str(caught.value) + caught.value.sentence("zh") + caught.value.sentence("en")


def test_a_file_that_is_no_database_and_a_table_that_is_not_there(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database at all" * 100)
    with pytest.raises(ConnectError, match="SQLite"):
        inspect_database(str(broken), settings())
    url = fill(tmp_path / "a.db", ["CREATE TABLE a (b TEXT)"])
    with pytest.raises(ConnectError, match="没有表 zzz"):
        inspect_database(url, settings(tables=("zzz",)))
    with pytest.raises(ConnectError, match="部门代码"):
        settings("Police!")


def test_looking_changes_nothing_and_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    url = fill(path, [CITIZENS], {"citizens": citizens(10)})
    before = path.read_bytes()
    inspect_database(url, settings())
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["c.db"]


def test_a_big_table_is_sampled_over_its_whole_length(tmp_path: Path) -> None:
    url = fill(tmp_path / "big.db", [CITIZENS], {"citizens": citizens(9_000)})
    facts = table_of(inspect_database(url, settings()), "citizens").mapping.facts
    phones = [str(row["mobile_phone"]) for row in facts.sample]
    assert facts.rows == 9_000
    assert len(facts.sample) <= 2_000
    assert min(phones) < "13900000100"
    assert max(phones) > "13900008500"


def test_files_are_written_whole_and_none_that_is_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("old")
    with pytest.raises(OutputExistsError):
        write_outputs({tmp_path / "a": b"new", tmp_path / "b": b"new"}, force=False)
    assert not (tmp_path / "a").exists()
    write_outputs({tmp_path / "b": b"new"}, force=True)
    assert (tmp_path / "b").read_bytes() == b"new"


def test_entries_are_conditional_and_come_back_from_their_file(english: Inspection) -> None:
    entries = english.entries
    assert {one.sharing for one in entries} == {Sharing.CONDITIONAL}
    assert len(read_catalogue(english.entries_text(), "entries.json").entries) == len(entries) == 3


def test_the_proposed_file_opens_as_a_gateway_and_answers(tmp_path: Path) -> None:
    folder = opened_folder(tmp_path, "police")
    url = fill(folder / "c.db", [CITIZENS], {"citizens": citizens()})
    path = folder / "gateway.yaml"
    path.write_text(inspect_database(url, settings()).gateway_text(path), encoding="utf-8")
    gateway = Gateway.open(read_gateway_file(path), environment={})
    assert set(gateway.resources) == {"police.citizens"}
    assert gateway.warnings == ()
    gateway.close()


def opened_folder(root: Path, department: str) -> Path:
    keys = Provisioner(root)
    keys.init()
    keys.issue("hub")
    keys.issue(department)
    folder = root / "departments" / department
    (folder / "agreements").mkdir()
    return folder


def test_files_of_many_kinds_are_looked_at_and_csv_is_offered(tmp_path: Path) -> None:
    folder = opened_folder(tmp_path, "justice")
    files = folder / "files"
    files.mkdir()
    lines = ["身份证号,姓名,刑种代码,起始日期,截止日期"]
    lines += [
        f"{person(at)[0]},{NAMES[at % 30]},11,20240101,{'99991231' if at % 2 else '20270101'}" for at in range(40)
    ]
    for day in ("20250101", "20250201"):
        (files / f"custody_{day}.csv").write_bytes("\r\n".join(lines).encode("gb18030"))
    (files / "more.jsonl").write_text(json.dumps({"sfzh": person(1)[0], "xm": "王伟"}, ensure_ascii=False) + "\n")
    (files / "broken.xlsx").write_bytes(b"no workbook")
    found = inspect_files(files, settings("justice"))
    assert [one.mapping.facts.name for one in found.proposals if one.offers] == ["custody_*.csv"]
    assert mapped(found, "custody_*.csv")["custody_to"] == "截止日期"
    path = folder / "gateway.yaml"
    path.write_text(found.gateway_text(path), encoding="utf-8")
    assert build_gateway(path, environment={}) is not None
    assert yaml.safe_load(path.read_text())["source"]["files"] == {"folder": "files", "encoding": "gb18030"}


def test_a_command_writes_only_what_it_is_told_to(tmp_path: Path) -> None:
    url = fill(tmp_path / "c.db", [CITIZENS], {"citizens": citizens()})
    runner = CliRunner()
    shown = runner.invoke(app, ["connect", "--database", url, "--department", "police"])
    assert shown.exit_code == 0
    assert "没有写任何文件" in shown.output
    assert [one.name for one in tmp_path.iterdir()] == ["c.db"]
    assert person(0)[0] not in shown.output
    out = tmp_path / "gateway.yaml"
    runner.invoke(app, ["connect", "--database", url, "--department", "police", "--out", str(out), "--quiet"])
    assert read_gateway_file(out).spec.department == "police"


@given(column=st.text(max_size=40), comment=st.text(max_size=40))
def test_any_name_of_a_column_is_borne_and_no_hint_is_certain(column: str, comment: str) -> None:
    hints = name_hints(column, comment)
    assert hints.keys() <= elements().keys()
    assert all(0 < one.strength < 1 for one in hints.values())


@pytest.mark.postgresql
def test_postgresql_comments_schemas_and_days_beyond_the_calendar(postgresql_url: str) -> None:
    engine = create_engine(make_url(postgresql_url).set(drivername="postgresql+psycopg"))
    rows = [{"a": person(at)[0], "b": NAMES[at % 30]} for at in range(50)]
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA dept"))
        connection.execute(text("CREATE TABLE dept.t (f1 varchar(18) primary key, f2 varchar(40), f3 bytea, f4 date)"))
        connection.execute(text("COMMENT ON COLUMN dept.t.f2 IS '姓名（全称）'"))
        connection.execute(text("INSERT INTO dept.t VALUES (:a, :b, NULL, 'infinity')"), rows)
    engine.dispose()
    found = inspect_database(postgresql_url, settings(schema="dept"))
    assert mapped(found, "dept.t") == {"identity_number": "f1", "name": "f2"}
    assert found.source.clock_skew_seconds is not None
    text_of = found.gateway_text(Path("gateway.yaml"))
    assert "dept.t" in text_of


@pytest.mark.mariadb
def test_mariadb_comments_zero_dates_and_a_view(mariadb_url: str) -> None:
    url = make_url(mariadb_url).set(drivername="mysql+pymysql")
    engine = create_engine(url)
    rows = [{"a": person(at)[0], "b": NAMES[at % 30]} for at in range(50)]
    with engine.begin() as connection:
        connection.execute(text("SET SESSION sql_mode = ''"))
        connection.execute(
            text("CREATE TABLE t (f1 varchar(18) primary key, f2 varchar(40) COMMENT '姓名', swrq date, `order` blob)")
        )
        connection.execute(text("INSERT INTO t VALUES (:a, :b, '0000-00-00', 'x')"), rows)
        connection.execute(text("CREATE VIEW v AS SELECT f1, f2 FROM t"))
    engine.dispose()
    found = inspect_database(url.render_as_string(hide_password=False), settings())
    assert mapped(found, "t").items() >= {"identity_number": "f1", "name": "f2"}.items()
    assert mapped(found, "v")["identity_number"] == "f1"


def test_a_password_is_never_written_but_its_variable(tmp_path: Path, english: Inspection) -> None:
    secret = make_url("postgresql+psycopg://reader:TOP-SECRET@db/rkk")
    found = replace(english, url=secret)
    written = found.gateway_text(tmp_path / "g.yaml")
    assert "reader:${POLICE_PASSWORD}@db/rkk" in written
    assert "TOP-SECRET" not in written + repr(found)
    assert not [name for name in NAMES if name in repr(found)]


@pytest.mark.postgresql
def test_a_table_that_may_not_be_read_stops_no_other(postgresql_url: str) -> None:
    url = make_url(postgresql_url).set(drivername="postgresql+psycopg")
    role = f"reader_{url.database}"[:60]
    engine = create_engine(url)
    rows = [{"a": person(at)[0], "b": NAMES[at % 30]} for at in range(30)]
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA dept"))
        for table in ("open_to_all", "forbidden"):
            connection.execute(text(f"CREATE TABLE dept.{table} (sfzh varchar(18), xm varchar(40))"))
            connection.execute(text(f"INSERT INTO dept.{table} VALUES (:a, :b)"), rows)  # noqa: S608
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA dept TO {role}; GRANT SELECT ON dept.open_to_all TO {role}"))
    try:
        reader = url.set(username=role).render_as_string(hide_password=False)
        found = inspect_database(reader, settings(schema="dept"))
        assert table_of(found, "dept.forbidden").why_not is not None
        assert mapped(found, "dept.open_to_all") == {"identity_number": "sfzh", "name": "xm"}
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {role}; DROP ROLE {role}"))
        engine.dispose()


@pytest.mark.postgresql
def test_a_database_that_goes_away_meanwhile_is_told_of(postgresql_url: str) -> None:
    engine = create_engine(make_url(postgresql_url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE leaving (sfzh varchar(18))"))

    def cut(*_: object) -> None:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )

    try:
        with pytest.raises(ConnectError, match="断开"):
            inspect_database(postgresql_url, settings(tables=("leaving",)), cut)
    finally:
        engine.dispose()
