"""Match only (可用不可见) on a page: which sets may be matched, today's budgets, and the matches with their sizes."""

from typing import Any, Final

from litestar import Response, Router, get
from litestar.di import NamedDependency

from huodang.exchange.matching import MatchOffer, MatchRow
from huodang.web.exchange_access import Visit
from huodang.web.exchange_words import chip
from huodang.web.labels import Chip, department_name
from huodang.web.language import mark
from huodang.web.pages import render
from huodang.web.roles import DELIVERY_ROLES
from huodang.web.security import StaffRequest
from huodang.web.services import Services

_LISTED: Final = 50
_STATES: Final[dict[str, Chip]] = {
    "asked": Chip("…", mark("比对中或已中断"), "warn"),
    "answered": Chip("✓", mark("已完成"), "good"),
    "failed": Chip("✕", mark("未完成"), "bad"),
}


@get("/exchange/matches", opt={"roles": DELIVERY_ROLES}, sync_to_thread=True)
def matches(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """What may be matched with its budgets of today, and the newest matches; names nobody."""
    visit = Visit(request, services)
    consumer = services.matches.consumer
    offers = [one for one in services.matches.offers() if visit.oversees(one.department, consumer)]
    newest = [
        one
        for one in services.matches.latest(limit=4 * _LISTED)
        if visit.oversees(one.provider, one.other.partition(".")[0], consumer)
    ][:_LISTED]
    return render(
        request,
        "exchange_matches.html",
        offers=[_offer(visit, one) for one in offers],
        matches=[_match(visit, one) for one in newest],
    )


def _offer(visit: Visit, offer: MatchOffer) -> dict[str, Any]:
    return {
        "row": offer,
        "title": visit.title(offer.resource),
        "department": department_name(offer.department, visit.language),
        "between": [visit.title(one) for one in offer.between],
        "budgets": [
            (agreement, offer.used_today.get(agreement, 0), offer.probes_per_day) for agreement in offer.agreements
        ],
    }


def _match(visit: Visit, row: MatchRow) -> dict[str, Any]:
    return {
        "row": row,
        "title": visit.title(row.resource),
        "other": visit.title(row.other) if row.other else "",
        "state": chip(visit, _STATES, row.state),
    }


exchange_match_router: Final = Router(path="/", route_handlers=[matches], include_in_schema=False)
