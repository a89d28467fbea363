"""Which columns of two files tell persons apart, and how each is compared: by the headers, then by the cells.

The same names as `huodang check` knows, and any other column that both files share: English person files are linked
without a mapping. What only counts rows, or tells of payments and deaths and not of the person, is never compared.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

import yaml

from huodang.supervision.linkage.errors import NothingSharedError

_ASIDE: Final = re.compile(r"[\s_\-·.:：]+|[(（\[【].*?[)）\]】]")
_UNNAMED: Final = re.compile(r"unnamed:?[0-9]+|index(level)?[0-9]*|第[0-9]+列|")
_HAN: Final = re.compile(r"[\u3400-\u9fff〇\U00020000-\U0003ffff]")
_DATE: Final = re.compile(r"(18|19|20)[0-9]{2}[-/.年]?(0?[1-9]|1[0-2])[-/.月]?(0?[1-9]|[12][0-9]|3[01])日?([ T].*)?")
_CODE: Final = re.compile(r"[0-9A-Za-z]*[0-9][0-9A-Za-z\- ]*")
_LONG_CODE: Final = 6


class Role(StrEnum):
    """What a column is, and so how two of its values are compared."""

    IDENTITY = "identity_number"
    NAME = "name"  # of a Chinese person, in one cell
    SEX = "sex"
    BIRTH = "birth_date"
    REGION = "region"
    ADDRESS = "address"
    PHONE = "phone"
    TEXT = "text"
    CODE = "code"  # long numbers that tell one person from another
    SHORT = "short"  # short numbers and codes that many share
    DATE = "date"


@dataclass(frozen=True)
class Column:
    """One thing that is compared.

    Attributes:
        name: in tables and models; a canonical name, or `c_` and the header in letters.
        role: how it is compared.
        left: header in the left file; None where it has none (an identity number still tells birth date and sex).
        right: the same of the right file.
    """

    name: str
    role: Role
    left: str | None
    right: str | None


@dataclass(frozen=True)
class Sample:
    """The headers of a file, and the first cells under each."""

    headers: tuple[str, ...]
    cells: Mapping[str, Sequence[str]]


def plan_columns(left: Sample, right: Sample) -> tuple[Column, ...]:
    """Decide what two files are compared by.

    Args:
        left: of the left file.
        right: of the right file.

    Raises:
        NothingSharedError: they share too little to tell persons apart.
    """
    known_left, known_right = _known(left), _known(right)
    columns = []
    for role in (Role.IDENTITY, Role.NAME, Role.SEX, Role.BIRTH, Role.REGION, Role.ADDRESS, Role.PHONE):
        one, other = known_left.get(role.value), known_right.get(role.value)
        carried = role in {Role.IDENTITY, Role.BIRTH, Role.SEX, Role.REGION} and (one or other)
        if (one and other) or carried:
            columns.append(Column(role.value, _role(role, one, other, left, right), one, other))
    taken = {header for column in columns for header in (column.left, column.right)}
    columns += _shared(left, right, taken)
    has_identity = {Role.IDENTITY.value} & known_left.keys() & known_right.keys()
    telling = [one for one in columns if one.left and one.right and one.role not in {Role.SEX, Role.REGION, Role.SHORT}]
    if not telling and not has_identity:
        raise NothingSharedError(
            "两个文件没有可用来辨认同一人的共同列",
            "the files share no column that tells persons apart",
            advice_chinese=f"左：{_listed(left.headers)}；右：{_listed(right.headers)}。"
            "请改列名，如 身份证号、姓名、出生日期。",
            advice_english="Rename columns so that both have an identity number, or name and birth date.",
        )
    return tuple(columns)


def header_key(header: str) -> str:
    """Write a header so that two ways to write it agree."""
    return _ASIDE.sub("", unicodedata.normalize("NFKC", header).lower())


@cache
def _headers() -> dict[str, tuple[str, int]]:
    text = resources.files("huodang.supervision.linkage").joinpath("data/headers.yaml").read_text(encoding="utf-8")
    return {
        header_key(name): (canonical, rank)
        for canonical, names in yaml.safe_load(text).items()
        for rank, name in enumerate(names)
    }


def _known(sample: Sample) -> dict[str, str]:
    """Give the header of each canonical name; where two would do, the one that stands first in the list."""
    best: dict[str, tuple[int, str]] = {}
    for header in sample.headers:
        canonical, rank = _headers().get(header_key(header), ("", 0))
        if canonical and canonical != "never" and (canonical not in best or rank < best[canonical][0]):
            best[canonical] = (rank, header)
    return {canonical: header for canonical, (_, header) in best.items()}


def _role(role: Role, one: str | None, other: str | None, left: Sample, right: Sample) -> Role:
    """Take a name or an address that isn't Chinese for plain text, and a region that isn't a code as it stands."""
    if role is not Role.NAME:
        return role
    cells = [cell for header, side in ((one, left), (other, right)) if header for cell in side.cells[header] if cell]
    return role if not cells or 2 * sum(bool(_HAN.search(cell)) for cell in cells) >= len(cells) else Role.TEXT


def _shared(left: Sample, right: Sample, taken: set[str | None]) -> list[Column]:
    of_right = {header_key(header): header for header in right.headers if header not in taken}
    columns: list[Column] = []
    for header in left.headers:
        key = header_key(header)
        if header in taken or key not in of_right or _UNNAMED.fullmatch(key) or key in _headers():
            continue
        role = _role_of_cells([*left.cells[header], *right.cells[of_right[key]]])
        if role is not None:
            columns.append(Column(f"c_{len(columns)}_{re.sub('[^a-z0-9]', '', key)}", role, header, of_right[key]))
    return columns


def _role_of_cells(cells: Sequence[str]) -> Role | None:
    """Tell how the cells of a column are compared; None where they can't tell one record from another."""
    filled = [cell.strip() for cell in cells if cell and cell.strip()]
    if len(set(filled)) < 2:
        return None
    most = 0.8 * len(filled)
    if sum(bool(_DATE.fullmatch(cell)) for cell in filled) >= most:
        return Role.DATE
    if sum(bool(_CODE.fullmatch(cell)) for cell in filled) >= most:
        long = sum(len(cell) >= _LONG_CODE for cell in filled) >= most
        return Role.CODE if long else Role.SHORT
    short = max(map(len, filled)) <= 4
    return Role.SHORT if short and not any(_HAN.search(cell) for cell in filled) else Role.TEXT


def _listed(headers: Sequence[str]) -> str:
    return "、".join(header[:20] for header in headers[:12])
