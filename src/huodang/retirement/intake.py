"""Intake: what is known already, before anybody applies; submitting; drafts."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from huodang.exchange import Action, Actor, AnswerRecord, DecisionRequest, Outcome, Question, decide
from huodang.pension import category_of, retirement_age
from huodang.retirement import records
from huodang.retirement.case_view import Label
from huodang.retirement.cases import CaseRecord, load, seal_form
from huodang.retirement.checks import CHECK_OF, question
from huodang.retirement.desk import Desk
from huodang.retirement.determination import CONTRIBUTIONS
from huodang.retirement.effects import form_columns
from huodang.retirement.engine import Engine, move_clock
from huodang.retirement.errors import AnotherCaseError, NotAllowedError
from huodang.retirement.form import ApplicationForm
from huodang.retirement.materials import MaterialsList, before_submission
from huodang.retirement.states import CITIZEN, Event, State
from huodang.standards import IdentityNumber, Month, PersonName
from huodang.store import SHANGHAI

_HOUSEHOLD: Final = "police.household"
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
KIND_OF_ROLE: Final = {"citizen": "person", "employer_clerk": "employer_clerk", "window_clerk": "window_clerk"}


@dataclass(frozen=True)
class KnownValue:
    """One value that a department told, with its source and time; masked for whom it is shown to."""

    element: str
    value: str
    source: Label
    as_of: datetime | None


@dataclass(frozen=True)
class Prefill:
    """What is known of a person before the form is filled in.

    Attributes:
        form: form values to begin with, as `ApplicationForm.parse(…, draft=True)` reads them.
        known: the values behind it, each with source and time.
        retirement_month: the lawful month, as far as number and record tell it.
        materials: what the person would have to bring, and what not.
        unanswered: resources that gave no answer at this moment.
    """

    form: dict[str, Any]
    known: tuple[KnownValue, ...]
    retirement_month: Month | None
    materials: MaterialsList
    unanswered: tuple[str, ...]


def new_case_id(now: datetime) -> str:
    """Make a case number that people can read out: day and eight characters, without those that look alike."""
    day = now.astimezone(SHANGHAI).strftime("%Y%m%d")
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"TX-{day}-{letters[:4]}-{letters[4:]}"


def prefill(desk: Desk, actor: Actor, identity_number: str, name: str) -> Prefill:
    """Ask household register and contributions for what the form needs.

    Raises:
        IdentityError, NameError_: number or name can't be.
        NotAllowedError: the policies don't permit it, or the name isn't that of the number.
    """
    number, person = IdentityNumber.parse(identity_number), PersonName.parse(name)
    form = _empty_form(number, person, desk.settings.province)
    owner = desk.exchange.subject_index(number.text)
    elements = ("identity_number", "name", "employer", "contribution_months")
    decision = decide(
        DecisionRequest(
            actor,
            Action.PREFILL,
            desk.settings.prefill_purpose,
            elements,
            owner=owner,
            employer=actor.employer,
            region=desk.settings.region,
        )
    )
    if not decision.permitted:
        raise _refused()
    household = _ask(desk, actor, form, _HOUSEHOLD, owner)
    if household.outcome is Outcome.CONFLICT and "name" in household.reason:
        raise NotAllowedError(
            "姓名与证件号码不相符",
            "the name isn't that of the identity number",
            advice_chinese="请核对姓名；曾更名的，请到窗口办理。",
            advice_english="Check the name; after a change of name please come to the window.",
        )
    contributions = _ask(desk, actor, form, CONTRIBUTIONS, owner)
    fields = contributions.fields or {}
    if actor.role == "employer_clerk" and fields.get("employer_code", actor.employer) != actor.employer:
        raise _refused()
    values = _known_form(form, fields)
    answers = {_HOUSEHOLD: household, CONTRIBUTIONS: contributions}
    known = tuple(
        KnownValue(element, decision.show(element, value) if element in elements else value, _source(resource), as_of)
        for resource, found in answers.items()
        for element, value, as_of in _shown(found)
    )
    filled = ApplicationForm.parse(values, draft=True)
    month = None if filled.born is None else retirement_age(filled.category, Month.of(filled.born)).retirement_month
    return Prefill(
        form=values,
        known=known,
        retirement_month=month,
        materials=before_submission(filled, desk.exchange.availability(), desk.clock.now()),
        unanswered=tuple(resource for resource, found in answers.items() if not found.answered),
    )


def _refused() -> NotAllowedError:
    return NotAllowedError(
        "您不能为此人预填申请",
        "you may not prepare an application for this person",
        advice_chinese="请由本人、其单位经办人或窗口办理。",
        advice_english="The person, the employer's clerk or the window may.",
    )


def _empty_form(number: IdentityNumber, person: PersonName, province: str) -> ApplicationForm:
    category = category_of(number.sex or "1")
    values = {"identity_number": number.text, "name": person.text, "category": category.value, "province": province}
    return ApplicationForm.parse(values, draft=True)


def _ask(desk: Desk, actor: Actor, form: ApplicationForm, resource: str, owner: str) -> AnswerRecord:
    """Put one question on behalf of this actor: grant and look are recorded before it is asked."""
    required = desk.settings.medical_months_of(form.sex)
    asked = question(resource, form, desk.clock.today(), medical_months_required=required)
    wanted = Question(
        resource=resource,
        case_id="",
        identity_number=form.identity_number,
        claims=asked.claims,
        parameters=asked.parameters,
        purpose=desk.settings.prefill_purpose,
        actor=actor,
        owner=owner,
        employer=actor.employer,
        region=desk.settings.region,
    )
    return desk.calls.ask(wanted)


def _source(resource: str) -> Label:
    return Label(CHECK_OF[resource].chinese, CHECK_OF[resource].english)


def _shown(found: AnswerRecord) -> list[tuple[str, str, datetime | None]]:
    told = ("employer", "contribution_months", "deemed_months", "first_contribution_month", "work_category")
    return [(name, value, found.as_of) for name, value in (found.fields or {}).items() if name in told]


def _known_form(form: ApplicationForm, fields: dict[str, str]) -> dict[str, Any]:
    """Fill the form with what the record tells; what only the person knows stays empty."""
    values = form.to_values()
    if form.sex is not None:
        manager = fields.get("work_category") == "cadre"
        flexible = fields.get("employment_kind") == "flexible"
        values["category"] = category_of(form.sex, manager=manager, flexible_employment=flexible).value
    if fields.get("employer"):
        values["employer"] = fields["employer"][:100]
    if fields.get("special_trade_months", "").isdigit():
        values["special_trade_months"] = fields["special_trade_months"]
    return values


def submit(desk: Desk, engine: Engine, actor: Actor, form: ApplicationForm) -> str:
    """Take an application in, whole; a draft that was prepared for the person becomes the case.

    Raises:
        FormError: the form isn't complete.
        NotAllowedError: the policies don't permit it.
        AnotherCaseError: the person has a case under way or completed.
    """
    kind = KIND_OF_ROLE.get(actor.role)
    if kind is None:
        raise _not_intake()
    whole = ApplicationForm.parse(replace(form, applicant_kind=kind).to_values())
    owner = desk.exchange.subject_index(whole.identity_number)
    region = actor.region or desk.settings.region
    decision = decide(
        DecisionRequest(
            actor,
            Action.SUBMIT_APPLICATION,
            desk.settings.purpose,
            ("identity_number", "name"),
            owner=owner,
            employer=actor.employer,
            region=region,
        )
    )
    if not decision.permitted:
        raise _not_intake()
    with desk.database.begin() as connection:
        case = _draft_of(connection, owner)
        if case is None:
            case = open_draft(connection, desk, whole, actor, owner=owner, region=region)
        engine.apply(connection, case.case_id, Event.SUBMIT, actor, data={"form": whole}, case=case)
    return case.case_id


def _not_intake() -> NotAllowedError:
    return NotAllowedError(
        "您不能为此人提交申请",
        "you may not apply for this person",
        advice_chinese="请由本人、其单位经办人或窗口提交。",
        advice_english="The person, the employer's clerk or the window may.",
    )


def _draft_of(connection: Connection, owner: str) -> CaseRecord | None:
    """Give the person's draft; any other live case is in the way."""
    table = records.case
    row = (
        connection.execute(select(table).where(table.c.live_index == owner).with_for_update()).mappings().one_or_none()
    )
    if row is None:
        return None
    case = CaseRecord.of(row)
    if case.state is not State.DRAFT:
        raise AnotherCaseError
    return case


def open_draft(
    connection: Connection, desk: Desk, form: ApplicationForm, actor: Actor, *, owner: str, region: str
) -> CaseRecord:
    """Lay down a draft: the person's day begins.

    Raises:
        AnotherCaseError: somebody laid one down at the same moment.
    """
    now = desk.clock.now()
    case_id = new_case_id(now)
    try:
        connection.execute(
            insert(records.case).values(
                case_id=case_id,
                person_index=owner,
                live_index=owner,
                state=State.DRAFT.value,
                state_since=now,
                sequence=0,
                form_sealed=seal_form(desk.sealer, case_id, form),
                applicant_user=actor.user_id,
                employer=actor.employer,
                region=region,
                reasons=[],
                notes=[],
                findings={},
                papers_asked=[],
                notice_required=False,
                decision_number=1,
                created_at=now,
                **form_columns(form),
            )
        )
    except IntegrityError:
        raise AnotherCaseError from None
    move_clock(connection, case_id, CITIZEN, State.DRAFT.value, now)
    return load(connection, case_id)
