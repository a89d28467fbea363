"""A wrong identity number leads back to the right one, whichever slip of the hand it was."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from huodang.standards import check_character, identity_fault
from huodang.supervision.linkage import candidates

numbers = st.builds(
    lambda region, days, order: (
        (seventeen := f"{region}{date(1930, 1, 1) + timedelta(days):%Y%m%d}{order:03d}") + check_character(seventeen)
    ),
    st.sampled_from(["130102", "110101", "659001", "460108"]),
    st.integers(0, 25_000),
    st.integers(0, 999),
)


def found(wrong: str) -> set[int]:
    rows, persons = candidates([wrong])
    assert set(rows.tolist()) <= {0}
    return set(persons.tolist())


@given(numbers, st.integers(0, 17), st.integers(1, 9))
def test_every_number_with_one_wrong_digit_leads_back(number: str, place: int, step: int) -> None:
    digit = "0123456789".find(number[place])
    wrong = number[:place] + str((max(digit, 0) + step) % 10) + number[place + 1 :]
    assert int(number[:17]) in found(wrong)


@given(numbers, st.integers(0, 16))
def test_every_number_with_two_neighbours_exchanged_leads_back(number: str, place: int) -> None:
    wrong = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert wrong == number or identity_fault(wrong) != 0
    assert int(number[:17]) in found(wrong)


@given(numbers, st.integers(0, 17))
def test_every_number_that_lost_a_digit_leads_back(number: str, place: int) -> None:
    assert int(number[:17]) in found(number[:place] + number[place + 1 :])


@given(numbers, st.integers(0, 18), st.integers(0, 9))
def test_every_number_with_a_digit_too_many_leads_back(number: str, place: int, digit: int) -> None:
    longer = number[:place] + str(digit) + number[place:]
    assert "X" in longer[:-2] or int(number[:17]) in found(longer)


@given(numbers.filter(lambda number: number[6:8] == "19"), st.integers(0, 14), st.integers(1, 9))
def test_every_fifteen_digit_number_with_one_wrong_digit_leads_back(number: str, place: int, step: int) -> None:
    fifteen = number[:6] + number[8:17]
    wrong = fifteen[:place] + str((int(fifteen[place]) + step) % 10) + fifteen[place + 1 :]
    assert int(number[:17]) in found(wrong)


@given(numbers, st.integers(0, 16), st.integers(1, 9))
def test_check_character_leaves_few_candidates(number: str, place: int, step: int) -> None:
    wrong = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]
    rows, _ = candidates([wrong])
    assert 1 <= len(rows) <= 18 + 17


def test_what_is_no_number_has_no_candidates() -> None:
    rows, persons = candidates(
        ["", "张三", "12345", "A" * 18, "X30102195001011239", "１３０１０２１９５００１０１１２３９"]
    )
    assert len(rows) == len(persons) == 0


def test_candidates_are_told_of_the_text_they_belong_to() -> None:
    first, second = "13010219500101123", "46010819600505456"
    wrong = [first + "0" if check_character(first) != "0" else first + "1", "", second + check_character(second)[::-1]]
    rows, persons = candidates(wrong)
    assert set(rows.tolist()) <= {0, 2}
    assert int(first) in persons[rows == 0]
    assert int(second) in persons[rows == 2]
