"""A hub's door to its neighbours over HTTP: what a gateway answers, and keys, offers and agreements. Thin."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.exceptions import ClientException
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_400_BAD_REQUEST, HTTP_403_FORBIDDEN

from huodang.exchange.cascade.demands import ROUTE
from huodang.exchange.cascade.service import Cascade
from huodang.standards import HuodangError

JSON: Final = "application/json"
_MOST_GRANTS: Final = 256
_BODY_BYTES: Final = 8 * 1024 * 1024
_DEMAND_BYTES: Final = 64 * 1024


class _Grants(msgspec.Struct, forbid_unknown_fields=True):
    grants: list[msgspec.Raw]
    wait: float = 0.0


class _Agreements(msgspec.Struct, forbid_unknown_fields=True):
    agreements: list[msgspec.Raw] = []
    revocations: list[msgspec.Raw] = []


def cascade_application(cascade: Cascade) -> Litestar:
    """Put a hub's answers to its neighbours behind HTTP; who may connect is for mutual TLS."""

    @post("/v1/answers", status_code=HTTP_200_OK, sync_to_thread=True, request_max_body_size=_BODY_BYTES)
    def answers(body: RawBody) -> Response[bytes]:
        """Answer grants: `{"grants": […]}` in; `{"answers": […], "origins": [[…], …]}` out, in the same order."""
        grants = _read(body, _Grants).grants
        if not 0 < len(grants) <= _MOST_GRANTS:
            raise _bad(f"一次 1 至 {_MOST_GRANTS} 份授权 / 1 to {_MOST_GRANTS} grants at once")
        relayed = cascade.relay.answer([bytes(one) for one in grants])
        told = {
            "answers": [msgspec.Raw(one.envelope.to_json().encode()) for one in relayed],
            "origins": [one.chain for one in relayed],
        }
        return Response(msgspec.json.encode(told), media_type=JSON)

    @post("/v1/events", status_code=HTTP_200_OK, sync_to_thread=True, request_max_body_size=_BODY_BYTES)
    def events(body: RawBody) -> Response[bytes]:
        """Hand events over, as a gateway does."""
        asked = _read(body, _Grants)
        if not 0 < len(asked.grants) <= _MOST_GRANTS:
            raise _bad(f"一次 1 至 {_MOST_GRANTS} 份授权 / 1 to {_MOST_GRANTS} grants at once")
        pages = cascade.events.answer([bytes(one) for one in asked.grants], asked.wait)
        return Response(msgspec.json.encode({"pages": pages}), media_type=JSON)

    @get("/v1/resources", sync_to_thread=True)
    def resources() -> dict[str, Any]:
        """Tell what is passed on, and what of it can be answered now."""
        return cascade.conformance()

    @get("/v1/hub/keys", sync_to_thread=True)
    def keys() -> Response[bytes]:
        """Attest the keys of those who answer through this hub."""
        return Response(cascade.keyring.attest().to_json().encode(), media_type=JSON)

    @get("/v1/hub/offers/{neighbour:str}", sync_to_thread=True)
    def offers(neighbour: str) -> Response[bytes]:
        """Say what is passed on to a neighbour."""
        return Response(cascade.tell_offers(neighbour).to_json().encode(), media_type=JSON)

    @post("/v1/agreements", status_code=HTTP_200_OK, sync_to_thread=True, request_max_body_size=_BODY_BYTES)
    def agreements(body: RawBody) -> dict[str, Any]:
        """Take agreements that a neighbour has signed."""
        return _taken(lambda: [cascade.compacts.take(bytes(one)) for one in _read(body, _Agreements).agreements])

    @post("/v1/revocations", status_code=HTTP_200_OK, sync_to_thread=True, request_max_body_size=_BODY_BYTES)
    def revocations(body: RawBody) -> dict[str, Any]:
        """Take a neighbour's revocations: they hold from the next question on."""
        return _taken(
            lambda: [cascade.compacts.take_revocation(bytes(one)) for one in _read(body, _Agreements).revocations]
        )

    @post(ROUTE, status_code=HTTP_200_OK, sync_to_thread=True, request_max_body_size=_DEMAND_BYTES)
    def demands(body: RawBody) -> Response[bytes]:
        """Take a neighbour's signed demand, or the same again, and say where it stands."""
        return Response(cascade.demands.take(bytes(body)).to_json().encode(), media_type=JSON)

    @get("/health", sync_to_thread=False, media_type=MediaType.TEXT)
    def health() -> str:
        """Say that the process lives."""
        return "ok"

    application = Litestar(
        [answers, events, resources, keys, offers, agreements, revocations, demands, health],
        openapi_config=None,
        debug=False,
        exception_handlers={HuodangError: _problem},
    )
    application.state.leave = cascade.events.leave
    return application


def _taken(take: Callable[[], list[str]]) -> dict[str, Any]:
    return {"taken": take()}


def _read(body: bytes, shape: type[Any]) -> Any:  # noqa: ANN401  (one of two shapes)
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, RecursionError):
        raise _bad("请求体不符合格式 / the body isn't shaped as it must be") from None


def _bad(sentence: str) -> ClientException:
    return ClientException(sentence, status_code=HTTP_400_BAD_REQUEST)


def _problem(_: Request[Any, Any, Any], error: HuodangError) -> Response[dict[str, str]]:
    """Name what was refused by its code and sentences; none of them holds personal data."""
    told = {"code": error.code, "chinese": error.sentence("zh"), "english": error.sentence("en")}
    return Response(told, status_code=HTTP_403_FORBIDDEN, media_type=JSON)
