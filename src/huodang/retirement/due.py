"""Before anybody applies (免申即享): who reaches the age in a month is found, and their forms are prepared.

The agency's gateway lists who was born in the months that the rule gives; the rule itself is applied here, person by
person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection, select

from huodang.exchange import (
    Action,
    Actor,
    AnswerRecord,
    Decision,
    DecisionRequest,
    LookEntry,
    Outcome,
    Question,
    decide,
)
from huodang.pension import Category, category_of, original_age_months, retirement_age
from huodang.retirement import records
from huodang.retirement.case_view import Label
from huodang.retirement.desk import Desk
from huodang.retirement.errors import FormError, NotAllowedError, RetirementError
from huodang.retirement.form import ApplicationForm
from huodang.retirement.intake import open_draft
from huodang.retirement.states import STATE_LABELS, State
from huodang.retirement.texts import fill, tell
from huodang.standards import HuodangError, IdentityNumber, Month, PersonName

RESOURCE: Final = "social_insurance.due"
_LONGEST_DELAY: Final = 60  # months; the law's own limits are lower or equal, and each month is checked by the rule
_LABELS: Final = {
    Category.MALE: Label("男职工", "Men"),
    Category.FEMALE55: Label("女职工（原 55 岁）", "Women, formerly 55"),
    Category.FEMALE50: Label("女职工（原 50 岁）", "Women, formerly 50"),
}
_ELEMENTS: Final = ("identity_number", "name", "birth_date", "sex", "work_category", "employment_kind", "employer")


@dataclass(frozen=True)
class DuePerson:
    """Somebody who reaches the age in a month, as this actor may see them.

    Attributes:
        case_id: the person's draft or case, or "" when there is none.
        state_label: where that stands; empty words when there is none.
    """

    name: str
    identity_number: str
    category: Category
    category_label: Label
    born: Month
    retirement_month: Month
    employer: str
    case_id: str
    state: State | None
    state_label: Label


@dataclass(frozen=True)
class _Listed:
    """One row of the list, understood."""

    number: IdentityNumber
    name: PersonName
    category: Category
    born: Month
    employer: str


class DueUnansweredError(RetirementError):
    """The agency's gateway gave no list at this moment."""

    code = "retirement.due_unanswered"


def birth_months(category: Category, month: Month) -> tuple[Month, ...]:
    """Give the birth months whose lawful month of retirement is this one; usually four, two or one, or none.

    Source: the inverse of the delay rule, R-RET-01, by trying each month.
    """
    latest = month - original_age_months(category)
    return tuple(
        born
        for back in range(_LONGEST_DELAY, -1, -1)
        if retirement_age(category, born := latest - back).retirement_month == month
    )


def find_due(desk: Desk, actor: Actor, month: Month) -> list[DuePerson]:
    """Find who reaches the lawful age in a month.

    Raises:
        NotAllowedError: the policies don't permit it.
        DueUnansweredError: the agency's gateway can't answer at this moment.
    """
    listed, decision = _list(desk, actor, month)
    indexes = [desk.exchange.subject_index(one.number.text) for one in listed]
    with desk.database.read() as connection:
        cases = _cases_of(connection, indexes)
    return [
        DuePerson(
            name=decision.show("name", one.name.text),
            identity_number=decision.show("identity_number", one.number.text),
            category=one.category,
            category_label=_LABELS[one.category],
            born=one.born,
            retirement_month=month,
            employer=one.employer,
            case_id=case_id,
            state=state,
            state_label=Label("", "") if state is None else Label(*STATE_LABELS[state]),
        )
        for one, (case_id, state) in (
            (one, cases.get(index, ("", None))) for one, index in zip(listed, indexes, strict=True)
        )
    ]


def prepare_due(desk: Desk, actor: Actor, month: Month) -> int:
    """Prepare a draft for everybody who reaches the age in a month and has no case yet; give how many.

    The person confirms it and adds what only they know; doing this twice prepares nothing twice.

    Raises:
        NotAllowedError, DueUnansweredError: as `find_due`.
    """
    listed, _ = _list(desk, actor, month)
    prepared = 0
    for one in listed:
        owner = desk.exchange.subject_index(one.number.text)
        try:
            form = _form(one, desk.settings.province)
        except FormError:
            continue  # a row that makes no form is for the window to look at: the person isn't drafted wrongly
        with desk.database.begin() as connection:
            if _cases_of(connection, [owner]):
                continue
            case = open_draft(connection, desk, form, actor, owner=owner, region=actor.region or desk.settings.region)
            values = {"name": one.name.text, "case": case.case_id, "month": month.iso}
            tell(
                connection,
                desk.sealer,
                case.case_id,
                recipient="person",
                kind="prepared",
                occasion=0,
                texts=fill("prepared", values, values),
                now=desk.clock.now(),
            )
        prepared += 1
    return prepared


