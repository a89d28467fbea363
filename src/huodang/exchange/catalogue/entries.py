"""One entry of the catalogue (共享目录): the core metadata of a resource, with element, condition and law.

Source: the core metadata (政务信息资源目录核心元数据, GB/T 21063) as published by Sichuan in 2018. Which values are
verified stands with each field in `data/catalogue_fields.yaml`.
"""

import unicodedata
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final, Literal

import msgspec
import yaml
from msgspec.structs import force_setattr

from huodang.exchange.catalogue.codes import (
    DEPARTMENT_CLASS,
    ClassCode,
    check_provider_code,
    check_resource_code,
    provider_names,
)
from huodang.exchange.errors import AgreementError, CatalogueError
from huodang.exchange.values import Agreement, Kind, Message, Names, ResourceName
from huodang.standards import Place, element
from huodang.trust import canonical_json, sm3


class Sharing(StrEnum):
    """Under which condition a resource is shared (共享类型)."""

    UNCONDITIONAL = "unconditional"  # 1 无条件共享
    CONDITIONAL = "conditional"  # 2 有条件共享
    NONE = "none"  # 3 不予共享


class Mode(StrEnum):
    """How a resource is shared (共享方式) in the words of national catalogues."""

    DATABASE = "database"  # 1 数据库
    FILE = "file"  # 2 文件
    SERVICE = "service"  # 3 服务接口


class ResourceFormat(StrEnum):
    """In which form a resource is kept (信息资源格式)."""

    ELECTRONIC_FILE = "electronic_file"  # 1 电子文件
    SPREADSHEET = "spreadsheet"  # 2 电子表格
    DATABASE = "database"  # 3 数据库
    IMAGE = "image"  # 4 图形图像
    MEDIA = "media"  # 5 流媒体
    SELF_DESCRIBING = "self_describing"  # 6 自描述格式
    SERVICE = "service"  # 7 服务接口


UpdateCycle = Literal["realtime", "daily", "weekly", "monthly", "quarterly", "half_yearly", "yearly", "irregular"]

MODE_OF_KIND: Final[dict[Kind, Mode]] = {
    Kind.CHECK: Mode.SERVICE,
    Kind.ACTION: Mode.SERVICE,
    Kind.LIST: Mode.SERVICE,
    Kind.TABLE: Mode.DATABASE,
    Kind.FILE: Mode.FILE,
    Kind.MATCH: Mode.SERVICE,
    Kind.EVENT: Mode.SERVICE,
}
"""National catalogues know three modes; a question, an event and a match are all services to them."""

_FORMAT_OF_MODE: Final[dict[Mode, ResourceFormat]] = {
    Mode.SERVICE: ResourceFormat.SERVICE,
    Mode.DATABASE: ResourceFormat.DATABASE,
    Mode.FILE: ResourceFormat.ELECTRONIC_FILE,
}

Line = Annotated[str, msgspec.Meta(max_length=400)]


class Bilingual(Message, frozen=True, kw_only=True):
    """A text in both languages, on one line: runs of blanks count as one."""

    chinese: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
    english: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]

    def __post_init__(self) -> None:
        """Put the texts on one line, so that every format gives them back as they were."""
        force_setattr(self, "chinese", one_line(self.chinese))
        force_setattr(self, "english", one_line(self.english))


