"""What a full check found against what events had told; and who may look for payees."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from supervision_watch import Hub, event_of, identity_of, make_hub

from huodang.exchange import Actor, Change
from huodang.standards import IdentityError, Month
from huodang.store import Database, FixedClock
from huodang.supervision.clues import Finding, Signal
from huodang.supervision.watch import Confirmation, NotPermittedToLookError, PayeeDesk, RunError

FEBRUARY = Month(2025, 2)
INVESTIGATOR = Actor("jihe1", "稽核", "investigator", "social_insurance", "130100")
ELSEWHERE = Actor("jihe2", "稽核", "investigator", "social_insurance", "130200")
ADMINISTRATOR = Actor("admin", "系统管理员", "system_administrator", "social_insurance", "130000")
AUDITOR = Actor("shenji", "审计", "auditor", "social_insurance", "130000")


@pytest.fixture
def hub(database: Database, tmp_path: Path, clock: FixedClock) -> Hub:
    made = make_hub(database, tmp_path, clock)
    made.load({1: 300_000, 2: 250_000}, FEBRUARY)
    return made


@pytest.fixture
def confirmation(hub: Hub) -> Confirmation:
    return Confirmation(hub.database, hub.payees, hub.clues, hub.clock)


def found(serial: int, rule: str = "paid_after_death", fen: int = 300_000, number: str = "") -> Finding:
    signal = Signal(
        register="police",
        kind="death",
        fact={"death_date": "2025-01-20"},
        digest=f"{serial:064x}",
        confirmed=False,
        fuzzy=False,
        known_at=datetime(2025, 3, 1, tzinfo=UTC),
    )
    return Finding(rule, number or identity_of(serial), "110", (FEBRUARY,), fen, (signal,), "run-1", b"row", "130102")


def test_what_an_event_had_told_is_not_missed(hub: Hub, confirmation: Confirmation) -> None:
    hub.take(event_of(1, 1))
    [line] = confirmation.confirm("run-1", [found(1)])
    assert (line.found, line.told, line.missed, line.missed_fen) == (1, 1, 0, 0)


def test_what_no_event_had_told_is_measured_and_becomes_a_clue(hub: Hub, confirmation: Confirmation) -> None:
    hub.take(event_of(1, 1))
    [line] = confirmation.confirm("run-1", [found(1), found(2, fen=250_000)])
    assert (line.found, line.told, line.fen, line.missed_fen) == (2, 1, 550_000, 250_000)
    assert line.reasons == {"no_event": 1}
    assert hub.state(2) == "held"


def test_why_an_event_missed_it_is_told(hub: Hub, confirmation: Confirmation) -> None:
    hub.take(event_of(1, 7))  # came before the list that pays the person
    hub.take(event_of(2, 1))
    hub.take(event_of(3, 1, change=Change.WITHDRAWN, type_="cn.huodang.death.annulled"))
    [line] = confirmation.confirm("run-1", [found(7), found(1), found(2)])
    assert line.reasons == {"no_event": 1, "no_payee": 1, "withdrawn": 1}


def test_the_same_run_again_gives_the_same_and_opens_nothing_more(hub: Hub, confirmation: Confirmation) -> None:
    first = confirmation.confirm("run-1", [found(1), found(2)])
    hub.take(event_of(1, 1))
    assert confirmation.confirm("run-1", [found(1), found(2)]) == first == confirmation.results("run-1")
    assert confirmation.results("run-2") is None


def test_rules_that_no_event_can_tell_are_left_aside(confirmation: Confirmation) -> None:
    assert confirmation.confirm("run-1", [found(1, rule="account_shared")]) == []


def test_a_run_with_a_broken_number_is_refused_whole(hub: Hub, confirmation: Confirmation) -> None:
    with pytest.raises(RunError):
        confirmation.confirm("run-1", [found(1), found(2, number="130102194001010000")])
    assert hub.state(1) == "paying"
    assert confirmation.results("run-1") is None


def test_an_investigator_sees_amounts_and_a_masked_number_and_leaves_a_look(hub: Hub) -> None:
    desk = PayeeDesk(hub.database, hub.payees, hub.payments, hub.looks)
    answer = desk.find(INVESTIGATOR, identity_of(1), "supervision", case_id="c1")
    [row] = answer.rows
    assert (row.scheme, row.since, row.amount) == ("企业职工基本养老保险", "2025-02", "3000.00")
    assert answer.identity_number != identity_of(1)
    [look] = hub.looks.of_subject(hub.index(1))
    assert (look.user_id, look.purpose, look.case_id, look.entry_id) == ("jihe1", "supervision", "c1", answer.entry_id)


def test_also_the_answer_no_leaves_a_look(hub: Hub) -> None:
    desk = PayeeDesk(hub.database, hub.payees, hub.payments, hub.looks)
    assert not desk.find(INVESTIGATOR, identity_of(9), "supervision").is_paid
    assert len(hub.looks.of_subject(hub.index(9))) == 1


def test_what_another_region_pays_is_counted_and_not_shown(hub: Hub) -> None:
    desk = PayeeDesk(hub.database, hub.payees, hub.payments, hub.looks)
    answer = desk.find(ELSEWHERE, identity_of(1), "supervision")
    assert (answer.rows, answer.elsewhere, answer.is_paid) == ((), 1, True)


@pytest.mark.parametrize(
    ("actor", "purpose"), [(ADMINISTRATOR, "supervision"), (INVESTIGATOR, "retirement"), (AUDITOR, "supervision")]
)
def test_nobody_else_and_for_nothing_else(hub: Hub, actor: Actor, purpose: str) -> None:
    desk = PayeeDesk(hub.database, hub.payees, hub.payments, hub.looks)
    with pytest.raises(NotPermittedToLookError):
        desk.find(actor, identity_of(1), purpose)


def test_a_number_that_fails_is_refused_before_anything_is_looked_up(hub: Hub) -> None:
    desk = PayeeDesk(hub.database, hub.payees, hub.payments, hub.looks)
    with pytest.raises(IdentityError):
        desk.find(AUDITOR, "130102194001010000", "audit")
