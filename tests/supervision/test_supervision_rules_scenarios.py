"""What each rule makes of one case, a line a case."""

from typing import Any

import pytest
from rule_tables import Sheets, person

from huodang.standards import Month
from huodang.supervision.tables import Kind

MAN, WOMAN = person(1), person(2)
DEATHS, CUSTODY, ENROLMENTS, POPULATION = Kind.DEATHS, Kind.CUSTODY, Kind.ENROLMENTS, Kind.POPULATION
ARCHIVES, CERTIFICATIONS, DECISIONS, BALANCES = Kind.ARCHIVES, Kind.CERTIFICATIONS, Kind.DECISIONS, Kind.BALANCES
Rows = list[tuple[Kind, dict[str, Any]]]


def sheets_with(rows: Rows, who: int | None = MAN) -> Sheets:
    sheets = Sheets()
    for kind, cells in rows:
        sheets.add(kind, cells.pop("person", who) if "person" in cells else who, **cells)
    return sheets


def died(first: int | None, last: int | None = None) -> tuple[Kind, dict[str, Any]]:
    return DEATHS, {"died_from": first, "died_to": last or first}


def dead_evidence(rows: Rows, **payment: Any) -> dict[str, Any] | None:
    sheets = sheets_with(rows)
    row = sheets.pay(MAN, **payment)
    return sheets.found("paid_after_death").get(row)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([died(20250531)], {"precision": "day", "conflicting": False}),
        ([died(20250601)], None),
        ([died(20250501, 20250531)], {"precision": "month", "died_to": 20250531}),
        ([died(20240101, 20241231)], {"precision": "year", "died_to": 20241231}),
        ([died(20250101, 20251231)], None),
        ([died(20250301), died(20250410)], {"conflicting": True, "died_to": 20250410, "records": 2}),
        ([died(20250301), died(20250620)], None),
        ([died(20250101, 20251231), died(20250212)], {"conflicting": False, "died_to": 20250212, "precision": "day"}),
        ([died(20250301), died(20250301)], {"conflicting": False, "records": 2}),
        ([died(20250301), (POPULATION, {"status": "normal"})], {"register_says_alive": True}),
        ([died(20250301), (POPULATION, {"status": "dead", "died": 20250301})], {"register_says_alive": False}),
        ([(DEATHS, {"died_from": 20250301, "died_to": 20250301, "fault": 8})], None),
    ],
)
def test_death_is_judged_by_the_last_day_that_the_records_leave_open(rows, expected):
    found = dead_evidence(rows)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found["fen"] == 300_000
        assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("rows", "payment", "reason"),
    [
        ([died(20250101, 20251231)], {}, "death_date_imprecise"),
        ([died(20250301), died(20250620)], {}, "death_records_conflict"),
        ([died(None)], {}, "death_date_unknown"),
        ([died(None), died(20250601)], {}, None),
        ([died(20250301)], {"fault": 8}, "identity_invalid"),
        ([died(20250301)], {"fault": 1, "person": None}, "identity_missing"),
        ([died(20250301)], {"person": None}, "identity_not_eighteen"),
    ],
)
def test_what_a_death_record_cannot_tell_is_unknown_and_never_a_finding(rows, payment, reason):
    sheets = sheets_with(rows)
    row = sheets.pay(payment.pop("person", MAN) if "person" in payment else MAN, **payment)
    assert sheets.unknown("paid_after_death").get(row) == reason
    assert row not in sheets.found("paid_after_death")


def test_money_taken_back_from_the_dead_is_not_a_payment():
    assert dead_evidence([died(20250301)], fen=-300_000) is None


