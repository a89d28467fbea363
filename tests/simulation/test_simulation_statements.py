from decimal import Decimal
from fractions import Fraction

import pytest

from huodang.pension import EmployeeFacts, Route, employee_pension, payout_months
from huodang.simulation.people import Population
from huodang.simulation.statements import Statement, statements
from huodang.standards import Month

# facts/README.md: with nothing rounded before the last step all statements agree within 0.05 yuan.
WITHIN_FEN = 5


def test_there_are_the_thirty_six_statements() -> None:
    assert len(statements()) == 36
    assert len({statement.case for statement in statements()}) == 36


@pytest.mark.parametrize("statement", statements(), ids=lambda statement: statement.case)
def test_a_statement_is_reproduced_from_what_its_person_has_on_record(statement: Statement) -> None:
    decision = employee_pension(
        EmployeeFacts(
            province=statement.province,
            retirement_month=statement.retired,
            age_months=statement.age_months,
            years=Fraction(Decimal(statement.total_years)),
            pre_account_years=Fraction(Decimal(statement.pre_account_years or "0")),
            average_index=statement.average_index,
            indexed_wage=statement.indexed_wage,
            account=statement.account,
            as_known_on=statement.retired.last_day(),
        )
    )
    assert decision.base == statement.base
    assert abs((decision.basic - statement.issued_basic).fen) <= WITHIN_FEN
    assert abs((decision.account - statement.issued_account).fen) <= WITHIN_FEN


def test_birth_months_give_the_payout_months_that_were_applied() -> None:
    for statement in statements():
        assert payout_months(statement.age_months) == statement.payout_months


def test_routes_are_those_that_lead_to_the_month() -> None:
    by_case = {statement.case: statement.category_and_route for statement in statements()}
    assert by_case["zhejiang-2026-2-36"][1] is Route.NORMAL  # 50 years and 5 months: the delayed age
    assert by_case["xizang-2025-11-33"][1] is Route.SPECIAL_EARLY  # a man of 55
    assert by_case["chongqing-2025-1-5"][1] is Route.FLEXIBLE_EARLY  # one month before the delayed age


def test_each_statement_has_one_person_whose_months_approach_its_years(province: Population) -> None:
    people = {person.statement.case: person for person in province.due if person.statement is not None}
    assert len(people) == 36
    for person in people.values():
        statement = person.statement
        assert statement is not None
        months = person.career.contribution_months + person.career.deemed_months
        assert abs(Decimal(months) / 12 - Decimal(statement.total_years)) < Decimal("0.05")
        assert statement.retired - Month.of(person.born) == statement.age_months
        assert person.wished == statement.retired
