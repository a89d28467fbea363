"""The pages of the exchange: what stewards owe, share, prove and correct; who sees what; without JavaScript."""

import io
import re

import httpx
import openpyxl
import pytest
from exchange_matters import TABLE, asked_person, finish_pulls, proven_lot, signed, signer, table_agreement
from web_deployment import KEEPERS, TOKEN, Browser, Deployment, Program

from huodang.exchange import Actor, revoke_envelope
from huodang.standards import region
from huodang.web.menu import exchange_menu_of
from huodang.web.roles import Role

USERS = {user: role for user, (role, _) in KEEPERS.items()} | {
    "leader1": "leader",
    "auditor1": "auditor",
    "system1": "system_administrator",
    "security1": "security_administrator",
}
DEMAND = re.compile(r"/exchange/demands/(d[^/\"?]+)")


@pytest.mark.parametrize(("user", "role"), USERS.items())
def test_each_role_opens_all_pages_of_the_exchange_in_its_menu_and_no_others(
    browser: Browser, user: str, role: str
) -> None:
    browser.sign_in(user)
    own = [entry.path for entry in exchange_menu_of(Role(role))]
    assert own
    for path in own:
        assert browser.open(path).status == 200, path
    every = {entry.path for one in Role for entry in exchange_menu_of(one)}
    for path in every - set(own):
        assert browser.open(path).status == 403, path


def test_steward_lands_on_what_the_department_owes(browser: Browser) -> None:
    browser.sign_in("police1")
    assert browser.path == "/exchange"
    assert "共享总览 · 公安" in browser.text


def test_window_clerk_may_open_corrections_and_nothing_else_of_the_exchange(browser: Browser) -> None:
    browser.sign_in("window1")
    assert browser.open("/exchange/corrections").status == 200
    for path in ("/exchange", "/exchange/lots", "/exchange/demands"):
        assert browser.open(path).status == 403


def test_catalogue_is_found_by_word_department_and_duty(browser: Browser) -> None:
    browser.sign_in("police1").open("/exchange/catalogue?q=死亡&provider=health")
    found = browser.text[browser.text.index('id="entries"') : browser.text.index('id="mandatory-list"')]
    assert "/exchange/catalogue/health.death" in found
    assert "/exchange/catalogue/police." not in found
    assert "强制共享目录的落实" in browser.text
    browser.open("/exchange/catalogue/police.household")
    assert "GB" in browser.text or "信息项" in browser.text
    assert browser.open("/exchange/catalogue/police.nothing").status == 404


@pytest.mark.parametrize("ending", ["xlsx", "xml", "json"])
def test_exported_catalogue_comes_back_unchanged(browser: Browser, client: httpx.Client, ending: str) -> None:
    browser.sign_in("police1")
    content = client.get(f"/exchange/catalogue/export/{ending}?provider=police").content
    answer = upload(browser, "/exchange/catalogue/import", f"catalogue.{ending}", content)
    assert "试算结果" in answer.text
    assert "✕" not in answer.text


def test_changed_entry_is_tried_first_then_imported_and_stands_in_the_history(
    browser: Browser, client: httpx.Client
) -> None:
    browser.sign_in("health1")
    content = client.get("/exchange/catalogue/export/json?provider=health").content
    changed = content.decode().replace("死亡", "死亡（演示）", 1).encode()
    assert changed != content
    answer = upload(browser, "/exchange/catalogue/import", "catalogue.json", changed)
    assert "试算结果：还没有导入" in answer.text
    held = re.search(r'name="held" value="([^"]+)"', answer.text)
    assert held is not None
    fields = {"_csrf_token": token(answer.text), "apply": "yes", "held_name": "catalogue.json", "held": held[1]}
    done = client.post("/exchange/catalogue/import", files={name: (None, value) for name, value in fields.items()})
    assert "已导入" in done.text
    browser.open("/exchange/catalogue?q=（演示）&provider=health")
    resource = re.search(r"/exchange/catalogue/(health\.[a-z_]+)", browser.text)
    assert resource is not None
    browser.open(f"/exchange/catalogue/{resource[1]}")
    assert "第 0 版与第 1 版的差异" in browser.text


