"""Agreements (共享协议) on pages: what may be used by whom until when, how it was used, and how it ends."""

from datetime import timedelta
from typing import Annotated, Any, Final

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from huodang.exchange import AGREEMENT, AGREEMENT_REVOCATION, AgreementRecord, AgreementState
from huodang.exchange.sharing import SHARING_ACT
from huodang.exchange.usage import AgreementUsage, agreement_usage
from huodang.standards import BadValue, HuodangError, Place
from huodang.store import shanghai_date
from huodang.trust import SignedEnvelope
from huodang.web.exchange_access import Visit
from huodang.web.exchange_words import AGREEMENT_STATES, chip, departments, kind_name
from huodang.web.labels import PURPOSE_NAMES, element_names
from huodang.web.pages import render
from huodang.web.problems import BadFormError, NotFoundError, problem_of, shown
from huodang.web.roles import DELIVERY_ROLES, DEMAND_ROLES, Role
from huodang.web.security import StaffRequest
from huodang.web.services import Services

LARGEST_SIGNED: Final = 2 * 1024 * 1024
_DAYS: Final = 30
_ROLES: Final = {"roles": DEMAND_ROLES | DELIVERY_ROLES}
_STEWARDS: Final = {"roles": frozenset({Role.STEWARD})}
Signed = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]
_CONFIRM: Final = "confirmed"


