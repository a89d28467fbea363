"""Payees and death notices (领取人员与死亡信息) as dirty as departments deliver them, with the truth of who is who.

Half of the notices are of strangers, who are dirty in the same ways. All persons are made up, from a seed. Names follow
the uneven frequencies that make name matching hard: few surnames, few favourite characters, and older people's names
fewer still.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pypinyin import Style, lazy_pinyin

from huodang.standards import code_table

_SURNAMES: Final = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
    "钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_GIVEN: Final = (
    "英秀兰桂珍玉华明国建军文平志芳梅荣红春生林德丽福霞云永光淑凤清东成强海忠义新民龙金贵芬香莲喜树庆祥瑞宝山胜利"
    "根俊杰勇刚毅敏静燕萍艳娟琴素翠爱菊彩霖洪学友良善长才发武山河江涛波峰岩石松柏柱梁栋安康宁泰和顺昌盛兴旺达通进步"
    "立本正直厚诚信仁礼智孝恭谦让温良俭锁柱全双喜来有财满仓连增加保卫援朝解放跃进卫东红旗向阳朝晖晓辉亮星月雪冰玲珠"
    "琳璐瑶珊珂琪瑜璋璞"
)
_WEIGHTS: Final = np.array([2 ** (17 - place) % 11 for place in range(17)], dtype=np.int64)
_CHECK: Final = np.array(list("10X98765432"))
_DAY: Final = np.datetime64("1970-01-01")
_FIRST_BIRTH: Final = np.datetime64("1932-01-01")
_BIRTH_DAYS: Final = 36 * 365

# Shares of the ways in which a notice's number is delivered, and of the errors of its other cells. Chosen to leave the
# exact join, the repair and the weighing about the work that was measured on such data beforehand (facts: exact 46%,
# with 15 digits 61%, with one slip repaired 83%).
_NUMBERS: Final = {"right": 0.46, "fifteen": 0.15, "digit": 0.12, "swapped": 0.10, "two_digits": 0.05, "none": 0.12}
_NAMES: Final = {"right": 0.90, "homophone": 0.04, "other": 0.025, "lost": 0.02, "width": 0.015}
_BIRTHS: Final = {"right": 0.92, "day": 0.03, "exchanged": 0.02, "digit": 0.03}
_REGION_MOVED: Final = 0.05
_SEX_WRONG: Final = 0.005

Texts = NDArray[np.str_]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class DirtyRecords:
    """Two files and who is who.

    Attributes:
        payees: 身份证号 姓名 性别 出生日期 行政区划.
        notices: the same columns, dirty.
        truth: row of the payee of each notice, -1 for a stranger.
        numbers: how each notice's number was delivered, a key of the shares above.
    """

    payees: pa.Table
    notices: pa.Table
    truth: Rows
    numbers: Texts


def make_dirty_records(*, seed: int, payees: int, notices: int) -> DirtyRecords:
    """Make payees, and notices of which half are of some of them, each of a person of its own."""
    draw = np.random.default_rng(seed)
    people = _people(draw, payees + notices - notices // 2)
    dead = draw.permutation(payees)[: notices // 2]
    order = draw.permutation(notices)
    who = np.concatenate([dead, np.arange(payees, payees + notices - len(dead))])[order]
    kinds = _drawn(draw, _NUMBERS, notices)
    picked = {name: cells[who] for name, cells in people.items()}
    dirty = {
        "身份证号": _dirty_numbers(draw, picked["number"], kinds),
        "姓名": _dirty_names(draw, picked["name"]),
        "性别": _dirty_sexes(draw, picked["sex"]),
        "出生日期": _dirty_births(draw, picked["birth"]),
        "行政区划": np.where(
            draw.random(notices) < _REGION_MOVED, people["region"][draw.integers(0, payees, notices)], picked["region"]
        ),
    }
    clean = {"身份证号": "number", "姓名": "name", "性别": "sex", "出生日期": "birth", "行政区划": "region"}
    return DirtyRecords(
        pa.table({header: pa.array(people[name][:payees]) for header, name in clean.items()}),
        pa.table({header: pa.array(cells) for header, cells in dirty.items()}),
        np.where(who < payees, who, -1),
        kinds,
    )


def _drawn(draw: np.random.Generator, shares: dict[str, float], count: int) -> Texts:
    return draw.choice(np.array(list(shares)), count, p=list(shares.values()))


def _falling(count: int, steepness: float) -> NDArray[np.float64]:
    weights = 1 / np.arange(3, count + 3) ** steepness
    return np.asarray(weights / weights.sum())


def _people(draw: np.random.Generator, count: int) -> dict[str, Texts]:
    """Make people of whom no two have one number."""
    counties = [code for code in code_table("region").codes if code.startswith("13") and not code.endswith("00")]
    regions = np.array(sorted(counties))
    region = draw.choice(len(regions), count, p=_falling(len(regions), 0.5))
    day = draw.integers(0, _BIRTH_DAYS, count)
    place = region.astype(np.int64) * _BIRTH_DAYS + day
    sequence = _sequences(draw, place)
    birth = np.char.replace((_FIRST_BIRTH + day).astype("datetime64[D]").astype("U10"), "-", "")
    first = np.char.add(np.char.add(regions[region], birth), np.char.zfill(sequence.astype("U3"), 3))
    digits = np.ascontiguousarray(first.astype("S17")).view(np.uint8).reshape(count, 17).astype(np.int64) - ord("0")
    is_male = sequence % 2 == 1
    surnames, given = np.array(list(_SURNAMES)), np.array(list(dict.fromkeys(_GIVEN)))
    one, two = (draw.choice(len(given), count, p=_falling(len(given), 0.6)) for _ in range(2))
    # Men's and women's names start from different ends of what is common.
    one = np.where(is_male, (one + len(given) // 3) % len(given), one)
    name = np.char.add(surnames[draw.choice(len(surnames), count, p=_falling(len(surnames), 0.9))], given[one])
    return {
        "number": np.char.add(first, _CHECK[digits @ _WEIGHTS % 11]),
        "name": np.where(draw.random(count) < 0.85, np.char.add(name, given[two]), name),
        "sex": np.where(is_male, "1", "2"),
        "birth": (_FIRST_BIRTH + day).astype("datetime64[D]").astype("U10"),
        "region": regions[region],
    }


def _sequences(draw: np.random.Generator, place: Rows) -> Rows:
    """Number those of one place and day from a start of its own, so that no number is given twice."""
    order = np.argsort(place, kind="stable")
    ordered = place[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sizes = np.diff(np.concatenate([starts, [len(place)]]))
    rank = np.arange(len(place)) - np.repeat(starts, sizes)
    begin = np.repeat(draw.integers(1, 990, len(starts)), sizes)
    sequence = np.empty(len(place), dtype=np.int64)
    # A step of 7 runs through all 995 numbers of a day before one comes again.
    sequence[order] = (begin + 7 * rank) % 995 + 1
    return sequence


def _dirty_numbers(draw: np.random.Generator, numbers: Texts, kinds: Texts) -> Texts:
    found = numbers.astype("U18").astype(object)
    for row in np.flatnonzero(kinds == "fifteen"):
        found[row] = numbers[row][:6] + numbers[row][8:17]
    for row in np.flatnonzero(kinds == "swapped"):
        text = numbers[row]
        places = [at for at in range(17) if text[at] != text[at + 1]]
        at = int(draw.choice(places))
        found[row] = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    for row in np.flatnonzero((kinds == "digit") | (kinds == "two_digits")):
        text = numbers[row]
        for at in draw.choice(17, 2 if kinds[row] == "two_digits" else 1, replace=False):
            text = text[:at] + str((int(text[at]) + int(draw.integers(1, 10))) % 10) + text[at + 1 :]
        found[row] = text
    found[kinds == "none"] = ""
    return found.astype("U18")


def _dirty_names(draw: np.random.Generator, names: Texts) -> Texts:
    kinds = _drawn(draw, _NAMES, len(names))
    found = names.astype(object)
    common = "".join(
        bytes([high, low]).decode("gb2312", errors="ignore") for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFF)
    )
    alike: dict[str, list[str]] = defaultdict(list)
    for character, sound in zip(common, lazy_pinyin(list(common), style=Style.NORMAL), strict=True):
        alike[sound].append(character)
    for row in np.flatnonzero(kinds != "right"):
        name = str(names[row])
        # Clerks mistake the given name more often than the surname.
        at = 0 if draw.random() < 0.15 else int(draw.integers(1, len(name)))
        match kinds[row]:
            case "homophone":
                sound = lazy_pinyin(name[at], style=Style.NORMAL)[0]
                others = [one for one in alike[sound] if one != name[at]] or [name[at]]
                found[row] = name[:at] + others[int(draw.integers(len(others)))] + name[at + 1 :]
            case "other":
                found[row] = name[:at] + common[int(draw.integers(len(common)))] + name[at + 1 :]
            case "lost":
                at = max(at, 1)
                found[row] = name[:at] + ("" if draw.random() < 0.5 else "?") + name[at + 1 :]
            case _:
                found[row] = f" {name[0]} {name[1:]}"
    return found.astype(str)


def _dirty_births(draw: np.random.Generator, births: Texts) -> Texts:
    kinds = _drawn(draw, _BIRTHS, len(births))
    found = births.astype(object)
    for row in np.flatnonzero(kinds != "right"):
        year, month, day = births[row].split("-")
        match kinds[row]:
            case "day":
                found[row] = f"{year}-{month}-{int(draw.integers(1, 29)):02d}"
            case "exchanged" if int(day) <= 12:
                found[row] = f"{year}-{day}-{month}"
            case "exchanged":
                found[row] = str(np.datetime64(str(births[row])) + int(draw.choice([-1, 1])))
            case _:
                found[row] = f"{int(year) + int(draw.choice([-10, -2, -1, 1, 2, 10]))}-{month}-{day}"
    return found.astype(str)


def _dirty_sexes(draw: np.random.Generator, sexes: Texts) -> Texts:
    wrong = draw.random(len(sexes)) < _SEX_WRONG
    return np.where(wrong, np.where(sexes == "1", "2", "1"), sexes)
