"""Events (事件), files (文件) and calls (接口调用) on pages: how each mode of delivery does, without personal data."""

from datetime import timedelta
from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from huodang.exchange import FailureCode
from huodang.exchange.usage import call_figures
from huodang.web.exchange_access import Visit, may_keep_system
from huodang.web.exchange_words import BREAKERS, CHANGES, DELIVERY_STATES, chip
from huodang.web.forms import Form, FormData
from huodang.web.labels import department_name
from huodang.web.language import mark
from huodang.web.pages import render, see_other
from huodang.web.problems import NotFoundError
from huodang.web.roles import DELIVERY_ROLES, Role
from huodang.web.security import StaffRequest
from huodang.web.services import Services

_ROLES: Final = {"roles": DELIVERY_ROLES}
_LISTED: Final = 50
_HOURS: Final = 24
_MARK: Final = 6
"""So many characters of a blind index tell events of one person apart on a page, and name nobody."""
_ALARMS: Final[dict[str, str]] = {
    "refused": mark("前置机拒绝"),
    "unreachable": mark("前置机无法连接"),
    "garbage": mark("答复无法识别"),
    "forged": mark("签名无效"),
    "misaddressed": mark("不是给本订阅方的"),
    "gap": mark("序号不连续"),
    "history_lost": mark("前置机已不再保存"),
    "log_restarted": mark("前置机的事件库丢失或从备份恢复过"),
    "withheld": mark("现行协议不再覆盖"),
    "beyond_agreement": mark("数据超出协议"),
    "broken_event": mark("事件无法读取"),
    "conflict": mark("同一编号两种内容"),
    "dead_letter": mark("处理多次失败"),
}
_FAILURES: Final[dict[str, str]] = {
    FailureCode.UNREACHABLE: mark("前置机无法连接"),
    FailureCode.TIMEOUT: mark("前置机没有按时答复"),
    FailureCode.REFUSED: mark("部门前置机拒绝"),
    FailureCode.NO_AGREEMENT: mark("没有有效的共享协议"),
    FailureCode.NOT_PERMITTED: mark("没有访问策略允许"),
    FailureCode.TOO_LARGE: mark("答复过大"),
    FailureCode.GARBAGE: mark("答复无法识别"),
}


