"""What is added to a match when it rests on an agreement: parameters of the grant, and the provider's signed words."""

from typing import Annotated, Any, Final, Self

import msgspec

from huodang.exchange.matching.errors import MalformedMessageError
from huodang.exchange.values import Grant, Identifier, Instant, Message, Token

MATCH_OPENED: Final = "match_opened"
MATCH_ANSWER: Final = "match_answer"

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Size = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class OpeningRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What opens a session at a gateway: the signed grant, and the terms as they are by hand."""

    grant: msgspec.Raw
    terms: msgspec.Raw


class MatchParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a grant for a match.

    Attributes:
        match_id: the same when an interrupted match is taken up again under a new grant.
        size: distinct values that will be sent.
        blinding: commitment to the secret that blinds under this agreement, hex.
    """

    match_id: Token
    size: Size
    size_only: bool
    normalisation: Identifier
    blinding: Digest

    def to_parameters(self) -> dict[str, str]:
        """Write them as a grant carries them."""
        return {
            "match_id": self.match_id,
            "size": str(self.size),
            "size_only": "yes" if self.size_only else "no",
            "normalisation": self.normalisation,
            "blinding": self.blinding,
        }

    @classmethod
    def of(cls, grant: Grant) -> Self:
        """Read them from a grant.

        Raises:
            MalformedMessageError: one is missing, unknown or out of bounds.
        """
        told: dict[str, Any] = dict(grant.parameters)
        flags = {"yes": True, "no": False}
        try:
            told["size_only"] = flags[told["size_only"]]
            told["size"] = int(told["size"])
            return msgspec.convert(told, cls)
        except (KeyError, ValueError, msgspec.ValidationError):
            raise MalformedMessageError(
                "授权的比对参数不符合格式", "the grant's parameters of a match aren't shaped right"
            ) from None


class MatchOpened(Message, frozen=True, kw_only=True):
    """The provider's signed welcome.

    Attributes:
        grant_digest: of the grant's envelope: binds the answer to exactly that question.
        held: distinct values that the provider has.
    """

    version: int
    match_id: Token
    grant_digest: Digest
    provider: Identifier
    session: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
    held: Size
    answered_at: Instant


class MatchAnswered(Message, frozen=True, kw_only=True):
    """The provider's signed word on what it received and is about to answer.

    Attributes:
        received: SHA-256 of all blinded values, hex.
    """

    match_id: Token
    grant_digest: Digest
    provider: Identifier
    received: Digest
    queried: Size
    held: Size
    size_only: bool
    answered_at: Instant
