"""The holder's side over HTTP: `POST /v1/matches`, then values in and answers out, in numbered messages.

By hand and at a gateway alike; they differ in who may open a session and in what is looked at before it answers.
"""

from typing import Any, Final, Protocol

import msgspec
from litestar import Request, Response, Router, delete, get, post, put
from litestar.params import FromPath, RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from huodang.exchange.matching.errors import (
    BudgetError,
    MalformedMessageError,
    MalformedPointError,
    MatchRefusedError,
    NearIdenticalError,
    NotPermittedToMatchError,
    PeerLostError,
)
from huodang.exchange.matching.holding import HoldingSession, Sessions
from huodang.exchange.matching.messages import LARGEST_MESSAGE
from huodang.standards import HuodangError

PATH: Final = "/v1/matches"
BINARY: Final = "application/octet-stream"
PROBLEM: Final = "application/problem+json"
NONCE_HEADER: Final = "Huodang-Match-Proof"
LARGEST_OPENING: Final = 64 * 1024
_STATUSES: Final[dict[type[HuodangError], int]] = {
    MalformedMessageError: 400,
    MalformedPointError: 400,
    NotPermittedToMatchError: 403,
    MatchRefusedError: 403,
    NearIdenticalError: 403,
    PeerLostError: 404,
    BudgetError: 429,
}
_CONFLICT: Final = 409


class Host(Protocol):
    """Who decides at a door. Each method may raise HuodangError."""

    sessions: Sessions[HoldingSession]

    def open(self, body: bytes, proof: str) -> tuple[bytes, str]:
        """Begin a session for the message that asks for it; give the answer and its proof."""
        ...

    def close(self, name: str) -> tuple[str, str]:
        """End the taking of values, after looking at them; give their digest, bare and as a signed envelope if any."""
        ...

    def ended(self, name: str) -> None:
        """Take note that the querier has ended a session."""
        ...


class Closed(msgspec.Struct, frozen=True):
    """What a holder says when it has received all values.

    Attributes:
        digest: of what it received.
        signed: the same as a signed envelope; empty by hand.
    """

    digest: str
    signed: str = ""


class Problem(msgspec.Struct, frozen=True):
    """A refusal as it crosses: a stable code and its sentences, no personal data."""

    code: str
    chinese: str
    english: str
    advice_chinese: str = ""
    advice_english: str = ""


def match_routes(host: Host) -> Router:
    """Make the HTTP handlers of a holder."""

    @post("/", status_code=HTTP_201_CREATED, sync_to_thread=True, request_max_body_size=LARGEST_OPENING)
    def open_session(request: Request[Any, Any, Any], body: RawBody) -> Response[bytes]:
        """Begin a session."""
        answer, proof = host.open(bytes(body), request.headers.get(NONCE_HEADER, ""))
        return Response(answer, media_type="application/json", headers={NONCE_HEADER: proof} if proof else {})

    @put(
        "/{name:str}/values/{index:int}",
        status_code=HTTP_204_NO_CONTENT,
        sync_to_thread=True,
        request_max_body_size=LARGEST_MESSAGE + 1,
    )
    def take(name: FromPath[str], index: FromPath[int], body: RawBody) -> None:
        """Take one message of blinded values."""
        host.sessions.get(name).take(index, bytes(body))

    @post("/{name:str}/close", status_code=HTTP_200_OK, sync_to_thread=True)
    def close(name: FromPath[str]) -> Response[bytes]:
        """End the taking."""
        return Response(msgspec.json.encode(Closed(*host.close(name))), media_type="application/json")

    @get("/{name:str}/answers/{index:int}", sync_to_thread=True)
    def answers(name: FromPath[str], index: FromPath[int]) -> Response[bytes]:
        """Give one message of evaluated values."""
        return given(host.sessions.get(name).answers(index))

    @get("/{name:str}/tags/{index:int}", sync_to_thread=True)
    def tags(name: FromPath[str], index: FromPath[int]) -> Response[bytes]:
        """Give one message of tags."""
        return given(host.sessions.get(name).tags(index))

    @delete("/{name:str}", sync_to_thread=True)
    def end(name: FromPath[str]) -> None:
        """End a session."""
        host.ended(name)

    return Router(
        PATH, route_handlers=[open_session, take, close, answers, tags, end], exception_handlers={HuodangError: told}
    )


def given(data: bytes | None) -> Response[bytes]:
    """Answer with a message, or that it is still being worked on."""
    if data is None:  # still being worked on: ask again
        return Response(b"", media_type=BINARY, status_code=HTTP_202_ACCEPTED)
    return Response(data, media_type=BINARY)


def told(_request: Request[Any, Any, Any], problem: HuodangError) -> Response[bytes]:
    """Answer with an error of the product, as a problem."""
    status = next((number for kind, number in _STATUSES.items() if isinstance(problem, kind)), _CONFLICT)
    refusal = Problem(problem.code, problem.chinese, problem.english, problem.advice_chinese, problem.advice_english)
    return Response(msgspec.json.encode(refusal), media_type=PROBLEM, status_code=status)
