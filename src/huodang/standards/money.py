"""Money as whole fen (分). No float touches it."""

import operator
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from huodang.standards.errors import BadValue
from huodang.standards.text import to_half_width

_YUAN = re.compile(r"([+-]?)([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]{1,2}))?")


class MoneyError(BadValue):
    """A text isn't an amount in yuan with at most two decimals."""

    code: ClassVar[str] = "money.invalid"


@dataclass(frozen=True, order=True)
class Money:
    """An amount in whole fen; negative amounts are debts or differences.

    Raises:
        TypeError: `fen` isn't an integer (a float or a truth value, say).
    """

    fen: int

    def __post_init__(self) -> None:
        if isinstance(self.fen, bool):
            raise TypeError("Money takes integer fen, not a truth value")
        # Integers of other libraries (numpy) become plain ones, so that sums can't overflow.
        object.__setattr__(self, "fen", operator.index(self.fen))

    @classmethod
    def zero(cls) -> "Money":
        """Give no money at all."""
        return cls(0)

    @classmethod
    def yuan(cls, text: str | int | Decimal) -> "Money":
        """Read yuan exactly, such as `123.45`, `1,234.5` or `-8`.

        Raises:
            MoneyError: the text isn't a number, or has a third decimal.
        """
        found = _YUAN.fullmatch(_plain(text))
        if found is None:
            raise MoneyError(
                "金额的写法无法识别，或小数超过两位",
                "the text isn't an amount in yuan with at most two decimals",
                advice_chinese="请写成以元为单位、最多两位小数的数字，例如 1234.50。",
                advice_english="Write yuan with at most two decimals, such as 1234.50.",
            )
        fen = int(found[2].replace(",", "")) * 100 + int((found[3] or "").ljust(2, "0"))
        return cls(-fen if found[1] == "-" else fen)

    @classmethod
    def half_up(cls, yuan: Fraction | Decimal | int) -> "Money":
        """Round an exact amount in yuan to whole fen, a half away from zero (HALF_UP, 四舍五入).

        Raises:
            MoneyError: the amount is infinite or not a number.
            TypeError: the amount is a float.
        """
        if isinstance(yuan, float):
            raise TypeError("Money takes Fraction or Decimal, not float")
        if isinstance(yuan, Decimal) and not yuan.is_finite():
            raise MoneyError("金额不是有限的数", "the amount isn't a finite number")
        exact = Fraction(yuan) * 100
        fen = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
        return cls(-fen if exact < 0 else fen)

    @property
    def text(self) -> str:
        """Write the amount in yuan with two decimals, as `Money.yuan` reads it."""
        whole, rest = divmod(abs(self.fen), 100)
        return f"{'-' if self.fen < 0 else ''}{whole}.{rest:02d}"

    def __str__(self) -> str:
        return self.text

    def __add__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.fen + other.fen)

    def __sub__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.fen - other.fen)

    def __mul__(self, times: int) -> "Money":
        if isinstance(times, bool) or not isinstance(times, int):
            return NotImplemented
        return Money(self.fen * times)

    __rmul__ = __mul__

    def __neg__(self) -> "Money":
        return Money(-self.fen)

    def __bool__(self) -> bool:
        return self.fen != 0


def _plain(text: str | int | Decimal) -> str:
    if isinstance(text, str):
        return to_half_width(text).strip()
    if isinstance(text, Decimal):
        return format(text, "f")
    if isinstance(text, int) and not isinstance(text, bool):
        return str(text)
    raise TypeError("Money.yuan takes text, int or Decimal")
