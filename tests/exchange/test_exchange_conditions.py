"""Conditions of a gateway's file."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.exchange import GatewayConfigError
from huodang.exchange.gateway.conditions import ConditionCompiler, Facts, QuestionFault, ValueKind
from huodang.standards import Place

KINDS = {
    "name": ValueKind.NAME,
    "former_name": ValueKind.NAME,
    "sex": ValueKind.TEXT,
    "birth_date": ValueKind.DATE,
    "custody_to": ValueKind.DATE,
    "benefit_from": ValueKind.MONTH,
    "medical_months": ValueKind.NUMBER,
    "account_balance": ValueKind.MONEY,
}
COMPILER = ConditionCompiler(KINDS, Place(file="gateway.yaml"))
NOTHING: dict[str, str | None] = dict.fromkeys(KINDS)


def holds(condition: Any, claims: dict[str, str] | None = None, **values: str | None) -> bool:
    parameters = {"on_date": "2025-03-03", "least": "300", "month": "202503", "bad": "soon"}
    return COMPILER.compile(condition).holds(Facts({**NOTHING, **values}, claims or {}, parameters))


@pytest.mark.parametrize(
    ("condition", "values", "claims", "expected"),
    [
        ({"custody_to": "present"}, {"custody_to": "2025-01-01"}, {}, True),
        ({"custody_to": "present"}, {}, {}, False),
        ({"custody_to": "absent"}, {}, {}, True),
        ({"name": "differs_from_claim"}, {"name": "王建国"}, {"name": "王建囯"}, True),
        ({"name": "differs_from_claim"}, {"name": "买买提·艾力"}, {"name": "买买提•艾力"}, False),
        ({"name": "differs_from_claim"}, {"name": "王建国"}, {}, False),
        ({"name": "differs_from_claim"}, {}, {"name": "王建国"}, False),
        ({"name": "equals_claim"}, {"name": "王建国"}, {"name": " 王建国 "}, True),
        ({"former_name": {"equals_claim": "name"}}, {"former_name": "李梅"}, {"name": "李梅"}, True),
        ({"birth_date": "differs_from_claim"}, {"birth_date": "1965-03-01"}, {"birth_date": "1965-03-02"}, True),
        ({"sex": {"equals": "1"}}, {"sex": "1"}, {}, True),
        ({"sex": {"in": ["1", "2"]}}, {"sex": "9"}, {}, False),
        ({"sex": {"not_in": ["1", "2"]}}, {"sex": "9"}, {}, True),
        ({"sex": {"not_in": ["1", "2"]}}, {}, {}, False),
        ({"custody_to": {"on_or_after": {"parameter": "on_date"}}}, {"custody_to": "2025-03-03"}, {}, True),
        ({"custody_to": {"after": {"parameter": "on_date"}}}, {"custody_to": "2025-03-03"}, {}, False),
        ({"custody_to": {"before": {"element": "birth_date"}}}, {"custody_to": "2025-03-03"}, {}, False),
        ({"custody_to": {"before": "2026-01-01"}}, {"custody_to": "2025-03-03"}, {}, True),
        ({"benefit_from": {"on_or_before": {"parameter": "on_date"}}}, {"benefit_from": "202503"}, {}, True),
        ({"birth_date": {"on_or_before": {"parameter": "month"}}}, {"birth_date": "2025-03-31"}, {}, True),
        ({"medical_months": {"less_than": {"parameter": "least"}}}, {"medical_months": "99"}, {}, True),
        ({"medical_months": {"at_least": 300}}, {"medical_months": "300"}, {}, True),
        ({"account_balance": {"less_than": 1}}, {"account_balance": "0"}, {}, True),
        (
            {"any": [{"custody_to": "absent"}, {"sex": {"equals": "2"}}]},
            {"custody_to": "2025-01-01", "sex": "2"},
            {},
            True,
        ),
        ({"not": {"sex": {"equals": "2"}}, "custody_to": "absent"}, {"sex": "1"}, {}, True),
        ({"all": [{"custody_to": "absent"}, {"sex": "present"}]}, {}, {}, False),
    ],
)
def test_a_condition_holds_or_not(
    condition: Any, values: dict[str, str], claims: dict[str, str], *, expected: bool
) -> None:
    assert holds(condition, claims, **values) is expected


@pytest.mark.parametrize(
    "condition",
    [
        {},
        [],
        "present",
        {"phone": "present"},
        {"sex": "is_nice"},
        {"sex": {"in": "1"}},
        {"sex": {"in": []}},
        {"sex": {"equals": True}},
        {"sex": {"before": "2"}},
        {"name": {"less_than": 3}},
        {"medical_months": {"on_or_after": "2025-01-01"}},
        {"birth_date": {"before": "yesterday"}},
        {"birth_date": {"before": {"element": "phone"}}},
        {"birth_date": {"before": {"parameter": "a", "element": "sex"}}},
        {"name": {"equals_claim": "no_such_element"}},
        {"any": []},
        {"sex": {}},
    ],
)
def test_a_condition_that_means_nothing_is_refused_at_start_up_with_its_place(condition: Any) -> None:
    with pytest.raises(GatewayConfigError) as caught:
        COMPILER.compile(condition)
    assert caught.value.place.file == "gateway.yaml"


def test_a_condition_tells_which_elements_claims_and_parameters_it_needs() -> None:
    condition = COMPILER.compile(
        {"former_name": {"equals_claim": "name"}, "any": [{"custody_to": {"after": {"parameter": "on_date"}}}]}
    )
    assert condition.elements == {"former_name", "custody_to"}
    assert condition.claims == {"name"}
    assert condition.parameters == {"on_date"}


@pytest.mark.parametrize(("parameter", "code"), [("absent", "parameter_missing"), ("bad", "parameter_invalid")])
def test_a_parameter_that_cannot_be_compared_is_a_fault_of_the_question(parameter: str, code: str) -> None:
    with pytest.raises(QuestionFault) as caught:
        holds({"custody_to": {"after": {"parameter": parameter}}})
    assert (caught.value.code, caught.value.name) == (code, parameter)


@given(st.dates(), st.dates())
def test_the_four_orders_of_dates_agree_with_the_calendar(first: Any, second: Any) -> None:
    def ordered(order: str) -> bool:
        return holds({"custody_to": {order: second.isoformat()}}, custody_to=first.isoformat())

    assert ordered("before") is (first < second)
    assert ordered("on_or_before") is (first <= second)
    assert ordered("after") is (first > second)
    assert ordered("on_or_after") is (first >= second)
