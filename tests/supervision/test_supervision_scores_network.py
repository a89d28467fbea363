"""Who hangs together by what they share, and the page that shows it."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scores_scene import Crowd, crowd

from huodang.supervision.scores import Network, Scores, ScoreSettings, network, score
from huodang.supervision.scores.layout import lay_out
from huodang.supervision.scores.network_page import network_page
from huodang.supervision.scores.shown import ShownPerson
from huodang.supervision.tables import Kind

PLAIN = ScoreSettings(generic=False, threads=1)


def few(things: list[tuple[int, int, int]]) -> Crowd:
    """Make people by their account, address and employer; nothing else is told of them."""
    made = Crowd({Kind.PAYMENTS: [], Kind.ARCHIVES: []})
    for number, (account, address, employer) in enumerate(things):
        person = 13010119500101001 + number * 10**11
        made.persons.append(person)
        made.rows[Kind.PAYMENTS].append({"person": person, "month": 202506, "fen": 100, "account": account})
        made.rows[Kind.ARCHIVES].append({"person": person, "address": address, "employer": f"单位{employer}"})
    return made


def groups(found: Network) -> set[frozenset[int]]:
    return {frozenset(one.people) for one in found.components}


def by_hand(things: list[tuple[int, int, int]]) -> set[frozenset[int]]:
    """Join people one pair at a time."""
    group = {at: {at} for at in range(len(things))}
    for a in range(len(things)):
        for b in range(a):
            if any(x == y for x, y in zip(things[a], things[b], strict=True)):
                joined = group[a] | group[b]
                for member in joined:
                    group[member] = joined
    return {frozenset(one) for one in group.values() if len(one) > 1}


@settings(max_examples=8, deadline=None)
@given(things=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=12))
def test_groups_are_those_that_joining_pair_by_pair_gives(
    tmp_path_factory: pytest.TempPathFactory, things: list[tuple[int, int, int]]
) -> None:
    made = few(things)
    found = score(made.write(tmp_path_factory.mktemp("few")), PLAIN)
    assert groups(network(found, 100)) == by_hand(things)


def test_what_too_many_share_joins_nobody(tmp_path: Path) -> None:
    made = few([(at, at, 0) for at in range(13)])
    found = network(score(made.write(tmp_path), PLAIN))
    assert found.total == 0
    assert found.left_out == 1


def test_a_person_with_two_schemes_is_one_person_of_a_group(tmp_path: Path) -> None:
    made = few([(1, 1, 1), (1, 2, 2)])
    made.rows[Kind.PAYMENTS].append({**made.rows[Kind.PAYMENTS][0], "scheme": "170"})
    [group] = network(score(made.write(tmp_path), PLAIN)).components
    assert len(group.people) == 2


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Scores:
    made = crowd(810)
    for at in range(700, 709):
        made.of(Kind.PAYMENTS, at)["account"] = 10_700
    for at in (800, 801):
        made.of(Kind.PAYMENTS, at)["account"] = 10_800
    made.of(Kind.PAYMENTS, 703)["fen"] *= 3
    return score(made.write(tmp_path_factory.mktemp("ring")), PLAIN)


def shown_in(scores: Scores) -> dict[int, ShownPerson]:
    return {
        int(row): ShownPerson("130101********1234", "张*<b>", "110", "130101", "****1234", "发放.csv", int(row) + 2)
        for row in scores.people.row
    }


def test_the_ring_of_an_overpaid_person_comes_before_a_couple(ring: Scores) -> None:
    found = network(ring)
    assert [len(one.people) for one in found.components] == [9, 2]
    assert found.components[0].score > found.components[1].score


def test_the_page_draws_each_group_beside_a_table_of_its_data_and_asks_nothing_of_the_network(ring: Scores) -> None:
    page = network_page(network(ring), ring, shown_in(ring))
    assert page.count("<svg") == page.count("<table>") == 2
    assert page.count("<circle") == len(re.findall("<tr><td class='n'>", page)) == 9 + 2
    assert "账户 account 1（9）" in page
    assert not re.search(r"(src|href)\s*=\s*['\"]?(https?:)?//", page)
    assert "不能据此暂停或停发" in page
    assert "张*&lt;b&gt;" in page


def test_without_shared_things_the_page_says_so(tmp_path: Path) -> None:
    alone = score(few([(1, 1, 1), (2, 2, 2)]).write(tmp_path), PLAIN)
    assert "没有共用账户、地址的人" in network_page(network(alone), alone, {})


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 25), st.data())
def test_a_drawing_lies_within_its_frame_with_no_two_nodes_on_one_place(count: int, data: st.DataObject) -> None:
    node = st.integers(0, max(count - 1, 0))
    edges = data.draw(st.lists(st.tuples(node, node), max_size=40)) if count else []
    places = lay_out(count, [(a, b) for a, b in edges if a != b])
    assert places.shape == (count, 2)
    assert np.all((places >= 0) & (places <= 1))
    assert len(np.unique(places, axis=0)) == count
    assert np.array_equal(places, lay_out(count, [(a, b) for a, b in edges if a != b]))


def test_who_is_joined_lies_closer_than_who_is_not() -> None:
    places = lay_out(8, [(0, 1), (1, 2), (0, 2), (3, 4), (5, 6), (6, 7), (5, 7)])
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    assert distance[0, 1] < distance[0, 5]
    assert distance[3, 4] < distance[3, 7]
