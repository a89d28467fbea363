"""The workbench: signing in, forms without JavaScript, roles, tokens, two languages, no name where none belongs."""

import re
from dataclasses import replace

import httpx
import pytest
from web_deployment import (
    CASE_LINK,
    PASSWORD,
    STAFF,
    TOKEN,
    Browser,
    Deployment,
    Program,
    application_of,
    serve_in_thread,
    typed_form,
)

from huodang.web import build_hub
from huodang.web.menu import menu_of
from huodang.web.pages import environment
from huodang.web.roles import Role


def test_stranger_is_sent_to_sign_in_and_back_to_the_page_wanted(browser: Browser) -> None:
    browser.open("/queue?state=exception")
    assert browser.path == "/sign-in"
    wanted = re.search(r'name="next" value="([^"]+)"', browser.text)
    assert wanted is not None
    assert wanted[1] == "/queue?state=exception"
    browser.send("/sign-in", user="window1", password=PASSWORD, next=wanted[1])
    assert (browser.path, browser.status) == ("/queue", 200)


def test_next_page_elsewhere_is_ignored(browser: Browser) -> None:
    browser.open("/sign-in?next=https://evil.example/").send(
        "/sign-in", user="window1", password=PASSWORD, next="//evil.example/"
    )
    assert browser.path == "/queue"


@pytest.mark.parametrize(("user", "role"), STAFF.items())
def test_each_role_lands_on_the_first_page_of_its_menu_and_opens_all_of_it(
    browser: Browser, user: str, role: str
) -> None:
    entries = menu_of(Role(role))
    browser.sign_in(user)
    assert (browser.path, browser.status) == (entries[0].path, 200)
    for entry in entries:
        assert browser.open(entry.path).status == 200, entry.path


@pytest.mark.parametrize(("user", "role"), STAFF.items())
def test_role_opens_no_page_outside_its_menu(browser: Browser, user: str, role: str) -> None:
    browser.sign_in(user)
    own = {entry.path for entry in menu_of(Role(role))}
    for path in {"/intake", "/access-code", "/due", "/accounts"} - own:
        assert browser.open(path).status == 403, path
        assert "您的角色不能打开此页" in browser.text


def test_wrong_password_says_neither_which_was_wrong_nor_what_was_typed(browser: Browser) -> None:
    browser.sign_in("window1", "not-the-password")
    assert browser.status == 401
    known = browser.text
    browser.sign_in("no-such-account", "not-the-password")
    assert browser.status == 401
    without_names = [
        TOKEN.sub("", text.replace("no-such-account", "").replace("window1", "")) for text in (known, browser.text)
    ]
    assert without_names[0] == without_names[1]
    assert "not-the-password" not in known


def test_five_wrong_passwords_shut_the_account_and_the_security_administrator_opens_it(
    deployment: Deployment, browser: Browser
) -> None:
    for _ in range(5):
        browser.sign_in("archivist1", "wrong")
    assert "已锁定 30 分钟" in browser.sign_in("archivist1").text
    browser.sign_in("security1").open("/accounts")
    assert "已锁定" in browser.text
    browser.send("/accounts/archivist1/unlock")
    assert (browser.path, browser.status) == ("/accounts", 200)
    browser.send("/sign-out")
    assert browser.sign_in("archivist1").path == "/queue"


def test_form_without_its_token_or_with_another_is_refused(browser: Browser, client: httpx.Client) -> None:
    browser.sign_in("window1")
    for token in ("", "a" * 128):
        answer = client.post("/sign-out", data={"_csrf_token": token})
        assert (answer.status_code, "页面已过期" in answer.text) == (403, True)
    assert browser.open("/queue").path == "/queue"


def test_stale_token_cookie_heals_itself(deployment: Deployment, client: httpx.Client) -> None:
    browser = Browser(client)
    client.cookies.set("huodang_hub_csrf", "0" * 128)
    browser.open("/sign-in").send("/sign-in", user="window1", password=PASSWORD)
    assert browser.status == 403
    client.cookies.clear()  # what the answer asks the browser to do with the cookie
    assert browser.sign_in("window1").path == "/queue"


def test_signed_out_session_is_dead_on_the_server_too(browser: Browser, client: httpx.Client) -> None:
    browser.sign_in("window1")
    token = client.cookies["huodang_hub_session"]
    browser.send("/sign-out")
    assert browser.path == "/sign-in"
    client.cookies.set("huodang_hub_session", token)
    assert browser.open("/queue").path == "/sign-in"


def test_answers_carry_the_security_headers_errors_too(client: httpx.Client) -> None:
    for path in ("/sign-in", "/nowhere", "/static/huodang.css", "/api/v1/queue", "/health"):
        headers = client.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    cookies = client.get("/sign-in").headers.get_list("set-cookie")
    assert all("HttpOnly" in cookie and "SameSite" in cookie for cookie in cookies)


