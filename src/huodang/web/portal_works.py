"""What a citizen does at the portal: apply, and move an own case (withdraw, bring papers, appeal)."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from huodang.web.application_form import form_choices, typed_values
from huodang.web.citizen_messages import Action, CitizenAnswer
from huodang.web.forms import Form, FormData
from huodang.web.pages import language_of, see_other
from huodang.web.portal_talk import PortalRequest, Talk, portal_page, refusal_page, refusal_shown

CITIZEN_EVENTS: Final = frozenset({"withdraw", "supplement_received", "appeal"})


@get("/apply", sync_to_thread=True)
def apply_page(request: PortalRequest, talk: NamedDependency[Talk]) -> Response[Any]:
    """The form, filled from what the departments know."""
    visit = talk.visitor
    answer = talk.fetch(visit, Action.PREFILL, "/apply")
    if isinstance(answer, Redirect):
        return answer
    if answer.refusal is not None:
        return refusal_page(request, talk, answer.refusal, "/progress")
    visit.prefilled = answer.body
    return _form_page(request, talk, answer.body, typed=None, answer=None)


@post("/apply", sync_to_thread=True)
def send_application(talk: NamedDependency[Talk], data: FormData) -> Redirect:
    """Send the application over."""
    visit = talk.visitor
    typed = typed_values(Form(data).fields())
    visit.typed = typed
    return talk.settle(visit, Action.APPLY, "/apply/done", typed)


@get("/apply/done", sync_to_thread=False)
def apply_done(request: PortalRequest, talk: NamedDependency[Talk]) -> Response[Any]:
    """On to the progress, or back to the form with what is wrong in each field."""
    visit = talk.visitor
    answer = visit.answers.pop("/apply/done", None)
    if answer is None:
        return see_other("/apply")
    if answer.refusal is None:
        visit.typed = {}
        return see_other("/progress?sent=yes")
    if not answer.refusal.fields:
        return refusal_page(request, talk, answer.refusal, "/progress")
    return _form_page(request, talk, visit.prefilled, typed=visit.typed, answer=answer)


@post("/act/{event:str}", sync_to_thread=True)
def act(talk: NamedDependency[Talk], event: FromPath[str], data: FormData) -> Redirect:
    """Move the visitor's own case."""
    visit = talk.visitor
    if event not in CITIZEN_EVENTS:
        return see_other("/progress")
    form = Form(data)
    papers = [form.text(name) for name in sorted(form.fields()) if name.startswith("paper_")]
    body = {"event": event, "note": form.text("note"), "papers": "\n".join(papers)}
    return talk.settle(visit, Action.ACT, "/act/done", body)


@get("/act/done", sync_to_thread=False)
def act_done(request: PortalRequest, talk: NamedDependency[Talk]) -> Response[Any]:
    """On to the progress, or what stood in the way."""
    answer = talk.visitor.answers.pop("/act/done", None)
    if answer is not None and answer.refusal is not None:
        return refusal_page(request, talk, answer.refusal, "/progress")
    return see_other("/progress")


def _form_page(
    request: PortalRequest,
    talk: Talk,
    prefilled: dict[str, Any],
    *,
    typed: dict[str, str] | None,
    answer: CitizenAnswer | None,
) -> Response[str]:
    refusal = answer.refusal if answer is not None else None
    english = language_of(request) == "en"
    errors = {one.field: one.english if english else one.chinese for one in refusal.fields} if refusal else {}
    return portal_page(
        request,
        talk,
        "portal_apply.html",
        status=422 if refusal else 200,
        values=typed if typed is not None else prefilled.get("values", {}),
        sources=prefilled.get("sources", {}),
        errors=errors,
        choices=form_choices(language_of(request)),
        problem=refusal_shown(request, refusal) if refusal and not errors else None,
    )
