"""The querier's way to a holder over HTTP, with patience, bounded answers and a count of the bytes on the wire."""

import contextlib
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from huodang.exchange.matching import errors
from huodang.exchange.matching.door import BINARY, NONCE_HEADER, PATH, Closed, Problem
from huodang.exchange.matching.errors import MatchingError, MatchRefusedError, PeerLostError
from huodang.exchange.matching.messages import LARGEST_MESSAGE, Terms, Welcome, malformed

PATIENCE_SECONDS: Final = 60.0
"""How long a silent peer is waited for."""
_SUCCESS: Final = frozenset({200, 201, 202, 204})
_WORKING: Final = 202
_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
_LARGEST_WORD: Final = 64 * 1024

_KINDS: Final[dict[str, type[MatchingError]]] = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, MatchingError) and kind is not MatchingError
}


Opening = Callable[[Terms], tuple[bytes, str]]
"""Makes the message that opens a session, and its proof."""
Checking = Callable[[bytes, str], bytes]
"""Checks the answer to it, and gives the welcome in it."""


class Wire:
    """Requests to one holder, bounded and counted.

    Args:
        pool: connections to it.
        patience: seconds to wait for each answer.
        working: seconds to wait for work that the holder says it does.
    """

    def __init__(
        self, pool: urllib3.HTTPConnectionPool, *, patience: float = PATIENCE_SECONDS, working: float = 4 * 3600.0
    ) -> None:
        self._pool = pool
        self._timeout = urllib3.Timeout(connect=min(5.0, patience), read=patience)
        self._working = working
        self.bytes_sent = 0
        self.bytes_received = 0

    def fetch(self, path: str) -> bytes:
        """Fetch a message; waits while it is worked on.

        Raises:
            MatchingError: the holder refuses, falls silent or goes away.
        """
        until = time.monotonic() + self._working
        pause = _PAUSE
        while (response := self.call("GET", path)).status == _WORKING:
            if time.monotonic() > until:
                raise _lost("超时")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return response.data

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        media_type: str = BINARY,
        headers: dict[str, str] | None = None,
    ) -> "Read":
        """Send a request and read its answer within the bound.

        Raises:
            MatchingError: the holder refuses, falls silent or goes away.
        """
        told: dict[str, str] = {"User-Agent": "huodang-match", "Content-Type": media_type, **(headers or {})}
        options: dict[str, Any] = {"retries": False, "redirect": False, "timeout": self._timeout}
        try:
            response = self._pool.urlopen(
                method, PATH + path, body=body, headers=told, preload_content=False, decode_content=False, **options
            )
            try:
                data = response.read(LARGEST_MESSAGE + 1)
                if len(data) > LARGEST_MESSAGE:
                    response.close()
                    raise malformed("对方的报文过大", "a message of the peer is too large")
            finally:
                response.release_conn()
        except (HTTPError, OSError) as problem:
            raise _lost(type(problem).__name__) from None
        self.bytes_sent += len(body or b"")
        self.bytes_received += len(data)
        if response.status not in _SUCCESS:
            raise _refused(response.status, data)
        return Read(response, data)


class HttpHolder(Wire):
    """A holder reached over HTTP; one session each.

    Args:
        pool: connections to it.
        opening: makes the first message; None for the terms as they are.
        checking: checks the answer to it; None to take it as it is.
        patience: seconds to wait for each answer.
        working: seconds to wait for work that the holder says it does.
    """

    def __init__(
        self,
        pool: urllib3.HTTPConnectionPool,
        *,
        opening: Opening | None = None,
        checking: Checking | None = None,
        patience: float = PATIENCE_SECONDS,
        working: float = 4 * 3600.0,
    ) -> None:
        super().__init__(pool, patience=patience, working=working)
        self._opening = opening or (lambda terms: (terms.to_json(), ""))
        self._checking = checking or (lambda answer, _proof: answer)
        self._session = ""
        self.signed = ""

    def open(self, terms: Terms) -> Welcome:
        """Begin a session."""
        body, proof = self._opening(terms)
        headers = {NONCE_HEADER: proof} if proof else {}
        response = self.call("POST", "", body, media_type="application/json", headers=headers)
        welcome = Welcome.from_json(self._checking(response.data, response.headers.get(NONCE_HEADER, "")))
        self._session = welcome.session
        return welcome

    def send(self, index: int, points: bytes) -> None:
        """Send one message of blinded values."""
        self.call("PUT", f"/{self._session}/values/{index}", points)

    def close(self) -> str:
        """End the sending."""
        try:
            closed = msgspec.json.decode(self.call("POST", f"/{self._session}/close").data, type=Closed)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise malformed("对方的答复不符合格式", "what the peer answered isn't shaped right") from None
        self.signed = closed.signed
        return closed.digest

    def answers(self, index: int) -> bytes:
        """Fetch one message of evaluated values."""
        return self.fetch(f"/{self._session}/answers/{index}")

    def tags(self, index: int) -> bytes:
        """Fetch one message of tags."""
        return self.fetch(f"/{self._session}/tags/{index}")

    def end(self) -> None:
        """Let the holder forget the session."""
        if self._session:
            with contextlib.suppress(MatchingError):  # it forgets by itself
                self.call("DELETE", f"/{self._session}")
            self._session = ""


class Read:
    """A response whose body was read within its bound."""

    def __init__(self, response: urllib3.BaseHTTPResponse, data: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.data = data


def _refused(status: int, data: bytes) -> MatchingError:
    """Raise again what the other side says, as the same kind of error."""
    try:
        told = msgspec.json.decode(data[:_LARGEST_WORD], type=Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return MatchRefusedError(
            f"对方拒绝（HTTP {status}）",
            f"the peer refuses (HTTP {status})",
            advice_chinese="请核对对方地址，那里可能不是比对服务。",
            advice_english="Check the address: that may be no matching service.",
        )
    kind = _KINDS.get(told.code, MatchRefusedError)
    return kind(
        f"对方：{_plain(told.chinese)}",
        f"the peer: {_plain(told.english)}",
        advice_chinese=_plain(told.advice_chinese),
        advice_english=_plain(told.advice_english),
    )


def _plain(text: str) -> str:
    """Take what the other side says without characters that steer a terminal, and not too much of it."""
    return "".join(one for one in text[:500] if one.isprintable())


def _lost(kind: str) -> PeerLostError:
    return PeerLostError(
        f"与对方的连接失败或中断（{kind}）",
        f"the peer can't be reached, or the connection broke ({kind})",
        advice_chinese="请核对地址、端口和对方是否在运行，然后重新开始；没有写出任何结果。",
        advice_english="Check address, port and whether the peer runs, then start again; nothing was written.",
    )
