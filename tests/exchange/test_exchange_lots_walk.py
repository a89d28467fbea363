"""Lots over the network: a department's table, its gateway, the hub's copy; whole, proven, resumed."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import msgspec
import pytest
from exchange_lots import TABLE, Switch, Walk, make_lots, number, register_row, table_agreement, walking
from exchange_province import Province

from huodang.exchange import (
    Agreements,
    Failure,
    FailureCode,
    GatewayDirectory,
    Light,
    Looks,
    LotBusyError,
    LotError,
    LotOffice,
    LotRules,
    LotState,
    LotSteward,
    UnknownLotError,
    revoke_envelope,
)
from huodang.exchange.client import CallFailure
from huodang.exchange.errors import NoAgreementError, SourceError
from huodang.exchange.lots.errors import PullError
from huodang.exchange.lots.pages import QUARANTINED, bad_row_from_text
from huodang.exchange.lots.puller import LotPuller
from huodang.exchange.lots.settling import reconciliation_of
from huodang.exchange.quality import BadRow, write_quarantine
from huodang.ledger import Ledger
from huodang.store import Database, Worker
from huodang.trust import SignedEnvelope


@pytest.fixture
def walk(province: Province, database: Database, ledger: Ledger) -> Iterator[Walk]:
    province.folder("police").mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{province.folder('police') / 'police.db'}"
    sqlite3.connect(province.folder("police") / "police.db").close()
    with walking(province, database, ledger, url) as made:
        yield made


@pytest.fixture(
    params=[
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def server_walk(request, province: Province, database: Database, ledger: Ledger) -> Iterator[Walk]:
    url = request.getfixturevalue(f"{request.param}_url")
    if request.param == "postgresql":
        url = url.replace("postgresql://", "postgresql+psycopg://")
    with walking(province, database, ledger, url) as made:
        yield made


def kept_back(walk: Walk) -> list[BadRow]:
    rows = walk.part.store.quarantined(resource=TABLE)
    return [bad_row_from_text(walk.gateway.secret.open(QUARANTINED, sealed, lot)) for _, lot, sealed in rows]


def reasons(walk: Walk) -> list[str]:
    return sorted(fault.reason for row in kept_back(walk) for fault in row.faults)


def test_first_lot_brings_every_row_and_both_sides_sign_that_they_agree(walk: Walk) -> None:
    walk.register.add(*[register_row(serial) for serial in range(35)])
    lot = walk.pull()
    assert (lot.state, lot.inserted, lot.rows) == (LotState.CLOSED, 35, 35)
    envelope = SignedEnvelope.from_json(lot.reconciliation)
    assert {one.holder for one in envelope.signatures} == {"hub", "police"}
    assert reconciliation_of(lot).equal
    assert len([path for path in walk.switch.calls if "/pages/" in path]) == 4


def changes_are_found(walk: Walk) -> None:
    walk.register.add(*[register_row(serial) for serial in range(30)])
    walk.pull()
    walk.register.add(register_row(30, GXSJ="20250302080000"), register_row(31, GXSJ="20240101000000"))
    # An update that doesn't move the cursor, one that does, and deletes: no cursor tells of the first and the last.
    walk.register.change(1, XM="王建军")
    walk.register.change(2, XM="王建民", GXSJ="20250302090000")
    walk.register.remove(3)
    lot = walk.pull()
    assert (lot.inserted, lot.updated, lot.deleted, lot.late, lot.rows) == (2, 2, 1, 1, 31)
    assert walk.names().count("王建军") == 1
    again = walk.pull()
    assert (again.inserted, again.updated, again.deleted, again.late, again.rows) == (0, 0, 0, 0, 31)
    assert walk.lots.verify("XY-table") == ()


def test_second_lot_finds_every_insert_update_and_delete(walk: Walk) -> None:
    changes_are_found(walk)


def test_second_lot_finds_every_change_on_server_databases(server_walk: Walk) -> None:
    changes_are_found(server_walk)


BAD_ROWS = {
    "number_scientific": {"GMSFHM": "1.30102E+17"},
    "identity_check_digit": {"GMSFHM": number(9)[:-1] + ("0" if number(9)[-1] != "0" else "1")},
    "key_missing": {"GMSFHM": None},
    "required_missing": {"XM": ""},
    "name_lost_character": {"XM": "王?国"},
    "value_unmapped": {"XB": "9"},
    "date_format": {"CSRQ": "1940/01/01"},
    "date_serial": {"CSRQ": "45000"},
    "date_impossible": {"CSRQ": "20250230"},
    "death_before_birth": {"SWRQ": "19000101"},
    "encoding_broken": {"XM": "王\ufffd国"},
}


def test_rows_that_do_not_fit_are_kept_back_with_their_reasons_and_the_others_are_delivered(
    walk: Walk, tmp_path: Path
) -> None:
    walk.register.add(*[register_row(serial) for serial in range(5)])
    walk.register.add(*[register_row(50 + at, **one) for at, one in enumerate(BAD_ROWS.values())])
    lot = walk.pull()
    assert (lot.rows, lot.quarantined) == (5, len(BAD_ROWS))
    assert reasons(walk) == sorted(BAD_ROWS)
    assert lot.quality is not None
    assert lot.quality.completeness["sex"] == 1.0
    assert {one.reason for one in walk.lots.faults(lot.lot_id)} == set(BAD_ROWS)
    assert write_quarantine(tmp_path / "bad.csv", kept_back(walk)) == len(BAD_ROWS)
    assert "1.30102E+17" in (tmp_path / "bad.csv").read_text("utf-8-sig")


def test_key_that_stands_twice_is_kept_back_and_the_delivered_row_stays(walk: Walk) -> None:
    walk.register.add(*[register_row(serial) for serial in range(25)])
    walk.pull()
    walk.register.add(register_row(4, XM="赵刚"), register_row(40), register_row(40, XM="孙立"), register_row(41))
    lot = walk.pull()
    assert (lot.inserted, lot.updated, lot.rows, lot.quarantined) == (1, 0, 26, 4)
    assert reasons(walk) == ["key_duplicate"] * 4
    assert "赵刚" not in walk.names()
    walk.register.run("DELETE FROM T_CZRK_JBXX WHERE XM IN ('赵刚', '孙立')")
    lot = walk.pull()
    assert (lot.inserted, lot.rows, lot.quarantined) == (1, 27, 0)
    assert kept_back(walk) == []


def test_row_that_turns_bad_stays_at_the_hub_as_it_was(walk: Walk) -> None:
    walk.register.add(register_row(1), register_row(2))
    walk.pull()
    walk.register.change(1, XM="王?国")
    lot = walk.pull()
    assert (lot.updated, lot.deleted, lot.rows, lot.quarantined) == (0, 0, 2, 1)


def test_only_rows_and_elements_of_the_agreement_leave_the_gateway(walk: Walk) -> None:
    walk.register.add(register_row(1), register_row(2, HKSZD="130200"), register_row(3, HKSZD="140100"))
    fields = ("identity_number", "name")
    walk.agree(table_agreement(walk.province, version=2, fields=fields, rows={"household_region": ("1301*", "1302*")}))
    lot = walk.pull()
    assert lot.rows == 2
    assert lot.quality is not None
    assert set(lot.quality.completeness) == set(fields)


def test_newer_agreement_sends_what_it_hands_over_beyond_the_older(walk: Walk) -> None:
    walk.agree(table_agreement(walk.province, version=2, fields=("identity_number", "name")))
    walk.register.add(*[register_row(serial) for serial in range(12)])
    walk.pull()
    walk.agree(table_agreement(walk.province, version=3))
    lot = walk.pull()
    assert (lot.inserted, lot.updated, lot.rows) == (0, 12, 12)


@pytest.mark.parametrize("where", ["/v1/lots", "/pages/0", "/pages/2", "/close"])
def test_pull_that_is_cut_off_goes_on_where_it_was(walk: Walk, where: str) -> None:
    walk.register.add(*[register_row(serial) for serial in range(35)])
    walk.switch.cut_before = where
    with pytest.raises(PullError):
        walk.pull()
    assert walk.names() == []
    walk.switch.cut_before, walk.switch.calls = "", []
    lot = walk.pull()
    assert (lot.state, lot.rows) == (LotState.CLOSED, 35)
    fetched = {"/v1/lots": 4, "/pages/0": 4, "/pages/2": 2, "/close": 0}[where]
    assert len([path for path in walk.switch.calls if "/pages/" in path]) == fetched


def test_lot_taken_but_not_confirmed_is_confirmed_by_the_next_pull(walk: Walk) -> None:
    walk.register.add(*[register_row(serial) for serial in range(5)])
    closes: list[str] = []

    def cut_second_close(path: str, raw: bytes) -> bytes:
        if path.endswith("/close"):
            closes.append(path)
            if len(closes) == 2:
                return b"{}"
        return raw

    walk.switch.alter = cut_second_close
    with pytest.raises(PullError):
        walk.pull()
    first = walk.lots.latest()[0]
    assert first.state is LotState.TAKEN
    walk.switch.alter = None
    walk.register.add(register_row(7))
    lot = walk.pull()
    assert walk.lots.lot(first.lot_id).state is LotState.CLOSED
    assert (lot.inserted, lot.rows) == (1, 6)


def test_gateway_that_lost_its_memory_and_hub_that_lost_a_row_are_mended(walk: Walk) -> None:
    walk.register.add(*[register_row(serial) for serial in range(20)])
    walk.pull()
    with walk.part.store.writing() as connection:
        connection.execute("DELETE FROM delivered_1")
    lot = walk.pull()
    assert (lot.state, lot.inserted, lot.updated, lot.rows) == (LotState.CLOSED, 0, 0, 20)
    with walk.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM exchange_delivered_row WHERE key_index < '3'")
    walk.register.add(register_row(30))
    lot = walk.pull()
    assert (lot.state, lot.rows, walk.lots.verify("XY-table")) == (LotState.CLOSED, 21, ())
    assert [one.state for one in walk.lots.latest()][:2] == [LotState.CLOSED, LotState.REFUSED]


def test_page_altered_on_the_way_is_refused_and_nothing_of_it_is_staged(walk: Walk) -> None:
    walk.register.add(*[register_row(serial) for serial in range(5)])

    def alter(path: str, raw: bytes) -> bytes:
        return raw.replace("王建国".encode(), "王建军".encode()) if "/pages/" in path else raw

    walk.switch.alter = alter
    with pytest.raises(PullError) as refused:
        walk.pull()
    assert refused.value.reason == "page_altered"
    walk.switch.alter = None
    assert walk.pull().rows == 5
    assert set(walk.names()) == {"王建国"}


def test_offer_and_statement_forged_are_refused(walk: Walk) -> None:
    walk.register.add(register_row(1))

    def alter(path: str, raw: bytes) -> bytes:
        told = json.loads(raw) if "/pages/" not in path else {}
        if "offer" in told:
            payload = json.loads(told["offer"]["payload"])
            told["offer"]["payload"] = json.dumps({**payload, "pages": ["00" * 32]})
            return json.dumps(told).encode()
        return raw

    walk.switch.alter = alter
    with pytest.raises(PullError) as refused:
        walk.pull()
    assert refused.value.reason == "offer_wrong"


def test_revoked_agreement_is_refused_at_the_next_page_and_the_lot_is_given_up(walk: Walk) -> None:
    walk.register.add(*[register_row(serial) for serial in range(35)])
    agreement = table_agreement(walk.province)

    def revoke_after_first_page(path: str, raw: bytes) -> bytes:
        if path.endswith("/pages/0"):
            envelope = revoke_envelope(agreement, "用途变更", walk.province.signer("police"), walk.province.clock)
            folder = walk.province.folder("police") / "agreements"
            (folder / "revoked.json").write_text(envelope.to_json(), encoding="utf-8")
        return raw

    walk.switch.alter = revoke_after_first_page
    with pytest.raises(PullError) as refused:
        walk.pull()
    assert refused.value.reason == "agreement_revoked"
    assert walk.lots.latest()[0].state is LotState.ABANDONED
    assert walk.names() == []


def test_grant_presented_again_opens_nothing(walk: Walk) -> None:
    walk.register.add(register_row(1))
    bodies: list[bytes] = []
    true_call = walk.switch.call

    def remember(method, path, body=None, *, seconds=None):
        if path == "/v1/lots":
            bodies.append(body)
        return true_call(method, path, body, seconds=seconds)

    walk.switch.call = remember
    walk.pull()
    told = msgspec.json.decode(true_call("POST", "/v1/lots", bodies[0]))
    assert json.loads(told["refusal"]["payload"])["code"] == "replayed"
    walk.province.clock.advance(timedelta(hours=1))
    told = msgspec.json.decode(true_call("POST", "/v1/lots", bodies[0]))
    assert json.loads(told["refusal"]["payload"])["code"] == "expired"


def test_request_of_another_department_is_refused(walk: Walk) -> None:
    walk.register.add(register_row(1))
    stranger = LotPuller(type(walk.hub)(**{**walk.hub.__dict__, "signer": walk.province.signer("justice")}), walk.lots)
    with pytest.raises(PullError) as refused:
        stranger.pull(TABLE)
    assert refused.value.reason == "not_grant_signer"


def test_without_agreement_nothing_is_asked(walk: Walk) -> None:
    with pytest.raises(NoAgreementError):
        walk.puller.pull("police.other_table")
    assert walk.switch.calls == []


def test_column_gone_or_renamed_refuses_the_lot_and_names_it(walk: Walk) -> None:
    walk.register.add(register_row(1))
    walk.pull()
    walk.register.run("ALTER TABLE T_CZRK_JBXX RENAME COLUMN CSRQ TO CSNYR")
    with pytest.raises(PullError) as refused:
        walk.pull()
    assert refused.value.reason == "exchange_schema_drift"
    assert "CSRQ" in refused.value.chinese
    assert "CSNYR" in refused.value.chinese
    assert walk.names() == ["王建国"]
    walk.register.run("ALTER TABLE T_CZRK_JBXX RENAME COLUMN CSNYR TO CSRQ")
    assert walk.pull().rows == 1


def test_added_column_is_told_and_delivered_nothing_of(walk: Walk) -> None:
    walk.register.add(register_row(1))
    walk.pull()
    walk.register.run("ALTER TABLE T_CZRK_JBXX ADD COLUMN BZ VARCHAR(20)")
    lot = walk.pull()
    assert SignedEnvelope.from_json(lot.statement).payload["warnings"] == ["column_added:BZ"]


def test_emptied_table_waits_for_the_steward(walk: Walk) -> None:
    walk.register.add(*[register_row(serial) for serial in range(150)])
    walk.pull()
    walk.register.run("DELETE FROM T_CZRK_JBXX")
    with pytest.raises(PullError) as refused:
        walk.pull()
    assert refused.value.reason == "exchange_lot_mass_delete"
    assert len(walk.names()) == 150
    walk.part.store.allow(TABLE, "deletes")
    lot = walk.pull()
    assert (lot.deleted, lot.rows) == (150, 0)


def test_source_that_is_away_fails_the_lot_and_the_next_pull_brings_it(walk: Walk) -> None:
    walk.register.add(register_row(1))
    walk.register.run("ALTER TABLE T_CZRK_JBXX RENAME TO AWAY")
    with pytest.raises(PullError):
        walk.pull()
    walk.register.run("ALTER TABLE AWAY RENAME TO T_CZRK_JBXX")
    assert walk.pull().rows == 1


def test_clock_that_jumps_back_loses_no_row(walk: Walk) -> None:
    walk.register.add(register_row(1, GXSJ="20250303080000"))
    walk.pull()
    walk.province.clock.advance(timedelta(hours=-3))
    walk.register.add(register_row(2, GXSJ="20250303050000"))
    lot = walk.pull()
    assert (lot.inserted, lot.late, lot.rows) == (1, 1, 2)


def test_gateway_that_was_killed_while_preparing_prepares_anew(walk: Walk) -> None:
    walk.register.add(*[register_row(serial) for serial in range(15)])
    walk.switch.cut_before = "/pages/"
    with pytest.raises(PullError):
        walk.pull()
    remote = walk.lots.latest()[0].remote
    with walk.part.store.writing() as connection:
        # As a kill in the middle leaves it: begun, half a snapshot, no offer.
        connection.execute("UPDATE lots SET state = 'preparing', offer = '' WHERE lot_id = ?", (remote,))
        connection.execute("DELETE FROM pages")
    walk.part.desk.resume()
    walk.part.desk.wait(10)
    walk.switch.cut_before = ""
    assert walk.pull().rows == 15


def test_lot_by_file_at_work_is_not_disturbed_by_a_pull(walk: Walk) -> None:
    with walk.database.begin() as connection:
        walk.lots.open(connection, table_agreement(walk.province), mode="file")
    with pytest.raises(LotBusyError):
        walk.pull()


def test_gateways_own_files_hold_no_name_and_no_number_in_the_clear(walk: Walk) -> None:
    walk.register.add(register_row(1, XM="欧阳锋"), register_row(2, XM="欧阳?"))
    walk.switch.cut_before = "/pages/"
    with pytest.raises(PullError):
        walk.pull()
    folder = walk.province.folder("police")
    held = b"".join(path.read_bytes() for path in folder.glob("lots.db*"))
    assert "欧阳".encode() not in held
    assert number(1).encode() not in held


@pytest.fixture
def office(walk: Walk) -> LotOffice:
    return LotOffice(walk.hub, walk.lots, LotRules(from_hour=1))


def test_due_lots_are_pulled_by_jobs_once_a_cycle(walk: Walk, office: LotOffice) -> None:
    walk.register.add(*[register_row(serial) for serial in range(15)])
    worker = Worker(walk.database, office.handlers(), walk.province.clock)
    assert office.plan() == [TABLE]
    assert office.plan() == []
    while worker.run_once():
        pass
    assert walk.lots.holdings(TABLE)[0].rows == 15
    walk.province.clock.advance(timedelta(hours=2))
    assert office.plan() == []
    walk.province.clock.advance(timedelta(days=1))
    assert office.plan() == [TABLE]


def test_pull_that_fails_is_tried_again_later_and_not_at_once(walk: Walk, office: LotOffice) -> None:
    walk.register.add(register_row(1))
    worker = Worker(walk.database, office.handlers(), walk.province.clock)
    walk.switch.cut_before = "/v1/lots"
    office.plan()
    assert worker.run_once() == 1
    walk.switch.cut_before = ""
    office.plan()
    assert worker.run_once() == 0
    walk.province.clock.advance(timedelta(minutes=10))
    assert worker.run_once() == 1
    assert walk.lots.holdings(TABLE)[0].rows == 1


def test_large_lot_makes_room_for_other_jobs_and_goes_on(walk: Walk) -> None:
    walk.register.add(*[register_row(serial) for serial in range(45)])
    office = LotOffice(walk.hub, walk.lots, LotRules(seconds_at_once=0))
    lot = office.puller.pull(TABLE, seconds=0)
    assert lot.state is LotState.OPEN
    worker = Worker(walk.database, office.handlers(), walk.province.clock)
    with walk.database.begin() as connection:
        office.ask(connection, TABLE)
    turns = 0
    while worker.run_once():
        turns += 1
    assert turns > 2
    assert walk.lots.holdings(TABLE)[0].rows == 45


def test_standing_is_green_while_fresh_yellow_when_refused_and_red_when_overdue(walk: Walk, office: LotOffice) -> None:
    walk.register.add(register_row(1))
    walk.pull()
    (told,) = office.freshness()
    assert (told.light, told.proven, told.rows, told.cycle) == (Light.GREEN, True, 1, "daily")
    with walk.database.begin() as connection:
        lot = walk.lots.open(connection, table_agreement(walk.province))
    walk.lots.abandon(lot, "given_up")
    (told,) = office.freshness()
    assert (told.light, told.trouble) == (Light.YELLOW, "given_up")
    walk.province.clock.advance(timedelta(days=10))
    (told,) = office.freshness()
    assert told.light is Light.RED


def pull_in_a_process(walk: Walk, url: str) -> int:
    """Pull in a process of its own, as the hub's worker does."""
    child = os.fork()
    if child:
        return child
    try:
        database = Database.open(url)
        clock, hub = walk.province.clock, walk.hub
        signers = (walk.province.signer("hub", "national"), walk.province.signer("hub", "international"))
        ledger = Ledger(database, signers, "test.example/huodang", clock)
        client = Switch(walk.address, walk.province.tls("hub").client_context())
        parts = {"database": database, "ledger": ledger, "looks": Looks(database, ledger, clock)}
        parts |= {
            "directory": GatewayDirectory({"police": client}),
            "agreements": Agreements(ledger, hub.trusted, clock),
        }
        lots = make_lots(walk.province, database, ledger)
        LotPuller(replace(hub, **parts), lots).pull(TABLE)
    except BaseException:  # noqa: BLE001  (the parent reads the exit code)
        os._exit(1)
    os._exit(0)


