"""A volume is filed once, sealed, described without a name in the clear, and any change of it is found."""

import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from archive_samples import IDENTITY, NAME, OTHER_IDENTITY, draft

from huodang.archive import (
    ArchivalCode,
    ItemDraft,
    VolumeAlteredError,
    VolumeDraft,
    VolumeDraftError,
    VolumeFault,
    VolumeMissingError,
    VolumeRecord,
    Volumes,
)
from huodang.ledger import Ledger, verify_receipt
from huodang.standards import HuodangError
from huodang.store import Database, FixedClock
from huodang.trust import FieldSealer, Signer, TrustedKeys, sha256, sm3


def file(database: Database, volumes: Volumes, volume: VolumeDraft) -> VolumeRecord:
    with database.begin() as connection:
        return volumes.file(connection, volume)


def folders(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_filed_volume_gives_back_its_items(any_database: Database, volumes: Volumes, clock: FixedClock) -> None:
    made = file(any_database, volumes, draft())
    assert made.archival_code == "Z130-ZY·YL·DY·2025·D100-00001"
    assert made.filed_at == clock.now()
    items = volumes.items(made.archival_code)
    assert [(item.number, item.kind, item.label) for item in items] == [
        ("001", "application", ""),
        ("002", "verdict", "police.alive"),
        ("003", "verdict", "justice.custody"),
        ("004", "attachment", "paper.1"),
    ]
    assert [item.title for item in items][:2] == ["退休申请表", "部门核验结论（police.alive）"]
    assert items[2].archival_code == "Z130-ZY·YL·DY·2025·D100-00001-003"
    contents = [volumes.read_item(made.archival_code, item.number) for item in items]
    assert contents == [item.content for item in draft().items]
    assert volumes.verify(made.archival_code).intact


def test_volumes_are_found_by_case_and_by_person(any_database: Database, volumes: Volumes) -> None:
    first = file(any_database, volumes, draft("R2025-1"))
    second = file(any_database, volumes, draft("R2025-2"))
    file(any_database, volumes, draft("R2025-3", OTHER_IDENTITY))
    assert volumes.of_person(IDENTITY) == [first, second]
    assert volumes.of_case("R2025-2") == second
    assert volumes.of_case("R2025-9") is None
    assert volumes.get(first.archival_code) == first


def test_numbers_count_through_a_year_and_begin_anew(
    any_database: Database, volumes: Volumes, clock: FixedClock
) -> None:
    numbers = [ArchivalCode.parse(file(any_database, volumes, draft(f"R-{n}")).archival_code).numbers for n in range(3)]
    assert numbers == [("00001",), ("00002",), ("00003",)]
    clock.set(datetime(2025, 12, 31, 16, 0, tzinfo=UTC))  # 2026 has begun in China
    assert file(any_database, volumes, draft("R-next")).archival_code == "Z130-ZY·YL·DY·2026·D100-00001"


def test_the_same_case_filed_again_is_the_same_volume(
    any_database: Database, volumes: Volumes, ledger: Ledger, folder: Path
) -> None:
    first = file(any_database, volumes, draft())
    again = volumes.stage(draft())
    with any_database.begin() as connection:
        assert volumes.file(connection, again) == first
        assert volumes.file(connection, draft()) == first
    assert folders(folder) == [first.archival_code]
    assert list((folder / ".staging").iterdir()) == []
    assert ledger.pending() == 1


def test_a_reopened_case_files_a_further_part_beside_its_first_volume(any_database: Database, volumes: Volumes) -> None:
    first = file(any_database, volumes, draft())
    more = replace(draft(), items=(ItemDraft("review", b'{"appeal":"upheld"}'),), part=2)
    second = file(any_database, volumes, more)
    assert file(any_database, volumes, more) == second
    assert volumes.of_person(IDENTITY) == [first, second]
    assert (volumes.of_case("R2025-1"), volumes.of_case("R2025-1", 2)) == (first, second)
    assert volumes.read_item(second.archival_code, "001") == b'{"appeal":"upheld"}'
    assert volumes.verify(first.archival_code).intact


def test_a_staged_volume_is_filed_without_writing_its_items_again(
    any_database: Database, volumes: Volumes, folder: Path
) -> None:
    staged = volumes.stage(draft())
    assert volumes.of_case("R2025-1") is None
    with any_database.begin() as connection:
        made = volumes.file(connection, staged)
    assert list((folder / ".staging").iterdir()) == []
    assert volumes.verify(made.archival_code).intact


def test_nothing_personal_stands_in_the_clear_on_the_disk(
    any_database: Database, volumes: Volumes, folder: Path
) -> None:
    file(any_database, volumes, draft())
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert len(written) == 6
    for path in written:
        data = path.read_bytes()
        for personal in (IDENTITY.text, NAME.text, "19650301"):
            assert personal.encode() not in data, path
            assert json.dumps(personal)[1:-1].encode() not in data, path


def test_metadata_are_named_after_the_standard(any_database: Database, volumes: Volumes, folder: Path) -> None:
    made = file(any_database, volumes, draft())
    metadata = json.loads((folder / made.archival_code / "metadata.json").read_bytes())
    values = {element["chinese"]: element["value"] for element in metadata["elements"]}
    assert (values["档号"], values["全宗号"], values["年度"], values["保管期限"], values["案卷号"]) == (
        made.archival_code,
        "Z130",
        "2025",
        "D100",
        "00001",
    )
    assert values["题名"] == "企业职工基本养老保险退休联办案卷"
    assert values["日期"] == "2025-03-03"
    numbers = {element["chinese"]: element.get("number") for element in metadata["elements"]}
    assert (numbers["题名"], numbers["全宗号"]) == ("M22", None)


def test_a_volume_opens_with_the_field_key_alone(
    any_database: Database, volumes: Volumes, folder: Path, sealer: FieldSealer
) -> None:
    """Should the database be lost, folder and key still say whose volume it is."""
    made = file(any_database, volumes, draft())
    metadata = json.loads((folder / made.archival_code / "metadata.json").read_bytes())
    row = f"volume:{metadata['case_id']}:{metadata['part']}:person"
    assert sealer.open("identity_number", metadata["identity_sealed"], row) == IDENTITY.text
    (name,) = (element["value"] for element in metadata["elements"] if element["name"] == "person_name")
    assert sealer.open("name", name, row) == NAME.text


def test_a_disclosed_item_can_be_held_to_the_manifest_without_the_key(
    any_database: Database, volumes: Volumes, ledger: Ledger, signers: tuple[Signer, ...], folder: Path
) -> None:
    made = file(any_database, volumes, draft())
    ledger.seal_batch()
    manifest = (folder / made.archival_code / "manifest.json").read_bytes()
    trusted = TrustedKeys()
    for signer in signers:
        trusted.add(signer.public)
    report = verify_receipt(ledger.receipt(made.ledger_entry, manifest), trusted)
    assert all(check.passed for check in report.checks), report
    described = {row["path"]: row for row in json.loads(manifest)["files"]}
    metadata = (folder / made.archival_code / "metadata.json").read_bytes()
    assert described["metadata.json"]["sm3"] == sm3(metadata).hex()
    salt, content = volumes.disclose(made.archival_code, "002")
    commitment = json.loads(metadata)["items"][1]["commitment"]
    assert content == b'{"outcome":"clear"}'
    assert commitment == {"sha256": sha256(salt + content).hex(), "sm3": sm3(salt + content).hex()}


def alter(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES: list[tuple[str, Callable[[Path], None], list[VolumeFault]]] = [
    ("item altered", lambda v: alter(v / "items/002.sealed"), [VolumeFault("items/002.sealed", "altered")]),
    ("item cut", lambda v: os.truncate(v / "items/002.sealed", 10), [VolumeFault("items/002.sealed", "altered")]),
    ("item missing", lambda v: (v / "items/003.sealed").unlink(), [VolumeFault("items/003.sealed", "missing")]),
    ("file added", lambda v: (v / "items/005.sealed").touch(), [VolumeFault("items/005.sealed", "extra")]),
    ("hidden file added", lambda v: (v / ".note").touch(), [VolumeFault(".note", "extra")]),
    ("metadata altered", lambda v: alter(v / "metadata.json"), [VolumeFault("metadata.json", "altered")]),
    ("metadata missing", lambda v: (v / "metadata.json").unlink(), [VolumeFault("metadata.json", "missing")]),
    ("manifest altered", lambda v: alter(v / "manifest.json"), [VolumeFault("manifest.json", "altered")]),
    ("volume gone", shutil.rmtree, [VolumeFault("manifest.json", "missing")]),
    (
        "two items exchanged",
        lambda v: [
            (v / "items/002.sealed").rename(v / "x"),
            (v / "items/003.sealed").rename(v / "items/002.sealed"),
            (v / "x").rename(v / "items/003.sealed"),
        ],
        [VolumeFault("items/002.sealed", "altered"), VolumeFault("items/003.sealed", "altered")],
    ),
    (
        "item replaced by a link",
        lambda v: [
            (v / "items/002.sealed").rename(v.parent / "away"),
            (v / "items/002.sealed").symlink_to(v.parent / "away"),
        ],
        [VolumeFault("items/002.sealed", "missing")],
    ),
]


@pytest.mark.parametrize(("damage", "faults"), [case[1:] for case in DAMAGES], ids=[case[0] for case in DAMAGES])
def test_every_damage_is_found_and_named(
    any_database: Database, volumes: Volumes, folder: Path, damage: Callable[[Path], None], faults: list[VolumeFault]
) -> None:
    made = file(any_database, volumes, draft())
    untouched = file(any_database, volumes, draft("R2025-2"))
    damage(folder / made.archival_code)
    report = volumes.verify(made.archival_code)
    assert sorted(report.faults) == sorted(faults)
    assert not report.intact
    assert volumes.verify(untouched.archival_code).intact


def test_an_altered_item_is_never_handed_out(any_database: Database, volumes: Volumes, folder: Path) -> None:
    made = file(any_database, volumes, draft())
    alter(folder / made.archival_code / "items/002.sealed")
    with pytest.raises(VolumeAlteredError) as caught:
        volumes.read_item(made.archival_code, "002")
    assert "items/002.sealed" in caught.value.sentence("zh")
    assert volumes.read_item(made.archival_code, "001") == draft().items[0].content


def test_whoever_rewrites_item_and_manifest_is_found_by_the_record(
    any_database: Database, volumes: Volumes, folder: Path
) -> None:
    made = file(any_database, volumes, draft())
    place = folder / made.archival_code
    other = file(any_database, volumes, draft("R2025-2"))
    for path in ("manifest.json", "metadata.json", "items/002.sealed"):
        shutil.copyfile(folder / other.archival_code / path, place / path)
    assert volumes.verify(made.archival_code).faults == (VolumeFault("manifest.json", "altered"),)
    with pytest.raises(VolumeAlteredError):
        volumes.items(made.archival_code)


def test_a_volume_whose_key_is_lost_is_whole_but_unreadable(
    any_database: Database, volumes: Volumes, ledger: Ledger, clock: FixedClock, folder: Path
) -> None:
    made = file(any_database, volumes, draft())
    keyless = Volumes(any_database, FieldSealer.create(folder.parent / "other"), ledger, clock, folder)
    assert {fault.fault for fault in keyless.verify(made.archival_code).faults} == {"unreadable"}
    with pytest.raises(VolumeAlteredError):
        keyless.read_item(made.archival_code, "001")


@pytest.mark.parametrize("code", ["Z130-ZY·YL·DY·2025·D100-00009", "", "../volumes", ".staging"])
def test_a_volume_that_is_not_there_is_missing(volumes: Volumes, code: str) -> None:
    for look in (volumes.get, volumes.items, volumes.verify):
        with pytest.raises(VolumeMissingError):
            look(code)


def test_an_item_that_is_not_there_is_missing(any_database: Database, volumes: Volumes) -> None:
    made = file(any_database, volumes, draft())
    for number in ("005", "1", "../001"):
        with pytest.raises(VolumeMissingError):
            volumes.read_item(made.archival_code, number)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(draft(), items=()),
        replace(draft(), case_id="../R1"),
        replace(draft(), case_id="张三的业务"),
        replace(draft(), scheme="999"),
        replace(draft(), part=0),
        replace(draft(), items=(ItemDraft("poem", b""),)),
        replace(draft(), items=(ItemDraft("verdict", b"", "张三"),)),
        replace(draft(), items=(ItemDraft("verdict", b"", media_type="picture"),)),
    ],
)
def test_a_draft_that_cannot_be_a_volume_is_refused_whole(
    any_database: Database, volumes: Volumes, ledger: Ledger, folder: Path, wrong: VolumeDraft
) -> None:
    with pytest.raises(HuodangError) as caught:
        file(any_database, volumes, wrong)
    assert isinstance(caught.value, VolumeDraftError) or caught.value.code == "code_table.code"
    assert folders(folder) == []
    assert list((folder / ".staging").iterdir()) == []
    assert ledger.pending() == 0


