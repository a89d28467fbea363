"""The gate of the monthly list: compared to the fen, released by another person, whole or not at all."""

import csv
import json
from pathlib import Path

import pytest
from clue_scene import LI, NUMBERS, POLICE, SCHEME, WANG, ZHAO, Agency, signal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huodang.exchange import Actor
from huodang.standards import HuodangError, IdentityNumber, Month
from huodang.store import Database, FixedClock
from huodang.supervision.clues import Stance
from huodang.supervision.control import (
    ControlNotPermittedError,
    PaylistError,
    SamePersonError,
    StalePaylistError,
    UnjudgedHoldsError,
    UnknownControlError,
)

APRIL = Month(2025, 4)
HEADER = "身份证号,姓名,险种,发放年月,发放金额(元),银行账号"


@pytest.fixture
def agency(database: Database, clock: FixedClock, tmp_path: Path) -> Agency:
    return Agency.open(database, clock, tmp_path)


def a_list(folder: Path, rows: int = 8, name: str = "list.csv", month: str = "202504") -> Path:
    """A monthly list: row n pays 1000 + n yuan and n fen to person n."""
    path = folder / name
    lines = [f"{NUMBERS[n]},张三,企业职工基本养老保险,{month},{1000 + n}.{n:02d},62220000{n:04d}" for n in range(rows)]
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_list_is_split_to_the_fen_and_the_withheld_part_names_clue_and_reason_but_nobody(
    agency: Agency, tmp_path: Path
) -> None:
    held = agency.found(number=NUMBERS[2])
    stopped = agency.found(signal(), signal("police"), number=NUMBERS[5])
    agency.found(number=NUMBERS[20])
    source, out = a_list(tmp_path), tmp_path / "out"
    checked = agency.paylists.check(LI, source, APRIL, out)
    totals = checked.totals
    assert (totals.rows, totals.clean_rows, totals.held_rows, totals.stopped_rows) == (8, 6, 1, 1)
    assert (totals.held_fen, totals.stopped_fen) == (100_202, 100_505)
    assert totals.fen == sum(100_000 + 101 * n for n in range(8))
    assert totals.fen == totals.clean_fen + totals.held_fen + totals.stopped_fen
    assert set(checked.unjudged) == {held, stopped}
    lines = source.read_text(encoding="utf-8").splitlines()
    clean = (out / "clean.csv").read_text(encoding="utf-8").splitlines()
    assert clean == [line for number, line in enumerate(lines) if number not in {3, 6}]
    withheld = rows_of(out / "withheld.csv")
    assert [(row["file_row"], row["yuan"], row["clue_id"]) for row in withheld] == [
        ("4", "1002.02", held),
        ("7", "1005.05", stopped),
    ]
    told = "".join(path.read_text(encoding="utf-8-sig") for path in (out / "withheld.csv", out / "totals.json"))
    assert not any(number in told for number in NUMBERS)
    assert "张三" not in told
    assert not (out / "work").exists()


def test_a_list_is_released_by_another_person_once_everything_on_it_is_judged(agency: Agency, tmp_path: Path) -> None:
    clue = agency.found(number=NUMBERS[2])
    out = tmp_path / "out"
    checked = agency.paylists.check(WANG, a_list(tmp_path), APRIL, out)
    with pytest.raises(SamePersonError):
        agency.paylists.release(WANG, checked.list_id, out)
    with pytest.raises(UnjudgedHoldsError) as caught:
        agency.paylists.release(ZHAO, checked.list_id, out)
    assert caught.value.clues == (clue,)
    assert not (out / "release.json").exists()
    agency.control.uphold(LI, clue, "死亡记录与医院核对一致")
    released = agency.paylists.release(ZHAO, checked.list_id, out)
    assert (released.state, released.released_by) == ("released", "zhao")
    assert json.loads((out / "release.json").read_text(encoding="utf-8"))["entry_id"] == released.entry_id
    with pytest.raises(PaylistError):
        agency.paylists.release(ZHAO, checked.list_id, out)
    with pytest.raises(PaylistError):
        agency.paylists.check(LI, a_list(tmp_path), APRIL, out)
    agency.on("2025-05-01")
    (paid,) = agency.payments.of_person(IdentityNumber.parse(NUMBERS[2]))
    assert (paid.amount.fen, paid.month) == (100_202, APRIL)


def test_a_proposal_that_waits_for_its_approval_keeps_the_list_but_withholds_nothing(
    agency: Agency, tmp_path: Path
) -> None:
    clue = agency.found(signal(), signal("police", "alive", stance=Stance.AGAINST), number=NUMBERS[1])
    agency.clues.move(POLICE, clue, "answer", data={"answer": "unknown"})
    own = agency.found(signal("social_insurance"), number=NUMBERS[3])
    agency.clues.move(LI, own, "take")
    agency.clues.move(LI, own, "confirm", note="核对", data={"law": "条例第八条", "fact_from": "2025-02-10"})
    out = tmp_path / "out"
    checked = agency.paylists.check(LI, a_list(tmp_path), APRIL, out)
    assert checked.totals.clean_rows == 8
    assert checked.unjudged == (own,)
    with pytest.raises(UnjudgedHoldsError):
        agency.paylists.release(WANG, checked.list_id, out)
    agency.clues.move(WANG, own, "send_back", note="证据不足")
    assert agency.paylists.release(WANG, checked.list_id, out).state == "released"