def test_hub_killed_at_any_moment_takes_every_row_once(walk: Walk) -> None:
    walk.register.add(*[register_row(serial) for serial in range(400)])
    url = f"sqlite:///{walk.database.engine.url.database}"
    random = Random(7)
    kills = 0
    for _ in range(40):
        child = pull_in_a_process(walk, url)
        time.sleep(random.uniform(0.01, 0.25))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        kills += os.WIFSIGNALED(status)
        if walk.lots.holdings(TABLE) and walk.lots.holdings(TABLE)[0].rows == 400:
            break
    lot = walk.pull()
    assert kills > 0
    assert (lot.rows, walk.lots.verify("XY-table")) == (400, ())
    assert len(walk.names()) == 400
    taken = [one for one in walk.lots.latest() if one.state in (LotState.TAKEN, LotState.CLOSED) and one.inserted]
    assert [one.inserted for one in taken] == [400]


def test_disk_of_the_gateway_that_fills_fails_the_lot_and_nothing_is_half_applied(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk.register.add(*[register_row(serial) for serial in range(20)])
    walk.pull()
    walk.register.add(*[register_row(serial) for serial in range(20, 400)])
    with walk.part.store.connection() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    true_connection = walk.part.store.connection

    @contextmanager
    def full_disk() -> Iterator[sqlite3.Connection]:
        with true_connection() as connection:
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")
            yield connection

    monkeypatch.setattr(walk.part.store, "connection", full_disk)
    with pytest.raises((PullError, SourceError)):
        LotPuller(walk.hub, walk.lots, patience=1.0).pull(TABLE)
    monkeypatch.undo()
    assert walk.lots.holdings(TABLE)[0].rows == 20
    assert walk.pull().rows == 400


def test_steward_sees_lots_and_gets_the_rows_kept_back(walk: Walk, tmp_path: Path) -> None:
    walk.register.add(register_row(1), register_row(2, XM="=cmd|王?"))
    lot = walk.pull()
    steward = LotSteward(walk.gateway.file)
    (seen,) = steward.lots()
    assert (seen.lot_id, seen.state, seen.quarantined) == (lot.remote, "closed", 1)
    assert steward.quality(seen.lot_id).validity == 0.5
    assert steward.export_quarantine(TABLE, tmp_path / "bad.csv") == 1
    assert "'=cmd|" in (tmp_path / "bad.csv").read_text("utf-8-sig")
    assert (tmp_path / "bad.csv").stat().st_mode & 0o077 == 0
    with pytest.raises(LotError):
        steward.allow(TABLE, "everything")
    with pytest.raises(UnknownLotError):
        steward.quality("tnone")


@pytest.mark.parametrize("where", ["/v1/lots", "/pages/1", "/close"])
def test_connection_that_was_closed_meanwhile_is_made_anew(walk: Walk, where: str) -> None:
    walk.register.add(*[register_row(serial) for serial in range(25)])
    true_call = walk.switch.call
    failed: list[str] = []

    def fail_once(method: str, path: str, body: bytes | None = None, *, seconds: float | None = None) -> bytes:
        if path.endswith(where) and not failed:
            failed.append(path)
            raise CallFailure(Failure.of(FailureCode.UNREACHABLE, "closed"))
        return true_call(method, path, body, seconds=seconds)

    walk.switch.call = fail_once
    assert walk.pull().rows == 25
    assert failed
