"""The form is taken whole or refused whole, and says of every field what is wrong with it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some
from kit import form, form_values, number

from huodang.pension import Category, Route
from huodang.retirement import ApplicationForm, FormError
from huodang.standards import Month

BAD = [
    ("identity_number", "130102196501150130", "identity.check_digit"),
    ("identity_number", number("19650230"), None),
    ("identity_number", "", "required"),
    ("identity_number", "1301021965011501", None),
    ("name", "", "required"),
    ("name", "张" * 80, None),
    ("name", "张\u0007三", None),
    ("name", "张\u202e三", None),
    ("phone", "12345", "shape"),
    ("phone", "", "required"),
    ("bank_account", "62220202000111ABC", "shape"),
    ("bank_account", "1" * 31, "shape"),
    ("bank_name", "", "required"),
    ("bank_name", "行" * 61, "too_long"),
    ("employer", "厂" * 101, "too_long"),
    ("employer", "冀中\n机械厂", "control_character"),
    ("category", "man", "choice"),
    ("category", "", "required"),
    ("category", "female50", "category_sex"),
    ("route", "early", "choice"),
    ("wished_month", "2025-13", None),
    ("wished_month", "1800-01", "range"),
    ("notice_given_on", "2025-02-30", "date"),
    ("notice_given_on", "30.02.2025", "date"),
    ("special_trade_months", "-3", "number"),
    ("special_trade_months", "9999", "number"),
    ("one_child", "maybe", "choice"),
    ("declaration", False, "required"),
    ("declaration", "", "required"),
    ("applicant_kind", "neighbour", "choice"),
    ("province", "河北", "shape"),
    ("phone", 13800001111.0, "not_text"),
    ("phone", ["13800001111"], "not_text"),
    ("shoe_size", "43", "unknown_field"),
]


@pytest.mark.parametrize(("field", "value", "code"), BAD, ids=[f"{row[0]}={row[1]!r:.20}" for row in BAD])
def test_a_bad_field_refuses_the_whole_form_and_is_named(field: str, value: object, code: str | None) -> None:
    with pytest.raises(FormError) as refused:
        form(**{field: value})
    problems = {problem.field: problem for problem in refused.value.problems}
    assert set(problems) == {field}
    if code is not None:
        assert problems[field].code == code
    assert problems[field].chinese
    assert problems[field].english


def test_all_bad_fields_are_named_at_once_and_no_value_is_repeated() -> None:
    with pytest.raises(FormError) as refused:
        form(identity_number="130102196501150130", phone="12345", wished_month="2025-13", bank_name="")
    assert [problem.field for problem in refused.value.problems] == [
        "identity_number",
        "phone",
        "bank_name",
        "wished_month",
    ]
    told = refused.value.sentence("zh") + refused.value.sentence("en")
    assert "130102196501150130" not in told
    assert "12345" not in told.replace("130102196501150130", "")


@pytest.mark.parametrize("route", ["flexible_early", "flexible_late", "special_early"])
def test_a_route_of_choice_needs_the_month_asked_for(route: str) -> None:
    with pytest.raises(FormError) as refused:
        form(route=route, notice_given_on="2024-10-01")
    assert [problem.field for problem in refused.value.problems] == ["wished_month"]


@pytest.mark.parametrize("route", ["flexible_early", "flexible_late"])
def test_a_flexible_route_needs_the_day_of_notice_or_agreement(route: str) -> None:
    with pytest.raises(FormError) as refused:
        form(route=route, wished_month="2025-03")
    assert [problem.field for problem in refused.value.problems] == ["notice_given_on"]


def test_what_people_type_is_normalised_at_the_border() -> None:
    typed = form(
        identity_number=number().lower().replace("1", "１"),
        name=" 张建国　",
        phone="１３８００００１１１１",
        bank_account="6222 0202 0001 1112 222",
        wished_month="2025年2月",
        one_child="on",
        special_trade_months="",
    )
    assert typed.identity_number == number()
    assert typed.name == "张建国"
    assert typed.phone == "13800001111"
    assert typed.bank_account == "6222020200011112222"
    assert typed.wished_month == Month(2025, 2)
    assert typed.one_child is True
    assert typed.special_trade_months == 0


def test_a_number_of_fifteen_digits_becomes_one_of_eighteen() -> None:
    eighteen = number()
    fifteen = eighteen[:6] + eighteen[8:17]
    assert form(identity_number=fifteen).identity_number == eighteen


def test_a_draft_may_lack_what_only_the_person_knows() -> None:
    values = form_values(phone="", bank_account="", bank_name="", declaration=False)
    assert ApplicationForm.parse(values, draft=True).phone == ""
    with pytest.raises(FormError):
        ApplicationForm.parse(values)


@given(
    route=some.sampled_from(Route),
    month=some.dates(date(1991, 1, 1), date(2099, 12, 31)),
    day=some.dates(date(1991, 1, 1), date(2099, 12, 31)),
    trade=some.integers(0, 720),
    child=some.booleans(),
    name=some.sampled_from(["张建国", "阿卜杜拉·买买提", "欧阳𠮷明"]),
)
def test_a_form_written_down_and_read_again_is_the_same(
    *, route: Route, month: date, day: date, trade: int, child: bool, name: str
) -> None:
    made = form(
        route=route.value,
        wished_month=str(Month.of(month)),
        notice_given_on=day.isoformat(),
        special_trade_months=trade,
        one_child=child,
        name=name,
    )
    assert ApplicationForm.parse(made.to_values()) == made
    assert made.category is Category.MALE
