"""Those who reach the age: found by month, and their forms prepared without an application (免申即享)."""

from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.status_codes import HTTP_200_OK

from huodang.retirement import DuePerson, DueUnansweredError
from huodang.standards import Month
from huodang.web.case_page import Words, state_chip
from huodang.web.pages import language_of, render, see_other
from huodang.web.problems import problem_of, shown
from huodang.web.roles import DUE_ROLES
from huodang.web.security import StaffRequest
from huodang.web.services import Services


@get("/due", opt={"roles": DUE_ROLES}, sync_to_thread=True)
def due(
    request: StaffRequest,
    services: NamedDependency[Services],
    month: FromQuery[str | None] = None,
    prepared: FromQuery[int | None] = None,
) -> Response[str]:
    """Who reaches the age in a month; next month unless another is asked for."""
    this = Month.of(services.clock.today())
    chosen = Month.parse(month) if month else this + 1
    problem = None
    found: list[DuePerson] = []
    try:
        found = services.office.find_due(request.user.actor, chosen)
    except DueUnansweredError as error:
        problem = problem_of(error)
    return render(
        request,
        "due.html",
        status=problem.status if problem else HTTP_200_OK,
        problem=shown(problem, language_of(request)) if problem else None,
        month=chosen,
        months=[this, this + 1, this + 2],
        people=[_row(person, Words(language_of(request))) for person in found],
        waiting=sum(not person.case_id for person in found),
        prepared=prepared,
    )


@post("/due/{month:str}/prepare", opt={"roles": DUE_ROLES}, sync_to_thread=True)
def prepare(request: StaffRequest, services: NamedDependency[Services], month: FromPath[str]) -> Redirect:
    """Prepare the forms of all of them."""
    chosen = Month.parse(month)
    prepared = services.office.prepare_due(request.user.actor, chosen)
    return see_other(f"/due?month={chosen}&prepared={prepared}")


def _row(person: DuePerson, words: Words) -> dict[str, Any]:
    state = person.state
    return {
        "name": person.name,
        "identity_number": person.identity_number,
        "category": words.of(person.category_label),
        "born": person.born.iso,
        "employer": person.employer,
        "case_id": person.case_id,
        "state": None if state is None else state_chip(words, state.value, person.state_label),
    }


due_router: Final = Router(path="/", route_handlers=[due, prepare], include_in_schema=False)
