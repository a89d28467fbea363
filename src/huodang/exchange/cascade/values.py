"""What walks between hubs beside grants and verdicts, and how a resource is named on its way. Values only.

A department's resource `health.death` of the hub `city_b` is `city_b.health__death` to the neighbours of that hub, and
`province.city_b__health__death` to the neighbours of the hub `province`: each hub puts its name in front.
"""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from huodang.exchange.cascade.errors import CascadeError
from huodang.exchange.catalogue import CatalogueEntry
from huodang.exchange.values import Identifier, Instant, Message, ResourceName, to_the_second
from huodang.standards import Place
from huodang.trust import PublicKey, TrustedKeys

HUB_KEYS: Final = "hub_keys"
"""Kind of the envelope in which a hub attests the keys of those who answer through it."""
HUB_OFFERS: Final = "hub_offers"
"""Kind of the envelope in which a hub says what it passes on."""
RELAY_PATH: Final = "relay_path"
"""The grant's parameter: the hubs through which the question came, in order, the asking one first."""
RELAY_GRANTS: Final = "relay_grants"
"""The grant's parameter: the digests of the grants that those hubs made, in the same order."""
LONGEST_PATH: Final = 7
"""Hubs on the way at most: county, city, province, nation, and down again."""

_BETWEEN: Final = "__"
_LONGEST_NAME: Final = 64


class HubKeys(Message, frozen=True, kw_only=True):
    """The public keys that a hub attests.

    Attributes:
        hub: who attests.
        domains: by hub, the keys of those who answer to it: departments and neighbouring hubs, each key as in
            `trust.json`. Beside its own, a hub passes on what its neighbours attested to it.
    """

    hub: Identifier
    domains: Annotated[
        dict[Identifier, Annotated[tuple[dict[str, Any], ...], msgspec.Meta(max_length=512)]],
        msgspec.Meta(max_length=256),
    ]
    attested_at: Instant


Domains = dict[str, TrustedKeys]
"""By hub, the keys of those who answer to it."""


def attest(hub: str, domains: dict[str, list[PublicKey]], now: datetime) -> HubKeys:
    """Write what a hub attests."""
    listed = {name: tuple(dict(key.to_members()) for key in keys) for name, keys in domains.items()}
    return HubKeys(hub=hub, domains=listed, attested_at=to_the_second(now))


def read_domains(attested: HubKeys) -> Domains:
    """Read attested keys.

    Raises:
        UnusableKeyError: one of them is no key.
    """
    return {
        name: TrustedKeys(tuple(PublicKey.from_members(one) for one in members))
        for name, members in attested.domains.items()
    }


class Offer(Message, frozen=True, kw_only=True):
    """One resource that a hub passes on.

    Attributes:
        resource: how it is called at the neighbour.
        origin_hub: the hub of the department that answers.
        origin_resource: how that department calls it.
        path: the hubs from the one that offers to the origin.
        entry: the catalogue entry, under the name that it has at the neighbour.
    """

    resource: ResourceName
    origin_hub: Identifier
    origin_resource: ResourceName
    path: Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1, max_length=LONGEST_PATH)]
    entry: CatalogueEntry


class HubOffers(Message, frozen=True, kw_only=True):
    """All that a hub passes on to a neighbour; what it offered before and isn't here was withdrawn."""

    hub: Identifier
    offers: Annotated[tuple[Offer, ...], msgspec.Meta(max_length=5000)]
    offered_at: Instant


class Hop(msgspec.Struct, frozen=True):
    """One step of the chain behind an answer: the grant that a hub made for a question, and the signed answer to it."""

    grant: msgspec.Raw
    verdict: msgspec.Raw


def outer_name(hub: str, inner: str) -> str:
    """Name a hub's resource as its neighbours know it.

    Raises:
        CascadeError: the name grows too long: the resource has come too far.
    """
    department, _, what = inner.partition(".")
    name = f"{department}{_BETWEEN}{what}"
    if len(name) > _LONGEST_NAME:
        raise CascadeError(
            "级联后的资源标识过长",
            "the name of the resource grows too long on its way",
            advice_chinese="请缩短资源标识，或减少级联层数。",
            advice_english="Give the resource a shorter name, or pass it over fewer hubs.",
            place=Place(element=inner),
        )
    return f"{hub}.{name}"
