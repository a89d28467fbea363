"""Values that an action writes."""

import pytest

from huodang.exchange.gateway.conditions import QuestionFault
from huodang.exchange.gateway.templates import Template, TemplateFault

TEXTS = {
    "on_date": "2025-03-03",
    "month": "202504",
    "amount": "12345670",
    "now": "2025-03-03T01:00:00Z",
    "name": "王建国",
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("03", "03"),
        ("{on_date}", "2025-03-03"),
        ("{on_date:yyyymmdd}", "20250303"),
        ("{month:yyyy-mm}", "2025-04"),
        ("{now:yyyymmddhhmmss}", "20250303090000"),
        ("{amount:yuan}", "123456.70"),
        ("TX-{name}-{{x}}", "TX-王建国-{x}"),
        ("{row.GRZH}/{row.N}", "GJJ001/7"),
    ],
)
def test_a_template_is_filled(template: str, expected: str) -> None:
    assert Template.compile(template).fill(TEXTS, {"GRZH": "GJJ001", "N": 7}) == expected


def test_a_column_alone_keeps_its_type() -> None:
    assert Template.compile("{row.N}").fill({}, {"N": 7}) == 7


def test_a_template_tells_what_it_needs() -> None:
    template = Template.compile("{idempotency_key}{on_date}{row.GRZH}")
    assert template.names == {"on_date"}
    assert template.columns == {"GRZH"}


@pytest.mark.parametrize("template", ["{", "}", "{}", "{on_date", "{on_date:tomorrow}", "{a{b}}"])
def test_a_broken_template_is_refused(template: str) -> None:
    with pytest.raises(TemplateFault):
        Template.compile(template)


@pytest.mark.parametrize(
    ("template", "code"),
    [("{absent}", "parameter_missing"), ("{name:yyyymmdd}", "parameter_invalid"), ("{name:yuan}", "parameter_invalid")],
)
def test_what_the_grant_lacks_is_a_fault_of_the_question(template: str, code: str) -> None:
    with pytest.raises(QuestionFault) as caught:
        Template.compile(template).fill(TEXTS, {})
    assert caught.value.code == code
