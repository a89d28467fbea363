"""Before anybody applies: who reaches the age next month is found, and their forms are prepared (免申即享)."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from kit import AUDITOR, CLERK, EMPLOYER, OTHER_CLERK, Kit, form, number

from huodang.exchange import Outcome
from huodang.pension import Category, retirement_age
from huodang.retirement import DueUnansweredError, NotAllowedError, State
from huodang.retirement.due import birth_months
from huodang.standards import Month

APRIL = Month(2025, 4)


def person(born: str, order: int, name: str, **more: str) -> dict[str, str]:
    sex = "1" if order % 2 else "2"
    day = f"{born[:4]}-{born[4:6]}-{born[6:]}"
    return {"identity_number": number(born, order), "name": name, "sex": sex, "birth_date": day, **more}


@pytest.fixture
def people(kit: Kit) -> Kit:
    """Men of March 1965 and a woman of March 1970 reach the age in April 2025; the others don't."""
    kit.departments.people = [
        person("19650310", 13, "张建国", employer="冀中机械厂"),
        person("19650228", 15, "王建军"),
        person("19650411", 17, "李建设"),
        person("19700312", 14, "陈秀兰", work_category="cadre"),
        person("19700312", 16, "周秀珍", work_category="worker"),
        person("19650320", 18, "吴秀英"),
        {**person("19650310", 19, "赵建华"), "identity_number": "130102196503100190"},
    ]
    return kit


def test_who_reaches_the_age_in_a_month_is_found_by_the_rule(people: Kit) -> None:
    found = people.office.find_due(CLERK, APRIL)
    assert [(one.name, one.category.value, str(one.born)) for one in found] == [
        ("陈秀兰", "female55", "197003"),
        ("张建国", "male", "196503"),
    ]
    assert found[1].identity_number == "130102********" + number("19650310")[-4:]
    assert found[1].employer == "冀中机械厂"
    assert (found[1].case_id, found[1].state) == ("", None)


def test_everybody_found_can_see_that_they_were(people: Kit) -> None:
    people.office.find_due(CLERK, APRIL)
    looks = people.office.looks_of_citizen(number("19650310"))
    assert [(look.what, look.purpose, look.user_id) for look in looks] == [
        ("social_insurance.due", "retirement_due", "clerk1")
    ]
    assert people.office.looks_of_citizen(number("19650411", 17)) == []


def test_forms_are_prepared_once_and_confirmed_by_the_person(people: Kit) -> None:
    assert people.office.prepare_due(CLERK, APRIL) == 2
    assert people.office.prepare_due(OTHER_CLERK, APRIL) == 0
    drafts = people.office.find_due(CLERK, APRIL)
    assert {one.state for one in drafts} == {State.DRAFT}
    mine = people.office.of_citizen(number("19650310"), "张建国")
    assert mine is not None
    assert mine.case_id == drafts[1].case_id
    assert mine.person["employer"] == "冀中机械厂"
    assert "预填" in mine.messages[0].text.chinese
    assert mine.clock.due is None
    whole = {"identity_number": number("19650310")}
    case_id = people.submit(people.citizen(**whole), **whole)
    assert case_id == mine.case_id
    assert people.state(case_id) == "window_review"
    # The clerk who prepared the draft didn't file it: the person did.
    assert people.view(case_id).applicant_kind == "person"


def test_who_has_a_case_already_gets_no_second_form(people: Kit) -> None:
    people.office.submit(CLERK, form(identity_number=number("19650310")))
    assert people.office.prepare_due(CLERK, APRIL) == 1


@pytest.mark.parametrize("who", [AUDITOR, EMPLOYER], ids=["auditor", "employer"])
def test_looking_for_people_is_for_the_window_only(people: Kit, who: object) -> None:
    with pytest.raises(NotAllowedError):
        people.office.find_due(who, APRIL)  # type: ignore[arg-type]  # an Actor
    assert people.departments.calls == 0


@pytest.mark.parametrize("trouble", ["dead", "garbage", "forged"])
def test_without_a_list_nothing_is_prepared_and_the_reason_is_told(people: Kit, trouble: str) -> None:
    people.departments.trouble["social_insurance"] = trouble
    with pytest.raises(DueUnansweredError):
        people.office.prepare_due(CLERK, APRIL)
    people.departments.trouble.clear()
    assert people.office.prepare_due(CLERK, APRIL) == 2


def test_a_list_that_is_too_long_is_no_list(people: Kit) -> None:
    people.departments.say("social_insurance.due", Outcome.UNKNOWN, "too_many")
    with pytest.raises(DueUnansweredError) as refused:
        people.office.find_due(CLERK, APRIL)
    assert "too_many" in refused.value.sentence("zh")


@given(category=some.sampled_from(Category), month=some.integers(Month(2024, 1).ordinal, Month(2045, 12).ordinal))
def test_birth_months_are_the_inverse_of_the_rule(category: Category, month: int) -> None:
    wanted = Month.from_ordinal(month)
    for born in birth_months(category, wanted):
        assert retirement_age(category, born).retirement_month == wanted


@pytest.mark.parametrize("category", list(Category))
def test_everybody_reaches_the_age_in_exactly_one_month(category: Category) -> None:
    for ordinal in range(Month(1962, 1).ordinal, Month(1985, 12).ordinal):
        born = Month.from_ordinal(ordinal)
        assert born in birth_months(category, retirement_age(category, born).retirement_month)
