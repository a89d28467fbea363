"""Reading and writing files: what is written is read back, and what can't be believed is named with its row."""

import datetime as dt
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dbf
import duckdb
import openpyxl
import pytest
import xlsxwriter
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huodang.exchange.files import (
    ArchiveError,
    FileFormat,
    FileFormatError,
    FileKind,
    FileRow,
    FileWriteError,
    FixedField,
    Position,
    check_archive,
    detect,
    neutralise,
    read_rows,
    restore,
    unpack,
    write_rows,
)
from huodang.exchange.files.cells import is_scientific

COLUMNS = ("号码", "姓名", "备注")
TEXT = st.text(
    st.characters(
        # Without NUL, lone surrogates and the byte order mark, which are refused; without private signs, for which
        # GB 18030 has two readings; without control characters, which Excel can't hold.
        exclude_categories=("Cs", "Co", "Cc"),
        exclude_characters="\ufeff\u2028\u2029\x85",
        include_characters="\n\t",
    ),
    max_size=12,
)
CELL = st.one_of(
    TEXT, st.sampled_from(["=1+1", "'=x", "+86", "-5.20", "@a", "'", "''@", "\t=", "130102196503010013", ""])
)
# A text like 1E10 is a number that lost digits: readers keep such a row back, and another test holds them to it.
KEPT = CELL.filter(lambda text: not is_scientific(text))
ROWS = st.lists(st.tuples(KEPT.filter(bool), KEPT, KEPT), min_size=1, max_size=8)


def rows_of(path: Path, file_format: FileFormat | None = None) -> list[FileRow]:
    with read_rows(path, file_format) as reader:
        return list(reader)


def reasons(rows: list[FileRow]) -> list[tuple[int | None, str]]:
    return [(row.place.row, one.reason) for row in rows for one in row.problems]


