"""Links as a file: `left_row,right_row,probability`, rows counted from 0; and beside it what could not be linked."""

import tempfile
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import xlsxwriter

from huodang.standards import Place
from huodang.store import write_whole
from huodang.supervision.linkage.errors import LinkOutputError
from huodang.supervision.linkage.service import Links

_ENDINGS: Final = (".csv", ".parquet", ".xlsx")
_MOST_EXCEL_ROWS: Final = 1_048_575


def check_output(out: Path, *inputs: Path) -> None:
    """See whether links could be written to a file, before anything is computed.

    Args:
        out: where links are to go.
        inputs: files that must not be written over.

    Raises:
        LinkOutputError: its ending is of no known kind, it is an input, or its folder can't be made.
    """
    place = Place(file=out.name)
    if out.resolve() in {one.resolve() for one in inputs}:
        raise LinkOutputError("输出会覆盖输入文件", "the output would be written over an input", place=place)
    if out.suffix.lower() not in _ENDINGS:
        raise LinkOutputError(
            "输出文件须以 .csv、.parquet 或 .xlsx 结尾", "the output must end in .csv, .parquet or .xlsx", place=place
        )
    if out.is_dir():
        raise LinkOutputError("输出的位置是一个文件夹", "the output is a folder", place=place)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise LinkOutputError("输出的文件夹建不了", "the folder of the output can't be made", place=place) from None


def write_links(links: Links, out: Path) -> None:
    """Write the links whole or not at all, and `<out>.unlinked.csv` beside them.

    Raises:
        LinkOutputError: they can't be written.
    """
    check_output(out)
    pairs = links.pairs.select(["left_row", "right_row", "probability"])
    if out.suffix.lower() == ".xlsx" and pairs.num_rows > _MOST_EXCEL_ROWS:
        raise LinkOutputError(
            "关联超过 Excel 一张表的行数，请改用 .csv 或 .parquet",
            "there are more links than an Excel sheet has rows: use .csv or .parquet",
            place=Place(file=out.name),
        )
    _write(pairs, out)
    if not links.same:
        _write(links.unlinked, unlinked_file(out))


def unlinked_file(out: Path) -> Path:
    """Name the file of what could not be linked."""
    return out.with_name(f"{out.name}.unlinked.csv")


def _write(table: pa.Table, out: Path) -> None:
    writers: dict[str, Any] = {
        ".csv": lambda file: _write_text(table, file),
        ".parquet": lambda file: pq.write_table(table, file),
        ".xlsx": lambda file: _write_excel(table, file),
    }
    try:
        with tempfile.TemporaryDirectory(dir=out.parent) as folder:
            file = Path(folder) / "links"
            writers[out.suffix.lower()](str(file))
            write_whole(out, file.read_bytes())
    except OSError as problem:
        raise LinkOutputError(
            f"文件写不了（{problem.strerror}）",
            f"the file can't be written ({problem.strerror})",
            place=Place(file=out.name),
        ) from None


def _write_text(table: pa.Table, file: str) -> None:
    # Arrow puts names of columns into quotes.
    with Path(file).open("wb") as stream:
        stream.write((",".join(table.column_names) + "\n").encode())
        arrow_csv.write_csv(table, stream, arrow_csv.WriteOptions(include_header=False, quoting_style="none"))


def _write_excel(table: pa.Table, file: str) -> None:
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet("links")
        sheet.write_row(0, 0, table.column_names)
        row = 1
        for batch in table.to_batches():
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                sheet.write_row(row, 0, values)
                row += 1
