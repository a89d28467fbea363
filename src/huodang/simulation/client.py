"""The hub's API as staff use it: sign in, ask, act. Knows HTTP and JSON, nothing of what they mean."""

import json
import threading
from dataclasses import dataclass
from typing import Any, ClassVar

import urllib3

from huodang.simulation.root import DemoError

_ENDED = 401
_TRIES = 2


class HubSilentError(DemoError):
    """The hub can't be reached, or broke off; whether it took what was sent isn't known."""

    code: ClassVar[str] = "demo.hub_silent"


class HubRefusedError(DemoError):
    """The hub answered with an error; its code and sentence are kept."""

    code: ClassVar[str] = "demo.hub_refused"

    def __init__(self, what: str, status: int, problem: dict[str, Any]) -> None:
        super().__init__(
            f"{what}:{problem.get('chinese', status)}",
            f"{what}: {problem.get('english', status)}",
            advice_chinese=str(problem.get("advice_chinese", "")),
            advice_english=str(problem.get("advice_english", "")),
        )
        self.status = status
        self.reason = str(problem.get("code", ""))
        self.element = str(problem.get("element", ""))


@dataclass(frozen=True)
class Account:
    """A member of staff: account, made-up password, role, and the department where it isn't the agency's."""

    user: str
    password: str
    name: str
    role: str
    employer: str = ""
    department: str = "social_insurance"


class Desk:
    """One member of staff at work. Signs in by itself when a day has passed; safe to share between threads."""

    def __init__(self, http: urllib3.PoolManager, address: str, account: Account) -> None:
        self._http = http
        self._address = address
        self.account = account
        self._token = ""
        self._signing_in = threading.Lock()

    def get(self, path: str) -> Any:  # noqa: ANN401  (JSON)
        """Ask for something.

        Raises:
            HubRefusedError: the hub says no.
        """
        return self._request("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401  (JSON)
        """Send something.

        Raises:
            HubRefusedError: the hub says no.
        """
        return self._request("POST", path, body)

    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> Any:  # noqa: ANN401  (JSON)
        for attempt in range(_TRIES):
            token = self._token or self._sign_in("")
            status, answer = self._send(method, path, body, token)
            if status == _ENDED and attempt + 1 < _TRIES:
                self._sign_in(token)
                continue
            if status >= 400:
                raise HubRefusedError(f"{method} {path}", status, answer)
            return answer
        raise AssertionError  # the loop always returns or raises

    def _sign_in(self, ended: str) -> str:
        with self._signing_in:
            if self._token == ended:
                body = {"user": self.account.user, "password": self.account.password}
                status, answer = self._send("POST", "/api/v1/sign-in", body, "")
                if status >= 400:
                    raise HubRefusedError(f"sign-in {self.account.user}", status, answer)
                self._token = str(answer["token"])
            return self._token

    def _send(self, method: str, path: str, body: dict[str, Any] | None, token: str) -> tuple[int, Any]:
        headers = {"accept": "application/json", "prefer": "return=minimal"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            data = json.dumps(body, ensure_ascii=False).encode()
            headers["content-type"] = "application/json"
        try:
            answer = self._http.request(method, f"{self._address}{path}", body=data, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise HubSilentError(
                "枢纽没有答复",
                "The hub doesn't answer",
                advice_chinese="请看演示目录下的 logs/hub.log。",
                advice_english="See logs/hub.log in the demonstration's folder.",
            ) from error
        try:
            return answer.status, json.loads(answer.data) if answer.data else {}
        except ValueError:
            return answer.status, {"chinese": "答复不是 JSON", "english": "the answer isn't JSON"}


def connections(most: int = 8) -> urllib3.PoolManager:
    """Make the connections that all desks share."""
    return urllib3.PoolManager(maxsize=most, block=True, retries=False, timeout=urllib3.Timeout(connect=5, read=60))
