"""Two departments' sets matched through a hub that may carry but not alter: it learns the overlap, or only its size."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from exchange_province import SYSTEM, Province, serving
from hypothesis import given, settings
from hypothesis import strategies as st
from matching_sides import numbers, texts, waited

from huodang.exchange import (
    Actor,
    Agreements,
    Catalogue,
    GatewayDirectory,
    Kind,
    Looks,
    gateway_application,
    product_catalogue,
)
from huodang.exchange.gateway.parts import build_parts
from huodang.exchange.matching import (
    BetweenQuestion,
    BudgetError,
    Lanes,
    MalformedMessageError,
    MalformedPointError,
    Matches,
    MatchingError,
    MatchRefusedError,
    NotPermittedToMatchError,
    SetTooSmallError,
)
from huodang.exchange.matching.pair_session import PairSession, common
from huodang.exchange.matching.pair_wire import PairWire
from huodang.exchange.matching.pair_words import PAIR_OPENED
from huodang.ledger import Ledger
from huodang.store import Database, metadata
from huodang.trust import FieldSealer, open_envelope, sign_envelope

FUND = "housing_fund.accounts_match"
RESOURCES = {"housing_fund": FUND, "police": "police.residents_match"}
SECOND = RESOURCES["police"]
SETS = {"housing_fund": (0, 60), "police": (45, 50)}
BOTH = 15


def config(department: str, **changes: Any) -> dict[str, Any]:
    [other] = [name for one, name in RESOURCES.items() if one != department]
    offer = {
        "resource": RESOURCES[department],
        "table": "T",
        "column": "ZJHM",
        "minimum_set": 20,
        "probes_per_day": 3,
        "between": [other],
    } | changes
    return {
        "department": department,
        "name": {"chinese": "部门", "english": "Department"},
        "database": "gateway.db",
        "keys": "keys",
        "trust": "../../trust.json",
        "agreements": "agreements",
        "listen": {"host": "127.0.0.1", "port": 0},
        "source": {"url": "sqlite:///own.db"},
        "resources": [
            {
                "resource": f"{department}.row",
                "table": "T",
                "subject": "ZJHM",
                "elements": {"account_number": "GRZH"},
                "no_row": {"outcome": "clear", "reason": "none"},
                "otherwise": {"outcome": "hit", "reason": "one"},
            }
        ],
        "matches": {"offer": [offer]},
    }


def fill(province: Province, department: str, start: int, count: int) -> None:
    with sqlite3.connect(province.folder(department) / "own.db") as connection:
        connection.execute("DROP TABLE IF EXISTS T")
        connection.execute("CREATE TABLE T (GRZH TEXT, ZJHM TEXT)")
        rows = [(f"G{n}", one.text.lower()) for n, one in enumerate(numbers(start, count))]
        connection.executemany("INSERT INTO T VALUES (?, ?)", [*rows, rows[0], ("X", "130102"), ("Y", None)])
    connection.close()


def agreement(province: Province, department: str, **changes: Any) -> Any:
    terms: dict[str, Any] = {
        "kind": Kind.MATCH,
        "elements": ("identity_number",),
        "fields": ("identity_number",) if department == "housing_fund" else (),
        "purposes": ("supervision",),
    }
    return province.agreement(RESOURCES[department], **(terms | changes))


Run = Callable[..., Matches]


@pytest.fixture
def hub(database: Database, ledger: Ledger, province: Province) -> Iterator[Run]:
    opened: list[Callable[[], None]] = []

    def make(
        changes: dict[str, dict[str, Any]] | None = None,
        *,
        agreed: dict[str, dict[str, Any]] | None = None,
        sets: dict[str, tuple[int, int]] | None = None,
    ) -> Matches:
        urls = {}
        for department, resource in RESOURCES.items():
            fill(province, department, *(sets or SETS)[department])
            terms = agreement(province, department, **(agreed or {}).get(department, {}))
            province.lay(terms)
            gateway = province.gateway(config(department, **(changes or {}).get(department, {})))
            parts = build_parts(gateway, {})
            context = serving(gateway_application(gateway, parts))
            urls[department] = context.__enter__()
            opened.append(lambda context=context: context.__exit__(None, None, None))  # type: ignore[misc]
            opened.extend(part.stop for part in parts)
            with database.begin() as connection:
                entry = msgspec.structs.replace(product_catalogue()[FUND], resource=resource, code="")
                Catalogue(province.clock).publish(connection, entry)
                Agreements(ledger, province.trusted, province.clock).take(connection, province.signed(terms))
        directory = GatewayDirectory.of_urls(urls, None)
        opened.insert(0, directory.close)
        return Matches(
            database,
            ledger,
            Looks(database, ledger, province.clock),
            FieldSealer.create(province.keys.keys_folder("hub")),
            province.signer("hub"),
            province.trusted,
            directory,
            province.clock,
            workers=Lanes(2),
        )

    yield make
    for close in opened:
        close()


def question(**changes: Any) -> BetweenQuestion:
    asked: dict[str, Any] = {
        "first": FUND,
        "second": SECOND,
        "purpose": "supervision",
        "actor": SYSTEM,
        "case_id": "case-1",
    }
    return BetweenQuestion(**(asked | {"case_id": "case-1"} | changes))


def rows(database: Database, statement: str) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(sa.text(statement)))


def persons(start: int, count: int) -> tuple[Any, ...]:
    return tuple(sorted(numbers(start, count), key=lambda one: one.text))


def test_hub_learns_who_stands_in_both_sets_and_what_was_done_is_ledgered(
    hub: Run, database: Database, ledger: Ledger
) -> None:
    outcome = hub().match_between(question())
    assert outcome.members == persons(45, BOTH)
    assert (outcome.overlap, outcome.queried, outcome.held) == (BOTH, 60, 50)
    assert rows(database, "SELECT state, overlap, held, queried FROM exchange_match") == [("answered", BOTH, 50, 60)]
    assert rows(database, "SELECT DISTINCT state FROM exchange_grant") == [("answered",)]
    ledger.seal_batch()
    assert ledger.verify_all().valid


def test_either_side_may_be_the_one_that_names(hub: Run) -> None:
    fields = {"housing_fund": {"fields": ()}, "police": {"fields": ("identity_number",)}}
    assert hub(agreed=fields).match_between(question()).members == persons(45, BOTH)


def test_size_only_names_nobody_anywhere(hub: Run, database: Database, province: Province) -> None:
    outcome = hub().match_between(question(size_only=True))
    assert (outcome.overlap, outcome.members) == (BOTH, None)
    assert rows(database, "SELECT DISTINCT subject_index FROM exchange_look") == [("",)]
    reasons = {line.reason for gateway in province.opened for line in gateway.memory.lines()}
    assert reasons == {"opened", "answered"}


def test_each_person_named_can_see_it_at_the_hub_and_at_the_department(
    hub: Run, database: Database, province: Province
) -> None:
    hub().match_between(question())
    sealer = FieldSealer.create(province.keys.keys_folder("hub"))
    named = {sealer.blind_index("identity_number", one.text) for one in persons(45, BOTH)}
    assert {row[0] for row in rows(database, "SELECT subject_index FROM exchange_look")} == {"", *named}
    fund = province.opened[0]
    mark = fund.subject_mark(persons(45, 1)[0].text)
    assert [line.reason for line in fund.memory.lines(subject_mark=mark)] == ["revealed"]
    assert fund.memory.lines(subject_mark=fund.subject_mark(numbers(0, 1)[0].text)) == []


def test_nothing_kept_names_a_person(hub: Run, database: Database, province: Province) -> None:
    hub().match_between(question())
    kept = b"".join(path.read_bytes() for path in province.root.rglob("*.db*") if "own.db" not in path.name)
    with database.read() as connection:
        for table in metadata.tables.values():
            kept += str(connection.execute(sa.select(table)).all()).encode()
    assert not any(one.text.encode() in kept for one in persons(0, 95))


@pytest.mark.parametrize("size_only", [True, False])
@pytest.mark.parametrize("alteration", ["swap", "drop", "add", "order"])
def test_hub_that_alters_the_list_it_carries_is_refused(
    hub: Run, database: Database, monkeypatch: pytest.MonkeyPatch, alteration: str, size_only: bool
) -> None:
    carried = PairWire.send

    def altered(self: PairWire, index: int, points: bytes) -> None:
        own = PairSession(texts("probe").digests, Lanes(1), keeps_order=True)
        probe = waited(lambda: own.blinded(0))
        changed = {
            "swap": probe + points[32:],
            "drop": points[32:],
            "add": points + probe,
            "order": points[32:64] + points[:32] + points[64:],
        }
        carried(self, index, changed[alteration])

    matches = hub()
    monkeypatch.setattr(PairWire, "send", altered)
    with pytest.raises(MatchRefusedError if alteration in {"swap", "order"} else MalformedMessageError):
        matches.match_between(question(size_only=size_only))
    assert rows(database, "SELECT state, overlap FROM exchange_match") == [("failed", None)]


def test_hub_that_asks_for_more_persons_than_the_overlap_is_refused(
    hub: Run, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It returns to the fund a value of the other's list as if it were one of the fund's own that matched."""
    carried = PairWire.give_back

    def altered(self: PairWire, index: int, points: bytes) -> None:
        carried(self, index, points[32:64] + points[:32] + points[64:])

    matches = hub()
    monkeypatch.setattr(PairWire, "give_back", altered)
    with pytest.raises(MatchRefusedError):
        matches.match_between(question())
    assert "revealed" not in {line.reason for line in province.opened[0].memory.lines()}
    assert rows(database, "SELECT DISTINCT subject_index FROM exchange_look") == [("",)]


