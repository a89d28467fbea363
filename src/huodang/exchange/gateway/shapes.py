"""What every section of a gateway's file is made of; each delivery mode keeps its own sections beside its code."""

from typing import Annotated, Any

import msgspec

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
