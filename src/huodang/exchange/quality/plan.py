"""The plan of one resource's rows: which column becomes which element, what is required, which rules hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from huodang.exchange.errors import GatewayConfigError
from huodang.exchange.gateway.conversion import ElementSource
from huodang.exchange.gateway.formats import MomentFormat
from huodang.exchange.gateway.mapping import Beside, compile_elements, moment_format, standard_element
from huodang.exchange.gateway.shapes import ElementSpec, RuleSpec
from huodang.exchange.quality.rules import Rule, compile_rules
from huodang.standards import Place


@dataclass(frozen=True)
class RowPlan:
    """How rows of one resource become standard rows.

    Attributes:
        resource: what the rows are of.
        key: the elements that name a row for good.
        elements: every element with its column, ordered by the element's name.
        required: elements that may not be absent; the key's never may.
        rules: what rows must keep beyond that.
        formats: elements of dates and months for which several formats are declared.
    """

    resource: str
    key: tuple[str, ...]
    elements: tuple[ElementSource, ...]
    required: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()
    formats: Mapping[str, tuple[MomentFormat, ...]] = field(default_factory=dict)

    @property
    def offers(self) -> frozenset[str]:
        """The elements that rows may hold."""
        return frozenset(source.element.identifier for source in self.elements)

    @property
    def columns(self) -> dict[str, str]:
        """The columns read, each with an element that it is for."""
        return {source.column: source.element.identifier for source in self.elements if source.column}


def compile_plan(
    resource: str,
    key: Sequence[str],
    elements: Mapping[str, str | ElementSpec],
    *,
    beside: Beside,
    place: Place,
    required: Sequence[str] = (),
    rules: Sequence[RuleSpec] = (),
) -> RowPlan:
    """Understand the mapping of a table or file.

    Args:
        resource: what the rows are of.
        key: the elements of the key.
        elements: by element its column, as in the gateway's `resources`; a format may name several, parted by `|`.
        beside: finds crosswalk files beside the file that holds the mapping.
        place: file and resource, for errors.
        required: elements that may not be absent.
        rules: see `RuleSpec`.

    Raises:
        GatewayConfigError: an element, format, crosswalk or rule isn't known or doesn't fit, or the key isn't mapped.
    """
    formats: dict[str, tuple[MomentFormat, ...]] = {}
    plain: dict[str, str | ElementSpec] = {}
    for name, spec in elements.items():
        at = Place(element=f"{place.element}.{name}").within(place)
        if isinstance(spec, ElementSpec) and spec.format and "|" in spec.format:
            if standard_element(name, at).type not in ("date", "month"):
                raise _wrong("format 只用于日期和年月", "`format` is for dates and months", at)
            formats[name] = tuple(moment_format(one.strip(), at) for one in spec.format.split("|"))
            plain[name] = msgspec.structs.replace(spec, format=None)
        else:
            plain[name] = spec
    sources = compile_elements(plain, beside, place)
    mapped = frozenset(plain)
    for name in (*key, *required):
        if name not in mapped:
            raise _wrong(
                f"key 或 required 中的数据元 {name} 没有映射",
                f"the element {name} of key or required isn't mapped",
                place,
            )
    if not key:
        raise _wrong("没有 key：无法分辨各行", "there is no `key`: rows can't be told apart", place)
    return RowPlan(
        resource=resource,
        key=tuple(key),
        elements=tuple(sorted(sources, key=lambda source: source.element.identifier)),
        required=frozenset(required) | frozenset(key),
        rules=compile_rules(rules, mapped, place),
        formats=formats,
    )


def _wrong(chinese: str, english: str, place: Place) -> GatewayConfigError:
    return GatewayConfigError(
        chinese,
        english,
        advice_chinese="写法见 docs/lots.md。",
        advice_english="See docs/lots.md for the format.",
        place=place,
    )
