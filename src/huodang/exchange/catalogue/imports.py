"""Taking in a catalogue file: first a plan of what would change, entry by entry; then whole or not at all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from huodang.exchange.catalogue.difference import Change, entry_changes
from huodang.exchange.catalogue.entries import CatalogueEntry
from huodang.exchange.catalogue.mandatory import MandatoryItem, check_mandatory, check_withdrawal
from huodang.exchange.catalogue.sheet import Problem, RawEntry, Unreadable, from_raw
from huodang.exchange.catalogue.tree_files import Found
from huodang.exchange.errors import CatalogueError
from huodang.standards import Place


class ImportChange(StrEnum):
    """What a file would do to an entry."""

    NEW = "new"  # 新增
    CHANGED = "changed"  # 变更
    UNCHANGED = "unchanged"  # 不变
    WITHDRAWN = "withdrawn"  # 撤下
    REFUSED = "refused"  # 拒绝


IMPORT_LABELS: dict[ImportChange, tuple[str, str]] = {
    ImportChange.NEW: ("新增", "new"),
    ImportChange.CHANGED: ("变更", "changed"),
    ImportChange.UNCHANGED: ("不变", "unchanged"),
    ImportChange.WITHDRAWN: ("撤下", "withdrawn"),
    ImportChange.REFUSED: ("拒绝", "refused"),
}
"""Each with its label in Chinese and English."""


@dataclass(frozen=True)
class ImportItem:
    """What would happen to one entry.

    Attributes:
        resource: as the file names it; what it calls itself, if it names none.
        entry: as it would be; None if it was refused for what it says, or is withdrawn.
        changes: against the entry in force.
        problems: why it is refused, each with its place.
    """

    change: ImportChange
    resource: str
    place: Place
    entry: CatalogueEntry | None = None
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class ImportPlan:
    """What a file would do. Nothing has happened yet.

    Attributes:
        ignored: headings or names in the file that mean nothing here.
    """

    items: tuple[ImportItem, ...]
    ignored: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the file can't be taken: one refused entry refuses all."""
        return not self.items or any(one.change is ImportChange.REFUSED for one in self.items)

    @property
    def counts(self) -> dict[ImportChange, int]:
        """How many entries would be new, changed, and so on."""
        counted = Counter(one.change for one in self.items)
        return {change: counted[change] for change in ImportChange}


class ImportRefusedError(CatalogueError):
    """A file of entries was refused whole; the plan tells every problem."""

    def __init__(self, plan: ImportPlan) -> None:
        refused = plan.counts[ImportChange.REFUSED]
        first = next((problem for item in plan.items for problem in item.problems), None)
        super().__init__(
            f"目录文件未导入：{refused} 个条目被拒绝" if plan.items else "目录文件里没有条目",
            f"the file was not taken: {refused} entries are refused" if plan.items else "the file holds no entry",
            advice_chinese="先不带 --apply 运行，按所列的行和列改正。",
            advice_english="Run it without --apply first and mend what it lists by row and column.",
            place=first.place if first else Place(),
        )
        self.plan = plan


def plan_import(
    found: Found,
    known: Mapping[str, CatalogueEntry],
    mandatory: Sequence[MandatoryItem],
    *,
    complete: bool = False,
) -> ImportPlan:
    """Tell what a file would do.

    Args:
        found: the file, as it was read.
        known: the catalogue in force.
        mandatory: the mandatory sharing list.
        complete: the file is the whole catalogue of every department in it: what it doesn't hold is withdrawn.
    """
    items = [_item(raw, known, mandatory) for raw in found.entries]
    items = _without_doubles(items, known)
    if complete:
        items += _withdrawn(items, known, mandatory)
    return ImportPlan(tuple(items), tuple(found.ignored))


def _item(raw: RawEntry, known: Mapping[str, CatalogueEntry], mandatory: Sequence[MandatoryItem]) -> ImportItem:
    try:
        entry = from_raw(raw, known)
    except Unreadable as unreadable:
        named = next((raw.fields[one].text for one in ("resource", "title") if one in raw.fields), "")
        return ImportItem(ImportChange.REFUSED, named, raw.place, problems=tuple(unreadable.problems))
    before = known.get(entry.resource)
    try:
        check_mandatory(entry, mandatory, previous=before)
    except CatalogueError as error:
        problem = Problem.of(error, raw.fields["sharing"].place if "sharing" in raw.fields else raw.place)
        return ImportItem(ImportChange.REFUSED, entry.resource, raw.place, problems=(problem,))
    if before is None:
        return ImportItem(ImportChange.NEW, entry.resource, raw.place, entry)
    changes = entry_changes(before, entry)
    change = ImportChange.CHANGED if changes else ImportChange.UNCHANGED
    return ImportItem(change, entry.resource, raw.place, entry, changes)


def _without_doubles(items: list[ImportItem], known: Mapping[str, CatalogueEntry]) -> list[ImportItem]:
    """Refuse entries that claim a resource or a code which another in the file or the catalogue has."""
    resources = Counter(one.resource for one in items if one.entry)
    codes = Counter(one.entry.code for one in items if one.entry and one.entry.code)
    owners = {entry.code: entry.resource for entry in known.values() if entry.code}
    checked = []
    for one in items:
        problems = []
        if one.entry is not None and resources[one.resource] > 1:
            problems.append(Problem(one.place, "同一资源在文件中出现两次", "the resource stands twice in the file"))
        if one.entry is not None and one.entry.code:
            owner = owners.get(one.entry.code, one.resource)
            if codes[one.entry.code] > 1 or owner != one.resource:
                problems.append(
                    Problem(one.place, "信息资源代码已属于另一资源", "the code belongs to another resource")
                )
        checked.append(
            ImportItem(ImportChange.REFUSED, one.resource, one.place, problems=tuple(problems)) if problems else one
        )
    return checked


def _withdrawn(
    items: Sequence[ImportItem], known: Mapping[str, CatalogueEntry], mandatory: Sequence[MandatoryItem]
) -> list[ImportItem]:
    held = {one.resource for one in items}
    providers = {one.resource.partition(".")[0] for one in items if one.entry is not None}
    gone = []
    for resource, entry in known.items():
        if resource in held or entry.provider not in providers:
            continue
        try:
            check_withdrawal(entry, mandatory)
        except CatalogueError as error:
            problem = Problem.of(error, Place())
            gone.append(ImportItem(ImportChange.REFUSED, resource, Place(), problems=(problem,)))
        else:
            gone.append(ImportItem(ImportChange.WITHDRAWN, resource, Place(), changes=entry_changes(entry, None)))
    return gone