def put(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        (FileKind.CSV, "utf-8"),
        (FileKind.CSV, "gb18030"),
        (FileKind.XLSX, ""),
        (FileKind.JSON_LINES, ""),
        (FileKind.PARQUET, ""),
    ],
)
@given(rows=ROWS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_what_is_written_is_read_back_unchanged(
    tmp_path: Path, kind: FileKind, encoding: Any, rows: list[tuple[str, ...]]
) -> None:
    path = tmp_path / f"out.{kind.value}"
    wanted = FileFormat(kind=kind, encoding=encoding, delimiter="," if kind is FileKind.CSV else "", columns=COLUMNS)
    assert write_rows(path, wanted, rows) == len(rows)
    found = rows_of(path, wanted if kind is FileKind.CSV else None)
    assert [tuple(str(row.cells[column]) for column in COLUMNS) for row in found] == rows
    assert not reasons(found)


@given(text=CELL)
def test_neutralising_never_changes_what_is_read_back(text: str) -> None:
    assert restore(neutralise(text)) == text
    assert not neutralise(text).startswith(("=", "@", "\t", "\r"))


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+SUM(1)", "-2+3", "@SUM(1)", "\t=1", "\r=1", "＝1"])
def test_cell_that_a_spreadsheet_would_run_is_neutralised(tmp_path: Path, text: str) -> None:
    path = tmp_path / "out.xlsx"
    write_rows(path, FileFormat(kind=FileKind.XLSX, columns=("a",)), [[text]])
    cell = openpyxl.load_workbook(path).active["A2"]  # type: ignore[index, union-attr]
    assert cell.data_type == "s"
    assert str(cell.value).startswith("'")


def test_identity_number_stays_text_in_excel(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    write_rows(path, FileFormat(kind=FileKind.XLSX, columns=("号码",)), [["130102196503010013"]])
    cell = openpyxl.load_workbook(path).active["A2"]  # type: ignore[index, union-attr]
    assert (cell.value, cell.data_type, cell.number_format) == ("130102196503010013", "s", "@")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_csv_is_recognised_by_its_content(tmp_path: Path, encoding: str, delimiter: str) -> None:
    lines = [["号码", "姓名"], ["130102196503010013", "王建国"], ["13010219700515229X", "李红、梅"]]
    path = put(tmp_path / "a.txt", "\r\n".join(delimiter.join(line) for line in lines), encoding)
    found = detect(path).format
    assert (found.delimiter, found.encoding) == (delimiter, encoding.removesuffix("-sig"))
    assert [list(row.cells.values()) for row in rows_of(path)] == lines[1:]


def test_csv_without_heading_gets_numbered_columns(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "130102196503010013,王建国\n13010219700515229X,李红梅\n")
    assert detect(path).format.columns == ("第1列", "第2列")
    assert len(rows_of(path)) == 2


def test_one_wrong_row_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    good = "1,王建国,x\n".encode("gb18030")
    path = put(
        tmp_path / "a.csv",
        "号码,姓名,备注\n".encode("gb18030")
        + good
        + "2,李红梅,y\n".encode()  # row 3: UTF-8 in a file of GB 18030
        + good
        + b"3,ab\0c,z\n"  # row 5
        + b"4,abc\n"  # row 6: ragged
        + b'5,"abc,z\n'  # row 7: a quotation mark that doesn't close
        + good
        + b"1.30102E+17,a,b\n"  # row 9
        + b"\xef\xbb\xbf1,a,b\n"  # row 10: a byte order mark inside
        + '6,"two\nlines",b\n'.encode("gb18030")  # rows 11 and 12
        + good
        + "7,王".encode("gb18030")[:-1],  # row 14: half a character at the end
    )
    rows = rows_of(path)
    assert [(row, reason) for row, reason in reasons(rows) if row != 14] == [
        (3, "mixed_encoding"),
        (5, "nul_byte"),
        (6, "ragged"),
        (7, "quotation"),
        (9, "digits_lost"),
        (10, "mark_inside"),
    ]
    assert "wrong_encoding" in [reason for row, reason in reasons(rows) if row == 14]
    assert [row.place.row for row in rows if not row.problems] == [2, 4, 8, 11, 13]
    assert rows[9].cells["姓名"] == "two\nlines"


def test_cell_beyond_reason_breaks_its_row_only(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "a,b\n1,2\n3," + "x" * 200_000 + "\n5,6\n")
    assert reasons(rows_of(path)) == [(3, "quotation")]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\n\n", "empty"),
        ("a.csv", "号码,姓名,号码\n1,2,3\n", "duplicate_column"),
        ("a.csv", "号码,,姓名\n1,2,3\n", "unnamed_column"),
        ("a.csv", "a,b\n1,2\n".encode("utf-16"), "utf16"),
        ("a.csv", "a,·\n1,2\n", "ambiguous_encoding"),
        ("a.csv", b"a,b\r1,2\r", "line_ends"),
        ("a.csv", b"\0" * 5000, "not_text"),
        ("a.xls", b"<html><table><tr><td>1</td></tr></table></html>", "markup"),
        ("a.xls", b'<?xml version="1.0"?><Workbook/>', "markup"),
        ("a.xlsx", b"PK\x03\x04 cut", "damaged"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 cut", "damaged"),
        ("a.parquet", b"PAR1 cut", "damaged"),
        ("a.jsonl", '{"a": [1', "json"),
    ],
)
def test_file_that_is_no_table_is_refused_with_its_reason(
    tmp_path: Path, name: str, content: str | bytes, reason: str
) -> None:
    path = put(tmp_path / name, content)
    with pytest.raises(FileFormatError) as caught:
        rows_of(path)
    assert caught.value.reason == reason
    assert caught.value.place.file == name


def test_heading_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    assert rows_of(put(tmp_path / "a.csv", "号码,姓名\n")) == []


def test_line_without_end_doesn_t_fill_the_memory(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "a,b\n")
    with path.open("r+b") as file:
        file.truncate(2 * 1024**3)
    tracemalloc.start()
    with pytest.raises(FileFormatError):
        rows_of(path)
    assert tracemalloc.get_traced_memory()[1] < 64 * 1024**2
    tracemalloc.stop()


def test_wrong_extension_is_told_and_the_content_counts(tmp_path: Path) -> None:
    path = put(tmp_path / "a.xls", "号码,姓名\n1,王\n")
    found = detect(path)
    assert found.format.kind is FileKind.CSV
    assert [one.code for one in found.remarks] == ["other_extension"]


def workbook(path: Path, build: Callable[[Any, Any], None]) -> Path:
    book = xlsxwriter.Workbook(str(path))
    build(book, book.add_worksheet("名单"))
    book.close()
    return path


def test_excel_number_that_lost_digits_is_refused_and_dates_are_dates_only_in_date_cells(tmp_path: Path) -> None:
    def build(book: Any, sheet: Any) -> None:
        sheet.merge_range(0, 0, 0, 3, "某市服刑人员名单")
        sheet.write_row(1, 0, ["号码", "姓名", "日期", "序列数"])
        sheet.write_row(2, 0, [130102196503010013, "王"])
        sheet.write_string(3, 0, "130102196503010013")
        sheet.write_datetime(3, 2, dt.date(2020, 1, 2), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_number(3, 3, 45292)
        sheet.write_number(4, 0, 130102650301001)
        sheet.merge_range(5, 1, 6, 1, "合并")
        sheet.write_string(6, 0, "x")

    rows = rows_of(workbook(tmp_path / "a.xlsx", build))
    assert reasons(rows) == [(3, "digits_lost"), (7, "merged_cell")]
    assert rows[1].cells == {
        "号码": "130102196503010013", "姓名": "", "日期": dt.date(2020, 1, 2), "序列数": 45292,
    }  # fmt: skip
    assert rows[2].cells["号码"] == 130102650301001


def test_heading_of_two_merged_rows_is_understood(tmp_path: Path) -> None:
    def build(_book: Any, sheet: Any) -> None:
        sheet.merge_range(0, 0, 1, 0, "姓名")
        sheet.merge_range(0, 1, 0, 2, "服刑期间")
        sheet.write_row(1, 1, ["起", "止"])
        sheet.write_row(2, 0, ["王建国", "20240101", "20250101"])

    path = workbook(tmp_path / "a.xlsx", build)
    assert detect(path).format.columns == ("姓名", "服刑期间/起", "服刑期间/止")
    assert len(rows_of(path)) == 1


def test_merged_heading_without_names_below_is_refused_by_its_cells(tmp_path: Path) -> None:
    def build(_book: Any, sheet: Any) -> None:
        sheet.write(0, 0, "姓名")
        sheet.merge_range(0, 1, 0, 2, "服刑期间")
        sheet.write_row(1, 0, ["王建国", "20240101", "20250101"])

    with pytest.raises(FileFormatError, match="B1:C1"):
        detect(workbook(tmp_path / "a.xlsx", build))


def test_old_excel_is_read(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("名单")
    for column, text in enumerate(["号码", "姓名"]):
        sheet.write(0, column, text)
    sheet.write(1, 0, "130102196503010013")
    sheet.write(1, 1, "王建国")
    book.save(str(tmp_path / "a.xls"))
    assert [row.cells for row in rows_of(tmp_path / "a.xls")] == [{"号码": "130102196503010013", "姓名": "王建国"}]


def test_cut_workbook_and_workbook_bomb_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", lambda _book, sheet: sheet.write_row(0, 0, ["a", "b"]))
    cut = put(tmp_path / "cut.xlsx", path.read_bytes()[:-200])
    with pytest.raises(FileFormatError):
        detect(cut)
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60 * 1024**2)
    with pytest.raises(FileFormatError) as caught:
        detect(bomb)
    assert caught.value.reason == "ratio"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["vfp", "db3"])
def test_dbf_is_read_as_its_own_library_wrote_it(tmp_path: Path, kind: str) -> None:
    table = dbf.Table(
        str(tmp_path / "a.dbf"), "XM C(20); HM C(18); JE N(12,2); RQ D; BZ M; OK L", codepage="cp936", dbf_type=kind
    )
    table.open(dbf.READ_WRITE)
    table.append(("王建国", "130102196503010013", 12.5, dt.date(2020, 1, 2), "长" * 600, True))
    table.append(("李红梅", "", 0, None, "", None))
    table.append(("赵铁柱", "13010219700515229X", -3, dt.date(1999, 12, 31), "短", False))
    dbf.delete(table[1])
    table.close()
    with read_rows(tmp_path / "a.dbf") as reader:
        rows = list(reader)
        assert reader.skipped == 1
    assert [row.place.row for row in rows] == [1, 3]
    first = rows[0].cells
    assert (first["XM"], first["HM"], str(first["JE"])) == ("王建国", "130102196503010013", "12.50")
    assert (first["RQ"], first["BZ"], first["OK"]) == (dt.date(2020, 1, 2), "长" * 600, True)


@pytest.mark.filterwarnings("ignore")
def test_dbf_that_is_cut_or_misses_its_memos_is_refused(tmp_path: Path) -> None:
    table = dbf.Table(str(tmp_path / "a.dbf"), "XM C(20); BZ M", codepage="cp936", dbf_type="vfp")
    table.open(dbf.READ_WRITE)
    for _ in range(5):
        table.append(("王建国", "备注"))
    table.close()
    put(tmp_path / "cut.dbf", (tmp_path / "a.dbf").read_bytes()[:-30])
    put(tmp_path / "lonely.dbf", (tmp_path / "a.dbf").read_bytes())
    for name in ("cut.dbf", "lonely.dbf"):
        with pytest.raises(FileFormatError, match="DBF"):
            rows_of(tmp_path / name)


def test_fixed_width_counts_bytes_or_characters_as_declared(tmp_path: Path) -> None:
    fields = (FixedField(name="姓名", start=1, length=8), FixedField(name="号码", start=9, length=4))
    lines = "王建国  0001\r\n李红    0002\r\n"
    by_bytes = put(tmp_path / "bytes.dat", lines, "gb18030")
    wanted = FileFormat(kind=FileKind.FIXED, encoding="gb18030", fields=fields)
    assert [list(row.cells.values()) for row in rows_of(by_bytes, wanted)] == [["王建国", "0001"], ["李红", "0002"]]
    by_characters = put(tmp_path / "characters.dat", "王建国     0001\n")
    wanted = FileFormat(kind=FileKind.FIXED, encoding="utf-8", fields=fields, unit="character")
    assert [list(row.cells.values()) for row in rows_of(by_characters, wanted)] == [["王建国", "0001"]]
    shifted = put(tmp_path / "shifted.dat", "x王建国王0001\n", "gb18030")
    wanted = FileFormat(kind=FileKind.FIXED, encoding="gb18030", fields=fields)
    assert {reason for _, reason in reasons(rows_of(shifted, wanted))} >= {"cut_character", "line_length"}


def test_parquet_keeps_kinds_and_refuses_inexact_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 130102196503010013::BIGINT AS a, DATE '2020-01-02' AS b, 1.30102E17::DOUBLE AS c) "
            f"TO '{path}' (FORMAT parquet)"
        )
    (row,) = rows_of(path)
    assert (row.cells["a"], row.cells["b"]) == (130102196503010013, dt.date(2020, 1, 2))
    assert reasons([row]) == [(1, "digits_lost")]


