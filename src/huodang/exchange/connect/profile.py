"""What the values of a column look like, counted over a sample. Pure; no value leaves but short codes that recur."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from huodang.exchange.connect.facts import ColumnFacts, TableFacts
from huodang.exchange.connect.naming import surnames
from huodang.exchange.gateway.conversion import plain
from huodang.exchange.gateway.formats import FormatFault, MomentFormat
from huodang.standards import BadValue, IdentityNumber, region

SENTINELS: Final = frozenset(
    {"00000000", "99991231", "9999-12-31", "0000-00-00", "9999/12/31", "99999999", "0", "-", "--", "/", "无", "NULL"}
    | {"0000-00-00 00:00:00", "9999-12-31 00:00:00", "9999-12-31 23:59:59", "999912", "000000", "null", "None", "N/A"}
)
"""What sources write for "none" where a date is expected."""

_FORMATS: Final = (
    ("yyyymmdd", 8), ("yyyy-mm-dd", 10), ("yyyy/mm/dd", 10), ("yyyy.mm.dd", 10), ("yyyy年mm月dd日", 11),
    ("yyyymmddhhmmss", 14), ("yyyy-mm-dd hh:mm:ss", 19), ("yyyy-mm-ddThh:mm:ss", 19), ("yyyy/mm/dd hh:mm:ss", 19),
    ("yyyymm", 6), ("yyyy-mm", 7), ("yyyy/mm", 7), ("yyyy年mm月", 8),
)  # fmt: skip
_COMPILED: Final = {
    length: [MomentFormat.compile(one) for one, size in _FORMATS if size == length]
    for length in {s for _, s in _FORMATS}
}
NATIVE: Final = "native"
SERIAL: Final = "serial"
_YEARS: Final = range(1900, 2101)
_SCIENTIFIC: Final = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{2}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,10})?")
_PHONE: Final = re.compile(r"1[3-9][0-9]{9}")
_LIKE_IDENTITY: Final = re.compile(r"[0-9]{17}[0-9Xx]|[0-9]{15}")
_HAN_NAME: Final = re.compile(
    r"[\u4e00-\u9fff\U00020000-\U0003ffff]{2,4}|[\u4e00-\u9fff]{2,12}[·•．.][\u4e00-\u9fff·•．.]{2,20}"
)
_ADDRESS: Final = re.compile(r"[省市区县镇乡村路街巷号弄].{0,40}[路街巷号弄村组室栋楼镇乡]")
_ORGANISATION: Final = re.compile(
    r"(公司|集团|厂|局|院|所|中心|学校|大学|中学|小学|银行|合作社|委员会|处|站|部|队|店|社)$"
)
_CARD: Final = re.compile(r"[0-9]{12,21}")
_CODE: Final = re.compile(r"[0-9A-Za-z_.,-]{1,4}|[\u4e00-\u9fff]{1,2}|[男女未知说明性其他]{2,6}")
MOST_CODES: Final = 80
_RECURS: Final = 3
_LONGEST_CODE: Final = 30


@dataclass(frozen=True)
class ColumnProfile:
    """Counts over the filled cells of one column in the sample; a share is of `filled`.

    Attributes:
        formats: by date format how many cells are written so; `native` for the database's own date types.
        codes: the different values with their counts, if there are few of them; values of a row, so not to be shown.
        births: of the cells in rows with a valid identity number, the share equal to the birth date in it.
        compared: how many rows that was.
        sexes: by value, the sex that the identity numbers of its rows tell, where nearly all agree.
        regions: share of rows in which the value is the region in the identity number.
        broken: cells whose encoding is broken.
    """

    rows: int = 0
    filled: int = 0
    distinct: int = 0
    longest: int = 0
    identity: float = 0.0
    identity_like: float = 0.0
    scientific: int = 0
    formats: Mapping[str, int] = field(default_factory=dict)
    sentinels: tuple[str, ...] = ()
    numbers: float = 0.0
    whole: float = 0.0
    largest: Decimal = Decimal(0)
    names: float = 0.0
    phones: float = 0.0
    region_codes: float = 0.0
    addresses: float = 0.0
    organisations: float = 0.0
    cards: float = 0.0
    codes: Mapping[str, int] = field(default_factory=dict, repr=False)
    births: float = 0.0
    compared: int = 0
    sexes: Mapping[str, str] = field(default_factory=dict, repr=False)
    regions: float = 0.0
    broken: int = 0
    newest: str = ""

    @property
    def coverage(self) -> float:
        """The share of rows in which something stands."""
        return self.filled / self.rows if self.rows else 0.0

    @property
    def dates(self) -> float:
        """The share of cells that are days or instants."""
        return self._share(lambda one: one == NATIVE or "dd" in one)

    @property
    def months(self) -> float:
        """The share of cells that are months."""
        return self._share(lambda one: one not in (NATIVE, SERIAL) and "dd" not in one)

    @property
    def shown_codes(self) -> dict[str, int]:
        """The codes that may be shown: short, and so frequent that they are nobody's in particular."""
        return {code: count for code, count in self.codes.items() if count >= _RECURS and _CODE.fullmatch(code)}

    def _share(self, wanted: "object") -> float:
        counted = sum(count for one, count in self.formats.items() if callable(wanted) and wanted(one))
        return counted / self.filled if self.filled else 0.0


