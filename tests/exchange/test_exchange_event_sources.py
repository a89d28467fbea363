"""Events from PostgreSQL, MariaDB and files, and over processes that are killed at any moment."""

import csv
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from exchange_events import (
    DEATHS,
    SPEC,
    Register,
    event_agreement,
    event_office,
    gateway_settings,
    number,
    running,
    wait_until,
)
from exchange_province import JUSTICE, Province

from huodang.exchange import EventOffice, Kind
from huodang.exchange.events.part import EventsPart
from huodang.ledger import Ledger
from huodang.store import Database

TABLE = (
    'CREATE TABLE "T_SWZX" ("BH" VARCHAR(20) PRIMARY KEY, "GMSFHM" VARCHAR(18), "XM" VARCHAR(50), '
    '"SWRQ" VARCHAR(8), "ZT" CHAR(1), "GXSJ" {number})'
)
INSERT = (
    """INSERT INTO "T_SWZX" ("BH", "GMSFHM", "XM", "SWRQ", "ZT") VALUES ('D{0}', '{1}', '王{0}', '20250301', '1')"""
)


@contextmanager
def taking(
    province: Province, database: Database, ledger: Ledger, settings: dict[str, Any], **terms: Any
) -> Iterator[tuple[EventsPart, EventOffice]]:
    agreement = event_agreement(province, **terms)
    province.lay(agreement)
    with running(province.gateway(settings)) as (url, part):
        office, directory, exchange = event_office(province, database, ledger, url)
        directory._clients = {agreement.provider: next(iter(directory._clients.values()))}
        with database.begin() as connection:
            exchange.agreements.take(connection, province.signed(agreement))
        try:
            yield part, office
        finally:
            directory.close()


def drain(office: EventOffice, provider: str = "police") -> int:
    while office.subscriber.take_once(provider):
        pass
    return len(office.events(limit=10_000))


@pytest.mark.postgresql
@pytest.mark.parametrize("extra", [{"notify": "deaths"}, {}])
def test_a_death_in_postgresql_is_told_and_one_that_commits_late_is_not_lost(
    province: Province, database: Database, ledger: Ledger, postgresql_url: str, extra: dict[str, str]
) -> None:
    engine = sa.create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.execute(sa.text(TABLE.format(number="BIGSERIAL")))
    spec = {**SPEC, "cursor": "GXSJ", "sweep_seconds": 0, "watch_milliseconds": 50, **extra}
    with taking(province, database, ledger, gateway_settings(spec, url=postgresql_url)) as (part, office):
        late, quick = engine.connect(), engine.connect()
        late.execute(sa.text(INSERT.format(1, number(1))))  # takes the lower number of the sequence
        quick.execute(sa.text(INSERT.format(2, number(2))))
        if extra:
            quick.execute(sa.text("NOTIFY deaths"))
        quick.commit()
        wait_until(lambda: drain(office) == 1)
        time.sleep(0.6)  # many looks pass; the floor must not
        late.commit()
        wait_until(lambda: drain(office) == 2)
        quick.execute(sa.text("""UPDATE "T_SWZX" SET "SWRQ" = '20250302', "GXSJ" = 99 WHERE "BH" = 'D1'"""))
        quick.commit()
        wait_until(lambda: drain(office) == 3)
        assert part.problems.of(DEATHS) == ""
        late.close()
        quick.close()
    engine.dispose()


@pytest.mark.mariadb
@pytest.mark.parametrize("cursor", ["GXSJ", None])
def test_a_death_in_mariadb_is_told(
    province: Province, database: Database, ledger: Ledger, mariadb_url: str, cursor: str | None
) -> None:
    engine = sa.create_engine(mariadb_url, connect_args={"init_command": "SET sql_mode = 'ANSI_QUOTES'"})
    with engine.begin() as connection:
        connection.execute(sa.text(TABLE.format(number="BIGINT AUTO_INCREMENT UNIQUE")))
    spec = {**SPEC, "cursor": cursor, "watch_milliseconds": 50}
    with taking(province, database, ledger, gateway_settings(spec, url=mariadb_url)) as (_part, office):
        with engine.begin() as connection:
            connection.execute(sa.text(INSERT.format(1, number(1))))
        wait_until(lambda: drain(office) == 1)
        with engine.begin() as connection:
            connection.execute(sa.text('DELETE FROM "T_SWZX"'))
        wait_until(lambda: drain(office) == 2)
        assert [one.change.value for one in office.events()] == ["withdrawn", "created"]
    engine.dispose()


HEADING = ["证件号码", "姓名", "起始日期", "截止日期"]


def deliver(folder: Path, name: str, rows: list[list[str]], *, tail: bytes = b"") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / "draft"
    with draft.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([HEADING, *rows])
    draft.write_bytes(draft.read_bytes() + tail)
    draft.rename(folder / name)


