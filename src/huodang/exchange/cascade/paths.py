"""Whether a neighbour's question may go on, and how narrow it must be: pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from huodang.exchange.cascade.values import LONGEST_PATH, RELAY_GRANTS, RELAY_PATH
from huodang.exchange.values import Grant

_DIGEST: Final = 64


@dataclass(frozen=True)
class Walked:
    """The way that a question has come.

    Attributes:
        hubs: those that asked, the first asker first.
        grants: the digests of their grants, in the same order.
    """

    hubs: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()

    def parameters(self) -> dict[str, str]:
        """Write the way as parameters of the next grant."""
        return {RELAY_PATH: ",".join(self.hubs), RELAY_GRANTS: ",".join(self.grants)}


class PathFault(Exception):  # noqa: N818  (becomes the code of a refusal)
    """A question may not go on. Carries a code only."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def walked(grant: Grant) -> Walked:
    """Read the way that a grant says it has come.

    Raises:
        PathFault: `relay_path_broken`, if hubs and digests don't fit each other.
    """
    hubs = tuple(filter(None, grant.parameters.get(RELAY_PATH, "").split(",")))
    grants = tuple(filter(None, grant.parameters.get(RELAY_GRANTS, "").split(",")))
    well_built = all(len(one) == _DIGEST and set(one) <= set("0123456789abcdef") for one in grants)
    if len(hubs) != len(grants) or not well_built:
        raise PathFault("relay_path_broken")
    return Walked(hubs, grants)


def go_on(grant: Grant, digest: str, asker: str, own: str, provider: str, *, longest: int = LONGEST_PATH) -> Walked:
    """Give the way including this step, if the question may be passed on.

    Args:
        grant: the neighbour's.
        digest: of its envelope.
        asker: the neighbour that signed it.
        own: this hub.
        provider: whom this hub would ask: a department, or another neighbour.
        longest: how many hubs may have asked.

    Raises:
        PathFault: `relay_loop` if the question has been here or would go back, `relay_too_long`, `relay_path_broken`.
    """
    before = walked(grant)
    hubs = (*before.hubs, asker)
    if own in hubs or provider in hubs or len(set(hubs)) < len(hubs):
        raise PathFault("relay_loop")
    if len(hubs) >= longest:
        raise PathFault("relay_too_long")
    return Walked(hubs, (*before.grants, digest))


def plain_parameters(grant: Grant) -> dict[str, str]:
    """Give a grant's parameters without those that tell its way."""
    return {name: value for name, value in grant.parameters.items() if name not in {RELAY_PATH, RELAY_GRANTS}}


def within(asked: Collection[str], agreed: Collection[str]) -> tuple[str, ...]:
    """Give what was asked and is agreed, in the order asked."""
    return tuple(name for name in asked if name in agreed)


def widened(asked: Grant, asked_digest: str, asker: str, made: Grant) -> str:
    """Say in what a relaying hub's grant goes beyond the question it was made for; empty if in nothing.

    Every grant is held against the one before it, by whoever reads the chain.
    """
    same = (
        ("kind", asked.kind == made.kind),
        ("subject", asked.subject == made.subject),
        ("purpose", asked.purpose == made.purpose),
        ("case_id", asked.case_id == made.case_id),
        ("claims", asked.claims == made.claims),
        ("parameters", plain_parameters(asked) == plain_parameters(made)),
        ("elements", set(made.elements) <= set(asked.elements)),
        ("fields", set(made.fields) <= set(asked.fields)),
        ("expires_at", made.expires_at <= asked.expires_at),
    )
    for name, holds in same:
        if not holds:
            return name
    try:
        before, after = walked(asked), walked(made)
    except PathFault:
        return RELAY_PATH
    if after != Walked((*before.hubs, asker), (*before.grants, asked_digest)):
        return RELAY_PATH
    return ""
