"""Deliveries at the hub: whole or not at all, once, and told in words."""

import dataclasses
import json
import os
import shutil
import sqlite3
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from exchange_files import RESOURCE, Desk, make_desk, terms_of, write_csv, write_mapping
from exchange_province import Province

from huodang.exchange.files import MANIFEST_NAME, FileWriteError, inspection
from huodang.ledger import Ledger
from huodang.store import Database


@pytest.fixture
def desk(province: Province, database: Database, ledger: Ledger, tmp_path: Path) -> Desk:
    return make_desk(province, database, ledger, tmp_path)


def reason_of(folder: Path | None) -> str:
    assert folder is not None
    assert "整批拒收" in (folder / "拒收原因.txt").read_text("utf-8-sig")
    return str(json.loads((folder / "reason.json").read_text())["problems"][0]["reason"])


def test_delivery_lands_whole_and_its_department_gets_a_receipt(desk: Desk) -> None:
    outcome = desk.take(terms_of(7))
    assert (outcome.state, desk.held()) == ("taken", 7)
    assert outcome.delivery is not None
    assert outcome.delivery.lot_id
    (back,) = (desk.settings.returned / "justice").iterdir()
    receipt = json.loads((back / "receipt.json").read_text())
    assert receipt["effect"]["inserted"] == 7
    assert receipt["effect"]["equal"] is True
    assert "已接收" in (back / "回执.txt").read_text("utf-8-sig")
    assert not list((desk.settings.drop / "justice").iterdir())
    assert not list(desk.settings.work.glob("*/*"))


def test_full_delivery_replaces_what_was_held_before(desk: Desk) -> None:
    desk.take(terms_of(6))
    outcome = desk.take([*terms_of(3), *terms_of(2, first=50)], 2, "second")
    assert outcome.state == "taken"
    assert desk.held() == 5
    lot = desk.lots.of_resource(RESOURCE)[0]
    assert (lot.inserted, lot.deleted) == (2, 3)


def test_delivery_of_changes_adds_updates_and_removes(desk: Desk) -> None:
    heading = ["证件号码", "姓名", "起始日期", "状态"]
    write_mapping(desk.settings, removed={"column": "状态", "values": ["注销"]})
    full = write_csv(desk.folder / "full.csv", [[*row, "正常"] for row in terms_of(5)], heading=heading)
    desk.lay(desk.pack_files([full]))
    assert desk.work()[0].state == "taken"
    changed = [
        [*terms_of(1)[0][:2], "20250102", "正常"],
        [*terms_of(1, first=1)[0], "注销"],
        [*terms_of(1, 9)[0], "正常"],
    ]
    changes = write_csv(desk.folder / "changes.csv", changed, heading=heading)
    desk.lay(desk.pack_files([changes], 2, "second", content="changes"))
    assert desk.work()[0].state == "taken"
    lot = desk.lots.of_resource(RESOURCE)[0]
    assert (lot.inserted, lot.updated, lot.deleted, desk.held()) == (1, 1, 1, 5)


def test_bad_rows_go_back_with_their_reasons_and_the_others_land(desk: Desk) -> None:
    bad = [["1.30102E+17", "李红", "20250101"], [terms_of(1, first=20)[0][0], "李红", "2025/01/01"]]
    outcome = desk.take([*terms_of(6), *bad])
    assert (outcome.state, desk.held()) == ("taken", 6)
    assert outcome.delivery is not None
    assert outcome.delivery.quarantined == 2
    assert {one.reason for one in desk.lots.faults(outcome.delivery.lot_id)} == {"number_scientific", "date_format"}
    (back,) = (desk.settings.returned / "justice").iterdir()
    assert (back / "待更正.xlsx").stat().st_size


def test_key_that_stands_twice_is_taken_in_neither_form(desk: Desk) -> None:
    twice = terms_of(6)[0]
    outcome = desk.take([*terms_of(6), [twice[0], "李四", "20240101"]])
    assert (outcome.state, desk.held()) == ("taken", 5)
    assert outcome.delivery is not None
    assert outcome.delivery.quarantined == 2


def test_same_manifest_counts_once(desk: Desk) -> None:
    packed = desk.pack(terms_of(3))
    shutil.copytree(packed.folder, desk.folder / "packed" / "again")
    desk.lay(packed)
    assert desk.work()[0].state == "taken"
    desk.lay(desk.folder / "packed" / "again")
    (outcome,) = desk.work()
    assert (outcome.state, reason_of(outcome.folder)) == ("refused", "replayed")
    assert desk.held() == 3
    assert [one.state for one in desk.desk.deliveries()] == ["taken"]


def test_second_manifest_of_a_number_is_refused_and_a_gap_is_told(desk: Desk) -> None:
    desk.take(terms_of(3), 5)
    assert desk.desk.deliveries()[0].missing_before == 4
    outcome = desk.take(terms_of(3), 5, "second")
    assert (outcome.state, reason_of(outcome.folder)) == ("refused", "sequence_used")
    outcome = desk.take(terms_of(4), 6, "third")
    assert outcome.state == "taken"
    assert outcome.delivery is not None
    assert outcome.delivery.missing_before == 0