def test_a_delivery_that_arrives_tells_who_came_into_custody_and_who_left(
    province: Province, database: Database, ledger: Ledger
) -> None:
    files = province.folder("justice") / "files"
    person = [[number(serial), f"李{serial}", "20250101", "99991231"] for serial in range(5)]
    deliver(files, "custody_202501.csv", person[:2])
    spec = {
        "resource": "justice.custody_changed",
        "type": "cn.huodang.custody.begun",
        "withdrawn_type": "cn.huodang.custody.ended",
        "file": "custody_*.csv",
        "key": ["证件号码", "起始日期"],
        "subject": "证件号码",
        "watch_milliseconds": 20,
        "elements": {"name": "姓名", "custody_from": {"column": "起始日期", "format": "yyyymmdd"}},
    }
    settings = {**JUSTICE, "events": {"publish": [spec]}}
    settings["resources"] = [
        {**JUSTICE["resources"][0], "elements": {"name": "姓名"}, "outcomes": []}  # type: ignore[index]
    ]
    terms = {
        "provider": "justice",
        "agreement_id": "XY-custody",
        "resource": "justice.custody_changed",
        "kind": Kind.EVENT,
        "fields": ("identity_number", "name", "custody_from"),
    }
    with taking(province, database, ledger, settings, **terms) as (part, office):

        def told() -> list[tuple[str, str]]:
            drain(office, "justice")
            return [(one.type.rpartition(".")[2], one.change.value) for one in reversed(office.events())]

        deliver(files, "custody_202502.csv", person[1:4])
        wait_until(lambda: len(told()) == 3)
        assert sorted(told()) == [("begun", "created"), ("begun", "created"), ("ended", "withdrawn")]
        # A line that can't be read may be the one that seems to lack: nobody is let out for it.
        broken = f'"{person[1][0]},李1\r\n'.encode("gb18030")
        deliver(files, "custody_202503.csv", [person[2], person[4]], tail=broken)
        wait_until(lambda: len(told()) == 5)
        assert sorted(told()[3:]) == [("begun", "created"), ("ended", "withdrawn")]
        wait_until(lambda: part.problems.of("justice.custody_changed") == "broken_lines")
        # A delivery without a column is refused whole.
        (files / "custody_202504.csv").write_text("证件号码,姓名\n", encoding="utf-8")
        wait_until(lambda: part.problems.of("justice.custody_changed") == "exchange.source")
        assert len(told()) == 5


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_HUB = """
import sys
from datetime import timedelta
from pathlib import Path
import sqlalchemy as sa
from huodang.exchange import EventOffice, GatewayDirectory
from huodang.exchange.agreements import Agreements
from huodang.ledger import Ledger
from huodang.store import Database, SystemClock
from huodang.trust import FieldSealer, Provisioner, Signer
root, url, gateway = sys.argv[1:]
keys, clock, database = Provisioner(Path(root)), SystemClock(), Database.open(url)
signers = tuple(Signer.load(keys.keys_folder("hub"), "hub", one) for one in ("national", "international"))
ledger = Ledger(database, signers, "test.example/huodang", clock)
office = EventOffice(database, Agreements(ledger, keys.trusted(), clock), ledger, signers, keys.trusted(),
    directory=GatewayDirectory.of_urls({"police": gateway}, None),
    sealer=FieldSealer.create(keys.keys_folder("hub")), clock=clock)
def handle(connection, event):
    connection.execute(sa.text("INSERT INTO effect (event, person, row_name) VALUES (:e, :p, :r)"),
        {"e": event.event_id, "p": event.data["identity_number"], "r": event.data["death_date"]})
office.subscriptions.on("cn.huodang.*", handle, name="effects")
office.start()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_gateway_and_hub_killed_at_random_moments_lose_nothing_and_double_no_effect(
    province: Province, database: Database, ledger: Ledger
) -> None:
    draw = random.Random(7)
    register = Register(province.folder("police") / "police.db")
    register.make()
    register.do("PRAGMA journal_mode = WAL")
    port = free_port()
    settings = gateway_settings({**SPEC, "cursor": "GXSJ", "existing": True, "overlap_seconds": 1})
    settings["listen"] = {"host": "127.0.0.1", "port": port}
    file = province.write(settings)
    agreement = event_agreement(province)
    province.lay(agreement)
    _office, directory, exchange = event_office(province, database, ledger, f"http://127.0.0.1:{port}")
    with database.begin() as connection:
        exchange.agreements.take(connection, province.signed(agreement))
        connection.execute(sa.text("CREATE TABLE effect (event TEXT, person TEXT, row_name TEXT)"))
    directory.close()
    serve = "from huodang.cli import main; main()"
    commands = {
        "gateway": [sys.executable, "-c", serve, "serve", "gateway", "--exit-with-parent", "--config", str(file)],
        "hub": [sys.executable, "-c", _HUB, str(province.root), str(database.engine.url), f"http://127.0.0.1:{port}"],
    }
    running_now: dict[str, subprocess.Popen[bytes]] = {}

    def start(name: str) -> None:
        running_now[name] = subprocess.Popen(
            commands[name], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(name: str) -> None:
        process = running_now.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdin is not None
        process.stdin.close()

    def effects() -> list[tuple[str, str, str]]:
        with database.read() as connection:
            return [tuple(row) for row in connection.execute(sa.text("SELECT event, person, row_name FROM effect"))]

    serial = 0
    try:
        for name in commands:
            start(name)
        for _ in range(5):
            time.sleep(draw.uniform(0.6, 1.4))
            for _ in range(draw.randrange(1, 60)):
                register.died(serial)
                serial += 1
            time.sleep(draw.uniform(0.0, 0.15))
            name = draw.choice(["gateway", "hub"])
            kill(name)
            start(name)
        wait_until(lambda: len({person for _, person, _ in effects()}) == serial, 30)
    finally:
        for name in tuple(running_now):
            kill(name)
    found = effects()
    assert len(found) == serial
    assert len({event for event, _, _ in found}) == serial
