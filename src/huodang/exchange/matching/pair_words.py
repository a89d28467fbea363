"""What two gateways say to each other through the hub, each word signed, so that the hub can carry but not alter it."""

import hashlib
from datetime import datetime
from typing import Annotated, Any, Final, Self

import msgspec

from huodang.exchange.errors import MessageError
from huodang.exchange.matching.agreed import Digest, Size
from huodang.exchange.matching.errors import MalformedMessageError, MatchRefusedError
from huodang.exchange.values import Grant, Identifier, Instant, Message, ResourceName, Token
from huodang.trust import EnvelopeError, SignedEnvelope, TrustedKeys, open_envelope

PAIR_OPENED: Final = "match_pair_opened"
PAIR_SET: Final = "match_pair_set"
PAIR_RAISED: Final = "match_pair_raised"
PAIR_REVEALED: Final = "match_pair_revealed"
MEMBERS: Final = 5_000
"""Persons in one message at most."""

_FLAGS: Final = {"yes": True, "no": False}


class PairParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a grant for a match between two gateways.

    Attributes:
        match_id: the same in both grants.
        other: the other side's resource.
        reveals: the resource whose gateway names the persons on both sides; empty if only their number is asked for.
    """

    match_id: Token
    other: ResourceName
    size_only: bool
    reveals: Annotated[str, msgspec.Meta(max_length=129)] = ""

    def to_parameters(self) -> dict[str, str]:
        """Write them as a grant carries them."""
        return {
            "match_id": self.match_id,
            "other": self.other,
            "size_only": "yes" if self.size_only else "no",
            "reveals": self.reveals,
        }

    @classmethod
    def of(cls, grant: Grant) -> Self:
        """Read them from a grant.

        Raises:
            MalformedMessageError: one is missing, unknown or out of bounds, or they contradict each other.
        """
        told: dict[str, Any] = dict(grant.parameters)
        try:
            told["size_only"] = _FLAGS[told["size_only"]]
            read = msgspec.convert(told, cls)
        except (KeyError, msgspec.ValidationError):
            raise _malformed_parameters() from None
        names = {""} if read.size_only else {grant.resource, read.other}
        # The grant of the one who reveals, and no other, asks for the number as a field.
        asks = "identity_number" in grant.fields
        if read.reveals not in names or asks is not (read.reveals == grant.resource):
            raise _malformed_parameters()
        return read


class PairOpened(Message, frozen=True, kw_only=True):
    """One gateway's word that it takes part, shown to the hub and to the other gateway.

    Attributes:
        grant_digest: of the grant's envelope.
        nonce: new for each session, so that no earlier word of the other side fits this one.
        held: distinct values that the gateway has.
    """

    version: int
    match_id: Token
    grant_digest: Digest
    provider: Identifier
    consumer: Identifier
    purpose: Identifier
    resource: ResourceName
    other: ResourceName
    size_only: bool
    reveals: Annotated[str, msgspec.Meta(max_length=129)]
    normalisation: Identifier
    nonce: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
    held: Size
    answered_at: Instant


class PairWord(Message, frozen=True, kw_only=True):
    """One gateway's word on a list that it made: its own values blinded, the other's raised, or who it reveals.

    Attributes:
        pair: binds the word to exactly these two sessions, see `pair_of`.
        size: how many stand in the list.
        digest: SHA-256 over the ordered list, hex; of who is revealed, over the positions only.
    """

    match_id: Token
    pair: Digest
    provider: Identifier
    resource: ResourceName
    size: Size
    digest: Digest
    answered_at: Instant


class SessionOpened(msgspec.Struct, frozen=True):
    """What a gateway answers to the hub: the session's name, which only the hub gets, and its signed word."""

    session: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
    signed: str


class Member(msgspec.Struct, frozen=True, array_like=True):
    """A person on both sides: position in the revealing gateway's list, and identity number."""

    position: Annotated[int, msgspec.Meta(ge=0)]
    number: Annotated[str, msgspec.Meta(max_length=18)]


def pair_of(one: SignedEnvelope, other: SignedEnvelope) -> str:
    """Give what two sessions have in common and no other two: the digest of both signed openings."""
    return hashlib.sha256("\n".join(sorted((one.digest, other.digest))).encode()).hexdigest()


def read_opened(signed: bytes | str, trusted: TrustedKeys, signer: str, now: datetime) -> PairOpened:
    """Open a gateway's word that it takes part.

    Raises:
        MatchRefusedError: it isn't signed by that department, or isn't such a word.
    """
    try:
        return PairOpened.from_payload(open_envelope(signed, PAIR_OPENED, trusted, signer=signer, at=now))
    except (EnvelopeError, MessageError):
        raise altered() from None


def read_word(signed: bytes | str, kind: str, trusted: TrustedKeys, signer: str, now: datetime) -> PairWord:
    """Open a gateway's word on a list.

    Raises:
        MatchRefusedError: it isn't signed by that department, or isn't such a word.
    """
    try:
        return PairWord.from_payload(open_envelope(signed, kind, trusted, signer=signer, at=now))
    except (EnvelopeError, MessageError):
        raise altered() from None


def altered() -> MatchRefusedError:
    """Make the error of a list or word that isn't what the other gateway signed for this match."""
    return MatchRefusedError(
        "收到的内容不是对方前置机为这次比对签名的内容",
        "what was received isn't what the other gateway signed for this match",
        advice_chinese="没有给出任何结果。请核对双方密钥；如内容被改动，请报告安全负责人，再重新开始。",
        advice_english="Nothing was released. Check both sides' keys; report altered contents, then start anew.",
    )


def _malformed_parameters() -> MalformedMessageError:
    return MalformedMessageError("授权的比对参数不符合格式", "the grant's parameters of a match aren't shaped right")
