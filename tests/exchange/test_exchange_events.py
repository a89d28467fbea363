"""From a row in a department's database to a handler at the hub."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from exchange_events import (
    DEATHS,
    DIED,
    SPEC,
    Register,
    event_agreement,
    event_office,
    gateway_settings,
    number,
    running,
    wait_until,
)
from exchange_province import Province

from huodang.exchange import AlarmCode, Change, EventOffice, GatewayClient, ReceivedEvent
from huodang.exchange.events.part import EventsPart
from huodang.ledger import Ledger
from huodang.store import Database


@dataclass
class Taken:
    """What a handler was handed."""

    events: list[ReceivedEvent] = field(default_factory=list)

    def __call__(self, _connection: object, event: ReceivedEvent) -> None:
        self.events.append(event)

    def told(self) -> list[tuple[str, str, str]]:
        return [(one.change.value, one.data["identity_number"], one.data.get("death_date", "")) for one in self.events]


@dataclass
class Deployment:
    province: Province
    register: Register
    part: EventsPart
    office: EventOffice
    taken: Taken

    def drain(self) -> None:
        """Take all that the gateway has, and hand it on."""
        while self.office.subscriber.take_once("police"):
            pass
        while self.office.subscriptions.run_once():
            pass

    def until(self, count: int) -> None:
        def holds() -> bool:
            self.drain()
            return len(self.taken.events) >= count

        wait_until(holds)


Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(province: Province, database: Database, ledger: Ledger) -> Iterator[Deploy]:
    """A gateway over a register, an agreement on both sides, and a hub that subscribes."""
    closing: list[Any] = []

    def make(
        *,
        before: int = 0,
        agreement: dict[str, Any] | None = None,
        office: EventOffice | None = None,
        **changes: Any,
    ) -> Deployment:
        register = Register(province.folder("police") / "police.db")
        if not register.path.exists():
            register.make()
        for serial in range(before):
            register.died(serial)
        terms = event_agreement(province, **(agreement or {}))
        province.lay(terms)
        context = running(province.gateway(gateway_settings({**SPEC, **changes})))
        url, part = context.__enter__()
        closing.append(context)
        if office is not None:
            office.subscriber._directory._clients["police"] = GatewayClient(url, None)
            return Deployment(province, register, part, office, Taken())
        office, directory, exchange = event_office(province, database, ledger, url)
        closing.append(directory)
        with database.begin() as connection:
            exchange.agreements.take(connection, province.signed(terms))
        taken = Taken()
        office.subscriptions.on("cn.huodang.death.*", taken, name="test")
        return Deployment(province, register, part, office, taken)

    yield make
    for one in reversed(closing):
        one.close() if hasattr(one, "close") else one.__exit__(None, None, None)


@pytest.mark.parametrize("cursor", [None, "GXSJ"])
def test_a_death_written_into_the_register_reaches_the_handler(deploy: Deploy, cursor: str | None) -> None:
    made = deploy(cursor=cursor)
    made.register.died(7)
    made.until(1)
    [event] = made.taken.events
    assert (event.type, event.change, event.sequence) == (DIED, Change.CREATED, 1)
    assert event.data == {"identity_number": number(7), "name": "王7", "death_date": "2025-03-01"}
    assert number(7) not in event.person


@pytest.mark.parametrize("cursor", [None, "GXSJ"])
def test_what_stood_in_the_register_before_is_no_news(deploy: Deploy, cursor: str | None) -> None:
    made = deploy(before=3, cursor=cursor)
    made.register.died(7)
    made.until(1)
    assert [one.data["identity_number"] for one in made.taken.events] == [number(7)]


def test_a_subscriber_that_asks_for_it_gets_what_stood_there_before(deploy: Deploy) -> None:
    made = deploy(before=3, existing=True)
    made.until(3)
    assert sorted(one.data["identity_number"] for one in made.taken.events) == sorted(map(number, range(3)))


@pytest.mark.parametrize("cursor", [None, "GXSJ"])
def test_a_row_that_changes_is_told_with_what_it_says_last_and_one_that_goes_is_withdrawn(
    deploy: Deploy, cursor: str | None
) -> None:
    made = deploy(cursor=cursor)
    made.register.died(7)
    made.until(1)
    made.register.do("UPDATE T_SWZX SET SWRQ = '20250302', GXSJ = 8")
    made.register.do("UPDATE T_SWZX SET SWRQ = '20250303', GXSJ = 9")
    wait_until(lambda: (made.drain(), made.taken.told()[-1] == ("changed", number(7), "2025-03-03"))[1])
    made.register.do("DELETE FROM T_SWZX")
    wait_until(lambda: (made.drain(), made.taken.events[-1].change is Change.WITHDRAWN)[1])
    last = made.taken.events[-1]
    assert last.type == f"{DIED}.withdrawn"
    assert last.data["identity_number"] == number(7)
    assert {one.row for one in made.taken.events} == {last.row}
    assert [one.sequence for one in made.taken.events] == list(range(1, len(made.taken.events) + 1))


def test_a_row_that_counts_no_more_is_withdrawn(deploy: Deploy) -> None:
    made = deploy(withdrawn_type="cn.huodang.death.annulled")
    made.register.died(7)
    made.until(1)
    made.register.do("UPDATE T_SWZX SET ZT = '9'")
    made.until(2)
    assert made.taken.events[1].type == "cn.huodang.death.annulled"


def test_a_change_in_what_the_agreement_keeps_back_is_no_event(deploy: Deploy) -> None:
    made = deploy(agreement={"fields": ("identity_number", "death_date")})
    made.register.died(7)
    made.until(1)
    made.register.do("UPDATE T_SWZX SET XM = '王改名'")
    made.register.died(8)
    made.until(2)
    assert [set(one.data) for one in made.taken.events] == [{"identity_number", "death_date"}] * 2
    assert made.taken.events[1].data["identity_number"] == number(8)


def test_only_rows_that_the_agreement_covers_are_told(deploy: Deploy) -> None:
    made = deploy(agreement={"rows": {"death_date": ("2025-03*",)}})
    made.register.died(1, "20250228")
    made.register.died(2, "20250301")
    made.until(1)
    made.register.do("UPDATE T_SWZX SET SWRQ = '20250305' WHERE BH = 'D000001'")
    made.until(2)
    made.register.do("UPDATE T_SWZX SET SWRQ = '20250228' WHERE BH = 'D000002'")
    made.until(3)
    assert [one.change.value for one in made.taken.events] == ["created", "created", "withdrawn"]


def test_a_row_that_cannot_be_read_is_told_to_the_steward_and_becomes_an_event_once_it_is_mended(
    deploy: Deploy,
) -> None:
    made = deploy()
    made.register.do("INSERT INTO T_SWZX VALUES ('D1', '1.30102E+17', '王', '20250301', '1', 1)")
    made.register.do("INSERT INTO T_SWZX VALUES ('D2', ?, '王', '2025年3月', '1', 2)", number(2))
    wait_until(lambda: len(made.part.log.quarantined()) == 2)
    assert {(one.element, one.column) for one in made.part.log.quarantined()} == {
        ("identity_number", "GMSFHM"),
        ("death_date", "SWRQ"),
    }
    made.register.do("UPDATE T_SWZX SET GMSFHM = ? WHERE BH = 'D1'", number(1))
    made.until(1)
    assert made.taken.told() == [("created", number(1), "2025-03-01")]
    assert [one.element for one in made.part.log.quarantined()] == ["death_date"]
    assert made.part.offers()[0]["quarantined"] == 1


def test_a_row_that_passes_to_another_person_is_withdrawn_from_the_first(deploy: Deploy) -> None:
    made = deploy()
    made.register.died(7)
    made.until(1)
    made.register.do("UPDATE T_SWZX SET GMSFHM = ?", number(8))
    made.until(3)
    assert [one[:2] for one in made.taken.told()[1:]] == [("withdrawn", number(7)), ("created", number(8))]


def test_a_cursor_that_was_set_back_is_found_by_the_sweep(deploy: Deploy) -> None:
    made = deploy(cursor="GXSJ")
    made.register.died(7, changed=1_000_000)
    made.until(1)
    made.register.died(8, changed=5)
    made.until(2)


def test_a_clock_that_jumps_back_loses_and_doubles_nothing(deploy: Deploy) -> None:
    made = deploy()
    made.register.died(1)
    made.until(1)
    made.province.clock.set(made.province.clock.now().replace(hour=0))
    made.register.died(2)
    made.until(2)
    assert [one.sequence for one in made.taken.events] == [1, 2]


def test_a_table_emptied_overnight_withdraws_nobody_until_it_is_seen_again(deploy: Deploy) -> None:
    made = deploy(before=150, sweep_seconds=600)
    made.register.do("DELETE FROM T_SWZX")
    wait_until(lambda: made.part.problems.of(DEATHS) == "mass_withdrawal_held")
    for serial in range(151):
        made.register.died(serial)
    made.until(1)
    assert made.taken.told() == [("created", number(150), "2025-03-01")]


def test_a_source_that_goes_away_and_comes_back_loses_nothing(deploy: Deploy) -> None:
    made = deploy()
    away = made.register.path.with_suffix(".away")
    made.register.path.rename(away)
    wait_until(lambda: made.part.problems.of(DEATHS) != "" or time.sleep(0.1) is None, 3)
    away.rename(made.register.path)
    made.register.died(7)
    made.until(1)
    assert made.taken.told() == [("created", number(7), "2025-03-01")]


def test_a_revoked_agreement_ends_the_events_at_once_and_raises_an_alarm(deploy: Deploy) -> None:
    made = deploy()
    province = made.province
    made.register.died(1)
    made.until(1)
    from huodang.exchange import revoke_envelope  # noqa: PLC0415  (used once)

    envelope = revoke_envelope(event_agreement(province), "用途变更", province.signer("police"), province.clock)
    (province.folder("police") / "agreements" / "revoked.json").write_text(envelope.to_json(), encoding="utf-8")
    made.register.died(2)
    time.sleep(0.2)
    made.drain()
    assert len(made.taken.events) == 1
    assert made.office.streams()[0].alarm == AlarmCode.REFUSED
    assert [(one.code, one.detail) for one in made.office.alarms()] == [("refused", "agreement_revoked")]


def test_events_are_cloud_events_and_the_gateways_log_holds_no_personal_data(deploy: Deploy) -> None:
    made = deploy()
    made.register.died(7)
    made.until(1)
    evidence = made.office.evidence(1)
    assert evidence is not None
    event = json.loads(evidence.text)
    assert event["specversion"] == "1.0"
    assert {"id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data_base64"} <= set(event)
    assert event["subject"] not in (number(7), made.taken.events[0].person)
    made.part.log.writing().__enter__()
    for file in made.province.folder("police").glob("events.db*"):
        assert number(7).encode() not in file.read_bytes()
        assert "王7".encode() not in file.read_bytes()


def test_each_batch_is_a_leaf_and_each_person_may_read_of_the_look(
    deploy: Deploy, ledger: Ledger, database: Database
) -> None:
    from huodang.exchange import Looks  # noqa: PLC0415  (used once)

    made = deploy()
    made.register.died(7)
    made.until(1)
    ledger.seal_batch()
    [look] = Looks(database, ledger, made.province.clock).of_subject(made.taken.events[0].person)
    assert (look.purpose, look.what, look.user_id) == ("supervision", DEATHS, "system")
    assert ledger.receipt(look.entry_id).entry_id == look.entry_id


def test_a_request_is_held_until_something_happens(deploy: Deploy) -> None:
    made = deploy()
    made.office.start()
    try:
        wait_until(lambda: bool(made.office.streams()) or time.sleep(0.3) is None)
        began = time.monotonic()
        made.register.died(7)
        wait_until(lambda: len(made.taken.events) == 1)
        assert time.monotonic() - began < 1.0
    finally:
        made.part.leave()
        made.office.stop()


def test_after_the_gateways_log_was_restored_from_a_copy_nothing_is_lost(deploy: Deploy, province: Province) -> None:
    made = deploy()
    made.register.died(1)
    made.until(1)
    copy = province.folder("police") / "copy.db"
    with sqlite3.connect(made.part.log.path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    made.register.died(2)
    made.until(2)
    made.part.stop()
    made.register.died(3)
    for file in province.folder("police").glob("events.db*"):
        file.unlink()
    copy.rename(province.folder("police") / "events.db")
    again = deploy(office=made.office)
    wait_until(lambda: (again.drain(), number(3) in {one.data["identity_number"] for one in made.taken.events})[1])
    assert [one.data["identity_number"] for one in made.taken.events] == [number(1), number(2), number(2), number(3)]
    assert [one.code for one in made.office.alarms()] == [AlarmCode.LOG_RESTARTED]
