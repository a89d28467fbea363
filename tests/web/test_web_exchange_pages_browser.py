"""The pages of the exchange in a real browser: at any width, in both languages, by keyboard, without scripts."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from exchange_matters import proven_lot
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, sync_playwright
from web_deployment import PASSWORD, Deployment

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")
WIDTHS = (1280, 390, 320)
BEYOND = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.tagName + '.' + e.className).slice(0, 5)"""
PAGES = (
    "/exchange",
    "/exchange/catalogue",
    "/exchange/catalogue/police.household",
    "/exchange/catalogue/import",
    "/exchange/demands",
    "/exchange/demands/new?resource=health.death_table",
    "/exchange/agreements",
    "/exchange/agreements/XY-police-household",
    "/exchange/agreements/signed",
    "/exchange/lots",
    "/exchange/quality",
    "/exchange/corrections",
    "/exchange/corrections/new/recall",
    "/exchange/events",
    "/exchange/files",
    "/exchange/calls",
    "/exchange/matches",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    if not CHROMIUM.exists():
        if os.environ.get("HUODANG_SERVICES_REQUIRED") == "1":
            pytest.fail("no Chromium at /usr/bin/chromium")
        pytest.skip("no Chromium at /usr/bin/chromium")
    with sync_playwright() as playwright:
        args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=args)
        yield started
        started.close()


def steward(chromium: Chromium, deployment: Deployment, *, scripts: bool = True) -> Page:
    page = chromium.new_context(java_script_enabled=scripts, viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{deployment.hub_address}/sign-in")
    page.fill("#user", "police1")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/exchange")
    return page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_of_the_exchange_scrolls_sideways(chromium: Chromium, deployment: Deployment, language: str) -> None:
    lot = proven_lot(deployment)
    page = steward(chromium, deployment)
    page.goto(f"{deployment.hub_address}/language/{language}?back=/exchange")
    for path in (*PAGES, f"/exchange/lots/{lot.lot_id}"):
        page.goto(f"{deployment.hub_address}{path}")
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(BEYOND) == [], f"{path} at {width}"
    page.context.close()


def test_keyboard_alone_reaches_the_catalogue_and_searches_it(chromium: Chromium, deployment: Deployment) -> None:
    page = steward(chromium, deployment)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == "/exchange/catalogue":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/exchange/catalogue")
    page.focus("#q")
    page.keyboard.type("死亡")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=*")
    assert page.locator("#entries ~ table tbody tr").count() > 0
    page.context.close()


def test_demand_is_raised_without_scripts(chromium: Chromium, deployment: Deployment) -> None:
    page = steward(chromium, deployment, scripts=False)
    page.goto(f"{deployment.hub_address}/exchange/demands/new")
    page.select_option("#choose", "medical_insurance.insured_table")
    page.click("text=选定")
    page.check("input[name='element:identity_number']")
    page.check("input[name='purpose:supervision']")
    page.fill("#legal_basis", "社会保险经办条例第八条")
    page.click("text=提交需求")
    page.wait_for_selector(".chip >> text=待审核")
    page.context.close()