def test_json_lines_keep_digits_and_name_broken_lines(tmp_path: Path) -> None:
    path = put(
        tmp_path / "a.jsonl",
        '{"号码": 130102196503010013, "额": 1.10}\n{"号码": 1.30102E+17}\n{"号码": "1", "号码": "2"}\nnot json\n'
        '{"号码": {"a": 1}}\n[1]\n{"号码": "\\ud800"}\n',
    )
    rows = rows_of(path)
    assert rows[0].cells["号码"] == 130102196503010013
    assert str(rows[0].cells["额"]) == "1.10"
    assert reasons(rows) == [
        (2, "digits_lost"), (3, "json_repeated"), (4, "json"), (5, "nested"), (6, "json"), (7, "wrong_encoding"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.jsonl", "a.parquet"])
@given(stop=st.integers(0, 20))
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reading_goes_on_where_it_was_interrupted(tmp_path: Path, name: str, stop: int) -> None:
    path = tmp_path / name
    kind = next(kind for kind in FileKind if kind.value == path.suffix[1:])
    wanted = FileFormat(kind=kind, columns=COLUMNS)
    write_rows(path, wanted, [[f"号{number}", "两\n行", "x"] for number in range(20)])
    whole = rows_of(path)
    with read_rows(path) as reader:
        before = [next(reader) for _ in range(stop)]
        position = reader.position if stop else Position()
    with read_rows(path, start=position) as reader:
        assert before + list(reader) == whole


def test_file_that_can_t_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"

    def rows() -> Any:
        yield ["1"]
        raise OSError(28, "No space left on device")

    with pytest.raises(FileWriteError, match="磁盘已满"):
        write_rows(path, FileFormat(kind=FileKind.CSV, columns=("a",)), rows())
    assert list(tmp_path.iterdir()) == []


def _zip(path: Path, members: dict[str, bytes], **attributes: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = attributes.get("mode", 0o100644) << 16
            archive.writestr(member, content)
    return path


@pytest.mark.parametrize(
    ("members", "mode", "reason"),
    [
        ({"../a.csv": b"x"}, 0o100644, "unsafe_name"),
        ({"/etc/a.csv": b"x"}, 0o100644, "unsafe_name"),
        ({"..\\a.csv": b"x"}, 0o100644, "unsafe_name"),
        ({"C:a.csv": b"x"}, 0o100644, "unsafe_name"),
        ({"nul.csv": b"x"}, 0o100644, "unsafe_name"),
        ({"a\u202egpj.csv": b"x"}, 0o100644, "unsafe_name"),
        ({"folder/a.csv": b"x"}, 0o100644, "unsafe_name"),
        ({"folder/": b""}, 0o100644, "special_member"),
        ({"a.csv": b"/etc/passwd"}, 0o120777, "special_member"),
        ({"a.csv": b"x", "A.CSV": b"x"}, 0o100644, "colliding_names"),
        ({"a.csv": b"x", "ａ.csv": b"x"}, 0o100644, "colliding_names"),
        ({"a.zip": b"x"}, 0o100644, "nested"),
        ({"a.csv": b"0" * 50 * 1024**2}, 0o100644, "ratio"),
        ({f"{number}.csv": b"" for number in range(1001)}, 0o100644, "members"),
    ],
)
def test_archive_with_a_trick_is_refused(tmp_path: Path, members: dict[str, bytes], mode: int, reason: str) -> None:
    path = _zip(tmp_path / "a.zip", members, mode=mode)
    (tmp_path / "out").mkdir()
    with pytest.raises(ArchiveError) as caught:
        unpack(path, tmp_path / "out")
    assert caught.value.reason == reason
    assert list((tmp_path / "out").iterdir()) == []


def test_encrypted_archive_is_refused_clearly(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"a.csv": b"x"})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="加密"):
        check_archive(path)
