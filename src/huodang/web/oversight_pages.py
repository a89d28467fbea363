"""Pages for those who watch: who looked at what, the ledger, and the figures. No case is opened here."""

from typing import Final

from litestar import Response, Router, get
from litestar.di import NamedDependency

from huodang.exchange import Action, DecisionRequest, Look, Outcome, decide
from huodang.retirement import STATE_LABELS, Label
from huodang.web.case_page import Words, look_row, state_chip
from huodang.web.labels import OUTCOMES, chip_of, department_name
from huodang.web.pages import language_of, render
from huodang.web.problems import ForbiddenError
from huodang.web.roles import AUDIT_ROLES, SUMMARY_ROLES
from huodang.web.security import StaffRequest
from huodang.web.services import Services
from huodang.web.summary import summary_of

AUDIT_PURPOSE: Final = "audit"
_LISTED: Final = 100


@get("/audit", opt={"roles": AUDIT_ROLES}, sync_to_thread=True)
def audit(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The ledger, and for the auditor the newest looks. Whoever looks at looks leaves one."""
    actor = request.user.actor
    if not decide(DecisionRequest(actor, Action.VIEW_LEDGER, AUDIT_PURPOSE)).permitted:
        raise ForbiddenError
    language = language_of(request)
    looks = _looks(services, request)
    return render(
        request,
        "audit.html",
        size=services.ledger.size(),
        pending=services.ledger.pending(),
        checkpoint=services.ledger.latest_checkpoint(),
        origin=services.ledger.origin,
        looks=None if looks is None else [look_row(look, language) for look in looks],
    )


@get("/overview", opt={"roles": SUMMARY_ROLES}, sync_to_thread=True)
def overview(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """The figures."""
    words = Words(language_of(request))
    figures = summary_of(services, request.user.actor)
    return render(
        request,
        "overview.html",
        figures=figures,
        cases=[
            (state_chip(words, state.value, Label(*STATE_LABELS[state])), number)
            for state, number in sorted(figures.cases.items(), key=lambda pair: list(STATE_LABELS).index(pair[0]))
        ],
        outcomes=[words.chip(chip_of(OUTCOMES, outcome.value)) for outcome in Outcome],
        verdicts=[
            (department_name(provider, words.language), [counts.get(outcome, 0) for outcome in Outcome])
            for provider, counts in figures.verdicts.items()
        ],
    )


def _looks(services: Services, request: StaffRequest) -> list[Look] | None:
    actor = request.user.actor
    elements = ("name",)
    decision = decide(DecisionRequest(actor, Action.VIEW_LOOKS, AUDIT_PURPOSE, elements))
    if not decision.permitted:
        return None
    looks = services.looks.latest(limit=_LISTED)
    with services.database.begin() as connection:
        services.looks.record(
            connection,
            actor=actor,
            purpose=AUDIT_PURPOSE,
            case_id="",
            subject_index="",
            elements=elements,
            decision=decision,
            what="web.audit",
        )
    return looks


oversight_router: Final = Router(path="/", route_handlers=[audit, overview], include_in_schema=False)
