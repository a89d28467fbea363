"""Matching on the platform: under an agreement, with budgets, ledgered; the hub learns the overlap and nothing else."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from exchange_province import SYSTEM, Province, serving
from matching_sides import numbers

from huodang.exchange import (
    Actor,
    Agreements,
    Catalogue,
    Gateway,
    GatewayClient,
    GatewayConfigError,
    GatewayDirectory,
    Kind,
    Looks,
    build_gateway,
    gateway_application,
    product_catalogue,
)
from huodang.exchange.gateway.parts import build_parts
from huodang.exchange.matching import (
    BudgetError,
    HttpHolder,
    Lanes,
    MalformedMessageError,
    Matches,
    MatchingError,
    MatchQuestion,
    MatchRefusedError,
    NearIdenticalError,
    NotPermittedToMatchError,
    PeerLostError,
    SetTooSmallError,
)
from huodang.ledger import Ledger
from huodang.store import Database, metadata
from huodang.trust import FieldSealer

RESOURCE = "housing_fund.accounts_match"
HELD = 60


def config(**changes: Any) -> dict[str, Any]:
    offer = {
        "resource": RESOURCE,
        "table": "GR_ZHXX",
        "column": "ZJHM",
        "only": {"GRZHZT": ["01", "02"]},
        "minimum_set": 20,
        "probes_per_day": 3,
    } | changes
    return {
        "department": "housing_fund",
        "name": {"chinese": "住房公积金中心", "english": "Housing Fund"},
        "database": "gateway.db",
        "keys": "keys",
        "trust": "../../trust.json",
        "agreements": "agreements",
        "listen": {"host": "127.0.0.1", "port": 0},
        "source": {"url": "sqlite:///housing_fund.db"},
        "resources": [
            {
                "resource": "housing_fund.account",
                "table": "GR_ZHXX",
                "subject": "ZJHM",
                "elements": {"account_number": "GRZH"},
                "no_row": {"outcome": "clear", "reason": "no_account"},
                "otherwise": {"outcome": "hit", "reason": "account_open"},
            }
        ],
        "matches": {"offer": [offer]},
    }


def fill(province: Province, count: int = HELD) -> None:
    folder = province.folder("housing_fund")
    with sqlite3.connect(folder / "housing_fund.db") as connection:
        connection.execute("CREATE TABLE GR_ZHXX (GRZH TEXT, ZJHM TEXT, GRZHZT TEXT)")
        rows = [(f"G{n}", one.text.lower(), "01") for n, one in enumerate(numbers(0, count))]
        rows += [("D1", numbers(0, 1)[0].text, "02"), ("C1", numbers(500, 1)[0].text, "09"), ("X", "130102", "01")]
        connection.executemany("INSERT INTO GR_ZHXX VALUES (?, ?, ?)", rows)
    connection.close()


def agreement(province: Province, **changes: Any) -> Any:
    terms: dict[str, Any] = {
        "kind": Kind.MATCH,
        "elements": ("identity_number",),
        "fields": (),
        "purposes": ("supervision",),
    }
    return province.agreement(RESOURCE, **(terms | changes))


Run = Callable[..., Any]


@pytest.fixture
def hub(database: Database, ledger: Ledger, province: Province) -> Iterator[Callable[..., Matches]]:
    opened: list[Any] = []

    def make(settings: dict[str, Any] | None = None, *, count: int = HELD, agreed: Any = None) -> Matches:
        folder = province.folder("housing_fund")
        if not (folder / "housing_fund.db").exists():
            fill(province, count)
        terms = agreed or agreement(province)
        province.lay(terms)
        gateway = province.gateway(settings or config())
        parts = build_parts(gateway, {})
        context = serving(gateway_application(gateway, parts))
        url = context.__enter__()
        directory = GatewayDirectory.of_urls({"housing_fund": url}, None)
        opened.append((context, directory, parts))
        with database.begin() as connection:
            catalogue = Catalogue(province.clock)
            if RESOURCE not in catalogue.entries(connection):
                catalogue.publish(connection, product_catalogue()[RESOURCE])
            Agreements(ledger, province.trusted, province.clock).take(connection, province.signed(terms))
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
    for context, directory, parts in opened:
        directory.close()
        context.__exit__(None, None, None)
        for part in parts:
            part.stop()


def question(**changes: Any) -> MatchQuestion:
    return MatchQuestion(
        **({"resource": RESOURCE, "purpose": "supervision", "actor": SYSTEM, "case_id": "case-1"} | changes)
    )


def rows(database: Database, statement: str) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(sa.text(statement)))


def test_hub_learns_whom_of_its_set_the_department_has(hub: Run, database: Database, ledger: Ledger) -> None:
    asked = numbers(40, 50)
    outcome = hub().match(question(), [*asked, asked[0]])
    assert outcome.members == tuple(asked[:20])
    assert (outcome.overlap, outcome.queried, outcome.held) == (20, 50, HELD)
    assert rows(database, "SELECT state, overlap, held, queried FROM exchange_match") == [("answered", 20, HELD, 50)]
    ledger.seal_batch()
    assert ledger.verify_all().valid


def test_size_only_match_names_nobody(hub: Run, database: Database) -> None:
    outcome = hub().match(question(size_only=True), numbers(40, 50))
    assert (outcome.overlap, outcome.members) == (20, None)
    assert rows(database, "SELECT DISTINCT subject_index FROM exchange_look") == [("",)]


def test_each_person_found_on_both_sides_can_see_who_looked(hub: Run, database: Database, province: Province) -> None:
    asked = numbers(58, 30)
    hub().match(question(), asked)
    sealer = FieldSealer.create(province.keys.keys_folder("hub"))
    looked = {row[0] for row in rows(database, "SELECT subject_index FROM exchange_look")}
    found = {sealer.blind_index("identity_number", one.text) for one in asked[:2]}
    assert looked == {"", *found}


def test_nothing_kept_of_a_match_names_a_person(hub: Run, database: Database, province: Province) -> None:
    asked = numbers(40, 50)
    hub().match(question(), asked)
    kept = b"".join(path.read_bytes() for path in province.root.rglob("*.db*") if "housing_fund.db" not in path.name)
    with database.read() as connection:
        for table in metadata.tables.values():
            kept += str(connection.execute(sa.select(table)).all()).encode()
    assert not any(one.text.encode() in kept for one in asked)


def test_interrupted_match_goes_on_under_its_id_and_is_counted_once(
    hub: Run, database: Database, province: Province
) -> None:
    matches, asked = hub(config(probes_per_day=1)), numbers(40, 50)
    first = matches.match(question(), asked)
    again = matches.match(question(), asked, match_id=first.match_id)
    assert (again.match_id, again.members) == (first.match_id, first.members)
    with pytest.raises(MalformedMessageError):
        matches.match(question(), asked[1:], match_id=first.match_id)
    with pytest.raises(NotPermittedToMatchError):
        matches.match(question(), asked, match_id="m-unknown")
    assert matches.unfinished() == []
    assert rows(database, "SELECT count(*) FROM exchange_match") == [(1,)]


def test_budget_of_a_day_is_kept_and_renewed(hub: Run, database: Database, province: Province) -> None:
    matches = hub(config(probes_per_day=2))
    for start in (0, 100):
        matches.match(question(), numbers(start, 30))
    with pytest.raises(BudgetError):
        matches.match(question(), numbers(200, 30))
    assert rows(database, "SELECT code FROM exchange_match WHERE state = 'failed'") == [("matching.budget",)]
    province.clock.advance(timedelta(hours=16))
    assert matches.match(question(), numbers(200, 30)).overlap == 0


def test_near_identical_probe_is_refused_until_time_has_passed(hub: Run, province: Province) -> None:
    matches = hub()
    matches.match(question(size_only=True), numbers(0, 100))
    with pytest.raises(NearIdenticalError):
        matches.match(question(size_only=True), numbers(0, 99))
    with pytest.raises(NearIdenticalError):
        matches.match(question(), numbers(0, 100))
    assert matches.match(question(size_only=True), numbers(0, 40)).overlap == 40
    province.clock.advance(timedelta(days=21))
    assert matches.match(question(size_only=True), numbers(0, 99)).overlap == HELD


@pytest.mark.parametrize("held", [10, HELD])
def test_set_that_is_too_small_on_either_side_is_refused(hub: Run, held: int) -> None:
    matches = hub(count=held)
    with pytest.raises(SetTooSmallError) as raised:
        matches.match(question(), numbers(0, 19 if held == HELD else 50))
    assert str(held) not in raised.value.sentence("zh")


def test_holder_of_sizes_tells_the_hub_no_members(hub: Run) -> None:
    matches = hub(config(size_only=True))
    with pytest.raises(MatchingError):
        matches.match(question(), numbers(0, 50))
    assert matches.match(question(size_only=True), numbers(0, 50)).overlap == 50


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "retirement"},
        {"resource": "police.household"},
        {"actor": Actor("s", "管理员", "steward", "housing_fund")},
    ],
)
def test_what_no_agreement_or_policy_covers_is_not_asked(hub: Run, database: Database, changes: dict[str, Any]) -> None:
    with pytest.raises(NotPermittedToMatchError):
        hub().match(question(**changes), numbers(0, 50))
    assert rows(database, "SELECT count(*) FROM exchange_match") == [(0,)]


def test_agreement_revoked_at_the_gateway_ends_matching_at_once(hub: Run, province: Province) -> None:
    matches = hub()
    terms = agreement(province)
    (province.folder("housing_fund") / "agreements" / f"{terms.agreement_id}.v1.json").unlink()
    with pytest.raises(NotPermittedToMatchError):
        matches.match(question(), numbers(0, 50))
    lines = province.opened[-1].memory.lines()
    assert [(line.outcome, line.reason) for line in lines] == [("refusal", "no_agreement")]


def test_gateway_logs_each_match_and_takes_a_grant_once(hub: Run, province: Province) -> None:
    hub().match(question(), numbers(0, 50))
    lines = province.opened[-1].memory.lines()
    assert [(line.outcome, line.reason, line.resource) for line in lines] == [
        ("match", "answered", RESOURCE),
        ("match", "opened", RESOURCE),
    ]


def test_gateway_that_is_gone_leaves_the_match_failed_and_it_can_go_on(
    hub: Run, database: Database, ledger: Ledger, province: Province
) -> None:
    matches = hub()
    directory = GatewayDirectory({"housing_fund": GatewayClient("http://127.0.0.1:1", None)})
    away = Matches(
        database,
        ledger,
        Looks(database, ledger, province.clock),
        FieldSealer.create(province.keys.keys_folder("hub")),
        province.signer("hub"),
        province.trusted,
        directory,
        province.clock,
    )
    with pytest.raises(PeerLostError):
        away.match(question(), numbers(40, 50))
    [(match_id, code)] = rows(database, "SELECT match_id, code FROM exchange_match WHERE state = 'failed'")
    assert code == "matching.peer_lost"
    assert matches.match(question(), numbers(40, 50), match_id=match_id).overlap == 20


def test_gateway_tells_what_it_matches(hub: Run, province: Province) -> None:
    hub()
    part = build_parts(province.opened[-1], {})[-1]
    [offer] = part.offers()
    assert (offer["resource"], offer["kind"], offer["ready"]) == (RESOURCE, "match", True)
    part.stop()
    part.stop()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"column": "SFZH"}, "没有这一列"),
        ({"only": {"ZT": "1"}}, "没有这一列"),
        ({"resource": "police.accounts_match"}, "部门代码"),
        ({"resource": "housing_fund.account"}, "重名"),
        ({"file": "x.csv"}, "table"),
        ({"take": "all"}, "take"),
        ({"minimum_set": 0}, "格式"),
        ({"unknown": 1}, "格式"),
    ],
)
def test_section_that_does_not_fit_is_refused_at_start_up(
    province: Province, changes: dict[str, Any], told: str
) -> None:
    fill(province)
    with pytest.raises(GatewayConfigError, match=told):
        build_gateway(province.write(config(**changes)), environment={}, clock=province.clock)


def test_files_are_matched_like_tables(hub: Run, province: Province) -> None:
    fill(province)
    folder = province.folder("housing_fund") / "files"
    folder.mkdir()
    lines = ["证件号码,状态", *(f"{one.text},{'正常' if n % 2 else '封存'}" for n, one in enumerate(numbers(0, 100)))]
    (folder / "accounts_1.csv").write_bytes("\n".join(lines).encode("gb18030"))
    settings = config(file="accounts_*.csv", table=None, column="证件号码", only={"状态": "正常"})
    settings["source"] = {"files": {"folder": "files", "encoding": "gb18030"}}
    settings["resources"] = [
        settings["resources"][0]
        | {
            "file": "accounts_*.csv",
            "table": None,
            "subject": "证件号码",
            "elements": {"account_status": {"constant": "01"}},
        }
    ]
    outcome = hub(settings).match(question(), numbers(50, 100))
    assert (outcome.overlap, outcome.held) == (25, 50)


def test_session_is_its_queriers_alone(hub: Run, province: Province) -> None:
    """Whoever doesn't know the session's name gets nothing, and a request that isn't one is a problem, not a crash."""
    hub()
    gateway: Gateway = province.opened[-1]
    parts = build_parts(gateway, {})
    with serving(gateway_application(gateway, parts)) as url:
        pool = GatewayClient(url, None).pool
        for method, path in (("GET", "/answers/0"), ("GET", "/tags/0"), ("POST", "/close"), ("PUT", "/values/0")):
            answer = pool.urlopen(method, f"/v1/matches/{'0' * 32}{path}", body=b"" if method == "PUT" else None)
            assert (answer.status, msgspec.json.decode(answer.data)["code"]) == (404, "matching.peer_lost")
        for body in (b"", b"{}", b'{"grant": {}, "terms": {}}', b"[" * 5000):
            answer = pool.urlopen("POST", "/v1/matches", body=body)
            assert (answer.status, msgspec.json.decode(answer.data)["code"]) == (400, "matching.malformed")
        pool.close()
    for part in parts:
        part.stop()


