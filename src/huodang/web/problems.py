"""Errors as people and programs meet them: a page with the sentence, or `application/problem+json` (RFC 9457).

Both carry the error's code, its Chinese and English sentence and the data element concerned; never a value, a name
or a stack. What nobody foresaw becomes an incident number, under which the log holds the kind of error and the lines
it passed through.
"""

import secrets
import traceback
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import structlog
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    NotAuthorizedException,
    PermissionDeniedException,
    TooManyRequestsException,
)
from litestar.status_codes import (
    HTTP_400_BAD_REQUEST,
    HTTP_401_UNAUTHORIZED,
    HTTP_403_FORBIDDEN,
    HTTP_404_NOT_FOUND,
    HTTP_405_METHOD_NOT_ALLOWED,
    HTTP_409_CONFLICT,
    HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    HTTP_415_UNSUPPORTED_MEDIA_TYPE,
    HTTP_422_UNPROCESSABLE_ENTITY,
    HTTP_429_TOO_MANY_REQUESTS,
    HTTP_500_INTERNAL_SERVER_ERROR,
    HTTP_503_SERVICE_UNAVAILABLE,
)

from huodang.standards import HuodangError, Place

PROBLEM_JSON: Final = "application/problem+json"
API_PREFIX: Final = "/api/"

_MINUTE: Final = 60

_log = structlog.get_logger("huodang.web")


class NotFoundError(HuodangError):
    """There is nothing of this name, or not for this user."""

    code: ClassVar[str] = "web.not_found"

    def __init__(self) -> None:
        super().__init__("没有找到", "Not found", advice_chinese="请检查链接", advice_english="Check the link")


class ForbiddenError(HuodangError):
    """The user's role doesn't open this page."""

    code: ClassVar[str] = "web.forbidden"

    def __init__(self) -> None:
        super().__init__("您的角色不能打开此页", "Your role doesn't open this page")


class SignInNeededError(HuodangError):
    """Nobody is signed in, or the session has ended."""

    code: ClassVar[str] = "web.sign_in.needed"

    def __init__(self) -> None:
        super().__init__("请先登录", "Sign in first")


class BadFormError(HuodangError):
    """A form or a JSON body isn't shaped as it must be."""

    code: ClassVar[str] = "web.form"

    def __init__(self, element: str | None = None) -> None:
        super().__init__("提交的内容格式不对", "What was sent isn't shaped as it must be", place=Place(element=element))


class RetryLaterError(HuodangError):
    """It can't be done at this moment; `retry_after` says in seconds when to send it again."""

    retry_after: int = 1


