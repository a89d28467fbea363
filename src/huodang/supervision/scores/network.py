"""The network of what is shared: people, accounts, addresses and employers as connected components.

Two people belong together where a chain of shared things joins them. A thing that too many share (an employer of
thousands, a home for the old) joins nobody: else everybody would belong together. Components are listed by what their
people's scores and shared things say, the most suspicious first.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from huodang.supervision.scores.service import Scores

Integers = npt.NDArray[np.int64]

# A thing shared by more people than this joins nobody.
MOST_SHARING: Final[dict[str, int]] = {"account": 60, "address": 40, "employer": 12}
# Small employers join people, but colleagues are no suspicion: only what else they share adds to a component's score.
_WEIGHTS: Final = {"account": 1.0, "address": 0.5, "employer": 0.0}


@dataclass(frozen=True)
class Link:
    """One thing that several people of a component share.

    Attributes:
        kind: `account`, `address` or `employer`.
        key: The account's or address's number in the prepared table, or the employer's code.
        people: Positions of the people, in the order of the scores.
    """

    kind: str
    key: int
    people: tuple[int, ...]


@dataclass(frozen=True)
class Component:
    """People who hang together by what they share."""

    people: tuple[int, ...]
    links: tuple[Link, ...]
    score: float


@dataclass(frozen=True)
class Network:
    """All components of two people and more.

    Attributes:
        components: The most suspicious ones, as many as were asked for.
        total: How many components there are.
        accounts, addresses, employers: How many of each join people.
        left_out: How many things are shared by too many and join nobody.
    """

    components: tuple[Component, ...]
    total: int
    accounts: int
    addresses: int
    employers: int
    left_out: int


@dataclass(frozen=True)
class _Shared:
    """All things of one kind that join people: who has which; `keys` by thing."""

    kind: str
    members: Integers
    things: Integers
    keys: Integers
    left_out: int


def network(scores: Scores, most: int = 20) -> Network:
    """Find who hangs together, and list the most suspicious components.

    Args:
        scores: What a run of `score` gave.
        most: How many components to list.
    """
    people = scores.people
    # Who is paid by two schemes stands twice in the list, and is one person here.
    persons, first, position = np.unique(people.person, return_index=True, return_inverse=True)
    shared = [
        _shared("account", people.account[first]),
        _shared("address", people.address[first]),
        _shared("employer", people.employer[first].astype(np.int64)),
    ]
    labels = _components(len(persons), shared)
    points = np.zeros(len(persons))
    np.maximum.at(points, position, scores.scores)
    sizes = np.bincount(labels, minlength=1)
    rank = _rank(labels, points, shared)
    several = np.flatnonzero(sizes > 1)
    listed = several[np.lexsort((several, -rank[several]))][:most]
    found = {one.kind: len(one.keys) for one in shared}
    return Network(
        tuple(_component(int(label), labels, first, shared, float(rank[label])) for label in listed),
        len(several),
        found["account"],
        found["address"],
        found["employer"],
        sum(one.left_out for one in shared),
    )


def _shared(kind: str, keys: Integers) -> _Shared:
    """Find the things that two people or more have, and not too many."""
    told = np.flatnonzero(keys >= 0)
    values, things, counts = np.unique(keys[told], return_inverse=True, return_counts=True)
    joins = (counts > 1) & (counts <= MOST_SHARING[kind])
    number = np.cumsum(joins) - 1
    kept = joins[things]
    return _Shared(
        kind, told[kept], number[things[kept]], values[joins], int(np.count_nonzero(counts > MOST_SHARING[kind]))
    )


def _components(count: int, shared: list[_Shared]) -> Integers:
    """Label everybody with the smallest position of the component: union-find over whole columns."""
    starts = np.cumsum([count, *(len(one.keys) for one in shared)])
    labels = np.arange(starts[-1], dtype=np.int64)
    people = np.concatenate([one.members for one in shared])
    things = np.concatenate([one.things + start for one, start in zip(shared, starts, strict=False)])
    while True:
        left, right = labels[people], labels[things]
        if np.array_equal(left, right):
            return labels[:count]
        lower = np.minimum(left, right)
        np.minimum.at(labels, left, lower)
        np.minimum.at(labels, right, lower)
        while not np.array_equal(labels, root := labels[labels]):
            labels = root


def _rank(labels: Integers, points: npt.NDArray[np.float64], shared: list[_Shared]) -> npt.NDArray[np.float64]:
    """Weigh each component: its highest score, what its people have together, and how much they share."""
    size = len(labels)
    highest = np.zeros(size)
    np.maximum.at(highest, labels, points)
    rank = highest + np.log2(1 + np.bincount(labels, weights=points, minlength=size))
    for one in shared:
        if len(one.members):
            component = np.zeros(len(one.keys), dtype=np.int64)
            component[one.things] = labels[one.members]
            weight = _WEIGHTS[one.kind] * np.log2(np.bincount(one.things))
            rank += np.bincount(component, weights=weight, minlength=size)
    return rank


def _component(label: int, labels: Integers, first: Integers, shared: list[_Shared], score: float) -> Component:
    people = np.flatnonzero(labels == label)
    links = []
    for one in shared:
        inside = np.isin(one.members, people)
        for thing in np.unique(one.things[inside]):
            members = one.members[one.things == thing]
            links.append(Link(one.kind, int(one.keys[thing]), tuple(int(first[at]) for at in members)))
    return Component(tuple(int(first[at]) for at in people), tuple(links), score)
