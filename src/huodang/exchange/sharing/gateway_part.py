"""The gateway's part in agreements: what the hub hands on is laid on the shelf, what was revoked here is told.

Nothing here is believed because the hub says it: an agreement needs both departments' signatures, this one's included,
and a revocation that of a side. A steward's own revocation needs no hub at all: the shelf is read at every request.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from litestar import get, post
from litestar.exceptions import ClientException
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK
from litestar.types import ControllerRouterHandler

from huodang.exchange.gateway.shelf import AgreementShelf
from huodang.standards import HuodangError
from huodang.trust import SignedEnvelope

_LARGEST_BODY = 1024 * 1024
_MOST = 64


class _Agreements(msgspec.Struct, forbid_unknown_fields=True):
    agreements: list[msgspec.Raw]


class _Revocations(msgspec.Struct, forbid_unknown_fields=True):
    revocations: list[msgspec.Raw]


class AgreementPart:
    """`POST /v1/agreements`, `POST /v1/revocations`, `GET /v1/revocations`."""

    def __init__(self, shelf: AgreementShelf) -> None:
        self._shelf = shelf

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Give the HTTP handlers."""
        shelf = self._shelf

        @post("/v1/agreements", status_code=HTTP_200_OK, sync_to_thread=True, request_max_body_size=_LARGEST_BODY)
        def agreements(body: RawBody) -> dict[str, list[str]]:
            """Lay agreements that both sides have signed on the shelf: `{"agreements": [envelope, …]}`."""
            return _laid(shelf.lay_agreement, _read(body, _Agreements, "agreements"))

        @post("/v1/revocations", status_code=HTTP_200_OK, sync_to_thread=True, request_max_body_size=_LARGEST_BODY)
        def revocations(body: RawBody) -> dict[str, list[str]]:
            """End agreements on a side's signed word: `{"revocations": [envelope, …]}`; it holds at once."""
            return _laid(shelf.lay_revocation, _read(body, _Revocations, "revocations"))

        @get("/v1/revocations", sync_to_thread=True)
        def revoked() -> dict[str, list[Any]]:
            """Tell every revocation that stands on the shelf, as it was signed."""
            return {"revocations": [msgspec.Raw(one.to_json().encode()) for one in shelf.revocations()]}

        return [agreements, revocations, revoked]

    def offers(self) -> Sequence[dict[str, Any]]:
        """Offer no resource."""
        return []

    def start(self) -> None:
        """Have nothing to begin."""

    def stop(self) -> None:
        """Have nothing to end."""


def _laid(lay: Callable[[SignedEnvelope], str], envelopes: Sequence[SignedEnvelope]) -> dict[str, list[str]]:
    try:
        return {"laid": [lay(one) for one in envelopes]}
    except HuodangError as problem:
        raise _refused(problem) from None


def _refused(problem: HuodangError) -> ClientException:
    return ClientException(f"[{problem.code}] {problem.chinese} / {problem.english}")


def _read(body: bytes, shape: type[_Agreements] | type[_Revocations], name: str) -> list[SignedEnvelope]:
    try:
        found = getattr(msgspec.json.decode(body, type=shape), name)
    except (msgspec.MsgspecError, RecursionError):
        raise ClientException(f'请求体应为 {{"{name}": […]}} / the body is {{"{name}": […]}}') from None
    if len(found) > _MOST:
        raise ClientException(f"一次最多 {_MOST} 份 / at most {_MOST} at once")
    try:
        return [SignedEnvelope.from_json(bytes(one)) for one in found]
    except HuodangError as problem:
        raise _refused(problem) from None