def test_steward_imports_no_entry_of_another_department(browser: Browser, client: httpx.Client) -> None:
    browser.sign_in("police1")
    content = client.get("/exchange/catalogue/export/json?provider=justice").content
    fields = {"_csrf_token": token(browser.open("/exchange/catalogue/import").text), "apply": "yes"}
    changed = content.decode().replace("服刑", "服刑（改）", 1).encode()
    answer = client.post("/exchange/catalogue/import", data=fields, files={"file": ("c.json", changed)})
    assert answer.status_code == 422
    assert "只能发布或撤下本部门的目录条目" in answer.text


@pytest.mark.parametrize(
    ("name", "content"),
    [("c.txt", b"x"), ("c.json", b"{"), ("c.xlsx", b"PK\x03\x04"), ("c.xml", b"<a>"), ("c.json", b"\xff\xfe\x00")],
)
def test_file_that_is_no_catalogue_is_refused_in_a_sentence(browser: Browser, name: str, content: bytes) -> None:
    browser.sign_in("police1")
    answer = upload(browser, "/exchange/catalogue/import", name, content)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_demand_goes_from_raising_to_the_agreement_both_sides_sign(
    deployment: Deployment, browser: Browser, client: httpx.Client
) -> None:
    demand_id = raised(browser)
    browser.open("/exchange")
    assert "等其他方办理" in browser.text
    browser.open("/sign-in").send("/sign-out")
    browser.sign_in("health1")
    assert f"/exchange/demands/{demand_id}" in browser.text
    browser.open(f"/exchange/demands/{demand_id}").send(f"/exchange/demands/{demand_id}", event="accept")
    assert "待答复" in browser.text
    approve = {"terms_element:identity_number": "yes", "terms_field:death_date": "yes"}
    browser.send(f"/exchange/demands/{demand_id}", event="approve", **approve)
    assert "待双方签署" in browser.text
    assert client.get(f"/exchange/demands/{demand_id}/agreement.json").json()["fields"] == ["death_date"]
    draft = deployment.services.sharing.draft(actor("health1"), demand_id)
    envelope = signed(deployment, draft).to_json().encode()
    browser.open("/exchange/agreements/signed")
    answer = upload(browser, "/exchange/agreements/signed", "a.json", envelope)
    assert "请先勾选确认" in answer.text
    answer = upload(browser, "/exchange/agreements/signed", "a.json", envelope, confirmed="yes")
    assert "已收下：生效" in answer.text
    assert "使用中" in browser.open(f"/exchange/demands/{demand_id}").text
    browser.open(f"/exchange/agreements/{draft.agreement_id}")
    assert "撤销即刻生效" in browser.text
    revoke = revoke_envelope(draft, "no_longer_needed", signer(deployment, "health"), deployment.services.clock)
    answer = upload(browser, "/exchange/agreements/signed", "r.json", revoke.to_json().encode(), confirmed="yes")
    assert "即刻失效" in answer.text
    assert "已撤销" in browser.open(f"/exchange/demands/{demand_id}").text


def test_refusal_without_law_changes_nothing_and_says_what_is_missing(browser: Browser) -> None:
    demand_id = raised(browser, legal_basis="政务数据共享条例第二条")
    browser.send("/sign-out")
    browser.sign_in("health1").open(f"/exchange/demands/{demand_id}")
    browser.send(f"/exchange/demands/{demand_id}", event="refuse", note="不便")
    assert browser.status == 422
    assert "法律依据" in browser.text
    assert "待审核" in browser.text


