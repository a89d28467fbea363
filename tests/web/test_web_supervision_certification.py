"""The pages of certification and of what a department was asked; what a person finds at the portal about both."""

import re
from datetime import date, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa
from supervision_matters import dead_payee
from web_deployment import Browser, Deployment

from huodang.exchange import Actor
from huodang.simulation.identity_numbers import NumberMaker
from huodang.standards import IdentityNumber
from huodang.store import SHANGHAI, FixedClock, jobs
from huodang.supervision.certification import Certifications, Payee, records
from huodang.supervision.certification.service import WALK

_MAKER = NumberMaker(np.random.default_rng(43))
PATH = "/supervision/certifications"
ACTS = f"{PATH}/acts"
PERSON = re.compile(r'name="person" value="([0-9a-f]+)"')


@pytest.fixture
def due(deployment: Deployment) -> str:
    """The number of somebody whose certification ended last month, after the day's walk."""
    number = _MAKER.make("130102", date(1949, 5, 6), "2")
    desk = deployment.services.supervision.certifications
    desk.enrol([Payee(IdentityNumber.parse(number), "130102", date(2024, 8, 20))])
    return number


def test_who_is_due_is_listed_masked_and_each_person_finds_the_look(
    deployment: Deployment, browser: Browser, due: str
) -> None:
    before = len(_looks(deployment, due))
    browser.sign_in("investigator1").open(PATH)
    assert browser.status == 200
    assert due not in browser.text
    assert f"{due[:6]}********{due[-4:]}" in browser.text
    assert len(_looks(deployment, due)) == before + 1
    assert browser.open(f"{PATH}?state=nonesuch").status == 404


def test_window_certifies_a_person_who_came_and_an_investigator_sees_by_what(browser: Browser, due: str) -> None:
    browser.sign_in("window1").open(PATH).send(PATH, identity_number=due)
    assert due not in browser.text
    found = PERSON.search(browser.text)
    assert found is not None
    browser.send(ACTS, event="prove", person=found[1], means="window", on="2025-09-15")
    assert browser.status == 200
    assert "认证有效" in browser.text
    assert "窗口认证" in browser.text
    browser.send("/sign-out").sign_in("reviewer1").open(PATH).send(PATH, identity_number=due)
    assert "窗口认证" in browser.text
    assert ACTS not in browser.text
    browser.send("/sign-out").sign_in("investigator1").open(PATH).send(PATH, person=found[1])
    assert "窗口认证" in browser.text
    assert 'value="window"' not in browser.text


def test_what_cannot_be_certified_is_refused_with_the_reason_and_nothing_moves(browser: Browser, due: str) -> None:
    browser.sign_in("investigator1").open(PATH).send(PATH, identity_number=due)
    found = PERSON.search(browser.text)
    assert found is not None
    for means, on, status in (
        ("window", "2025-09-15", 403),
        ("visit", "2025-09-16", 422),
        ("visit", "", 400),
        ("magic", "2025-09-15", 422),
    ):
        browser.send(ACTS, event="prove", person=found[1], means=means, on=on)
        assert browser.status == status, (means, on)
        assert "纳入名单以后还没有新的证明" in browser.text
    assert browser.send(ACTS, event="not_found", person=found[1], note="家中无人").status == 409
    assert browser.open(PATH).send(ACTS, event="prove", person="0" * 64, means="visit", on="2025-09-15").status == 404
    assert browser.open(PATH).send(PATH, identity_number="130102195001010011").status == 422
    stranger = _MAKER.make("130102", date(1951, 1, 2), "1")
    assert browser.open(PATH).send(PATH, identity_number=stranger).status == 404


def test_reviewer_who_may_only_look_cannot_certify(browser: Browser, due: str) -> None:
    browser.sign_in("window2").open(PATH).send(PATH, identity_number=due)
    found = PERSON.search(browser.text)
    assert found is not None
    browser.send("/sign-out").sign_in("reviewer1").open(PATH)
    browser.send(ACTS, event="prove", person=found[1], means="window", on="2025-09-15")
    assert browser.status == 404
    browser.send("/sign-out").sign_in("leader1")
    assert browser.open(PATH).status == 403


def test_a_visit_that_could_not_confirm_becomes_a_clue_on_which_nothing_is_held(
    deployment: Deployment, browser: Browser, due: str
) -> None:
    supervision, identity = deployment.services.supervision, IdentityNumber.parse(due)
    desk = supervision.certifications
    person = desk.index(identity)
    _send_visit(deployment, person)
    browser.sign_in("window1").open(PATH).send(PATH, person=person)
    assert "待上门核实" in browser.text
    browser.send(ACTS, event="not_found", person=person, note="家中无人，邻居称已外出")
    assert browser.status == 200
    assert "已转稽核调查" in browser.text
    with deployment.services.database.read() as connection:
        assert supervision.control.state(connection, person, "110") == "paying"
    browser.send("/sign-out").sign_in("investigator1").open("/supervision/clues")
    assert "certification_overdue" in browser.text


def test_hub_walks_the_ladder_today_and_plans_tomorrow(deployment: Deployment, due: str) -> None:
    services = deployment.services
    desk = services.supervision.certifications
    with services.database.begin() as connection:
        desk.plan(connection)
    deployment.settle()
    now = services.clock.now()
    assert jobs.due_kinds(services.database, {WALK}, now=now) == frozenset()
    assert jobs.due_kinds(services.database, {WALK}, now=now + timedelta(days=2)) == {WALK}
    auditor = Actor("auditor1", "审计员", "auditor", "social_insurance", "130000")
    view = desk.of_person(auditor, IdentityNumber.parse(due))
    assert (view.row.state, [one.event for one in view.history]) == ("reminding", ["enrol", "approach"])


def test_corrector_finds_what_waits_opens_it_and_answers(deployment: Deployment, browser: Browser) -> None:
    clue, number = dead_payee(deployment)
    path = f"/supervision/clues/{clue}"
    browser.sign_in("investigator1").open(path).send(path, event="take")
    assert number in browser.text
    browser.send(path, event="ask_department", department="police", note="请核实户籍状态")
    browser.send("/sign-out").sign_in("corrector2").open("/supervision/asked")
    assert browser.status == 200
    assert number not in browser.text
    assert f'href="{path}"' in browser.text
    browser.open(path)
    assert browser.status == 200
    assert number in browser.text  # to answer, a department has to know about whom
    browser.send(path, event="answer", answer="yes", note="户籍已注销")
    assert f'href="{path}"' not in browser.open("/supervision/asked").text
    browser.send("/sign-out").sign_in("investigator1")
    assert browser.open("/supervision/asked").status == 403


def _send_visit(deployment: Deployment, person: str) -> None:
    """Walk the ladder as of later days, until the person is to be visited."""
    of = deployment.services
    for month, day in ((9, 16), (10, 20), (12, 1)):
        clock = FixedClock(datetime(2025, month, day, 10, tzinfo=SHANGHAI))
        Certifications(of.database, of.ledger, of.sealer, of.looks, clock).walk()
    with of.database.read() as connection:
        table = records.certification
        state = connection.execute(sa.select(table.c.state).where(table.c.person_index == person)).scalar_one()
    assert state == "visiting"


def _looks(deployment: Deployment, number: str) -> list[object]:
    services = deployment.services
    return list(services.looks.of_subject(services.sealer.blind_index("identity_number", number)))
