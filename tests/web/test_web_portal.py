"""The portal over a real ferry: apply, follow, see who looked; refusals that give nothing away; a silent hub."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from web_deployment import Browser, Deployment, Program, application_of, serve_in_thread, typed_form

from huodang.exchange import Ferry
from huodang.ledger import verify_receipt
from huodang.simulation import Person
from huodang.trust import Signer, TrustedKeys
from huodang.web import PortalSettings, build_portal, hub_desk, portal_line
from huodang.web.citizen_messages import ANSWER, REQUEST, Action, CitizenAnswer, CitizenRequest
from huodang.web.ferry_desk import FerryDesk
from huodang.web.records import ferry_requests
from huodang.web.settings import FerryFolders


def enter(visitor: Browser, person: Person, code: str, page: str = "/progress") -> Browser:
    visitor.open(f"/sign-in?next={page}")
    number, name = person.number, person.former_name or person.name
    return visitor.send("/sign-in", identity_number=number, name=name, code=code, next=page).through_wait()


def test_citizen_applies_and_follows_the_case_to_the_pension(
    deployment: Deployment, visitor: Browser, client: httpx.Client
) -> None:
    person = deployment.person()
    enter(visitor, person, deployment.access_code(person), "/apply").through_wait()
    assert visitor.path == "/apply"
    assert person.employer is not None
    assert person.employer.name in visitor.text
    assert person.number not in visitor.text
    visitor.send("/apply", **{**typed_form(person), "bank_account": "12"}).through_wait()
    assert (visitor.path, visitor.status) == ("/apply/done", 422)
    assert "应为 8 至 30 位数字" in visitor.text
    assert person.phone in visitor.text  # nothing typed is lost
    visitor.send("/apply", **typed_form(person)).through_wait()
    assert visitor.path == "/progress"
    found = re.search(r'<dd class="code">(TX-[^<]+)</dd>', visitor.text)
    assert found is not None
    deployment.settle()
    events = f"/api/v1/cases/{found[1]}/events"
    Program(client, "window1").post(events, {"event": "window_pass"})
    Program(client, "reviewer1").post(events, {"event": "filing_pass"})
    deployment.settle()
    deployment.settle()
    visitor.open("/progress").through_wait()
    assert "已办结" in visitor.text
    assert "每月合计" in visitor.text
    visitor.open("/papers").through_wait()
    assert "您没有带的材料" in visitor.text
    visitor.open("/looks").through_wait()
    assert "窗口经办" in visitor.text
    assert "复核员" in visitor.text
    assert "window1" not in visitor.text  # department and role, not the name of staff


def test_citizen_downloads_the_receipt_of_an_own_look_and_of_no_other(deployment: Deployment, visitor: Browser) -> None:
    person = deployment.person()
    code = deployment.access_code(person)
    enter(visitor, person, code, "/apply").through_wait()
    deployment.settle()
    visitor.open("/looks").through_wait()
    own = re.search(r'href="(/receipts/[0-9a-f]{32})"', visitor.text)
    assert own is not None
    visitor.open(own[1]).through_wait()
    assert verify_receipt(visitor.text.encode(), TrustedKeys.load(deployment.services.settings.trust)).valid
    mine = {look.entry_id for look in deployment.services.office.looks_of_citizen(person.number)}
    other = next(look for look in deployment.services.looks.latest(limit=10_000) if look.entry_id not in mine)
    visitor.open(f"/receipts/{other.entry_id}").through_wait()
    assert visitor.status == 422
    assert "没有找到" in visitor.text


def test_citizen_withdraws(deployment: Deployment, visitor: Browser, window: Program) -> None:
    person = deployment.person()
    window.post("/api/v1/cases", application_of(person), 201)
    deployment.settle()
    enter(visitor, person, deployment.access_code(person)).through_wait()
    assert "窗口初审" in visitor.text
    visitor.send("/act/withdraw", note="改日再办").through_wait()
    assert "已撤回" in visitor.text


def test_citizen_supplies_the_papers_that_were_asked_for(
    deployment: Deployment, visitor: Browser, window: Program
) -> None:
    person = deployment.person()
    case_id = window.post("/api/v1/cases", application_of(person), 201)["case_id"]
    deployment.settle()
    window.post(f"/api/v1/cases/{case_id}/events", {"event": "request_supplement", "data": {"papers": ["独生子女证"]}})
    enter(visitor, person, deployment.access_code(person)).through_wait()
    assert "独生子女证" in visitor.text
    visitor.send("/act/supplement_received", paper_0="独生子女证", note="已交窗口").through_wait()
    assert "窗口初审" in visitor.text
    assert visitor.send("/act/filing_pass").through_wait().path == "/progress"
    assert window.get(f"/api/v1/cases/{case_id}")["state"] == "window_review"


def test_more_text_than_the_ferry_takes_is_refused_at_once_and_not_waited_for(
    deployment: Deployment, visitor: Browser, window: Program
) -> None:
    person = deployment.person()
    case_id = window.post("/api/v1/cases", application_of(person), 201)["case_id"]
    deployment.settle()
    window.post(f"/api/v1/cases/{case_id}/events", {"event": "request_supplement", "data": {"papers": ["独生子女证"]}})
    enter(visitor, person, deployment.access_code(person)).through_wait()
    visitor.send("/act/supplement_received", paper_0="证" * 3000, paper_1="证" * 3000)
    assert visitor.status == 400
    assert "提交的内容格式不对" in visitor.text


def test_wrong_code_name_or_number_is_refused_in_the_same_words(deployment: Deployment, visitor: Browser) -> None:
    person, other = deployment.person(), deployment.person()
    code = deployment.access_code(person)
    said = set()
    for number, name, typed in (
        (person.number, person.name, "AAAA-BBBB-CCCC"),
        (other.number, other.name, code),
        ("123", person.name, code),
        (person.number, "\u0007", code),
    ):
        visitor.open("/sign-in").send("/sign-in", identity_number=number, name=name, code=typed).through_wait()
        assert visitor.status == 401
        found = re.search(r"✕ ([^<]+)<", visitor.text)
        assert found is not None
        said.add(found[1])
        assert person.number not in visitor.text
    assert said == {"身份证号、姓名或查询码不对"}


def test_page_for_the_signed_in_asks_a_stranger_to_sign_in(visitor: Browser) -> None:
    for page in ("/apply", "/progress", "/papers", "/looks", "/receipts/" + "0" * 32):
        assert visitor.open(page).path == "/sign-in"


def test_signing_out_ends_the_visit_at_the_hub_too(deployment: Deployment, visitor: Browser) -> None:
    person = deployment.person()
    enter(visitor, person, deployment.access_code(person)).through_wait()
    token = visitor.client.cookies["huodang_portal_session"]
    visitor.send("/sign-out")
    assert visitor.path == "/"
    visitor.client.cookies.set("huodang_portal_session", token)
    assert visitor.open("/progress").path == "/sign-in"


def test_start_page_speaks_english_too(visitor: Browser) -> None:
    assert "退休，一次申请就够" in visitor.open("/").text
    assert "One application is enough to retire" in visitor.open("/language/en?back=/").text
    visitor.client.cookies.clear()


def test_portal_keeps_nothing_on_disk(deployment: Deployment, visitor: Browser) -> None:
    person = deployment.person()
    enter(visitor, person, deployment.access_code(person), "/apply").through_wait()
    for file in (*deployment.world.folder("portal").rglob("*"), *(deployment.world.root / "ferry").rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            assert person.number.encode() not in content, file
            assert person.name.encode() not in content, file


@pytest.fixture
def silent(deployment: Deployment, tmp_path: Path) -> Iterator[Browser]:
    """A portal whose hub never answers."""
    settings = PortalSettings.load(deployment.world.settings_file("portal"))
    folders = FerryFolders(tmp_path / "inward", tmp_path / "outward", tmp_path / "refused")
    alone = replace(settings, ferry=folders, answer_within_seconds=3)
    with (
        serve_in_thread(build_portal(alone, portal_line(alone))) as address,
        httpx.Client(base_url=address, follow_redirects=True, timeout=30) as client,
    ):
        yield Browser(client)


def test_visitor_of_a_silent_hub_waits_and_is_told_so_in_the_end(deployment: Deployment, silent: Browser) -> None:
    person = deployment.person()
    silent.open("/sign-in").send("/sign-in", identity_number=person.number, name=person.name, code="AAAA-BBBB-CCCC")
    assert silent.path.startswith("/wait/")
    assert "http-equiv" in silent.text  # renews itself without JavaScript
    waiting = silent.path
    polled = silent.client.get(waiting, headers={"hx-request": "true"})
    assert polled.status_code == 204
    for _ in range(5):
        if silent.open(waiting).status == 504:
            break
    assert silent.status == 504
    assert "还没有答复" in silent.text
    assert silent.open(waiting).path == "/"


@dataclass
class Ends:
    """Both ends of a ferry of its own, with the hub's desk moved by hand."""

    desk: FerryDesk
    portal: Ferry

    def ask(self, request: CitizenRequest) -> list[CitizenAnswer]:
        self.portal.send(REQUEST, request.to_payload())
        self.desk.work()
        return [CitizenAnswer.from_payload(payload) for payload in self.portal.receive(ANSWER)]


