"""Dated parameters of law, read from `pension/parameters/*.yaml`.

Every scalar in the files is read as text, so a figure is a `Decimal`, `Fraction` or `Money` and never a float.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import yaml

from huodang.pension.errors import ParameterFileError, ParameterMissing
from huodang.standards import BadValue, Money, Month, Place

NATIONAL = "national"
Value = str | Mapping[str, Any]


class Status(StrEnum):
    """How firmly a parameter stands."""

    OFFICIAL = "official"
    PROVINCIAL = "provincial"
    STATEMENT = "statement"
    UNVERIFIED = "unverified"

    @property
    def chinese(self) -> str:
        """Say it for users."""
        return {"official": "国家规定", "provincial": "本省公布", "statement": "见于核定表", "unverified": "待核实"}[
            self.value
        ]


@dataclass(frozen=True)
class Parameter:
    """One version of one parameter: what holds, from when to when, by which law, and how sure that is.

    Attributes:
        province: Code of the file it stands in (`national`, `hebei`, …).
        name: Name in the files, such as `pension_base`.
        value: Text, or a table of texts.
        unit: What the value counts: `month`, `yuan_per_month`, `ratio`, `rule`, ….
        valid_from: First month it holds; None if it has no known beginning.
        valid_to: Last month it holds; None if it is still in force.
        published_on: The day from which it could be known, for yearly bases.
    """

    province: str
    name: str
    chinese: str
    english: str
    unit: str
    value: Value
    valid_from: Month | None
    valid_to: Month | None
    published_on: date | None
    law: str
    source: str
    status: Status
    note: str

    def holds_in(self, month: Month) -> bool:
        """Tell whether this version is in force in a month."""
        return (self.valid_from is None or self.valid_from <= month) and (
            self.valid_to is None or month <= self.valid_to
        )

    def known_on(self, day: date | None) -> bool:
        """Tell whether this version was published by a day; without a day, all that stands in the files is known."""
        return day is None or self.published_on is None or self.published_on <= day

    @property
    def text(self) -> str:
        """The value, where it is one figure.

        Raises:
            ParameterFileError: the value is a table.
        """
        if isinstance(self.value, str):
            return self.value
        raise ParameterFileError(f"参数 {self.name} 是一张表", f"parameter {self.name} is a table")

    @property
    def table(self) -> Mapping[str, Any]:
        """The value, where it is a table.

        Raises:
            ParameterFileError: the value is one figure.
        """
        if isinstance(self.value, str):
            raise ParameterFileError(f"参数 {self.name} 不是表", f"parameter {self.name} isn't a table")
        return self.value

    def plain_value(self) -> str | dict[str, Any]:
        """The value as plain text or nested dictionaries of text, for printing and JSON."""
        return self.value if isinstance(self.value, str) else _thawed(self.value)

    @property
    def number(self) -> int:
        """The value as a whole number."""
        return int(self.text)

    @property
    def fraction(self) -> Fraction:
        """The value exactly."""
        return Fraction(Decimal(self.text))

    @property
    def money(self) -> Money:
        """The value in yuan."""
        return Money.yuan(self.text)

    def figure(self, key: str) -> int:
        """One whole number of a table."""
        return int(self.table[key])


class ProvinceParameters:
    """The parameters of one province, with the national ones behind them.

    Attributes:
        province: Code, such as `hebei`.
        chinese: Name, such as 河北省.
    """

    def __init__(
        self,
        own: tuple[Parameter, ...],
        behind: "ProvinceParameters | None",
        *,
        province: str,
        chinese: str,
        english: str,
        region_code: str,
    ) -> None:
        self.province = province
        self.chinese = chinese
        self.english = english
        self.region_code = region_code
        self._own = own
        self._versions: dict[str, tuple[Parameter, ...]] = {}
        for parameter in own:
            self._versions[parameter.name] = (*self._versions.get(parameter.name, ()), parameter)
        self._national = behind

    def versions(self, name: str) -> tuple[Parameter, ...]:
        """Give every version of a parameter, earliest first: the province's own, else the national ones."""
        own = self._versions.get(name)
        if own is not None:
            return own
        return self._national.versions(name) if self._national is not None else ()

    def find(self, name: str, month: Month) -> Parameter | None:
        """Give the version in force in a month, or None where none is known."""
        return next((parameter for parameter in self.versions(name) if parameter.holds_in(month)), None)

    def value(self, name: str, month: Month) -> Parameter:
        """Give the version in force in a month.

        Raises:
            ParameterMissing: none is known; it names province, parameter and month.
        """
        found = self.find(name, month)
        if found is None:
            raise self.missing(name, month)
        return found

    def sole(self, name: str) -> Parameter:
        """Give a parameter that has only ever had one version, whatever the month.

        Raises:
            ParameterMissing: it is unknown, or it has several versions, so that a month is needed to choose.
        """
        versions = self.versions(name)
        if len(versions) != 1:
            raise self.missing(name, None)
        return versions[0]

    def missing(self, name: str, month: Month | None) -> ParameterMissing:
        """Make the error that names a parameter of this province."""
        versions = self.versions(name)
        label = versions[0].chinese if versions else LABELS.get(name, "")
        return ParameterMissing(self.province, name, month, label=label, province_name=self.chinese)

    def listing(self) -> tuple[Parameter, ...]:
        """Give everything that holds in this province: its own parameters first, then the national ones."""
        if self._national is None:
            return self._own
        return self._own + tuple(
            parameter for parameter in self._national.listing() if parameter.name not in self._versions
        )


