"""What the two sides say to each other before values cross: version, normalisation, sizes. See `docs/matching.md`."""

from typing import Annotated, Any, Final, Self

import msgspec

from huodang.exchange.matching.errors import (
    MalformedMessageError,
    NormalisationError,
    SetTooLargeError,
    SetTooSmallError,
    VersionError,
)
from huodang.exchange.matching.oblivious import POINT_BYTES, TAG_BYTES
from huodang.exchange.matching.values import Normalisation

PROTOCOL: Final = 1
"""Version of what crosses; both sides must speak the same."""
SUITE: Final = "ristretto255-SHA512"
CHUNK: Final = 32_768
"""Values in one message at most: 1 MiB of group elements."""
LARGEST_SET: Final = 20_000_000
"""Values a side takes at most unless told otherwise."""
LARGEST_MESSAGE: Final = CHUNK * POINT_BYTES

Hexadecimal = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
Size = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a querier asks for.

    Attributes:
        size: how many distinct values it will send.
        size_only: it wants to know how many values both sides have, not which.
        nonce: new for each session.
    """

    version: int
    suite: str
    normalisation: str
    size: Size
    size_only: bool
    nonce: Hexadecimal

    def to_json(self) -> bytes:
        """Write it."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read it.

        Raises:
            VersionError: it is of another version, whatever else stands in it.
            MalformedMessageError: it isn't shaped as it must be.
        """
        try:
            told = msgspec.json.decode(data, type=_Versioned)
            if told.version != PROTOCOL:
                raise version_error(told.version)
            return msgspec.json.decode(data, type=cls)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            raise malformed("开始会话的报文不符合格式", "the message that opens a session isn't shaped right") from None


class Welcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the holder answers.

    Attributes:
        session: names the session from here on; nobody else knows it.
        held: how many distinct values the holder has.
    """

    version: int
    session: Hexadecimal
    held: Size

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read it.

        Raises:
            VersionError, MalformedMessageError: as for `Terms`.
        """
        try:
            told = msgspec.json.decode(data, type=_Versioned)
            if told.version != PROTOCOL:
                raise version_error(told.version)
            return msgspec.json.decode(data, type=cls)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            raise malformed("对方的答复不符合格式", "what the peer answered isn't shaped right") from None


class _Versioned(msgspec.Struct):
    version: int


def check_terms(terms: Terms, normalisation: Normalisation, *, smallest: int, largest: int, only_size: bool) -> None:
    """Hold what a querier asks for against what a holder allows.

    Args:
        terms: what it asks for.
        normalisation: how the holder's values are written.
        smallest: values that it must send at least.
        largest: values that the holder takes at most.
        only_size: the holder tells sizes only.

    Raises:
        MatchingError: it isn't allowed; the kind of error says why.
    """
    if terms.suite != SUITE:
        raise version_error(terms.suite)
    if terms.normalisation != normalisation.value:
        raise NormalisationError(
            f"双方的比对方式不同：提供方 {normalisation.value}，查询方 {_known(terms.normalisation)}",
            f"the sides compare different things: the holder {normalisation.value}, the querier "
            f"{_known(terms.normalisation)}",
            advice_chinese="请双方用 --as 约定同一种：identity_number 或 text，并核对列名。",
            advice_english="Agree on one of identity_number and text with --as on both sides, and check the columns.",
        )
    check_size(terms.size, smallest=smallest, largest=largest)
    if only_size and not terms.size_only:
        raise malformed(
            "对方只允许比对人数（--size-only）", "the holder tells the size of the overlap only (--size-only)"
        )


def check_size(size: int, *, smallest: int, largest: int) -> None:
    """Hold the size of a set against its bounds.

    Raises:
        SetTooSmallError, SetTooLargeError: it is outside.
    """
    if size < smallest:
        raise SetTooSmallError(
            f"集合太小：至少 {smallest} 个值，现有 {size} 个",
            f"the set is too small: at least {smallest} values, there are {size}",
            advice_chinese="集合过小会暴露个别人是否在对方名单中，因此不予比对。",
            advice_english="A small set would tell whether single persons are on the other side's list.",
        )
    if size > largest:
        raise SetTooLargeError(
            f"集合太大：至多 {largest} 个值，现有 {size} 个",
            f"the set is too large: at most {largest} values, there are {size}",
            advice_chinese="请分批比对，或请对方调高上限。",
            advice_english="Match it in parts, or have the other side raise its bound.",
        )


def chunks_of(size: int) -> int:
    """Count the messages in which so many values cross."""
    return -(-size // CHUNK)


def chunk_length(size: int, index: int, width: int) -> int:
    """Give the bytes of one message.

    Args:
        size: values in all.
        index: which message, from 0.
        width: bytes of one value.

    Raises:
        MalformedMessageError: there is no such message.
    """
    if not 0 <= index < chunks_of(size):
        raise malformed("没有这个序号的报文", "there is no message of this number")
    return min(CHUNK, size - index * CHUNK) * width


def check_length(data: bytes, size: int, index: int, width: int = POINT_BYTES) -> bytes:
    """Hand back a message that has all its bytes and no more.

    Raises:
        MalformedMessageError: it was cut short, or is too long.
    """
    if len(data) != chunk_length(size, index, width):
        raise malformed("报文长度不符，可能被截断", "a message has a wrong length, it may have been cut short")
    return data


def malformed(chinese: str, english: str) -> MalformedMessageError:
    """Make the error of a message that isn't shaped as it must be."""
    return MalformedMessageError(
        chinese,
        english,
        advice_chinese="请核对双方版本后重新开始；没有写出任何结果。",
        advice_english="Compare the versions of both sides and start again; nothing was written.",
    )


def version_error(_told: Any) -> VersionError:  # noqa: ANN401  (whatever the other side sent)
    """Make the error of another version; what the other side sent isn't repeated."""
    return VersionError(
        f"双方的协议版本不同，本方为 {PROTOCOL}（{SUITE}）",
        f"the sides speak different versions; this one speaks {PROTOCOL} ({SUITE})",
        advice_chinese="请双方使用同一版本的程序。",
        advice_english="Run the same release on both sides.",
    )


def _known(text: str) -> str:
    return text if text in set(Normalisation) else "?"


TAG_CHUNK_BYTES: Final = CHUNK * TAG_BYTES
