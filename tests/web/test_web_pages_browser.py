"""The pages in a real browser: nothing overflows at any width, and both journeys work with the vendored htmx."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, sync_playwright
from web_deployment import PASSWORD, Deployment, Program, application_of, typed_form

from huodang.simulation import Person

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")
WIDTHS = (1280, 390, 320)
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# What stands beyond the right edge, if the page can be scrolled sideways.
BEYOND = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.tagName + '.' + e.className).slice(0, 5)"""

# Values that their labels leave too little room.
SQUEEZED = """() => [...document.querySelectorAll('.facts dd')]
  .filter(e => e.offsetParent && e.clientWidth < 0.4 * e.parentElement.clientWidth)
  .map(e => e.textContent).slice(0, 5)"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    if not CHROMIUM.exists():
        if os.environ.get("HUODANG_SERVICES_REQUIRED") == "1":
            pytest.fail("no Chromium at /usr/bin/chromium")
        pytest.skip("no Chromium at /usr/bin/chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        yield started
        started.close()


@pytest.fixture
def said() -> list[str]:
    """What the browser complained of."""
    return []


@pytest.fixture
def context(chromium: Chromium, said: list[str]) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1280, "height": 900})

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            said.append(message.text)

    made.on("console", note)
    made.on("weberror", lambda error: said.append(str(error.error)))
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def fits(page: Page) -> None:
    """Nothing may stand beyond the right edge at any width."""
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(BEYOND) == [], f"{page.url} at {width}"
        assert page.evaluate(SQUEEZED) == [], f"{page.url} at {width}"
    page.set_viewport_size({"width": 1280, "height": 900})


def sign_in(page: Page, deployment: Deployment, user: str) -> None:
    page.goto(f"{deployment.hub_address}/sign-in")
    page.fill("#user", user)
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_load_state()


def opened_case(deployment: Deployment, window: Program) -> str:
    case_id: str = window.post("/api/v1/cases", application_of(deployment.person()), 201)["case_id"]
    deployment.settle()
    return case_id


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("user", "paths"),
    [
        ("window1", ["/queue", "/intake", "/access-code", "/overview", "/password", "/nowhere"]),
        ("auditor1", ["/audit"]),
        ("system1", ["/accounts"]),
        ("audit1", ["/audit", "/accounts"]),
    ],
)
def test_no_page_of_the_workbench_scrolls_sideways(
    deployment: Deployment, page: Page, user: str, paths: list[str], language: str
) -> None:
    sign_in(page, deployment, user)
    page.goto(f"{deployment.hub_address}/language/{language}?back=/password")
    for path in paths:
        page.goto(f"{deployment.hub_address}{path}")
        fits(page)


def test_clerk_and_reviewer_take_a_case_from_the_queue_to_the_decision(
    deployment: Deployment, window: Program, page: Page, said: list[str]
) -> None:
    case_id = opened_case(deployment, window)
    sign_in(page, deployment, "window2")
    fits(page)
    page.click(".filters a[href='/queue?state=window_review']")
    page.wait_for_url("**/queue?state=window_review")
    page.click(f"a[href='/cases/{case_id}']")
    fits(page)
    form = page.locator("form", has=page.locator("input[name=event][value=window_pass]"))
    form.locator("button").click()
    page.wait_for_selector(".chip >> text=入库复审")
    assert page.url.endswith(f"/cases/{case_id}")
    page.click("text=退出")
    sign_in(page, deployment, "reviewer1")
    page.goto(f"{deployment.hub_address}/cases/{case_id}")
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    form = page.locator("form", has=page.locator("input[name=event][value=filing_pass]"))
    form.locator("textarea").fill("同意")
    form.locator("button").click()
    page.wait_for_selector(".chip >> text=联办中")
    deployment.settle()
    deployment.settle()
    page.reload()
    page.wait_for_selector(".chip >> text=已办结")
    fits(page)
    page.goto(f"{deployment.hub_address}/cases/{case_id}/papers")
    fits(page)
    assert said == []


def test_guard_is_said_in_place_by_htmx(deployment: Deployment, window: Program, page: Page, said: list[str]) -> None:
    case_id = opened_case(deployment, window)
    sign_in(page, deployment, "window1")
    page.goto(f"{deployment.hub_address}/cases/{case_id}")
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    page.locator("form", has=page.locator("input[name=event][value=window_pass]")).locator("button").click()
    page.wait_for_selector("[role=alert] >> text=经办人不得审核本人代办的申请")
    assert said == []


def test_intake_form_fits_with_and_without_errors(deployment: Deployment, page: Page) -> None:
    person = deployment.person()
    sign_in(page, deployment, "window1")
    page.goto(f"{deployment.hub_address}/intake")
    page.fill("#identity_number", person.number)
    page.fill("#name", person.name)
    page.click("main button")
    page.wait_for_selector("#bank_account")
    fits(page)
    page.fill("#phone", "1")
    page.fill("#bank_name", "演示银行")
    page.fill("#bank_account", "1")
    page.click("main form.fields button.button")
    page.wait_for_selector("#bank_account-error")
    fits(page)


def test_citizen_goes_from_the_start_page_to_who_looked(deployment: Deployment, page: Page, said: list[str]) -> None:
    person = deployment.person()
    code = deployment.access_code(person)
    page.goto(deployment.portal_address)
    fits(page)
    page.click("a[href='/apply']")
    fits(page)
    enter(page, person, code.lower())
    page.wait_for_url("**/apply")
    fits(page)
    fill(page, {**typed_form(person), "bank_account": "1"})
    page.click("main form.fields button.button")
    page.wait_for_selector("#bank_account-error")
    fits(page)
    fill(page, typed_form(person))
    page.click("main form.fields button.button")
    page.wait_for_url("**/progress*")
    fits(page)
    deployment.settle()
    for path, seen in (("/papers", "您没有带的材料"), ("/looks", "系统自动")):
        page.goto(f"{deployment.portal_address}{path}")
        page.wait_for_selector(f"text={seen}")
        fits(page)
    page.goto(f"{deployment.portal_address}/language/en?back=/progress")
    page.wait_for_selector("text=Step by step")
    fits(page)
    assert said == []


def test_page_that_waits_goes_on_by_itself(deployment: Deployment, page: Page) -> None:
    person = deployment.person()
    code = deployment.access_code(person)
    # A desk that is slow: the visitor's browser meets the page that waits, and leaves it when the answer has come.
    with deployment.slow_desk(seconds=3):
        page.goto(f"{deployment.portal_address}/sign-in")
        enter(page, person, code)
        page.wait_for_url("**/wait/*")
        fits(page)
        page.wait_for_url("**/progress", timeout=20_000)


def enter(page: Page, person: Person, code: str) -> None:
    page.fill("#identity_number", person.number)
    page.fill("#name", person.name)
    page.fill("#code", code)
    page.click("main button.button")


def fill(page: Page, values: dict[str, str]) -> None:
    for name in ("phone", "bank_name", "bank_account"):
        page.fill(f"#{name}", values[name])
    page.check("input[name=declaration]")