# Names of parameters that a province may lack altogether, for the error that names them.
LABELS: Mapping[str, str] = MappingProxyType(
    {
        "pension_base": "养老金计发基数",
        "transitional_pension": "过渡性养老金规则",
        "residents_basic_standard": "城乡居民基础养老金标准",
        "urban_monthly_income": "上年度城镇居民月人均可支配收入",
        "account_start": "建立个人账户时间",
    }
)


def parameters(province: str) -> ProvinceParameters:
    """Give the parameters of a province, named by code, by name with or without 省/市/自治区, or by region code.

    Raises:
        ParameterMissing: no parameter file is there for it.
    """
    found = _aliases().get(_alias(province))
    if found is None:
        raise ParameterMissing(
            province.strip()[:20] or "（空）",
            "*",
            label="全部参数",
            reason=("该省没有参数文件", "the province has no parameter file"),
        )
    return _load(found)


def provinces() -> tuple[str, ...]:
    """Give the codes of all provinces with a parameter file, in alphabetical order."""
    return tuple(sorted(set(_aliases().values()) - {NATIONAL}))


def national() -> ProvinceParameters:
    """Give the parameters that hold in the whole country."""
    return _load(NATIONAL)


def read_parameter_file(text: str, file: str, behind: ProvinceParameters | None = None) -> ProvinceParameters:
    """Read one parameter file and check that every version says what it must.

    Raises:
        ParameterFileError: it isn't such a file, a version lacks its law, source, status or value, two versions of
            one parameter hold in the same month, or a yearly base doesn't say when it was published.
    """
    place = Place(file=file)
    try:
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  (BaseLoader builds only texts, lists and mappings)
        own = tuple(_read_all(content))
        return ProvinceParameters(
            own,
            behind,
            province=content["province"],
            chinese=content["chinese"],
            english=content["english"],
            region_code=content["region_code"],
        )
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError, BadValue) as error:
        raise ParameterFileError(
            "参数文件无法读取，或缺少必需的内容",
            f"the parameter file can't be read, or lacks something: {error}",
            place=place,
        ) from error
    except ParameterFileError as error:
        raise error.at(place) from None


def _read_all(content: dict[str, Any]) -> Iterator[Parameter]:
    for name, described in content["parameters"].items():
        versions = [_read_version(content["province"], name, described, version) for version in described["versions"]]
        versions.sort(key=lambda version: version.valid_from.ordinal if version.valid_from else 0)
        for earlier, later in pairwise(versions):
            if earlier.valid_to is None or later.valid_from is None or earlier.valid_to >= later.valid_from:
                raise ParameterFileError(
                    f"参数 {name} 的两个版本在同一月份有效", f"two versions of parameter {name} hold in the same month"
                )
        yield from versions


def _read_version(province: str, name: str, described: dict[str, Any], version: dict[str, Any]) -> Parameter:
    merged = {**described, **version}
    known = {
        "chinese",
        "english",
        "unit",
        "value",
        "valid_from",
        "valid_to",
        "published_on",
        "law",
        "source",
        "status",
        "note",
        "versions",
    }
    if unknown := merged.keys() - known:
        raise ParameterFileError(
            f"参数 {name} 有不认识的内容 {sorted(unknown)}", f"parameter {name} has unknown keys {sorted(unknown)}"
        )
    month_from, month_to, published = merged.get("valid_from"), merged.get("valid_to"), merged.get("published_on")
    if name == "pension_base" and published is None:
        raise ParameterFileError(f"参数 {name} 缺少公布日期", f"parameter {name} doesn't say when it was published")
    return Parameter(
        province=province,
        name=name,
        chinese=merged["chinese"],
        english=merged["english"],
        unit=merged["unit"],
        value=_frozen(merged["value"]),
        valid_from=Month.parse(month_from) if month_from else None,
        valid_to=Month.parse(month_to) if month_to else None,
        published_on=date.fromisoformat(published) if published else None,
        law=merged["law"],
        source=merged["source"],
        status=Status(merged["status"]),
        note=merged.get("note", ""),
    )


def _frozen(value: Any) -> Value:  # noqa: ANN401  (what YAML holds: text or nested mappings)
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(inner) for key, inner in value.items()})
    return str(value)


def _thawed(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: inner if isinstance(inner, str) else _thawed(inner) for key, inner in table.items()}


@cache
def _load(province: str) -> ProvinceParameters:
    file = f"{province}.yaml"
    text = files("huodang.pension").joinpath("parameters", file).read_text(encoding="utf-8")
    return read_parameter_file(text, file, None if province == NATIONAL else _load(NATIONAL))


@cache
def _aliases() -> Mapping[str, str]:
    """Every way to name a province that has a file, to its code."""
    found: dict[str, str] = {}
    for file in files("huodang.pension").joinpath("parameters").iterdir():
        if not file.name.endswith(".yaml"):
            continue
        loaded = _load(file.name.removesuffix(".yaml"))
        for name in (loaded.province, loaded.english, loaded.chinese, loaded.region_code, loaded.region_code[:2]):
            found[_alias(name)] = loaded.province
    return MappingProxyType(found)


# Endings of the official names, longest first, so that 广西 and 广西壮族自治区 are one.
_ENDINGS = ("维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "省", "市")


def _alias(name: str) -> str:
    plain = name.strip().lower()
    for ending in _ENDINGS:
        if plain.endswith(ending) and len(plain) > len(ending):
            return plain.removesuffix(ending)
    return plain