def test_a_list_is_checked_anew_when_holds_or_files_have_changed(agency: Agency, tmp_path: Path) -> None:
    source, out = a_list(tmp_path), tmp_path / "out"
    checked = agency.paylists.check(LI, source, APRIL, out)
    (out / "clean.csv").write_text("altered", encoding="utf-8")
    with pytest.raises(StalePaylistError):
        agency.paylists.release(WANG, checked.list_id, out)
    checked = agency.paylists.check(LI, source, APRIL, out)
    clue = agency.found(number=NUMBERS[0])
    with pytest.raises(StalePaylistError):
        agency.paylists.release(WANG, checked.list_id, out)
    agency.control.uphold(LI, clue, "核对")
    again = agency.paylists.check(LI, source, APRIL, out)
    assert again.list_id == checked.list_id
    assert agency.paylists.release(WANG, again.list_id, out).totals.held_rows == 1


def test_a_stop_covers_its_months_and_a_hold_one_month_only(agency: Agency, tmp_path: Path) -> None:
    agency.found(number=NUMBERS[2])
    agency.found(signal(), signal("police"), number=NUMBERS[5])
    for month, expected in (("202503", (0, 0)), ("202504", (1, 1)), ("202506", (0, 1))):
        source = a_list(tmp_path, name=f"{month}.csv", month=month)
        found = agency.paylists.check(LI, source, Month.parse(month), tmp_path / month, dry_run=True).totals
        assert (found.held_rows, found.stopped_rows) == expected
    assert agency.paylists.lists(LI) == []


@pytest.mark.parametrize(
    ("line", "row", "column"),
    [
        (f"{NUMBERS[9]},李四,110,202504,12.345,6222", 10, "发放金额(元)"),
        (f"{NUMBERS[9]},李四,110,,12.34,6222", 10, "发放年月"),
        ("1.30102E+17,李四,110,202504,12.34,6222", 10, "身份证号"),
    ],
)
def test_a_list_with_a_row_that_cannot_be_read_is_refused_whole_by_place(
    agency: Agency, tmp_path: Path, line: str, row: int, column: str
) -> None:
    source = a_list(tmp_path)
    source.write_text(source.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(PaylistError) as caught:
        agency.paylists.check(LI, source, APRIL, tmp_path / "out")
    assert (caught.value.place.row, caught.value.place.column) == (row, column)
    assert not (tmp_path / "out" / "clean.csv").exists()
    assert agency.paylists.lists(LI) == []


def test_a_scheme_that_is_not_known_is_refused_and_one_for_the_whole_list_may_be_given(
    agency: Agency, tmp_path: Path
) -> None:
    source = tmp_path / "list.csv"
    source.write_text(f"身份证号,发放年月,发放金额(元)\n{NUMBERS[0]},202504,10.00\n", encoding="utf-8")
    with pytest.raises(HuodangError) as caught:
        agency.paylists.check(LI, source, APRIL, tmp_path / "out")
    assert "scheme" in str(caught.value)
    agency.found(number=NUMBERS[0])
    assert agency.paylists.check(LI, source, APRIL, tmp_path / "out", scheme=SCHEME).totals.held_rows == 1


def test_a_number_that_cannot_be_compared_is_paid_on_and_counted(agency: Agency, tmp_path: Path) -> None:
    agency.found(number=NUMBERS[0])
    wrong = NUMBERS[0][:17] + ("0" if NUMBERS[0][17] != "0" else "1")
    source = tmp_path / "list.csv"
    source.write_text(f"{HEADER}\n{wrong},李四,110,202504,10.00,6222\n", encoding="utf-8")
    totals = agency.paylists.check(LI, source, APRIL, tmp_path / "out").totals
    assert (totals.clean_rows, totals.held_rows, totals.not_compared) == (1, 0, 1)


def test_who_may_neither_check_nor_release_learns_nothing(agency: Agency, tmp_path: Path) -> None:
    source, out = a_list(tmp_path), tmp_path / "out"
    for actor in (POLICE, Actor("root", "管理员", "system_administrator", "office", "130000")):
        with pytest.raises(ControlNotPermittedError):
            agency.paylists.check(actor, source, APRIL, out)
        with pytest.raises(ControlNotPermittedError):
            agency.paylists.lists(actor)
    checked = agency.paylists.check(WANG, source, APRIL, out)
    with pytest.raises(ControlNotPermittedError):
        agency.paylists.release(LI, checked.list_id, out)
    with pytest.raises(UnknownControlError):
        agency.paylists.show(LI, "p0")


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amounts=st.lists(st.tuples(st.integers(0, 11), st.integers(1, 10**9)), min_size=1, max_size=30),
    controlled=st.sets(st.integers(0, 11), max_size=6),
)
def test_clean_and_withheld_sum_up_to_the_list(
    agency: Agency, tmp_path: Path, amounts: list[tuple[int, int]], controlled: set[int]
) -> None:
    for person in controlled:
        agency.found(number=NUMBERS[person])
    held = {person for person in range(12) if agency.state(NUMBERS[person]) == "held"}
    source = tmp_path / "list.csv"
    lines = [f"{NUMBERS[person]},110,202504,{fen // 100}.{fen % 100:02d}" for person, fen in amounts]
    source.write_text("\n".join(["身份证号,险种,发放年月,发放金额", *lines]) + "\n", encoding="utf-8")
    totals = agency.paylists.check(LI, source, APRIL, tmp_path / "out", dry_run=True).totals
    assert totals.fen == sum(fen for _, fen in amounts) == totals.clean_fen + totals.held_fen
    assert totals.held_fen == sum(fen for person, fen in amounts if person in held)
    assert [line.replace('"', "") for line in (tmp_path / "out" / "clean.csv").read_text().splitlines()[1:]] == [
        line for line, (person, _) in zip(lines, amounts, strict=True) if person not in held
    ]