@get("/exchange/events", opt=_ROLES, sync_to_thread=True)
def events(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """Streams with their lag, dead letters, alarms, and the newest events without what they say."""
    visit = Visit(request, services)
    office = services.events
    with services.database.read() as connection:
        known = services.exchange.agreements.all(connection)
    sides: dict[str, set[str]] = {}
    for one in known:
        sides.setdefault(one.agreement.resource, set()).add(one.agreement.consumer)
    return render(
        request,
        "exchange_events.html",
        streams=[
            {
                "title": visit.title(one.resource),
                "resource": one.resource,
                "provider": department_name(one.provider, visit.language),
                "cursor": one.cursor,
                "lag": max(0, one.latest - one.cursor),
                "answered_at": one.answered_at,
                "alarm": visit.say(_ALARMS.get(one.alarm, one.alarm)) if one.alarm else "",
            }
            for one in office.streams()
            if visit.oversees(*sides.get(one.resource, ()), one.provider)
        ],
        dead=[
            {"title": visit.title(one.resource), "row": one}
            for one in office.dead_letters(limit=_LISTED)
            if visit.oversees(_provider(one.resource))
        ],
        alarms=[
            {"title": visit.title(one.resource), "row": one, "what": visit.say(_ALARMS.get(one.code, one.code))}
            for one in office.alarms(limit=_LISTED)
            if visit.oversees(_provider(one.resource))
        ],
        events=[
            {
                "title": visit.title(one.resource),
                "row": one,
                "change": chip(visit, CHANGES, one.change.value),
                "person": one.person[:_MARK],
                "seconds": (one.received_at - one.noticed_at).total_seconds(),
            }
            for one in office.events(limit=4 * _LISTED)
            if visit.oversees(*sides.get(one.resource, ()), one.provider)
        ][:_LISTED],
        handlers=office.handlers(),
        keeps=may_keep_system(visit.actor),
    )


@post("/exchange/events/dead-letters", opt={"roles": frozenset({Role.SYSTEM_ADMINISTRATOR})}, sync_to_thread=True)
def dead_letter(request: StaffRequest, services: NamedDependency[Services], data: FormData) -> Redirect:
    """Try a dead letter again, or give it up for good."""
    visit, form = Visit(request, services), Form(data)
    visit.require(may_keep_system(visit.actor))
    number, what = form.text("number"), form.text("what")
    if not number.isdecimal() or len(number) > 18 or what not in {"revive", "dismiss"}:
        raise NotFoundError
    tried = services.events.revive if what == "revive" else services.events.dismiss
    if not tried(form.text("handler"), int(number)):
        raise NotFoundError
    return see_other("/exchange/events")


@get("/exchange/events/{number:int}/evidence.json", opt=_ROLES, sync_to_thread=True)
def evidence(request: StaffRequest, services: NamedDependency[Services], number: FromPath[int]) -> Response[bytes]:
    """The signed batch in which an event came; what it says of the person stays sealed."""
    visit = Visit(request, services)
    one, proof = services.events.event(number), services.events.evidence(number)
    if one is None or proof is None or not visit.oversees(one.provider):
        raise NotFoundError
    headers = {"content-disposition": f'attachment; filename="event-batch-{number}.json"'}
    return Response(proof.envelope.encode(), media_type="application/json", headers=headers)


@get("/exchange/files", opt=_ROLES, sync_to_thread=True)
def files(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """Deliveries of files: taken, refused with the reason, being taken."""
    visit = Visit(request, services)
    state = request.query_params.get("state", "")
    found = services.files.deliveries(limit=4 * _LISTED) if services.files is not None else []
    seen = [one for one in found if visit.oversees(one.department)]
    return render(
        request,
        "exchange_files.html",
        configured=services.files is not None,
        state=state,
        states=[
            (code, visit.say(shown.word), sum(one.state == code for one in seen))
            for code, shown in DELIVERY_STATES.items()
            if code != "waiting"
        ],
        rows=[
            {
                "row": one,
                "title": visit.title(one.resource),
                "department": department_name(one.department, visit.language),
                "state": chip(visit, DELIVERY_STATES, one.state),
            }
            for one in seen
            if state in {"", one.state}
        ][:_LISTED],
    )


@get("/exchange/calls", opt=_ROLES, sync_to_thread=True)
def calls(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """How the calls to each department went in the last hours, and how its gateways do now."""
    visit = Visit(request, services)
    available = services.exchange.availability()
    figures = call_figures(services.database, services.clock.now() - timedelta(hours=_HOURS))
    standing = services.directory.standing()
    rows: list[dict[str, Any]] = []
    for department in visit.overseen(services.directory.departments):
        offered = {name: ready for name, ready in available.items() if _provider(name) == department}
        one = figures.get(department)
        rows.append(
            {
                "name": department_name(department, visit.language),
                "reached": services.directory.conformance(department) is not None,
                "ready": sum(offered.values()),
                "agreed": len(offered),
                "missing": [visit.title(name) for name, ready in sorted(offered.items()) if not ready],
                "figures": one,
                "failures": [
                    (visit.say(_FAILURES.get(code, code)), number)
                    for code, number in (one.failures if one else {}).items()
                ],
                "gateways": [
                    (chip(visit, BREAKERS, gateway.state), gateway) for gateway in standing.get(department, ())
                ],
            }
        )
    return render(request, "exchange_calls.html", rows=rows, hours=_HOURS)


def _provider(resource: str) -> str:
    return resource.partition(".")[0]


exchange_delivery_router: Final = Router(
    path="/", route_handlers=[events, dead_letter, evidence, files, calls], include_in_schema=False
)
