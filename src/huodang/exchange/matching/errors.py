"""What can go wrong when two sets are matched, each with a stable code. No error holds a value of either set."""

from typing import ClassVar

from huodang.exchange.errors import ExchangeError


class MatchingError(ExchangeError):
    """Base of the errors of matching."""

    code: ClassVar[str] = "matching"


class MatchFileError(MatchingError):
    """The file can't be matched: it isn't there, can't be read, lacks the column, or holds no usable value."""

    code: ClassVar[str] = "matching.file"


class MalformedPointError(MatchingError):
    """A received group element is none, or the neutral one."""

    code: ClassVar[str] = "matching.malformed_point"


class MalformedMessageError(MatchingError):
    """A message isn't shaped as the protocol says: cut short, too long, repeated, or in another version."""

    code: ClassVar[str] = "matching.malformed"


class VersionError(MatchingError):
    """The two sides speak different versions of the protocol."""

    code: ClassVar[str] = "matching.version"


class NormalisationError(MatchingError):
    """The two sides would compare different things, e.g. identity numbers and plain text."""

    code: ClassVar[str] = "matching.normalisation"


class SetTooSmallError(MatchingError):
    """A set has fewer values than the holder or the agreement asks for."""

    code: ClassVar[str] = "matching.set_too_small"


class SetTooLargeError(MatchingError):
    """A set has more values than the other side takes."""

    code: ClassVar[str] = "matching.set_too_large"


class BudgetError(MatchingError):
    """The agreement's probes of today are used up, or too many sessions are open."""

    code: ClassVar[str] = "matching.budget"


class NearIdenticalError(MatchingError):
    """The set differs from an earlier one by so few values that the difference would tell about single persons."""

    code: ClassVar[str] = "matching.near_identical"


class MatchRefusedError(MatchingError):
    """The other side refused, and says why."""

    code: ClassVar[str] = "matching.refused"


class PeerLostError(MatchingError):
    """The other side can't be reached, fell silent or went away; nothing was written."""

    code: ClassVar[str] = "matching.peer_lost"


class ListenError(MatchingError):
    """The address can't be listened on."""

    code: ClassVar[str] = "matching.listen"


class EngineError(MatchingError):
    """The optional engine isn't there or failed."""

    code: ClassVar[str] = "matching.engine"


class NotPermittedToMatchError(MatchingError):
    """No agreement or policy covers the match; nothing was asked."""

    code: ClassVar[str] = "matching.not_permitted"