@pytest.mark.parametrize(
    ("code", "rows", "payment", "fen"),
    [
        ("dead_in_register", [(POPULATION, {"status": "dead", "died": 20250531})], {}, 300_000),
        ("dead_in_register", [(POPULATION, {"status": "dead", "died": 20250601})], {}, None),
        ("emigrated_or_cancelled", [(POPULATION, {"status": "emigrated"})], {}, 300_000),
        ("emigrated_or_cancelled", [(POPULATION, {"status": "dead"})], {}, None),
        ("identity_unknown", [(POPULATION, {"person": WOMAN})], {}, 300_000),
        ("identity_unknown", [(POPULATION, {})], {}, None),
        ("identity_invalid", [], {"fault": 8}, 300_000),
        ("identity_invalid", [], {"fault": 1}, None),
        ("paid_in_custody", [(CUSTODY, {"custody_from": 20250531})], {}, 300_000),
        ("paid_in_custody", [(CUSTODY, {"custody_from": 20250601})], {}, None),
        ("paid_in_custody", [(CUSTODY, {"custody_from": 20250101, "custody_to": 20250601})], {}, 300_000),
        ("paid_in_custody", [(CUSTODY, {"custody_from": 20250101, "custody_to": 20250531})], {}, None),
        ("paid_in_custody", [(CUSTODY, {"custody_from": 20250101, "sentence_type": "parole"})], {}, None),
        ("paid_in_custody", [(CUSTODY, {"custody_from": 20250101, "sentence_type": "detention"})], {}, 300_000),
        ("certification_overdue", [(CERTIFICATIONS, {"due_on": 20250531})], {}, 300_000),
        ("certification_overdue", [(CERTIFICATIONS, {"due_on": 20250601})], {}, None),
        ("certification_overdue", [(CERTIFICATIONS, {"certified_on": 20240531})], {}, 300_000),
        ("certification_overdue", [(CERTIFICATIONS, {"certified_on": 20240601})], {}, None),
        ("certification_overdue", [(CERTIFICATIONS, {"certified_on": 20250501, "result": "未通过"})], {}, None),
        ("amount_off", [], {"expected_fen": 299_999}, 1),
        ("amount_off", [], {"expected_fen": 300_001}, 0),
        ("amount_off", [], {"expected_fen": 300_000}, None),
        ("back_pay_without_decision", [], {"kind": "back_pay"}, 300_000),
        ("back_pay_without_decision", [], {"kind": "back_pay", "decision": " "}, 300_000),
        ("back_pay_without_decision", [], {"kind": "back_pay", "decision": "冀核〔2025〕1号"}, None),
        (
            "back_pay_without_decision",
            [(DECISIONS, {"month": 202506, "fen": 200_000})],
            {"kind": "back_pay"},
            100_000,
        ),
        ("back_pay_without_decision", [(DECISIONS, {"month": 202506})], {"kind": "back_pay"}, None),
        ("back_pay_without_decision", [(DECISIONS, {"month": 202505, "fen": 1})], {"kind": "back_pay"}, 300_000),
        ("birth_conflict", [], {"birth": 19550614}, 0),
        ("birth_conflict", [], {"birth": 19550615}, None),
        ("birth_conflict", [(ARCHIVES, {"birth": 19530101})], {}, 0),
        ("birth_conflict", [(POPULATION, {"birth": 19550616})], {"birth": 19550615}, 0),
        ("sex_conflict", [(ARCHIVES, {"sex": 2})], {}, 0),
        ("sex_conflict", [(ARCHIVES, {"sex": 9})], {"sex": 1}, None),
        ("paid_twice", [(ENROLMENTS, {"month": 202506, "scheme": "170", "fen": 1})], {"scheme": "110"}, 300_000),
        ("paid_twice", [(ENROLMENTS, {"month": 202505, "scheme": "170", "fen": 1})], {"scheme": "110"}, None),
        ("paid_twice", [(ENROLMENTS, {"month": 202506, "scheme": "110", "fen": 1})], {"scheme": "110"}, 300_000),
        ("paid_twice", [(ENROLMENTS, {"month": 202506, "scheme": "110", "fen": 300_000})], {"scheme": "110"}, None),
        (
            "paid_twice",
            [(ENROLMENTS, {"month": 202506, "scheme": "110", "fen": 300_000, "region": "130200"})],
            {"scheme": "110", "region": "130100"},
            300_000,
        ),
    ],
)
def test_payment_is_found_with_what_is_at_stake_or_left_alone(code, rows, payment, fen):
    sheets = sheets_with([(kind, dict(cells)) for kind, cells in rows])
    row = sheets.pay(MAN, **payment)
    found = sheets.found(code)
    assert found.get(row, {}).get("fen") == fen
    if fen is not None:
        assert row not in sheets.unknown(code)


@pytest.mark.parametrize(
    ("payment", "archive", "lawful"),
    [
        ({"birth": 19550615, "benefit_from": 201505}, None, 201506),
        ({"birth": 19550615, "benefit_from": 201506}, None, None),
        ({"benefit_from": 201505}, None, 201506),
        ({"benefit_from": 201505}, {"birth": 19550515}, None),
        ({"benefit_from": 201505, "scheme": "城乡居民基本养老保险"}, None, None),
        ({"benefit_from": 201006}, {"special": 1}, None),
        ({"benefit_from": 201005}, {"special": 1}, 201506),
        ({}, {"retirement_month": 201501}, 201506),
        ({"birth": 19900101}, None, 205301),
        ({"fault": 8, "benefit_from": 201505}, None, None),
    ],
)
def test_lawful_month_follows_from_the_birth_that_the_archive_tells_first(payment, archive, lawful):
    sheets = Sheets()
    row = sheets.pay(MAN, **payment)
    if archive is not None:
        sheets.add(ARCHIVES, MAN, **archive)
    assert sheets.found("retired_early").get(row, {}).get("lawful_month") == lawful


@pytest.mark.parametrize(
    ("month", "expected"),
    [(200505, "found"), (200506, "category_missing"), (201005, "category_missing"), (201006, None)],
)
def test_woman_of_no_told_category_is_found_only_where_no_category_allows_it(month, expected):
    sheets = Sheets()
    row = sheets.pay(WOMAN, benefit_from=month)
    found, unknown = sheets.found("retired_early"), sheets.unknown("retired_early")
    assert ("found" if row in found else unknown.get(row)) == expected


