"""The ferry (网闸摆渡): two one-way folders between zones, and nothing else between them.

An envelope is signed by its sender, sealed to its receiver, typed, bounded and numbered. It is written under a
temporary name and renamed, so that the other side never sees half of one. What can't be opened, or is of a kind that
isn't expected, goes to the folder of the refused with its reason beside it.
"""

import hashlib
import os
import secrets
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import records
from huodang.exchange.errors import FerryError, MessageError
from huodang.exchange.values import Identifier, Instant, Message, Token, new_identifier, to_the_second
from huodang.standards import HuodangError
from huodang.store import Clock, Database, SystemClock, write_whole
from huodang.trust import (
    PublicKey,
    Signer,
    TrustedKeys,
    open_envelope,
    open_sealed,
    seal_for,
    sign_envelope,
)

FERRY: Final = "ferry"
SUFFIX: Final = ".ferry"
LARGEST_ENVELOPE: Final = 1536 * 1024
"""Bytes of one sealed envelope at most; the signed part itself is bounded at a mebibyte."""

_LONGEST_NAME: Final = 128
"""Bytes of a refused file's name at most; folders take 255, and an own envelope's name has about 40."""

PayloadCheck = Callable[[dict[str, Any]], object]
"""Looks at a payload's shape; raises a HuodangError if it isn't what its kind says."""


class _Crossing(Message, frozen=True, kw_only=True):
    """What is signed: the payload with its address."""

    envelope_id: Token
    sender: Identifier
    receiver: Identifier
    kind: Identifier
    number: int
    sent_at: Instant
    payload: dict[str, Any]


@dataclass(frozen=True)
class Crossing:
    """One envelope that came over.

    Attributes:
        envelope_id: unguessable and unique; what makes it count once.
        number: counts up from 1 in one run of the sender.
    """

    envelope_id: str
    sender: str
    kind: str
    number: int
    sent_at: datetime
    payload: dict[str, Any]