def _swap(folder: Path) -> None:
    file = next(folder.glob("*.csv"))
    file.write_bytes(file.read_bytes().replace(b"20250101", b"20250202"))


def _edit_manifest(folder: Path) -> None:
    text = (folder / MANIFEST_NAME).read_text()
    (folder / MANIFEST_NAME).write_text(text.replace('\\"sequence\\":1', '\\"sequence\\":2'))


def _add(folder: Path) -> None:
    (folder / "more.csv").write_text("a,b\n1,2\n")


def _grow(folder: Path) -> None:
    with next(folder.glob("*.csv")).open("ab") as file:
        file.write(b"x\r\n")


def _link(folder: Path) -> None:
    file = next(folder.glob("*.csv"))
    file.rename(folder.parent / "elsewhere.csv")
    file.symlink_to(folder.parent / "elsewhere.csv")


def _pipe(folder: Path) -> None:
    (folder / MANIFEST_NAME).unlink()
    os.mkfifo(folder / MANIFEST_NAME)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_swap, "altered"),
        (_edit_manifest, "forged"),
        (_add, "not_in_manifest"),
        (_grow, "long"),
        (_link, "unreadable"),
        (_pipe, "no_manifest"),
    ],
)
def test_delivery_tampered_with_is_refused_whole(desk: Desk, spoil: Any, reason: str) -> None:
    packed = desk.pack(terms_of(3))
    spoil(packed.folder)
    desk.lay(packed)
    (outcome,) = desk.work()
    assert (outcome.state, reason_of(outcome.folder)) == ("refused", reason)
    assert desk.held() == 0
    assert (desk.settings.returned / "justice").is_dir()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"agreement_id": "XY-other"}, "no_agreement"),
        ({"agreement_version": 2}, "no_agreement"),
        ({"signer": "police"}, "other_department"),
    ],
)
def test_delivery_that_no_agreement_covers_is_refused(desk: Desk, changes: dict[str, Any], reason: str) -> None:
    outcome = desk.take(terms_of(3), **changes)
    assert (outcome.state, reason_of(outcome.folder)) == ("refused", reason)


def test_delivery_with_too_many_bad_rows_or_too_few_rows_is_refused(desk: Desk) -> None:
    outcome = desk.take([*terms_of(1), ["1", "x", "y"], ["2", "x", "y"]])
    assert reason_of(outcome.folder) == "too_many_quarantined"
    assert list((desk.settings.returned / "justice").glob("*/待更正.xlsx"))
    desk.take(terms_of(10), 2, "second")
    outcome = desk.take(terms_of(2), 3, "third")
    assert reason_of(outcome.folder) == "too_many_removed"
    assert desk.held() == 10


def test_renamed_column_stops_the_delivery_by_name(desk: Desk) -> None:
    file = write_csv(desk.folder / "renamed.csv", terms_of(3), heading=["身份证号", "姓名", "起始日期"])
    desk.lay(desk.pack_files([file]))
    (outcome,) = desk.work()
    assert reason_of(outcome.folder) == "missing_column"
    assert "证件号码" in (outcome.folder or Path() / "x").joinpath("拒收原因.txt").read_text("utf-8-sig")


def test_incomplete_delivery_is_waited_for_and_given_up_in_the_end(
    province: Province, database: Database, ledger: Ledger, tmp_path: Path
) -> None:
    desk = make_desk(province, database, ledger, tmp_path)
    packed = desk.pack(terms_of(5))
    file = next(packed.folder.glob("*.csv"))
    whole = file.read_bytes()
    file.write_bytes(whole[:40])
    laid = desk.lay(packed)
    assert [one.state for one in desk.work()] == ["waiting"]
    (laid / file.name).write_bytes(whole)
    assert [one.state for one in desk.work()] == ["taken"]
    second = desk.pack(terms_of(5), 2, "second")
    (second.folder / MANIFEST_NAME).unlink()
    desk.lay(second)
    assert [one.state for one in desk.work()] == ["waiting"]
    impatient = make_impatient(desk)
    (outcome,) = impatient.work()
    assert (outcome.state, reason_of(outcome.folder)) == ("refused", "incomplete")


def make_impatient(desk: Desk) -> Any:
    desk.desk.settings = dataclasses.replace(desk.settings, patience=timedelta(microseconds=1))
    return desk.desk


def test_file_that_still_settles_is_left_alone(
    province: Province, database: Database, ledger: Ledger, tmp_path: Path
) -> None:
    desk = make_desk(province, database, ledger, tmp_path, settle=timedelta(hours=1))
    desk.lay(desk.pack(terms_of(2)))
    assert [one.state for one in desk.work()] == ["waiting"]


def test_delivery_in_a_zip_is_taken_like_a_folder(desk: Desk) -> None:
    packed = desk.pack(terms_of(4))
    path = desk.folder / "delivery.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in packed.folder.iterdir():
            archive.write(file, file.name)
    desk.lay(path)
    (outcome,) = desk.work()
    assert (outcome.state, desk.held()) == ("taken", 4)


