"""The portal's end of the ferry: requests laid in one folder, answers picked up from another, and nothing else."""

import secrets
import threading
from typing import Final

import structlog

from huodang.exchange import Ferry
from huodang.standards import HuodangError
from huodang.web.citizen_messages import ANSWER, REQUEST, Action, CitizenAnswer, CitizenRequest
from huodang.web.portal_sessions import Visit

_MOST_WAITING: Final = 5_000
_LOOK_EVERY_SECONDS: Final = 0.1

_log = structlog.get_logger("huodang.web.portal_line")


class PortalLine:
    """Sends citizens' requests and hands out the answers. One thread of its own looks for answers."""

    def __init__(self, ferry: Ferry) -> None:
        self._ferry = ferry
        self._arrived = threading.Condition()
        # Requests on their way; the answer is None until it has come.
        self._waiting: dict[str, CitizenAnswer | None] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self, visit: Visit, action: Action, body: dict[str, str] | None = None) -> str:
        """Send one request on its way and hand out its number."""
        request = CitizenRequest(
            request_id=secrets.token_urlsafe(24),
            action=action,
            identity_number=visit.identity_number,
            name=visit.name,
            ticket=visit.ticket,
            body=body or {},
        )
        with self._arrived:
            self._waiting[request.request_id] = None
            while len(self._waiting) > _MOST_WAITING:
                self._waiting.pop(next(iter(self._waiting)))
        self._ferry.send(REQUEST, request.to_payload())
        return request.request_id

    def answer(self, request_id: str, *, wait_seconds: float = 0.0) -> CitizenAnswer | None:
        """The answer to a request, handed out once, waiting for it at most so long; `None` when it hasn't come."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting.get(request_id) is not None, wait_seconds)
            answer = self._waiting.get(request_id)
            if answer is not None:
                del self._waiting[request_id]
            return answer

    def forget(self, request_id: str) -> None:
        """Wait no longer for an answer; it is thrown away when it comes."""
        with self._arrived:
            self._waiting.pop(request_id, None)

    def start(self) -> None:
        """Start looking for answers."""
        self._thread = threading.Thread(target=self._loop, name="portal-line", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop looking for answers."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(5)

    def _loop(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_SECONDS):
            try:
                self._take_answers()
            except (HuodangError, OSError) as error:
                _log.warning("portal.line", kind=type(error).__qualname__)

    def _take_answers(self) -> None:
        for envelope in self._ferry.receive(ANSWER):
            answer = CitizenAnswer.from_payload(envelope)
            with self._arrived:
                if answer.request_id in self._waiting:
                    self._waiting[answer.request_id] = answer
                    self._arrived.notify_all()
