"""The hub's way to the gateways: mutual TLS, kept-alive connections, time-outs, bounded answers, no redirects."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Final

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError

from huodang.exchange.answers import CallFailure, Failure, FailureCode
from huodang.exchange.calls.gateway_group import GatewayGroup, Standing
from huodang.exchange.traces import outgoing_span

__all__ = ["LARGEST_ANSWER", "CallFailure", "GatewayClient", "GatewayDirectory", "Patience"]

LARGEST_ANSWER: Final = 16 * 1024 * 1024
"""Bytes of one response at most; a batch of 256 verdicts needs a fiftieth of it."""
_PIECE: Final = 64 * 1024
_OK: Final = 200
_HEADERS: Final = {"User-Agent": "huodang-hub", "Content-Type": "application/json"}
_UNAVAILABLE: Final = frozenset({502, 503, 504})


class _Answers(msgspec.Struct):
    answers: list[msgspec.Raw]


@dataclass(frozen=True)
class Patience:
    """How long the hub waits, in seconds.

    Attributes:
        connect: for the connection.
        total: for the whole answer, however slowly it drips.
        glance: for the quick look at what a gateway offers.
        batch: for the whole answer to a batch.
    """

    connect: float = 3.0
    total: float = 20.0
    glance: float = 2.0
    batch: float = 60.0


class GatewayClient:
    """One gateway. Safe to share between threads; connections are kept and shared, too.

    Args:
        url: `https://host:port`.
        tls: the hub's side of mutual TLS; None only for plain HTTP in tests.
        patience: time-outs.
        connections: kept at most.
    """

    def __init__(
        self, url: str, tls: SSLContext | None, *, patience: Patience | None = None, connections: int = 8
    ) -> None:
        self._patience = patience or Patience()
        options: dict[str, Any] = {"ssl_context": tls} if url.startswith("https:") else {}
        self._pool = urllib3.connection_from_url(url.rstrip("/"), maxsize=connections, **options)

    def answers(self, grants: Sequence[str]) -> list[bytes]:
        """Send grants and give what came back, one for each, unjudged.

        Raises:
            CallFailure: nothing usable came: unreachable, too late, too large, or not in the agreed form.
        """
        body = b'{"grants":[' + b",".join(grant.encode() for grant in grants) + b"]}"
        raw = self._call("POST", "/v1/answers", body, self._patience.total)
        try:
            found = [bytes(one) for one in msgspec.json.decode(raw, type=_Answers).answers]
        except msgspec.MsgspecError:
            raise CallFailure(Failure.of(FailureCode.GARBAGE, "shape")) from None
        if len(found) != len(grants):
            raise CallFailure(Failure.of(FailureCode.GARBAGE, "count"))
        return found

    def batch(self, grant: str, pages: Sequence[bytes]) -> Iterator[bytes]:
        """Send a batch and give what comes back line by line, unjudged, as it comes.

        Raises:
            CallFailure: as `answers`; also while the lines are read.
        """
        body = b'{"grant":' + grant.encode() + b',"pages":[' + b",".join(pages) + b"]}"
        with self._open("POST", "/v1/batches", body, self._patience.batch) as pieces:
            rest = b""
            for piece in pieces:
                *lines, rest = (rest + piece).split(b"\n")
                yield from lines
            if rest:
                raise CallFailure(Failure.of(FailureCode.GARBAGE, "truncated"))

    def conformance(self) -> dict[str, Any]:
        """Ask quickly what the gateway offers.

        Raises:
            CallFailure: as `answers`.
        """
        try:
            told = msgspec.json.decode(self._call("GET", "/v1/resources", None, self._patience.glance))
        except msgspec.MsgspecError:
            raise CallFailure(Failure.of(FailureCode.GARBAGE, "shape")) from None
        if not isinstance(told, dict):
            raise CallFailure(Failure.of(FailureCode.GARBAGE, "shape"))
        return told

    def call(self, method: str, path: str, body: bytes | None = None, *, seconds: float | None = None) -> bytes:
        """Send one request of another delivery mode and give the body of the answer, unjudged.

        Args:
            method: `GET` or `POST`.
            path: under `/v1/`.
            body: JSON.
            seconds: for the whole answer; None for the usual patience.

        Raises:
            CallFailure: as `answers`.
        """
        return self._call(method, path, body, self._patience.total if seconds is None else seconds)

    @property
    def pool(self) -> urllib3.HTTPConnectionPool:
        """Give the kept connections, for a delivery mode with an exchange of messages of its own."""
        return self._pool

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.close()

    def _call(self, method: str, path: str, body: bytes | None, seconds: float) -> bytes:
        with self._open(method, path, body, seconds) as pieces:
            return b"".join(pieces)

    @contextmanager
    def _open(self, method: str, path: str, body: bytes | None, seconds: float) -> Iterator[Iterator[bytes]]:
        """Send a request and give the pieces of a good answer; whatever goes wrong on the way is a CallFailure."""
        deadline = time.monotonic() + seconds
        timeout = urllib3.Timeout(connect=min(self._patience.connect, seconds), read=seconds)
        mode = "/".join(path.split("/")[:3])  # what follows names one lot or batch
        try:
            with outgoing_span(f"{method} {mode}") as carried:
                response = self._pool.urlopen(
                    method,
                    path,
                    body=body,
                    headers={**_HEADERS, **carried},
                    timeout=timeout,
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    decode_content=False,
                )
            try:
                yield self._read(response, deadline)
            except BaseException:
                response.close()  # what is left of a broken answer must not be read as the next one
                raise
            finally:
                response.release_conn()
        except (HTTPError, OSError) as problem:
            reason = problem.reason if isinstance(problem, MaxRetryError) and problem.reason else problem
            # A connection that was refused at once counts as a time-out to urllib3; to people it doesn't.
            late = isinstance(reason, HTTPTimeoutError) and not isinstance(reason, NewConnectionError)
            code = FailureCode.TIMEOUT if late else FailureCode.UNREACHABLE
            raise CallFailure(Failure.of(code, type(reason).__name__)) from None

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> Iterator[bytes]:
        if response.status in _UNAVAILABLE:
            raise CallFailure(Failure.of(FailureCode.UNREACHABLE, f"http_{response.status}"))
        if response.status != _OK:
            raise CallFailure(Failure.of(FailureCode.GARBAGE, f"http_{response.status}"))
        size = 0
        for piece in response.stream(_PIECE):
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise CallFailure(Failure.of(FailureCode.TOO_LARGE))
            if time.monotonic() > deadline:
                raise CallFailure(Failure.of(FailureCode.TIMEOUT))
            yield piece


class GatewayDirectory:
    """The gateways of all departments, one or several each, and what each department could do a few seconds ago.

    Args:
        clients: by department, one gateway or several.
        remember_seconds: how long what a department offers is remembered.
        hedge_seconds: after how long a slow check is put to a second gateway; None for what the last calls tell.
    """

    def __init__(
        self,
        clients: Mapping[str, GatewayClient | Sequence[GatewayClient]],
        *,
        remember_seconds: float = 5.0,
        hedge_seconds: float | None = None,
    ) -> None:
        self._clients = dict(clients)
        self._remember = remember_seconds
        self._hedge_seconds = hedge_seconds
        self._groups: dict[str, tuple[object, GatewayGroup]] = {}
        self._told: dict[str, tuple[float, dict[str, Any] | None]] = {}
        self._turn = 0
        self._lock = threading.Lock()

    @classmethod
    def of_urls(
        cls, urls: Mapping[str, str | Sequence[str]], tls: SSLContext | None, *, patience: Patience | None = None
    ) -> "GatewayDirectory":
        """Make the directory from addresses by department: one, or a list of them."""
        return cls(
            {
                department: [
                    GatewayClient(url, tls, patience=patience) for url in ([told] if isinstance(told, str) else told)
                ]
                for department, told in urls.items()
            }
        )

    @property
    def departments(self) -> tuple[str, ...]:
        """The departments that have a gateway."""
        return tuple(self._clients)

    def client(self, department: str) -> GatewayClient | None:
        """Give the way to one gateway of a department, by turns; None if it has none."""
        clients = self._of(department)
        if not clients:
            return None
        self._turn += 1
        return clients[self._turn % len(clients)]

    def group(self, department: str) -> GatewayGroup | None:
        """Give all gateways of a department as one; None if it has none."""
        clients = self._clients.get(department)
        if not clients:
            return None
        with self._lock:
            known = self._groups.get(department)
            if known is None or known[0] is not clients:
                group = GatewayGroup(self._of(department), hedge_seconds=self._hedge_seconds)
                known = self._groups[department] = (clients, group)
            return known[1]

    def standing(self) -> dict[str, list[Standing]]:
        """Tell how the gateways of each department do: circuit breaker, calls, failures."""
        groups = {department: self.group(department) for department in self._clients}
        return {department: group.standing() for department, group in groups.items() if group is not None}

    def conformance(self, department: str) -> dict[str, Any] | None:
        """Tell what a department offers, from a few seconds ago at most; None if no gateway of it can be reached."""
        with self._lock:
            told = self._told.get(department)
        if told is not None and time.monotonic() - told[0] < self._remember:
            return told[1]
        offered = None
        for client in self._of(department):
            try:
                offered = client.conformance()
                break
            except CallFailure:
                continue
        with self._lock:
            self._told[department] = (time.monotonic(), offered)
        return offered

    def close(self) -> None:
        """Close the kept connections."""
        for _, group in self._groups.values():
            group.close()
        for department in self._clients:
            for client in self._of(department):
                client.close()

    def _of(self, department: str) -> Sequence[GatewayClient]:
        clients = self._clients.get(department, ())
        return [clients] if isinstance(clients, GatewayClient) else clients
