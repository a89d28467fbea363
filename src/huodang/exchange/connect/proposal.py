"""From the mapping of a table to what a gateway could offer of it: checks, tables, events, lists, matches. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from huodang.exchange.catalogue import product_catalogue
from huodang.exchange.connect.mapping import SUBJECT, ColumnMapping, TableMapping
from huodang.exchange.connect.said import Said
from huodang.exchange.values import Kind

_PERSON: Final = frozenset({SUBJECT, "name", "sex", "birth_date"})
_MATCHED: Final = 0.6
_BARE: Final = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME: Final = 40
_ROW_KEYS: Final = ("person_id", "certificate_number", "account_number", "archive_number", "one_child_certificate")
_EVENTS: Final = (
    ("death_date", "death_registered", "cn.huodang.death.registered", "cn.huodang.death.annulled"),
    ("custody_from", "custody_changed", "cn.huodang.custody.begun", "cn.huodang.custody.ended"),
    ("household_status", "moved", "cn.huodang.household.moved", None),
    ("medical_status", "enrolled_elsewhere", "cn.huodang.insurance.enrolled_elsewhere", None),
)


@dataclass(frozen=True)
class Offer:
    """One thing that the gateway could offer of a table.

    Attributes:
        spec: its entry in the gateway's file, without the resource's name.
        known: the product's catalogue has this resource.
        notes: what was found and what is to be decided, for the file.
    """

    resource: str
    kind: Kind
    elements: tuple[str, ...]
    spec: Mapping[str, Any]
    known: bool
    notes: tuple[Said, ...] = ()


@dataclass(frozen=True)
class TableProposal:
    """All that is proposed for one table; `why_not` if nothing can be."""

    mapping: TableMapping
    offers: tuple[Offer, ...] = ()
    why_not: Said | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """The elements that name a row; empty if no table can be delivered."""
        for one in self.offers:
            if one.kind is Kind.TABLE:
                return tuple(one.spec["key"])
        return ()


def propose(mappings: Sequence[TableMapping], department: str, *, of_files: bool = False) -> tuple[TableProposal, ...]:
    """Propose what a gateway could offer.

    Args:
        mappings: of all tables.
        department: the code in front of every resource's name.
        of_files: the source is a folder of files: no tables and no lists then.
    """
    taken: set[str] = set()
    # Richer tables first: they have the first claim on a resource of the catalogue.
    order = sorted(range(len(mappings)), key=lambda at: (-len(mappings[at].used), mappings[at].facts.name))
    made = {at: _propose(mappings[at], department, taken, of_files=of_files) for at in order}
    return tuple(made[at] for at in range(len(mappings)))


def _propose(mapping: TableMapping, department: str, taken: set[str], *, of_files: bool) -> TableProposal:
    if mapping.facts.problem is not None:
        return TableProposal(mapping, why_not=mapping.facts.problem)
    subject = mapping.subject
    if subject is None:
        asked = [one.column for one in mapping.asked if one.element.identifier == SUBJECT]
        if asked:
            return TableProposal(
                mapping,
                why_not=Said(
                    f"证件号码列不能确定，可能是 {'、'.join(asked)}：请用人工确认后写入 subject",
                    f"the column of identity numbers isn't plain, perhaps {', '.join(asked)}: confirm it by hand",
                ),
            )
        return TableProposal(mapping, why_not=Said("没有证件号码列，不能按人提供", "no column of identity numbers"))
    others = {name: one for name, one in mapping.used.items() if name != SUBJECT}
    if not others:
        return TableProposal(
            mapping, why_not=Said("除证件号码外没有可对应的数据元", "no element but the identity number was found")
        )
    offers = [_check(mapping, subject, others, department, taken, of_files=of_files)]
    key = _key(mapping)
    if key is not None and not of_files:
        offers.append(_table(mapping, key, department, taken))
    event = _event(mapping, subject, others, department, taken, of_files=of_files)
    if event is not None:
        offers.append(event)
    if "birth_date" in others and not of_files and department == "social_insurance":
        offers.append(_list(mapping, others, department, taken))
    offers.append(_match(mapping, subject, department, taken, of_files=of_files))
    return TableProposal(mapping, tuple(offers))


def _check(
    mapping: TableMapping,
    subject: ColumnMapping,
    others: Mapping[str, ColumnMapping],
    department: str,
    taken: set[str],
    *,
    of_files: bool,
) -> Offer:
    name, known = _name(mapping, department, Kind.CHECK, taken)
    outcomes: list[dict[str, Any]] = []
    if "death_date" in others:
        outcomes.append({"outcome": "hit", "reason": "death_registered", "when": {"death_date": "present"}})
    if {"custody_from", "custody_to"} <= others.keys():
        outcomes.append(
            {
                "outcome": "hit",
                "reason": "in_custody",
                "when": {
                    "custody_from": {"on_or_before": {"parameter": "on_date"}},
                    "any": [{"custody_to": "absent"}, {"custody_to": {"on_or_after": {"parameter": "on_date"}}}],
                },
            }
        )
    outcomes += [
        {"outcome": "conflict", "reason": f"{one}_differs", "when": {one: "differs_from_claim"}}
        for one in ("birth_date", "sex", "name")
        if one in others
    ]
    spec: dict[str, Any] = {**_where(mapping, of_files=of_files), "subject": subject.column}
    if mapping.cursor is not None:
        spec["as_of"] = {"column": mapping.cursor.column} | _format(mapping.cursor)
    spec["elements"] = {one: mapped.spec(several_formats=False) for one, mapped in others.items()}
    spec["no_row"] = {"outcome": "unknown", "reason": "not_registered"}
    spec["outcomes"] = outcomes
    spec["otherwise"] = {"outcome": "clear", "reason": "matches"}
    notes = [
        Said(
            "查无此人时答“未知”；名单齐全、无记录即无此事的，改为 clear",
            "nobody found is `unknown`; where the list is complete make it `clear`",
        )
    ]
    if mapping.cursor is None:
        notes.append(
            Said("没有找到更新时间列，数据时点按查询时刻计", "no column tells when a row was written: as of the query")
        )
    notes += _several_rows(mapping, subject)
    if not of_files and _key(mapping) is None:
        notes.append(
            Said(
                "没有唯一而又对应数据元的列，未提出库表交付：请指定 key，或建带主键的视图",
                "no unique column is an element: no table is proposed; name a `key`, or make a view with one",
            )
        )
    return Offer(name, Kind.CHECK, (SUBJECT, *others), spec, known, tuple(notes))


def _several_rows(mapping: TableMapping, subject: ColumnMapping) -> list[Said]:
    profile = mapping.profiles[subject.column]
    if profile.filled - profile.distinct <= 0:
        return []
    return [
        Said(
            f"同一人有多行（样本 {profile.filled} 行、{profile.distinct} 人）：请用 only、order 说明取哪行",
            "persons have several rows: decide on `only` and `order`",
        )
    ]


def _table(mapping: TableMapping, key: tuple[str, ...], department: str, taken: set[str]) -> Offer:
    name, known = _name(mapping, department, Kind.TABLE, taken)
    spec: dict[str, Any] = {
        "table": mapping.facts.name,
        "key": list(key),
        "elements": {one: mapped.spec(several_formats=True) for one, mapped in mapping.used.items()},
    }
    if mapping.cursor is not None:
        spec["cursor"] = {"column": mapping.cursor.column} | _format(mapping.cursor) | {"overlap_minutes": 10}
    spec["required"] = [SUBJECT]
    if {"birth_date", "death_date"} <= mapping.used.keys():
        spec["rules"] = [{"rule": "death_before_birth", "element": "death_date", "not_before": "birth_date"}]
    return Offer(name, Kind.TABLE, tuple(mapping.used), spec, known)


def _event(
    mapping: TableMapping,
    subject: ColumnMapping,
    others: Mapping[str, ColumnMapping],
    department: str,
    taken: set[str],
    *,
    of_files: bool,
) -> Offer | None:
    key = mapping.facts.primary_key
    if of_files:
        key = tuple(one.column for one in (subject, others.get("custody_from") or others.get("death_date")) if one)
    if not key:
        return None
    for element, what, kind, withdrawn in _EVENTS:
        if element not in others:
            continue
        name = f"{department}.{what}"
        if name in taken:
            return None
        taken.add(name)
        spec: dict[str, Any] = {"type": kind}
        if withdrawn:
            spec["withdrawn_type"] = withdrawn
        spec |= _where(mapping, of_files=of_files)
        spec |= {"key": key[0] if len(key) == 1 else list(key), "subject": subject.column}
        if mapping.cursor is not None and not of_files and mapping.cursor.formats != ():
            spec["cursor"] = mapping.cursor.column
        spec["elements"] = {one: mapped.spec(several_formats=False) for one, mapped in others.items()}
        note = Said(
            "只有发生该事项的行才应发布：请用 only 限定（如死亡注销、有效标志）",
            "only rows in which it happened are to be published: narrow them with `only`",
        )
        return Offer(name, Kind.EVENT, (SUBJECT, *others), spec, name in product_catalogue(), (note,))
    return None


def _list(mapping: TableMapping, others: Mapping[str, ColumnMapping], department: str, taken: set[str]) -> Offer:
    name, known = _name(mapping, department, Kind.LIST, taken)
    birth = others["birth_date"]
    wanted = [SUBJECT, *(one for one in ("name", "sex", "birth_date", "employer") if one in others)]
    within = {"column": birth.column, "lower": "birth_from", "upper": "birth_to"} | _format(birth)
    spec = {
        "table": mapping.facts.name,
        "within": within,
        "elements": {one: mapping.used[one].spec(several_formats=False) for one in wanted},
    }
    note = Said(
        "到龄名单；只应列出尚未领取待遇的人，可改用视图", "who reaches the age; best a view of who draws nothing yet"
    )
    return Offer(name, Kind.LIST, tuple(wanted), spec, known, (note,))


def _match(mapping: TableMapping, subject: ColumnMapping, department: str, taken: set[str], *, of_files: bool) -> Offer:
    name, known = _name(mapping, department, Kind.MATCH, taken)
    spec = {**_where(mapping, of_files=of_files), "column": subject.column}
    note = Said("只求交集，不交出名单", "the overlap alone, no row is handed over")
    return Offer(name, Kind.MATCH, (SUBJECT,), spec, known, (note,))


def _key(mapping: TableMapping) -> tuple[str, ...] | None:
    """Name a row by elements: the primary key's, or another unique set's, or a number that never repeats."""
    elements = {one.column: name for name, one in mapping.used.items()}
    for columns in mapping.facts.unique:
        if all(column in elements for column in columns):
            return tuple(elements[column] for column in columns)
    for name in (*_ROW_KEYS, SUBJECT):
        one = mapping.used.get(name)
        if one is not None:
            profile = mapping.profiles[one.column]
            if profile.filled and profile.distinct == profile.rows:
                return (name,)
    return None


def _where(mapping: TableMapping, *, of_files: bool) -> dict[str, str]:
    return {"file": mapping.facts.name, "take": "latest"} if of_files else {"table": mapping.facts.name}


def _format(mapped: ColumnMapping) -> dict[str, str]:
    return {"format": mapped.formats[0]} if mapped.formats else {}


def _name(mapping: TableMapping, department: str, kind: Kind, taken: set[str]) -> tuple[str, bool]:
    """Name a resource: the catalogue's own, if the table holds what that one is about; else after the table."""
    best, best_share = "", 0.0
    for name, entry in product_catalogue().items():
        if entry.provider != department or entry.kind is not kind or name in taken:
            continue
        about = set(entry.elements) - _PERSON or set(entry.elements)
        share = len(about & mapping.used.keys()) / len(about)
        if share > best_share:
            best, best_share = name, share
    if best_share >= _MATCHED and kind is not Kind.MATCH:
        taken.add(best)
        return best, True
    suffix = {Kind.TABLE: "_table", Kind.MATCH: "_match", Kind.LIST: "_list"}.get(kind, "")
    stem = _BARE.sub("_", mapping.facts.name.lower()).strip("_")[:_LONGEST_NAME].strip("_") or "table"
    if not stem[0].isalpha():
        stem = f"t_{stem}"
    name, number = f"{department}.{stem}{suffix}", 1
    present = product_catalogue().get(name)
    if present is not None and present.kind is not kind:
        stem = f"{stem}_{kind.value}"  # the catalogue means something else by that name
        name = f"{department}.{stem}{suffix}"
    while name in taken:
        number += 1
        name = f"{department}.{stem}_{number}{suffix}"
    taken.add(name)
    return name, name in product_catalogue()
