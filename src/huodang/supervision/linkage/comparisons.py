"""How two values are compared: levels of agreement, each an SQL condition with what it is called and a first guess.

The conditions are Splink's: columns end in `_l` and `_r`. `likely` is the share of true pairs that fall on a level
before anything is learned; a level returns to it where the data say nothing about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from huodang.supervision.linkage.columns import Column, Role


@dataclass(frozen=True)
class Level:
    """One degree of agreement.

    Attributes:
        condition: SQL over `<column>_l` and `<column>_r`; `ELSE` for what is left.
        chinese: what it is called.
        english: the same in English.
        likely: first guess of the share of true pairs on it.
        chance: first guess of the share of any two records on it.
        frequent: column whose frequent values count for less (term frequency); empty for none.
        same: column that is the same on this level and those before; how often that happens by chance is counted from
            its values; empty where it takes a sample of pairs.
    """

    condition: str
    chinese: str
    english: str
    likely: float
    chance: float
    frequent: str = ""
    same: str = ""


@dataclass(frozen=True)
class Comparison:
    """One thing compared, from its best level to `ELSE`. Where `missing` holds, it says nothing.

    Attributes:
        told: columns that must be true on both sides for the comparison to teach from records linked by number.
    """

    name: str
    chinese: str
    english: str
    missing: str
    levels: tuple[Level, ...]
    columns: tuple[str, ...]
    told: str = ""

    def case(self) -> str:
        """Give the SQL that numbers the level: 0 for `ELSE` and upward, -1 for what is missing."""
        last = len(self.levels) - 1
        whens = " ".join(f"WHEN {one.condition} THEN {last - at}" for at, one in enumerate(self.levels[:-1]))
        return f"CASE WHEN {self.missing} THEN -1 {whens} ELSE 0 END"

    def splink(self, likely: Sequence[float], chance: Sequence[float]) -> dict[str, Any]:
        """Describe it to Splink with the shares learned for its levels."""
        levels: list[dict[str, Any]] = [
            {"sql_condition": self.missing, "label_for_charts": "missing", "is_null_level": True}
        ]
        for level, m, u in zip(self.levels, likely, chance, strict=True):
            described: dict[str, Any] = {
                "sql_condition": level.condition,
                "label_for_charts": level.english,
                "m_probability": m,
                "u_probability": u,
            }
            if level.frequent:
                described |= {"tf_adjustment_column": level.frequent, "disable_tf_exact_match_detection": True}
            levels.append(described)
        return {"output_column_name": self.name, "comparison_levels": levels}


_ELSE: Final = ("ELSE", "不符", "differs")


def comparisons_of(columns: Sequence[Column]) -> tuple[Comparison, ...]:
    """Give what is compared, by what the files hold."""
    roles = {column.name: column.role for column in columns}
    found: list[Comparison] = []
    for column in columns:
        both = bool(column.left and column.right)
        match column.role:
            case Role.IDENTITY if both:
                found.append(_SEQUENCE)
            case Role.NAME:
                found.append(_NAME)
            case Role.ADDRESS | Role.TEXT:
                found.append(_text(column, roles))
            case Role.CODE | Role.PHONE:
                found.append(_code(column))
            case Role.SHORT:
                found.append(_short(column))
            case Role.DATE:
                found.append(_date(column.name, *_called(column)))
    numbers = Role.IDENTITY.value in roles
    if Role.BIRTH.value in roles or numbers:
        found.append(_BIRTH if numbers else _date("birth", "出生日期", "birth date"))
    if Role.SEX.value in roles or numbers:
        found.append(_SEX)
    if Role.REGION.value in roles or numbers:
        found.append(_REGION if numbers else _region(("region",)))
    return tuple(found)


def _called(column: Column) -> tuple[str, str]:
    known = {"address": ("地址", "address"), "phone": ("电话", "phone"), "name": ("姓名", "name")}
    return known.get(column.name, (column.left or "", column.left or ""))


_NAME: Final = Comparison(
    "name",
    "姓名",
    "name",
    "name_l IS NULL OR name_r IS NULL",
    (
        Level("name_l = name_r", "相同", "same", 0.85, 2e-4, "name", "name"),
        Level("sound_l = sound_r", "同音异字", "homophone", 0.05, 3e-4, "sound", "sound"),
        Level(
            "one_character_apart(name_l, name_r)",
            "一字之差",
            "one character differs",
            0.06,
            6e-4,
        ),
        Level("levenshtein(sound_l, sound_r) <= 1", "近音", "nearly the same sound", 0.01, 6e-4),
        Level(
            "substr(name_l, 1, 1) = substr(name_r, 1, 1) OR split_part(sound_l, ' ', 1) = split_part(sound_r, ' ', 1)",
            "仅姓相同",
            "surname only",
            0.025,
            0.05,
        ),
        Level("substr(name_l, 2) = substr(name_r, 2)", "仅名相同", "given name only", 0.004, 2e-3),
        Level(*_ELSE, 0.003, 0.95),
    ),
    ("name", "sound"),
)
_SEQUENCE: Final = Comparison(
    "sequence",
    "身份证顺序码",
    "order digits of the number",
    "sequence_l IS NULL OR sequence_r IS NULL",
    (
        Level("sequence_l = sequence_r", "相同", "same", 0.6, 1e-3, "sequence", "sequence"),
        Level("checked_l AND checked_r", "两个有效号码不同", "two valid numbers differ", 0.02, 0.6),
        Level("damerau_levenshtein(sequence_l, sequence_r) <= 1", "一位之差", "one digit differs", 0.3, 0.028),
        Level(*_ELSE, 0.08, 0.37),
    ),
    ("sequence", "checked"),
)
_SEX: Final = Comparison(
    "sex",
    "性别",
    "sex",
    "sex_l IS NULL OR sex_r IS NULL",
    (Level("sex_l = sex_r", "相同", "same", 0.99, 0.5), Level(*_ELSE, 0.01, 0.5)),
    ("sex",),
    told="told_sex",
)


def _birth_levels(name: str, same: str, near: str, parts: str, year: str) -> tuple[Level, ...]:
    return (
        Level(same, "相同", "same", 0.9, 7e-5, same=name),
        Level(near, "一位之差或月日颠倒", "one digit differs, or month and day changed places", 0.05, 9e-4),
        Level(parts, "年月日中两项相同", "two of year, month and day agree", 0.03, 4e-3),
        Level(year, "年份相同", "same year", 0.01, 0.025),
        Level(*_ELSE, 0.01, 0.97),
    )


def _date_conditions(one: str, other: str) -> tuple[str, str, str, str]:
    def part(side: str, start: int, end: int) -> str:
        return f"substr({side}, {start}, {end - start + 1})"

    year = f"{part(one, 1, 4)} = {part(other, 1, 4)}"
    month = f"{part(one, 5, 6)} = {part(other, 5, 6)}"
    day = f"{part(one, 7, 8)} = {part(other, 7, 8)}"
    swapped = f"{year} AND {part(one, 5, 6)} = {part(other, 7, 8)} AND {part(one, 7, 8)} = {part(other, 5, 6)}"
    return (
        f"{one} = {other}",
        f"damerau_levenshtein({one}, {other}) <= 1 OR ({swapped})",
        f"({year} AND ({month} OR {day})) OR ({month} AND {day})",
        year,
    )


def _date(name: str, chinese: str, english: str) -> Comparison:
    conditions = _date_conditions(f"{name}_l", f"{name}_r")
    return Comparison(
        name, chinese, english, f"{name}_l IS NULL OR {name}_r IS NULL", _birth_levels(name, *conditions), (name,)
    )


_READINGS: Final = [("birth_l", "birth_r"), ("birth_l", "birth_number_r"), ("birth_number_l", "birth_r")]
_BIRTH: Final = Comparison(
    "birth",
    "出生日期",
    "birth date",
    "birth_l IS NULL OR birth_r IS NULL",
    _birth_levels(
        "birth",
        *(
            " OR ".join(f"coalesce({condition}, false)" for condition in of_readings)
            for of_readings in zip(*(_date_conditions(*reading) for reading in _READINGS), strict=True)
        ),
    ),
    ("birth", "birth_number"),
    told="told_birth",
)


def _region(names: tuple[str, ...]) -> Comparison:
    pairs = [(f"{one}_l", f"{other}_r") for one in names for other in names]

    def some(condition: str) -> str:
        return " OR ".join(f"coalesce({condition.format(one=one, other=other)}, false)" for one, other in pairs)

    return Comparison(
        "region",
        "行政区划",
        "region",
        "region_l IS NULL OR region_r IS NULL",
        (
            Level(some("{one} = {other}"), "相同", "same", 0.9, 0.01, "region", "region"),
            Level(some("substr({one}, 1, 4) = substr({other}, 1, 4)"), "同市", "same prefecture", 0.05, 0.09),
            Level(some("substr({one}, 1, 2) = substr({other}, 1, 2)"), "同省", "same province", 0.03, 0.7),
            Level(*_ELSE, 0.02, 0.2),
        ),
        names,
        told="told_region",
    )


_REGION: Final = _region(("region", "region_number"))


def _text(column: Column, roles: dict[str, Role]) -> Comparison:
    name = column.name
    one, other = f"{name}_l", f"{name}_r"
    levels = [Level(f"{one} = {other}", "相同", "same", 0.85, 0.005, name, name)]
    fellows = [fellow for fellow in roles if fellow != name and {_last_word(name), _last_word(fellow)} in _EXCHANGED]
    levels += [
        Level(f"{one} = {fellow}_r AND {fellow}_l = {other}", "与另一列互换", "exchanged", 0.01, 1e-5)
        for fellow in fellows
    ]
    levels += [
        Level(f"jaro_winkler_similarity({one}, {other}) >= 0.92", "很相近", "very like", 0.06, 0.003),
        Level(f"jaro_winkler_similarity({one}, {other}) >= 0.8", "相近", "like", 0.03, 0.01),
        Level(*_ELSE, 0.05, 0.98),
    ]
    return Comparison(name, *_called(column), f"{one} IS NULL OR {other} IS NULL", tuple(levels), (name, *fellows))


_EXCHANGED: Final = ({"givenname", "surname"}, {"firstname", "lastname"}, {"firstname", "surname"})


def _last_word(name: str) -> str:
    return name.rpartition("_")[2]


def _code(column: Column) -> Comparison:
    name = column.name
    one, other = f"{name}_l", f"{name}_r"
    return Comparison(
        name,
        *_called(column),
        f"{one} IS NULL OR {other} IS NULL",
        (
            Level(f"{one} = {other}", "相同", "same", 0.85, 1e-4, name, name),
            Level(f"damerau_levenshtein({one}, {other}) <= 1", "一位之差", "one digit differs", 0.08, 1e-4),
            Level(f"damerau_levenshtein({one}, {other}) <= 2", "两位之差", "two digits differ", 0.02, 1e-3),
            Level(*_ELSE, 0.05, 0.998),
        ),
        (name,),
    )


def _short(column: Column) -> Comparison:
    name = column.name
    one, other = f"{name}_l", f"{name}_r"
    return Comparison(
        name,
        *_called(column),
        f"{one} IS NULL OR {other} IS NULL",
        (
            Level(f"{one} = {other}", "相同", "same", 0.85, 0.02, name, name),
            Level(
                f"length({one}) >= 3 AND damerau_levenshtein({one}, {other}) <= 1",
                "一位之差",
                "one digit differs",
                0.08,
                0.01,
            ),
            Level(*_ELSE, 0.07, 0.97),
        ),
        (name,),
    )