def test_a_filing_that_rolls_back_leaves_its_number_to_the_next_and_its_folder_aside(
    any_database: Database, volumes: Volumes, ledger: Ledger, folder: Path
) -> None:
    def fail() -> None:
        with any_database.begin() as connection:
            volumes.file(connection, draft())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert volumes.of_case("R2025-1") is None
    made = file(any_database, volumes, draft("R2025-2", OTHER_IDENTITY))
    assert made.archival_code.endswith("-00001")
    assert volumes.verify(made.archival_code).intact
    assert len(list((folder / ".set-aside").iterdir())) == 1
    assert ledger.pending() == 1


def test_what_killed_processes_left_is_cleaned_and_what_is_in_use_is_not(volumes: Volumes, folder: Path) -> None:
    left, used = volumes.stage(draft("R-1")), volumes.stage(draft("R-2"))
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    os.utime(left.folder.path, (long_ago.timestamp(),) * 2)
    assert volumes.clean() == 1
    assert list((folder / ".staging").iterdir()) == [used.folder.path]


def test_a_service_that_starts_cleans_what_was_left(
    any_database: Database, volumes: Volumes, sealer: FieldSealer, ledger: Ledger, folder: Path
) -> None:
    os.utime(volumes.stage(draft()).folder.path, (0, 0))
    Volumes(any_database, sealer, ledger, FixedClock(datetime(2025, 3, 3, tzinfo=UTC)), folder)
    assert list((folder / ".staging").iterdir()) == []


def test_cases_filed_by_many_threads_get_numbers_without_gap_or_repetition(
    any_database: Database, volumes: Volumes
) -> None:
    def work(first: int) -> None:
        for number in range(first, first + 4):
            file(any_database, volumes, draft(f"R-{number}"))

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 2, 4, 6)]  # half of them filed twice
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = volumes.of_person(IDENTITY)
    assert sorted(record.case_id for record in records) == [f"R-{number}" for number in range(10)]
    assert sorted(int(record.archival_code[-5:]) for record in records) == list(range(1, 11))
    assert all(volumes.verify(record.archival_code).intact for record in records)


def test_the_day_an_item_was_made_is_kept(any_database: Database, volumes: Volumes) -> None:
    dated = replace(draft(), items=(ItemDraft("review", b"{}", made_on=date(2025, 2, 28)),))
    made = file(any_database, volumes, dated)
    assert [item.made_on for item in volumes.items(made.archival_code)] == [date(2025, 2, 28)]
