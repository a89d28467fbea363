"""Intake at the window and by the employer's clerk: who it is, the form filled from shared data, and in it goes.

The identity number travels in the body of a form, never in an address, so that no log and no history keeps it.
"""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency

from huodang.retirement import ApplicationForm, FormError, Prefill
from huodang.standards import HuodangError
from huodang.store import shanghai_text
from huodang.web.application_form import form_choices, typed_values
from huodang.web.case_page import papers
from huodang.web.forms import Form, FormData
from huodang.web.labels import element_names
from huodang.web.pages import language_of, render, see_other
from huodang.web.problems import problem_of, shown
from huodang.web.roles import INTAKE_ROLES
from huodang.web.security import StaffRequest
from huodang.web.services import Services

_INTAKE: Final = {"roles": INTAKE_ROLES}


@get("/intake", opt=_INTAKE, sync_to_thread=True)
def intake_page(request: StaffRequest) -> Response[str]:
    """Ask who it is."""
    return render(request, "intake.html", problem=None, identity_number="", name="")


@post("/intake/prefill", opt=_INTAKE, sync_to_thread=True)
def prefill(request: StaffRequest, services: NamedDependency[Services], data: FormData) -> Response[str]:
    """Show the form with what the departments know."""
    form = Form(data)
    number, name = form.text("identity_number"), form.text("name")
    try:
        found = services.office.prefill(request.user.actor, number, name)
    except HuodangError as error:
        problem = problem_of(error)
        return render(
            request,
            "intake.html",
            status=problem.status,
            problem=shown(problem, language_of(request)),
            identity_number=number,
            name=name,
        )
    return _form_page(request, number, name, values=found.form, found=prefill_shown(found, language_of(request)))


@post("/intake", opt=_INTAKE, sync_to_thread=True)
def submit(request: StaffRequest, services: NamedDependency[Services], data: FormData) -> Response[Any]:
    """Take the application in, or show the form again with what is wrong in each field."""
    form = Form(data)
    number, name = form.text("identity_number"), form.text("name")
    typed = typed_values(form.fields())
    try:
        application = ApplicationForm.parse({**typed, "identity_number": number, "name": name})
        case_id = services.office.submit(request.user.actor, application)
    except FormError as error:
        return _form_page(
            request, number, name, values=typed, error=error, errors=field_errors(error, language_of(request))
        )
    except HuodangError as error:
        return _form_page(request, number, name, values=typed, error=error)
    return see_other(f"/cases/{case_id}")


def field_errors(error: FormError, language: str) -> dict[str, str]:
    """What is wrong, by field."""
    return {one.field: one.english if language == "en" else one.chinese for one in error.problems}


def prefill_shown(found: Prefill, language: str) -> dict[str, Any]:
    """What is known of the person besides the form's values, each with source and time; in one language."""
    return {
        "month": found.retirement_month.iso if found.retirement_month else "",
        "known": [
            {
                "name": element_names([one.element], language),
                "value": one.value,
                "source": one.source.english if language == "en" else one.source.chinese,
                "as_of": shanghai_text(one.as_of)[:16] if one.as_of else "",
            }
            for one in found.known
        ],
        "papers": papers(found.materials),
        "unanswered": len(found.unanswered),
    }


def prefill_sources(found: Prefill) -> dict[str, dict[str, str]]:
    """Where each value of the form comes from, in both languages."""
    return {one.element: {"zh": one.source.chinese, "en": one.source.english} for one in found.known}


def _form_page(
    request: StaffRequest,
    number: str,
    name: str,
    *,
    values: Mapping[str, Any],
    found: dict[str, Any] | None = None,
    error: HuodangError | None = None,
    errors: dict[str, str] | None = None,
) -> Response[str]:
    language = language_of(request)
    problem = problem_of(error) if error else None
    return render(
        request,
        "intake_form.html",
        status=problem.status if problem else 200,
        identity_number=number,
        name=name,
        values=values,
        sources={},
        found=found,
        errors=errors or {},
        choices=form_choices(language),
        problem=shown(problem, language) if problem and not errors else None,
    )


intake_router: Final = Router(path="/", route_handlers=[intake_page, prefill, submit], include_in_schema=False)