def _form(one: _Listed, province: str) -> ApplicationForm:
    values = {
        "identity_number": one.number.text,
        "name": one.name.text,
        "category": one.category.value,
        "employer": one.employer,
        "province": province,
    }
    return ApplicationForm.parse(values, draft=True)


def _list(desk: Desk, actor: Actor, month: Month) -> tuple[list[_Listed], Decision]:
    """Ask for the list of each category, apply the rule to each row, and record a look at everybody found."""
    purpose = desk.settings.due_purpose
    decision = decide(
        DecisionRequest(actor, Action.FIND_DUE, purpose, _ELEMENTS, employer=actor.employer, region=actor.region)
    )
    if not decision.permitted:
        raise NotAllowedError("您不能查找到龄人员", "you may not look for who reaches the age")
    wanted = {category: months for category in Category if (months := birth_months(category, month))}
    questions = [_question(desk, actor, months) for months in wanted.values()]
    answered = desk.exchange.call(questions)
    _require_lists(answered)
    found = [
        one
        for (category, months), record in zip(wanted.items(), answered, strict=True)
        for one in _understand(record.rows, category, months)
    ]
    looks = [
        LookEntry(
            actor, purpose, "", desk.exchange.subject_index(one.number.text), decision.elements, decision, RESOURCE
        )
        for one in found
    ]
    # Nobody is handed out before the look at them is on record.
    with desk.database.begin() as connection:
        desk.looks.record_all(connection, looks)
    return sorted(found, key=lambda one: (one.category.value, one.born, one.number.text)), decision


def _require_lists(answered: Sequence[AnswerRecord]) -> None:
    for record in answered:
        if not record.answered or record.outcome is not Outcome.CLEAR:
            raise DueUnansweredError(
                f"暂时取不到到龄人员名单（{record.reason}）",
                f"the list of who reaches the age isn't to be had now ({record.reason})",
                advice_chinese="请稍后再试；如提示协议，请先签订社保到龄名单的共享协议。",
                advice_english="Try again later; where an agreement is missing, sign that on the list first.",
            )


def _question(desk: Desk, actor: Actor, months: Sequence[Month]) -> Question:
    return Question(
        resource=RESOURCE,
        case_id="",
        identity_number="",
        claims={},
        parameters={
            "birth_from": months[0].first_day().isoformat(),
            "birth_to": months[-1].last_day().isoformat(),
        },
        purpose=desk.settings.due_purpose,
        actor=actor,
        employer=actor.employer,
        region=actor.region,
    )


def _understand(rows: Sequence[Mapping[str, str]], category: Category, months: Sequence[Month]) -> list[_Listed]:
    """Keep the rows to which the rule of this category applies."""
    kept = []
    for row in rows:
        try:
            number = IdentityNumber.parse(row.get("identity_number", ""))
            name = PersonName.parse(row.get("name", ""))
            born = date.fromisoformat(row.get("birth_date", ""))
            manager = row.get("work_category") == "cadre"
            flexible = row.get("employment_kind") == "flexible"
            own = category_of(row.get("sex", ""), manager=manager, flexible_employment=flexible)
        except (HuodangError, ValueError):
            continue  # a row that can't be understood can't be drafted; the gateway names such rows to its department
        if own is category and Month.of(born) in months:
            kept.append(_Listed(number, name, own, Month.of(born), row.get("employer", "")[:100]))
    return kept


def _cases_of(connection: Connection, indexes: Sequence[str]) -> dict[str, tuple[str, State]]:
    """Give the live or completed case of each person, by index."""
    table = records.case
    rows = connection.execute(
        select(table.c.live_index, table.c.case_id, table.c.state).where(table.c.live_index.in_(indexes))
    )
    return {row.live_index: (row.case_id, State(row.state)) for row in rows}
