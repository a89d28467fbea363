"""Regions by their six-digit codes (GB/T 2260), abolished ones with what followed them.

A person's number keeps the code of the county where it was first made. In Hebei most of those counties stood under
prefectures (地区) whose codes were abolished in the 1990s, so an old code is the ordinary case, not an error.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from typing import ClassVar

from huodang.standards.data_files import read_rows
from huodang.standards.errors import BadValue
from huodang.standards.identity import IdentityKind, IdentityNumber


class UnknownRegion(BadValue):
    """No region has, or had, this code in the table."""

    code: ClassVar[str] = "region.unknown"


@dataclass(frozen=True)
class Region:
    """One meaning of one code. A code that was given to another county later has a second `Region`.

    Attributes:
        code: Six digits.
        name: As it was called while the code held.
        valid_from: The first year; 1980 stands for 1980 or before, where the table begins.
        valid_to: The year of the change that ended it, counted from 1 January; None while it holds.
        successor: The code of the region that took its place, if there is a main one; may be its own after a renaming.
        shared_with: Codes of further regions that took parts of it.
        status: `official` (in the collected facts), `unverified` (see docs/standards.md) or `unlisted` (a code that the
            table can't judge, under the name of its province).
    """

    code: str
    name: str
    valid_from: int
    valid_to: int | None
    successor: str | None
    shared_with: tuple[str, ...]
    status: str

    @property
    def level(self) -> str:
        """Tell `province`, `prefecture` or `county`."""
        if self.code.endswith("0000"):
            return "province"
        return "prefecture" if self.code.endswith("00") else "county"

    def holds_in(self, year: int) -> bool:
        """Tell whether the code had this meaning in that year."""
        return self.valid_from <= year and (self.valid_to is None or year < self.valid_to)


def region(code: str, on: date | None = None) -> Region:
    """Give what a code meant on a day, or what it meant last.

    Raises:
        UnknownRegion: the table doesn't have the code, or not for that day.
    """
    meanings = region_history(code)
    if on is None:
        return meanings[-1]
    for meaning in meanings:
        if meaning.holds_in(on.year):
            return meaning
    raise _unknown(code)


def region_history(code: str) -> tuple[Region, ...]:
    """Give all meanings that a code has had, oldest first.

    The table holds the counties of Hebei only. A code that lies in another province can't be judged and isn't
    refused: it is given back with the name of its province and the status `unlisted`.

    Raises:
        UnknownRegion: the table doesn't have the code, and could judge it.
    """
    if code in _regions():
        return _regions()[code]
    province = _regions().get(f"{code[:2]}0000")
    if province is None or not _is_code(code) or code[:2] in _provinces_with_counties():
        raise _unknown(code)
    return (Region(code, province[-1].name, province[-1].valid_from, None, None, (), "unlisted"),)


def current_region(code: str, on: date, written: date | None = None) -> Region:
    """Follow an abolished code to the region that stands in its place on a day.

    Where a county was divided with no main successor, or an abolished code had two unrelated meanings, the answer is
    the smallest region that is certain: the prefecture or the province around all that may be meant.

    Args:
        code: Six digits.
        on: The day for which the region is wanted.
        written: When the code was written, if that is known: 130123 was 栾城县 in 1990 and is 正定县 today. Without it
            a code that holds on the day means what it means on that day.

    Raises:
        UnknownRegion: the table doesn't have the code, or nothing of it stood on that day.
    """
    meanings = region_history(code)
    if written is not None:
        meanings = (region(code, written),)
    else:
        meanings = tuple(meaning for meaning in meanings if meaning.holds_in(on.year)) or meanings
    ends = set[str]()
    for meaning in meanings:
        ends |= _follow(meaning, on.year)
    if not ends:
        raise _unknown(code)
    if len(ends) == 1:
        return region(ends.pop(), on)
    for digits in (4, 2):
        around = {end[:digits].ljust(6, "0") for end in ends}
        if len(around) == 1:
            return region(around.pop(), on)
    raise _unknown(code)


def is_region_known(number: IdentityNumber) -> bool:
    """Tell whether the region code of a number stands in the table, now or formerly.

    False is worth a look, never a refusal. Foreigners' cards carry no region and count as known, and so do residence
    permits and what the table can't judge (see `region_history`).
    """
    if number.kind is not IdentityKind.CITIZEN:
        return True
    try:
        region_history(number.region_code)
    except UnknownRegion:
        return False
    return True


def _follow(meaning: Region, year: int, seen: frozenset[tuple[str, int]] = frozenset()) -> set[str]:
    if meaning.holds_in(year):
        return {meaning.code}
    key = (meaning.code, meaning.valid_from)
    if meaning.valid_to is None or year < meaning.valid_from or key in seen:
        return set()
    targets = [meaning.successor] if meaning.successor else list(meaning.shared_with)
    ends = set[str]()
    for target in targets:
        for following in region_history(target):
            if following.holds_in(meaning.valid_to):
                ends |= _follow(following, year, seen | {key})
    return ends


def _is_code(text: str) -> bool:
    return len(text) == 6 and text.isascii() and text.isdigit()


def _unknown(code: str) -> UnknownRegion:
    # Only what looks like a code is printed: something else may be somebody's data in the wrong column.
    shown = f" {code}" if _is_code(code) else ""
    return UnknownRegion(
        f"行政区划代码{shown} 不在代码表中",
        f"the region code{shown} isn't in the table",
        advice_chinese="请核对六位代码；已撤销的旧代码请按其当年的写法填写。",
        advice_english="Check the six digits; write an abolished code as it was.",
    )


def region_names() -> dict[str, str]:
    """Give the last name of every code in the table."""
    return {code: meanings[-1].name for code, meanings in _regions().items()}


@cache
def _regions() -> dict[str, tuple[Region, ...]]:
    rows = [
        Region(
            code=row["code"],
            name=row["name"],
            valid_from=int(row["from_year"]),
            valid_to=int(row["to_year"]) if row["to_year"] else None,
            successor=row["successor"] or None,
            shared_with=tuple(row["shared_with"].split(";")) if row["shared_with"] else (),
            status=row["status"],
        )
        for row in read_rows("regions.csv")
    ]
    rows.sort(key=lambda found: (found.code, found.valid_from))
    return {code: tuple(group) for code, group in groupby(rows, key=lambda found: found.code)}


@cache
def _provinces_with_counties() -> frozenset[str]:
    return frozenset(code[:2] for code in _regions() if not code.endswith("0000"))
