"""The pages of supervision: what is pressing, one clue from hand to hand, who sees what; without JavaScript."""

import re

import pytest
from supervision_matters import dead_payee, pay
from web_deployment import STAFF, Browser, Deployment

from huodang.standards import Month
from huodang.web.menu import supervision_menu_of
from huodang.web.roles import Role

RECOVERY_LINK = re.compile(r'href="(/supervision/recoveries/[0-9a-f]{32})"')


@pytest.mark.parametrize(("user", "role"), STAFF.items())
def test_each_role_opens_all_pages_of_supervision_in_its_menu_and_no_others(
    browser: Browser, user: str, role: str
) -> None:
    browser.sign_in(user)
    own = [entry.path for entry in supervision_menu_of(Role(role))]
    for path in own:
        assert browser.open(path).status == 200, path
    every = {entry.path for one in Role for entry in supervision_menu_of(one)}
    for path in every - set(own):
        assert browser.open(path).status == 403, path


def test_investigator_lands_on_the_overview_and_sees_the_most_money_first(
    deployment: Deployment, browser: Browser
) -> None:
    small, large = dead_payee(deployment, fen=100)[0], dead_payee(deployment, fen=98_765_432)[0]
    browser.sign_in("investigator1")
    assert browser.path == "/supervision"
    assert browser.text.index(large) < browser.text.index(small)
    assert "987,654.32" in browser.text or "987654.32" in browser.text


def test_lists_name_nobody_and_a_clue_shows_the_number_masked_and_leaves_a_look(
    deployment: Deployment, browser: Browser
) -> None:
    clue, number = dead_payee(deployment)
    before = len(_looks(deployment, number))
    browser.sign_in("investigator1").open("/supervision/clues")
    assert clue in browser.text
    assert number not in browser.text
    assert len(_looks(deployment, number)) == before
    browser.open(f"/supervision/clues/{clue}")
    assert number not in browser.text
    assert number[:3] in browser.text
    assert "死亡日期" in browser.text
    assert len(_looks(deployment, number)) == before + 1
    browser.open(f"/supervision/clues/{clue}/evidence")
    assert "与封存时的摘要一致" in browser.text
    assert "赵建国" not in browser.text


def test_a_clue_is_confirmed_by_two_people_on_its_page(deployment: Deployment, browser: Browser) -> None:
    clue, _ = dead_payee(deployment)
    path = f"/supervision/clues/{clue}"
    browser.sign_in("investigator1").open(path).send(path, event="take")
    assert "核查中" in browser.text
    browser.send(path, event="confirm", note="死亡证明已核对", fact_from="2025-07-03")
    assert browser.status == 400 or "法规" in browser.text  # the law is missing: said, and nothing moved
    assert "核查中" in browser.open(path).text
    browser.send(path, event="confirm", note="死亡证明已核对", fact_from="2025-07-03", law="社会保险经办条例")
    assert "待复核" in browser.text
    browser.send("/sign-out").sign_in("reviewer1").open(path).send(path, event="approve")
    assert "属实" in browser.text
    assert "复核同意" in browser.text


def test_a_clue_that_there_is_not_is_not_found(browser: Browser) -> None:
    browser.sign_in("investigator1")
    assert browser.open("/supervision/clues/nonesuch").status == 404
    assert browser.open("/supervision/clues?state=nonesuch").status == 404


def test_steward_and_administrators_find_no_supervision(browser: Browser) -> None:
    browser.sign_in("police1")
    assert browser.open("/supervision").status == 403


def test_who_is_paid_is_answered_and_leaves_a_look(deployment: Deployment, browser: Browser) -> None:
    _, number = dead_payee(deployment)
    before = len(_looks(deployment, number))
    browser.sign_in("investigator1").open("/supervision/payees").send("/supervision/payees", identity_number=number)
    assert "没有查到在领的待遇" in browser.text
    pay(deployment, number, (Month(2025, 8), Month(2025, 9)))
    browser.send("/supervision/payees", identity_number=number)
    assert "2025-08" in browser.text or "202508" in browser.text
    assert number not in browser.text
    assert len(_looks(deployment, number)) == before + 2
    assert browser.send("/supervision/payees", identity_number="130102195001010011").status == 422
    browser.sign_in("leader1")
    assert browser.open("/supervision/payees").status == 403


def test_a_confirmed_death_opens_a_recovery_that_is_paid_off_on_its_page(
    deployment: Deployment, browser: Browser
) -> None:
    clue, number = dead_payee(deployment)
    pay(deployment, number, (Month(2025, 7), Month(2025, 8), Month(2025, 9)))
    path = f"/supervision/clues/{clue}"
    browser.sign_in("investigator1").open("/supervision/recoveries?state=opened")
    others = set(RECOVERY_LINK.findall(browser.text))
    browser.open(path).send(path, event="take")
    browser.send(path, event="confirm", note="死亡证明已核对", fact_from="2025-07-03", law="社会保险经办条例")
    browser.sign_in("reviewer1").open(path).send(path, event="approve")
    browser.sign_in("investigator1").open("/supervision/recoveries?state=opened")
    (own,) = set(RECOVERY_LINK.findall(browser.text)) - others
    browser.open(own)
    assert "4,123.45" in browser.text  # August: the month after the death, which the clue is about
    assert number not in browser.text
    browser.open(own + "/notice")
    assert "4,123.45" in browser.text or "4123.45" in browser.text
    browser.open(own).send(own, event="serve_notice", served_on="2025-09-15", note="邮寄送达")
    browser.send(own, event="receive", means="repayment", amount="1,23", moved_on="2025-09-15", reference="V1")
    assert browser.status == 400
    browser.open(own).send(
        own, event="receive", means="repayment", amount="4123.45", moved_on="2025-09-15", reference="V1"
    )
    assert "已结清" in browser.text


def test_lag_tells_a_span_of_months_and_refuses_what_is_none(browser: Browser) -> None:
    browser.sign_in("leader1")
    assert browser.open("/supervision/lag?from=2025-01&to=2025-09").status == 200
    assert "没有收到死亡事件" in browser.text
    for query in ("from=x", "from=2025-09&to=2025-01", "from=1900-01&to=2025-01"):
        assert browser.open(f"/supervision/lag?{query}").status == 400


def _looks(deployment: Deployment, number: str) -> list[object]:
    services = deployment.services
    return list(services.looks.of_subject(services.sealer.blind_index("identity_number", number)))
