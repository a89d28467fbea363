"""Catalogue files: what goes out comes back as it was; what comes from elsewhere is taken whole or refused by cell."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huodang.exchange import (
    Catalogue,
    CatalogueEntry,
    CatalogueFormat,
    ImportPlan,
    Kind,
    Publisher,
    Sharing,
    product_catalogue,
    read_catalogue,
    write_catalogue,
)
from huodang.exchange.catalogue import (
    MODE_OF_KIND,
    Bilingual,
    ImportChange,
    ImportRefusedError,
    Mode,
    ResourceFormat,
    catalogue_fields,
    class_items,
    cycle_names,
    mandatory_list,
    plan_import,
)
from huodang.exchange.errors import CatalogueError
from huodang.ledger import Ledger
from huodang.standards import elements
from huodang.store import Database, FixedClock

FORMATS = list(CatalogueFormat)
HOUSEHOLD = product_catalogue()["police.household"]
MATCH = product_catalogue()["housing_fund.accounts_match"]

lines = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=40).filter(
    lambda text: bool(text.split())
)
pairs = st.builds(Bilingual, chinese=lines, english=lines)
known_elements = st.sampled_from(sorted(elements()))
codes = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z/._-]{0,12}", fullmatch=True)


@st.composite
def entries(draw: st.DrawFn) -> list[CatalogueEntry]:
    """A catalogue of distinct resources and codes, each field anything that it may be."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(list(Kind)))
        digit = draw(st.sampled_from("123"))
        item = draw(st.sampled_from(["", *class_items(digit)]))
        class_code = digit + item + (draw(st.sampled_from(["", "001", "042A9"])) if item else "")
        assigned = draw(st.booleans())
        given_code = f"{digit}{number}-X/9" if assigned else f"{class_code}/{number + 1:06d}"
        opened = draw(st.booleans())
        others = draw(st.lists(st.sampled_from([one for one in Mode if one is not MODE_OF_KIND[kind]]), unique=True))
        found.append(
            CatalogueEntry(
                resource=f"{draw(st.sampled_from(['police', 'health', 'tax']))}.r{number}",
                title=draw(pairs),
                abstract=draw(pairs),
                condition=draw(pairs),
                kind=kind,
                elements=tuple(
                    draw(st.lists(st.sampled_from(sorted(elements())), min_size=1, max_size=6, unique=True))
                ),
                sharing=draw(st.sampled_from(list(Sharing))) if number else Sharing.CONDITIONAL,
                update_cycle=draw(st.sampled_from(sorted(cycle_names()))),  # type: ignore[arg-type]
                mandatory=not number,
                law=draw(st.one_of(st.just(""), lines)),
                law_status=draw(st.sampled_from(["source", "unverified"])),  # type: ignore[arg-type]
                class_code=class_code,
                code=draw(st.sampled_from(["", given_code])),
                code_status="assigned" if assigned else "local",
                provider_name=draw(st.one_of(st.just(""), lines)),
                provider_code=draw(st.sampled_from(["", "A01", "91350100M000100Y43"])),
                format=draw(st.sampled_from(list(ResourceFormat))),
                modes=tuple(draw(st.permutations([MODE_OF_KIND[kind], *others]))),
                open_to_public=opened,
                open_condition=draw(st.one_of(st.just(""), lines)) if opened else "",
                published_on=draw(st.one_of(st.none(), st.dates(date(1990, 1, 1), date(2100, 1, 1)))),
                related_codes=tuple(draw(st.lists(codes, max_size=3))),
            )
        )
    return found


def plan(data: bytes, name: str, known: Mapping[str, CatalogueEntry] | None = None, **how: bool) -> ImportPlan:
    return plan_import(read_catalogue(data, name), known or {}, mandatory_list(), **how)