@get("/exchange/agreements", opt=_ROLES, sync_to_thread=True)
def agreements(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The agreements of both sides, the newest version of each."""
    visit = Visit(request, services)
    with services.database.read() as connection:
        known = services.exchange.agreements.all(connection)
    newest = {one.agreement.agreement_id: one for one in known if _may_see(visit, one)}
    return render(
        request,
        "exchange_agreements.html",
        rows=[_row(visit, one) for one in sorted(newest.values(), key=lambda one: one.agreement.resource)],
        steward=visit.actor.role == Role.STEWARD,
    )


@get("/exchange/agreements/signed", opt=_STEWARDS, sync_to_thread=True)
def signed_page(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The form for a file that a department signed."""
    return _signed(Visit(request, services))


@post("/exchange/agreements/signed", opt=_STEWARDS, request_max_body_size=LARGEST_SIGNED, sync_to_thread=True)
def take_signed(request: StaffRequest, services: NamedDependency[Services], data: Signed) -> Response[str]:
    """Take an agreement, a revocation or an act that the steward's own department signed; its signature decides."""
    visit = Visit(request, services)
    try:
        return _signed(visit, done=_take(visit, data))
    except HuodangError as error:
        return _signed(visit, error=error)


@get("/exchange/agreements/{agreement_id:str}", opt=_ROLES, sync_to_thread=True)
def agreement(request: StaffRequest, services: NamedDependency[Services], agreement_id: FromPath[str]) -> Response[str]:
    """One agreement: terms, signatures, history, and its uses of the last days."""
    visit = Visit(request, services)
    with services.database.read() as connection:
        versions = services.exchange.agreements.versions(connection, agreement_id)
        history = services.exchange.agreements.history(connection, agreement_id)
    if not versions or not _may_see(visit, versions[-1]):
        raise NotFoundError
    record = next((one for one in reversed(versions) if one.state is AgreementState.IN_FORCE), versions[-1])
    terms = record.agreement
    now = services.clock.now()
    used = agreement_usage(services.database, agreement_id, now - timedelta(days=_DAYS))
    first = shanghai_date(now) - timedelta(days=_DAYS - 1)
    days = [first + timedelta(days=number) for number in range(_DAYS)]
    counts = [used.calls.get(day, 0) + used.batched.get(day, 0) for day in days]
    return render(
        request,
        "exchange_agreement.html",
        row=_row(visit, record),
        terms=terms,
        purposes=visit.say("、").join(visit.say(PURPOSE_NAMES.get(one, one)) for one in terms.purposes),
        elements=element_names(terms.elements, visit.language),
        fields=element_names(terms.fields, visit.language),
        rows=[(element_names([name], visit.language), visit.say("、").join(one)) for name, one in terms.rows.items()],
        signatures=[(departments(visit, (one.holder,)), one.suite, one.key_id) for one in record.envelope.signatures],
        digest=record.envelope.digest,
        versions=[(one.agreement.version, chip(visit, AGREEMENT_STATES, one.state)) for one in reversed(versions)],
        history=[
            (chip(visit, AGREEMENT_STATES, state) if state else None, departments(visit, (by,)))
            for _from, _event, state, by in history
        ],
        used=used,
        purposes_used=_purposes(visit, used),
        points=_points(counts),
        busy=[(day, number) for day, number in zip(days, counts, strict=True) if number],
        days=_DAYS,
        steward=visit.actor.role == Role.STEWARD,
        mine=visit.department in {terms.provider, terms.consumer},
    )


def _may_see(visit: Visit, record: AgreementRecord) -> bool:
    return visit.oversees(record.agreement.provider, record.agreement.consumer)


def _row(visit: Visit, record: AgreementRecord) -> dict[str, Any]:
    one = record.agreement
    return {
        "agreement_id": one.agreement_id,
        "version": one.version,
        "title": visit.title(one.resource),
        "resource": one.resource,
        "provider": departments(visit, (one.provider,)),
        "consumer": departments(visit, (one.consumer,)),
        "kind": kind_name(visit, one.kind),
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "state": chip(visit, AGREEMENT_STATES, record.state),
        "in_force": record.state is AgreementState.IN_FORCE,
    }


def _purposes(visit: Visit, used: AgreementUsage) -> list[tuple[str, int]]:
    named = [(visit.say(PURPOSE_NAMES.get(code, code)), number) for code, number in used.purposes.items()]
    return sorted(named, key=lambda one: -one[1])


def _points(counts: list[int]) -> str:
    """The curve of counts, on a ground of 160 by 40."""
    most = max(counts, default=0) or 1
    step = 160 / max(1, len(counts) - 1)
    return " ".join(f"{place * step:.1f},{38 - 34 * number / most:.1f}" for place, number in enumerate(counts))


def _take(visit: Visit, data: dict[str, Any]) -> str:
    """Take what was signed.

    Raises:
        BadFormError: there is no file, or it is of a kind that isn't taken here.
        BadValue: it wasn't confirmed, or another department signed it.
        HuodangError: as the office that takes it.
    """
    upload = data.get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        raise BadFormError("file")
    if data.get(_CONFIRM) != "yes":
        raise BadValue("请先勾选确认", "Confirm it first", place=Place(element=_CONFIRM))
    envelope = SignedEnvelope.from_json(upload.file.read())
    if visit.department not in {one.holder for one in envelope.signatures}:
        raise BadValue(
            "文件没有本部门的签名",
            "The file doesn't carry your department's signature",
            advice_chinese="只收本部门签过的文件；请在本部门前置机上签署。",
            advice_english="Only what your department signed is taken; sign it at your gateway.",
            place=Place(element="file"),
        )
    services = visit.services
    if envelope.kind == AGREEMENT:
        taken = services.sharing.take_agreement(envelope)
        return visit.say(
            "协议 {id} 已收下：{state}",
            id=taken.agreement.agreement_id,
            state=chip(visit, AGREEMENT_STATES, taken.state).word,
        )
    if envelope.kind == AGREEMENT_REVOCATION:
        ended = services.sharing.take_revocation(envelope)
        return visit.say("协议已撤销，{count} 个版本即刻失效。", count=len(ended))
    if envelope.kind == SHARING_ACT:
        act = services.sharing_acts.take(envelope)
        return visit.say("办理件已收过，没有重复办理。") if act.again else visit.say("办理件已办。")
    raise BadFormError("file")


def _signed(visit: Visit, *, done: str = "", error: HuodangError | None = None) -> Response[str]:
    problem = problem_of(error) if error else None
    return render(
        visit.request,
        "exchange_signed.html",
        status=problem.status if problem else 200,
        done=done,
        agreement_id=visit.request.query_params.get("revoke", "")[:128],
        problem=shown(problem, visit.language) if problem else None,
    )


exchange_agreement_router: Final = Router(
    path="/", route_handlers=[agreements, signed_page, take_signed, agreement], include_in_schema=False
)
