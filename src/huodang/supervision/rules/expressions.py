"""What rules share: months, judged rows, dates against months. Whole numbers only, with no division.

`//` of Ibis goes through floating point on every engine and is silently wrong above 2^53. It isn't needed: a date is
`YYYYMMDD` and a month `YYYYMM`, so month * 100 lies above every date of earlier months and below every date of its own.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Final

import ibis
import ibis.expr.types as ir

from huodang.standards import IdentityFault, Month
from huodang.supervision.rules.rule import Tables
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import Kind

REGULAR: Final = "regular"
BACK_PAY: Final = "back_pay"
BENEFIT: Final = "benefit"
CONTRIBUTION: Final = "contribution"

# Reasons of rows that couldn't be judged, shared by several rules.
IDENTITY_MISSING: Final = "identity_missing"
IDENTITY_INVALID: Final = "identity_invalid"
# Old cards of foreigners with permanent residence have 15 characters, letters among them.
IDENTITY_NOT_EIGHTEEN: Final = "identity_not_eighteen"


def month_code(month: Month) -> int:
    """Write a month as the tables do, YYYYMM."""
    return month.year * 100 + month.month


def in_months(month: ir.IntegerColumn, settings: RuleSettings) -> ir.BooleanValue:
    """Tell whether a month is under check."""
    months = settings.months
    first, last = months[0], months[-1]
    if last - first + 1 == len(months):
        return (month == month_code(last)) if first == last else month.between(month_code(first), month_code(last))
    return month.isin([month_code(each) for each in months])


def shifted(month: ir.IntegerValue, by: int) -> ir.IntegerValue:
    """Count on from a month, YYYYMM, by so many months (back, if negative)."""
    years, rest = divmod(by, 12)
    base = month + 100 * years if years else month
    if not rest:
        return base
    return ibis.ifelse(base % 100 + rest > 12, base + (rest + 88), base + rest)


def day_shifted(day: ir.IntegerValue, months: int) -> ir.IntegerValue:
    """Count on from a day, YYYYMMDD, by so many months; a 31st stays one, which orders rightly among real days."""
    years, rest = divmod(months, 12)
    base = day + 10_000 * years
    if not rest:
        return base
    return ibis.ifelse(base % 10_000 + 100 * rest >= 1300, base + (100 * rest + 8800), base + 100 * rest)


def starts_after(month: ir.IntegerValue, day: ir.IntegerValue, months: int = 1) -> ir.BooleanValue:
    """Tell whether a month is at least so many months after the month of a day."""
    return shifted(month, 1 - months) * 100 > day


def starts_by(month: ir.IntegerValue, day: ir.IntegerValue, months: int = 0) -> ir.BooleanValue:
    """Tell whether a month is at most so many months after the month of a day."""
    return shifted(month, -months) * 100 < day


def identified(table: ir.Table) -> ir.Table:
    """Keep the rows whose number is valid: a wrong number may be another person's, so nobody is accused by it."""
    return table.filter(table.person.notnull() & (table.fault == int(IdentityFault.VALID)))


def judged(payments: ir.Table, settings: RuleSettings) -> ir.Table:
    """Keep the payments of the months under check."""
    return payments.filter(in_months(payments.month, settings))


def is_regular(payments: ir.Table) -> ir.BooleanValue:
    """Tell the monthly pension from back pay; untold is monthly."""
    return payments.kind.isnull() | (payments.kind != BACK_PAY)


def payments_of(tables: Tables, settings: RuleSettings) -> ir.Table:
    """Give the payments under check whose person is identified; nothing, or money taken back, is no payment."""
    payments = identified(judged(tables.require(Kind.PAYMENTS), settings))
    return payments.filter(payments.fen > 0)


def unidentified_payments(tables: Tables, settings: RuleSettings) -> ir.Table:
    """Give rows and reasons of the payments under check that no rule about persons can judge."""
    return unidentified(judged(tables.require(Kind.PAYMENTS), settings))


def contributions_of(tables: Tables, settings: RuleSettings) -> ir.Table:
    """Give the contributions (缴费) to other schemes in the months under check."""
    enrolments = tables.require(Kind.ENROLMENTS)
    return enrolments.filter((enrolments.kind == CONTRIBUTION) & in_months(enrolments.month, settings))


def unidentified(table: ir.Table) -> ir.Table:
    """Give rows and reasons of those that no rule about persons can judge."""
    wrong = table.filter(table.person.isnull() | (table.fault != int(IdentityFault.VALID)))
    reason = ibis.cases(
        (wrong.fault == int(IdentityFault.EMPTY), IDENTITY_MISSING),
        (wrong.fault == int(IdentityFault.VALID), IDENTITY_NOT_EIGHTEEN),
        else_=IDENTITY_INVALID,
    )
    return wrong.select("row", reason=reason)


def computed_once(table: ir.Table, key: str) -> ir.Table:
    """Mark what is used more than once, so that engines compute it once; the key is never NULL.

    Ibis writes a bare join out in full wherever it is used, and a filtered one as a common table expression. That suits
    few rows; millions are better read again than kept, each time with no more columns than needed.
    """
    return table.filter(table[key].notnull())


def because(table: ir.Table, reason: str) -> ir.Table:
    """Give every row of a table with one reason."""
    return table.select("row", reason=ibis.literal(reason))


def any_of(tables: Sequence[ir.Table]) -> ir.Table:
    """Put rows and reasons together."""
    return reduce(lambda first, second: first.union(second), tables)


def once(reasons: ir.Table) -> ir.Table:
    """Keep one reason a row, the first by its code."""
    return reasons.group_by("row").agg(reason=reasons.reason.min())


def besides(reasons: ir.Table, found: ir.Table) -> ir.Table:
    """Keep one reason a row, and none for rows that were found."""
    return once(reasons.anti_join(found, "row"))


def surely(condition: ir.BooleanValue) -> ir.BooleanValue:
    """Tell whether a condition is known to hold; what isn't told doesn't hold."""
    return ibis.coalesce(condition, ibis.literal(value=False))


def told(text: ir.StringValue) -> ir.BooleanValue:
    """Tell whether a text says anything."""
    return text.notnull() & (text.strip() != "")


def number_birth(person: ir.IntegerValue) -> ir.IntegerValue:
    """Give the birth date in a number, YYYYMMDD; by its digits, as no division of 17 digits is safe."""
    return person.cast("string").substr(6, 8).cast("int32")


def number_sex(person: ir.IntegerValue) -> ir.IntegerValue:
    """Give the sex in a number by GB/T 2261.1: 1 male, 2 female."""
    return ibis.ifelse(person % 2 == 1, 1, 2).cast("int8")


# White space, and the dots between the parts of a name (间隔号), as systems write them.
_SPACES: Final = " \u3000\u00a0\t"
_DOTS: Final = "•・･‧∙⋅᛫ꞏ●﹒"
# What systems print for a character that they couldn't hold, and what masking leaves.
_LOST: Final = "?？□■〓*＊\ufffd"


def name_key(name: ir.StringValue) -> ir.StringValue:
    """Give what two spellings of one name share: spaces, dots and case, as far as every engine can.

    A part of `standards.PersonName.key`: whatever differs here may still be one name, so a finding by names is a
    question, never an answer.
    """
    plain = reduce(lambda text, space: text.replace(space, ""), _SPACES, name)
    return reduce(lambda text, dot: text.replace(dot, "·"), _DOTS, plain).upper()


def is_whole_name(name: ir.StringValue) -> ir.BooleanValue:
    """Tell whether a name is told with no character masked or lost."""
    return reduce(lambda held, sign: held & ~name.contains(sign), _LOST, told(name))
