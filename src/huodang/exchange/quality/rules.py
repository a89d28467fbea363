"""Quality rules beyond what each element asks for itself: order of two dates, ranges, lists, patterns. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from huodang.exchange.errors import GatewayConfigError
from huodang.exchange.gateway.shapes import RuleSpec
from huodang.standards import Place, element

TODAY = "today"
_NUMBERS = frozenset({"integer", "decimal", "money"})


@dataclass(frozen=True)
class Rule:
    """One compiled rule; see `RuleSpec`.

    Attributes:
        numeric: values compare as numbers; otherwise as text, which for dates and months is the order of time.
        not_before: a fixed value, or empty; `not_before_element` names the element instead.
    """

    name: str
    element: str
    numeric: bool
    not_before: str = ""
    not_before_element: str = ""
    not_after: str = ""
    not_after_element: str = ""
    one_of: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None

    def holds(self, values: Mapping[str, str], today: date) -> bool:
        """Say whether a row keeps the rule."""
        value = values.get(self.element)
        if value is None:
            return True
        if self.one_of and value not in self.one_of:
            return False
        if self.pattern is not None and not self.pattern.fullmatch(value):
            return False
        lowest = values.get(self.not_before_element) if self.not_before_element else self.not_before
        highest = values.get(self.not_after_element) if self.not_after_element else self.not_after
        if highest == TODAY:
            highest = today.isoformat()
        return not (lowest and self._less(value, lowest)) and not (highest and self._less(highest, value))

    def _less(self, one: str, other: str) -> bool:
        return Decimal(one) < Decimal(other) if self.numeric else one < other


def compile_rules(specs: Sequence[RuleSpec], mapped: frozenset[str], place: Place) -> tuple[Rule, ...]:
    """Understand the rules of a table or file.

    Raises:
        GatewayConfigError: a rule names an element that isn't mapped, a bound that can't be compared, or no condition.
    """
    return tuple(_compile(spec, mapped, Place(element=f"{place.element}.{spec.rule}").within(place)) for spec in specs)


def _compile(spec: RuleSpec, mapped: frozenset[str], place: Place) -> Rule:
    if spec.element not in mapped:
        raise _wrong("规则的数据元没有映射", "the rule's element isn't mapped", place)
    if not (spec.not_before or spec.not_after or spec.one_of or spec.pattern):
        raise _wrong("规则没有条件", "the rule has no condition", place)
    kind = element(spec.element).type
    try:
        pattern = re.compile(spec.pattern) if spec.pattern else None
    except re.error:
        raise _wrong("pattern 不是正则表达式", "`pattern` is no regular expression", place) from None
    lowest, lowest_element = _bound(spec.not_before, kind, mapped, place)
    highest, highest_element = _bound(spec.not_after, kind, mapped, place)
    return Rule(
        name=spec.rule,
        element=spec.element,
        numeric=kind in _NUMBERS,
        not_before=lowest,
        not_before_element=lowest_element,
        not_after=highest,
        not_after_element=highest_element,
        one_of=frozenset(spec.one_of),
        pattern=pattern,
    )


def _bound(text: str | None, kind: str, mapped: frozenset[str], place: Place) -> tuple[str, str]:
    if text is None:
        return "", ""
    if text in mapped:
        if element(text).type != kind:
            raise _wrong("两个数据元类型不同，不能比较", "the two elements are of different types", place)
        return "", text
    try:
        if kind == "date" and text != TODAY:
            date.fromisoformat(text)
        elif kind in _NUMBERS:
            Decimal(text)
    except (ValueError, InvalidOperation):
        raise _wrong(f"界限 {text} 无法比较", f"the bound {text} can't be compared", place) from None
    if text == TODAY and kind != "date":
        raise _wrong("today 只用于日期", "`today` is for dates", place)
    return text, ""


def _wrong(chinese: str, english: str, place: Place) -> GatewayConfigError:
    return GatewayConfigError(
        chinese,
        english,
        advice_chinese="写法见 docs/lots.md。",
        advice_english="See docs/lots.md for the format.",
        place=place,
    )
