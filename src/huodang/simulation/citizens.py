"""A citizen at the portal's pages: signs in with an access code, looks at the prefilled form, applies, signs out.

Through the pages and so through the ferry: the portal has no other way, and no page is skipped.
"""

import http.cookiejar
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import ClassVar, Final

from huodang.simulation.people import Person
from huodang.simulation.root import DemoError

_PATIENCE_SECONDS: Final = 60.0
_LOOK_EVERY_SECONDS: Final = 0.25
_REQUEST_SECONDS: Final = 30.0
_CASE_NUMBER: Final = re.compile(r'<dd class="code">([^<]+)</dd>')


class PortalRefusedError(DemoError):
    """The portal didn't let somebody in or didn't take an application."""

    code: ClassVar[str] = "demo.portal_refused"


class _Fields(HTMLParser):
    """Reads what a page's form sends by itself: hidden fields, texts already there, choices already made."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "input" and given.get("name"):
            if given.get("type") in {"checkbox", "radio"} and "checked" not in given:
                return
            self.values[given["name"]] = given.get("value", "")
        elif tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._select and "selected" in given:
            self.values[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


class Visitor:
    """One person's visit."""

    def __init__(self, address: str, person: Person) -> None:
        self._address = address
        self._person = person
        # The portal listens on loopback: no proxy of the machine stands between.
        self._browser = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        self.page = ""
        self._text = ""
        self._fields: dict[str, str] = {}

    def apply(self, code: str, answers: Mapping[str, str]) -> str:
        """Sign in, fill in what the form doesn't know yet, send it, and sign out.

        Args:
            code: the access code from the window.
            answers: what the person writes into the form, by field.

        Returns:
            The number of the case, as the progress page shows it.

        Raises:
            PortalRefusedError: code or application is refused, or no answer comes.
        """
        self._open("/sign-in?next=/apply")
        person = self._person
        self._send("/sign-in", {"identity_number": person.number, "name": person.name, "code": code})
        if self.page != "/apply":
            raise self._refused("门户未能登录", "The portal didn't let the citizen in")
        self._send("/apply", answers)
        shown = _CASE_NUMBER.search(self._text)
        if self.page != "/progress" or shown is None:
            raise self._refused("门户未收下申请", "The portal didn't take the application")
        self._send("/sign-out", {})
        return shown[1].strip()

    def _open(self, path: str) -> None:
        self._answer(urllib.request.Request(f"{self._address}{path}"))  # noqa: S310  (our own portal on loopback)

    def _send(self, path: str, answers: Mapping[str, str]) -> None:
        fields = self._fields | dict(answers)
        body = urllib.parse.urlencode(fields).encode()
        self._answer(urllib.request.Request(f"{self._address}{path}", data=body))  # noqa: S310  (as above)

    def _answer(self, request: urllib.request.Request) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                with self._browser.open(request, timeout=_REQUEST_SECONDS) as answer:
                    text, url = answer.read().decode("utf-8"), answer.url
            except urllib.error.HTTPError as error:
                raise self._refused(
                    f"门户拒绝了请求({error.code})", f"The portal refused a request ({error.code})"
                ) from error
            self.page = urllib.parse.urlparse(url).path
            if not self.page.startswith("/wait/"):
                break
            if time.monotonic() > deadline:
                raise self._refused("门户迟迟没有答复", "The portal gave no answer in time")
            time.sleep(_LOOK_EVERY_SECONDS)
            request = urllib.request.Request(url)  # noqa: S310  (as above)
        self._text = text
        reader = _Fields()
        reader.feed(text)
        self._fields = reader.values

    @staticmethod
    def _refused(chinese: str, english: str) -> PortalRefusedError:
        return PortalRefusedError(chinese, english, advice_chinese="请看 logs/。", advice_english="See logs/.")
