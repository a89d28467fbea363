"""Rules against plain Python that says the same in loops: double payments, shared accounts, months and names."""

from collections import Counter, defaultdict

import ibis
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_tables import Sheets, person, value

from huodang.standards import Month
from huodang.supervision.rules.expressions import day_shifted, name_key, number_birth, number_sex, shifted
from huodang.supervision.tables import Kind

few = settings(max_examples=12, deadline=None)
MONTHS = (Month(2025, 5), Month(2025, 6))
people = st.sampled_from([person(sequence) for sequence in range(1, 5)])
months = st.sampled_from([202504, 202505, 202506])
schemes = st.sampled_from(["110", "170", None])
kinds = st.sampled_from([None, "regular", "back_pay"])
payments = st.lists(st.tuples(people, months, schemes, kinds, st.sampled_from([0, 8])), max_size=25)
enrolments = st.lists(
    st.tuples(people, months, schemes, st.sampled_from([None, "benefit", "contribution"])), max_size=8
)


@few
@given(payments, enrolments, st.booleans())
def test_double_payments_are_those_beyond_the_first_of_a_person_and_month(paid, elsewhere, one_month):
    sheets, seen, expected = Sheets(), set(), set()
    asked = MONTHS[1:] if one_month else MONTHS
    benefits = {(who, month) for who, month, _, kind in elsewhere if kind != "contribution"}
    for who, month, scheme, kind in elsewhere:
        sheets.add(Kind.ENROLMENTS, who, month=month, scheme=scheme, kind=kind, fen=1)
    for who, month, scheme, kind, fault in paid:
        row = sheets.pay(who, month, scheme=scheme, kind=kind, fault=fault)
        if kind == "back_pay" or fault or month not in [int(str(each)) for each in asked]:
            continue
        if (who, month) in benefits or (who, month) in seen:
            expected.add(row)
        seen.add((who, month))
    if not paid:
        return
    assert set(sheets.found("paid_twice", month=asked[-1], months=asked)) == expected


@few
@given(
    st.lists(st.tuples(people, months, st.sampled_from([None, 11, 12, 13])), min_size=1, max_size=30),
    st.integers(1, 3),
    st.booleans(),
)
def test_shared_accounts_are_those_of_more_persons_than_allowed(paid, allowed, one_month):
    sheets, owners = Sheets(), defaultdict(set)
    asked = MONTHS[1:] if one_month else MONTHS
    inside = [int(str(each)) for each in asked]
    sheets.add(Kind.INSTITUTIONS, None, account=13)
    rows = []
    for who, month, account in paid:
        rows.append((sheets.pay(who, month, account=account), month, account))
        if month in inside and account not in (None, 13):
            owners[account].add(who)
    crowded = {account for account, known in owners.items() if len(known) > allowed}
    found = sheets.found("account_shared", month=asked[-1], months=asked, account_persons=allowed)
    assert set(found) == {row for row, month, account in rows if month in inside and account in crowded}
    assert {each["persons"] for each in found.values()} == {len(owners[account]) for account in crowded}


@few
@given(
    st.lists(st.tuples(people, months, st.sampled_from(["110", "120", "170", "310", None])), min_size=1, max_size=25)
)
def test_double_contributions_are_counted_within_a_branch_of_insurance(paid):
    sheets, seen, expected = Sheets(), Counter(), set()
    for who, month, scheme in paid:
        row = sheets.add(Kind.ENROLMENTS, who, month=month, scheme=scheme, kind="contribution", fen=5)
        key = (who, month, "310" if scheme == "310" else "pension")
        if month != 202504 and seen[key]:
            expected.add(row)
        seen[key] += 1
    assert set(sheets.found("contributed_twice", month=MONTHS[-1], months=MONTHS)) == expected


@given(st.integers(1950 * 12, 2050 * 12), st.integers(-30, 30))
@settings(max_examples=25, deadline=None)
def test_months_are_counted_without_division(ordinal, by):
    month = Month.from_ordinal(ordinal)
    asked = ibis.literal(int(str(month)), "int32")
    assert value(shifted(asked, by)) == int(str(month + by))
    day = ibis.literal(int(str(month)) * 100 + 15, "int32")
    assert value(day_shifted(day, by)) == int(str(month + by)) * 100 + 15


@given(st.dates().filter(lambda day: day.year >= 1900), st.integers(1, 999), st.integers(110000, 659999))
@settings(max_examples=25, deadline=None)
def test_birth_date_and_sex_are_read_from_seventeen_digits(born, sequence, region):
    packed = ibis.literal(person(sequence, int(born.strftime("%Y%m%d")), region), "int64")
    assert value(number_birth(packed)) == int(born.strftime("%Y%m%d"))
    assert value(number_sex(packed)) == (1 if sequence % 2 else 2)


def test_spellings_of_one_name_share_a_key():
    spellings = ["阿迪力·买买提", "阿迪力•买买提", "阿迪力 ・ 买买提", "阿迪力·买买提　"]
    keys = {value(name_key(ibis.literal(each))) for each in spellings}
    assert keys == {"阿迪力·买买提"}


def test_payment_listed_in_both_files_is_unknown_unless_it_is_found_besides():
    sheets, alone, doubled, elsewhere = Sheets(), person(1), person(2), person(3)
    for who in (alone, doubled, elsewhere):
        sheets.add(Kind.ENROLMENTS, who, month=202506, scheme="110", fen=300_000, kind="benefit")
    sheets.add(Kind.ENROLMENTS, elsewhere, month=202506, scheme="170", fen=15_000, kind="benefit")
    listed, first, second, other = (sheets.pay(who, scheme="110") for who in (alone, doubled, doubled, elsewhere))
    assert set(sheets.found("paid_twice")) == {second, other}
    assert sheets.unknown("paid_twice") == dict.fromkeys((listed, first), "same_payment_in_both_files")
