"""Access codes for citizens, handed out at the window to the person who stands there with an identity card.

Making one is recorded as a look at the person's data, so that they see it in their own list.
"""

from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency

from huodang.exchange import Action, Actor, DecisionRequest, decide
from huodang.standards import BadValue, IdentityNumber
from huodang.web.forms import Form, FormData
from huodang.web.pages import language_of, render
from huodang.web.problems import ForbiddenError, problem_of, shown
from huodang.web.roles import CODE_ROLES
from huodang.web.security import StaffRequest
from huodang.web.services import Services

_PURPOSE: Final = "retirement_prefill"
_ELEMENTS: Final = ("identity_number",)


@get("/access-code", opt={"roles": CODE_ROLES}, sync_to_thread=True)
def code_page(request: StaffRequest) -> Response[str]:
    """Ask whose code it shall be."""
    return render(request, "access_code.html", code=None, problem=None)


@post("/access-code", opt={"roles": CODE_ROLES}, sync_to_thread=True)
def make_code(request: StaffRequest, services: NamedDependency[Services], data: FormData) -> Response[Any]:
    """Make a fresh code and show it once, to be printed."""
    try:
        number = IdentityNumber.parse(Form(data).text("identity_number"))
    except BadValue as error:
        problem = problem_of(error)
        words = shown(problem, language_of(request))
        return render(request, "access_code.html", status=problem.status, code=None, problem=words)
    code = issue(services, request.user.actor, number)
    return render(request, "access_code.html", code=code, problem=None, issued_at=services.clock.now())


def issue(services: Services, actor: Actor, number: IdentityNumber) -> str:
    """Make a fresh code for a person, with the look that goes with it.

    Raises:
        ForbiddenError: the policies don't permit it.
    """
    decision = decide(DecisionRequest(actor, Action.PREFILL, _PURPOSE, _ELEMENTS, region=services.settings.region))
    if not decision.permitted:
        raise ForbiddenError
    subject = services.subject_index(number.text)
    with services.database.begin() as connection:
        services.looks.record(
            connection,
            actor=actor,
            purpose=_PURPOSE,
            case_id="",
            subject_index=subject,
            elements=_ELEMENTS,
            decision=decision,
            what="web.access_code",
        )
    return services.citizen_door.issue_code(subject, by=actor.user_id)


code_router: Final = Router(path="/", route_handlers=[code_page, make_code], include_in_schema=False)
