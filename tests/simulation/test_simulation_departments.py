import csv
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from huodang.simulation.departments import DEPARTMENTS
from huodang.simulation.identity_numbers import fifteen_digits
from huodang.simulation.people import Population, Quirk, Standing
from huodang.standards import crosswalk


def rows_of(file: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(file)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def databases(province: Population, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("departments")
    for department in DEPARTMENTS.values():
        if department.write_files is not None:
            department.write_files(province, folder / department.code)
        else:
            department.fill(province, f"sqlite:///{folder / department.code}.db")
    return folder


def test_the_police_know_everybody_but_who_is_not_registered_yet(databases: Path, province: Population) -> None:
    known = {row[0]: row for row in rows_of(databases / "police.db", "SELECT GMSFHM, XM, CYM, SWRQ FROM T_CZRK_JBXX")}
    for person in province.people:
        if Quirk.NOT_REGISTERED in person.quirks:
            assert person.number not in known
            continue
        _, name, former, death = known[person.number]
        assert (name, former) == (person.name, person.former_name)
        assert (death is not None) == (person.died is not None or Quirk.DEAD_ON_PAPER in person.quirks)


def test_local_codes_have_crosswalks_to_the_standard(databases: Path) -> None:
    for database, query, name in (
        ("police.db", "SELECT DISTINCT XB FROM T_CZRK_JBXX", "police.sex"),
        ("police.db", "SELECT DISTINCT MZ FROM T_CZRK_JBXX", "police.nationality"),
        ("police.db", "SELECT DISTINCT HKZT FROM T_CZRK_JBXX", "police.household_status"),
        ("health.db", "SELECT DISTINCT SEX_CD FROM DEATH_CERT", "health.sex"),
        ("social_insurance.db", "SELECT DISTINCT AAC013 FROM AC01", "social_insurance.employment_kind"),
    ):
        codes = [str(row[0]) for row in rows_of(databases / database, query)]
        assert codes
        assert all(crosswalk(name).to_standard(code) for code in codes)


def test_only_real_deaths_have_a_certificate(databases: Path, province: Population) -> None:
    certified = {row[0] for row in rows_of(databases / "health.db", "SELECT DECEDENT_ID_NO FROM DEATH_CERT")}
    assert certified == {person.number for person in province.people if person.died is not None}
    assert len(certified) > 10


def test_custody_terms_come_as_two_deliveries_in_gb_18030(databases: Path, province: Population) -> None:
    files = sorted((databases / "justice").glob("custody_*.csv"))
    assert len(files) == 2
    with pytest.raises(UnicodeDecodeError):
        files[-1].read_bytes().decode("utf-8")
    with files[-1].open(encoding="gb18030", newline="") as delivery:
        terms = {row["身份证号"]: row for row in csv.DictReader(delivery)}
    for person in province.people:
        if Quirk.IN_PRISON in person.quirks:
            assert crosswalk("justice.sentence_type").to_standard(terms[person.number]["刑种代码"]) == "prison"
        if Quirk.ON_PROBATION in person.quirks:
            assert crosswalk("justice.sentence_type").to_standard(terms[person.number]["刑种代码"]) == "probation"


def test_a_source_still_holds_numbers_of_fifteen_digits(databases: Path, province: Population) -> None:
    held = {str(row[0]) for row in rows_of(databases / "housing_fund.db", "SELECT ZJHM FROM GR_ZHXX")}
    old = [
        person
        for person in province.people
        if Quirk.FIFTEEN_DIGITS in person.quirks and person.housing_account and person.died is None
    ]
    assert old
    assert all(fifteen_digits(person.number) in held and person.number not in held for person in old)


def test_the_view_of_contributions_agrees_with_the_career(databases: Path, province: Population) -> None:
    query = 'SELECT "AAC147", "AAE201", "BIC096", "JZQYS", "LJJFNX" FROM "V_JFQK"'
    found = {str(row[0]): row[1:] for row in rows_of(databases / "social_insurance.db", query)}
    assert len(found) == len(province.people)
    for person in province.due:
        paid, deemed, before_accounts, years = found[person.number]
        career = person.career
        assert (paid, deemed) == (career.contribution_months, career.deemed_months)
        assert before_accounts == career.pre_account_months
        assert years == (person.statement.total_years if person.statement else None)


def test_pensioners_draw_one_pension_and_the_due_none_but_the_double(databases: Path, province: Population) -> None:
    drawn = rows_of(databases / "social_insurance.db", 'SELECT "AAC147", "AAE140", "AAE116" FROM "V_DYXX"')
    paid = {str(row[0]): row[1:] for row in drawn}
    for person in province.people:
        if person.standing is Standing.RETIRED:
            assert paid[person.number] == ("110", "1" if person.died is None else "3")
        elif person.standing is Standing.DUE:
            assert (person.number in paid) == (Quirk.DUPLICATE_BENEFIT in person.quirks)


@pytest.mark.mariadb
def test_the_police_register_stands_on_mariadb_too(mariadb_url: str, hamlet: Population) -> None:
    DEPARTMENTS["police"].fill(hamlet, f"{mariadb_url}?charset=utf8mb4")
    engine = create_engine(mariadb_url)
    try:
        with engine.connect() as connection:
            names = set(connection.scalars(text("SELECT XM FROM T_CZRK_JBXX")))
    finally:
        engine.dispose()
    expected = {person.name for person in hamlet.people if Quirk.NOT_REGISTERED not in person.quirks}
    assert names == expected


@pytest.mark.postgresql
def test_medical_insurance_stands_on_postgresql_too(postgresql_url: str, hamlet: Population) -> None:
    DEPARTMENTS["medical_insurance"].fill(hamlet, postgresql_url)
    engine = create_engine(postgresql_url)
    try:
        assert {"psn_insu_d", "psn_stas_chg_d"} <= set(inspect(engine).get_table_names())
        with engine.connect() as connection:
            count = connection.scalar(text("SELECT COUNT(*) FROM psn_insu_d WHERE insutype = '310'"))
    finally:
        engine.dispose()
    assert count == len(hamlet.people)
