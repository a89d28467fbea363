"""The hub's way to one of two gateways that match with each other: it carries their messages and keeps their words."""

import contextlib
import hashlib

import msgspec

from huodang.exchange.matching.errors import MatchingError
from huodang.exchange.matching.messages import check_length, chunks_of, malformed
from huodang.exchange.matching.pair_door import PAIRS
from huodang.exchange.matching.pair_words import MEMBERS, Member, PairWord, SessionOpened, altered
from huodang.exchange.matching.reaching import Wire

_JSON = "application/json"
_LIST = msgspec.json.Decoder(list[Member])


class PairWire:
    """One session at one gateway. Each method may raise MatchingError.

    Args:
        wire: requests to the gateway.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._session = ""

    def open(self, grant: str) -> str:
        """Begin a session; give the gateway's signed word that it takes part."""
        data = self._wire.call("POST", PAIRS, grant.encode(), media_type=_JSON).data
        try:
            opened = msgspec.json.decode(data, type=SessionOpened)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise malformed("对方的答复不符合格式", "what the peer answered isn't shaped right") from None
        self._session = f"{PAIRS}/{opened.session}"
        return opened.signed

    def meet(self, signed: str) -> None:
        """Show the gateway the other's word that it takes part."""
        self._post("other", signed)

    def blinded(self, index: int, size: int) -> bytes:
        """Fetch one message of its values, blinded."""
        return check_length(self._wire.fetch(f"{self._session}/blinded/{index}"), size, index)

    def own_word(self) -> str:
        """Fetch its word on them."""
        return _text(self._wire.fetch(f"{self._session}/word"))

    def send(self, index: int, points: bytes) -> None:
        """Send it one message of the other's values."""
        self._wire.call("PUT", f"{self._session}/values/{index}", points)

    def close(self, signed: str) -> None:
        """End the sending with the other's word on its values."""
        self._post("close", signed)

    def raised(self, size: int) -> bytes:
        """Fetch the other's values under both secrets."""
        pieces = (
            check_length(self._wire.fetch(f"{self._session}/raised/{index}"), size, index)
            for index in range(chunks_of(size))
        )
        return b"".join(pieces)

    def raised_word(self) -> str:
        """Fetch its word on them."""
        return _text(self._wire.fetch(f"{self._session}/raised-word"))

    def give_back(self, index: int, points: bytes) -> None:
        """Send it one message of its own values as the other raised them."""
        self._wire.call("PUT", f"{self._session}/returned/{index}", points)

    def reveal(self, signed: str) -> str:
        """Let it find who is on both sides, by the other's word on what it raised; give its word on how many."""
        return _text(self._post("reveal", signed))

    def members(self, count: int) -> list[Member]:
        """Fetch who is."""
        found: list[Member] = []
        try:
            for index in range(-(-count // MEMBERS)):
                found += _LIST.decode(self._wire.fetch(f"{self._session}/members/{index}"))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise malformed("对方的答复不符合格式", "what the peer answered isn't shaped right") from None
        return found

    def end(self) -> None:
        """Let the gateway forget the session; doesn't raise."""
        if self._session:
            with contextlib.suppress(MatchingError):  # it forgets by itself
                self._wire.call("DELETE", self._session)
            self._session = ""

    def _post(self, step: str, signed: str) -> bytes:
        return self._wire.call("POST", f"{self._session}/{step}", signed.encode(), media_type=_JSON).data


def check_list(points: bytes, word: PairWord, size: int) -> bytes:
    """Hand back a list that is the one a gateway signed.

    Raises:
        MatchRefusedError: it isn't.
    """
    if word.size != size or hashlib.sha256(points).hexdigest() != word.digest:
        raise altered()
    return points


def _text(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise malformed("对方的答复不符合格式", "what the peer answered isn't shaped right") from None
