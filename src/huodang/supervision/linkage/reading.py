"""Any file as batches of text columns, with every row in its place: row numbers are counted from 0 and none is skipped.

Delimited text and Parquet are streamed by Arrow. What Arrow refuses (a torn row, an odd encoding) and the other kinds
go through the readers of file exchange, which give a torn row as far as it stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from huodang.exchange.files import FileFormat, FileKind, cell_text, detect, read_rows
from huodang.standards import Place
from huodang.supervision.linkage.columns import Sample
from huodang.supervision.linkage.errors import LinkageError

BATCH: Final = 200_000
_SAMPLED: Final = 2000
_BLOCK: Final = 8 << 20


@dataclass(frozen=True)
class InputFile:
    """A file of persons whose kind and headers are known."""

    path: Path
    format: FileFormat

    @classmethod
    def open(cls, path: Path) -> "InputFile":
        """Find out what a file is.

        Raises:
            FileFormatError: it is empty, damaged or of no known kind.
            LinkageError: it isn't there.
        """
        if not path.is_file():
            raise LinkageError("文件不存在", "there is no such file", place=Place(file=path.name))
        return cls(path, detect(path).format)

    def sample(self) -> Sample:
        """Give the headers and the first cells under each."""
        first = next(self.batches(size=_SAMPLED), None)
        cells = {} if first is None else {name: first.column(name).to_pylist() for name in self.format.columns}
        return Sample(self.format.columns, {name: cells.get(name, []) for name in self.format.columns})

    def batches(self, size: int = BATCH) -> Iterator[pa.Table]:
        """Give the rows as tables of text, no cell missing, in the order of the file."""
        match self.format.kind:
            case FileKind.PARQUET:
                yield from self._parquet(size)
            case FileKind.CSV if self.format.header:
                given = 0
                try:
                    for table in self._delimited(size):
                        given += table.num_rows
                        yield table
                except (pa.ArrowInvalid, pa.ArrowException):
                    yield from self._slowly(size, given)
            case _:
                yield from self._slowly(size, 0)

    def _parquet(self, size: int) -> Iterator[pa.Table]:
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=size, columns=list(self.format.columns)):
                yield _as_text(pa.Table.from_batches([batch]))

    def _delimited(self, size: int) -> Iterator[pa.Table]:
        names = list(self.format.columns)
        reader = arrow_csv.open_csv(
            self.path,
            read_options=arrow_csv.ReadOptions(
                column_names=names,
                skip_rows=self.format.first_data_row - 1,
                encoding="utf8" if self.format.encoding == "utf-8" else self.format.encoding,
                block_size=_BLOCK,
                use_threads=False,
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=self.format.delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
        with reader:
            for batch in reader:
                for start in range(0, batch.num_rows, size):
                    yield pa.Table.from_batches([batch.slice(start, size)])

    def _slowly(self, size: int, skipped: int) -> Iterator[pa.Table]:
        names = self.format.columns
        with read_rows(self.path, self.format) as reader:
            rows = islice(reader, skipped, None)
            while taken := list(islice(rows, size)):
                yield pa.table(
                    {name: pa.array([cell_text(row.cells.get(name)) for row in taken], pa.string()) for name in names}
                )


def _as_text(table: pa.Table) -> pa.Table:
    return pa.table({name: pc.fill_null(_column_as_text(table.column(name)), "") for name in table.column_names})


def _column_as_text(column: Any) -> Any:  # noqa: ANN401  (Arrow has no types)
    if pa.types.is_string(column.type):
        return column
    if pa.types.is_large_string(column.type) or pa.types.is_integer(column.type) or pa.types.is_dictionary(column.type):
        return column.cast(pa.string())
    return pa.array([cell_text(value) for value in column.to_pylist()], pa.string())
