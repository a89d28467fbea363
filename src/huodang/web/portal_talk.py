"""One request's part in a conversation over the ferry: whose visit it is, what was asked, what has come back."""

import time
from typing import Any, Final

from litestar import Request, Response
from litestar.datastructures import State
from litestar.response import Redirect

from huodang.web.citizen_messages import Action, CitizenAnswer, Refusal
from huodang.web.pages import language_of, render, see_other
from huodang.web.portal_line import PortalLine
from huodang.web.portal_sessions import Pending, Visit, Visits
from huodang.web.problems import NotFoundError, SignInNeededError

PORTAL_COOKIE: Final = "huodang_portal_session"
# Most answers come within a second: then nobody needs to see a page that waits.
_PATIENCE_SECONDS: Final = 1.0

PortalRequest = Request[Any, Any, State]


class Talk:
    """The conversation that a request belongs to."""

    def __init__(self, request: PortalRequest) -> None:
        self._line: PortalLine = request.app.state.line
        self._answer_within: int = request.app.state.answer_within
        self.visits: Visits = request.app.state.visits
        self.token = request.cookies.get(PORTAL_COOKIE, "")
        self.visit: Visit | None = self.visits.find(self.token) if self.token else None

    @property
    def visitor(self) -> Visit:
        """The visit of somebody whom the hub has let in.

        Raises:
            SignInNeededError: nobody is signed in.
        """
        if self.visit is None or not self.visit.signed_in:
            raise SignInNeededError
        return self.visit

    def fetch(
        self, visit: Visit, action: Action, then: str, body: dict[str, str] | None = None
    ) -> CitizenAnswer | Redirect:
        """The answer for a page: the one that came while the visitor waited, or a fresh one, or the page that waits."""
        kept = visit.answers.pop(then, None)
        return kept if kept is not None else self.send(visit, action, then, body)

    def send(
        self, visit: Visit, action: Action, then: str, body: dict[str, str] | None = None
    ) -> CitizenAnswer | Redirect:
        """Ask; hand back the answer if it comes at once, else the way to the page that waits for it."""
        request_id = self._line.ask(visit, action, body)
        answer = self._line.answer(request_id, wait_seconds=_PATIENCE_SECONDS)
        if answer is not None:
            return answer
        visit.expect(request_id, Pending(action=action, since=time.monotonic(), then=then))
        return see_other(f"/wait/{request_id}")

    def tell(self, visit: Visit, action: Action) -> None:
        """Say something that needs no answer."""
        self._line.forget(self._line.ask(visit, action))

    def settle(self, visit: Visit, action: Action, then: str, body: dict[str, str]) -> Redirect:
        """Ask for something to be done; whenever the answer comes, the page `then` finds it."""
        answer = self.send(visit, action, then, body)
        if isinstance(answer, Redirect):
            return answer
        visit.answers[then] = answer
        return see_other(then)

    def look(self, request_id: str) -> tuple[str | None, bool]:
        """Look whether an answer has come: the page to go to if it has, and whether it is too late to wait on.

        Raises:
            NotFoundError: this visit waits for no such answer.
        """
        pending = self.visit.pending.get(request_id) if self.visit is not None else None
        if self.visit is None or pending is None:
            raise NotFoundError
        answer = self._line.answer(request_id, wait_seconds=_PATIENCE_SECONDS)
        if answer is not None:
            del self.visit.pending[request_id]
            self.visit.answers[pending.then] = answer
            return pending.then, False
        return None, time.monotonic() - pending.since > self._answer_within

    def give_up(self, request_id: str) -> None:
        """Wait no longer."""
        self._line.forget(request_id)
        if self.visit is not None:
            self.visit.pending.pop(request_id, None)


def portal_page(
    request: PortalRequest, talk: Talk, template: str, *, status: int = 200, **values: object
) -> Response[str]:
    """Render one of the portal's pages."""
    return render(request, template, status=status, headers=None, visit=talk.visit, **values)


def refusal_shown(request: PortalRequest, refusal: Refusal) -> dict[str, str]:
    """A refusal in the visitor's language."""
    if language_of(request) == "en":
        return {"sentence": refusal.english, "advice": refusal.advice_english}
    return {"sentence": refusal.chinese, "advice": refusal.advice_chinese}


def refusal_page(request: PortalRequest, talk: Talk, refusal: Refusal, retry: str = "") -> Response[str]:
    """The page for a request that the hub refused."""
    return portal_page(
        request,
        talk,
        "portal_problem.html",
        status=422,
        problem=refusal_shown(request, refusal),
        code=refusal.code,
        retry=retry,
    )
