"""The twin trees as they stand in the database: append leaves, and fetch the hashes that roots and proofs need."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select

from huodang.ledger.merkle import TREES, Node, appended, cover, fold, leaf_hash, node_hash, number
from huodang.ledger.records import node
from huodang.store import insert_rows

_ROWS = 800  # parameters a statement, within what old SQLite takes


class Frontier:
    """The right edge of both trees in memory: what the next leaves are combined with."""

    def __init__(self, size: int, nodes: dict[Node, dict[str, bytes]]) -> None:
        self.size = size
        self._nodes = nodes

    @classmethod
    def load(cls, connection: Connection, size: int) -> "Frontier":
        """Read the at most 63 complete subtrees that make up the trees of this size.

        Raises:
            KeyError: One is not stored: the ledger is damaged.
        """
        wanted = cover(0, size)
        found = fetch_nodes(connection, wanted)
        return cls(size, {place: found[place] for place in wanted})

    def append(
        self, leaf: bytes, stored: Mapping[Node, dict[str, bytes]] | None = None
    ) -> list[tuple[int, int, dict[str, bytes]]]:
        """Append a leaf.

        Args:
            leaf: The leaf.
            stored: For an audit: hashes to go on with in place of the computed ones, so that one altered leaf shows as
                one finding and not in all that stands above it.

        Returns:
            Level, index and hashes of the subtrees that became complete, about two a leaf.
        """
        hashes = {name: leaf_hash(digest, leaf) for name, digest in TREES.items()}
        completed: list[tuple[int, int, dict[str, bytes]]] = []
        for level, index in appended(self.size):
            if level:
                left = self._nodes.pop((level - 1, 2 * index))
                hashes = {name: node_hash(digest, left[name], hashes[name]) for name, digest in TREES.items()}
            completed.append((level, index, hashes))
            hashes = (stored or {}).get((level, index), hashes)
        self._nodes[level, index] = hashes
        self.size += 1
        return completed

    def roots(self) -> dict[str, bytes]:
        """The roots of both trees."""
        return _fold_all([self._nodes[place] for place in cover(0, self.size)])


def store_nodes(connection: Connection, completed: Sequence[tuple[int, int, dict[str, bytes]]]) -> None:
    """Write what `Frontier.append` returned."""
    rows = [(number((level, index)), hashes["sha256"], hashes["sm3"]) for level, index, hashes in completed]
    insert_rows(connection, node, ("number", "sha256", "sm3"), rows)


def fetch_nodes(connection: Connection, places: Iterable[Node]) -> dict[Node, dict[str, bytes]]:
    """Read these subtrees' hashes; what is not stored is left out."""
    wanted = {number(place): place for place in places}
    numbers = sorted(wanted)
    found: dict[Node, dict[str, bytes]] = {}
    for at in range(0, len(numbers), _ROWS):
        query = select(node).where(node.c.number.in_(numbers[at : at + _ROWS]))
        for row in connection.execute(query):
            found[wanted[row.number]] = {"sha256": row.sha256, "sm3": row.sm3}
    return found


def fetch_roots(connection: Connection, ranges: Sequence[tuple[int, int]]) -> list[dict[str, bytes]]:
    """The roots of these ranges of leaves, as proofs need them.

    Raises:
        KeyError: A subtree is not stored: the ledger is damaged.
    """
    covers = [cover(start, end) for start, end in ranges]
    found = fetch_nodes(connection, [place for places in covers for place in places])
    return [_fold_all([found[place] for place in places]) for places in covers]


def _fold_all(hashes: Sequence[dict[str, bytes]]) -> dict[str, bytes]:
    return {name: fold(digest, [both[name] for both in hashes]) for name, digest in TREES.items()}
