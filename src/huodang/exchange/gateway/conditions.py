"""Conditions of a gateway's file: `{death_date: present}`, `{name: differs_from_claim}`, `any`, `all`, `not`.

A condition is compiled once at start-up into a function of one row's standard values and the grant's claims and
parameters. With an absent value no comparison holds; `absent` and `present` ask for absence itself.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

import msgspec

from huodang.exchange.errors import GatewayConfigError
from huodang.standards import BadValue, PersonName, Place, same_name


class ValueKind(StrEnum):
    """How values of an element are compared."""

    TEXT = "text"
    NAME = "name"
    DATE = "date"
    MONTH = "month"
    NUMBER = "number"
    MONEY = "money"


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What a condition may look at.

    Attributes:
        values: one row in standard elements; None is absent.
        claims: what the asker says, by element.
        parameters: what the question needs beyond the person.
    """

    values: Mapping[str, str | None]
    claims: Mapping[str, str]
    parameters: Mapping[str, str]


class QuestionFault(Exception):  # noqa: N818  (becomes a signed refusal, never shown)
    """The grant lacks something the resource needs, or it can't be compared. Carries a code and the thing's name."""

    def __init__(self, code: str, name: str) -> None:
        super().__init__(code, name)
        self.code = code
        self.name = name


Test = Callable[[Facts], bool]


@dataclass(frozen=True)
class Condition:
    """A compiled condition and what it needs."""

    holds: Test
    elements: frozenset[str] = frozenset()
    claims: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()


ALWAYS: Final = Condition(lambda _facts: True)

_MONTH_LENGTH: Final = 6
_MOMENT: Final = re.compile(r"([0-9]{4})-?([0-9]{2})(?:-?([0-9]{2}))?")


def comparable(kind: ValueKind, text: str) -> str | Decimal:
    """Bring a value to the form in which two of its kind compare.

    Raises:
        ValueError: the text isn't of the kind.
    """
    if kind in (ValueKind.NUMBER, ValueKind.MONEY):
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ValueError(kind) from None
        if not number.is_finite():
            raise ValueError(kind)
        return number
    if kind in (ValueKind.DATE, ValueKind.MONTH):
        match = _MOMENT.fullmatch(text)
        if match is None:
            raise ValueError(kind)
        date(int(match[1]), int(match[2]), int(match[3] or 1))
        return "".join(part for part in match.groups() if part)
    return text


def equal(kind: ValueKind, left: str, right: str) -> bool:
    """Say whether two values of one kind are the same; names by what two spellings of one name share."""
    if left == right:
        return True
    if kind is ValueKind.NAME:
        try:
            return same_name(PersonName.parse(left), PersonName.parse(right))
        except BadValue:
            return False
    if kind is ValueKind.TEXT:
        return False
    try:
        return comparable(kind, left) == comparable(kind, right)
    except ValueError:
        return False


_ORDERS: Final[dict[str, Callable[[str | Decimal, str | Decimal], bool]]] = {
    "on_or_before": lambda left, right: left <= right,  # type: ignore[operator]  # both of one kind, see _compare
    "on_or_after": lambda left, right: left >= right,  # type: ignore[operator]  # as above
    "before": lambda left, right: left < right,  # type: ignore[operator]  # as above
    "after": lambda left, right: left > right,  # type: ignore[operator]  # as above
    "less_than": lambda left, right: left < right,  # type: ignore[operator]  # as above
    "at_least": lambda left, right: left >= right,  # type: ignore[operator]  # as above
}
_IN_TIME: Final = frozenset({"on_or_before", "on_or_after", "before", "after"})


def _compare(kind: ValueKind, order: str, left: str, right: str) -> bool:
    first, second = comparable(kind, left), comparable(kind, right)
    if isinstance(first, str) and isinstance(second, str):
        # A date against a month compares months.
        length = min(len(first), len(second))
        first, second = first[:length], second[:length]
    return _ORDERS[order](first, second)


