"""The portal's end of the ferry: requests laid in one folder, answers picked up from another, and nothing else."""

import secrets
import threading
from typing import Final

from huodang.exchange import Ferry
from huodang.web.citizen_messages import ANSWER, REQUEST, Action, CitizenAnswer, CitizenRequest
from huodang.web.portal_sessions import Visit

_MOST_WAITING: Final = 5_000


class PortalLine:
    """Sends citizens' requests and hands out the answers. Somebody has to call `take_answers` now and then."""

    def __init__(self, ferry: Ferry) -> None:
        self._ferry = ferry
        self._arrived = threading.Condition()
        # Requests on their way; the answer is None until it has come.
        self._waiting: dict[str, CitizenAnswer | None] = {}

    def ask(self, visit: Visit, action: Action, body: dict[str, str] | None = None) -> str:
        """Send one request on its way and hand out its number.

        Raises:
            BadFormError: the hub would refuse its shape at the ferry, without an answer to wait for.
        """
        request = CitizenRequest(
            request_id=secrets.token_urlsafe(24),
            action=action,
            identity_number=visit.identity_number,
            name=visit.name,
            ticket=visit.ticket,
            body=body or {},
        )
        payload = request.to_payload()
        CitizenRequest.from_payload(payload)
        with self._arrived:
            self._waiting[request.request_id] = None
            while len(self._waiting) > _MOST_WAITING:
                self._waiting.pop(next(iter(self._waiting)))
        self._ferry.send(REQUEST, payload)
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

    def take_answers(self) -> None:
        """Take what lies in the folder; an answer that nobody waits for any more is thrown away."""
        for envelope in self._ferry.receive(ANSWER):
            answer = CitizenAnswer.from_payload(envelope)
            with self._arrived:
                if answer.request_id in self._waiting:
                    self._waiting[answer.request_id] = answer
                    self._arrived.notify_all()
