"""Calls on the JSON API: batch verification under one grant, match only, and how gateways do (接口调用, 可用不可见)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from huodang.exchange import Action, AnswerRecord, DecisionRequest, Roll, decide
from huodang.exchange.matching import BetweenQuestion, MatchQuestion, MatchRow
from huodang.standards import BadValue, IdentityNumber, Place
from huodang.web.exchange_access import may_oversee
from huodang.web.problems import BadFormError
from huodang.web.roles import CASE_ROLES, DELIVERY_ROLES, MATCH_ROLES
from huodang.web.security import StaffRequest
from huodang.web.services import Services

LARGEST_ROLL: Final = 10_000
LARGEST_ROLL_BODY: Final = 4 * 1024 * 1024
Name = Annotated[str, msgspec.Meta(max_length=128)]
Value = Annotated[str, msgspec.Meta(max_length=500)]
Subjects = Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(min_length=1, max_length=10_000)]
RunName = Annotated[str | None, HeaderParameter(name="idempotency-key", min_length=1, max_length=128)]


class RollSent(msgspec.Struct, forbid_unknown_fields=True):
    """Many persons and one question about each.

    `claims` holds a column an element, each as long as `subjects`; `run` names the roll, so that it is resumed and not
    asked again when it is sent anew (the header `Idempotency-Key` does the same).
    """

    resource: Name
    purpose: Name
    case_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    subjects: Subjects
    claims: dict[str, list[Value | None]] = {}
    parameters: dict[str, Value] = {}
    elements: list[Name] | None = None
    fields: list[Name] | None = None
    run: Name = ""


class LineAnswered(msgspec.Struct):
    """What came of one line, in the order in which the persons were sent; it doesn't repeat whom it is about."""

    outcome: str
    reason: str
    answered: bool
    as_of: datetime | None
    fields: dict[str, str]
    batch_id: str
    retryable: bool


class RollAnswered(msgspec.Struct):
    """The answers about a roll, and how many there are of each outcome."""

    run: str
    counts: dict[str, int]
    lines: list[LineAnswered]


class MatchAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Persons to be matched against a department's, and what for; `match_id` takes an interrupted match up again."""

    resource: Name
    purpose: Name
    case_id: Name
    subjects: Subjects
    size_only: bool = False
    match_id: Name | None = None


class MatchAnswered(msgspec.Struct):
    """Sizes, and which of the persons sent the department has, by position from 0; None if only the size was wanted."""

    match_id: str
    overlap: int
    queried: int
    held: int
    members: list[int] | None
    entry_id: str


class BetweenAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Two departments' sets to be matched with each other; `match_id` begins an interrupted match anew."""

    first: Name
    second: Name
    purpose: Name
    case_id: Name = ""
    size_only: bool = True
    match_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None


class BetweenAnswered(msgspec.Struct):
    """Sizes of both sets and of the overlap; who is in it, masked, if that was asked for and is permitted."""

    match_id: str
    overlap: int
    first: int
    second: int
    persons: list[str] | None
    entry_id: str


class MatchesShown(msgspec.Struct):
    """Matches with their sizes, the newest first."""

    matches: list[MatchRow]


class GatewayShown(msgspec.Struct):
    """How one gateway of a department does; `state` is its circuit breaker's."""

    department: str
    state: str
    in_flight: int
    calls: int
    failures: int


class GatewaysShown(msgspec.Struct):
    """The gateways that this hub asks."""

    gateways: list[GatewayShown]


@post(
    "/verifications",
    opt={"roles": CASE_ROLES, "takes_key": False},  # the key names the roll, which is resumed by itself
    sync_to_thread=True,
    status_code=HTTP_200_OK,
    request_max_body_size=LARGEST_ROLL_BODY,
    summary="批量核验 / Verify many",
)
def verify_many(
    request: StaffRequest,
    data: JSONBody[RollSent],
    services: NamedDependency[Services],
    idempotency_key: RunName = None,
) -> RollAnswered:
    """一次最多核验 10,000 人，一份授权，逐人留痕。Up to 10,000 persons in one grant; a look is recorded for each."""
    if any(len(column) != len(data.subjects) for column in data.claims.values()):
        raise BadFormError("claims")
    run = data.run or idempotency_key or ""
    roll = Roll(
        resource=data.resource,
        case_id=data.case_id,
        subjects=data.subjects,
        purpose=data.purpose,
        actor=request.user.actor,
        claims=data.claims,
        parameters=data.parameters,
        elements=None if data.elements is None else tuple(data.elements),
        fields=None if data.fields is None else tuple(data.fields),
        employer=request.user.employer,
        region=request.user.region,
    )
    found = services.exchange.verify_many(roll, run=run)
    records = list(found)
    lines = [
        LineAnswered(
            outcome=one.outcome.value,
            reason=one.reason,
            answered=one.answered,
            as_of=one.as_of,
            fields=fields,
            batch_id=one.grant_id,
            retryable=one.failure is not None and one.failure.retryable,
        )
        for one, fields in zip(records, _masked(roll, records), strict=True)
    ]
    return RollAnswered(run, {outcome.value: number for outcome, number in found.counts().items()}, lines)