@dataclass(frozen=True)
class ConditionCompiler:
    """Turns the YAML of a `when` into a Condition, or says what is wrong and where.

    Attributes:
        kinds: the elements that the resource maps, and how each compares.
        place: file and resource, for the error.
    """

    kinds: Mapping[str, ValueKind]
    place: Place
    known: Callable[[str], ValueKind | None] = field(default=lambda _name: None)

    def _fault(self, chinese: str, english: str, element: str | None = None) -> GatewayConfigError:
        return GatewayConfigError(
            f"条件有误：{chinese}",
            f"a condition is wrong: {english}",
            advice_chinese="条件的写法见 docs/gateway.md。",
            advice_english="See docs/gateway.md for how conditions are written.",
            place=Place(element=element).within(self.place),
        )

    def compile(self, raw: object) -> Condition:
        """Compile a condition.

        Raises:
            GatewayConfigError: it names an unmapped element, an unknown test, or a value that doesn't fit.
        """
        if not isinstance(raw, dict) or not raw:
            raise self._fault("应为“数据元: 判断”的映射", "it must be a mapping of element to test")
        parts: list[Condition] = []
        for key, value in raw.items():
            if key in ("any", "all"):
                if not isinstance(value, list) or not value:
                    raise self._fault(f"{key} 后应为条件列表", f"{key} takes a list of conditions")
                inner = [self.compile(item) for item in value]
                parts.append(_either(inner) if key == "any" else _every(inner))
            elif key == "not":
                parts.append(_negated(self.compile(value)))
            elif isinstance(key, str) and key in self.kinds:
                tests = value if isinstance(value, dict) else {value: None}
                if not tests:
                    raise self._fault("判断为空", "the test is empty", key)
                parts.extend(self._test(key, name, operand) for name, operand in tests.items())
            else:
                raise self._fault(f"数据元 {key} 没有映射", f"element {key} isn't mapped by this resource", str(key))
        return _every(parts)

    def _test(self, element: str, name: object, operand: object) -> Condition:
        if name == "present" and operand is None:
            return Condition(lambda facts: facts.values[element] is not None, frozenset({element}))
        if name == "absent" and operand is None:
            return Condition(lambda facts: facts.values[element] is None, frozenset({element}))
        if name in ("equals_claim", "differs_from_claim"):
            return self._against_claim(element, operand, differs=name == "differs_from_claim")
        if name == "equals":
            return self._member(element, [operand], wanted=True)
        if name in ("in", "not_in"):
            if not isinstance(operand, list) or not operand:
                raise self._fault(f"{name} 后应为列表", f"{name} takes a list", element)
            return self._member(element, operand, wanted=name == "in")
        if isinstance(name, str) and name in _ORDERS:
            return self._ordered(element, name, operand)
        raise self._fault(f"没有判断 {name}", f"there is no test {name}", element)

    def _literal(self, element: str, operand: object) -> str:
        if isinstance(operand, bool) or not isinstance(operand, str | int | date):
            raise self._fault("值应为文字、整数或日期", "the value must be text, a whole number or a date", element)
        text = str(operand)
        try:
            comparable(self.kinds[element], text)
        except ValueError:
            raise self._fault("值与数据元的类型不符", "the value doesn't fit the element's type", element) from None
        return text

    def _member(self, element: str, operands: list[object], *, wanted: bool) -> Condition:
        kind = self.kinds[element]
        literals = tuple(self._literal(element, operand) for operand in operands)

        def holds(facts: Facts) -> bool:
            value = facts.values[element]
            return value is not None and any(equal(kind, value, literal) for literal in literals) is wanted

        return Condition(holds, frozenset({element}))

    def _against_claim(self, element: str, operand: object, *, differs: bool) -> Condition:
        claim = element if operand is None else operand
        kind = self.kinds[element]
        if not isinstance(claim, str) or (claim not in self.kinds and self.known(claim) is None):
            raise self._fault(f"标准中没有数据元 {claim}", f"the standard has no element {claim}", str(claim))

        def holds(facts: Facts) -> bool:
            value, claimed = facts.values[element], facts.claims.get(claim)
            return value is not None and claimed is not None and equal(kind, value, claimed) is not differs

        return Condition(holds, frozenset({element}), frozenset({claim}))

    def _ordered(self, element: str, order: str, operand: object) -> Condition:
        kind = self.kinds[element]
        if (order in _IN_TIME) is not (kind in (ValueKind.DATE, ValueKind.MONTH)) or kind in (
            ValueKind.TEXT,
            ValueKind.NAME,
        ):
            raise self._fault(f"{order} 不适用于该数据元的类型", f"{order} doesn't fit the element's type", element)
        if not isinstance(operand, dict):
            literal = self._literal(element, operand)
            return self._order_condition(element, order, lambda _facts: literal, Condition(ALWAYS.holds))
        if len(operand) == 1 and isinstance(parameter := operand.get("parameter"), str):

            def from_parameter(facts: Facts) -> str:
                if parameter not in facts.parameters:
                    raise QuestionFault("parameter_missing", parameter)
                try:
                    comparable(kind, facts.parameters[parameter])
                except ValueError:
                    raise QuestionFault("parameter_invalid", parameter) from None
                return facts.parameters[parameter]

            needs = Condition(ALWAYS.holds, parameters=frozenset({parameter}))
            return self._order_condition(element, order, from_parameter, needs)
        if len(operand) == 1 and isinstance(other := operand.get("element"), str) and other in self.kinds:
            needs = Condition(ALWAYS.holds, elements=frozenset({other}))
            return self._order_condition(element, order, lambda facts: facts.values[other], needs)
        raise self._fault(
            f"{order} 后应为值、{{parameter: …}} 或 {{element: …}}",
            f"{order} takes a value, {{parameter: …}} or {{element: …}}",
            element,
        )

    def _order_condition(
        self, element: str, order: str, other: Callable[[Facts], str | None], needs: Condition
    ) -> Condition:
        kind = self.kinds[element]

        def holds(facts: Facts) -> bool:
            # The other side first: a missing parameter is a fault whether or not this row has a value.
            second, first = other(facts), facts.values[element]
            return first is not None and second is not None and _compare(kind, order, first, second)

        return Condition(holds, needs.elements | {element}, needs.claims, needs.parameters)


def _needs(parts: list[Condition], holds: Test) -> Condition:
    return Condition(
        holds,
        frozenset[str]().union(*(part.elements for part in parts)),
        frozenset[str]().union(*(part.claims for part in parts)),
        frozenset[str]().union(*(part.parameters for part in parts)),
    )


def _every(parts: list[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else _needs(parts, lambda facts: all(part.holds(facts) for part in parts))


def _either(parts: list[Condition]) -> Condition:
    return _needs(parts, lambda facts: any(part.holds(facts) for part in parts))


def _negated(part: Condition) -> Condition:
    return _needs([part], lambda facts: not part.holds(facts))
