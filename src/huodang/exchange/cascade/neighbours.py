"""Whom a hub knows above and below: address, certificate authority and keys of each, kept apart from its own."""

import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from huodang.exchange.cascade.errors import CascadeError
from huodang.exchange.cascade.values import LONGEST_PATH
from huodang.standards import Place
from huodang.trust import TlsPair, TrustedKeys


@dataclass(frozen=True)
class Neighbour:
    """A hub above or below.

    Attributes:
        holder: the name under which it signs; unlike any department's and any other hub's.
        url: where it answers, `https://host:port`.
        trust: its public keys, as it handed them over; those of other holders in the file don't count.
        authority: the certificate of the authority that issued its certificates.
        upper: it stands above.
    """

    holder: str
    url: str
    trust: Path
    authority: Path
    upper: bool = False


@dataclass(frozen=True)
class CascadeSettings:
    """The section `cascade` of hub.yaml.

    Attributes:
        upper: the hub above, if there is one.
        lower: the hubs below.
        host: where this hub answers its neighbours.
        port: the same.
        longest_path: how many hubs may have asked before this one.
        refresh_seconds: how often entries and keys of the neighbours are looked at again.
    """

    upper: Neighbour | None = None
    lower: tuple[Neighbour, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8443
    longest_path: int = LONGEST_PATH
    refresh_seconds: int = 30

    @property
    def neighbours(self) -> tuple[Neighbour, ...]:
        """Give all, the upper one first."""
        return (*((self.upper,) if self.upper is not None else ()), *self.lower)


_FORBIDDEN: Final = frozenset({"hub", "portal"})
"""Every deployment has holders of these names: between deployments they name nobody."""


def neighbour_keys(neighbours: Iterable[Neighbour], own: TrustedKeys, holder: str) -> TrustedKeys:
    """Read the keys of the neighbours, and of nobody else.

    Raises:
        CascadeError: a name is taken by somebody else, or a file holds no key of the neighbour.
        UnusableKeyError: a file can't be read.
    """
    found = TrustedKeys()
    taken = {key.holder for key in own} | {holder} | _FORBIDDEN
    for one in neighbours:
        place = Place(file=one.trust.name, element=one.holder)
        if one.holder in taken:
            raise CascadeError(
                "该名称已属于本平台的部门、本平台自己或另一个相邻平台",
                "this name is already a department's here, this hub's own, or another neighbour's",
                advice_chinese="级联的各平台须有互不相同的 holder，且不能叫 hub 或 portal。",
                advice_english="Hubs that know each other need `holder` names of their own, not `hub` or `portal`.",
                place=place,
            )
        taken.add(one.holder)
        keys = TrustedKeys.load(one.trust).of_holder(one.holder)
        if not keys:
            raise CascadeError("公钥清单中没有该平台的公钥", "the list holds no key of this hub", place=place)
        for key in keys:
            found.add(key)
    return found


def client_context(own: TlsPair, neighbour: Neighbour) -> ssl.SSLContext:
    """Show this hub's certificate to a neighbour, and believe only that neighbour's authority.

    Raises:
        UnusableKeyError: a file is missing or broken.
    """
    return TlsPair(own.certificate, own.key, neighbour.authority).client_context()


def server_context(own: TlsPair, neighbours: Sequence[Neighbour]) -> ssl.SSLContext:
    """Serve whoever shows a certificate of one of the neighbours' authorities, and nobody else.

    Raises:
        UnusableKeyError: a file is missing or broken.
    """
    first, *others = neighbours
    context = TlsPair(own.certificate, own.key, first.authority).server_context()
    for one in others:
        # Loads with the same care as the first, then only adds its authority.
        TlsPair(own.certificate, own.key, one.authority).client_context()
        context.load_verify_locations(one.authority)
    return context
