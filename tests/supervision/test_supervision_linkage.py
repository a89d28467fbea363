"""Two dirty files in, links out: through the front door, on generated records with truth."""

from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest

from huodang.simulation.dirty_records import DirtyRecords, make_dirty_records
from huodang.standards import HuodangError, check_character
from huodang.supervision.linkage import (
    LinkModelError,
    Links,
    LinkSettings,
    LinkSettingsError,
    NothingSharedError,
    link,
    load_model,
    plan,
    shipped_model,
    signal_of,
    write_links,
    write_waterfalls,
)

HEADERS = ("身份证号", "姓名", "性别", "出生日期", "行政区划")


def number(seventeen: str) -> str:
    return seventeen + check_character(seventeen)


ZHANG = (number("13010219500101123"), "张建国", "1", "1950-01-01", "130102")
WANG = (number("13040319521212304"), "王桂兰", "2", "1952-12-12", "130403")
LI = (number("13010219480615204"), "李秀英", "2", "1948-06-15", "130102")


def write(path: Path, rows: list[tuple[str, ...]], headers: tuple[str, ...] = HEADERS) -> Path:
    lines = [",".join(headers), *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def told(links: Links) -> dict[tuple[int, int], str]:
    return {(one["left_row"], one["right_row"]): one["way"] for one in links.pairs.to_pylist()}


def linked(folder: Path, payees: list[tuple[str, ...]], notices: list[tuple[str, ...]]) -> Links:
    return link(write(folder / "payees.csv", payees), write(folder / "notices.csv", notices))


@pytest.fixture(scope="module")
def records() -> DirtyRecords:
    return make_dirty_records(seed=11, payees=6_000, notices=1_500)


@pytest.fixture(scope="module")
def files(records: DirtyRecords, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("linkage")
    pq.write_table(records.payees, folder / "payees.parquet")
    arrow_csv.write_csv(records.notices, folder / "notices.csv")
    return folder / "payees.parquet", folder / "notices.csv"


@pytest.fixture(scope="module")
def links(files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Links:
    model = tmp_path_factory.mktemp("model") / "model.json"
    return link(*files, LinkSettings(model=model))


def test_nearly_all_dirty_notices_find_their_payee_and_none_another(records: DirtyRecords, links: Links) -> None:
    left, right = (links.pairs.column(name).to_numpy() for name in ("left_row", "right_row"))
    right_ones = records.truth[right] == left
    assert (~right_ones).sum() == 0
    assert right_ones.sum() / (records.truth >= 0).sum() > 0.995


def test_every_way_of_linking_finds_some(links: Links) -> None:
    assert set(links.ways()) == {"number", "repaired", "weighed"}
    assert min(links.ways().values()) > 60


def test_probabilities_are_as_good_as_they_say(records: DirtyRecords, links: Links) -> None:
    probability = links.pairs.column("probability").to_numpy()
    assert probability.min() >= links.threshold
    wrong = records.truth[links.pairs.column("right_row").to_numpy()] != links.pairs.column("left_row").to_numpy()
    assert wrong.sum() <= 3 + 3 * (1 - probability).sum()


def test_every_notice_is_linked_or_told_why_not(records: DirtyRecords, links: Links) -> None:
    right = links.pairs.column("right_row").to_pylist()
    unlinked = links.unlinked.column("right_row").to_pylist()
    assert sorted(right + unlinked) == list(range(records.notices.num_rows))
    assert set(links.unlinked.column("reason").to_pylist()) <= {
        "no_candidate",
        "below_threshold",
        "ambiguous",
        "taken",
        "number_alone",
    }


def test_order_of_rows_changes_no_link(records: DirtyRecords, links: Links, tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    of_left, of_right = (draw.permutation(table.num_rows) for table in (records.payees, records.notices))
    pq.write_table(records.payees.take(of_left), tmp_path / "payees.parquet")
    pq.write_table(records.notices.take(of_right), tmp_path / "notices.parquet")
    again = link(tmp_path / "payees.parquet", tmp_path / "notices.parquet")
    assert {
        (int(of_left[one["left_row"]]), int(of_right[one["right_row"]])): (one["way"], round(one["probability"], 6))
        for one in again.pairs.to_pylist()
    } == {
        (one["left_row"], one["right_row"]): (one["way"], round(one["probability"], 6))
        for one in links.pairs.to_pylist()
    }


def test_saved_model_gives_the_same_links_again(files: tuple[Path, Path], links: Links, tmp_path: Path) -> None:
    assert links.model is not None
    model = tmp_path / "model.json"
    links.model.save(model, links.comparisons)
    again = link(*files, LinkSettings(model=model))
    assert again.model is not None
    assert again.model.learned == "file"
    assert told(again) == told(links)


def test_dearer_wrong_links_give_fewer_links(files: tuple[Path, Path], links: Links, tmp_path: Path) -> None:
    assert links.model is not None
    links.model.save(tmp_path / "model.json", links.comparisons)
    careful = link(*files, LinkSettings(model=tmp_path / "model.json", cost_wrong=99_999))
    assert careful.threshold == 0.99999
    assert set(told(careful)) < set(told(links))


def test_files_of_a_few_rows_are_linked(tmp_path: Path) -> None:
    fifteen = ZHANG[0][:6] + ZHANG[0][8:17]
    swapped = LI[0][:9] + LI[0][10] + LI[0][9] + LI[0][11:]
    links = linked(tmp_path, [ZHANG, WANG, LI], [(swapped, "李秀瑛", *LI[2:]), (fifteen, *ZHANG[1:])])
    assert told(links) == {(0, 1): "number", (2, 0): "repaired"}


def test_notice_without_number_finds_the_one_who_is_alike(tmp_path: Path) -> None:
    links = linked(tmp_path, [ZHANG, WANG, LI], [("", "王桂蓝", *WANG[2:])])
    assert told(links) == {(1, 0): "weighed"}
    assert links.model is not None
    assert links.model.learned == "shipped"


def test_two_who_are_equally_alike_are_not_guessed(tmp_path: Path) -> None:
    twin = (number("13040319521212306"), *WANG[1:])
    links = linked(tmp_path, [ZHANG, WANG, twin], [("", *WANG[1:])])
    assert told(links) == {}
    assert links.unlinked.to_pylist()[0]["reason"] == "ambiguous"


@pytest.mark.parametrize("written", [ZHANG[0], ZHANG[0][:9] + ZHANG[0][10] + ZHANG[0][9] + ZHANG[0][11:]])
def test_number_of_another_name_and_birth_date_is_never_enough(tmp_path: Path, written: str) -> None:
    links = linked(tmp_path, [ZHANG, WANG, LI], [(written, "赵铁柱", "1", "1963-08-27", "130102")])
    assert told(links) == {}


def test_repaired_number_needs_the_name(tmp_path: Path) -> None:
    wrong = ZHANG[0][:16] + str((int(ZHANG[0][16]) + 4) % 10) + ZHANG[0][17]
    links = linked(tmp_path, [ZHANG, WANG, LI], [(wrong, "", "", "", "")])
    assert told(links) == {}
    assert links.unlinked.to_pylist()[0]["reason"] == "number_alone"


def test_files_of_numbers_alone_link_the_same_and_repair_none(tmp_path: Path) -> None:
    swapped = LI[0][:9] + LI[0][10] + LI[0][9] + LI[0][11:]
    left = write(tmp_path / "payees.csv", [(one[0],) for one in (ZHANG, WANG, LI)], ("身份证号",))
    right = write(tmp_path / "notices.csv", [(swapped,), (WANG[0],)], ("死者身份证号码",))
    assert told(link(left, right)) == {(1, 1): "number"}


def test_all_rows_of_one_payee_are_linked(tmp_path: Path) -> None:
    links = linked(tmp_path, [ZHANG, WANG, ZHANG], [("", *ZHANG[1:]), WANG])
    assert told(links) == {(0, 0): "weighed", (2, 0): "weighed", (1, 1): "number"}


def test_full_width_numbers_and_names_with_spaces_are_the_same(tmp_path: Path) -> None:
    wide = "".join(chr(ord(one) + 0xFEE0) for one in ZHANG[0])
    links = linked(tmp_path, [ZHANG, WANG], [(wide, "张 建国", "男", "1950年1月1日", "130102")])
    assert told(links) == {(0, 0): "number"}


def test_gb18030_file_with_a_torn_row_keeps_its_row_numbers(tmp_path: Path) -> None:
    text = "\n".join([",".join(HEADERS), ",".join(WANG), "坏,行", ",".join(ZHANG)])
    (tmp_path / "notices.csv").write_bytes(text.encode("gb18030"))
    links = link(write(tmp_path / "payees.csv", [ZHANG, WANG]), tmp_path / "notices.csv")
    assert told(links) == {(0, 2): "number", (1, 0): "number"}


def test_one_file_held_against_itself_gives_duplicates_once(tmp_path: Path) -> None:
    file = write(tmp_path / "persons.csv", [ZHANG, WANG, ZHANG, LI, ("", *WANG[1:])])
    links = link(file, file)
    assert told(links) == {(0, 2): "number", (1, 4): "weighed"}
    assert links.unlinked.num_rows == 0


def test_empty_right_file_gives_no_links(tmp_path: Path) -> None:
    links = linked(tmp_path, [ZHANG, WANG], [])
    assert (links.pairs.num_rows, links.unlinked.num_rows, links.right_rows) == (0, 0, 0)


def test_files_that_share_nothing_are_refused(tmp_path: Path) -> None:
    other = write(tmp_path / "other.csv", [("1", "2")], ("甲", "乙"))
    with pytest.raises(NothingSharedError) as refused:
        link(write(tmp_path / "payees.csv", [ZHANG]), other)
    assert "身份证号" in refused.value.sentence("zh")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "huodang-link-model-1", "prior": 2}', "\x00"])
def test_what_is_no_model_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text, encoding="utf-8")
    with pytest.raises(LinkModelError):
        load_model(tmp_path / "model.json")


@pytest.mark.parametrize(
    "wrong", [{"cost_wrong": 0}, {"cost_missed": -1}, {"cost_wrong": float("nan")}, {"memory": "much"}, {"threads": 0}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(LinkSettingsError):
        LinkSettings(**wrong)  # type: ignore[arg-type]


def test_shipped_model_knows_what_is_compared_of_persons(files: tuple[Path, Path]) -> None:
    comparisons = plan(*files).comparisons
    assert shipped_model().fits(comparisons)
    for one in comparisons:
        weights = shipped_model().weights[one.name]
        assert sum(weights.likely) == pytest.approx(1)
        assert weights.likely[0] / weights.chance[0] > 1 >= 0.99 * weights.likely[-1] / weights.chance[-1]


def test_page_of_waterfalls_shows_no_person_and_needs_no_network(
    links: Links, records: DirtyRecords, tmp_path: Path
) -> None:
    write_waterfalls(links, tmp_path / "links.html")
    page = (tmp_path / "links.html").read_text(encoding="utf-8")
    assert "http" not in page
    assert 500 <= page.count("<section>") == len(links.explained) <= 550
    shown = links.explained[0]
    payee = records.payees.slice(shown.left_row, 1).to_pylist()[0]
    assert payee["身份证号"] not in page
    assert f">{payee['姓名']}<" not in page


def test_parts_of_a_waterfall_sum_to_what_the_probability_is_of(links: Links) -> None:
    weighed = [one for one in links.explained if one.way == "weighed"]
    assert weighed
    sums = [sum(part.weight for part in one.parts) for one in weighed]
    assert min(sums) > 10
    assert all(part.weight == 0 for one in weighed for part in one.parts if part.missing)


def test_link_by_likeness_signals_a_candidate_only(links: Links) -> None:
    by_way = {one.way: signal_of(one, "death", {"died_on": "2025-03-01"}) for one in links.explained}
    assert by_way["weighed"].fuzzy
    assert by_way["repaired"].fuzzy
    assert not by_way["weighed"].confirmed
    assert by_way["weighed"].register == "linkage"
    assert by_way["weighed"].fact["died_on"] == "2025-03-01"
    assert len(by_way["weighed"].digest) == 64


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".xlsx"])
def test_links_are_written_as_asked(tmp_path: Path, ending: str) -> None:
    links = linked(tmp_path, [ZHANG, WANG], [WANG, ("", "路人甲", "1", "1970-01-01", "130102")])
    out = tmp_path / f"links{ending}"
    write_links(links, out)
    match ending:
        case ".csv":
            rows = [tuple(map(float, line.split(","))) for line in out.read_text().splitlines()[1:]]
            assert out.read_text().splitlines()[0] == "left_row,right_row,probability"
        case ".parquet":
            rows = [tuple(one.values()) for one in pq.read_table(out).to_pylist()]
        case _:
            rows = list(openpyxl.load_workbook(out).active.iter_rows(min_row=2, values_only=True))  # type: ignore[union-attr]
    assert [row[:2] for row in rows] == [(1, 0)]
    assert (tmp_path / f"links{ending}.unlinked.csv").read_text().splitlines()[1].startswith("1,no_candidate")


def test_errors_tell_no_person(tmp_path: Path) -> None:
    for wrong in (tmp_path / "absent.csv", write(tmp_path / "b.csv", [("x", "y")], ("甲", "乙"))):
        with pytest.raises(HuodangError) as refused:
            link(write(tmp_path / "payees.csv", [ZHANG]), wrong)
        assert ZHANG[0] not in str(refused.value)
        assert ZHANG[1] not in str(refused.value)


def test_plan_names_what_is_not_used(tmp_path: Path) -> None:
    left = write(tmp_path / "a.csv", [(*ZHANG, "3000")], (*HEADERS, "发放金额"))
    right = write(tmp_path / "b.csv", [(*ZHANG, "2025-01-01")], (*HEADERS, "死亡日期"))
    planned = plan(left, right)
    assert (planned.left_unused, planned.right_unused) == (("发放金额",), ("死亡日期",))
    assert isinstance(link(left, right).pairs, pa.Table)