def profile_table(table: TableFacts) -> dict[str, ColumnProfile]:
    """Count over the sample of a table, column by column."""
    texts = {one.name: [_text(row.get(one.name)) for row in table.sample] for one in table.columns if one.sampled}
    identities = _identities(texts)
    return {
        one.name: _profile(one, texts[one.name], [row.get(one.name) for row in table.sample], identities)
        if one.sampled
        else ColumnProfile(rows=len(table.sample))
        for one in table.columns
    }


def _identities(texts: Mapping[str, Sequence[str | None]]) -> list[IdentityNumber | None]:
    """Read the identity numbers of the rows, from the column that holds most of them."""
    best: list[IdentityNumber | None] = []
    most = 0
    for cells in texts.values():
        if sum(1 for cell in cells[:50] if cell and _LIKE_IDENTITY.fullmatch(cell)) * 2 < sum(
            1 for c in cells[:50] if c
        ):
            continue
        read = [_identity(cell) for cell in cells]
        if (found := sum(one is not None for one in read)) > most:
            best, most = read, found
    return best


def _profile(
    column: ColumnFacts,
    texts: Sequence[str | None],
    raw: Sequence[object],
    identities: Sequence[IdentityNumber | None],
) -> ColumnProfile:
    values = [one for one in texts if one is not None]
    counted = Counter(values)
    filled = len(values)
    if not filled:
        return ColumnProfile(rows=len(texts))

    def share(test: re.Pattern[str]) -> float:
        return sum(count for value, count in counted.items() if test.fullmatch(value)) / filled

    formats, newest = _formats(raw, texts)
    numbers = {value: Decimal(value) for value in counted if _NUMBER.fullmatch(value)}
    births, compared, sexes, regions = _against_identities(texts, identities)
    few = len(counted) <= MOST_CODES and max(map(len, counted)) <= _LONGEST_CODE
    return ColumnProfile(
        rows=len(texts),
        filled=filled,
        distinct=len(counted),
        longest=max(map(len, counted)),
        identity=sum(count for value, count in counted.items() if _identity(value) is not None) / filled,
        identity_like=share(_LIKE_IDENTITY),
        scientific=sum(count for value, count in counted.items() if _SCIENTIFIC.fullmatch(value))
        + sum(1 for one in raw if isinstance(one, float) and abs(one) >= 10.0**14),
        formats=formats,
        sentinels=tuple(sorted(SENTINELS & counted.keys())),
        numbers=sum(counted[value] for value in numbers) / filled,
        whole=sum(counted[value] for value, number in numbers.items() if number == number.to_integral_value()) / filled,
        largest=max(map(abs, numbers.values()), default=Decimal(0)),
        names=sum(count for value, count in counted.items() if _is_name(value)) / filled,
        phones=share(_PHONE),
        region_codes=sum(count for value, count in counted.items() if _is_region(value)) / filled,
        addresses=sum(count for value, count in counted.items() if _ADDRESS.search(value)) / filled,
        organisations=sum(count for value, count in counted.items() if _is_organisation(value)) / filled,
        cards=share(_CARD),
        codes=dict(counted.most_common()) if few else {},
        births=births,
        compared=compared,
        sexes=sexes,
        regions=regions,
        broken=sum(count for value, count in counted.items() if "\ufffd" in value),
        newest=newest if column.sampled else "",
    )


