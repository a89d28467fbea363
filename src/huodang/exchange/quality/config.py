"""Quality rules of a table or file, as they stand in YAML."""

from typing import Annotated

import msgspec

from huodang.exchange.gateway.shapes import Filled, Shape
from huodang.exchange.values import Identifier


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