@pytest.fixture
def ends(deployment: Deployment, tmp_path: Path) -> Ends:
    services = deployment.services
    folders = FerryFolders(tmp_path / "inward", tmp_path / "outward", tmp_path / "refused")
    portal = Ferry(
        outgoing=folders.inward,
        incoming=folders.outward,
        refused=folders.refused,
        own=Signer.load(deployment.world.folder("portal") / "keys", "portal"),
        peer="hub",
        trusted=services.trusted,
        kinds={ANSWER: CitizenAnswer.from_payload},
    )
    return Ends(hub_desk(replace(services, settings=replace(services.settings, ferry=folders))), portal)


def request_of(person: Person, action: Action, ticket: str = "", **body: str) -> CitizenRequest:
    return CitizenRequest(
        request_id=secrets.token_urlsafe(24),
        action=action,
        identity_number=person.number,
        name=person.name,
        ticket=ticket,
        body=body,
    )


def ticket_of(deployment: Deployment, ends: Ends, person: Person) -> str:
    answer = ends.ask(request_of(person, Action.SIGN_IN, code=deployment.access_code(person)))[0]
    return str(answer.body["ticket"])


@pytest.mark.parametrize("action", sorted(set(Action) - {Action.SIGN_IN}))
def test_request_that_no_ticket_covers_is_refused(deployment: Deployment, ends: Ends, action: Action) -> None:
    person = deployment.population.due[0]
    answer = ends.ask(request_of(person, action, ticket="guessed-ticket"))[0]
    assert answer.refusal is not None
    assert answer.refusal.code == "web.citizen.ended"
    assert person.name not in str(answer)