def test_word_of_an_earlier_match_does_not_fit_a_later_one(
    hub: Run, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    matches, said = hub(), list[str]()
    carried = PairWire.close

    def replayed(self: PairWire, signed: str) -> None:
        said.append(signed)
        carried(self, said[0])

    def heard(self: PairWire, signed: str) -> None:
        said.append(signed)
        carried(self, signed)

    with monkeypatch.context() as listening:
        listening.setattr(PairWire, "close", heard)
        first = matches.match_between(question(size_only=True))
    monkeypatch.setattr(PairWire, "close", replayed)
    with pytest.raises(MatchRefusedError):
        matches.match_between(question(size_only=True), match_id=first.match_id)
    assert [line.reason for line in province.opened[1].memory.lines(limit=1)] == ["refused"]


def test_hub_that_poses_as_the_other_department_is_refused(
    hub: Run, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried = PairWire.meet

    def posing(self: PairWire, signed: str) -> None:
        payload = open_envelope(signed, PAIR_OPENED, province.trusted)
        carried(self, sign_envelope(PAIR_OPENED, payload, province.signer("hub")).to_json())

    matches = hub()
    monkeypatch.setattr(PairWire, "meet", posing)
    with pytest.raises(MatchRefusedError):
        matches.match_between(question(size_only=True))


def test_match_begun_anew_is_counted_once_and_tells_the_same(
    hub: Run, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = {"probes_per_day": 1}
    matches = hub({"housing_fund": once, "police": once})
    with monkeypatch.context() as broken:
        broken.setattr(PairWire, "raised_word", _lost)
        with pytest.raises(MatchRefusedError):
            matches.match_between(question())
    [(match_id, state)] = rows(database, "SELECT match_id, state FROM exchange_match")
    assert state == "failed"
    for _ in range(2):
        assert matches.match_between(question(), match_id=match_id).members == persons(45, BOTH)
    with pytest.raises(BudgetError):
        matches.match_between(question())
    with pytest.raises(MatchingError):
        matches.match_between(question(first=SECOND, second=FUND), match_id=match_id)
    fill(province, "housing_fund", 0, 61)
    with pytest.raises(MalformedMessageError):
        matches.match_between(question(), match_id=match_id)
    province.clock.advance(timedelta(days=1))
    assert matches.match_between(question()).queried == 61


def _lost(_self: PairWire) -> str:
    raise MatchRefusedError("断", "lost", advice_chinese="", advice_english="")


@pytest.mark.parametrize("small", ["housing_fund", "police"])
def test_too_small_set_on_either_side_is_refused_without_telling_how_small(hub: Run, small: str) -> None:
    with pytest.raises(SetTooSmallError) as raised:
        hub(sets=SETS | {small: (45, 19)}).match_between(question())
    assert "19" not in raised.value.sentence("zh")


def test_gateway_holds_the_other_side_to_its_own_minimum(hub: Run) -> None:
    with pytest.raises(SetTooSmallError):
        hub({"housing_fund": {"minimum_set": 55}}).match_between(question())


@pytest.mark.parametrize(
    "changes",
    [
        {"housing_fund": {"between": []}},
        {"police": {"between": ["health.death_match"]}},
        {"police": {"size_only": True}},
    ],
)
def test_department_that_did_not_agree_to_the_other_is_not_matched(hub: Run, changes: dict[str, Any]) -> None:
    with pytest.raises(NotPermittedToMatchError):
        hub(changes).match_between(question())


def test_sizes_are_told_where_only_sizes_may_be(hub: Run) -> None:
    matches = hub({"police": {"size_only": True}}, agreed={"housing_fund": {"fields": ()}})
    assert matches.match_between(question(size_only=True)).overlap == BOTH
    with pytest.raises(NotPermittedToMatchError):
        matches.match_between(question())


@pytest.mark.parametrize("revoked", ["housing_fund", "police"])
def test_agreement_revoked_on_either_side_ends_it(hub: Run, province: Province, revoked: str) -> None:
    matches = hub()
    terms = agreement(province, revoked)
    (province.folder(revoked) / "agreements" / f"{terms.agreement_id}.v1.json").unlink()
    with pytest.raises(NotPermittedToMatchError):
        matches.match_between(question())


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "retirement"},
        {"second": "police.household"},
        {"actor": Actor("s", "管理员", "steward", "housing_fund")},
        {"second": "housing_fund.other"},
        {"first": SECOND},
    ],
)
def test_what_no_agreement_or_policy_covers_is_not_asked(hub: Run, database: Database, changes: dict[str, Any]) -> None:
    with pytest.raises(MatchingError):
        hub().match_between(question(**changes))
    assert rows(database, "SELECT count(*) FROM exchange_match") == [(0,)]
    assert rows(database, "SELECT count(*) FROM exchange_grant") == [(0,)]


