from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.standards import Money, MoneyError

FEN = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("123.45", 12345),
        ("123.4", 12340),
        ("123", 12300),
        ("0.05", 5),
        ("-0.05", -5),
        ("+8", 800),
        ("1,234,567.89", 123456789),
        ("１２３．４５", 12345),
        (" 7.00 ", 700),
        (9, 900),
        (Decimal("6521.12"), 652112),
        (Decimal("1E+3"), 100000),
    ],
)
def test_yuan_are_read_exactly(text, fen):
    assert Money.yuan(text) == Money(fen)


@pytest.mark.parametrize(
    "text", ["", "1.234", "1.230", ".5", "5.", "1,23", "1,2345", "1e3", "NaN", "一百", "12 3", "--1", Decimal("0.001")]
)
def test_what_is_not_an_exact_amount_is_refused(text):
    with pytest.raises(MoneyError) as caught:
        Money.yuan(text)
    assert caught.value.code == "money.invalid"


@pytest.mark.parametrize("value", [1.0, True, None])
def test_no_float_touches_money(value):
    with pytest.raises(TypeError):
        Money(value)
    with pytest.raises(TypeError):
        Money.yuan(value)


def test_rounding_refuses_floats_and_what_is_not_finite():
    with pytest.raises(TypeError):
        Money.half_up(0.125)
    for wrong in ("NaN", "Infinity"):
        with pytest.raises(MoneyError):
            Money.half_up(Decimal(wrong))


def test_half_a_fen_rounds_away_from_zero():
    assert Money.half_up(Fraction(1, 200)) == Money(1)
    assert Money.half_up(Fraction(-1, 200)) == Money(-1)
    assert Money.half_up(Decimal("2.675")) == Money(268)
    assert Money.half_up(Fraction(1, 3)) == Money(33)


@given(st.decimals(Decimal(-(10**9)), Decimal(10**9), places=6))
def test_rounding_agrees_with_the_decimal_module(yuan):
    expected = yuan.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert Money.half_up(yuan) == Money.half_up(Fraction(yuan)) == Money.yuan(expected)


@given(FEN)
def test_text_is_read_back_as_the_same_amount(fen):
    assert Money.yuan(Money(fen).text) == Money(fen)


@given(FEN, FEN)
def test_sums_differences_and_order_are_those_of_fen(first, second):
    assert Money(first) + Money(second) - Money(second) == Money(first)
    assert (Money(first) < Money(second)) == (first < second)
    assert sum([Money(first), Money(second)], Money.zero()) == Money(first + second)


def test_money_is_multiplied_by_whole_numbers_only():
    assert Money(250) * 3 == 3 * Money(250) == Money(750)
    assert -Money(250) == Money(-250)
    assert not Money.zero()
    for wrong in (0.5, True, Decimal(2)):
        with pytest.raises(TypeError):
            Money(100) * wrong
    with pytest.raises(TypeError):
        Money(100) + 1
    with pytest.raises(TypeError):
        Money(100) - 1


def test_integers_of_an_array_become_plain_ones_that_cannot_overflow():
    largest = Money(np.int64(2**63 - 1))
    assert type(largest.fen) is int
    assert (largest + largest).fen == 2**64 - 2