def test_ticket_of_one_person_opens_nothing_of_another(deployment: Deployment, ends: Ends) -> None:
    person, other = deployment.person(), deployment.person()
    ticket = ticket_of(deployment, ends, person)
    assert ends.ask(request_of(person, Action.CASE, ticket))[0].body == {"found": False}
    answer = ends.ask(request_of(other, Action.CASE, ticket))[0]
    assert answer.refusal is not None
    assert answer.refusal.code == "web.citizen.ended"


def test_citizen_may_cause_only_a_citizens_events(deployment: Deployment, ends: Ends) -> None:
    person = deployment.person()
    ticket = ticket_of(deployment, ends, person)
    answer = ends.ask(request_of(person, Action.ACT, ticket, event="filing_pass"))[0]
    assert answer.refusal is not None
    assert answer.refusal.code == "web.form"


def test_request_carried_twice_is_answered_once(deployment: Deployment, ends: Ends) -> None:
    person = deployment.person()
    request = request_of(person, Action.SIGN_IN, code=deployment.access_code(person))
    assert len(ends.ask(request)) == 1
    assert ends.ask(request) == []


def test_application_broken_off_after_it_was_taken_is_answered_with_its_case(
    deployment: Deployment, ends: Ends
) -> None:
    person = deployment.person()
    ticket = ticket_of(deployment, ends, person)
    request = request_of(person, Action.APPLY, ticket, **typed_form(person))
    first = ends.ask(request)[0]
    with deployment.services.database.begin() as connection:  # as if the hub had died before it noted the answer
        connection.execute(
            update(ferry_requests).where(ferry_requests.c.request_id == request.request_id).values(answered_at=None)
        )
    assert ends.ask(request)[0].body == {"case_id": first.body["case_id"]}
    second = ends.ask(request_of(person, Action.APPLY, ticket, **typed_form(person)))[0]
    assert second.refusal is not None
    assert second.refusal.code == "retirement.another_case"


def test_envelope_of_no_known_shape_is_refused_and_kept_for_inspection(ends: Ends, tmp_path: Path) -> None:
    ends.portal.send(REQUEST, {"action": "drop_tables"})
    assert ends.desk.work() == 0
    kept = sorted(path.suffix for path in (tmp_path / "refused").iterdir())
    assert ".ferry" in kept
    assert len(kept) == 2
