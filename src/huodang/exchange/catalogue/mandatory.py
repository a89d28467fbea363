"""The mandatory sharing list (强制共享目录): what must be shared, and which department leaves what unserved."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml

from huodang.exchange.catalogue.cycles import due_by
from huodang.exchange.catalogue.entries import Bilingual, CatalogueEntry, Sharing
from huodang.exchange.errors import CatalogueError, MessageError
from huodang.exchange.values import Identifier, Message, ResourceName
from huodang.standards import Place
from huodang.store import shanghai_date


class MandatoryItem(Message, frozen=True, kw_only=True):
    """One duty to share.

    Attributes:
        provider: department whose duty it is.
        resources: that serve it; one of them is enough.
        status: `source` if the duty was read in a source, `unverified` if it is to be confirmed.
    """

    item: Identifier
    title: Bilingual
    provider: Identifier
    resources: Annotated[tuple[ResourceName, ...], msgspec.Meta(min_length=1, max_length=16)]
    law: str
    status: Literal["source", "unverified"]


class Service(StrEnum):
    """How a duty is served, worst first."""

    NOT_PUBLISHED = "not_published"  # 未发布目录
    NOT_SHARED = "not_shared"  # 设为不予共享
    NO_AGREEMENT = "no_agreement"  # 已发布, 无有效协议
    NOT_SERVED = "not_served"  # 有协议, 前置机不提供
    STALE = "stale"  # 数据晚于更新周期
    UNKNOWN = "unknown"  # 有协议, 未问前置机
    SERVED = "served"  # 正常


SERVICE_LABELS: dict[Service, tuple[str, str]] = {
    Service.NOT_PUBLISHED: ("未发布目录", "not published"),
    Service.NOT_SHARED: ("被设为不予共享", "set to not shared"),
    Service.NO_AGREEMENT: ("已发布，没有生效的协议", "published, but no agreement is in force"),
    Service.NOT_SERVED: ("有协议，前置机不提供或连不上", "agreed, but the gateway doesn't serve it"),
    Service.UNKNOWN: ("有协议，未询问前置机", "agreed; the gateway wasn't asked"),
    Service.STALE: ("数据晚于申报的更新周期", "data behind the declared update cycle"),
    Service.SERVED: ("正常提供", "served"),
}
"""Each with its label in Chinese and English."""
_ORDER = tuple(Service)


@dataclass(frozen=True)
class MandatoryStanding:
    """How one duty stands, by the resource that serves it best.

    Attributes:
        resource: the one that serves it best, or comes nearest.
        as_of: how fresh the last answer was; None if there was none, which is no fault by itself.
        due_by: last day on which data that fresh are within the cycle.
    """

    item: MandatoryItem
    service: Service
    resource: str
    as_of: datetime | None = None
    due_by: date | None = None

    @property
    def gap(self) -> bool:
        """Whether the duty is known to be left unserved."""
        return self.service not in {Service.SERVED, Service.UNKNOWN}

    @property
    def light(self) -> Literal["green", "yellow", "red"]:
        """The light (红黄灯): yellow for what is late or isn't known."""
        if self.service in {Service.STALE, Service.UNKNOWN}:
            return "yellow"
        return "red" if self.gap else "green"

    def label(self, language: str = "zh") -> str:
        """Say it in words."""
        return SERVICE_LABELS[self.service][0 if language == "zh" else 1]


@cache
def mandatory_list() -> tuple[MandatoryItem, ...]:
    """Give the list that comes with the product.

    Raises:
        CatalogueError: the data file is broken.
    """
    text = files("huodang.exchange").joinpath("data", "mandatory_sharing.yaml").read_text(encoding="utf-8")
    return _items(text, "mandatory_sharing.yaml")


