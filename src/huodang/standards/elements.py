"""Data elements: what a field is called, how it is written, how sensitive it is."""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from huodang.standards.data_files import read_rows
from huodang.standards.errors import BadValue, Place


class UnknownElement(BadValue):
    """No data element has this identifier."""

    code: ClassVar[str] = "element.unknown"


@dataclass(frozen=True)
class DataElement:
    """One row of `elements.csv`.

    Attributes:
        identifier: The name that crosses between departments.
        code: The social-insurance element code, such as `AAC003`; empty where the facts name none.
        chinese: The Chinese name.
        english: The English name.
        type: `text`, `code`, `date` (`YYYY-MM-DD`), `month` (`YYYYMM`), `integer`, `decimal`, `money` (fen) or `flag`.
        length: The most characters that a value may have.
        code_table: The table that `code` values come from; empty for the other types.
        source: Where meaning and code come from.
        level: Sensitivity, 1 (public) to 4 (identifies or exposes a person).
        mask: The name of the masking rule that `trust` applies.
    """

    identifier: str
    code: str
    chinese: str
    english: str
    type: str
    length: int
    code_table: str
    source: str
    level: int
    mask: str


def element(identifier: str) -> DataElement:
    """Give a data element by its identifier.

    Raises:
        UnknownElement: no element has this identifier.
    """
    try:
        return elements()[identifier]
    except KeyError:
        raise UnknownElement(
            f"没有名为 {identifier} 的数据元",
            f"there is no data element {identifier}",
            advice_chinese="请从数据元表中选用标识。",
            advice_english="Take an identifier from the table of data elements.",
            place=Place(element=identifier),
        ) from None


@cache
def elements() -> dict[str, DataElement]:
    """Give all data elements by identifier, in the order of the file."""
    return {
        row["identifier"]: DataElement(
            identifier=row["identifier"],
            code=row["code"],
            chinese=row["chinese"],
            english=row["english"],
            type=row["type"],
            length=int(row["length"]),
            code_table=row["code_table"],
            source=row["source"],
            level=int(row["level"]),
            mask=row["mask"],
        )
        for row in read_rows("elements.csv")
    }
