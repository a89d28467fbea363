"""Matching by hand, with no platform around it: one side serves a set, the other asks. `huodang intersect`."""

import hashlib
import hmac
import ipaddress
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import urllib3
import uvicorn
from litestar import Litestar

from huodang.exchange.matching.door import match_routes
from huodang.exchange.matching.errors import (
    ListenError,
    MatchFileError,
    NotPermittedToMatchError,
)
from huodang.exchange.matching.holding import HoldingSession, Sessions
from huodang.exchange.matching.lanes import Lanes
from huodang.exchange.matching.messages import LARGEST_SET, PROTOCOL, Terms, Welcome, check_terms, chunks_of
from huodang.exchange.matching.reaching import PATIENCE_SECONDS, HttpHolder
from huodang.exchange.matching.values import ValueSet
from huodang.standards import Place
from huodang.trust import TlsPair

_SHORTEST_SECRET: Final = 16
_LARGEST_SECRET: Final = 4096
_PORTS: Final = 65_535


@dataclass(frozen=True)
class Address:
    """Host and port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `HOST:PORT`, `[IPv6]:PORT` or `:PORT`.

        Raises:
            ListenError: it is neither.
        """
        host, _, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
        if not port.isdecimal() or int(port) > _PORTS or "/" in host:
            raise ListenError(
                "地址应为 HOST:PORT",
                "an address is HOST:PORT",
                advice_chinese="例如 127.0.0.1:7100；端口 0 由系统选择。",
                advice_english="Such as 127.0.0.1:7100; port 0 lets the system choose.",
            )
        return cls(host, int(port))

    @property
    def is_loopback(self) -> bool:
        """Say whether it stays on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True)
class Rules:
    """What a side asks for.

    Attributes:
        smallest: distinct values that the other side must have at least.
        largest: that it may have at most.
        only_size: a holder that never tells which values.
        secret: both sides must know it; None for no such proof.
    """

    smallest: int = 1
    largest: int = LARGEST_SET
    only_size: bool = False
    secret: bytes | None = None


@dataclass(frozen=True)
class Served:
    """One match, as the holder may tell of it.

    Attributes:
        queried: how many distinct values the querier sent.
        completed: it has fetched all that it asked for.
    """

    queried: int
    size_only: bool
    completed: bool


class HandHost:
    """Holds one set for whoever may ask.

    Args:
        values: the set.
        workers: does the arithmetic.
        rules: who may ask for what.
        served: is told of each match that ended.
    """

    def __init__(
        self, values: ValueSet, workers: Lanes, rules: Rules, served: Callable[[Served], None] = lambda _: None
    ) -> None:
        self.sessions: Sessions[HoldingSession] = Sessions()
        self._values = values
        self._workers = workers
        self._rules = rules
        self._served = served
        self._nonces: set[str] = set()
        self._lock = threading.Lock()

    def open(self, body: bytes, proof: str) -> tuple[bytes, str]:
        """Begin a session."""
        terms = Terms.from_json(body)
        self._check_proof(terms, body, proof)
        check_terms(
            terms,
            self._values.normalisation,
            smallest=self._rules.smallest,
            largest=self._rules.largest,
            only_size=self._rules.only_size,
        )
        name = self.sessions.add(HoldingSession(terms, self._values.digests, self._workers))
        answer = msgspec.json.encode(Welcome(version=PROTOCOL, session=name, held=self._values.size))
        return answer, _proof(self._rules.secret, b"welcome", body + answer) if self._rules.secret else ""

    def close(self, name: str) -> tuple[str, str]:
        """End the taking of values."""
        return self.sessions.get(name).close(), ""

    def ended(self, name: str) -> None:
        """Tell of a session that ended."""
        session = self.sessions.end(name)
        if session is not None:
            completed = len(session.fetched_tags) == chunks_of(session.held)
            self._served(Served(session.terms.size, session.terms.size_only, completed))

    def _check_proof(self, terms: Terms, body: bytes, proof: str) -> None:
        if self._rules.secret is None:
            if proof:
                raise _secret_error()
            return
        if not hmac.compare_digest(proof.encode(), _proof(self._rules.secret, b"open", body).encode()):
            raise _secret_error()
        with self._lock:
            if terms.nonce in self._nonces:
                raise _secret_error()
            self._nonces.add(terms.nonce)


class HandServer:
    """A host behind HTTP, or HTTPS with certificates on both sides."""

    def __init__(self, host: HandHost, address: Address, tls: TlsPair | None = None) -> None:
        self._socket = _listening(address)
        self.address = Address(address.host, self._socket.getsockname()[1])
        application = Litestar([match_routes(host)], openapi_config=None, debug=False)
        config = uvicorn.Config(application, log_level="error", access_log=False, ws="none", lifespan="off")
        if tls is not None:
            config.ssl_certfile, config.ssl_keyfile = str(tls.certificate), str(tls.key)
            config.ssl_ca_certs, config.ssl_cert_reqs = str(tls.authority), 2
        self._server = uvicorn.Server(config)

    def run(self) -> None:
        """Serve until `stop`; in the main thread also until SIGINT or SIGTERM."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End after the answers under way."""
        self._server.should_exit = True


