"""Correction, dispute and recall: who may, by when, who is told, and what shows as in doubt meanwhile."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from exchange_hub import agree, call, question
from exchange_lots import TABLE, make_lots, number, statement, table_agreement
from exchange_province import LI, WANG, HubMaker, Province, serving
from exchange_sharing import CONSUMER, LEADER, PROVIDER, STRANGER, Office

from huodang.exchange import Actor, Exchange, Gateway, Looks, Lots, Put, gateway_application
from huodang.exchange.calls.records import reusable
from huodang.exchange.quality import RowMarks
from huodang.exchange.sharing import (
    CORRECTION_NOTICE,
    Announcement,
    BatchCopies,
    CorrectionClaim,
    CorrectionError,
    CorrectionNotice,
    Corrections,
    EventCopies,
    IllegalSharingEventError,
    Light,
    LotCopies,
    NoticeBook,
    SharingGuardError,
    SharingNotPermittedError,
    UnknownMatterError,
    VerdictCopies,
    open_notice,
)
from huodang.ledger import Ledger
from huodang.standards import IdentityError, UnknownElement
from huodang.store import Database, Worker
from huodang.trust import FieldSealer, open_envelope

CLERK = Actor("clerk", "窗口", "window_clerk", "social_insurance", "130100")
CHECKER = Actor("police-corrector", "公安校核员", "corrector", "police")
OWN_CHECKER = Actor("ss-corrector", "社保校核员", "corrector", "social_insurance")
PAPER = hashlib.sha256("户口簿扫描件".encode()).hexdigest()


@pytest.fixture
def office(province: Province, database: Database, ledger: Ledger) -> Office:
    return Office.open(province, database, ledger)


@pytest.fixture
def corrections(
    office: Office, database: Database, ledger: Ledger, province: Province, make_hub: HubMaker
) -> Corrections:
    sealer = FieldSealer.create(province.keys.keys_folder("hub"))
    keepers = [VerdictCopies(sealer), BatchCopies(), LotCopies(sealer), EventCopies()]
    book = NoticeBook(ledger, province.signer("hub"), province.trusted)
    looks = Looks(database, ledger, province.clock)
    forget = make_hub({}).forget_answers
    return Corrections(database, office.desk, looks, keepers, book, forget_answers=forget)


@pytest.fixture
def exchange(make_hub: HubMaker, police: Gateway, database: Database, province: Province) -> Iterator[Exchange]:
    with serving(gateway_application(police), province.tls("police")) as url:
        made = make_hub({"police": url})
        agree(made, database, province)
        yield made
        made._directory.close()  # a kept connection would be waited for


@pytest.fixture
def grant_id(exchange: Exchange, database: Database) -> str:
    """A verdict that handed over a name."""
    (answer,) = call(exchange, database)
    return answer.grant_id


def claim(grant_id: str, **changes: Any) -> CorrectionClaim:
    parts: dict[str, Any] = {
        "resource": "police.household",
        "identity_number": WANG,
        "element": "name",
        "believed": "王健国",
        "origin": "verdict",
        "reference": grant_id,
        "evidence": PAPER,
    }
    return CorrectionClaim(**{**parts, **changes})


def doubted(corrections: Corrections, database: Database, element: str = "name") -> bool:
    with database.read() as connection:
        return corrections.is_disputed(connection, "police.household", corrections.subject_index(WANG), element)


def on(office: Office, corrections: Corrections, database: Database, day: str) -> None:
    office.on(day)
    worker = Worker(database, corrections.handlers(), office.province.clock)
    while worker.run_once():
        pass


def test_a_wrong_value_is_corrected_and_every_copy_is_told_and_acknowledged(
    corrections: Corrections, grant_id: str, exchange: Exchange, database: Database, province: Province
) -> None:
    (again,) = call(exchange, database)
    view = corrections.raise_correction(CLERK, claim(grant_id))
    assert "*" in view.values["identity"]
    assert "王建国" not in view.values.values()  # a clerk sees them masked
    assert view.row.standing.waits_for_departments == ("police",)
    assert doubted(corrections, database)
    assert not doubted(corrections, database, "sex")
    seen = corrections.view(CHECKER, view.row.correction_id)
    assert (seen.values["received"], seen.values["believed"]) == ("王建国", "王健国")
    done = corrections.act(
        CHECKER,
        view.row.correction_id,
        "accept",
        note="户籍档案核实",
        data={"corrected": "王健国", "in_force_from": "2025-03-03"},
    )
    assert not doubted(corrections, database)
    assert done.row.standing.state == "notifying"
    (told,) = corrections.notices(CONSUMER)
    assert sorted(told.copies) == sorted([("verdict", grant_id), ("verdict", again.grant_id)])
    envelope = corrections.notice(CONSUMER, told.notice_id)
    notice = CorrectionNotice.from_payload(open_envelope(envelope, CORRECTION_NOTICE, province.trusted, signer="hub"))
    assert WANG not in envelope.to_json()
    assert open_notice(notice, province.signer("social_insurance")) == {
        "identity_number": WANG,
        "received": "王建国",
        "corrected": "王健国",
        "in_force_from": "2025-03-03",
    }
    with pytest.raises(UnknownMatterError):
        corrections.acknowledge(PROVIDER, told.notice_id)
    corrections.acknowledge(CONSUMER, told.notice_id)
    corrections.acknowledge(CONSUMER, told.notice_id)
    assert corrections.view(CHECKER, view.row.correction_id).row.standing.state == "closed"
    assert corrections.notices(CONSUMER, open_only=True) == []


def test_values_stand_sealed_and_every_sight_of_them_leaves_a_look(
    corrections: Corrections, grant_id: str, database: Database, ledger: Ledger, province: Province
) -> None:
    view = corrections.raise_correction(CLERK, claim(grant_id))
    corrections.view(CHECKER, view.row.correction_id)
    corrections.view(CONSUMER, view.row.correction_id)  # a steward sees no value, and leaves no look
    looks = Looks(database, ledger, province.clock).of_case(view.row.correction_id)
    assert [(one.role, one.purpose, one.policy) for one in looks if one.role == "corrector"] == [
        ("corrector", "correction", "corrector.own_side_sensitive corrector.own_side")
    ]
    assert not any(one.role == "steward" for one in looks)
    with database.read() as connection:
        dumped = repr(connection.exec_driver_sql("SELECT * FROM exchange_correction").all())
        dumped += repr(connection.exec_driver_sql("SELECT * FROM exchange_correction_history").all())
    assert not any(text in dumped for text in (WANG, "王建国", "王健国"))


def test_a_steward_sees_no_value_and_another_department_sees_nothing(corrections: Corrections, grant_id: str) -> None:
    view = corrections.raise_correction(CLERK, claim(grant_id))
    assert corrections.view(PROVIDER, view.row.correction_id).values == {}
    with pytest.raises(UnknownMatterError):
        corrections.view(STRANGER, view.row.correction_id)
    assert corrections.corrections(STRANGER) == []
    with pytest.raises(SharingNotPermittedError):
        corrections.act(OWN_CHECKER, view.row.correction_id, "accept", note="x", data={"corrected": "王健国"})


@pytest.mark.parametrize(
    ("changes", "error", "where"),
    [
        ({"identity_number": WANG[:-1] + ("1" if WANG[-1] != "1" else "2")}, IdentityError, None),
        ({"element": "shoe_size"}, UnknownElement, None),
        ({"identity_number": LI}, CorrectionError, "reference"),
        ({"reference": "g-nothing"}, CorrectionError, "reference"),
        ({"reference": ""}, CorrectionError, "reference"),
        ({"element": "bank_account"}, CorrectionError, "reference"),
        ({"resource": "police.alive"}, CorrectionError, "reference"),
        ({"origin": "rumour"}, CorrectionError, "origin"),
        ({"received": "张三"}, CorrectionError, "received"),
        ({"believed": "  "}, CorrectionError, "believed"),
        ({"believed": "王" * 501}, CorrectionError, "believed"),
        ({"evidence": "a scan"}, CorrectionError, "evidence"),
        ({"evidence": ""}, CorrectionError, "evidence"),
    ],
)
def test_a_claim_about_what_was_never_delivered_is_refused_by_place(
    corrections: Corrections, grant_id: str, changes: dict[str, Any], error: type[Exception], where: str | None
) -> None:
    with pytest.raises(error) as caught:
        corrections.raise_correction(CLERK, claim(grant_id, **changes))
    if where is not None:
        assert caught.value.place.element == where  # type: ignore[attr-defined]  # our errors have a place
    assert WANG not in str(caught.value)
    assert corrections.corrections(CONSUMER) == []


def test_only_who_received_a_value_may_doubt_it(corrections: Corrections, grant_id: str) -> None:
    for actor in (CHECKER, STRANGER, CONSUMER, LEADER):
        with pytest.raises(SharingNotPermittedError):
            corrections.raise_correction(actor, claim(grant_id))
    first = corrections.raise_correction(OWN_CHECKER, claim(grant_id))
    assert corrections.raise_correction(CLERK, claim(grant_id)).row.correction_id == first.row.correction_id


def test_a_correction_without_the_right_value_or_day_is_not_accepted(corrections: Corrections, grant_id: str) -> None:
    view = corrections.raise_correction(CLERK, claim(grant_id))
    for data in (
        {},
        {"corrected": "王健国"},
        {"corrected": "王健国", "in_force_from": "3月3日"},
        {"in_force_from": "2025-03-03"},
    ):
        with pytest.raises(SharingGuardError):
            corrections.act(CHECKER, view.row.correction_id, "accept", note="核实", data=data)
    with pytest.raises(IllegalSharingEventError):
        corrections.act(LEADER, view.row.correction_id, "uphold", note="核实")


def test_a_rejection_may_be_disputed_and_the_joint_meeting_decides(
    corrections: Corrections, grant_id: str, database: Database
) -> None:
    view = corrections.raise_correction(CLERK, claim(grant_id))
    number_ = view.row.correction_id
    with pytest.raises(SharingGuardError):
        corrections.act(CHECKER, number_, "reject", note="户籍无误")
    corrections.act(CHECKER, number_, "reject", note="户籍无误", data={"law": "户口登记条例第十八条"})
    assert not doubted(corrections, database)
    corrections.act(OWN_CHECKER, number_, "dispute", note="有身份证复印件")
    assert doubted(corrections, database)
    with pytest.raises(SharingNotPermittedError):
        corrections.act(PROVIDER, number_, "dismiss", note="维持", data={"meeting": "JY-1"})
    back = corrections.act(LEADER, number_, "uphold", note="应当更正", data={"meeting": "JY-2025-4"})
    assert (back.decided, back.row.standing.state) == ("JY-2025-4", "raised")
    assert [line.event for line in back.history] == ["raise", "reject", "dispute", "uphold"]


def test_a_rejection_that_nobody_disputes_stands(
    office: Office, corrections: Corrections, grant_id: str, database: Database
) -> None:
    view = corrections.raise_correction(CLERK, claim(grant_id))
    corrections.act(CHECKER, view.row.correction_id, "reject", note="无误", data={"law": "户口登记条例"})
    on(office, corrections, database, "2025-03-18")
    assert corrections.view(CHECKER, view.row.correction_id).row.standing.state == "dismissed"


def test_an_unanswered_correction_lights_red_and_is_escalated_and_stays_in_doubt(
    office: Office, corrections: Corrections, grant_id: str, database: Database
) -> None:
    view = corrections.raise_correction(CLERK, claim(grant_id))
    on(office, corrections, database, "2025-03-10")
    assert corrections.overdue(LEADER) == []
    on(office, corrections, database, "2025-03-11")
    (late,) = corrections.overdue(LEADER)
    assert (late.standing.light, late.standing.escalated, late.standing.waits_for_departments) == (
        Light.RED,
        True,
        ("police",),
    )
    assert corrections.view(CHECKER, view.row.correction_id).history[-1].event == "overdue"
    assert doubted(corrections, database)


def test_a_provider_that_finds_its_own_mistake_tells_every_copy(
    corrections: Corrections, grant_id: str, database: Database, province: Province
) -> None:
    announcement = Announcement("police.household", WANG, "name", "王建国", "王健国", "2025-03-01", PAPER)
    with pytest.raises(SharingNotPermittedError):
        corrections.announce(OWN_CHECKER, announcement, note="登记错误")
    before = province.clock.now()
    view = corrections.announce(CHECKER, announcement, note="登记错误")
    assert view.row.standing.state == "notifying"
    (told,) = corrections.notices(CONSUMER)
    assert told.copies == (("verdict", grant_id),)
    with database.read() as connection:
        subject = corrections.subject_index(WANG)
        assert corrections.corrected_since(connection, "police.household", subject, before)
        assert not corrections.corrected_since(connection, "police.household", corrections.subject_index(LI), before)


def test_a_correction_of_what_nobody_received_is_closed_at_once(corrections: Corrections) -> None:
    announcement = Announcement("police.household", LI, "name", "李红梅", "李红玫", "2025-03-01", PAPER)
    assert corrections.announce(CHECKER, announcement, note="登记错误").row.standing.state == "closed"


@pytest.fixture
def lot(province: Province, database: Database, ledger: Ledger) -> tuple[Lots, str]:
    """A table of two persons, delivered under a signed agreement."""
    lots, agreement = make_lots(province, database, ledger), table_agreement(province)
    salt = lots.salt(agreement.agreement_id)
    marks = RowMarks(salt)
    rows = {
        number(serial): json.dumps({"identity_number": number(serial), "name": "王建国"}).encode() for serial in (1, 2)
    }
    with database.begin() as connection:
        Office.open(province, database, ledger).agreements.take(connection, province.signed(agreement))
        opened = lots.open(connection, agreement)
    puts = [Put(marks.mark(key), text, marks.digest(text), key) for key, text in rows.items()]
    lots.stage(opened, 0, puts)
    lots.close(opened, statement(province, agreement, rows, salt))
    return lots, opened.lot_id


def test_a_row_of_a_lot_is_doubted_by_the_lot_it_came_with(
    corrections: Corrections, lot: tuple[Lots, str], database: Database
) -> None:
    _, lot_id = lot
    parts = {"resource": TABLE, "identity_number": number(1), "origin": "lot", "reference": lot_id}
    view = corrections.raise_correction(OWN_CHECKER, claim(lot_id, **parts))
    assert view.values["received"] == "王建国"
    with pytest.raises(CorrectionError):
        corrections.raise_correction(OWN_CHECKER, claim(lot_id, **{**parts, "identity_number": number(3)}))
    corrections.act(
        CHECKER,
        view.row.correction_id,
        "accept",
        note="核实",
        data={"corrected": "王健国", "in_force_from": "2025-03-01"},
    )
    assert [one.copies for one in corrections.notices(CONSUMER)] == [(("lot", lot_id),)]


def test_a_whole_delivery_is_recalled_and_shown_to_nobody_any_more(
    corrections: Corrections, lot: tuple[Lots, str], database: Database, province: Province
) -> None:
    lots, lot_id = lot
    actor = Actor("system", "系统", "system", "social_insurance", "130000")
    agreed = [table_agreement(province)]
    assert len(lots.rows(actor, "supervision", TABLE, agreements=agreed)) == 2
    with pytest.raises(SharingNotPermittedError):
        corrections.recall(CONSUMER, TABLE, "lot", lot_id, reason="抽取口径错误")
    for origin, reference, reason in (("lot", "l-nothing", "错误"), ("fax", lot_id, "错误"), ("lot", lot_id, " ")):
        with pytest.raises(CorrectionError):
            corrections.recall(PROVIDER, TABLE, origin, reference, reason=reason)
    view = corrections.recall(PROVIDER, TABLE, "lot", lot_id, reason="抽取口径错误")
    assert corrections.recall(PROVIDER, TABLE, "lot", lot_id, reason="再说一次").row == view.row
    assert lots.rows(actor, "supervision", TABLE, agreements=agreed) == []
    (told,) = corrections.notices(CONSUMER)
    assert (told.kind, told.reason, told.copies) == ("recall", "抽取口径错误", (("lot", lot_id),))
    corrections.acknowledge(CONSUMER, told.notice_id)
    assert corrections.view(PROVIDER, view.row.correction_id).row.standing.state == "closed"


class TestReuse:
    """An agreement lets answers be used again for a minute."""

    @pytest.fixture
    def exchange(
        self, make_hub: HubMaker, police: Gateway, database: Database, province: Province
    ) -> Iterator[Exchange]:
        agreement = province.agreement(cache_seconds=60)
        province.lay(agreement)
        with serving(gateway_application(police), province.tls("police")) as url:
            made = make_hub({"police": url})
            with database.begin() as connection:
                made.agreements.take(connection, province.signed(agreement))
            yield made
            made._directory.close()  # a kept connection would be waited for

    def test_an_answer_put_in_doubt_is_not_used_again(
        self, corrections: Corrections, exchange: Exchange, database: Database
    ) -> None:
        (first,) = call(exchange, database)
        (again,) = call(exchange, database)
        assert (first.reused, again.reused) == (False, True)
        corrections.raise_correction(CLERK, claim(first.grant_id))
        (asked_anew,) = call(exchange, database)
        assert not asked_anew.reused

    def test_accepted_it_takes_the_kept_answers_about_that_person_along(
        self, corrections: Corrections, exchange: Exchange, database: Database
    ) -> None:
        first, _ = call(exchange, database, question(), question(LI, "李梅"))
        assert kept_about(exchange, database) == {WANG, LI}
        view = corrections.raise_correction(CLERK, claim(first.grant_id))
        told = {"corrected": "王健国", "in_force_from": "2025-03-03"}
        with pytest.raises(SharingGuardError):
            corrections.act(CHECKER, view.row.correction_id, "accept", note="", data=told)
        assert kept_about(exchange, database) == {WANG, LI}
        corrections.act(CHECKER, view.row.correction_id, "accept", note="户籍档案核实", data=told)
        assert kept_about(exchange, database) == {LI}
        call(exchange, database)
        announcement = Announcement("police.household", LI, "name", "李梅", "李玫", "2025-03-01", PAPER)
        corrections.announce(CHECKER, announcement, note="登记错误")
        assert kept_about(exchange, database) == {WANG}

    def test_a_recall_takes_every_kept_answer_of_the_resource_along(
        self, corrections: Corrections, exchange: Exchange, database: Database
    ) -> None:
        first, _ = call(exchange, database, question(), question(LI, "李梅"))
        corrections.recall(PROVIDER, "police.household", "verdict", first.grant_id, reason="接口版本错误")
        assert kept_about(exchange, database) == set()
        assert not call(exchange, database)[0].reused

    def test_correction_that_is_rolled_back_forgets_nothing(
        self, corrections: Corrections, exchange: Exchange, database: Database
    ) -> None:
        call(exchange, database)
        view = corrections.raise_correction(CLERK, claim(call(exchange, database)[0].grant_id))
        told = {"corrected": "王健国", "in_force_from": "2025-03-03"}

        def lost() -> None:
            with database.begin() as connection:
                corrections.act_in(connection, CHECKER, view.row.correction_id, "accept", "核实", told)
                raise ConnectionAbortedError

        with pytest.raises(ConnectionAbortedError):
            lost()
        assert kept_about(exchange, database) == {WANG}


def kept_about(exchange: Exchange, database: Database) -> set[str]:
    """Of two persons, those about whom an answer is kept to be used again."""
    with database.read() as connection:
        rows = set(connection.execute(sa.select(reusable.c.subject_index)).scalars())
    return {one for one in (WANG, LI) if exchange.subject_index(one) in rows}