class _Killed(BaseException):
    """Stands for a kill: nothing of ours catches it."""


@pytest.mark.parametrize("stage", ["send", "close", "answers", "tags"])
def test_hub_killed_at_any_stage_takes_the_match_up_and_it_counts_once(
    hub: Run, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    matches, asked = hub(config(probes_per_day=1)), numbers(40, 50)
    with monkeypatch.context() as patched:

        def killed(*_: object) -> Any:
            raise _Killed

        patched.setattr(HttpHolder, stage, killed)
        with pytest.raises(_Killed):
            matches.match(question(), asked)
    [match_id] = matches.unfinished()
    outcome = matches.match(question(), asked, match_id=match_id)
    assert outcome.members == tuple(asked[:20])
    assert matches.unfinished() == []
    with pytest.raises(BudgetError):
        matches.match(question(), numbers(200, 50))


def test_gateway_started_anew_answers_a_match_taken_up_as_before(hub: Run, province: Province) -> None:
    settings, asked = config(probes_per_day=1), numbers(40, 50)
    first = hub(settings).match(question(), asked)
    anew = hub(settings)
    assert anew.match(question(), asked, match_id=first.match_id).members == first.members
    with pytest.raises(BudgetError):
        anew.match(question(), numbers(200, 50))


def test_answer_that_the_department_did_not_sign_is_refused(
    hub: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    matches = hub()
    close = HttpHolder.close

    def unsigned(holder: HttpHolder) -> str:
        digest = close(holder)
        holder.signed = holder.signed.replace(digest, "0" * 64)
        return digest

    monkeypatch.setattr(HttpHolder, "close", unsigned)
    with pytest.raises(MatchRefusedError):
        matches.match(question(), numbers(40, 50))
    assert rows(database, "SELECT state, code FROM exchange_match") == [("failed", "matching.refused")]