class Ferry:
    """One side's end of the ferry. Safe to share between threads.

    Args:
        outgoing: folder that this side writes.
        incoming: folder that this side reads and empties.
        refused: folder for what was refused, with reasons.
        own: this side's key.
        peer: holder on the other side.
        trusted: public keys, the peer's among them.
        kinds: kinds that may come in, each with the check of its payload.
        clock: the time.

    Raises:
        FerryError: the peer has no key that this side trusts.
    """

    def __init__(
        self,
        *,
        outgoing: Path,
        incoming: Path,
        refused: Path,
        own: Signer,
        peer: str,
        trusted: TrustedKeys,
        kinds: Mapping[str, PayloadCheck],
        clock: Clock | None = None,
    ) -> None:
        for folder in (outgoing, incoming, refused):
            folder.mkdir(parents=True, exist_ok=True)
        self._outgoing = outgoing
        self._incoming = incoming
        self._refused = refused
        self._own = own
        self._peer = peer
        self._trusted = trusted
        self._kinds = dict(kinds)
        self._clock = clock or SystemClock()
        self._number = 0
        self._lock = threading.Lock()
        self._peer_key()

    def send(self, kind: str, payload: Mapping[str, Any]) -> str:
        """Seal one envelope to the other side and lay it into the outgoing folder; give its id.

        Raises:
            FerryError: it is too large.
            NotCanonicalError: the payload has no canonical form.
        """
        now = self._clock.now()
        with self._lock:
            self._number += 1
            number = self._number
        crossing = _Crossing(
            envelope_id=new_identifier("f", now, number),
            sender=self._own.holder,
            receiver=self._peer,
            kind=kind,
            number=number,
            sent_at=to_the_second(now),
            payload=dict(payload),
        )
        signed = sign_envelope(FERRY, crossing.to_payload(), self._own).to_json().encode()
        sealed = seal_for(self._peer_key(), signed, _address(self._own.holder, self._peer))
        if len(sealed) > LARGEST_ENVELOPE:
            raise FerryError(
                "信封超过摆渡允许的大小",
                "the envelope is larger than the ferry takes",
                advice_chinese="请缩小或拆分附件。",
                advice_english="Make attachments smaller, or split them.",
            )
        write_whole(self._outgoing / f"{crossing.envelope_id}{SUFFIX}", sealed)
        return crossing.envelope_id

    def receive(self, kind: str) -> Iterator[dict[str, Any]]:
        """Take the payloads of one kind; each file is removed once the caller comes for the next.

        For a side that keeps nothing: after a crash an envelope may be handed out again.
        """
        for path, crossing in self._waiting(kind):
            yield crossing.payload
            path.unlink(missing_ok=True)

    def receive_once(
        self, database: Database, handle: Callable[[Connection, Crossing], None], *, kind: str | None = None
    ) -> int:
        """Hand each envelope to `handle` exactly once, over crashes too; give how many were handled.

        What `handle` writes and the mark that the envelope was seen commit together; the file is removed after that. If
        `handle` raises a HuodangError, nothing of it stays and the envelope is refused with that reason.
        """
        handled = 0
        for path, crossing in self._waiting(kind):
            try:
                with database.begin() as connection:
                    if self._first_sight(connection, crossing):
                        handle(connection, crossing)
                        handled += 1
            except HuodangError as problem:
                self._refuse(path, problem)
                continue
            path.unlink(missing_ok=True)
        return handled

    def _waiting(self, kind: str | None) -> Iterator[tuple[Path, Crossing]]:
        # The sender's ids sort by time; other files (a temporary name, say) are none of ours.
        for path in sorted(self._incoming.glob(f"*{SUFFIX}")):
            try:
                crossing = self._open(path)
            except FileNotFoundError:
                continue  # another thread of this side was quicker
            except HuodangError as problem:
                self._refuse(path, problem)
                continue
            if kind is None or crossing.kind == kind:
                yield path, crossing

    def _open(self, path: Path) -> Crossing:
        signed = open_sealed(self._own, _bytes_of(path), _address(self._peer, self._own.holder))
        came = _Crossing.from_payload(open_envelope(signed, FERRY, self._trusted, signer=self._peer))
        if (came.sender, came.receiver) != (self._peer, self._own.holder) or path.stem != came.envelope_id:
            raise FerryError("信封的收发方或名称不符", "sender, receiver or name of the envelope don't fit")
        check = self._kinds.get(came.kind)
        if check is None:
            raise FerryError(f"这一侧不接收种类 {came.kind}", f"this side takes no envelopes of kind {came.kind}")
        try:
            check(came.payload)
        except (KeyError, TypeError, ValueError) as problem:
            raise MessageError("信封内容不符合其种类", "the payload isn't what its kind says") from problem
        return Crossing(came.envelope_id, came.sender, came.kind, came.number, came.sent_at, came.payload)

    def _first_sight(self, connection: Connection, crossing: Crossing) -> bool:
        table = records.ferry_seen
        known = sa.select(table.c.envelope_id).where(table.c.envelope_id == crossing.envelope_id)
        if connection.execute(known).first() is not None:
            return False
        connection.execute(
            sa.insert(table).values(
                envelope_id=crossing.envelope_id,
                sender=crossing.sender,
                kind=crossing.kind,
                received_at=self._clock.now(),
            )
        )
        return True

    def _refuse(self, path: Path, problem: HuodangError) -> None:
        """Move an envelope aside, its reason beside it; the reason holds no content."""
        reason = f"{problem.code}\n{problem.sentence('zh')}\n{problem.sentence('en')}\n"
        target = self._refused / _refused_name(path.name)
        if os.path.lexists(target):
            # What was refused before stays as it was; and a folder can't be moved onto another.
            target = target.with_stem(f"{target.stem}-{secrets.token_hex(8)}")
        try:
            write_whole(target.with_suffix(".reason.txt"), reason.encode())
            path.replace(target)
        except FileNotFoundError:
            return  # another thread moved it first

    def _peer_key(self) -> PublicKey:
        usable = [key for key in self._trusted.of_holder(self._peer) if key.revoked_at is None]
        same = [key for key in usable if key.suite == self._own.suite]
        if not usable:
            raise FerryError(
                f"受信任清单中没有 {self._peer} 的公钥",
                f"{self._peer} has no key among the trusted ones",
                advice_chinese="请用 huodang keys issue 签发。",
                advice_english="Issue one with `huodang keys issue`.",
            )
        return (same or usable)[-1]


def _bytes_of(path: Path) -> bytes:
    """Read an envelope; a pipe, folder or link that somebody laid down in its place must not hold up the others.

    Raises:
        FileNotFoundError: another thread was quicker.
        FerryError: it is too large, no ordinary file, or can't be read.
    """
    try:
        # Without waiting: a pipe would wait for its writer. No link is followed, so nothing elsewhere is read.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as file:
            if stat.S_ISREG(os.fstat(handle).st_mode):
                data = file.read(LARGEST_ENVELOPE + 1)
                if len(data) <= LARGEST_ENVELOPE:
                    return data
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise FerryError("信封无法读取", "the envelope can't be read") from problem
    raise FerryError("信封过大或不是普通文件", "the envelope is too large, or no ordinary file")


def _refused_name(name: str) -> str:
    """The name itself if a reason's name beside it fits a folder, else a digest of it."""
    if len(os.fsencode(name)) <= _LONGEST_NAME:
        return name
    return f"{hashlib.sha256(os.fsencode(name)).hexdigest()}{SUFFIX}"


def _address(sender: str, receiver: str) -> bytes:
    return f"huodang-ferry-1\0{sender}\0{receiver}".encode()
