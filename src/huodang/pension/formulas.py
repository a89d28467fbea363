"""The formulas of the employee pension in exact arithmetic: yuan as fractions, nothing rounded before the last step."""

from decimal import Decimal
from fractions import Fraction


def indexed_wage(base: Fraction, average_index: Fraction) -> Fraction:
    """指数化月平均缴费工资 = pension base × average index, in yuan, unrounded.

    Source: 国发〔2005〕38号第六条.
    """
    return base * average_index


def basic_part(base: Fraction, wage: Fraction, years: Fraction, rate: Fraction) -> Fraction:
    """基础养老金 = (pension base + indexed wage) / 2 × years × rate, in yuan, unrounded.

    Source: 国发〔2005〕38号第六条; rule R-BEN-01.
    """
    return (base + wage) / 2 * years * rate


def account_part(account: Fraction, payout_months: Fraction) -> Fraction:
    """个人账户养老金 = what the account holds / payout months, in yuan, unrounded.

    Source: 国发〔2005〕38号第六条及附件; rule R-BEN-02.
    """
    return account / payout_months


def transitional_part(wage: Fraction, years_before_account: Fraction, coefficient: Fraction) -> Fraction:
    """过渡性养老金 = indexed wage × years before the account began × coefficient, in yuan, unrounded.

    Source: the province's rule; Hebei: 冀劳社〔2006〕67号 (number unverified), rule R-BEN-03.
    """
    return wage * years_before_account * coefficient


def rounded_years(months: Fraction, decimals: int | None) -> Fraction:
    """Turn months of contributions into years, HALF_UP to so many decimals, or exactly where None.

    Source: provincial practice, see parameter `credited_years`.
    """
    years = months / 12
    if decimals is None:
        return years
    scale = 10**decimals
    scaled = years * scale
    return Fraction((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator), scale)


def plain(value: Fraction) -> str:
    """Write an exact figure for a trace: as a decimal where it ends within six places, else as a fraction."""
    decimal = Decimal(value.numerator) / Decimal(value.denominator)
    if Fraction(decimal) == value and -decimal.as_tuple().exponent <= 6:  # type: ignore[operator]  # finite, so a number
        return f"{decimal:f}"
    return f"{value.numerator}/{value.denominator}"