def test_files_laid_loose_with_their_manifest_are_taken(desk: Desk) -> None:
    packed = desk.pack(terms_of(4))
    home = desk.settings.drop / "justice"
    home.mkdir(parents=True)
    for file in packed.folder.iterdir():
        file.rename(home / file.name)
    (outcome,) = desk.work()
    assert (outcome.state, desk.held()) == ("taken", 4)


def test_mapping_missing_at_the_hub_makes_the_delivery_wait(desk: Desk) -> None:
    (desk.settings.mappings / f"{RESOURCE}.yaml").unlink()
    outcome = desk.take(terms_of(3))
    assert (outcome.state, outcome.reason) == ("waiting", "no_mapping")
    write_mapping(desk.settings)
    assert [one.state for one in desk.work()] == ["taken"]


def test_folder_of_an_unknown_department_is_left_alone(desk: Desk) -> None:
    packed = desk.pack(terms_of(3))
    desk.lay(packed, "nobody")
    assert desk.work() == []


def test_full_disk_stops_without_refusing_and_goes_on_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.lay(desk.pack(terms_of(3)))

    class Full(sqlite3.Connection):
        def executemany(self, *_: Any) -> Any:
            raise sqlite3.OperationalError("database or disk is full")

    connect = sqlite3.connect
    monkeypatch.setattr(inspection.sqlite3, "connect", lambda *args, **options: connect(*args, factory=Full, **options))
    with pytest.raises(FileWriteError, match="磁盘已满"):
        desk.work()
    assert desk.held() == 0
    monkeypatch.undo()
    assert [one.state for one in desk.work()] == ["taken"]
    assert desk.held() == 3


def test_taken_data_are_deleted_after_their_time_and_the_receipt_stays(
    province: Province, database: Database, ledger: Ledger, tmp_path: Path
) -> None:
    desk = make_desk(province, database, ledger, tmp_path, keep_taken=timedelta())
    outcome = desk.take(terms_of(3))
    assert outcome.folder is not None
    assert not list((outcome.folder / "files").glob("*.csv"))
    assert (outcome.folder / "receipt.json").exists()
    assert (outcome.folder / "files" / MANIFEST_NAME).exists()


def test_reason_files_hold_no_value_of_the_delivery(desk: Desk) -> None:
    outcome = desk.take([*terms_of(1), ["1", "赵铁柱", "y"], ["2", "赵铁柱", "y"]])
    assert outcome.folder is not None
    assert "赵铁柱" not in (outcome.folder / "拒收原因.txt").read_text("utf-8-sig")
    assert "赵铁柱" not in (outcome.folder / "reason.json").read_text()


def test_taken_and_refused_deliveries_leave_a_ledger_entry(desk: Desk, ledger: Ledger, database: Database) -> None:
    before = ledger.pending()
    desk.take(terms_of(2))
    taken = ledger.pending()
    desk.take(terms_of(2), 1, "second")
    assert taken > before
    assert ledger.pending() == taken + 1


def test_delivery_lands_on_either_database(province: Province, any_database: Database, tmp_path: Path) -> None:
    signers = (province.signer("hub", "national"), province.signer("hub", "international"))
    ledger = Ledger(any_database, signers, "test.example/huodang", province.clock)
    desk = make_desk(province, any_database, ledger, tmp_path)
    assert desk.take(terms_of(30)).state == "taken"
    assert desk.take(terms_of(25, first=5), 3, "second").state == "taken"
    assert desk.held() == 25
    assert [(one.sequence, one.missing_before) for one in desk.desk.deliveries()] == [(3, 1), (1, 0)]
    outcome = desk.take(terms_of(25), 3, "third")
    assert (outcome.state, reason_of(outcome.folder)) == ("refused", "sequence_used")


def test_deliveries_that_came_together_are_taken_in_the_order_of_their_numbers(desk: Desk) -> None:
    for sequence in (3, 1, 2):
        desk.lay(desk.pack(terms_of(sequence + 5), sequence, f"name-{9 - sequence}"))
    assert [one.state for one in desk.work()] == ["taken"] * 3
    assert [one.sequence for one in sorted(desk.desk.deliveries(), key=lambda one: one.rows)] == [1, 2, 3]
    assert all(one.missing_before == 0 for one in desk.desk.deliveries())


def test_two_processes_before_one_drop_folder_take_each_delivery_once(desk: Desk) -> None:
    for sequence in range(1, 5):
        desk.lay(desk.pack(terms_of(sequence + 5), sequence, f"name-{sequence}"))
    with ThreadPoolExecutor(2) as pool:
        outcomes = [one for found in pool.map(lambda _: desk.work(), range(2)) for one in found]
    outcomes += desk.work()
    assert {one.state for one in outcomes} <= {"taken", "waiting"}
    assert sum(one.state == "taken" for one in outcomes) == 4
