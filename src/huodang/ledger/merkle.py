"""Merkle trees after RFC 6962: roots, inclusion and consistency proofs, and their verification. Pure.

A tree of any size is covered by complete subtrees. A node `(level, index)` is the complete subtree over the leaves
`index·2^level` up to `(index+1)·2^level`; it never changes once it exists, so it is stored and never computed again.
Proofs are planned first (`…_ranges`, `cover`), so that a caller fetches all nodes at once, and folded afterwards.

Source: RFC 6962 section 2.1 (hashes and proofs), RFC 9162 sections 2.1.3.2 and 2.1.4.2 (verification).
"""

from collections.abc import Callable, Iterator, Sequence

from huodang.trust import sha256, sm3

Digest = Callable[[bytes], bytes]
Node = tuple[int, int]
"""Level and index of a complete subtree."""

TREES: dict[str, Digest] = {"sha256": sha256, "sm3": sm3}
"""The twin trees and their hash functions."""


def leaf_hash(digest: Digest, leaf: bytes) -> bytes:
    """Hash a leaf; the prefix keeps a leaf from ever passing as a node."""
    return digest(b"\x00" + leaf)


def node_hash(digest: Digest, left: bytes, right: bytes) -> bytes:
    """Hash an inner node."""
    return digest(b"\x01" + left + right)


def cover(start: int, end: int) -> list[Node]:
    """The complete subtrees that make up the leaves `start` to `end` (exclusive), largest first.

    `start` must be a multiple of the largest power of two that is at most `end - start`, as in every subtree.
    """
    nodes: list[Node] = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def number(place: Node) -> int:
    """The number of a complete subtree in a walk over the tree from left to right; no two share one."""
    level, index = place
    return ((2 * index + 1) << level) - 1


def fold(digest: Digest, hashes: Sequence[bytes]) -> bytes:
    """Root over the hashes of a `cover`; of an empty tree, the digest of nothing."""
    if not hashes:
        return digest(b"")
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(digest, left, root)
    return root


def appended(size: int, level: int = 0) -> Iterator[Node]:
    """The nodes that become complete when the leaf of index `size` is appended, from the leaf upward."""
    yield level, size
    while size & 1:
        size >>= 1
        level += 1
        yield level, size


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose subtree roots prove that leaf `index` is in the tree of `size`, nearest first.

    Raises:
        ValueError: There is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of this size")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose subtree roots prove that the tree of `old` leaves is the beginning of that of `new`.

    Raises:
        ValueError: `old` is not between 1 and `new`.
    """
    if not 1 <= old <= new:
        raise ValueError("the old size must be between 1 and the new size")
    ranges: list[tuple[int, int]] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if not whole:
        ranges.append((start, end))
    return ranges[::-1]


def root_from_inclusion(digest: Digest, hashed: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Compute the root that an inclusion proof leads to.

    Args:
        digest: The tree's hash function.
        hashed: The leaf's hash.
        index: Its index.
        size: The size of the tree.
        proof: The proof, nearest first.

    Returns:
        The root, or None if a proof for this leaf and size has another length.
    """
    if not 0 <= index < size:
        return None
    place, last, root = index, size - 1, hashed
    for sibling in proof:
        if last == 0:
            return None
        if place & 1 or place == last:
            root = node_hash(digest, sibling, root)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            root = node_hash(digest, root, sibling)
        place >>= 1
        last >>= 1
    return root if last == 0 else None


def check_consistency(digest: Digest, old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """Say whether the proof shows that the old tree (size, root) is the beginning of the new one."""
    (old_size, old_root), (new_size, new_root) = old, new
    if not 1 <= old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    path = list(proof)
    if (
        old_size & (old_size - 1) == 0
    ):  # the old tree is itself a complete subtree, so its root is left out of the proof
        path.insert(0, old_root)
    if not path:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first = node_hash(digest, sibling, first)
            second = node_hash(digest, sibling, second)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            second = node_hash(digest, second, sibling)
        place >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == new_root


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)
