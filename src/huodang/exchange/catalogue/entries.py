"""One entry of the catalogue (共享目录): what is offered, with element, condition and law.

Source: the core metadata of resource catalogues (政务信息资源目录核心元数据) as published in 2018; national codes are
assigned where the hub cascades into, so none stand here.
"""

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import msgspec
import yaml

from huodang.exchange.errors import AgreementError
from huodang.exchange.values import Agreement, Kind, Message, Names, ResourceName
from huodang.standards import Place, element


class Sharing(StrEnum):
    """Under which condition a resource is shared (共享类型)."""

    UNCONDITIONAL = "unconditional"  # 无条件共享
    CONDITIONAL = "conditional"  # 有条件共享
    NONE = "none"  # 不予共享


class Bilingual(Message, frozen=True, kw_only=True):
    """A text in both languages."""

    chinese: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
    english: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


class CatalogueEntry(Message, frozen=True, kw_only=True):
    """One resource of the catalogue.

    Attributes:
        elements: information items; the most that an agreement may name.
        mandatory: the law itself asks the department to share it.
        law: what that law is.
        law_status: `source` if it was read in a source, `unverified` if it is to be checked.
    """

    resource: ResourceName
    title: Bilingual
    abstract: Bilingual
    kind: Kind
    elements: Names
    sharing: Sharing
    condition: Bilingual
    update_cycle: Literal["realtime", "daily", "weekly", "monthly", "yearly"]
    mandatory: bool
    law: str
    law_status: Literal["source", "unverified"]

    @property
    def provider(self) -> str:
        """Give the department that offers it."""
        return self.resource.partition(".")[0]


@cache
def joint_case_catalogue() -> dict[str, CatalogueEntry]:
    """Give the entries of the retirement joint case, which come with the product.

    Raises:
        MessageError: the data file is broken.
    """
    return _entries_of("catalogue.yaml")


@cache
def product_catalogue() -> dict[str, CatalogueEntry]:
    """Give every entry that comes with the product: the joint case's, and those of the other delivery modes.

    Raises:
        MessageError: a data file is broken.
    """
    return joint_case_catalogue() | _entries_of("catalogue_deliveries.yaml")


def _entries_of(file: str) -> dict[str, CatalogueEntry]:
    text = files("huodang.exchange").joinpath("data", file).read_text(encoding="utf-8")
    raw: list[Any] = yaml.safe_load(text)
    entries = [checked(CatalogueEntry.from_payload(one)) for one in raw]
    return {one.resource: one for one in entries}


def checked(entry: CatalogueEntry) -> CatalogueEntry:
    """Hand back an entry whose elements are all in the standard.

    Raises:
        UnknownElement: one isn't.
    """
    for name in entry.elements:
        element(name)
    return entry


def check_agreement(agreement: Agreement, entries: dict[str, CatalogueEntry]) -> None:
    """Hold an agreement against the catalogue.

    Raises:
        AgreementError: the resource isn't offered, is of another kind, or the agreement names more than it holds.
    """
    place = Place(element=agreement.resource)
    entry = entries.get(agreement.resource)
    if entry is None or entry.provider != agreement.provider or entry.kind != agreement.kind:
        raise AgreementError(
            "目录中没有该部门的这项资源",
            "the catalogue has no such resource of that department",
            advice_chinese="请由提供部门先发布目录条目。",
            advice_english="Have the providing department publish it first.",
            place=place,
        )
    if entry.sharing is Sharing.NONE:
        raise AgreementError("该资源不予共享", "the resource isn't shared", place=place)
    outside = sorted({*agreement.elements, *agreement.fields} - set(entry.elements))
    if outside:
        raise AgreementError(
            f"协议的数据元超出目录：{'、'.join(outside)}",
            f"the agreement names more than the catalogue holds: {', '.join(outside)}",
            place=place,
        )
