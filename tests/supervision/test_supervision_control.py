"""Payment control: who is held and stopped, for how long, on what grounds, and that every fen comes back."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from clue_scene import ELSEWHERE, HEALTH, LEADER, LI, NUMBERS, POLICE, SCHEME, WANG, WINDOW, ZHAO, Agency, signal

from huodang.archive import PaymentKind
from huodang.standards import IdentityNumber, Month
from huodang.store import Database, FixedClock
from huodang.supervision.clues import Stance
from huodang.supervision.control import (
    CONTROL,
    Basis,
    ControlGuardError,
    ControlNotPermittedError,
    NoticeTemplateError,
    UnknownControlError,
    letter,
    read_templates,
    records,
    templates,
)

ALIVE = signal("police", "alive", stance=Stance.AGAINST)


@pytest.fixture
def agency(database: Database, clock: FixedClock, tmp_path: Path) -> Agency:
    return Agency.open(database, clock, tmp_path)


def withhold(agency: Agency, month: Month, fen: int, number: str = NUMBERS[0]) -> None:
    """What a released list leaves out, as `Paylists.release` books it."""
    with agency.database.begin() as connection:
        row = connection.execute(sa.select(sa.func.count()).select_from(records.withheld)).scalar_one()
        connection.execute(
            sa.insert(records.withheld).values(
                list_id="p1",
                row=row,
                person_index=agency.index(number),
                scheme=SCHEME,
                month=month,
                fen=fen,
                clue_id="c1",
                withheld_at=agency.clock.now(),
            )
        )


def back_pay(agency: Agency, number: str = NUMBERS[0]) -> dict[str, int]:
    paid = agency.payments.of_person(IdentityNumber.parse(number))
    assert all(one.kind is PaymentKind.BACK_PAY for one in paid)
    return {str(one.month): one.amount.fen for one in paid}


def grounds(agency: Agency) -> Sequence[tuple[str, str, str]]:
    table = records.ground
    with agency.database.read() as connection:
        rows = connection.execute(sa.select(table).order_by(table.c.number))
        return [(row.kind, row.basis, row.ended_why) for row in rows]


def test_a_single_record_holds_the_next_payment_and_the_person_is_told(agency: Agency) -> None:
    clue = agency.found()
    assert agency.state() == "held"
    (payment,) = agency.control.payments(LI, clue)
    (ground,) = payment.grounds
    assert (ground.basis, ground.from_month, ground.until_month) == (
        Basis.ONE_SOURCE,
        Month(2025, 4),
        Month(2025, 4),
    )
    (told,) = agency.control.letters(LI, clue)
    assert told.kind == "held"
    assert "2025-04" in told.parts["what"][0]
    assert "12333" in told.parts["object"][0]


def test_a_hold_ends_by_itself_after_one_cycle_with_every_fen_and_its_clue_reported(agency: Agency) -> None:
    clue = agency.found()
    withhold(agency, Month(2025, 4), 123_456)
    agency.on("2025-04-30")
    assert agency.state() == "held"
    agency.on("2025-05-01")
    assert agency.state() == "paying"
    assert back_pay(agency) == {"202504": 123_456}
    assert agency.notices() == ["held", "lapsed"]
    assert "hold_lapsed" in [line.event for line in agency.clues.view(LI, clue).history]
    agency.found(signal(mark="again"), run_id="run-2")
    agency.work()
    assert agency.state() == "paying"
    assert [kind for kind, _, _ in grounds(agency)] == ["hold"]


def test_two_independent_registers_stop_and_a_copy_of_one_does_not(agency: Agency) -> None:
    agency.found(signal(), signal("civil_affairs", copy_of="health"))
    assert agency.state() == "held"
    agency.found(signal("police"), run_id="run-2")
    assert agency.state() == "stopped"
    assert grounds(agency) == [("hold", "one_source", "stopped"), ("stop", "signals", "")]
    agency.on("2025-05-02")
    assert agency.state() == "stopped"


@pytest.mark.parametrize("only", [signal(fuzzy=True), signal("social_insurance"), signal("scores")])
def test_likeness_own_data_and_scores_touch_no_payment(agency: Agency, only: object) -> None:
    agency.found(only)  # type: ignore[arg-type]
    assert agency.state() == "paying"
    assert agency.notices() == []


def test_evidence_that_conflicts_lets_go_and_pays_back_while_it_is_settled(agency: Agency) -> None:
    agency.found()
    withhold(agency, Month(2025, 4), 500)
    agency.found(ALIVE, run_id="run-2")
    assert agency.state() == "paying"
    assert back_pay(agency) == {"202504": 500}
    assert agency.notices() == ["held", "released"]


def test_silence_of_departments_never_cuts_a_pension(agency: Agency) -> None:
    clue = agency.found(signal(), ALIVE)
    agency.on("2026-03-03")
    assert agency.state() == "paying"
    assert agency.clues.view(WANG, clue).row.state == "arbitration"
    assert agency.clues.view(WANG, clue).row.overdue


def test_a_decision_by_two_people_stops_from_the_month_after_death_and_keeps_what_is_due(agency: Agency) -> None:
    clue = agency.found()
    withhold(agency, Month(2025, 4), 700)
    agency.on("2025-04-15")
    agency.confirm(clue, fact_from="2025-04-02")
    assert agency.state() == "stopped"
    # April, the month of death, is due whole.
    assert back_pay(agency) == {"202504": 700}
    (payment,) = agency.control.payments(WANG, clue)
    (stop,) = [one for one in payment.grounds if one.stands]
    assert (stop.basis, stop.from_month, stop.judged_by) == (Basis.DECISION, Month(2025, 5), "wang")


def test_what_was_withheld_after_the_death_is_kept(agency: Agency) -> None:
    clue = agency.found()
    withhold(agency, Month(2025, 4), 700)
    agency.confirm(clue, fact_from="2025-02-10")
    assert back_pay(agency) == {}
    (payment,) = agency.control.payments(WANG, clue)
    assert (payment.withheld, payment.paid_back) == (700, 0)


def test_a_wrong_stop_is_reversed_and_paid_back(agency: Agency) -> None:
    clue = agency.found()
    agency.confirm(clue)
    withhold(agency, Month(2025, 4), 300)
    withhold(agency, Month(2025, 5), 301)
    agency.clues.move(ZHAO, clue, "reopen", note="同名同姓")
    agency.clues.move(LI, clue, "take")
    agency.clues.move(LI, clue, "refute", note="本人健在")
    assert agency.state() == "paying"
    assert back_pay(agency) == {"202504": 300, "202505": 301}
    assert agency.notices()[-1] == "restored"


def test_one_who_appears_in_person_is_paid_again_at_once(agency: Agency) -> None:
    clue = agency.found()
    agency.confirm(clue)
    withhold(agency, Month(2025, 4), 900)
    agency.clues.move(WINDOW, clue, "object", note="本人持身份证到场", data={"seen_in_person": "yes"})
    assert agency.state() == "paying"
    assert back_pay(agency) == {"202504": 900}


def test_a_record_withdrawn_by_its_register_lets_the_payment_go(agency: Agency) -> None:
    agency.found()
    withhold(agency, Month(2025, 4), 900)
    with agency.database.begin() as connection:
        agency.clues.withdraw(connection, signal().digest)
    assert agency.state() == "paying"
    assert back_pay(agency) == {"202504": 900}


def test_two_matters_hold_one_payment_and_each_ends_for_itself(agency: Agency) -> None:
    agency.found()
    other = agency.found(signal("justice", "custody", fact={"custody_from": "2025-01-05"}), rule="paid_in_custody")
    withhold(agency, Month(2025, 4), 400)
    with agency.database.begin() as connection:
        agency.clues.withdraw(connection, signal().digest)
    assert agency.state() == "held"
    assert back_pay(agency) == {}
    agency.control.let_go(WANG, other, "已释放")
    assert agency.state() == "paying"
    assert back_pay(agency) == {"202504": 400}


def test_probation_stops_nothing_even_if_confirmed(agency: Agency) -> None:
    fact = {"custody_from": "2025-01-05", "sentence_type": "probation"}
    clue = agency.found(signal("justice", "custody", fact=fact), rule="paid_in_custody")
    agency.confirm(clue, fact_from="2025-01-05")
    assert agency.state() == "paying"


def test_a_payment_is_resumed_from_a_month_and_the_months_before_stay_withheld(agency: Agency) -> None:
    fact = {"custody_from": "2025-01-05", "sentence_type": "prison"}
    clue = agency.found(signal("justice", "custody", fact=fact), rule="paid_in_custody")
    agency.confirm(clue, fact_from="2025-01-05")
    for month, fen in ((4, 10), (5, 20), (6, 30)):
        withhold(agency, Month(2025, month), fen)
    with pytest.raises(ControlGuardError):
        agency.control.resume(WANG, clue, Month(2025, 6), "")
    agency.control.resume(WANG, clue, Month(2025, 6), "刑满释放")
    assert agency.state() == "paying"
    assert back_pay(agency) == {"202506": 30}
    with agency.database.begin() as connection:
        agency.control.follow(connection, clue)
    assert agency.state() == "paying"


def test_a_person_upholds_or_lets_go_what_the_platform_did(agency: Agency) -> None:
    clue = agency.found(signal(), signal("police"))
    with pytest.raises(ControlNotPermittedError):
        agency.control.uphold(ELSEWHERE, clue, "核对过")
    with pytest.raises(ControlNotPermittedError):
        agency.control.uphold(LEADER, clue, "核对过")
    with pytest.raises(ControlGuardError):
        agency.control.uphold(LI, clue, "")
    assert agency.control.uphold(LI, clue, "两部门记录一致") == [SCHEME]
    (payment,) = agency.control.payments(LI, clue)
    assert [one.judged_by for one in payment.grounds if one.stands] == ["li"]
    agency.control.let_go(WANG, clue, "本人来电")
    assert agency.state() == "paying"
    # What a person let go the platform doesn't stop again on further signals.
    agency.found(signal("civil_affairs"), run_id="run-3")
    assert agency.state() == "paying"
    with pytest.raises(UnknownControlError):
        agency.control.let_go(WANG, clue, "再次")


def test_a_decided_stop_is_not_let_go_but_reopened(agency: Agency) -> None:
    clue = agency.found()
    agency.confirm(clue)
    with pytest.raises(ControlGuardError) as caught:
        agency.control.let_go(WANG, clue, "算了")
    assert caught.value.guard == "stop_by_signals"


def test_every_transition_stands_in_history_and_ledger_and_what_touches_the_person_is_told(agency: Agency) -> None:
    clue = agency.found()
    agency.found(ALIVE, run_id="run-2")
    agency.clues.move(POLICE, clue, "answer", note="户籍已注销", data={"answer": "yes"})
    agency.clues.move(HEALTH, clue, "answer", data={"answer": "yes"})
    (payment,) = agency.control.payments(WANG, clue)
    assert [line.event for line in payment.history] == ["hold", "release", "stop"]
    assert all(line.entry_id and line.notice_id for line in payment.history)
    assert set(agency.control.payments(WANG, clue)[0].may) == {"release", "uphold", "restore", "resume"}


def test_every_row_that_changes_what_a_person_gets_writes_a_letter() -> None:
    for row in CONTROL.table:
        tells = [name for name in row.effects if name.startswith("tell_")]
        assert len(tells) == (0 if row.event == "uphold" else 1), row
        assert all(name.removeprefix("tell_") in templates().kinds for name in tells)
        assert ("pay_back" in row.effects) == (row.event not in {"uphold", "hold"})
        assert row.guards or row.roles != ("system",)


def test_every_letter_says_what_why_what_next_and_how_to_object_in_both_languages(agency: Agency) -> None:
    agency.found()
    with agency.database.read() as connection:
        (notice,) = agency.control.notices.of_person(connection, agency.index())
    page = letter(notice)
    for chinese, english in notice.parts.values():
        assert len(chinese) > 5
        assert english.isascii()
        assert chinese in page
    assert "{" not in "".join(text for part in notice.parts.values() for text in part)
    assert NUMBERS[0] not in page
    for template in templates().kinds.values():
        assert "12333" in template.object.zh or "窗口" in template.object.zh


def test_templates_that_speak_of_what_is_not_there_are_refused() -> None:
    text = Path("src/huodang/supervision/control/data/notices.yaml").read_text(encoding="utf-8")
    for broken in (
        text.replace("{scheme}", "{secret}"),
        text.replace("object_days: 10", "object_days: soon"),
        text.replace("  held:", "  held: []\n  other:"),
        "kinds: [",
    ):
        with pytest.raises(NoticeTemplateError):
            read_templates(broken, "own.yaml")


def test_no_number_and_no_letter_stand_clear_in_the_database(agency: Agency, tmp_path: Path) -> None:
    agency.confirm(agency.found())
    agency.database.close()
    for file in tmp_path.glob("test.db*"):
        assert NUMBERS[0].encode() not in file.read_bytes()
        assert "终止发放".encode() not in file.read_bytes()
