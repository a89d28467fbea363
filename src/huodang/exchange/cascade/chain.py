"""The chain behind an answer that came through other hubs: pure. Every step is signed and held against the one before.

The asker's grant, the relaying hub's grant made for it, and so on to the department's verdict; each hub's own verdict
says what the one behind it said and holds the digest of the rest of the chain. A relaying hub can't answer by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from huodang.exchange.cascade.paths import widened
from huodang.exchange.cascade.values import Domains, Hop
from huodang.exchange.errors import MessageError
from huodang.exchange.values import GRANT, VERDICT, Grant, Verdict
from huodang.trust import EnvelopeError, SignedEnvelope, TrustedKeys, canonical_json, open_envelope, sm3


class ChainFault(Exception):  # noqa: N818  (becomes the detail of a failure)
    """A chain doesn't hold. Carries a code only."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Origin:
    """Who answered in the end.

    Attributes:
        hub: the hub of the department.
        department: as its hub calls it.
        path: the hubs through which the question went, without the asker.
        digest: of the chain.
        verdict_digest: of the department's own verdict.
    """

    hub: str
    department: str
    path: tuple[str, ...]
    digest: str
    verdict_digest: str


def chain_digest(chain: Sequence[Hop]) -> str:
    """Give the digest that the verdict in front of a chain must hold, hex."""
    digests = [
        [SignedEnvelope.from_json(bytes(hop.grant)).digest, SignedEnvelope.from_json(bytes(hop.verdict)).digest]
        for hop in chain
    ]
    return sm3(canonical_json(["relay_chain", digests])).hex()


def check_chain(
    asked: SignedEnvelope,
    said: Verdict,
    chain: Sequence[Hop],
    *,
    neighbours: TrustedKeys,
    domains: Mapping[str, Domains],
    at: datetime,
) -> Origin:
    """Hold an answer's chain against question and answer, and give who answered.

    Args:
        asked: the asker's own grant.
        said: the neighbour's verdict; that the neighbour signed it is checked where every answer is.
        chain: what came with it.
        neighbours: the asker's own trusted keys of its neighbours.
        domains: by neighbour, the keys it attests.
        at: the instant for which keys must be valid.

    Raises:
        ChainFault: something doesn't hold.
    """
    if not chain:
        raise ChainFault("origin_missing")
    try:
        grant, digest = Grant.from_payload(asked.payload), asked.digest
        hub, asker, hub_keys = grant.provider, asked.signer, neighbours
        attested = domains.get(hub)
        if attested is None:
            raise ChainFault("keys_not_attested")
        path = []
        for place, hop in enumerate(chain):
            if said.evidence_hash != chain_digest(chain[place:]):
                raise ChainFault("origin_differs")
            made, made_digest = _grant(hop, hub_keys, hub, at)
            if outside := widened(grant, digest, asker, made):
                raise ChainFault(f"widened_{outside}")
            hub_keys = attested.get(hub) or TrustedKeys()
            answer, answer_digest = _verdict(hop, hub_keys, made.provider, at)
            _same(said, answer, made, made_digest)
            path.append(hub)
            grant, digest, asker, said = made, made_digest, hub, answer
            origin_hub, hub = hub, made.provider
    except EnvelopeError as problem:
        raise ChainFault(problem.code.replace("envelope.", "origin_")) from None
    except MessageError:
        raise ChainFault("origin_malformed") from None
    if hub in attested:
        raise ChainFault("origin_missing")  # the last to answer is a hub itself: who stands behind it isn't shown
    return Origin(origin_hub, hub, tuple(path), chain_digest(chain), answer_digest)


def _grant(hop: Hop, trusted: TrustedKeys, hub: str, at: datetime) -> tuple[Grant, str]:
    envelope = SignedEnvelope.from_json(bytes(hop.grant))
    grant = Grant.from_payload(open_envelope(envelope, GRANT, trusted, signer=hub, at=at))
    return grant, envelope.digest


def _verdict(hop: Hop, trusted: TrustedKeys, provider: str, at: datetime) -> tuple[Verdict, str]:
    envelope = SignedEnvelope.from_json(bytes(hop.verdict))
    verdict = Verdict.from_payload(open_envelope(envelope, VERDICT, trusted, signer=provider, at=at))
    return verdict, envelope.digest


def _same(said: Verdict, answer: Verdict, made: Grant, made_digest: str) -> None:
    """Hold what a hub says against what was said to it, and that against the hub's own question."""
    answered = (answer.grant_id, answer.grant_digest, answer.resource, answer.provider)
    if answered != (made.grant_id, made_digest, made.resource, made.provider):
        raise ChainFault("origin_for_other_grant")
    content = (answer.outcome, answer.reason, answer.as_of, answer.fields, answer.rows)
    if content != (said.outcome, said.reason, said.as_of, said.fields, said.rows):
        raise ChainFault("origin_differs")