def test_increase_on_probation_is_measured_against_the_last_payment_before_it():
    sheets = Sheets()
    sheets.add(CUSTODY, MAN, custody_from=20250210, custody_to=20260101, sentence_type="probation")
    for month, fen in ((202501, 280_000), (202502, 300_000), (202505, 306_000)):
        sheets.pay(MAN, month, fen)
    row = sheets.pay(MAN, 202506, 306_000)
    found = sheets.found("increase_in_custody")
    assert found[row]["fen"] == 6_000
    assert found[row]["earlier_month"] == 202502
    assert set(found) == {row}


def test_first_payment_of_a_term_has_nothing_to_be_measured_against():
    sheets = Sheets()
    sheets.add(CUSTODY, MAN, custody_from=20250210, sentence_type="control")
    row = sheets.pay(MAN, 202506, 306_000)
    assert sheets.found("increase_in_custody") == {}
    assert sheets.unknown("increase_in_custody") == {row: "no_earlier_payment"}


@pytest.mark.parametrize(
    ("earlier", "now", "decision", "fen"),
    [(300_000, 390_001, None, 90_001), (300_000, 390_000, None, None), (300_000, 900_000, "冀核〔2025〕1号", None)],
)
def test_jump_is_a_rise_beyond_the_share_without_a_decision(earlier, now, decision, fen):
    sheets = Sheets()
    sheets.pay(MAN, 202505, earlier)
    row = sheets.pay(MAN, 202506, now, decision=decision)
    assert sheets.found("amount_jump").get(row, {}).get("fen") == fen
    assert sheets.unknown("amount_jump") == {}


def test_jump_over_new_year_is_measured_from_december():
    sheets = Sheets()
    sheets.pay(MAN, 202412, 300_000)
    row = sheets.pay(MAN, 202501, 600_000)
    from_december = sheets.found("amount_jump", month=Month(2025, 1))
    assert from_december[row]["earlier_fen"] == 300_000


@pytest.mark.parametrize(
    ("first", "second", "account", "names", "means"),
    [
        (person(101), person(103), (None, None), ("李娜", "李娜"), "one_digit"),
        (person(101), person(113), (None, None), ("李娜", "李娜"), None),
        (person(101), person(102), (None, None), ("李娜", "李娜"), None),
        (person(101), person(103), (None, None), ("李娜", "李丽"), None),
        (person(101), person(555, region=440102), (5, 5), ("李娜", "李 娜"), "same_account"),
        (person(101), person(555, region=440102), (5, 6), ("李娜", "李娜"), None),
        (person(101), person(555, born=19550616), (5, 5), ("李娜", "李娜"), None),
    ],
)
def test_two_numbers_are_one_persons_by_account_or_by_one_digit(first, second, account, names, means):
    sheets = Sheets()
    one = sheets.pay(first, name=names[0], account=account[0])
    two = sheets.pay(second, name=names[1], account=account[1])
    found = sheets.found("one_person_two_numbers")
    assert {row: each["means"] for row, each in found.items()} == ({} if means is None else {one: means, two: means})
    if means is not None:
        assert {one: 0, two: 300_000} == {row: each["fen"] for row, each in found.items()}


def test_number_that_changed_in_time_is_shown_with_nothing_at_stake():
    sheets = Sheets()
    rows = [sheets.pay(person(101), 202505, account=5), sheets.pay(person(103), 202506, account=5)]
    months = (Month(2025, 5), Month(2025, 6))
    found = sheets.found("one_person_two_numbers", months=months)
    assert {row: (each["fen"], each["same_month"]) for row, each in found.items()} == dict.fromkeys(rows, (0, False))


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        (POPULATION, "李伟", True),
        (POPULATION, "王 秀英", False),
        (ENROLMENTS, "李伟", True),
        (ARCHIVES, "王*英", False),
    ],
)
def test_number_of_two_names_is_found_across_the_tables(kind, name, found):
    sheets = Sheets()
    row = sheets.pay(MAN, name="王秀英")
    sheets.add(kind, MAN, name=name)
    assert (row in sheets.found("identity_shared")) is found


@pytest.mark.parametrize(
    ("rows", "balance", "found"),
    [
        ([died(20240501)], {"as_of": 20250601}, True),
        ([died(20240601)], {"as_of": 20250601}, False),
        ([died(20240501)], {"as_of": 20240101}, False),
        ([died(20240501)], {}, True),
        ([died(20240501)], {"fen": 0}, False),
    ],
)
def test_balance_of_the_long_dead_is_unsettled(rows, balance, found):
    sheets = sheets_with([(kind, dict(cells)) for kind, cells in rows])
    row = sheets.add(BALANCES, MAN, **{"fen": 500, **balance})
    assert (row in sheets.found("dead_balance")) is found
    stale = balance.get("as_of") == 20240101
    assert sheets.unknown("dead_balance") == ({row: "balance_older_than_death"} if stale else {})


def test_contribution_after_death_is_found_with_or_without_an_amount():
    sheets = Sheets()
    sheets.die(MAN, 20250301)
    paid = {"month": 202506, "scheme": "110", "kind": "contribution"}
    rows = [sheets.add(ENROLMENTS, MAN, fen=5, **paid), sheets.add(ENROLMENTS, MAN, **paid)]
    assert {row: each["fen"] for row, each in sheets.found("dead_contributing").items()} == {rows[0]: 5, rows[1]: 0}
