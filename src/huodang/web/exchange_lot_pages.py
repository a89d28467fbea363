"""Lots (批次) and quality (数据质量) on pages: how fresh and proven each copy is, what came, what was kept back."""

import csv
import io
from typing import Any, Final

import xlsxwriter
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from huodang.exchange import Freshness, Lot, LotState
from huodang.exchange.quality import REASONS, neutralised
from huodang.trust import SignedEnvelope
from huodang.web.exchange_access import Visit, may_keep_system, may_manage
from huodang.web.exchange_words import FRESHNESS, LOT_STATES, chip, cycle_name, departments, kind_name
from huodang.web.labels import department_name, element_names
from huodang.web.language import mark
from huodang.web.pages import render, see_other
from huodang.web.problems import NotFoundError
from huodang.web.roles import DELIVERY_ROLES
from huodang.web.security import StaffRequest
from huodang.web.services import Services

_ROLES: Final = {"roles": DELIVERY_ROLES}
_LISTED: Final = 50
_COUNTS: Final = ("rows", "inserted", "updated", "deleted", "late", "quarantined")
_COUNT_NAMES: Final = {
    "rows": mark("总行数"),
    "inserted": mark("新增行"),
    "updated": mark("更新行"),
    "deleted": mark("删除行"),
    "late": mark("迟到行"),
    "quarantined": mark("隔离行"),
}
_MEASURES: Final = {
    "completeness": mark("完整性"),
    "validity": mark("有效性"),
    "uniqueness": mark("唯一性"),
    "timeliness": mark("及时性"),
}
_SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@get("/exchange/lots", opt=_ROLES, sync_to_thread=True)
def lots(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The standing of every copy, and the newest lots."""
    visit = Visit(request, services)
    consumers = _consumers(visit)
    standings = [
        one for one in services.lot_office.freshness() if _sees(visit, one.provider, one.agreement_id, consumers)
    ]
    newest = [
        one
        for one in services.lots.latest(limit=4 * _LISTED)
        if _sees(visit, one.provider, one.agreement_id, consumers)
    ][:_LISTED]
    return render(
        request,
        "exchange_lots.html",
        standings=[_standing(visit, one, consumers) for one in standings],
        lots=[_lot_row(visit, one) for one in newest],
        pullable=[(one, visit.title(one)) for one in _pullable(visit)],
        asked=visit.title(request.query_params["asked"]) if request.query_params.get("asked") else "",
        names=[visit.say(one) for one in _COUNT_NAMES.values()],
    )


@post("/exchange/lots/{resource:str}/pull", opt=_ROLES, sync_to_thread=True)
def pull(request: StaffRequest, services: NamedDependency[Services], resource: FromPath[str]) -> Redirect:
    """Have a lot pulled as soon as a worker is free; asked for twice, it is pulled once."""
    visit = Visit(request, services)
    visit.require(resource in _pullable(visit))
    with services.database.begin() as connection:
        services.lot_office.ask(connection, resource)
    return see_other(f"/exchange/lots?asked={resource}")


@get("/exchange/lots/{lot_id:str}", opt=_ROLES, sync_to_thread=True)
def lot(request: StaffRequest, services: NamedDependency[Services], lot_id: FromPath[str]) -> Response[str]:
    """One lot with its two-sided reconciliation."""
    visit = Visit(request, services)
    one = _lot(visit, lot_id)
    proof = SignedEnvelope.from_json(one.reconciliation) if one.reconciliation else None
    return render(
        request,
        "exchange_lot.html",
        lot=one,
        row=_lot_row(visit, one),
        title=visit.title(one.resource),
        counts=[(visit.say(name), getattr(one, code)) for code, name in _COUNT_NAMES.items()],
        proof=proof.payload if proof else None,
        signatures=[
            (department_name(sign.holder, visit.language), sign.suite, sign.key_id) for sign in proof.signatures
        ]
        if proof
        else [],
        measures=_measures(visit, one),
        faults=_faults(visit, one),
    )


@get("/exchange/lots/{lot_id:str}/report/{ending:str}", opt=_ROLES, sync_to_thread=True)
def report(
    request: StaffRequest, services: NamedDependency[Services], lot_id: FromPath[str], ending: FromPath[str]
) -> Response[bytes]:
    """What was kept back in a lot, counted by reason, and the lot's own counts; no value of any row."""
    visit = Visit(request, services)
    one = _lot(visit, lot_id)
    lines = [
        [visit.say("批次"), one.lot_id],
        [visit.say("资源"), one.resource],
        *([visit.say(name), str(getattr(one, code))] for code, name in _COUNT_NAMES.items()),
        *([name, f"{share:.4f}"] for name, share in _measures(visit, one)),
        [],
        [visit.say(name) for name in (mark("原因代码"), mark("原因"), mark("数据元"), mark("来源列"), mark("行数"))],
        *(
            [fault["code"], fault["reason"], fault["element"], fault["column"], str(fault["rows"])]
            for fault in _faults(visit, one)
        ),
    ]
    if ending == "csv":
        content, media = _as_csv(lines), "text/csv; charset=utf-8"
    elif ending == "xlsx":
        content, media = _as_excel(lines), _SHEET
    else:
        raise NotFoundError
    headers = {"content-disposition": f'attachment; filename="lot-{one.lot_id}.{ending}"'}
    return Response(content, media_type=media, headers=headers)


@get("/exchange/lots/{lot_id:str}/proof", opt=_ROLES, sync_to_thread=True)
def proof_file(request: StaffRequest, services: NamedDependency[Services], lot_id: FromPath[str]) -> Response[bytes]:
    """The reconciliation as both sides signed it. It holds counts and digests, no personal data."""
    one = _lot(Visit(request, services), lot_id)
    if not one.reconciliation:
        raise NotFoundError
    headers = {"content-disposition": f'attachment; filename="reconciliation-{one.lot_id}.json"'}
    return Response(one.reconciliation.encode(), media_type="application/json", headers=headers)


@get("/exchange/quality", opt=_ROLES, sync_to_thread=True)
def quality(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The four measures of each resource over its last lots, and why rows were kept back."""
    visit = Visit(request, services)
    consumers = _consumers(visit)
    found = []
    for resource in dict.fromkeys(one.resource for one in services.lots.holdings()):
        taken = [
            one
            for one in services.lots.of_resource(resource, limit=_LISTED)
            if one.quality is not None and _sees(visit, one.provider, one.agreement_id, consumers)
        ]
        if taken:
            found.append(_quality_of(visit, resource, taken))
    return render(request, "exchange_quality.html", resources=found)


def _quality_of(visit: Visit, resource: str, newest_first: list[Lot]) -> dict[str, Any]:
    shares = {code: [_share(one, code) for one in reversed(newest_first)] for code in _MEASURES}
    return {
        "title": visit.title(resource),
        "resource": resource,
        "provider": department_name(newest_first[0].provider, visit.language),
        "lots": len(newest_first),
        "measures": [
            {
                "name": visit.say(name),
                "now": shares[code][-1],
                "least": min(shares[code]),
                "points": _points(shares[code]),
            }
            for code, name in _MEASURES.items()
        ],
        "faults": _faults(visit, newest_first[0]),
        "newest": _lot_row(visit, newest_first[0]),
        "history": [
            {"row": _lot_row(visit, one), "shares": [_share(one, code) for code in _MEASURES]} for one in newest_first
        ],
        "mine": visit.department == newest_first[0].provider,
    }


def _share(one: Lot, code: str) -> float:
    if one.quality is None:
        return 0.0
    if code == "completeness":
        shares = one.quality.completeness.values()
        return sum(shares) / len(shares) if shares else 1.0
    share: float = getattr(one.quality, code)
    return share


def _measures(visit: Visit, one: Lot) -> list[tuple[str, float]]:
    return [(visit.say(name), _share(one, code)) for code, name in _MEASURES.items()] if one.quality else []


def _points(shares: list[float]) -> str:
    """The curve of shares, on a ground of 160 by 40; one alone is drawn as a line."""
    drawn = shares if len(shares) > 1 else shares * 2
    step = 160 / (len(drawn) - 1)
    return " ".join(f"{place * step:.1f},{38 - 34 * share:.1f}" for place, share in enumerate(drawn))


def _faults(visit: Visit, one: Lot) -> list[dict[str, Any]]:
    return [
        {
            "code": fault.reason,
            "reason": visit.pick((fault.chinese, fault.english)),
            "aspect": visit.say(_MEASURES[REASONS[fault.reason].aspect])
            if fault.reason in REASONS
            else visit.say("有效性"),
            "element": element_names([fault.element], visit.language) if fault.element else "—",
            "column": fault.column,
            "rows": fault.rows,
        }
        for fault in visit.services.lots.faults(one.lot_id)
    ]


def _consumers(visit: Visit) -> dict[str, str]:
    """The consumer of each agreement."""
    with visit.services.database.read() as connection:
        known = visit.services.exchange.agreements.all(connection)
    return {one.agreement.agreement_id: one.agreement.consumer for one in known}


def _sees(visit: Visit, provider: str, agreement_id: str, consumers: dict[str, str]) -> bool:
    return visit.oversees(provider, *filter(None, (consumers.get(agreement_id),)))


def _pullable(visit: Visit) -> list[str]:
    """The resources that may be pulled now by who looks: by a consumer's steward, or who keeps the hub."""
    found = visit.services.lot_office.puller.resources()
    if may_keep_system(visit.actor):
        return found
    with visit.services.database.read() as connection:
        known = visit.services.exchange.agreements.in_force(connection, found, visit.services.clock.today())
    return [one for one in found if may_manage(visit.actor, *(each.agreement.consumer for each in known.get(one, ())))]


def _lot(visit: Visit, lot_id: str) -> Lot:
    one = visit.services.lots.lot(lot_id)
    if not _sees(visit, one.provider, one.agreement_id, _consumers(visit)):
        raise NotFoundError
    return one


def _standing(visit: Visit, one: Freshness, consumers: dict[str, str]) -> dict[str, Any]:
    return {
        "title": visit.title(one.resource),
        "resource": one.resource,
        "sides": departments(visit, tuple(filter(None, (one.provider, consumers.get(one.agreement_id, ""))))),
        "cycle": cycle_name(visit, one.cycle),
        "light": chip(visit, FRESHNESS, one.light),
        "as_of": one.as_of,
        "due": one.due,
        "rows": one.rows,
        "proven": one.proven,
        "trouble": one.trouble,
    }


def _lot_row(visit: Visit, one: Lot) -> dict[str, Any]:
    return {
        "lot_id": one.lot_id,
        "title": visit.title(one.resource),
        "provider": department_name(one.provider, visit.language),
        "mode": kind_name(visit, one.mode),
        "content": visit.say("全量") if one.content == "full" else visit.say("增量"),
        "state": chip(visit, LOT_STATES, one.state),
        "opened_at": one.opened_at,
        "ended_at": one.ended_at,
        "counts": [getattr(one, code) for code in _COUNTS] if one.state is not LotState.OPEN else [None] * len(_COUNTS),
        "reason": one.reason,
    }


def _as_csv(lines: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([neutralised(cell) for cell in line] for line in lines)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _as_excel(lines: list[list[str]]) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("lot")
        for row, line in enumerate(lines):
            for column, cell in enumerate(line):
                sheet.write_string(row, column, cell)
    return made.getvalue()


exchange_lot_router: Final = Router(
    path="/", route_handlers=[lots, pull, lot, report, proof_file, quality], include_in_schema=False
)
