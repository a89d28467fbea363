"""Handing events on: in order for each person, effects once, dead letters, replay; and what a false page is worth."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from exchange_events import DEATHS, FIELDS, SPEC, event_agreement, number
from exchange_province import Province
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from huodang.exchange import Agreement, AlarmCode, EventOffice, GatewayDirectory, Kind, ReceivedEvent
from huodang.exchange.agreements import Agreements
from huodang.exchange.events.changes import Known, Seen, plan, tell
from huodang.exchange.events.config import EventSpec
from huodang.exchange.events.event_log import EventLog
from huodang.exchange.events.intake import Judge, Page, PageBatch, StreamPosition
from huodang.exchange.events.keeping import Asked
from huodang.exchange.events.publishing import Keys, Publisher
from huodang.exchange.events.watched import Watched
from huodang.exchange.gateway.shelf import AgreementShelf
from huodang.ledger import Ledger
from huodang.store import Database
from huodang.trust import FieldSealer, open_envelope, sign_envelope


@dataclass
class Wire:
    """A publisher and a hub, with pages carried by hand."""

    province: Province
    database: Database
    office: EventOffice
    publisher: Publisher
    log: EventLog
    judge: Judge
    serial: int = 0

    def publish(self, *persons: int) -> None:
        """Publish one new death for each; several of one person are several rows."""
        rows = []
        for person in persons:
            self.serial += 1
            values = {"identity_number": number(person), "name": f"王{person}", "death_date": "2025-03-01"}
            rows.append(Seen(f"{self.serial:032x}", f"{self.serial:032x}", values))
        self.publisher.take(rows, self.province.clock.now(), {"begun": True})

    def page(self, epoch: str = "", cursor: int = 0) -> Page:
        batches = self.log.after(DEATHS, "social_insurance", epoch, cursor, 10**9)
        return Page(
            resource=DEATHS,
            batches=[PageBatch(msgspec.Raw(one.envelope.encode()), json.loads(one.events)) for one in batches],
        )

    def position(self) -> StreamPosition:
        with self.database.read() as connection:
            return self.office._store.position(connection, DEATHS)

    def carry(self, page: Page | None = None) -> int:
        before = self.position()
        judged = self.judge.judge(page or self.page(before.epoch, before.cursor), before, self.province.clock.now())
        [question] = self.office.subscriber._questions("police")
        asked = Asked(
            question.grant,
            question.envelope.digest,
            question.agreement,
            question.decision,
            self.office.subscriber._actor,
        )
        return self.office._store.keep(asked, before, judged)

    def later(self) -> None:
        self.province.clock.advance(timedelta(minutes=20))
        self.office.subscriptions.run_once()


def wire_of(province: Province, database: Database, folder: Path, **options: Any) -> Wire:
    agreement = event_agreement(province)
    province.lay(agreement)
    signers = (province.signer("hub"), province.signer("hub", "international"))
    ledger = Ledger(database, signers, "test.example/huodang", province.clock)
    agreements = Agreements(ledger, province.trusted, province.clock)
    with database.begin() as connection:
        agreements.take(connection, province.signed(agreement))
    office = EventOffice(
        database,
        agreements,
        ledger,
        signers,
        province.trusted,
        directory=GatewayDirectory({}),
        sealer=FieldSealer.create(province.keys.keys_folder("hub")),
        clock=province.clock,
        **options,
    )
    log = EventLog(folder / "events.db")
    shelf = AgreementShelf(province.folder("police") / "agreements", "police", province.trusted)
    keys = Keys(province.signer("police"), province.trusted, FieldSealer.create(province.keys.keys_folder("police")))
    watched = Watched(msgspec.convert(SPEC, EventSpec), "T_SWZX", ("BH",), {}, (), ())
    publisher = Publisher(watched, log, keys, shelf.contents)
    return Wire(province, database, office, publisher, log, Judge(agreement, signers, province.trusted))


@pytest.fixture
def wire(province: Province, any_database: Database, tmp_path: Path) -> Wire:
    return wire_of(province, any_database, tmp_path, max_attempts=3)


class Failing:
    """A handler that fails for some persons, and remembers whom it was handed, in order."""

    def __init__(self, *persons: int) -> None:
        self.bad = {number(one) for one in persons}
        self.taken: list[tuple[str, int]] = []

    def __call__(self, _connection: Connection, event: ReceivedEvent) -> None:
        if event.data["identity_number"] in self.bad:
            raise RuntimeError
        self.taken.append((event.data["identity_number"], event.sequence))

    def of(self, person: int) -> list[int]:
        return [sequence for who, sequence in self.taken if who == number(person)]


def test_an_event_that_fails_holds_back_only_the_later_ones_of_its_person(wire: Wire) -> None:
    handler = Failing(1)
    wire.office.subscriptions.on("cn.huodang.*", handler, name="test")
    wire.publish(1, 2, 1, 3)
    wire.carry()
    handler.taken.clear()
    wire.office.subscriptions.run_once()
    assert (handler.of(1), handler.of(2)[-1:], handler.of(3)[-1:]) == ([], [2], [4])
    handler.bad.clear()
    wire.publish(1)
    wire.carry()
    for _ in range(4):
        wire.later()
    assert handler.of(1) == [1, 3, 5]


def test_an_event_that_fails_too_often_is_a_dead_letter_until_it_is_revived(wire: Wire) -> None:
    handler = Failing(1)
    wire.office.subscriptions.on("cn.huodang.*", handler, name="test")
    wire.publish(1, 1, 2)
    wire.carry()
    for _ in range(5):
        wire.later()
    [letter] = wire.office.dead_letters()
    assert (letter.handler, letter.attempt, letter.error) == ("test", 3, "RuntimeError")
    assert AlarmCode.DEAD_LETTER in {one.code for one in wire.office.alarms()}
    assert handler.of(1) == []
    handler.bad.clear()
    assert wire.office.revive("test", letter.number)
    for _ in range(3):
        wire.later()
    assert handler.of(1) == [1, 2]
    assert wire.office.held() == []


def test_a_dead_letter_that_is_dismissed_lets_the_later_ones_go_on(wire: Wire) -> None:
    handler = Failing(1)
    wire.office.subscriptions.on("cn.huodang.*", handler, name="test")
    wire.publish(1, 1)
    wire.carry()
    for _ in range(5):
        wire.later()
    handler.bad.clear()
    assert wire.office.dismiss("test", wire.office.dead_letters()[0].number)
    assert not wire.office.dismiss("test", 99)
    wire.later()
    assert handler.of(1) == [2]


def test_a_replay_hands_the_same_events_on_again_with_the_same_ids(wire: Wire) -> None:
    handler = Failing()
    wire.office.subscriptions.on("cn.huodang.*", handler, name="test")
    wire.publish(1, 2, 1)
    wire.carry()
    wire.office.subscriptions.run_once()
    assert wire.office.replay("test", DEATHS, 2) == 2
    for _ in range(3):
        wire.later()
    assert [one[1] for one in handler.taken] == [1, 2, 3, 2, 3]


def test_what_a_handler_writes_happens_once_however_often_it_fails_midway(wire: Wire) -> None:
    with wire.database.begin() as connection:
        connection.execute(sa.text("CREATE TABLE effect (number INTEGER)"))
    failures = iter([True, False, True, True] + [False] * 20)

    def handle(connection: Connection, event: ReceivedEvent) -> None:
        connection.execute(sa.text("INSERT INTO effect VALUES (:number)"), {"number": event.number})
        if next(failures):
            raise OSError

    wire.office.subscriptions.on("cn.huodang.*", handle, name="test")
    wire.publish(1, 2, 3)
    wire.carry()
    for _ in range(5):
        wire.later()
    with wire.database.read() as connection:
        assert sorted(connection.execute(sa.text("SELECT number FROM effect")).scalars()) == [1, 2, 3]
    with wire.database.begin() as connection:
        connection.execute(sa.text("DROP TABLE effect"))


def test_two_processes_that_hand_on_at_once_hand_each_event_on_once(wire: Wire) -> None:
    other = EventOffice(
        wire.database,
        wire.office.subscriber._agreements,
        wire.office._store._ledger,
        wire.judge.signers,
        wire.province.trusted,
        directory=GatewayDirectory({}),
        sealer=FieldSealer.create(wire.province.keys.keys_folder("hub")),
        clock=wire.province.clock,
    )
    handler = Failing()
    for office in (wire.office, other):
        office.subscriptions.on("cn.huodang.*", handler, name="test")
    wire.publish(*range(1, 60))
    wire.carry()
    threads = [threading.Thread(target=one.subscriptions.run_once) for one in (wire.office, other)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(sequence for _, sequence in handler.taken) == list(range(1, 60))


def test_a_page_that_comes_twice_counts_once(wire: Wire) -> None:
    wire.publish(1, 2)
    page = wire.page()
    assert (wire.carry(page), wire.carry(page)) == (2, 0)
    assert wire.office.streams()[0].alarm == ""


def test_batches_out_of_order_are_a_gap_and_are_asked_for_again(wire: Wire) -> None:
    for person in range(3):
        wire.publish(person)
    page = wire.page()
    page.batches[1], page.batches[2] = page.batches[2], page.batches[1]
    assert wire.carry(page) == 1
    assert wire.office.streams()[0].alarm == AlarmCode.GAP
    assert wire.carry() == 2
    assert wire.office.streams()[0].alarm == ""
    assert [(one.code, one.detail) for one in wire.office.alarms()] == [("gap", "2-2")]


def test_what_the_gateway_keeps_no_longer_is_told_and_what_follows_is_taken(wire: Wire) -> None:
    for person in range(3):
        wire.publish(person)
    page = wire.page()
    page.batches = page.batches[2:]
    page.oldest = 3
    wire.carry(page)
    assert wire.position().cursor == 3
    assert [(one.code, one.detail) for one in wire.office.alarms()] == [("history_lost", "1-2")]


Forge = Callable[[Wire, Page], None]


def _other_signer(wire: Wire, page: Page) -> None:
    payload = msgspec.json.decode(page.batches[0].envelope)["payload"]
    forged = sign_envelope("event_batch", json.loads(payload), wire.province.signer("justice"))
    page.batches[0].envelope = msgspec.Raw(forged.to_json().encode())


def _altered_batch(_wire: Wire, page: Page) -> None:
    page.batches[0].envelope = msgspec.Raw(bytes(page.batches[0].envelope).replace(b"XY-police", b"XY-p0lice"))


def _altered_event(_wire: Wire, page: Page) -> None:
    assert page.batches[0].events is not None
    page.batches[0].events[0] = page.batches[0].events[0].replace("created", "changed")


def _dropped_event(_wire: Wire, page: Page) -> None:
    assert page.batches[0].events is not None
    page.batches[0].events.pop()


def _for_another(wire: Wire, page: Page) -> None:
    payload = open_envelope(bytes(page.batches[0].envelope), "event_batch", wire.province.trusted)
    moved = sign_envelope("event_batch", {**payload, "consumer": "housing_fund"}, wire.province.signer("police"))
    page.batches[0].envelope = msgspec.Raw(moved.to_json().encode())


@pytest.mark.parametrize(
    ("forge", "code"),
    [
        (_other_signer, AlarmCode.FORGED),
        (_altered_batch, AlarmCode.FORGED),
        (_altered_event, AlarmCode.BROKEN_EVENT),
        (_dropped_event, AlarmCode.BROKEN_EVENT),
        (_for_another, AlarmCode.MISADDRESSED),
    ],
)
def test_a_forged_page_brings_nothing_but_an_alarm(wire: Wire, forge: Forge, code: AlarmCode) -> None:
    wire.publish(1, 2)
    page = wire.page()
    forge(wire, page)
    assert wire.carry(page) == 0
    assert wire.position().cursor == 0
    assert [one.code for one in wire.office.alarms()] == [code]
    assert wire.carry() == 2


def test_data_beyond_the_agreement_are_not_taken(wire: Wire) -> None:
    wire.publish(1)
    wire.judge = replace(wire.judge, agreement=event_agreement(wire.province, fields=("identity_number",)))
    assert wire.carry() == 0
    assert wire.office.streams()[0].alarm == AlarmCode.BEYOND_AGREEMENT


@given(
    persons=st.lists(st.integers(0, 4), min_size=1, max_size=15),
    cuts=st.lists(st.integers(1, 6), min_size=1, max_size=15),
    failures=st.sets(st.tuples(st.integers(0, 14), st.integers(0, 2)), max_size=10),
    chunk=st.integers(1, 5),
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_of_each_person_holds_whatever_fails_and_however_it_is_cut(  # noqa: PLR0917  (hypothesis fills them)
    province: Province,
    database: Database,
    tmp_path_factory: pytest.TempPathFactory,
    persons: list[int],
    cuts: list[int],
    failures: set[tuple[int, int]],
    chunk: int,
) -> None:
    wire = wire_of(province, database, tmp_path_factory.mktemp("log"), max_attempts=100)
    base = wire.position().cursor
    with database.read() as connection:
        before = connection.execute(sa.text("SELECT coalesce(max(number), 0) FROM exchange_event")).scalar_one()
    tried: dict[int, int] = defaultdict(int)
    taken: list[tuple[str, int]] = []

    def handle(_connection: Connection, event: ReceivedEvent) -> None:
        place = event.number - before - 1
        if place < 0:
            return
        tried[place] += 1
        if (place, tried[place] - 1) in failures:
            raise RuntimeError
        taken.append((event.data["identity_number"], place))

    assert base >= 0
    wire.office.subscriptions.on("cn.huodang.*", handle, name=f"test{before}")
    queue = list(persons)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huodang.exchange.events.subscriptions._CHUNK", chunk)
        for size in [*cuts, len(persons)]:
            if queue[:size]:
                wire.publish(*queue[:size])
                wire.carry()
            queue = queue[size:]
            wire.later()
        for _ in range(12):
            wire.later()
    assert wire.office.held() == []
    for person in set(persons):
        # What a chunk undid was handed on again; what counts is that the last time keeps the order, and nothing lacks.
        places = list(dict.fromkeys(reversed([place for who, place in taken if who == number(person)])))[::-1]
        assert places == [place for place, who in enumerate(persons) if who == person]


values = st.none() | st.fixed_dictionaries(
    {"identity_number": st.sampled_from(["a", "b"]), "name": st.sampled_from("xyz")}
)


@given(history=st.lists(values, max_size=12), looks=st.lists(st.booleans(), min_size=12, max_size=12))
def test_whoever_follows_what_is_told_ends_up_with_what_is_true(
    history: list[dict[str, str] | None], looks: list[bool]
) -> None:
    """One row goes through any history and is looked at now and then; the subscriber's copy follows."""
    agreement = Agreement(
        agreement_id="XY", provider="police", consumer="c", resource=DEATHS, kind=Kind.EVENT, purposes=("p",),
        legal_basis="", elements=(), fields=FIELDS, valid_from=date(2025, 1, 1),
    )  # fmt: skip
    digest, known, copy = "", None, None
    now: dict[str, str] | None = None
    for now, look in [*zip(history, looks, strict=False), (history[-1] if history else None, True)]:
        if not look:
            continue
        seen = Seen("m", repr(now) if now else "", now)
        state = Known(digest, known)
        for step in plan([seen], {"m": digest} if digest else {}, lambda _: state):  # noqa: B023  (called at once)
            for told in tell(agreement, [step]):
                copy = None if told.change == "withdrawn" else told.values
            digest, known = step.digest, step.after
    assert copy == now