@pytest.mark.parametrize("file_format", FORMATS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(catalogue=entries())
def test_what_is_written_is_read_back_as_it_was(file_format: CatalogueFormat, catalogue: list[CatalogueEntry]) -> None:
    data = write_catalogue(catalogue, file_format)
    assert data == write_catalogue(catalogue, file_format)
    told = plan(data, f"catalogue.{file_format}")
    assert [item.problems for item in told.items] == [()] * len(catalogue)
    assert [item.entry for item in told.items] == catalogue
    assert told.ignored == ()
    again = plan(data, f"catalogue.{file_format}", {one.resource: one for one in catalogue})
    assert {item.change for item in again.items} == {ImportChange.UNCHANGED}


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_products_catalogue_goes_out_and_comes_back_unchanged(file_format: CatalogueFormat) -> None:
    told = plan(write_catalogue(product_catalogue().values(), file_format), f"c.{file_format}", product_catalogue())
    assert told.counts[ImportChange.UNCHANGED] == len(product_catalogue())
    assert not told.refused


def test_workbook_reads_in_other_software_and_holds_text_only() -> None:
    formula = CatalogueEntry.from_payload(HOUSEHOLD.to_payload() | {"law": "=HYPERLINK(A1)"})
    book = openpyxl.load_workbook(io.BytesIO(write_catalogue([formula], CatalogueFormat.EXCEL)))
    sheet = book["共享目录"]
    headings = [cell.value for cell in sheet[1]]
    assert headings == [field.chinese for field in catalogue_fields().values()]
    assert sheet.max_row == 1 + len(HOUSEHOLD.elements)
    law = sheet.cell(2, headings.index("共享依据") + 1)
    assert (law.value, law.data_type) == ("=HYPERLINK(A1)", "s")
    explained = {row[0].value: row[3].value for row in book["说明"].iter_rows(min_row=2)}
    assert explained["更新周期"] == "取值待核"
    assert explained["共享类型"] == "取值已核"


# Workbooks from elsewhere


def workbook(edit: Callable[[Any, dict[str, int]], None], chosen: list[CatalogueEntry] | None = None) -> bytes:
    """The product's workbook (or of the entries chosen) after somebody edited it."""
    book = openpyxl.load_workbook(io.BytesIO(write_catalogue(chosen or [HOUSEHOLD, MATCH], CatalogueFormat.EXCEL)))
    sheet = book["共享目录"]
    edit(sheet, {cell.value: cell.column for cell in sheet[1]})
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def foreign(rows: list[list[object]]) -> bytes:
    """A workbook that somebody else made."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


@pytest.mark.parametrize(
    ("heading", "value", "says"),
    [
        ("共享类型", "4 随便共享", "没有这个值"),
        ("共享类型", None, "不能为空"),
        ("更新周期", "偶尔", "没有这个值"),
        ("共享方式", "1 数据库、4 口头", "没有这个值"),
        ("类", "9 其他", "没有这个“类”"),
        ("项", "88", "没有这个“项”"),
        ("发布日期", "2025-02-30", "不是日期"),
        ("发布日期", "昨天", "不是日期"),
        ("交换种类", "快递", "没有这个值"),
        ("信息资源名称", None, "不能为空"),
        ("信息项标识", "shoe_size", "没有这个信息项"),
        ("信息项名称", "证件号", "标准名称是"),
        ("数据类型", "日期型", "应为字符型"),
        ("信息项级别", "1", "应为 4"),
        ("强制共享", "也许", "没有这个值"),
    ],
)
def test_unknown_value_is_refused_by_its_cell(heading: str, value: str | None, says: str) -> None:
    def spoil(sheet: Any, columns: dict[str, int]) -> None:
        sheet.cell(12, columns[heading]).value = value

    told = plan(workbook(spoil), "目录.xlsx")
    assert told.refused
    (refused,) = [item for item in told.items if item.change is ImportChange.REFUSED]
    problem = refused.problems[0]
    assert says in problem.chinese
    assert problem.english
    assert (problem.place.row, problem.place.column) == (12, heading)


def test_columns_may_stand_in_any_order_under_a_title_and_groups_and_merged_cells() -> None:
    rows: list[list[object]] = [
        ["某省政务信息资源目录填报模板"],
        [
            "信息资源名称",
            "信息项信息",
            None,
            "共享属性",
            None,
            "更新周期",
            "涉密属性",
            "信息资源摘要",
            "资源标识",
            "类",
        ],
        [None, "信息项名称", "数据类型", "共享类型", "共享方式类型", None, None, None, None, None],
        ["护照信息", "姓名", "C", 2, "数据库", "每日", "否", "出入境证件", "police.passport", 1],
        [None, "证件号码", "字符型C", None, None, None, None, None, None, None],
        [None] * 10,
        ["签证信息", "姓名", None, "无条件共享", "接口、文件", "每年", "否", "签证", "police.visa", "基础信息资源"],
    ]
    rows[3].append("x")
    rows[1].append("共享条件")
    told = plan(foreign(rows), "省目录.xlsx")
    assert [item.problems for item in told.items] == [(), ()]
    passport, visa = (item.entry for item in told.items)
    assert passport is not None
    assert visa is not None
    assert (passport.kind, passport.elements, passport.class_code) == (Kind.TABLE, ("name", "identity_number"), "1")
    assert (visa.kind, visa.modes, visa.condition.chinese) == (Kind.CHECK, (Mode.SERVICE, Mode.FILE), "无")
    assert told.ignored == ("涉密属性",)


def test_file_without_our_columns_keeps_what_the_catalogue_knows_by_code() -> None:
    rows: list[list[object]] = [
        ["信息资源代码", "信息资源名称", "信息资源摘要", "信息项名称", "共享类型", "共享条件", "更新周期"],
        ["101/000001", "户籍人口核验", "核对户籍", "姓名", "有条件共享", "仅限退休申请与办理", "每日"],
    ]
    (item,) = plan(foreign(rows), "省目录.xlsx", product_catalogue()).items
    assert item.change is ImportChange.CHANGED
    assert item.entry is not None
    assert (item.entry.resource, item.entry.kind, item.entry.law) == ("police.household", Kind.CHECK, HOUSEHOLD.law)
    assert item.entry.title == HOUSEHOLD.title
    assert {one.field for one in item.changes} == {"abstract", "abstract_english", "element", "update_cycle"}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([["姓名", "证件号码"], ["某人", "1"]], "找不到表头"),
        ([["信息资源名称", "信息资源摘要", "信息项名称", "共享类型"], ["a", "b", "c", "d"]], "缺少列：更新周期"),
        ([["信息资源名称", "资源名称", "信息资源摘要", "信息项名称", "共享类型", "更新周期"]], "重复"),
    ],
)
def test_workbook_that_is_no_catalogue_is_refused_whole(rows: list[list[object]], says: str) -> None:
    with pytest.raises(CatalogueError, match=says):
        read_catalogue(foreign(rows), "x.xlsx")


@pytest.mark.parametrize("place", ["BXX400000", "A9000000", "XFD1048576", "xfd999999"])
def test_workbook_with_a_cell_far_out_is_refused_before_it_takes_all_memory(place: str) -> None:
    packed = io.BytesIO(write_catalogue([MATCH], CatalogueFormat.EXCEL))
    spoilt = io.BytesIO()
    with zipfile.ZipFile(packed) as before, zipfile.ZipFile(spoilt, "w") as after:
        for name in before.namelist():
            text = before.read(name)
            if name == "xl/worksheets/sheet1.xml":
                text = text.replace(b"</row>", f'<c r="{place}"><v>1</v></c></row>'.encode(), 1)
            after.writestr(name, text)
    with pytest.raises(CatalogueError, match="远在表格之外"):
        read_catalogue(spoilt.getvalue(), "x.xlsx")


def test_archive_that_is_no_workbook_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("content.xml", "<x/>")
    with pytest.raises(CatalogueError, match="不是 Excel"):
        read_catalogue(packed.getvalue(), "x.xlsx")


def test_long_number_that_excel_turned_into_a_figure_is_refused_by_its_cell() -> None:
    def spoil(sheet: Any, columns: dict[str, int]) -> None:
        sheet.cell(3, columns["信息资源提供方代码"]).value = 913501000001000431

    with pytest.raises(CatalogueError, match="数值") as refused:
        read_catalogue(workbook(spoil), "x.xlsx")
    assert (refused.value.place.row, refused.value.place.column) == (3, "信息资源提供方代码")


def test_rows_of_one_resource_that_differ_are_refused_by_their_cell() -> None:
    def spoil(sheet: Any, columns: dict[str, int]) -> None:
        sheet.cell(4, columns["共享条件"]).value = "随意使用"

    with pytest.raises(CatalogueError, match="不一致") as refused:
        read_catalogue(workbook(spoil), "x.xlsx")
    assert (refused.value.place.row, refused.value.place.column) == (4, "共享条件")


def test_resource_or_code_that_stands_twice_is_refused() -> None:
    twice = CatalogueEntry.from_payload(MATCH.to_payload() | {"code": HOUSEHOLD.code, "class_code": "101"})
    told = plan(write_catalogue([HOUSEHOLD, twice, MATCH], CatalogueFormat.JSON), "x.json")
    assert told.counts[ImportChange.REFUSED] == 3


# XML and JSON from elsewhere

BOMB = b"""<?xml version="1.0"?><!DOCTYPE catalogue [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>
<catalogue><entry><title>&b;</title></entry></catalogue>"""
OUTSIDE = b"""<!DOCTYPE catalogue [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<catalogue><entry><title>&x;</title></entry></catalogue>"""


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("x.xml", BOMB, "DOCTYPE"),
        ("x.xml", OUTSIDE, "DOCTYPE"),
        ("x.xml", b"<!DOCTYPE catalogue><catalogue/>", "DOCTYPE"),
        ("x.xml", b"<catalogue><entry></catalogue>", "格式良好"),
        ("x.xml", b"", "格式良好"),
        ("x.xml", b"<other/>", "catalogue"),
        ("x.xml", b'<catalogue version="2"/>', "第 1 版"),
        ("x.xml", b"<catalogue>" + b"<a>" * 50 + b"</a>" * 50 + b"</catalogue>", "过深"),
        ("x.xml", b"<catalogue><entry><title>a</title><title>b</title></entry></catalogue>", "重复"),
        ("x.xml", b'<?xml version="1.0" encoding="utf-16"?><catalogue/>', "GB 18030"),
        ("x.xml", "<catalogue>目录</catalogue>".encode("utf-16"), "编码"),
        ("x.json", b"[]", "JSON"),
        ("x.json", b"{", "JSON"),
        ("x.json", b"[" * 100_000, "JSON"),
        ("x.json", b'{"entries": 3}', "entries"),
        ("x.json", b'{"entries": [3]}', "对象"),
        ("x.json", b'{"entries": [{"information_items": 3}]}', "information_items"),
        ("x.json", b'{"entries": [], "entries": []}', "JSON"),
        ("x.json", b'{"format": "other", "entries": []}', "huodang.catalogue"),
        ("x.xlsx", b"PK\x03\x04 nothing", "Excel"),
        ("x.xlsx", b"", "Excel"),
        ("x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
        ("x.csv", b"a,b", ".xlsx"),
        ("x", b"", ".xlsx"),
    ],
)
def test_file_that_is_no_catalogue_is_refused_with_a_reason(name: str, data: bytes, says: str) -> None:
    with pytest.raises(CatalogueError, match=says) as refused:
        read_catalogue(data, name)
    assert refused.value.place.file == name


def test_xml_in_gb_18030_is_read() -> None:
    text = write_catalogue([HOUSEHOLD], CatalogueFormat.XML).decode().replace("UTF-8", "GBK")
    (item,) = plan(text.encode("gb18030"), "x.xml").items
    assert item.entry == HOUSEHOLD


def test_problem_in_xml_is_told_with_its_line() -> None:
    text = write_catalogue([HOUSEHOLD], CatalogueFormat.XML).decode()
    line = next(number for number, one in enumerate(text.splitlines(), 1) if "<sharing" in one)
    (item,) = plan(text.replace("2 有条件共享", "5").encode(), "x.xml").items
    assert (item.problems[0].place.row, item.problems[0].place.column) == (line, "共享类型")


def test_json_with_bare_values_and_names_unknown_here_is_read() -> None:
    document = json.loads(write_catalogue([MATCH], CatalogueFormat.JSON))
    document["entries"][0] |= {"sharing": 2, "open_to_public": False, "modes": ["service"], "secrecy": "none"}
    told = plan(json.dumps(document).encode(), "x.json")
    assert told.items[0].entry == MATCH
    assert told.ignored == ("secrecy",)


# Taking a file in


@pytest.fixture
def catalogue(clock: FixedClock, ledger: Ledger) -> Catalogue:
    return Catalogue(clock, ledger)


def test_dry_run_changes_nothing_and_the_import_does_what_it_said(catalogue: Catalogue, database: Database) -> None:
    changed = CatalogueEntry.from_payload(HOUSEHOLD.to_payload() | {"update_cycle": "weekly"})
    new = CatalogueEntry.from_payload(MATCH.to_payload() | {"resource": "housing_fund.loans_match", "code": ""})
    found = read_catalogue(write_catalogue([changed, new, MATCH], CatalogueFormat.EXCEL), "x.xlsx")
    with database.read() as connection:
        told = catalogue.plan(connection, found)
        assert catalogue.entry(connection, "housing_fund.loans_match") is None
    with database.begin() as connection:
        assert catalogue.take(connection, found, by=Publisher("zhang")) == told
        assert catalogue.entries(connection)["police.household"].update_cycle == "weekly"
        assert catalogue.entries(connection)["housing_fund.loans_match"].code == "203/000017"
        assert catalogue.versions(connection, "police.household")[-1].by.user_id == "zhang"
        assert catalogue.versions(connection, MATCH.resource)[-1].version == 0
    with database.begin() as connection:
        assert catalogue.plan(connection, found).counts[ImportChange.CHANGED] == 0


def test_one_refused_entry_refuses_the_whole_file(catalogue: Catalogue, database: Database) -> None:
    unshared = CatalogueEntry.from_payload(HOUSEHOLD.to_payload() | {"sharing": "none"})
    new = CatalogueEntry.from_payload(MATCH.to_payload() | {"resource": "housing_fund.loans_match", "code": ""})
    found = read_catalogue(write_catalogue([new, unshared], CatalogueFormat.EXCEL), "x.xlsx")
    with database.begin() as connection:
        with pytest.raises(ImportRefusedError) as refused:
            catalogue.take(connection, found)
        assert catalogue.entry(connection, "housing_fund.loans_match") is None
    (problem,) = refused.value.plan.items[1].problems
    assert (problem.place.row, problem.place.column) == (3, "共享类型")


def test_complete_file_withdraws_what_it_does_not_hold_but_nothing_mandatory(
    catalogue: Catalogue, database: Database
) -> None:
    funds = [one for one in product_catalogue().values() if one.provider == "housing_fund" and one != MATCH]
    found = read_catalogue(write_catalogue(funds, CatalogueFormat.XML), "x.xml")
    with database.begin() as connection:
        taken = catalogue.take(connection, found, complete=True)
        assert taken.counts[ImportChange.WITHDRAWN] == 1
        assert catalogue.entry(connection, MATCH.resource) is None
        assert catalogue.entry(connection, "police.household") is not None
    without_account = [one for one in funds if one.resource != "housing_fund.account"]
    found = read_catalogue(write_catalogue(without_account, CatalogueFormat.XML), "x.xml")
    with database.begin() as connection, pytest.raises(ImportRefusedError):
        catalogue.take(connection, found, complete=True)


def test_department_takes_in_its_own_entries_only(catalogue: Catalogue, database: Database) -> None:
    found = read_catalogue(write_catalogue([HOUSEHOLD, MATCH], CatalogueFormat.JSON), "x.json")
    with database.begin() as connection, pytest.raises(CatalogueError, match="本部门"):
        catalogue.take(connection, found, by=Publisher("li", "police"))


def test_file_without_an_entry_is_refused(catalogue: Catalogue, database: Database) -> None:
    with database.begin() as connection, pytest.raises(ImportRefusedError, match="没有条目"):
        catalogue.take(connection, read_catalogue(b'{"entries": []}', "x.json"))