class CatalogueEntry(Message, frozen=True, kw_only=True):
    """One resource of the catalogue.

    Attributes:
        elements: information items; the most that an agreement may name.
        mandatory: the law itself asks the department to share it.
        law: what that law is.
        law_status: `source` if it was read in a source, `unverified` if it is to be checked.
        class_code: class, item, category and detail (类、项、目、细目) in one.
        code: of the resource; given when it is published, if empty.
        code_status: `local` as numbered here, `assigned` by a platform above.
        provider_name: the department as its own entries call it, in Chinese.
        provider_code: its unified social credit code or the province's code of it; may be empty.
        format: in which form it is kept; what fits the kind, unless said.
        modes: how national catalogues call the way it is shared; what fits the kind, unless said.
        open_to_public: whether it is also opened to the public (是否向社会开放), which this platform doesn't do itself.
        open_condition: under which condition, if so.
        published_on: first day of the version in force; set when it is published, if None.
        related_codes: codes of resources that it belongs with (关联资源代码).
    """

    resource: ResourceName
    title: Bilingual
    abstract: Bilingual
    kind: Kind
    elements: Names
    sharing: Sharing
    condition: Bilingual
    update_cycle: UpdateCycle
    mandatory: bool
    law: Line
    law_status: Literal["source", "unverified"]
    class_code: Annotated[str, msgspec.Meta(max_length=24)] = DEPARTMENT_CLASS
    code: Annotated[str, msgspec.Meta(max_length=64)] = ""
    code_status: Literal["local", "assigned"] = "local"
    provider_name: Line = ""
    provider_code: Annotated[str, msgspec.Meta(max_length=32)] = ""
    format: ResourceFormat | None = None
    modes: Annotated[tuple[Mode, ...], msgspec.Meta(max_length=3)] = ()
    open_to_public: bool = False
    open_condition: Line = ""
    published_on: date | None = None
    related_codes: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z/._-]{0,63}\Z")], ...],
        msgspec.Meta(max_length=32),
    ] = ()

    def __post_init__(self) -> None:
        """Fill in what follows from the kind, and put texts on one line."""
        mode = MODE_OF_KIND[self.kind]
        if not self.modes:
            force_setattr(self, "modes", (mode,))
        if self.format is None:
            force_setattr(self, "format", _FORMAT_OF_MODE[mode])
        for name in ("law", "provider_name", "open_condition"):
            force_setattr(self, name, one_line(getattr(self, name)))

    @property
    def provider(self) -> str:
        """Give the department that offers it."""
        return self.resource.partition(".")[0]

    @property
    def level(self) -> int:
        """Give the sensitivity of the entry, 1 to 4: that of its most sensitive element."""
        return max((element(name).level for name in self.elements), default=1)

    @property
    def digest(self) -> str:
        """Give the SM3 digest of the entry, hex: what the ledger holds of it."""
        return sm3(canonical_json(self.to_payload())).hex()


def one_line(text: str) -> str:
    """Put a text on one line: runs of blanks and line breaks become one blank."""
    return " ".join(text.split())


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
    raw: list[dict[str, Any]] = yaml.safe_load(text)
    entries = []
    for one in raw:
        provider = provider_names()[one["resource"].partition(".")[0]]
        entries.append(checked(CatalogueEntry.from_payload({"provider_name": provider.chinese, **one})))
    return {one.resource: one for one in entries}


def checked(entry: CatalogueEntry) -> CatalogueEntry:
    """Hand back an entry that holds together: elements in the standard, codes well built, texts printable.

    Raises:
        UnknownElement: an element isn't in the standard.
        CatalogueError: something else is wrong; the place names the resource and the field.
    """
    for name in entry.elements:
        element(name)

    def place(field: str) -> Place:
        return Place(element=f"{entry.resource}.{field}")

    if not entry.elements:
        raise CatalogueError("没有信息项", "it has no information item", place=place("elements"))
    if len(set(entry.elements)) < len(entry.elements):
        raise CatalogueError("信息项重复", "an information item stands twice", place=place("elements"))
    ClassCode.parse(entry.class_code, place("class_code"))
    check_resource_code(entry.code, entry.class_code, assigned=entry.code_status == "assigned", place=place("code"))
    check_provider_code(entry.provider_code, place("provider_code"))
    if len(set(entry.modes)) < len(entry.modes) or MODE_OF_KIND[entry.kind] not in entry.modes:
        raise CatalogueError(
            f"共享方式与交换种类 {entry.kind.value} 不符",
            f"the modes don't fit the kind {entry.kind.value}",
            place=place("modes"),
        )
    if entry.open_condition and not entry.open_to_public:
        raise CatalogueError(
            "不向社会开放的资源没有开放条件",
            "what isn't open to the public has no condition for it",
            place=place("open_condition"),
        )
    for field, text in _texts(entry):
        if any(unicodedata.category(one) in {"Cc", "Cs", "Cn"} for one in text):
            raise CatalogueError("含有不可打印的字符", "it holds a character that can't be printed", place=place(field))
    for field in ("title", "abstract", "condition"):
        pair: Bilingual = getattr(entry, field)
        if not (pair.chinese and pair.english):
            raise CatalogueError("不能为空", "it can't be empty", place=place(field))
    return entry


def _texts(entry: CatalogueEntry) -> list[tuple[str, str]]:
    found = [(name, getattr(entry, name)) for name in ("law", "provider_name", "open_condition")]
    for name in ("title", "abstract", "condition"):
        pair: Bilingual = getattr(entry, name)
        found += [(name, pair.chinese), (name, pair.english)]
    return found


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