def read_mandatory_list(path: Path) -> tuple[MandatoryItem, ...]:
    """Read a province's own list, which takes the place of the product's.

    Raises:
        CatalogueError: the file can't be read or isn't shaped as a list; the place names it.
    """
    try:
        return _items(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as problem:
        raise CatalogueError(
            "读不了强制共享目录文件", "the mandatory list can't be read", place=Place(file=path.name)
        ) from problem


def check_mandatory(
    entry: CatalogueEntry, items: Sequence[MandatoryItem], *, previous: CatalogueEntry | None = None
) -> None:
    """Refuse an entry that takes out of sharing what must be shared.

    Args:
        entry: to be published.
        items: the mandatory list.
        previous: the entry in force; its own mark holds beside the list.

    Raises:
        CatalogueError: it is set to "not shared", or its mandatory mark is taken away.
    """
    listed = is_listed(entry.resource, items)
    if listed and not entry.mandatory:
        raise _refused("强制共享目录内的资源不能去掉强制标记", "a resource on the mandatory list keeps its mark", entry)
    marked = entry.mandatory or (previous is not None and previous.mandatory)
    if marked and entry.sharing is Sharing.NONE:
        raise _refused("强制共享的资源不能设为不予共享", "what must be shared can't be set to not shared", entry)


def check_withdrawal(entry: CatalogueEntry, items: Sequence[MandatoryItem]) -> None:
    """Refuse to take out of the catalogue what must be shared.

    Raises:
        CatalogueError: the entry is on the list or marked as mandatory.
    """
    if entry.mandatory or is_listed(entry.resource, items):
        raise _refused("强制共享的资源不能撤下目录", "what must be shared can't be withdrawn", entry)


def is_listed(resource: str, items: Sequence[MandatoryItem]) -> bool:
    """Whether a resource stands on the mandatory list."""
    return any(resource in item.resources for item in items)


def mandatory_standings(
    items: Sequence[MandatoryItem],
    entries: Mapping[str, CatalogueEntry],
    *,
    agreed: Collection[str],
    available: Mapping[str, bool] | None,
    freshness: Mapping[str, datetime],
    today: date,
) -> list[MandatoryStanding]:
    """Tell how each duty stands.

    Args:
        items: the mandatory list.
        entries: the catalogue in force.
        agreed: resources with an agreement in force today.
        available: what the gateways say they serve (`Exchange.availability`); None if they weren't asked.
        freshness: by resource, as of when the last answer or delivery was.
        today: in Shanghai.
    """

    def standing(item: MandatoryItem, resource: str) -> MandatoryStanding:
        entry = entries.get(resource)
        if entry is None:
            return MandatoryStanding(item, Service.NOT_PUBLISHED, resource)
        if entry.sharing is Sharing.NONE:
            return MandatoryStanding(item, Service.NOT_SHARED, resource)
        if resource not in agreed:
            return MandatoryStanding(item, Service.NO_AGREEMENT, resource)
        as_of = freshness.get(resource)
        due = due_by(entry.update_cycle, shanghai_date(as_of)) if as_of is not None else None
        if available is not None and not available.get(resource, False):
            service = Service.NOT_SERVED
        elif due is not None and today > due:
            service = Service.STALE
        else:
            service = Service.UNKNOWN if available is None else Service.SERVED
        return MandatoryStanding(item, service, resource, as_of, due)

    return [
        max((standing(item, one) for one in item.resources), key=lambda one: _ORDER.index(one.service))
        for item in items
    ]


def _items(text: str, file: str) -> tuple[MandatoryItem, ...]:
    place = Place(file=file)
    try:
        raw: Any = yaml.safe_load(text)
        items = tuple(MandatoryItem.from_payload(one) for one in raw or ())
    except (yaml.YAMLError, TypeError) as problem:
        raise CatalogueError(
            "强制共享目录不是 YAML 列表", "the mandatory list isn't a YAML list", place=place
        ) from problem
    except MessageError as problem:
        raise CatalogueError(problem.chinese, problem.english, place=place) from None
    if not items or len({one.item for one in items}) < len(items):
        raise CatalogueError(
            "强制共享目录为空或事项重复", "the mandatory list is empty or an item stands twice", place=place
        )
    return items


def _refused(chinese: str, english: str, entry: CatalogueEntry) -> CatalogueError:
    return CatalogueError(
        chinese,
        english,
        advice_chinese="强制共享目录见 docs/catalogue.md；如依据已变，请先修改清单。",
        advice_english="See docs/catalogue.md; if the law has changed, change the list first.",
        place=Place(element=f"{entry.resource}.sharing"),
    )
