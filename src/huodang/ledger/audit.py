"""Checking the whole log: recompute both trees from the leaves and compare with all that is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, select

from huodang.ledger import records
from huodang.ledger.errors import DamagedReceiptError
from huodang.ledger.merkle import TREES, Node, appended
from huodang.ledger.notes import NoteText, is_signed_by, read_note, tree_origin
from huodang.ledger.trees import Frontier, fetch_nodes
from huodang.trust import NotCanonicalError, PublicKey, parse_strict

MAX_FAULTS = 100
_CHUNK = 1000
_SENTENCES = {
    "missing_leaf": ("缺少叶子，其后无法核对", "a leaf is missing; what follows cannot be checked"),
    "altered_leaf": ("叶子被改动", "a leaf was altered"),
    "altered_node": ("树节点与重算结果不符", "a node of a tree differs from what was computed"),
    "surplus_node": ("存在多余的树节点", "there are nodes that belong to no leaf"),
    "cut_tail": (
        "检查点所含叶子多于账本：末尾被截断",
        "a checkpoint covers more leaves than there are: the tail was cut",
    ),
    "uncovered_tail": ("末尾叶子没有检查点", "the last leaves are covered by no checkpoint"),
    "altered_checkpoint": ("检查点与重算的树根不符", "a checkpoint states another root than was computed"),
    "forged_checkpoint": ("检查点签名无效", "a checkpoint's signature is not valid"),
}


@dataclass(frozen=True)
class LedgerFault:
    """One thing that does not fit.

    Attributes:
        code: `missing_leaf`, `altered_leaf`, `altered_node`, `surplus_node`, `cut_tail`, `uncovered_tail`,
            `altered_checkpoint` or `forged_checkpoint`.
        place: Leaf index, level and index of a node, or size of a checkpoint.
    """

    code: str
    place: str

    @property
    def chinese(self) -> str:
        """The finding as a sentence."""
        return f"{_SENTENCES[self.code][0]}（{self.place}）"

    @property
    def english(self) -> str:
        """The finding as a sentence."""
        return f"{_SENTENCES[self.code][1]} ({self.place})"


@dataclass(frozen=True)
class LedgerAudit:
    """The outcome of `Ledger.verify_all`.

    Attributes:
        size: How many leaves were checked.
        checkpoints: How many checkpoints were checked.
        faults: What was found, at most 100.
    """

    size: int
    checkpoints: int
    faults: tuple[LedgerFault, ...]

    @property
    def valid(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


@dataclass
class _Findings:
    faults: list[LedgerFault] = field(default_factory=list)

    def add(self, code: str, place: object) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(LedgerFault(code, str(place)))


def audit(
    connection: Connection,
    origin: str,
    keys: Mapping[str, PublicKey],
    retained: Sequence[tuple[int, Mapping[str, str]]],
) -> LedgerAudit:
    """Read the log once from the first leaf to the last and check nodes and checkpoints on the way.

    Args:
        connection: A snapshot of the database.
        origin: The log's name.
        keys: Whose signature each tree's notes must bear.
        retained: Checkpoints kept elsewhere: size, and the note of each tree.
    """
    found = _Findings()
    checkpoints = _checkpoints(connection, retained)
    total = sum(len(notes) for notes in checkpoints.values())
    frontier = Frontier(0, {})
    nodes = 0
    while rows := _next_leaves(connection, frontier.size):
        stored = fetch_nodes(connection, [place for row in rows for place in appended(row.leaf_index)])
        nodes += len(stored)
        for row in rows:
            if row.leaf_index != frontier.size:
                found.add("missing_leaf", frontier.size)
                return LedgerAudit(frontier.size, total, tuple(found.faults))
            _check_leaf(found, frontier, row, stored)
            for notes in checkpoints.pop(frontier.size, ()):
                _check_notes(found, origin, keys, frontier, notes)
    for size in sorted(checkpoints):
        found.add("cut_tail", size)
    if nodes != connection.execute(select(func.count()).select_from(records.node)).scalar_one():
        found.add("surplus_node", frontier.size)
    newest = connection.execute(select(func.max(records.checkpoint.c.tree_size))).scalar_one() or 0
    if newest < frontier.size:
        found.add("uncovered_tail", frontier.size)
    return LedgerAudit(frontier.size, total, tuple(found.faults))


def _checkpoints(
    connection: Connection, retained: Sequence[tuple[int, Mapping[str, str]]]
) -> dict[int, list[Mapping[str, str]]]:
    """All checkpoints by size: those stored and those kept elsewhere."""
    by_size: dict[int, list[Mapping[str, str]]] = {}
    for row in connection.execute(select(records.checkpoint)):
        by_size.setdefault(row.tree_size, []).append({"sha256": row.sha256_note, "sm3": row.sm3_note})
    for size, notes in retained:
        by_size.setdefault(size, []).append(notes)
    return by_size


def _next_leaves(connection: Connection, start: int) -> Sequence[Row[Any, Any, Any]]:
    table = records.leaf
    query = select(table.c.leaf_index, table.c.entry_id, table.c.leaf).where(table.c.leaf_index >= start)
    return connection.execute(query.order_by(table.c.leaf_index).limit(_CHUNK)).all()


def _check_leaf(
    found: _Findings, frontier: Frontier, row: Row[Any, Any, Any], stored: Mapping[Node, dict[str, bytes]]
) -> None:
    try:
        carries_its_name = parse_strict(row.leaf).get("entry_id") == row.entry_id
    except NotCanonicalError:
        carries_its_name = False
    for level, index, computed in frontier.append(row.leaf.encode(), stored):
        if stored.get((level, index)) != computed:
            found.add("altered_node" if level else "altered_leaf", f"{level}:{index}" if level else index)
            carries_its_name = carries_its_name or not level  # one finding for one leaf is enough
    if not carries_its_name:
        found.add("altered_leaf", row.leaf_index)


def _check_notes(
    found: _Findings, origin: str, keys: Mapping[str, PublicKey], frontier: Frontier, notes: Mapping[str, str]
) -> None:
    roots = frontier.roots()
    for tree in TREES:
        place = f"{tree}:{frontier.size}"
        try:
            if read_note(notes[tree]) != NoteText(tree_origin(origin, tree), frontier.size, roots[tree]):
                found.add("altered_checkpoint", place)
            if not is_signed_by(notes[tree], keys[tree].suite, keys[tree].signing):
                found.add("forged_checkpoint", place)
        except DamagedReceiptError:
            found.add("altered_checkpoint", place)
