"""Merkle trees held against the recursive definitions of RFC 6962, which are slow and plain."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.ledger.merkle import (
    TREES,
    appended,
    check_consistency,
    consistency_ranges,
    cover,
    fold,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    number,
    root_from_inclusion,
)
from huodang.ledger.trees import Frontier

SHA = TREES["sha256"]
LEAVES = [f"leaf {number}".encode() for number in range(300)]


def split(size: int) -> int:
    half = 1
    while half * 2 < size:
        half *= 2
    return half


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    middle = split(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:middle]) + naive_root(leaves[middle:])).digest()


def naive_inclusion(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    middle = split(len(leaves))
    if index < middle:
        return [*naive_inclusion(index, leaves[:middle]), naive_root(leaves[middle:])]
    return [*naive_inclusion(index - middle, leaves[middle:]), naive_root(leaves[:middle])]


def naive_consistency(old: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2."""
    if old == len(leaves):
        return [] if whole else [naive_root(leaves)]
    middle = split(len(leaves))
    if old <= middle:
        return [*naive_consistency(old, leaves[:middle], whole=whole), naive_root(leaves[middle:])]
    return [*naive_consistency(old - middle, leaves[middle:], whole=False), naive_root(leaves[:middle])]


def stored_nodes(size: int) -> dict[tuple[int, int], bytes]:
    """Every complete subtree, as the ledger stores them while appending."""
    nodes: dict[tuple[int, int], bytes] = {}
    frontier = Frontier(0, {})
    for leaf in LEAVES[:size]:
        nodes.update({(level, index): hashes["sha256"] for level, index, hashes in frontier.append(leaf)})
    return nodes


NODES = stored_nodes(len(LEAVES))


def proof_of(ranges: list[tuple[int, int]]) -> list[bytes]:
    return [fold(SHA, [NODES[place] for place in cover(start, end)]) for start, end in ranges]


def root_of(size: int) -> bytes:
    return fold(SHA, [NODES[place] for place in cover(0, size)])


def test_the_empty_tree_has_the_digest_of_nothing_as_root() -> None:
    assert fold(SHA, []).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Frontier(0, {}).roots()["sha256"] == hashlib.sha256(b"").digest()


def test_the_roots_of_the_published_certificate_transparency_example_come_out() -> None:
    """Leaves and roots of sizes 1 to 8 that the reference tests of RFC 6962 logs use."""
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    frontier = Frontier(0, {})
    for leaf in leaves:
        frontier.append(bytes.fromhex(leaf))
        if frontier.size in roots:
            assert frontier.roots()["sha256"].hex() == roots[frontier.size]


@pytest.mark.parametrize("size", range(1, 71))
def test_root_and_every_inclusion_proof_are_those_of_the_definition(size: int) -> None:
    leaves = LEAVES[:size]
    root = naive_root(leaves)
    assert root_of(size) == root
    for index in range(size):
        proof = proof_of(inclusion_ranges(index, size))
        assert proof == naive_inclusion(index, leaves)
        assert root_from_inclusion(SHA, leaf_hash(SHA, leaves[index]), index, size, proof) == root


@pytest.mark.parametrize("size", range(1, 71))
def test_every_consistency_proof_is_that_of_the_definition_and_holds(size: int) -> None:
    for old in range(1, size + 1):
        proof = proof_of(consistency_ranges(old, size))
        assert proof == naive_consistency(old, LEAVES[:size])
        assert check_consistency(SHA, (old, root_of(old)), (size, root_of(size)), proof)


sizes = st.integers(1, len(LEAVES))
places = st.tuples(st.integers(0, 40), st.integers(0, 2**20))


@given(data=st.data(), size=sizes)
@settings(max_examples=200)
def test_an_inclusion_proof_holds_for_its_own_leaf_place_and_size_only(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = proof_of(inclusion_ranges(index, size))
    root, hashed = root_of(size), leaf_hash(SHA, LEAVES[index])
    assert root_from_inclusion(SHA, hashed, index, size, proof) == root
    assert root_from_inclusion(SHA, leaf_hash(SHA, b"other"), index, size, proof) != root
    other = data.draw(st.integers(0, size + 1))
    if other != index:
        assert root_from_inclusion(SHA, hashed, other, size, proof) != root
    assert root_from_inclusion(SHA, hashed, index, size, [*proof, root]) != root
    if proof:
        assert root_from_inclusion(SHA, hashed, index, size, proof[:-1]) != root
        place = data.draw(st.integers(0, len(proof) - 1))
        altered = [bytes([one[0] ^ 1]) + one[1:] if at == place else one for at, one in enumerate(proof)]
        assert root_from_inclusion(SHA, hashed, index, size, altered) != root


@given(data=st.data(), size=sizes)
@settings(max_examples=200)
def test_a_consistency_proof_holds_for_its_own_two_trees_only(data: st.DataObject, size: int) -> None:
    old = data.draw(st.integers(1, size))
    proof = proof_of(consistency_ranges(old, size))
    first, second = (old, root_of(old)), (size, root_of(size))
    assert check_consistency(SHA, first, second, proof)
    assert not check_consistency(SHA, (old, hashlib.sha256(b"fork").digest()), second, proof)
    assert not check_consistency(SHA, first, (size, hashlib.sha256(b"fork").digest()), proof)
    assert not check_consistency(SHA, first, second, [*proof, root_of(1)])
    if proof:
        assert not check_consistency(SHA, first, second, proof[1:])
        assert not check_consistency(SHA, first, second, proof[:-1])


def test_a_rewritten_past_has_no_consistency_proof() -> None:
    """The proof of the honest log does not fit a log in which one early leaf was altered."""
    honest = root_of(50)
    forged = naive_root([b"forged", *LEAVES[1:80]])
    assert not check_consistency(SHA, (50, honest), (80, forged), proof_of(consistency_ranges(50, 80)))


@given(size=st.integers(0, 2**40))
def test_a_cover_is_made_of_whole_subtrees_from_large_to_small(size: int) -> None:
    nodes = cover(0, size)
    assert sum(1 << level for level, _ in nodes) == size
    levels = [level for level, _ in nodes]
    assert levels == sorted(set(levels), reverse=True)


@given(size=st.integers(0, 2**40))
def test_appending_completes_as_many_subtrees_as_the_new_size_has_trailing_zeros_and_one(size: int) -> None:
    levels = [level for level, _ in appended(size)]
    assert levels == list(range((size + 1 & -(size + 1)).bit_length()))


@given(
    one=st.tuples(st.integers(0, 40), st.integers(0, 2**20)), two=st.tuples(st.integers(0, 40), st.integers(0, 2**20))
)
def test_no_two_subtrees_share_a_number(one: tuple[int, int], two: tuple[int, int]) -> None:
    assert (number(one) == number(two)) == (one == two)


def test_subtrees_are_numbered_in_the_order_of_a_walk() -> None:
    assert [number(place) for place in [(0, 0), (1, 0), (0, 1), (2, 0), (0, 2), (1, 1), (0, 3)]] == list(range(7))


def test_a_leaf_never_passes_as_a_node() -> None:
    left, right = leaf_hash(SHA, b"a"), leaf_hash(SHA, b"b")
    assert leaf_hash(SHA, left + right) != node_hash(SHA, left, right)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion_ranges(index, size)
    assert root_from_inclusion(SHA, bytes(32), index, size, []) is None


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5)])
def test_there_is_no_consistency_with_nothing_or_with_the_future(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="old size"):
        consistency_ranges(old, new)
    assert not check_consistency(SHA, (old, bytes(32)), (new, bytes(32)), [])
