"""The archive's data files: profile of the agency, retention terms, item kinds, categories, metadata elements."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from huodang.archive.archival_code import PERMANENT, ArchivalCode
from huodang.archive.errors import ArchivalCodeError, ProfileError
from huodang.standards import Place


@dataclass(frozen=True)
class RetentionTerm:
    """How long a kind of record is kept at least (保管期限).

    Attributes:
        subject: What is kept, such as `pension_benefit`.
        chinese: Its Chinese name.
        years: At least so many, or None for ever.
        status: `official`, or `unverified` where no source names this kind of record.
        law: The order that sets the terms.
    """

    subject: str
    chinese: str
    years: int | None
    status: str
    law: str

    @property
    def code(self) -> str:
        """Print it as in an archival code: `Y`, `D30`. Source: DA/T 13-2022 (D with other years is unverified)."""
        return PERMANENT if self.years is None else f"D{self.years}"

    def kept_until(self, closed_on: date) -> date | None:
        """Tell the last day of the term, or None when it never ends.

        Even then nothing is destroyed without appraisal and approval.

        Source: 社会保险业务档案管理规定（试行）: counted from 1 January of the following year.
        """
        return None if self.years is None else date(closed_on.year + self.years, 12, 31)


@dataclass(frozen=True)
class ArchiveProfile:
    """How an agency names its volumes and where they come from.

    Attributes:
        name: Of the profile; stands in every volume's metadata.
        archive_name: 档案馆名称.
        archive_code: 档案馆代码, may be empty.
        fonds: 全宗号.
        fonds_name: 全宗名称.
        founding_unit: 立档单位名称.
        category: 类别号.
        subclasses: Codes below it.
        retention: The term of its volumes.
        volume_digits: Width of the volume number.
        item_digits: Width of the item number.
    """

    name: str
    archive_name: str
    archive_code: str
    fonds: str
    fonds_name: str
    founding_unit: str
    category: str
    subclasses: tuple[str, ...]
    retention: RetentionTerm
    volume_digits: int
    item_digits: int

    @classmethod
    def load(cls, path: Path | None = None) -> "ArchiveProfile":
        """Load an agency's profile, or the example that stands in the package.

        Raises:
            ProfileError: something is missing or can't be.
        """
        text = _text("profile.yaml") if path is None else path.read_text(encoding="utf-8")
        place = Place(file="profile.yaml" if path is None else str(path))
        try:
            data = yaml.safe_load(text)
            profile = cls(
                name=str(data["name"]),
                archive_name=str(data["archive_name"]),
                archive_code=str(data["archive_code"]),
                fonds=str(data["fonds"]),
                fonds_name=str(data["fonds_name"]),
                founding_unit=str(data["founding_unit"]),
                category=str(data["category"]),
                subclasses=tuple(str(row["code"]) for row in data["subclasses"]),
                retention=retention_term(str(data["retention_subject"])),
                volume_digits=int(data["volume_digits"]),
                item_digits=int(data["item_digits"]),
            )
            profile.code(2000, 1).item(profile.item_number(1))
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise _bad_data(
                "档案配置缺项或写法有误", "The archive profile lacks something or is malformed", place
            ) from error
        except ArchivalCodeError as error:
            raise error.at(place) from None
        return profile

    def code(self, year: int, number: int) -> ArchivalCode:
        """Make the archival code of a volume."""
        return ArchivalCode(
            self.fonds,
            self.category,
            self.subclasses,
            f"{year:04}",
            self.retention.code,
            None,
            (f"{number:0{self.volume_digits}}",),
        )

    def item_number(self, position: int) -> str:
        """Print the number of an item, counted from 1."""
        return f"{position:0{self.item_digits}}"


@dataclass(frozen=True)
class PersonnelCategory:
    """One of the ten categories (十类) of personnel archives, or a subdivision of one. Source: 中组发〔2009〕12号."""

    code: str
    chinese: str
    english: str


@dataclass(frozen=True)
class ItemKind:
    """A kind of item in the volume of a joint case; its title is fixed: nothing personal stands in the clear."""

    kind: str
    chinese: str
    english: str


@dataclass(frozen=True)
class MetadataElement:
    """A metadata element of a volume. Source: DA/T 46 (names; `number` only where its text has been seen)."""

    name: str
    chinese: str
    number: str | None
    status: str


@cache
def retention_terms() -> Mapping[str, RetentionTerm]:
    """Give all retention terms by subject."""
    data = _data("retention_terms.yaml")
    return {
        row["subject"]: RetentionTerm(row["subject"], row["chinese"], row["years"], row["status"], data["law"])
        for row in data["terms"]
    }


def retention_term(subject: str) -> RetentionTerm:
    """Give the retention term of a subject.

    Raises:
        ProfileError: no term is known for it; none is guessed.
    """
    known = retention_terms()
    if subject not in known:
        place = Place(file="retention_terms.yaml")
        raise _bad_data(f"没有 {subject} 的保管期限", f"There is no retention term for {subject}", place)
    return known[subject]


@cache
def personnel_categories() -> tuple[PersonnelCategory, ...]:
    """Give the ten categories of personnel archives in their order."""
    return tuple(PersonnelCategory(**row) for row in _data("personnel_categories.yaml")["categories"])


@cache
def item_kinds() -> Mapping[str, ItemKind]:
    """Give the kinds of item by name."""
    return {row["kind"]: ItemKind(**row) for row in _data("item_kinds.yaml")["kinds"]}


@cache
def metadata_elements() -> Mapping[str, MetadataElement]:
    """Give the metadata elements by name."""
    return {
        row["name"]: MetadataElement(row["name"], row["chinese"], row.get("number"), row["status"])
        for row in _data("metadata_elements.yaml")["elements"]
    }


def _data(name: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(_text(name))
    return data


def _text(name: str) -> str:
    return files("huodang.archive").joinpath("data", name).read_text(encoding="utf-8")


def _bad_data(chinese: str, english: str, place: Place) -> ProfileError:
    return ProfileError(
        chinese,
        english,
        advice_chinese="请对照软件包中的示例文件补全。",
        advice_english="Complete it after the example in the package.",
        place=place,
    )