def _formats(raw: Sequence[object], texts: Sequence[str | None]) -> tuple[dict[str, int], str]:
    counts: Counter[str] = Counter()
    days: list[date] = []
    for cell, text in zip(raw, texts, strict=True):
        if isinstance(cell, date):  # a datetime is one, too
            counts[NATIVE] += 1
            days.append(cell.date() if isinstance(cell, datetime) else cell)
            continue
        if text is None or text in SENTINELS:
            continue
        found = format_of(text)
        if found is not None:
            counts[found[0]] += 1
            days.append(found[1])
        elif len(text) == 5 and text.isdigit() and "10000" <= text <= "60000":
            counts[SERIAL] += 1
    return dict(counts.most_common()), max(days).isoformat() if days else ""


def format_of(text: str) -> tuple[str, date] | None:
    """Say in which format a text is a day, an instant or a month, and which day; None if in none."""
    for pattern in _COMPILED.get(len(text), ()):
        try:
            moment = pattern.instant(text)
        except (FormatFault, OverflowError):
            continue
        day = moment.date()
        if day.year in _YEARS or (day.year == _YEARS.start - 1 and day.month == 12):
            return pattern.pattern, pattern.date(text) if "day" in pattern.parts else day
    return None


def _against_identities(
    texts: Sequence[str | None], identities: Sequence[IdentityNumber | None]
) -> tuple[float, int, dict[str, str], float]:
    """Hold a column against the identity numbers of the same rows: birth date, sex and region stand in them."""
    births = regions = compared = 0
    sexes: dict[str, Counter[str]] = {}
    for text, identity in zip(texts, identities, strict=False):
        if text is None or identity is None:
            continue
        compared += 1
        found = format_of(text)
        births += found is not None and found[1] == identity.birth_date and "dd" in found[0]
        regions += text == identity.region_code
        if len(text) <= 8:
            sexes.setdefault(text, Counter())[identity.sex] += 1
    if not compared:
        return 0.0, 0, {}, 0.0
    told: dict[str, str] = {}
    if len(sexes) <= 6:
        for value, counts in sexes.items():
            sex, most = counts.most_common(1)[0]
            if sex in "12" and most >= max(_RECURS, 0.1 * compared) and most >= 0.95 * counts.total():
                told[value] = sex
    return births / compared, compared, told if len(set(told.values())) == 2 else {}, regions / compared


def _text(raw: object) -> str | None:
    try:
        return plain(raw)
    except (BadValue, ValueError):
        return "\ufffd"


def _identity(text: str | None) -> IdentityNumber | None:
    if text is None or not _LIKE_IDENTITY.fullmatch(text):
        return None
    try:
        return IdentityNumber.parse(text)
    except BadValue:
        return None


def _is_name(text: str) -> bool:
    return bool(_HAN_NAME.fullmatch(text)) and (text[0] in surnames() or "·" in text) and not _is_organisation(text)


def _is_organisation(text: str) -> bool:
    return len(text) >= 4 and bool(_ORGANISATION.search(text))


def _is_region(text: str) -> bool:
    if len(text) != 6 or not text.isdigit():
        return False
    try:
        region(text)
    except BadValue:
        return False
    return True
