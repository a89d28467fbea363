"""An arriving death or custody meets the payment: held, with a clue, its evidence and a look; each event once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from supervision_watch import Hub, event_of, identity_of, make_hub

from huodang.exchange import Change
from huodang.standards import Month
from huodang.store import Database, FixedClock
from huodang.supervision.clues import ClueState, Measure
from huodang.supervision.watch.records import watched

FEBRUARY = Month(2025, 2)


@pytest.fixture
def hub(database: Database, tmp_path: Path, clock: FixedClock) -> Hub:
    made = make_hub(database, tmp_path, clock)
    made.load({1: 300_000, 2: 250_000}, FEBRUARY)
    return made


def clue_of(hub: Hub, number: int, department: str = "health") -> str:
    with hub.database.read() as connection:
        return str(
            connection.execute(
                sa.select(watched.c.clue_id).where(watched.c.event_id == f"{department}:{number}")
            ).scalar_one()
        )


def soon(hub: Hub) -> datetime:
    """A second later: what was recorded at this moment is known then."""
    return hub.clock.now() + timedelta(seconds=1)


def test_a_death_of_somebody_paid_opens_a_clue_and_holds_the_payment(hub: Hub) -> None:
    hub.take(event_of(1, 1))
    assert hub.state(1) == "held"
    assert hub.state(2) == "paying"
    with hub.database.read() as connection:
        clue = hub.clues.load(connection, clue_of(hub, 1))
        [signal] = hub.clues.signals(connection, clue.clue_id)
        [stake] = hub.clues.stakes(connection, clue.clue_id)
    assert (clue.matter, clue.person_index) == ("death", hub.index(1))
    assert (signal.register, signal.kind, signal.fact["death_date"]) == ("health", "death", "2025-01-20")
    assert (stake.scheme, stake.months, stake.fen) == ("110", (FEBRUARY,), 300_000)


def test_every_scheme_of_the_person_is_held(hub: Hub) -> None:
    hub.load({1: 20_000}, FEBRUARY, "170")
    hub.take(event_of(1, 1))
    assert (hub.state(1), hub.state(1, "170")) == ("held", "held")


def test_a_death_of_somebody_who_is_not_paid_is_kept_and_raises_nothing(hub: Hub) -> None:
    hub.take(event_of(1, 9))
    assert clue_of(hub, 1) == ""
    assert [fact.value for fact in hub.timeline.history(hub.index(9))] == ["2025-01-20"]


def test_a_second_department_joins_the_clue_and_two_witnesses_stop_the_payment(hub: Hub) -> None:
    hub.take(event_of(1, 1))
    hub.take(event_of(2, 1, department="police"))
    assert clue_of(hub, 1) == clue_of(hub, 2, "police")
    with hub.database.read() as connection:
        assert hub.clues.judgement(connection, clue_of(hub, 1)).measure is Measure.STOP
    assert hub.state(1) == "stopped"


def test_the_same_event_again_changes_nothing(hub: Hub) -> None:
    for _ in range(3):
        hub.take(event_of(1, 1))
    with hub.database.read() as connection:
        assert len(hub.clues.signals(connection, clue_of(hub, 1))) == 1
        assert connection.execute(sa.select(sa.func.count()).select_from(watched)).scalar() == 1


def test_an_annulled_death_lets_the_payment_go(hub: Hub) -> None:
    hub.take(event_of(1, 1))
    hub.take(event_of(2, 1, change=Change.WITHDRAWN, type_="cn.huodang.death.annulled"))
    assert hub.state(1) == "paying"
    with hub.database.read() as connection:
        assert hub.clues.load(connection, clue_of(hub, 1)).state == ClueState.REFUTED
    assert hub.timeline.as_known(hub.index(1), "death_date", soon(hub)) == []


def test_departments_that_contradict_each_other_go_to_arbitration_while_payment_goes_on(hub: Hub) -> None:
    hub.take(event_of(1, 1))
    hub.take(event_of(2, 1, department="police"))
    hub.take(event_of(3, 1, department="police", change=Change.WITHDRAWN, type_="cn.huodang.death.annulled"))
    with hub.database.read() as connection:
        clue = hub.clues.load(connection, clue_of(hub, 1))
        assert hub.clues.judgement(connection, clue.clue_id).measure is Measure.ARBITRATE
    assert clue.state == ClueState.ARBITRATION
    assert hub.state(1) == "paying"


def test_a_corrected_date_stands_alone_and_the_clue_stays_open(hub: Hub) -> None:
    hub.take(event_of(1, 1))
    hub.take(event_of(2, 1, change=Change.CHANGED, death_date="2025-02-10"))
    with hub.database.read() as connection:
        clue = hub.clues.load(connection, clue_of(hub, 1))
        signals = hub.clues.signals(connection, clue.clue_id)
    assert [one.fact["death_date"] for one in signals] == ["2025-02-10"]
    assert clue.state == ClueState.NEW
    assert [one.value for one in hub.timeline.as_known(hub.index(1), "death_date", soon(hub))] == ["2025-02-10"]


def test_a_death_known_to_the_month_only_is_judged_by_its_last_day(hub: Hub) -> None:
    hub.take(event_of(1, 1, death_date="2025-02"))
    with hub.database.read() as connection:
        [stake] = hub.clues.stakes(connection, clue_of(hub, 1))
    assert stake.months == ()  # February is the month of death, and due whole
    assert stake.fen == 300_000


@pytest.mark.parametrize(
    ("sentence", "state"), [("prison", "held"), ("detention", "held"), ("probation", "paying"), ("outside", "paying")]
)
def test_prison_holds_the_payment_and_serving_outside_does_not(hub: Hub, sentence: str, state: str) -> None:
    hub.take(event_of(1, 1, department="justice", kind="custody", custody_from="2025-01-10", sentence_type=sentence))
    assert hub.state(1) == state
    assert [one.value for one in hub.timeline.history(hub.index(1))] == [sentence]


def test_release_is_an_end_and_not_an_error_of_the_register(hub: Hub) -> None:
    custody = {"custody_from": "2025-01-10", "sentence_type": "prison"}
    hub.take(event_of(1, 1, department="justice", kind="custody", **custody))
    hub.take(
        event_of(
            2,
            1,
            department="justice",
            kind="custody",
            change=Change.WITHDRAWN,
            type_="cn.huodang.custody.ended",
            noticed=datetime(2025, 3, 3, 0, 0, tzinfo=UTC),
            **custody,
        )
    )
    with hub.database.read() as connection:
        assert hub.clues.load(connection, clue_of(hub, 1, "justice")).state == ClueState.NEW
    [term] = hub.timeline.as_known(hub.index(1), "sentence_type", soon(hub))
    assert str(term.valid_to) == "2025-03-03"


def test_moving_house_and_insurance_elsewhere_are_facts_and_no_suspicion(hub: Hub) -> None:
    hub.take(event_of(1, 1, department="police", kind="moved", household_status="moved"))
    hub.take(event_of(2, 1, department="medical_insurance", kind="enrolled", medical_status="1"))
    assert (clue_of(hub, 1, "police"), clue_of(hub, 2, "medical_insurance")) == ("", "")
    assert {one.element for one in hub.timeline.history(hub.index(1))} == {"household_status", "medical_status"}


def test_settling_abroad_asks_for_a_look_and_holds_nothing(hub: Hub) -> None:
    hub.take(event_of(1, 1, department="police", kind="moved", household_status="cancelled_abroad"))
    with hub.database.read() as connection:
        assert hub.clues.load(connection, clue_of(hub, 1, "police")).matter == "residence"
    assert hub.state(1) == "paying"


def test_every_arrival_leaves_a_look_of_the_hub_itself(hub: Hub) -> None:
    hub.take(event_of(1, 1))
    [look] = [one for one in hub.looks.of_subject(hub.index(1)) if one.what == "supervision.payees"]
    assert (look.role, look.purpose, look.case_id) == ("system", "supervision", "event-1")


def test_an_event_that_says_no_day_or_no_number_changes_nothing(hub: Hub) -> None:
    hub.take(event_of(1, 1, death_date="unknown"))
    broken = event_of(2, 1)
    hub.take(type(broken)(**{**broken.__dict__, "data": {"death_date": "2025-01-20"}}))
    assert hub.state(1) == "paying"
    with hub.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(watched)).scalar() == 0


def test_no_identity_number_stands_in_what_the_watch_keeps(hub: Hub) -> None:
    hub.take(event_of(1, 1))
    with hub.database.read() as connection:
        told = "|".join(map(str, connection.execute(sa.select(watched)).one()))
    assert identity_of(1) not in told