def _carried(own: PairSession, other: PairSession) -> tuple[bytes, bytes]:
    """Carry both lists as the hub does; give what comes back of each."""
    own.meet(other.size)
    other.meet(own.size)
    for one, to in ((own, other), (other, own)):
        points = waited(lambda one=one: one.blinded(0)) if one.size else b""  # type: ignore[misc]
        if points:
            to.take(0, points)
        to.close(hashlib.sha256(points).hexdigest(), one.size, lambda: None)
    return waited(lambda: other.raised(0)), waited(lambda: own.raised(0))


people = st.sets(st.integers(0, 30), min_size=1, max_size=15)


@settings(max_examples=30)
@given(people, people)
def test_overlap_is_the_plain_intersection(first: set[int], second: set[int]) -> None:
    lanes = Lanes(1)
    values = sorted(first), sorted(second)
    own = PairSession(texts(*map(str, values[0])).digests, lanes, keeps_order=False)
    other = PairSession(texts(*map(str, values[1])).digests, lanes, keeps_order=True)
    mine, theirs = _carried(own, other)
    own.take_back(0, mine)
    positions = own.overlap(hashlib.sha256(mine).hexdigest(), own.size)
    assert {values[0][row] for row in own.order[positions]} == first & second
    assert positions.tolist() == common(mine, theirs).tolist()
    lanes.close()


