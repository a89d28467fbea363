"""The hub's end of the ferry: takes citizens' requests from the folder, does them, lays the answers down.

A request is done at least once and answered under its own number. Done twice after a crash, an application or an
event meets the case that the first time has left behind; then the answer is that case, not the refusal.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import delete, insert, select, update

from huodang.exchange import Actor, Ferry
from huodang.retirement import (
    AnotherCaseError,
    ApplicationForm,
    Event,
    FormError,
    IllegalEventError,
    UnknownCaseError,
)
from huodang.standards import HuodangError, IdentityNumber, PersonName
from huodang.store import Clock
from huodang.supervision.certification import UnknownPersonError
from huodang.web.application_form import typed_values
from huodang.web.citizen_messages import ANSWER, REQUEST, Action, CitizenAnswer, CitizenRequest, FieldError, Refusal
from huodang.web.citizen_view import citizen_case, look_seen, notices_seen
from huodang.web.citizens import CitizenRefusedError
from huodang.web.intake_pages import prefill_sources
from huodang.web.problems import BadFormError, NotFoundError, problem_of
from huodang.web.records import ferry_requests
from huodang.web.services import Services

_REMEMBERED: Final = timedelta(days=7)
_EVENTS: Final = frozenset({Event.WITHDRAW.value, Event.SUPPLEMENT_RECEIVED.value, Event.APPEAL.value})

_log = structlog.get_logger("huodang.web.ferry_desk")


class FerryDesk:
    """Answers citizens' requests."""

    def __init__(self, services: Services, ferry: Ferry, clock: Clock) -> None:
        self._services = services
        self._ferry = ferry
        self._clock = clock
        self._works: dict[Action, Callable[[CitizenRequest, str], dict[str, Any]]] = {
            Action.SIGN_OUT: self._sign_out,
            Action.PREFILL: self._prefill,
            Action.APPLY: self._apply,
            Action.CASE: self._case,
            Action.ACT: self._act,
            Action.LOOKS: self._looks,
            Action.RECEIPT: self._receipt,
            Action.NOTICES: self._notices,
        }

    def work(self) -> int:
        """Answer every request that lies there; give how many."""
        answered = 0
        for payload in self._ferry.receive(REQUEST):
            request = CitizenRequest.from_payload(payload)
            again = self._begin(request)
            if again is None:
                continue
            answer = self._answer(request, again=again)
            self._ferry.send(ANSWER, answer.to_payload())
            self._finish(request, answer)
            answered += 1
        return answered

    def _begin(self, request: CitizenRequest) -> bool | None:
        """Note a request. Whether it was begun before and broken off; `None` when it has been answered already."""
        now = self._clock.now()
        table = ferry_requests
        with self._services.database.begin() as connection:
            connection.execute(delete(table).where(table.c.received_at < now - _REMEMBERED))
            known = connection.execute(
                select(table.c.answered_at).where(table.c.request_id == request.request_id)
            ).one_or_none()
            if known is not None:
                return None if known.answered_at is not None else True
            connection.execute(
                insert(table).values(request_id=request.request_id, action=request.action.value, received_at=now)
            )
        return False

    def _finish(self, request: CitizenRequest, answer: CitizenAnswer) -> None:
        table = ferry_requests
        outcome = "done" if answer.refusal is None else answer.refusal.code
        with self._services.database.begin() as connection:
            connection.execute(
                update(table)
                .where(table.c.request_id == request.request_id)
                .values(answered_at=self._clock.now(), outcome=outcome[:60])
            )

    def _answer(self, request: CitizenRequest, *, again: bool) -> CitizenAnswer:
        try:
            body = self._do(request)
        except (AnotherCaseError, IllegalEventError) as error:
            stands = self._as_it_stands(request) if again else None
            if stands is None:
                return CitizenAnswer(request_id=request.request_id, refusal=_refusal(error))
            return CitizenAnswer(request_id=request.request_id, body=stands)
        except Exception as error:  # noqa: BLE001  # one request must not stop the others; what nobody foresaw gets an incident number
            return CitizenAnswer(request_id=request.request_id, refusal=_refusal(error))
        return CitizenAnswer(request_id=request.request_id, body=body)

    def _do(self, request: CitizenRequest) -> dict[str, Any]:
        try:
            number = IdentityNumber.parse(request.identity_number)
            name = PersonName.parse(request.name)
        except HuodangError:
            # Which of number, name and code was wrong stays untold, a number that can't be included.
            raise CitizenRefusedError from None
        subject = self._services.subject_index(number.text)
        whole = CitizenRequest(
            request_id=request.request_id,
            action=request.action,
            identity_number=number.text,
            name=name.text,
            ticket=request.ticket,
            body=request.body,
        )
        if request.action is Action.SIGN_IN:
            return {"ticket": self._services.citizen_door.sign_in(subject, request.body.get("code", ""))}
        self._services.citizen_door.check_ticket(request.ticket, subject)
        return self._works[request.action](whole, subject)

    def _as_it_stands(self, request: CitizenRequest) -> dict[str, Any] | None:
        if request.action not in {Action.APPLY, Action.ACT}:
            return None
        found = self._services.office.of_citizen(request.identity_number, request.name)
        return None if found is None else {"case_id": found.case_id}

    def _actor(self, request: CitizenRequest) -> Actor:
        return self._services.office.citizen(request.identity_number, request.name)

    def _sign_out(self, request: CitizenRequest, _subject: str) -> dict[str, Any]:
        self._services.citizen_door.sign_out(request.ticket)
        return {}

    def _prefill(self, request: CitizenRequest, _subject: str) -> dict[str, Any]:
        found = self._services.office.prefill(self._actor(request), request.identity_number, request.name)
        values = {
            name: value if isinstance(value, bool) else str(value)
            for name, value in found.form.items()
            if value is not None and name not in {"identity_number", "name"}
        }
        return {"values": values, "sources": prefill_sources(found)}

    def _apply(self, request: CitizenRequest, _subject: str) -> dict[str, Any]:
        form = ApplicationForm.parse(
            {**typed_values(request.body), "identity_number": request.identity_number, "name": request.name}
        )
        office, actor = self._services.office, self._actor(request)
        found = office.of_citizen(request.identity_number, request.name)
        if found is not None and Event.RESUBMIT in {choice.event for choice in found.events}:
            return {"case_id": office.act(actor, found.case_id, Event.RESUBMIT, data={"form": form}).case_id}
        return {"case_id": office.submit(actor, form)}

    def _case(self, request: CitizenRequest, _subject: str) -> dict[str, Any]:
        found = self._services.office.of_citizen(request.identity_number, request.name)
        return {"found": False} if found is None else citizen_case(found)

    def _act(self, request: CitizenRequest, _subject: str) -> dict[str, Any]:
        event = request.body.get("event", "")
        if event not in _EVENTS:
            raise BadFormError("event")
        found = self._services.office.of_citizen(request.identity_number, request.name)
        if found is None:
            raise UnknownCaseError
        data: dict[str, Any] = {}
        papers = [line for line in request.body.get("papers", "").splitlines() if line]
        if papers:
            data["papers"] = papers
        self._services.office.act(
            self._actor(request), found.case_id, event, note=request.body.get("note", ""), data=data
        )
        return {"case_id": found.case_id}

    def _looks(self, request: CitizenRequest, _subject: str) -> dict[str, Any]:
        looks = self._services.office.looks_of_citizen(request.identity_number)
        return {"looks": [look_seen(look) for look in looks]}

    def _notices(self, request: CitizenRequest, _subject: str) -> dict[str, Any]:
        supervision, actor = self._services.supervision, self._actor(request)
        notices = supervision.control.letters_to(actor)
        try:
            standing = supervision.certifications.of_person(actor, IdentityNumber.parse(request.identity_number))
        except UnknownPersonError:
            standing = None  # not among those paid: nothing to certify
        return notices_seen(notices, standing)

    def _receipt(self, request: CitizenRequest, subject: str) -> dict[str, Any]:
        entry_id = request.body.get("entry_id", "")
        own: set[str] = {look.entry_id for look in self._services.looks.of_subject(subject)}
        if entry_id not in own:
            raise NotFoundError
        return {"receipt": self._services.ledger.receipt(entry_id).to_json()}


def _refusal(error: Exception) -> Refusal:
    problem = problem_of(error)
    fields = error.problems if isinstance(error, FormError) else ()
    return Refusal(
        code=problem.code,
        chinese=problem.chinese[:4000],
        english=problem.english[:4000],
        advice_chinese=problem.advice_chinese,
        advice_english=problem.advice_english,
        fields=tuple(FieldError(field=one.field, chinese=one.chinese, english=one.english) for one in fields[:40]),
    )
