"""What a department asks for when it raises a demand, and the agreement that comes of it. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

import msgspec

from huodang.exchange.catalogue import CatalogueEntry, Sharing, check_agreement
from huodang.exchange.errors import AgreementError
from huodang.exchange.sharing.errors import DemandError
from huodang.exchange.values import Agreement, Identifier, Kind, Message, Names, Value
from huodang.standards import Place, element

Said = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Wished = Annotated[str, msgspec.Meta(pattern=r"^([a-z][a-z0-9_]{0,63}\.[a-z][a-z0-9_]{0,63})?\Z")]
Frequency = Literal["once", "realtime", "daily", "weekly", "monthly", "yearly"]

FREQUENCY_LABELS: dict[str, tuple[str, str]] = {
    "once": ("一次性", "once"),
    "realtime": ("实时", "as it happens"),
    "daily": ("每日", "daily"),
    "weekly": ("每周", "weekly"),
    "monthly": ("每月", "monthly"),
    "yearly": ("每年", "yearly"),
}


class DemandTerms(Message, frozen=True, kw_only=True):
    """What is asked for.

    Attributes:
        consumer: department that asks.
        provider: department that is asked.
        purposes: codes of the purposes (用途).
        legal_basis: the law it rests on.
        kind: how it is to be delivered: call, table, file, match or event.
        frequency: how often.
        valid_from: first day of use.
        valid_to: last day of use; None for as long as both sides agree.
        resource: entry of the catalogue; empty if the data wished for aren't published.
        wished: what is wished for, in words; needed where no resource is named.
        elements: to be compared.
        fields: to be handed over raw.
        rows: only rows whose element has one of these values; a value that ends in `*` is a beginning.
        calls_per_minute, cache_seconds: as in an agreement.
    """

    consumer: Identifier
    provider: Identifier
    purposes: Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1, max_length=64)]
    legal_basis: Said
    kind: Kind
    frequency: Frequency
    valid_from: date
    valid_to: date | None = None
    resource: Wished = ""
    wished: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    elements: Names = ()
    fields: Names = ()
    rows: Annotated[
        dict[Identifier, Annotated[tuple[Value, ...], msgspec.Meta(min_length=1, max_length=64)]],
        msgspec.Meta(max_length=8),
    ] = {}
    calls_per_minute: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)] | None = None
    cache_seconds: Annotated[int, msgspec.Meta(ge=0, le=86_400 * 31)] = 0


def check_terms(terms: DemandTerms, entries: Mapping[str, CatalogueEntry], today: date) -> None:
    """Say whether a demand can be raised as it stands.

    Raises:
        DemandError: the sides are one, the days are wrong, nothing is asked for, or the catalogue has no such thing.
        UnknownElement: an element isn't in the standard.
    """
    if terms.consumer == terms.provider:
        raise _refused("使用方和提供方是同一个部门", "consumer and provider are one department", "provider")
    if terms.valid_to is not None and terms.valid_to < max(terms.valid_from, today):
        raise _refused("止期早于起期或今天", "it would end before it begins, or before today", "valid_to")
    for name in (*terms.elements, *terms.fields, *terms.rows):
        element(name)
    if not terms.resource:
        if not terms.wished.strip():
            raise _refused(
                "请写明目录资源，或用文字说明需要的数据",
                "name an entry of the catalogue, or say in words what is wished for",
                "wished",
            )
        return
    if terms.resource.partition(".")[0] != terms.provider:
        raise _refused("该资源不是这个部门提供的", "the resource is another department's", "resource")
    entry = entries.get(terms.resource)
    if entry is None:
        raise _refused(
            "目录中没有这项资源；未发布的数据请留空 resource 并填写 wished",
            "the catalogue has no such entry; for unpublished data leave `resource` empty and fill in `wished`",
            "resource",
        )
    if entry.sharing is Sharing.NONE:
        raise _refused("该资源不予共享", "the resource isn't shared", "resource")
    try:
        check_agreement(draft_agreement(terms, "check", 1, "hub", today), dict(entries))
    except AgreementError as problem:
        raise DemandError(problem.chinese, problem.english, place=problem.place) from None
    if not terms.elements and not terms.fields:
        raise _refused("没有写明需要哪些数据元", "no element is asked for", "elements")


def narrower(terms: DemandTerms, demanded: DemandTerms) -> bool:
    """Say whether what the provider is ready to give goes nowhere beyond what was asked for."""
    same = (
        "consumer",
        "provider",
        "resource",
        "kind",
        "legal_basis",
        "frequency",
        "wished",
    )
    return (
        all(getattr(terms, name) == getattr(demanded, name) for name in same)
        and set(terms.purposes) <= set(demanded.purposes)
        and set(terms.elements) <= set(demanded.elements)
        and set(terms.fields) <= set(demanded.fields)
        and terms.valid_from >= demanded.valid_from
        and (demanded.valid_to is None or (terms.valid_to is not None and terms.valid_to <= demanded.valid_to))
        and all(name in terms.rows and _within(terms.rows[name], rows) for name, rows in demanded.rows.items())
        and (
            demanded.calls_per_minute is None
            or (terms.calls_per_minute is not None and terms.calls_per_minute <= demanded.calls_per_minute)
        )
        and terms.cache_seconds <= demanded.cache_seconds
    )


def _within(values: tuple[str, ...], bounds: tuple[str, ...]) -> bool:
    return all(
        any(value == bound or (bound.endswith("*") and value.startswith(bound[:-1])) for bound in bounds)
        for value in values
    )


def draft_agreement(
    terms: DemandTerms,
    agreement_id: str,
    version: int,
    grant_signer: str,
    today: date,
    *,
    valid_to: date | None = None,
) -> Agreement:
    """Write the agreement that a demand comes to; both departments sign it with their own keys.

    Args:
        terms: what was approved.
        agreement_id: of the agreement.
        version: of the agreement.
        grant_signer: holder whose grants the provider will accept.
        today: it doesn't begin before today.
        valid_to: last day, where it differs from what was asked for: a renewal.
    """
    return Agreement(
        agreement_id=agreement_id,
        version=version,
        provider=terms.provider,
        consumer=terms.consumer,
        resource=terms.resource,
        kind=terms.kind,
        purposes=terms.purposes,
        legal_basis=terms.legal_basis,
        elements=terms.elements,
        fields=terms.fields,
        valid_from=max(terms.valid_from, today),
        valid_to=valid_to if valid_to is not None else terms.valid_to,
        grant_signer=grant_signer,
        rows=terms.rows,
        calls_per_minute=terms.calls_per_minute,
        cache_seconds=terms.cache_seconds,
    )


def _refused(chinese: str, english: str, where: str) -> DemandError:
    return DemandError(
        chinese,
        english,
        advice_chinese="写法见 docs/sharing.md。",
        advice_english="See docs/sharing.md for the form.",
        place=Place(element=where),
    )