@dataclass(frozen=True)
class Problem:
    """One error, ready to be shown; `retry_after` in seconds goes into the header `Retry-After` (RFC 9110)."""

    status: int
    code: str
    chinese: str
    english: str
    advice_chinese: str = ""
    advice_english: str = ""
    element: str | None = None
    incident: str | None = None
    retry_after: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The members of RFC 9457, and ours beside them."""
        return {
            "type": f"urn:huodang:problem:{self.code}",
            "title": self.chinese,
            "status": self.status,
            "detail": self.english,
            "code": self.code,
            "chinese": self.chinese,
            "english": self.english,
            "advice_chinese": self.advice_chinese,
            "advice_english": self.advice_english,
            "element": self.element,
            "incident": self.incident,
        }


_SENTENCES: Final[dict[int, tuple[str, str, str]]] = {
    HTTP_400_BAD_REQUEST: ("web.form", "提交的内容格式不对", "What was sent isn't shaped as it must be"),
    HTTP_401_UNAUTHORIZED: ("web.sign_in.needed", "请先登录", "Sign in first"),
    HTTP_403_FORBIDDEN: (
        "web.form.stale",
        "页面已过期，请重新打开再提交",
        "The page is out of date: open it again and send it anew",
    ),
    HTTP_404_NOT_FOUND: ("web.not_found", "没有找到", "Not found"),
    HTTP_405_METHOD_NOT_ALLOWED: (
        "web.method",
        "此地址不接受这种请求",
        "This address doesn't take this kind of request",
    ),
    HTTP_413_REQUEST_ENTITY_TOO_LARGE: ("web.too_large", "提交的内容过大", "What was sent is too large"),
    HTTP_429_TOO_MANY_REQUESTS: ("web.too_many", "尝试过于频繁，请一分钟后再试", "Too many tries: wait a minute"),
}

_STATUS_BY_CODE: Final[tuple[tuple[str, int], ...]] = (
    ("web.sign_in.needed", HTTP_401_UNAUTHORIZED),
    ("web.sign_in", HTTP_401_UNAUTHORIZED),
    ("web.citizen", HTTP_401_UNAUTHORIZED),
    ("web.forbidden", HTTP_403_FORBIDDEN),
    ("web.account.own", HTTP_403_FORBIDDEN),
    ("web.not_found", HTTP_404_NOT_FOUND),
    ("retirement.unknown_case", HTTP_404_NOT_FOUND),
    ("retirement.not_allowed", HTTP_403_FORBIDDEN),
    ("retirement.illegal_event", HTTP_409_CONFLICT),
    ("retirement.another_case", HTTP_409_CONFLICT),
    ("ledger.unknown_entry", HTTP_404_NOT_FOUND),
    ("ledger.not_sealed_yet", HTTP_409_CONFLICT),
    ("retirement.due_unanswered", HTTP_503_SERVICE_UNAVAILABLE),
    ("sharing.unknown", HTTP_404_NOT_FOUND),
    ("sharing.not_permitted", HTTP_403_FORBIDDEN),
    ("sharing.illegal_event", HTTP_409_CONFLICT),
    *(
        (f"{part}.{what}", status)
        for part in ("clue", "control", "recovery", "certification", "watch", "paylist")
        for what, status in (
            ("unknown", HTTP_404_NOT_FOUND),
            ("not_permitted", HTTP_403_FORBIDDEN),
            ("illegal_event", HTTP_409_CONFLICT),
        )
    ),
    ("exchange.lot_unknown", HTTP_404_NOT_FOUND),
    ("matching.not_permitted", HTTP_403_FORBIDDEN),
    ("exchange.not_permitted", HTTP_403_FORBIDDEN),
    ("web.idempotency.under_way", HTTP_409_CONFLICT),
    ("matching.peer_lost", HTTP_503_SERVICE_UNAVAILABLE),
    ("web.form", HTTP_400_BAD_REQUEST),
    ("web.media_type", HTTP_415_UNSUPPORTED_MEDIA_TYPE),
    ("store.busy", HTTP_503_SERVICE_UNAVAILABLE),
)


def problem_of(error: Exception) -> Problem:
    """Turn any error into what may be shown; what nobody foresaw is logged under an incident number."""
    if isinstance(error, RecursionError):
        # Nothing here goes deeper than what was sent: it was JSON nested beyond what can be read.
        error = BadFormError()
    if isinstance(error, HuodangError):
        return Problem(
            status=_status_of(error),
            code=error.code,
            chinese=error.chinese,
            english=error.english,
            advice_chinese=error.advice_chinese,
            advice_english=error.advice_english,
            element=error.place.element or error.place.column,
            retry_after=error.retry_after if isinstance(error, RetryLaterError) else None,
        )
    if isinstance(error, HTTPException) and error.status_code < HTTP_500_INTERNAL_SERVER_ERROR:
        status = _http_status(error)
        code, chinese, english = _SENTENCES.get(status, _SENTENCES[HTTP_400_BAD_REQUEST])
        return Problem(status=status, code=code, chinese=chinese, english=english, retry_after=_wait_of(error, status))
    incident = secrets.token_hex(4)
    # The message of an unforeseen error may quote what a user typed, so only its kind and its path are logged.
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    _log.error("web.incident", incident=incident, kind=type(error).__qualname__, frames=frames[-12:])
    return Problem(
        status=HTTP_500_INTERNAL_SERVER_ERROR,
        code="web.incident",
        chinese=f"系统内部错误，编号 {incident}",
        english=f"Internal error, number {incident}",
        advice_chinese="请把编号告诉系统管理员；数据没有被改动一半",
        advice_english="Tell the system administrator the number; nothing was half applied",
        incident=incident,
    )


def problem_json(problem: Problem) -> Response[dict[str, Any]]:
    """The problem as RFC 9457 wants it."""
    headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after is not None else None
    return Response(content=problem.to_json(), status_code=problem.status, media_type=PROBLEM_JSON, headers=headers)


def wants_json(request: Request[Any, Any, Any]) -> bool:
    """Whether the request came to the API rather than to a page."""
    return request.url.path.startswith(API_PREFIX) or request.url.path == "/health"


def _http_status(error: HTTPException) -> int:
    if isinstance(error, NotAuthorizedException):
        return HTTP_401_UNAUTHORIZED
    if isinstance(error, PermissionDeniedException):
        return HTTP_403_FORBIDDEN
    if isinstance(error, TooManyRequestsException):
        return HTTP_429_TOO_MANY_REQUESTS
    return error.status_code


def _wait_of(error: HTTPException, status: int) -> int | None:
    """Seconds until the limit that was reached lets more through; a minute where the limit doesn't say."""
    if status != HTTP_429_TOO_MANY_REQUESTS:
        return None
    return max(1, int((error.headers or {}).get("RateLimit-Reset", _MINUTE)))


def _status_of(error: HuodangError) -> int:
    for prefix, status in _STATUS_BY_CODE:
        if error.code == prefix or error.code.startswith(f"{prefix}."):
            return status
    return HTTP_422_UNPROCESSABLE_ENTITY


def shown(problem: Problem, language: str) -> dict[str, str]:
    """The problem in one language, for a page: `sentence` and `advice`."""
    if language == "en":
        return {"sentence": problem.english, "advice": problem.advice_english}
    return {"sentence": problem.chinese, "advice": problem.advice_chinese}
