"""Requests that are done once: a key that the sender chose, and the answer that was given to it (幂等键).

The same user, the same address and the same key within 24 hours is the same request. The answer is kept in the
database, so it is found by every node of a hub; it may hold personal data, so it is sealed, bound to its row, and gone
when its time is over.

What this is not: the effect of a request and the keeping of its answer are two transactions. A process that dies
between them leaves the key held until the claim ends (`CLAIM`); then the same request is done anew, and meets what
stands by then. A second case, demand, doubt of the same value, signed act or move of anything isn't made, as the rooms
below refuse it; an announcement, a recall and a match without `match_id` would be made a second time.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from sqlalchemy import delete, insert, select, update

from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import HuodangError, Place
from huodang.store import Clock, Database, serialise, utc_text
from huodang.trust import FieldSealer, canonical_json
from huodang.web.accounts import User
from huodang.web.problems import RetryLaterError
from huodang.web.records import kept_answers

KEPT_FOR: Final = timedelta(hours=24)
# Longer than nginx waits for any answer (60 s), and than a match of 10,000 takes.
CLAIM: Final = timedelta(minutes=5)
HEADER: Final = "idempotency-key"
_ANSWER: Final = "web.idempotency.answer"
_LONGEST_WAIT: Final = 2


class KeyReusedError(HuodangError):
    """The key was used for something else."""

    code: ClassVar[str] = "web.idempotency.reused"

    def __init__(self) -> None:
        super().__init__(
            "这个幂等键已用于另一份内容",
            "This key was used for another body",
            advice_chinese="每件新的办理请换一个新的 Idempotency-Key",
            advice_english="Take a new Idempotency-Key for each new thing to be done",
            place=Place(element=HEADER),
        )


class UnderWayError(RetryLaterError):
    """The first request with this key hasn't been answered yet."""

    code: ClassVar[str] = "web.idempotency.under_way"

    def __init__(self, left: timedelta) -> None:
        super().__init__(
            "同一幂等键的请求仍在办理",
            "A request with this key is still under way",
            advice_chinese="请按 Retry-After 的秒数稍后原样重发",
            advice_english="Send the same again after as many seconds as Retry-After says",
            place=Place(element=HEADER),
        )
        self.retry_after = max(1, min(_LONGEST_WAIT, int(left.total_seconds())))


@dataclass(frozen=True)
class KeptAnswer:
    """What a request was answered with."""

    status: int
    media_type: str
    body: str


@dataclass(frozen=True)
class Claim:
    """The right to do what a key names; `token` tells it from that of another who takes the key over later."""

    name: str
    token: str


class KeptAnswers:
    """The answers of one hub, shared by all its nodes.

    Args:
        database: holds them.
        sealer: seals them, and makes the digests by which they are found.
        ledger: notes when one is given again, as it may show a person once more.
        clock: the machine's own, as for sessions: a demonstration that walks through days doesn't end them.
    """

    def __init__(self, database: Database, sealer: FieldSealer, ledger: Ledger, clock: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._ledger = ledger
        self._clock = clock

    def claim(self, user: User, path: str, key: str, body: bytes) -> Claim | KeptAnswer:
        """Take hold of a key, or give what was answered to it.

        Who changed role, department or region in between is somebody else here: what the former role was told is not
        given to the new one.

        Args:
            user: who asks.
            path: the address with its parameters.
            key: what the sender calls the request.
            body: what was sent, byte by byte.

        Raises:
            KeyReusedError: the key was sent with another body.
            UnderWayError: the first request with it is still being done.
        """
        who = [user.user_id, user.role.value, user.department, user.region, user.employer]
        name = self._index("web.idempotency.name", canonical_json([*who, path, key]))
        body_index = self._index("web.idempotency.body", body)
        now, token, table = self._clock.now(), secrets.token_hex(16), kept_answers
        fresh = {"body_index": body_index, "token": token, "answer": None}
        times = {"claimed_until": now + CLAIM, "expires_at": now + KEPT_FOR}
        with self._database.begin() as connection:
            serialise(connection, f"web.idempotency.{name}")
            row = connection.execute(select(table).where(table.c.name == name)).mappings().one_or_none()
            if row is None:
                connection.execute(insert(table).values(name=name, **fresh, **times))
                return Claim(name, token)
            if row["expires_at"] > now:
                if row["body_index"] != body_index:
                    raise KeyReusedError
                if row["answer"] is not None:
                    facts = {"what": "api.answer", "role": user.role.value, "key": name}
                    content = canonical_json({"at": utc_text(now), "user": user.user_id, "path": path, **facts})
                    self._ledger.record(connection, LedgerEntry("replay", now, facts), content)
                    return KeptAnswer(**json.loads(self._sealer.open(_ANSWER, row["answer"], name)))
                if row["claimed_until"] > now:
                    raise UnderWayError(row["claimed_until"] - now)
            connection.execute(update(table).where(table.c.name == name).values(**fresh, **times))
            return Claim(name, token)

    def keep(self, claim: Claim, answer: KeptAnswer) -> None:
        """Keep what a request was answered with, unless another has taken the key over."""
        text = json.dumps({"status": answer.status, "media_type": answer.media_type, "body": answer.body})
        sealed = self._sealer.seal(_ANSWER, text, claim.name)
        with self._database.begin() as connection:
            connection.execute(
                update(kept_answers)
                .where(kept_answers.c.name == claim.name, kept_answers.c.token == claim.token)
                .values(answer=sealed, expires_at=self._clock.now() + KEPT_FOR)
            )

    def release(self, claim: Claim) -> None:
        """Let a key go whose request was not done: it may be sent again, also with another body."""
        with self._database.begin() as connection:
            connection.execute(
                delete(kept_answers).where(kept_answers.c.name == claim.name, kept_answers.c.token == claim.token)
            )

    def purge(self) -> int:
        """Delete what is older than it is kept for; gives how many answers that were."""
        with self._database.begin() as connection:
            return connection.execute(
                delete(kept_answers).where(kept_answers.c.expires_at <= self._clock.now())
            ).rowcount

    def _index(self, element: str, content: bytes) -> str:
        return self._sealer.blind_index(element, content.hex())