def hand_holder(
    address: Address,
    *,
    tls: TlsPair | None = None,
    secret: bytes | None = None,
    patience: float = PATIENCE_SECONDS,
) -> HttpHolder:
    """Make the way to a holder that serves by hand."""
    if tls is None:
        pool = urllib3.HTTPConnectionPool(address.host, address.port, maxsize=1)
    else:
        pool = urllib3.HTTPSConnectionPool(address.host, address.port, maxsize=1, ssl_context=tls.client_context())
    if secret is None:
        return HttpHolder(pool, patience=patience)
    known, sent = secret, [b""]

    def opening(terms: Terms) -> tuple[bytes, str]:
        sent[0] = terms.to_json()
        return sent[0], _proof(known, b"open", sent[0])

    def checking(answer: bytes, proof: str) -> bytes:
        if not hmac.compare_digest(proof.encode(), _proof(known, b"welcome", sent[0] + answer).encode()):
            raise _secret_error()
        return answer

    return HttpHolder(pool, opening=opening, checking=checking, patience=patience)


def read_secret(path: Path) -> bytes:
    """Read what both sides know; line ends around it don't count.

    Raises:
        MatchFileError: it isn't there, or too short to keep anyone out.
    """
    place = Place(file=path.name)
    try:
        secret = path.read_bytes()[:_LARGEST_SECRET].strip()
    except OSError:
        raise MatchFileError("口令文件无法读取", "the file of the secret can't be read", place=place) from None
    if len(secret) < _SHORTEST_SECRET:
        raise MatchFileError(
            f"口令至少 {_SHORTEST_SECRET} 个字节",
            f"a secret has at least {_SHORTEST_SECRET} bytes",
            advice_chinese="可用 openssl rand -hex 32 生成，并用安全的方式交给对方。",
            advice_english="Make one with `openssl rand -hex 32`, and hand it over safely.",
            place=place,
        )
    return secret


def find_tls(folder: Path, name: str | None) -> TlsPair:
    """Find certificate and key in a folder.

    Args:
        folder: holds `authority.crt`, and `NAME.crt` and `NAME.key` of this side.
        name: None if there is only one.

    Raises:
        MatchFileError: there is none, or several and no name.
    """
    found = [name] if name else sorted(one.stem for one in folder.glob("*.key") if one.stem != "authority")
    if len(found) != 1:
        raise MatchFileError(
            "请用 --tls-name 指明证书",
            "name the certificate with --tls-name",
            advice_chinese=f"文件夹中的证书：{'、'.join(found) or '无'}。",
            advice_english=f"The folder holds: {', '.join(found) or 'none'}.",
            place=Place(file=folder.name),
        )
    return TlsPair.of(folder, found[0])


def _listening(address: Address) -> socket.socket:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, place = found[0]
        opened = socket.socket(family, kind, protocol)
    except OSError:
        raise _cannot_listen(address) from None
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(place)
        opened.listen(16)
    except OSError:
        opened.close()
        raise _cannot_listen(address) from None
    return opened


def _cannot_listen(address: Address) -> ListenError:
    return ListenError(
        f"无法监听 {address}",
        f"{address} can't be listened on",
        advice_chinese="端口可能被占用，或不是本机地址；端口 0 由系统选择。",
        advice_english="The port may be taken, or the address isn't this machine's; port 0 lets the system choose.",
    )


def _proof(secret: bytes, use: bytes, message: bytes) -> str:
    return hmac.new(secret, b"huodang-match-1\0" + use + b"\0" + message, hashlib.sha256).hexdigest()


def _secret_error() -> NotPermittedToMatchError:
    return NotPermittedToMatchError(
        "双方的口令不同，或只有一方设置了口令",
        "the secrets of the two sides differ, or only one side has one",
        advice_chinese="请核对双方的 --secret-file。",
        advice_english="Compare --secret-file on both sides.",
    )


__all__ = [
    "Address",
    "HandHost",
    "HandServer",
    "Rules",
    "Served",
    "find_tls",
    "hand_holder",
    "read_secret",
]
