"""A gateway's side of a match with another gateway over HTTP: `POST /v1/matches/pairs`, then numbered messages."""

from typing import Any, Final, Protocol

import msgspec
from litestar import Response, Router, delete, get, post, put
from litestar.params import FromPath, RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT

from huodang.exchange.matching.door import LARGEST_OPENING, PATH, given, told
from huodang.exchange.matching.holding import Sessions
from huodang.exchange.matching.messages import LARGEST_MESSAGE
from huodang.exchange.matching.pair_session import PairSession
from huodang.exchange.matching.pair_words import SessionOpened
from huodang.standards import HuodangError

PAIRS: Final = "/pairs"
_JSON: Final = "application/json"


class PairKeeper(Protocol):
    """Who decides at this door. Each method may raise HuodangError."""

    sessions: Sessions[PairSession]

    def open(self, body: bytes) -> SessionOpened:
        """Begin a session for a signed grant."""
        ...

    def meet(self, name: str, signed: bytes) -> None:
        """Take the other gateway's word that it takes part."""
        ...

    def own_word(self, name: str) -> bytes | None:
        """Give the signed word on the own blinded list; None while it is worked on."""
        ...

    def close(self, name: str, signed: bytes) -> None:
        """Take the other gateway's word on its list, and begin to raise it."""
        ...

    def raised_word(self, name: str) -> bytes | None:
        """Give the signed word on the raised list; None while it is worked on."""
        ...

    def reveal(self, name: str, signed: bytes) -> bytes:
        """Take the other gateway's word on what it raised; give the signed word on who is on both sides."""
        ...

    def members(self, name: str, index: int) -> bytes:
        """Give one message of who is on both sides."""
        ...

    def ended(self, name: str) -> None:
        """Forget a session."""
        ...


def pair_routes(keeper: PairKeeper) -> Router:
    """Make the HTTP handlers."""
    small: dict[str, Any] = {"sync_to_thread": True, "request_max_body_size": LARGEST_OPENING}
    large: dict[str, Any] = {"sync_to_thread": True, "request_max_body_size": LARGEST_MESSAGE + 1}

    @post("/", status_code=HTTP_201_CREATED, **small)
    def open_session(body: RawBody) -> Response[bytes]:
        """Begin a session."""
        return Response(msgspec.json.encode(keeper.open(bytes(body))), media_type=_JSON)

    @post("/{name:str}/other", status_code=HTTP_204_NO_CONTENT, **small)
    def meet(name: FromPath[str], body: RawBody) -> None:
        """Take the other gateway's opening."""
        keeper.meet(name, bytes(body))

    @get("/{name:str}/blinded/{index:int}", sync_to_thread=True)
    def blinded(name: FromPath[str], index: FromPath[int]) -> Response[bytes]:
        """Give one message of the own values, blinded."""
        return given(keeper.sessions.get(name).blinded(index))

    @get("/{name:str}/word", sync_to_thread=True)
    def own_word(name: FromPath[str]) -> Response[bytes]:
        """Give the word on them."""
        return given(keeper.own_word(name))

    @put("/{name:str}/values/{index:int}", status_code=HTTP_204_NO_CONTENT, **large)
    def take(name: FromPath[str], index: FromPath[int], body: RawBody) -> None:
        """Take one message of the other gateway's values."""
        keeper.sessions.get(name).take(index, bytes(body))

    @post("/{name:str}/close", status_code=HTTP_204_NO_CONTENT, **small)
    def close(name: FromPath[str], body: RawBody) -> None:
        """End the taking."""
        keeper.close(name, bytes(body))

    @get("/{name:str}/raised/{index:int}", sync_to_thread=True)
    def raised(name: FromPath[str], index: FromPath[int]) -> Response[bytes]:
        """Give one message of values under both secrets."""
        return given(keeper.sessions.get(name).raised(index))

    @get("/{name:str}/raised-word", sync_to_thread=True)
    def raised_word(name: FromPath[str]) -> Response[bytes]:
        """Give the word on them."""
        return given(keeper.raised_word(name))

    @put("/{name:str}/returned/{index:int}", status_code=HTTP_204_NO_CONTENT, **large)
    def take_back(name: FromPath[str], index: FromPath[int], body: RawBody) -> None:
        """Take one message of the own values as the other gateway raised them."""
        keeper.sessions.get(name).take_back(index, bytes(body))

    @post("/{name:str}/reveal", status_code=HTTP_200_OK, **small)
    def reveal(name: FromPath[str], body: RawBody) -> Response[bytes]:
        """Find who is on both sides."""
        return Response(keeper.reveal(name, bytes(body)), media_type=_JSON)

    @get("/{name:str}/members/{index:int}", sync_to_thread=True)
    def members(name: FromPath[str], index: FromPath[int]) -> Response[bytes]:
        """Give one message of who is."""
        return Response(keeper.members(name, index), media_type=_JSON)

    @delete("/{name:str}", sync_to_thread=True)
    def end(name: FromPath[str]) -> None:
        """End a session."""
        keeper.ended(name)

    handlers = [
        open_session,
        meet,
        blinded,
        own_word,
        take,
        close,
        raised,
        raised_word,
        take_back,
        reveal,
        members,
        end,
    ]
    return Router(PATH + PAIRS, route_handlers=handlers, exception_handlers={HuodangError: told})