def test_demand_of_other_departments_is_nobody_elses(browser: Browser) -> None:
    demand_id = raised(browser, legal_basis="政务数据共享条例第三条")
    browser.send("/sign-out")
    browser.sign_in("steward1")
    assert browser.open(f"/exchange/demands/{demand_id}").status == 404
    assert demand_id not in browser.open("/exchange/demands").text


@pytest.mark.parametrize(
    "changed",
    [
        {"valid_to": "31.12.2026"},
        {"calls_per_minute": "viele"},
        {"legal_basis": ""},
        {"valid_to": "2020-01-01"},
        {"resource": "health.nothing"},
        {"element:bank_account": "yes"},
    ],
)
def test_demand_that_does_not_hold_together_is_refused_and_the_form_kept(
    browser: Browser, changed: dict[str, str]
) -> None:
    browser.sign_in("police1").open("/exchange/demands/new?resource=health.death_table")
    browser.send("/exchange/demands", **(demand_form() | changed))
    assert browser.status == 422
    assert 'role="alert"' in browser.text


def test_signed_file_of_another_department_is_refused(deployment: Deployment, browser: Browser) -> None:
    browser.sign_in("health1")
    envelope = signed(deployment, table_agreement("XY-foreign")).to_json().encode()
    answer = upload(browser, "/exchange/agreements/signed", "a.json", envelope, confirmed="yes")
    assert "没有本部门的签名" in answer.text
    answer = upload(browser, "/exchange/agreements/signed", "a.json", b"no json", confirmed="yes")
    assert answer.status_code == 422


def test_lot_shows_counts_and_the_proof_both_sides_signed(
    deployment: Deployment, browser: Browser, client: httpx.Client
) -> None:
    lot = proven_lot(deployment)
    browser.sign_in("police1").open("/exchange/lots")
    assert "双方一致" in browser.text
    browser.open(f"/exchange/lots/{lot.lot_id}")
    assert "双方已确认" in browser.text
    assert browser.text.count(lot.root) == 2
    assert "身份号码的校验码不符" in browser.text
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"/exchange/lots/{lot.lot_id}/report/xlsx").content)).active
    assert "identity_check_digit" in [row[0] for row in sheet.iter_rows(values_only=True)]
    assert client.get(f"/exchange/lots/{lot.lot_id}/report/csv").content.startswith(b"\xef\xbb\xbf")
    assert len(client.get(f"/exchange/lots/{lot.lot_id}/proof").json()["signatures"]) == 2
    browser.open("/exchange/quality")
    assert "85.71%" in browser.text
    person = deployment.population.people[0]
    for path in ("/exchange/lots", "/exchange/quality", f"/exchange/lots/{lot.lot_id}"):
        assert person.number not in browser.open(path).text


def test_lot_of_other_departments_is_not_found(deployment: Deployment, browser: Browser) -> None:
    lot = proven_lot(deployment)
    browser.sign_in("health1")
    assert browser.open(f"/exchange/lots/{lot.lot_id}").status == 404
    assert lot.lot_id not in browser.open("/exchange/lots").text


def test_consumer_steward_has_a_lot_pulled_once_and_the_provider_cannot(
    deployment: Deployment, browser: Browser
) -> None:
    proven_lot(deployment)
    browser.sign_in("steward1").open("/exchange/lots")
    for _ in range(2):
        browser.send(f"/exchange/lots/{TABLE}/pull")
        assert "已排队拉取" in browser.text
    assert finish_pulls(deployment) == 1
    browser.send("/sign-out")
    browser.sign_in("police1").open("/exchange/lots")
    assert "立即拉取" not in browser.text
    assert browser.send(f"/exchange/lots/{TABLE}/pull").status in {403, 404}