@post(
    "/matches",
    opt={"roles": MATCH_ROLES},
    sync_to_thread=True,
    request_max_body_size=LARGEST_ROLL_BODY,
    summary="比对 / Match",
)
def match(request: StaffRequest, data: JSONBody[MatchAsked], services: NamedDependency[Services]) -> MatchAnswered:
    """可用不可见：只得知交集。The overlap and nothing else, under an agreement of the kind `match`, if permitted.

    The policies that come with the product permit it to the hub's own work, and to the investigator (稽核) for the
    purpose `supervision` in the own region; a province adds its own.
    """
    numbers = [_number(text, position) for position, text in enumerate(data.subjects)]
    question = MatchQuestion(
        resource=data.resource,
        purpose=data.purpose,
        actor=request.user.actor,
        case_id=data.case_id,
        size_only=data.size_only,
        region=request.user.region,
    )
    outcome = services.matches.match(question, numbers, match_id=data.match_id)
    members = None
    if outcome.members is not None:
        found = set(outcome.members)
        members = [position for position, number in enumerate(numbers) if number in found]
    return MatchAnswered(outcome.match_id, outcome.overlap, outcome.queried, outcome.held, members, outcome.entry_id)


@post(
    "/matches/between", opt={"roles": MATCH_ROLES}, sync_to_thread=True, summary="部门之间比对 / Match two departments"
)
def match_between(
    request: StaffRequest, data: JSONBody[BetweenAsked], services: NamedDependency[Services]
) -> BetweenAnswered:
    """两个部门的集合互相比对，双方都不交出名单。Two departments' sets, handed over by neither, under an agreement each.

    With `size_only` it names nobody, and the steward of the department that uses the data may ask for the purpose
    `supervision`. Without it the identity numbers of the overlap come masked as the policies say.
    """
    question = BetweenQuestion(
        first=data.first,
        second=data.second,
        purpose=data.purpose,
        actor=request.user.actor,
        case_id=data.case_id,
        size_only=data.size_only,
        region=request.user.region,
    )
    outcome = services.matches.match_between(question, match_id=data.match_id)
    persons = services.matches.shown(question, outcome)
    return BetweenAnswered(outcome.match_id, outcome.overlap, outcome.queried, outcome.held, persons, outcome.entry_id)


@get("/matches", opt={"roles": DELIVERY_ROLES}, sync_to_thread=True, summary="比对记录 / Matches and their sizes")
def list_matches(
    request: StaffRequest,
    services: NamedDependency[Services],
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> MatchesShown:
    """谁为何比对、人数和交集大小，不含任何人。Who matched what for, and the sizes; names nobody."""
    actor = request.user.actor
    rows = services.matches.latest(limit=limit)
    return MatchesShown(
        [
            one
            for one in rows
            if may_oversee(actor, one.provider, one.other.partition(".")[0], services.matches.consumer)
        ]
    )


@get("/gateways", opt={"roles": DELIVERY_ROLES}, sync_to_thread=True, summary="前置机状况 / How gateways do")
def gateways(request: StaffRequest, services: NamedDependency[Services]) -> GatewaysShown:
    """各部门前置机的熔断、在途和失败次数。Circuit breaker, calls in flight and failures."""
    return GatewaysShown(
        [
            GatewayShown(department, one.state.value, one.in_flight, one.calls, one.failures)
            for department, standings in sorted(services.directory.standing().items())
            if may_oversee(request.user.actor, department)
            for one in standings
        ]
    )


def _masked(roll: Roll, records: Sequence[AnswerRecord]) -> list[dict[str, str]]:
    """What was handed over of each person, whole, masked or hidden as the policy says to who asked."""
    names = tuple(sorted({name for one in records for name in one.fields or ()}))
    decision = decide(
        DecisionRequest(
            actor=roll.actor,
            action=Action.ASK_DEPARTMENT,
            purpose=roll.purpose,
            elements=names,
            case_id=roll.case_id,
            employer=roll.employer,
            region=roll.region,
        )
    )
    return [{name: decision.show(name, text) for name, text in (one.fields or {}).items()} for one in records]


def _number(text: str, position: int) -> IdentityNumber:
    try:
        return IdentityNumber.parse(text)
    except BadValue as problem:
        raise problem.at(Place(element=f"subjects[{position}]")) from None


CALL_HANDLERS: Final = (verify_many, match, match_between, list_matches, gateways)
"""The routes of this module."""
