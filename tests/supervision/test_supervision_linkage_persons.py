"""Person files of other countries and shapes: columns found by their headers, record ids never used."""

import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from huodang.cli import app
from huodang.standards import check_character
from huodang.supervision.linkage import Links, Role, link, plan
from huodang.supervision.linkage.columns import header_key
from huodang.supervision.linkage.features import clean_number, date_text, name_key
from huodang.supervision.linkage.sounds import sound_of

FIRST = (
    "emma",
    "jack",
    "olivia",
    "thomas",
    "chloe",
    "joshua",
    "isabella",
    "benjamin",
    "georgia",
    "lachlan",
    "zoe",
    "noah",
)
LAST = (
    "smith",
    "white",
    "nguyen",
    "mcgregor",
    "campbell",
    "ryan",
    "clarke",
    "webb",
    "dixon",
    "hartley",
    "brown",
    "kelly",
)
STREETS = (
    "macarthur avenue",
    "kitchener street",
    "bindel street",
    "hawker place",
    "mackinolty street",
    "dugdale court",
)
HEADERS = "rec_id,given_name,surname,street_number,address_1,postcode,state,date_of_birth,soc_sec_id"


def person(draw: random.Random, number: int) -> list[str]:
    return [
        f"rec-{number}-org",
        draw.choice(FIRST),
        draw.choice(LAST),
        str(draw.randint(1, 200)),
        draw.choice(STREETS),
        str(draw.randint(2000, 2090)),
        draw.choice(("nsw", "vic", "qld")),
        f"19{draw.randint(10, 99)}{draw.randint(1, 12):02d}{draw.randint(1, 28):02d}",
        str(draw.randint(1_000_000, 9_999_999)),
    ]


def spoilt(draw: random.Random, row: list[str]) -> list[str]:
    copy = list(row)
    copy[0] = f"rec-{draw.randint(10_000, 99_999)}-dup"
    for at in draw.sample(range(1, 9), 2):
        text = copy[at]
        place = draw.randrange(len(text))
        copy[at] = draw.choice(["", text[:place] + text[place + 1 :], text[:place] + text[place] + text[place:]])
    if draw.random() < 0.1:
        copy[1], copy[2] = copy[2], copy[1]
    return copy


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[int]]:
    draw = random.Random(5)
    people = [person(draw, number) for number in range(500)]
    order = draw.sample(range(500), 300)
    folder = tmp_path_factory.mktemp("persons")
    for name, rows in (("left", people), ("right", [spoilt(draw, people[at]) for at in order])):
        (folder / f"{name}.csv").write_text("\n".join([HEADERS, *map(",".join, rows)]), encoding="utf-8")
    return folder / "left.csv", folder / "right.csv", order


@pytest.fixture(scope="module")
def links(files: tuple[Path, Path, list[int]]) -> Links:
    return link(*files[:2])


def test_persons_with_two_errors_each_are_found(files: tuple[Path, Path, list[int]], links: Links) -> None:
    found = {(one["left_row"], one["right_row"]) for one in links.pairs.to_pylist()}
    true = {(left, right) for right, left in enumerate(files[2])}
    assert len(found - true) == 0
    assert len(found & true) / len(true) > 0.99
    assert links.model is not None
    assert links.model.learned == "weighing"


def test_record_ids_are_never_compared(files: tuple[Path, Path, list[int]]) -> None:
    planned = plan(*files[:2])
    assert {"rec_id"} == set(planned.left_unused) == set(planned.right_unused)
    roles = {column.left: column.role for column in planned.columns}
    assert roles == {
        "given_name": Role.TEXT,
        "surname": Role.TEXT,
        "street_number": Role.SHORT,
        "address_1": Role.TEXT,
        "postcode": Role.SHORT,
        "state": Role.SHORT,
        "date_of_birth": Role.BIRTH,
        "soc_sec_id": Role.CODE,
    }


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("1965-03-01", "19650301"),
        ("1965/3/1", "19650301"),
        ("1965年3月1日", "19650301"),
        ("19650301", "19650301"),
        ("19650301.0", "19650301"),
        ("１９６５.３.１", "19650301"),
        ("1965-03-01 00:00:00", "19650301"),
        ("19650301000000", "19650301"),
        ("01/03/1965", "19650301"),
        ("3/25/1965", "19650325"),
        ("19651332", "19651332"),
        ("1965", None),
        ("1965-03", None),
        ("", None),
    ],
)
def test_dates_have_one_form_and_what_lacks_a_part_has_none(written: str, date: str | None) -> None:
    assert date_text(written) == date


@pytest.mark.parametrize(
    ("written", "key"),
    [("张 三", "张三"), ("张?三", "张三"), ("阿依古丽•买买提", "阿依古丽·买买提"), ("", None), ("???", None)],
)
def test_names_have_one_key_and_lost_characters_leave_the_rest(written: str, key: str | None) -> None:
    assert name_key(written) == key


@pytest.mark.parametrize(("one", "other"), [("张伟", "章伟"), ("劉強", "刘强"), ("李秀英", "李秀瑛")])
def test_homophones_and_traditional_forms_sound_alike(one: str, other: str) -> None:
    assert sound_of(one) == sound_of(other)


def test_numbers_are_freed_of_what_never_belongs_to_them() -> None:
    assert clean_number(" 130102-1950 0101１23x'") == "130102195001０1123X".replace("０", "0")


def test_headers_agree_however_they_are_written() -> None:
    assert header_key("Date_Of Birth（出生）") == header_key("dateofbirth") == "dateofbirth"


def payees(folder: Path) -> tuple[Path, Path]:
    seventeen = "13010219500101123"
    number = seventeen + check_character(seventeen)
    (folder / "a.csv").write_text(f"身份证号,姓名,出生日期\n{number},张建国,1950-01-01\n", encoding="utf-8")
    (folder / "b.csv").write_text(f"证件号码,死者姓名,死亡日期\n{number},张建国,2025-01-02\n", encoding="utf-8")
    return folder / "a.csv", folder / "b.csv"


def test_command_writes_links_page_and_reasons(tmp_path: Path) -> None:
    one, other = payees(tmp_path)
    result = CliRunner().invoke(app, ["link", str(one), str(other), "--out", str(tmp_path / "out" / "links.csv")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "links.csv").read_text().splitlines() == [
        "left_row,right_row,probability",
        "0,0,0.999999",
    ]
    assert (tmp_path / "out" / "links.csv.html").exists()
    assert (tmp_path / "out" / "links.csv.unlinked.csv").exists()
    assert "verify it" in result.output
    assert "张建国" not in result.output


def test_dry_run_tells_the_columns_and_writes_nothing(tmp_path: Path) -> None:
    one, other = payees(tmp_path)
    result = CliRunner().invoke(app, ["link", str(one), str(other), "--out", str(tmp_path / "links.csv"), "--dry-run"])
    assert result.exit_code == 0
    assert "死者姓名" in result.output
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "b.csv"]


@pytest.mark.parametrize("out", ["links.doc", "a.csv"])
def test_output_that_cannot_be_is_refused_before_any_work(tmp_path: Path, out: str) -> None:
    one, other = payees(tmp_path)
    before = one.read_bytes()
    result = CliRunner().invoke(app, ["link", str(one), str(other), "--out", str(tmp_path / out)])
    assert result.exception is not None
    assert getattr(result.exception, "code", "") == "linkage.output"
    assert one.read_bytes() == before
