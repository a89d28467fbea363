"""What a person finds at the portal about payments: the letters in plain words, how to object, and what certifies."""

from datetime import date

import pytest
from supervision_matters import dead_payee
from web_deployment import Browser, Deployment

from huodang.exchange import Actor
from huodang.simulation import Person
from huodang.standards import IdentityNumber
from huodang.supervision.certification import Payee, Proof
from huodang.supervision.control import ControlNotPermittedError


def _enter(deployment: Deployment, visitor: Browser, person: Person) -> Browser:
    visitor.open("/sign-in?next=/notices")
    known = {"identity_number": person.number, "name": person.former_name or person.name}
    code = deployment.access_code(person)
    visitor.send("/sign-in", **known, code=code, next="/notices").through_wait()
    return visitor.open("/notices").through_wait()


def test_person_reads_why_a_payment_is_on_hold_and_how_to_object(deployment: Deployment, visitor: Browser) -> None:
    person = deployment.person()
    clue, _ = dead_payee(deployment, of=person.number)
    other, _ = dead_payee(deployment)
    _enter(deployment, visitor, person)
    assert (visitor.path, visitor.status) == ("/notices", 200)
    assert "养老待遇暂停一期告知书" in visitor.text
    assert "如有异议" in visitor.text
    assert clue in visitor.text
    assert other not in visitor.text
    assert person.number not in visitor.text
    visitor.open("/looks").through_wait()
    assert "本人" in visitor.text


def test_person_to_whom_nothing_was_written_is_told_so(deployment: Deployment, visitor: Browser) -> None:
    _enter(deployment, visitor, deployment.person())
    assert "没有写给您的告知书" in visitor.text
    assert "不需要认证" in visitor.text


def test_person_sees_until_when_the_certification_holds_and_what_proved_it(
    deployment: Deployment, visitor: Browser
) -> None:
    person = deployment.person()
    identity = IdentityNumber.parse(person.number)
    desk = deployment.services.supervision.certifications
    desk.enrol([Payee(identity, "130102", date(2025, 1, 10))])
    with deployment.services.database.begin() as connection:
        desk.prove(connection, Proof(identity, date(2025, 8, 1), "medical_visit", "medical.visits"))
    _enter(deployment, visitor, person)
    assert "本人门诊就医" in visitor.text
    assert "2025-08-01" in visitor.text
    assert "认证有效" in visitor.text


def test_letters_to_a_person_are_read_by_nobody_else_through_that_door(deployment: Deployment) -> None:
    person = deployment.person()
    dead_payee(deployment, of=person.number)
    services = deployment.services
    index = services.subject_index(person.number)
    control = services.supervision.control
    assert control.letters_to(Actor(index, "本人", "citizen", ""))
    assert control.letters_to(Actor("0" * 64, "别人", "citizen", "")) == []
    for role in ("investigator", "reviewer", "steward", "system"):
        with pytest.raises(ControlNotPermittedError):
            control.letters_to(Actor(index, "某人", role, "social_insurance", "130000"))
