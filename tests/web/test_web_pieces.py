"""Small pieces: addresses to go back to, forms, problems, formats, the portal's visits."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.exceptions import NotFoundException

from huodang.standards import BadValue, Money, Place
from huodang.web.citizen_messages import Action, CitizenAnswer, CitizenRequest, Refusal
from huodang.web.forms import LONGEST_TEXT, Form
from huodang.web.pages import environment, own_path
from huodang.web.portal_sessions import Visit, Visits
from huodang.web.problems import BadFormError, problem_of
from huodang.web.settings import SessionRules


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", None, "/a\r\nb", "/\tx"],
)
def test_address_elsewhere_is_never_gone_to(wanted: str | None) -> None:
    assert own_path(wanted, "/home") == "/home"


@given(st.from_regex(r"/[a-z0-9-]{1,10}(\?[a-z]=[0-9])?", fullmatch=True))
def test_address_of_this_site_is_gone_to(path: str) -> None:
    assert own_path(path) == path


def test_form_gives_texts_without_blanks_around_and_passwords_as_typed() -> None:
    form = Form({"user": "  window1 ", "password": " a b ", "_csrf_token": "t"})
    assert form.text("user") == "window1"
    assert form.secret("password") == " a b "
    assert form.text("absent") == ""
    assert form.fields("password") == {"user": "  window1 "}


@pytest.mark.parametrize("value", [["a", "b"], None, 3, "x" * (LONGEST_TEXT + 1)])
def test_field_that_is_no_single_bounded_text_refuses_the_form(value: object) -> None:
    with pytest.raises(BadFormError) as refused:
        Form({"note": value})
    assert refused.value.place.element == "note"


def test_known_error_shows_its_code_sentences_and_element() -> None:
    problem = problem_of(BadValue("不对", "wrong", place=Place(element="bank_account")))
    assert (problem.status, problem.code, problem.element) == (422, "value.bad", "bank_account")
    assert problem.to_json()["type"] == "urn:huodang:problem:value.bad"


def test_unforeseen_error_shows_a_number_and_not_its_message() -> None:
    problem = problem_of(RuntimeError("张三 13010119650301001X"))
    assert problem.status == 500
    assert problem.incident is not None
    assert problem.incident in problem.chinese
    assert "张三" not in str(problem.to_json())


def test_missing_page_is_no_incident() -> None:
    assert problem_of(NotFoundException()).status == 404


@pytest.mark.parametrize(
    ("fen", "text"), [(0, "0.00"), (5, "0.05"), (123_456_789, "1,234,567.89"), (-150, "-1.50"), (None, "—")]
)
def test_money_is_shown_in_yuan(fen: int | None, text: str) -> None:
    shown = environment().from_string("{{ amount|yuan }}")
    assert shown.render(amount=fen) == text
    assert shown.render(amount=None if fen is None else Money(fen)) == text


def test_instant_is_shown_in_beijing_time() -> None:
    shown = environment().from_string("{{ at|moment }}").render(at=datetime(2025, 3, 3, 16, 30, tzinfo=UTC))
    assert shown == "2025-03-04 00:30"


def test_template_escapes_what_it_shows() -> None:
    assert environment().from_string("{{ name }}").render(name="<b>&") == "&lt;b&gt;&amp;"


class Hours:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_visit_ends_when_idle_at_its_absolute_end_and_when_left() -> None:
    hours = Hours()
    visits = Visits(SessionRules(), hours)
    token = visits.begin(Visit(identity_number="", name=""))
    for _ in range(16):
        hours.seconds += 29 * 60
        assert visits.find(token) is not None
    hours.seconds += 29 * 60
    assert visits.find(token) is None
    token = visits.begin(Visit(identity_number="", name=""))
    hours.seconds += 30 * 60
    assert visits.find(token) is None
    token = visits.begin(Visit(identity_number="", name=""))
    visits.end(token)
    assert visits.find(token) is None
    assert visits.find("guess") is None


texts = st.text(max_size=40)


@given(
    st.builds(
        CitizenRequest,
        request_id=st.from_regex(r"[A-Za-z0-9_-]{16,32}", fullmatch=True),
        action=st.sampled_from(Action),
        identity_number=texts,
        name=texts,
        ticket=texts,
        body=st.dictionaries(texts, texts, max_size=5),
    )
)
def test_request_comes_out_as_it_went_in(request: CitizenRequest) -> None:
    assert CitizenRequest.from_payload(request.to_payload()) == request


def test_refusal_comes_out_as_it_went_in() -> None:
    answer = CitizenAnswer(request_id="a" * 20, refusal=Refusal(code="x.y", chinese="不行", english="no"))
    assert CitizenAnswer.from_payload(answer.to_payload()) == answer


@pytest.mark.parametrize(
    "changed",
    [{"action": "drop_tables"}, {"extra": "x"}, {"request_id": "short"}, {"name": "x" * 201}, {"body": {"a": 1}}],
)
def test_message_of_another_shape_is_refused(changed: dict[str, object]) -> None:
    payload = {"request_id": "a" * 20, "action": "case", "identity_number": "1", "name": "n", "ticket": "", "body": {}}
    CitizenRequest.from_payload(payload)
    with pytest.raises(BadFormError):
        CitizenRequest.from_payload({**payload, **changed})
