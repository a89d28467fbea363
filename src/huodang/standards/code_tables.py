"""Code tables: which codes a data element may hold, and what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import ClassVar

from huodang.standards.data_files import read_rows
from huodang.standards.errors import BadValue
from huodang.standards.regions import region_names


class UnknownCodeTable(BadValue):
    """No code table has this name."""

    code: ClassVar[str] = "code_table.unknown"


class UnknownCode(BadValue):
    """A value isn't in the code table of its element."""

    code: ClassVar[str] = "code_table.code"


@dataclass(frozen=True)
class CodeTable:
    """A named set of codes with their meanings.

    Attributes:
        name: What the product calls it.
        chinese: Its title.
        source: The standard, or where the codes were seen.
        status: `official` (a national standard), `observed` (in public code of social-insurance systems), `platform`
            (the product's own, where no standard is known) or `unverified`.
        codes: Meaning by code, in the order of the table.
    """

    name: str
    chinese: str
    source: str
    status: str
    codes: Mapping[str, str]

    def meaning(self, code: str) -> str:
        """Give the Chinese meaning of a code.

        Raises:
            UnknownCode: the table has no such code.
        """
        return self.codes[self.require(code)]

    def require(self, code: str) -> str:
        """Hand back the code if the table has it.

        Raises:
            UnknownCode: the table has no such code.
        """
        if code not in self.codes:
            # The value isn't printed: what stands in a code column by mistake may be anything.
            raise UnknownCode(
                f"代码不在“{self.chinese}”代码表中",
                f"the code isn't in the table {self.name}",
                advice_chinese=f"可用代码：{'、'.join(list(self.codes)[:12])}{'…' if len(self.codes) > 12 else ''}。",
                advice_english=f"Codes: {', '.join(list(self.codes)[:12])}{'…' if len(self.codes) > 12 else ''}.",
            )
        return code

    def __contains__(self, code: object) -> bool:
        return code in self.codes


def code_table(name: str) -> CodeTable:
    """Give a code table by name, such as `sex`, `nationality`, `scheme` or `benefit_status`.

    Raises:
        UnknownCodeTable: no table has this name.
    """
    try:
        return code_tables()[name]
    except KeyError:
        raise UnknownCodeTable(
            f"没有名为 {name} 的代码表",
            f"there is no code table {name}",
            advice_chinese=f"可用的代码表：{'、'.join(code_tables())}。",
            advice_english=f"Tables: {', '.join(code_tables())}.",
        ) from None


@cache
def code_tables() -> dict[str, CodeTable]:
    """Give all code tables by name."""
    codes: dict[str, dict[str, str]] = {}
    for row in read_rows("codes.csv"):
        codes.setdefault(row["table"], {})[row["code"]] = row["meaning"]
    # Abolished codes count: they stand in papers and in identity numbers, and `current_region` follows them.
    codes["region"] = region_names()
    return {
        row["table"]: CodeTable(
            name=row["table"],
            chinese=row["chinese"],
            source=row["source"],
            status=row["status"],
            codes=MappingProxyType(codes[row["table"]]),
        )
        for row in read_rows("code_tables.csv")
    }