def test_value_in_doubt_is_seen_by_correctors_alone_and_closes_when_acknowledged(
    deployment: Deployment, browser: Browser, window: Program
) -> None:
    number, grant_id = asked_person(deployment, window)
    browser.sign_in("corrector1").open("/exchange/corrections/new/correction")
    browser.send(
        "/exchange/corrections/new/correction",
        resource="police.household",
        identity_number=number,
        element="household_region",
        believed="130104",
        origin="verdict",
        reference=grant_id,
        note="户口簿为证",
    )
    assert browser.status == 200, browser.text
    page = browser.path
    assert "待核查" in browser.text
    believed = region("130104").name
    assert believed in browser.text
    browser.send("/sign-out")
    browser.sign_in("police1").open(page)
    assert believed not in browser.text
    assert number not in browser.text
    assert "您的角色不看具体的值" in browser.text
    browser.send("/sign-out")
    browser.sign_in("corrector2").open(page)
    browser.send(page, event="accept", corrected="130104", in_force_from="2025-09-01", note="已更正")
    assert "通知各使用方" in browser.text
    browser.send("/sign-out")
    browser.sign_in("steward1")
    assert "待确认的更正和召回通知" in browser.text
    notice = re.search(r'name="notice" value="([^"]+)"', browser.open(page).text)
    assert notice is not None
    browser.send(page, notice=notice[1])
    assert "已办结" in browser.open(page).text


def test_claim_about_a_delivery_that_never_was_is_refused_without_echoing_the_number(
    deployment: Deployment, browser: Browser
) -> None:
    browser.sign_in("corrector1").open("/exchange/corrections/new/correction")
    for changed in ({"reference": "g-none"}, {"identity_number": "1.30102E+17"}, {"element": "no_such"}, {"note": ""}):
        fields = {
            "resource": "police.household",
            "identity_number": deployment.population.people[0].number,
            "element": "household_region",
            "believed": "130104",
            "origin": "verdict",
            "reference": "g-1",
            "note": "说明",
        }
        browser.send("/exchange/corrections/new/correction", **(fields | changed))
        assert browser.status == 422, changed
        assert 'role="alert"' in browser.text


def test_calls_tell_what_was_answered_and_name_nobody(
    deployment: Deployment, browser: Browser, window: Program
) -> None:
    number, _ = asked_person(deployment, window)
    browser.sign_in("police1").open("/exchange/calls")
    assert "连得上" in browser.text
    assert number not in browser.text
    browser.open("/exchange/agreements/XY-police-household")
    assert "询问人次" in browser.text
    assert "逐日数字" in browser.text


def test_dead_letters_are_the_system_administrators_to_revive(browser: Browser) -> None:
    browser.sign_in("police1").open("/exchange/events")
    assert browser.send("/exchange/events/dead-letters", what="revive", handler="x", number="1").status == 403
    browser.open("/exchange").send("/sign-out")
    browser.sign_in("system1").open("/exchange/events")
    for number in ("1", "x", "9" * 40):
        answer = browser.open("/exchange/events").send(
            "/exchange/events/dead-letters", what="revive", handler="x", number=number
        )
        assert answer.status == 404


def raised(browser: Browser, **changed: str) -> str:
    browser.sign_in("police1").open("/exchange/demands/new?resource=health.death_table")
    browser.send("/exchange/demands", **(demand_form() | changed))
    found = DEMAND.search(browser.path)
    assert found is not None, browser.text
    return found[1]


def demand_form() -> dict[str, str]:
    return {
        "resource": "health.death_table",
        "purpose:supervision": "yes",
        "legal_basis": "社会保险经办条例第八条",
        "frequency": "daily",
        "element:identity_number": "yes",
        "field:identity_number": "yes",
        "field:death_date": "yes",
        "valid_to": "2026-12-31",
        "note": "核对死亡",
    }


def actor(user: str) -> Actor:
    role, department = KEEPERS[user]
    return Actor(user, user, role, department, "130000")


def token(text: str) -> str:
    found = TOKEN.search(text)
    assert found is not None
    return found[1]


def upload(browser: Browser, path: str, name: str, content: bytes, **fields: str) -> httpx.Response:
    fields = {"_csrf_token": token(browser.open(path).text), **fields}
    return browser.client.post(path, data=fields, files={"file": (name, content)})
