"""The header `Idempotency-Key` on the API: which operations take it, and how a request with one passes (幂等键).

Everything that creates or moves something takes it, without saying so: a POST whose handler has `takes_key` set to
False in its `opt` only reads, signs out, or names its work by itself.

Source: the header's name and meaning follow the draft of the IETF, draft-ietf-httpapi-idempotency-key-header
    (unverified: the draft isn't among the facts of this project).
"""

from typing import Any, Final

import anyio.to_thread
import structlog
from litestar import Request
from litestar.enums import ScopeType
from litestar.handlers.base import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_300_MULTIPLE_CHOICES,
    HTTP_404_NOT_FOUND,
    HTTP_409_CONFLICT,
    HTTP_422_UNPROCESSABLE_ENTITY,
    HTTP_500_INTERNAL_SERVER_ERROR,
)
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send
from sqlalchemy.exc import SQLAlchemyError

from huodang.standards import HuodangError
from huodang.web.idempotency import HEADER, Claim, KeptAnswer, KeptAnswers
from huodang.web.problems import BadFormError

LONGEST_KEY: Final = 128
REPLAYED: Final = "idempotency-replayed"
# What the operation itself said. Refused before it began (400, 401, 403, 413, 415, 429) or failed (5xx): not kept.
_KEPT_REFUSALS: Final = frozenset({HTTP_404_NOT_FOUND, HTTP_409_CONFLICT, HTTP_422_UNPROCESSABLE_ENTITY})

_log = structlog.get_logger("huodang.web")


def takes_key(handler: BaseRouteHandler) -> bool:
    """Whether an operation is done once for a key: it is a POST of somebody signed in that creates or moves."""
    methods = getattr(handler, "http_methods", ())
    return "POST" in methods and not handler.opt.get("public") and handler.opt.get("takes_key", True) is True


class OnceByKey(ASGIMiddleware):
    """Does a request that carries a key once, and answers its repetitions as the first was answered."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass on what carries no key; claim the key of what does, and keep the answer before it is sent.

        Raises:
            BadFormError: the key is empty, too long or given twice.
            KeyReusedError: it came before with another body.
            UnderWayError: the first request with it isn't answered yet.
        """
        request: Request[Any, Any, Any] = Request(scope, receive=receive)
        keys, user = request.headers.getall(HEADER, []), scope.get("user")
        if not keys or user is None or not takes_key(request.route_handler):
            await next_app(scope, receive, send)
            return
        if len(keys) > 1 or not 0 < len(keys[0]) <= LONGEST_KEY:
            raise BadFormError(HEADER)
        body = await request.body()  # kept with the connection, so that the handler finds it again
        answers: KeptAnswers = request.app.state.services.kept_answers
        found = await anyio.to_thread.run_sync(answers.claim, user, scope["path"], keys[0], body)
        if isinstance(found, KeptAnswer):
            await _send_again(found, send)
            return
        answer = _Answer(send)
        try:
            await next_app(scope, receive, answer.note)
        except Exception:
            await anyio.to_thread.run_sync(answers.release, found)
            raise
        await _settle(answers, found, answer)
        await answer.send()


class _Answer:
    """An answer that is held back until it is whole."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._messages: list[Message] = []
        self.status = HTTP_500_INTERNAL_SERVER_ERROR
        self.media_type = ""
        self.body = b""

    async def note(self, message: Message) -> None:
        self._messages.append(message)
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = {name.lower(): value for name, value in message["headers"]}
            self.media_type = headers.get(b"content-type", b"").decode("latin-1")
        elif message["type"] == "http.response.body":
            self.body += message["body"]

    async def send(self) -> None:
        for message in self._messages:
            await self._send(message)


async def _settle(answers: KeptAnswers, claim: Claim, answer: _Answer) -> None:
    """Keep the answer, or let the key go. If that fails the work is done all the same, and its answer goes out."""
    is_kept = HTTP_200_OK <= answer.status < HTTP_300_MULTIPLE_CHOICES or answer.status in _KEPT_REFUSALS
    try:
        if is_kept:
            kept = KeptAnswer(answer.status, answer.media_type, answer.body.decode("utf-8"))
            await anyio.to_thread.run_sync(answers.keep, claim, kept)
        else:
            await anyio.to_thread.run_sync(answers.release, claim)
    except (HuodangError, SQLAlchemyError) as error:
        _log.error("web.idempotency.not_kept", kind=type(error).__qualname__)


async def _send_again(answer: KeptAnswer, send: Send) -> None:
    body = answer.body.encode("utf-8")
    headers = [(REPLAYED.encode(), b"true")]
    if answer.media_type:
        headers += [
            (b"content-type", answer.media_type.encode("latin-1")),
            (b"content-length", str(len(body)).encode()),
        ]
    start: HTTPResponseStartEvent = {"type": "http.response.start", "status": answer.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})
