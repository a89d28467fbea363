"""What every section of a gateway's file is made of; each delivery mode keeps its own sections beside its code."""

from typing import Annotated, Any

import msgspec

from huodang.exchange.values import Identifier

Filled = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the file: what isn't named here is refused."""


class Title(Shape, frozen=True, kw_only=True):
    """A name in both languages."""

    chinese: Filled
    english: Filled


class ElementSpec(Shape, frozen=True, kw_only=True):
    """Where an element stands and how it is read. `crosswalk`: a name, `{file: …}`, or the pairs."""

    column: Filled | None = None
    constant: Filled | None = None
    crosswalk: Any = None
    format: Filled | None = None
    unit: Filled | None = None
    absent_values: tuple[str, ...] = ()


class RuleSpec(Shape, frozen=True, kw_only=True):
    """One rule on one element; a row that breaks it is quarantined with the rule's name as reason.

    Attributes:
        rule: its name, stable, such as `death_before_birth`.
        element: what it is about; an absent value breaks no rule.
        not_before: a day, a month, a number, or the name of another element.
        not_after: the same; `today` is the day of the lot.
        one_of: the values permitted.
        pattern: what the whole value must look like, as a regular expression.
    """

    rule: Identifier
    element: Identifier
    not_before: Filled | None = None
    not_after: Filled | None = None
    one_of: Annotated[tuple[str, ...], msgspec.Meta(max_length=500)] = ()
    pattern: Filled | None = None
