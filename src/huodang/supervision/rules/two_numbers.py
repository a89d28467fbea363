"""One person paid under two identity numbers (一人两号)."""

from typing import Final

import ibis
import ibis.expr.types as ir

from huodang.supervision.rules.accounts import shared_accounts
from huodang.supervision.rules.expressions import (
    any_of,
    because,
    is_whole_name,
    name_key,
    number_birth,
    payments_of,
    unidentified_payments,
)
from huodang.supervision.rules.laws import law
from huodang.supervision.rules.planting import Mint, Planted
from huodang.supervision.rules.rule import Bilingual, Rule, Severity, Tables
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import Kind

_SAME_ACCOUNT: Final = "same_account"
_ONE_DIGIT: Final = "one_digit"


def _payments(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person", "month", "fen", "name", "account")
    return payments.filter(is_whole_name(payments.name))


def _by_account(tables: Tables, settings: RuleSettings) -> ir.Table:
    """Give the numbers under which one name and birth date is paid into one account."""
    into = _payments(tables, settings).semi_join(shared_accounts(tables, settings, 2), "account")
    people = into.mutate(key=name_key(into.name), born=number_birth(into.person))
    group = ["account", "key", "born"]
    alike = people.group_by(group).agg(numbers=people.person.nunique(), first=people.person.min())
    found = people.join(alike.filter(alike.numbers > 1), group)
    return found.select("person", "first", "numbers", means=ibis.literal(_SAME_ACCOUNT)).distinct()


def _by_digit(payments: ir.Table) -> ir.Table:
    """Give the numbers of one name, region, birth date and sex that differ in one digit of the sequence."""
    placed = payments.select("person", "name", place=payments.person - payments.person % 1000)
    ends = placed.group_by("name", "place").agg(low=placed.person.min(), high=placed.person.max())
    near = placed.semi_join(ends.filter(ends.low < ends.high), ["name", "place"]).distinct()
    other = near.view()
    pairs = near.join(other.select("name", "place", other="person"), ["name", "place"])
    one, two = pairs.person % 1000, pairs.other % 1000
    same_ones = one % 10 == two % 10
    same_tens = one % 100 - one % 10 == two % 100 - two % 10
    same_hundreds = one - one % 100 == two - two % 100
    same = sum((each.cast("int8") for each in (same_ones, same_tens)), same_hundreds.cast("int8"))
    close = pairs.filter(same == 2, one % 2 == two % 2)
    met = close.group_by("person").agg(others=close.other.nunique(), lowest=close.other.min())
    return met.select(
        "person",
        first=ibis.least(met.person, met.lowest),
        numbers=met.others + 1,
        means=ibis.literal(_ONE_DIGIT),
    )


def _find(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = _payments(tables, settings)
    seen = _by_account(tables, settings).union(_by_digit(payments))
    numbers = seen.group_by("person").agg(first=seen["first"].min(), numbers=seen.numbers.max(), means=seen.means.max())
    found = payments.join(numbers, "person")
    # A number may have changed with the years. At stake is what both draw in one month; the lowest may be due.
    met = found.group_by("first", "month").agg(drawing=found.person.nunique())
    joined = found.join(met, ["first", "month"])
    same_month = joined.drawing > 1
    at_stake = ibis.ifelse(same_month & (joined.person != joined["first"]), joined.fen, ibis.literal(0, "int64"))
    return joined.select("row", "numbers", "means", fen=at_stake, same_month=same_month).relocate("row", "fen")


def _unknown(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings)
    nameless = because(payments.filter(~is_whole_name(payments.name)), "name_missing")
    return any_of([unidentified_payments(tables, settings), nameless])


def _plant(mint: Mint) -> Planted:
    one, shared = mint.name(), mint.account()
    family = mint.account()
    by_account = [mint.person(19520101) for _ in range(2)]
    by_digit = [mint.person(19530101) for _ in range(2)]
    strangers = [mint.person(19540101), mint.person(19540102)]
    return mint.done(
        "one_person_two_numbers",
        (
            *(mint.payment(person, name=one, account=shared) for person in by_account),
            *(mint.payment(person, name=one) for person in by_digit),
        ),
        tuple(mint.payment(person, name=one, account=family) for person in strangers),
    )


ONE_PERSON_TWO_NUMBERS: Final = Rule(
    code="one_person_two_numbers",
    chinese="一人以两个号码领取",
    english="One person paid under two identity numbers",
    severity=Severity.HIGH,
    law=(law("identity_unique"), law("fraud")),
    needs=frozenset({Kind.PAYMENTS}),
    about=Kind.PAYMENTS,
    evidence=("numbers", "means", "same_month"),
    next_step=Bilingual(
        "请公安机关核实两个号码是否为同一人；确认后合并档案，重复领取的退回。",
        "Ask the police whether both numbers are one person's; if so, join the archives and recover what was paid "
        "twice.",
    ),
    find=_find,
    unknown=_unknown,
    plant=_plant,
)