def test_positions_tell_nothing_of_rows_when_only_the_size_is_asked() -> None:
    """Rows cross in an order of chance, and come back in another: no order is the table's, and none comes twice."""
    lanes, orders = Lanes(1), set()
    values = texts(*map(str, range(40))).digests
    for _ in range(3):
        own, other = (PairSession(values, lanes, keeps_order=False) for _ in range(2))
        sent = waited(lambda own=own: own.blinded(0))  # type: ignore[misc]
        mine, _theirs = _carried(own, other)
        keyed = other._raise(sent)
        back = [keyed[start : start + 32] for start in range(0, len(keyed), 32)]
        come = [mine[start : start + 32] for start in range(0, len(mine), 32)]
        assert sorted(back) == sorted(come)
        assert back != come
        orders |= {tuple(own.order.tolist()), tuple(back.index(one) for one in come)}
    assert len(orders) == 6
    lanes.close()


def test_value_sent_twice_or_no_element_is_refused_and_nothing_is_given_early() -> None:
    lanes = Lanes(1)
    session = PairSession(texts("a", "b").digests, lanes, keeps_order=True)
    with pytest.raises(MalformedMessageError):
        session.raised(0)
    session.meet(2)
    point = waited(lambda: session.blinded(0))[:32]
    session.take(0, point * 2)
    with pytest.raises(MalformedMessageError):
        session.close(hashlib.sha256(point * 2).hexdigest(), 2, lambda: None)
    bad = PairSession(texts("a").digests, lanes, keeps_order=True)
    bad.meet(1)
    bad.take(0, bytes(32))
    bad.close(hashlib.sha256(bytes(32)).hexdigest(), 1, lambda: None)
    with pytest.raises(MalformedPointError):
        waited(lambda: bad.raised(0))
    lanes.close()
