"""From a source's cell to a standard value."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.exchange.gateway.conversion import BROKEN, UNMAPPED, CellFault, ElementSource, plain
from huodang.exchange.gateway.formats import MomentFormat
from huodang.standards import element


def read(identifier: str, raw: object, **how: object) -> str | None:
    return ElementSource(element(identifier), column="X", **how).read({"X": raw})  # type: ignore[arg-type]  # scenario


@pytest.mark.parametrize(
    ("identifier", "raw", "expected"),
    [
        ("name", "  王建国 ", "王建国"),
        ("name", "王建国\u3000", "王建国"),
        ("name", "", None),
        ("name", None, None),
        ("name", b"\xcd\xf5\xbd\xa8\xb9\xfa", "王建国"),
        ("birth_date", "1965-03-01", "1965-03-01"),
        ("birth_date", date(1965, 3, 1), "1965-03-01"),
        ("birth_date", datetime(1965, 3, 1, 23, 59), "1965-03-01"),  # noqa: DTZ001  (as a driver gives DATETIME)
        ("benefit_from", "2025-03", "202503"),
        ("benefit_from", date(2025, 3, 1), "202503"),
        ("medical_months", 300, "300"),
        ("medical_months", 300.0, "300"),
        ("medical_months", Decimal("300.00"), "300"),
        ("average_index", Decimal("0.61230"), "0.6123"),
        ("average_index", 0.6123, "0.6123"),
        ("account_balance", 12345, "12345"),
    ],
)
def test_a_cell_is_read_as_its_element(identifier: str, raw: object, expected: str | None) -> None:
    assert read(identifier, raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("123456.70", "12345670"), (123456.7, "12345670"), (Decimal("0.1"), "10"), (0.07, "7"), (3, "300")],
)
def test_yuan_become_fen_exactly(raw: object, expected: str) -> None:
    assert read("account_balance", raw, yuan=True) == expected


@given(st.integers(min_value=0, max_value=10**12))
def test_no_fen_is_lost_where_a_database_gives_floats(fen: int) -> None:
    assert read("account_balance", float(f"{fen // 100}.{fen % 100:02d}"), yuan=True) == str(fen)


@pytest.mark.parametrize(
    ("identifier", "raw", "how"),
    [
        ("birth_date", "19650230", {"format": MomentFormat.compile("yyyymmdd")}),
        ("birth_date", "1965", {}),
        ("benefit_from", "202513", {}),
        ("medical_months", "many", {}),
        ("medical_months", 1.5, {}),
        ("account_balance", "1.005", {"yuan": True}),
        ("account_balance", float("nan"), {"yuan": True}),
        ("name", "王" * 51, {}),
        ("name", b"\xff\xff\xff", {}),
    ],
)
def test_a_cell_that_is_not_its_element_is_a_fault_that_names_the_column_only(
    identifier: str, raw: object, how: dict[str, object]
) -> None:
    with pytest.raises(CellFault) as caught:
        read(identifier, raw, **how)
    assert (caught.value.reason, caught.value.element, caught.value.column) == (BROKEN, identifier, "X")
    assert str(raw) not in str(caught.value)


def test_a_code_without_crosswalk_is_a_fault_of_its_own() -> None:
    with pytest.raises(CellFault) as caught:
        read("sex", "9", codes={"1": "1"}.get)
    assert caught.value.reason == UNMAPPED


def test_values_that_mean_nothing_are_absent() -> None:
    assert read("death_date", "00000000", absent_values=frozenset({"00000000"})) is None


def test_a_constant_needs_no_column() -> None:
    assert ElementSource(element("scheme"), constant="110").read({}) == "110"


def test_a_number_is_written_without_exponent() -> None:
    assert plain(Decimal("1E+3")) == "1000"