def test_pages_are_kept_out_of_caches(client: httpx.Client) -> None:
    assert client.get("/sign-in").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["/static/../hub.py", "/static/%2e%2e/hub.py", "/static/vendor", "/static/nothing", "/static/%00", "/nothing/%00"],
)
def test_only_static_files_are_served_as_static_files(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_no_template_holds_inline_script_or_style() -> None:
    loader = environment().loader
    assert loader is not None
    for name in environment().list_templates(extensions=["html"]):
        source, _, _ = loader.get_source(environment(), name)
        assert not re.search(r"\sstyle=|\son\w+=|<script(?! src=)|<style", source), name


def test_english_is_a_click_away_and_stays(browser: Browser) -> None:
    browser.sign_in("window1")
    assert '<html lang="zh-CN">' in browser.text
    browser.open("/language/en?back=%2Fqueue%3Fstate%3Dexception")
    assert browser.path == "/queue"
    assert '<html lang="en">' in browser.text
    assert "Joint cases" in browser.open("/overview").text
    assert browser.open("/language/zh?back=//evil.example").path == "/queue"
    assert '<html lang="zh-CN">' in browser.text


def test_window_takes_an_application_in_and_two_people_decide_it(deployment: Deployment, client: httpx.Client) -> None:
    person = deployment.person()
    browser = Browser(client).sign_in("window1").open("/intake")
    browser.send("/intake/prefill", identity_number=person.number, name=person.name)
    assert browser.status == 200
    assert person.employer is not None
    assert person.employer.name in browser.text
    browser.send("/intake", **{**typed_form(person), "phone": "12"})
    assert browser.status == 422
    assert "应为手机号或带区号的固定电话" in browser.text
    assert person.bank_account in browser.text  # nothing typed is lost
    browser.send("/intake", **typed_form(person))
    assert browser.path.startswith("/cases/TX-")
    case = browser.path
    deployment.settle()
    browser.open(case)
    assert "窗口初审" in browser.text
    assert person.number not in browser.text
    browser.send("/sign-out")
    browser.sign_in("window2").open(case).send(f"{case}/events", event="window_pass")
    assert (browser.path, browser.status) == (case, 200)
    assert "入库复审" in browser.text
    browser.send("/sign-out")
    browser.sign_in("reviewer1").open(case).send(f"{case}/events", event="filing_pass", note="同意")
    deployment.settle()
    deployment.settle()
    browser.open(case)
    assert "已办结" in browser.text
    assert browser.open(f"{case}/papers").status == 200
    assert "您没有带的材料" in browser.text
    receipt = re.search(r'href="(/receipts/[0-9a-f]{32})"', browser.open(case).text)
    assert receipt is not None
    answer = client.get(receipt[1])
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.json()["format"] == "huodang-receipt-1"


def test_refused_decision_is_said_on_the_page_and_changes_nothing(
    deployment: Deployment, client: httpx.Client, window: Program
) -> None:
    case_id = window.post("/api/v1/cases", application_of(deployment.person()), 201)["case_id"]
    deployment.settle()
    browser = Browser(client).sign_in("window1").open(f"/cases/{case_id}")
    browser.send(f"/cases/{case_id}/events", event="window_pass")
    assert browser.status == 422
    assert "经办人不得审核本人代办的申请" in browser.text
    assert "窗口初审" in browser.text


def test_decision_by_htmx_answers_with_the_case_alone(
    deployment: Deployment, client: httpx.Client, window: Program
) -> None:
    case_id = window.post("/api/v1/cases", application_of(deployment.person()), 201)["case_id"]
    deployment.settle()
    browser = Browser(client).sign_in("window2").open(f"/cases/{case_id}")
    token = TOKEN.search(browser.text)
    assert token is not None
    fields = {"_csrf_token": token[1], "event": "window_pass"}
    answer = client.post(f"/cases/{case_id}/events", data=fields, headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "入库复审" in answer.text


def test_queue_shows_masked_names_alone(deployment: Deployment, browser: Browser, window: Program) -> None:
    person = deployment.person()
    window.post("/api/v1/cases", application_of(person), 201)
    deployment.settle()
    browser.sign_in("window2").open("/queue?state=window_review")
    assert CASE_LINK.search(browser.text)
    assert person.name not in browser.text
    assert person.number not in browser.text
    assert browser.open("/queue?state=nonsense").status == 404


def test_auditor_sees_who_looked_and_leaves_a_look(deployment: Deployment, browser: Browser) -> None:
    browser.sign_in("auditor1").open("/audit")
    assert browser.status == 200
    newest = deployment.services.looks.latest(limit=1)[0]
    assert (newest.user_id, newest.what) == ("auditor1", "web.audit")
    assert "最近的查阅" in browser.text


def test_auditor_sees_that_a_citizen_looked_and_no_whole_name(deployment: Deployment, browser: Browser) -> None:
    person, office = deployment.person(), deployment.services.office
    office.prefill(office.citizen(person.number, person.name), person.number, person.name)
    assert deployment.services.looks.latest(limit=1)[0].role == "citizen"
    browser.sign_in("auditor1").open("/audit")
    assert "本人" in browser.text
    assert person.name not in browser.text


def test_audit_administrator_sees_the_ledger_and_no_look(deployment: Deployment, browser: Browser) -> None:
    before = len(deployment.services.looks.latest(limit=10_000))
    browser.sign_in("audit1").open("/audit")
    assert browser.status == 200
    assert "最近的查阅" not in browser.text
    assert len(deployment.services.looks.latest(limit=10_000)) == before


def test_account_needs_two_administrators(browser: Browser) -> None:
    fields = {
        "user_id": "newcomer",
        "name": "新人",
        "role": "reviewer",
        "department": "social_insurance",
        "region": "130000",
        "password": PASSWORD,
    }
    browser.sign_in("system1").open("/accounts").send("/accounts", **{**fields, "region": "13"})
    assert browser.status == 422
    assert "6 位数字" in browser.text
    assert PASSWORD not in browser.text
    browser.send("/accounts", **fields)
    assert (browser.path, "待启用" in browser.text) == ("/accounts", True)
    assert browser.send("/accounts/newcomer/let-in").status == 403
    browser.open("/accounts").send("/sign-out")
    assert browser.sign_in("newcomer").status == 401
    browser.sign_in("security1").open("/accounts").send("/accounts/newcomer/let-in").send("/sign-out")
    assert browser.sign_in("newcomer").path == "/queue"
    browser.send("/sign-out")
    browser.sign_in("audit1").open("/accounts")
    assert "账号记录" in browser.text


def test_password_is_changed_and_the_new_one_signs_in(browser: Browser) -> None:
    browser.sign_in("leader1").open("/password").send("/password", old="wrong", new="Other-Kettle-28")
    assert browser.status == 401
    browser.send("/password", old=PASSWORD, new="simple")
    assert browser.status == 422
    browser.send("/password", old=PASSWORD, new="Other-Kettle-28")
    assert browser.path == "/sign-in"
    assert browser.sign_in("leader1", "Other-Kettle-28").path == "/overview"
    browser.open("/password").send("/password", old="Other-Kettle-28", new=PASSWORD)
    assert browser.path == "/sign-in"


def test_access_code_is_shown_once_and_leaves_a_look(deployment: Deployment, browser: Browser) -> None:
    person = deployment.person()
    subject = deployment.services.subject_index(person.number)
    # A month's list of another test may have held the person before.
    before = {look.entry_id for look in deployment.services.looks.of_subject(subject)}
    browser.sign_in("window1").open("/access-code").send("/access-code", identity_number="13010219650809003")
    assert browser.status == 422
    browser.send("/access-code", identity_number=person.number)
    assert re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}", browser.text)
    looks = [look for look in deployment.services.looks.of_subject(subject) if look.entry_id not in before]
    assert [look.what for look in looks] == ["web.access_code"]


def test_too_many_sign_ins_from_one_address_are_slowed_down(deployment: Deployment) -> None:
    services = deployment.services
    strict = replace(services.settings, sessions=replace(services.settings.sessions, sign_in_per_minute=3))
    with (
        serve_in_thread(build_hub(replace(services, settings=strict))) as address,
        httpx.Client(base_url=address) as client,
    ):
        tries = [client.post("/api/v1/sign-in", json={"user": "nobody9", "password": "x"}) for _ in range(4)]
        assert [one.status_code for one in tries] == [401, 401, 401, 429]
        assert tries[-1].json()["code"] == "web.too_many"
        assert client.get("/sign-in").status_code == 200


def test_who_reaches_the_age_is_found_and_prepared_once(deployment: Deployment, client: httpx.Client) -> None:
    browser = Browser(client).sign_in("window1").open("/due?month=202511")
    assert browser.status == 200
    waiting = re.search(r"为 (\d+) 人备好表格", browser.text)
    assert waiting is not None
    browser.send("/due/202511/prepare")
    assert f"已备好 {waiting[1]} 份表格" in browser.text
    assert re.search(r"为 (\d+) 人备好表格", browser.text) is None
    window = Program(client, "window1")
    due = window.get("/api/v1/due?month=202511")["due"]
    assert {one["state"] for one in due} == {"draft"}
    assert window.post("/api/v1/due/202511/prepare", {})["prepared"] == 0
    assert browser.open("/due?month=2025-13").status == 422
