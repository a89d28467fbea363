"""What walks between hub and gateways: agreement (共享协议), grant (调用授权), verdict (结论), refusal (拒绝).

Values only: they travel as payloads of signed envelopes. Parsing is strict: an unknown field, a wrong type or a text
beyond its bound refuses the whole message.
"""

import secrets
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self

import msgspec

from huodang.exchange.errors import MessageError

AGREEMENT: Final = "agreement"
AGREEMENT_REVOCATION: Final = "agreement_revocation"
GRANT: Final = "grant"
VERDICT: Final = "verdict"
REFUSAL: Final = "refusal"

RATE_LIMITED: Final = "rate_limited"
"""The code of a refusal that passes by itself: the agreement's limit for a minute is reached."""

ORIGIN_UNREACHABLE: Final = "origin_unreachable"
"""The code of a hub's refusal that passes by itself: the department behind it can't be reached at the moment."""

IDEMPOTENCY_KEY: Final = "idempotency_key"
"""The parameter of an action's grant under which it is done at most once."""

GRANT_LIFE: Final = timedelta(minutes=5)
"""How long a grant lives unless said otherwise."""
LONGEST_GRANT_LIFE: Final = timedelta(minutes=15)
"""A gateway refuses a grant that was made to live longer: short life keeps a lost grant harmless."""

Identifier = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")]
ResourceName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\.[a-z][a-z0-9_]{0,63}\Z")]
Token = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z")]
Reference = Annotated[str, msgspec.Meta(max_length=128)]
Text = Annotated[str, msgspec.Meta(max_length=1000)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Value = Annotated[str, msgspec.Meta(max_length=500)]
Names = Annotated[tuple[Identifier, ...], msgspec.Meta(max_length=64)]
Values = Annotated[dict[Identifier, Value], msgspec.Meta(max_length=64)]
Rows = Annotated[tuple[Values, ...], msgspec.Meta(max_length=500)]


class Kind(StrEnum):
    """How a resource is used: the kind of its catalogue entry and of the agreements on it."""

    CHECK = "check"  # 核验: a question about one person, answered by a verdict
    ACTION = "action"  # 办理: done once
    LIST = "list"  # 名单: who falls into a span of days
    TABLE = "table"  # 库表同步: lots of rows, reconciled on both sides
    FILE = "file"  # 文件: files with a signed manifest, landed as lots
    MATCH = "match"  # 可用不可见: the overlap of two sets and nothing else
    EVENT = "event"  # 事件: changes as they happen


class Outcome(StrEnum):
    """What a verdict says. `UNKNOWN` is a value of its own: it is never to be read as `CLEAR`."""

    CLEAR = "clear"
    HIT = "hit"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    DONE = "done"
    REFUSED = "refused"


OUTCOMES: Final[dict[Kind, frozenset[Outcome]]] = {
    Kind.CHECK: frozenset({Outcome.CLEAR, Outcome.HIT, Outcome.CONFLICT, Outcome.UNKNOWN}),
    Kind.ACTION: frozenset({Outcome.DONE, Outcome.REFUSED, Outcome.UNKNOWN}),
    Kind.LIST: frozenset({Outcome.CLEAR, Outcome.UNKNOWN}),
    # These have messages of their own and are never answered by a verdict.
    Kind.TABLE: frozenset(),
    Kind.FILE: frozenset(),
    Kind.MATCH: frozenset(),
    Kind.EVENT: frozenset(),
}


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payload that goes into an envelope and comes out of one."""

    def to_payload(self) -> dict[str, Any]:
        """Give the JSON object that is signed: text, whole numbers, lists and objects only."""
        payload: dict[str, Any] = msgspec.to_builtins(self)
        return payload

    @classmethod
    def from_payload(cls, payload: object) -> Self:
        """Read the JSON object of an opened envelope.

        Raises:
            MessageError: a field is missing, unknown, of a wrong type or out of bounds.
        """
        try:
            return msgspec.convert(payload, cls)
        except msgspec.ValidationError as problem:
            # msgspec names the field and the rule, never the value.
            raise MessageError(
                f"报文不符合格式：{problem}", f"the message isn't shaped as it must be: {problem}"
            ) from None


class Agreement(Message, frozen=True, kw_only=True):
    """Who may use which elements of a resource, for which purposes, until when (共享协议).

    Attributes:
        agreement_id: stable over its versions.
        version: counts up from 1; the highest in force counts.
        provider: department that answers, and signs.
        consumer: department that asks, and signs.
        resource: what is offered.
        kind: check or action.
        purposes: codes of the purposes for which it may be used.
        legal_basis: the law it rests on, as text.
        elements: may be compared (claimed, or looked at to reach a verdict).
        fields: may be handed over raw.
        valid_from: first day it holds.
        valid_to: last day it holds, inclusive; open if None.
        grant_signer: holder whose grants the provider accepts under this agreement.
        rows: only rows whose element has one of these values are covered; a value that ends in `*` is a beginning.
        calls_per_minute: subjects asked about in a minute at most; no bound if None.
        cache_seconds: how long the consumer may go on using an answer; 0 for not at all.
    """

    agreement_id: Token
    provider: Identifier
    consumer: Identifier
    resource: ResourceName
    purposes: Names
    legal_basis: Text
    elements: Names
    valid_from: date
    version: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    kind: Kind = Kind.CHECK
    fields: Names = ()
    valid_to: date | None = None
    grant_signer: Identifier = "hub"
    rows: Annotated[
        dict[Identifier, Annotated[tuple[Value, ...], msgspec.Meta(min_length=1, max_length=64)]],
        msgspec.Meta(max_length=8),
    ] = {}
    calls_per_minute: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)] | None = None
    cache_seconds: Annotated[int, msgspec.Meta(ge=0, le=86_400 * 31)] = 0

    def covers(self, day: date) -> bool:
        """Say whether the agreement's dates hold on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Revocation(Message, frozen=True, kw_only=True):
    """One side ends an agreement (all versions up to this one), at once."""

    agreement_id: Token
    version: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    reason: Text
    revoked_at: Instant


class Grant(Message, frozen=True, kw_only=True):
    """One signed permission for one call (调用授权).

    Attributes:
        subject: identity number of the person asked about, 18 characters; empty for a list, which names nobody.
        claims: what the person or the archive says, by element; compared at the provider.
        parameters: what the question needs beyond the person, e.g. `on_date`; of an action also `idempotency_key`.
        elements: elements this call may look at.
        fields: elements this call wants raw.
        nonce: taken once by the gateway, so that the grant can't be presented again.
    """

    grant_id: Token
    resource: ResourceName
    agreement_id: Token
    agreement_version: int
    provider: Identifier
    consumer: Identifier
    purpose: Identifier
    legal_basis: Text
    case_id: Reference
    subject: Annotated[str, msgspec.Meta(max_length=18)]
    issued_at: Instant
    expires_at: Instant
    nonce: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
    kind: Kind = Kind.CHECK
    claims: Values = {}
    parameters: Values = {}
    elements: Names = ()
    fields: Names = ()


class Verdict(Message, frozen=True, kw_only=True):
    """The minimal signed answer (结论) to one grant.

    Attributes:
        grant_digest: digest of the grant's envelope, hex: binds the answer to exactly that question.
        reason: code of what was found.
        as_of: how fresh the data were that it rests on.
        evidence_hash: salted digest of the rows read; salt and rows stay at the department.
        fields: raw values, only those in agreement and grant.
        rows: of a list: one person each, with the fields that agreement and grant name.
    """

    grant_id: Token
    grant_digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    resource: ResourceName
    provider: Identifier
    outcome: Outcome
    reason: Identifier
    as_of: Instant
    evidence_hash: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?\Z")]
    answered_at: Instant
    fields: Values = {}
    rows: Rows = ()


class Refusal(Message, frozen=True, kw_only=True):
    """A gateway's signed no: it didn't read its source. A hub can tell it from garbage.

    Attributes:
        grant_id: as the grant named it, or empty if the grant couldn't be read.
        grant_digest: digest of what was received, hex.
        code: stable reason, e.g. `expired`, `replayed`, `not_in_agreement`.
        detail: what the code is about: the name of an element, or the instant from which on to try again.
        chinese: sentence without personal data.
        english: the same in English.
    """

    grant_id: Annotated[str, msgspec.Meta(max_length=128)]
    grant_digest: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?\Z")]
    provider: Identifier
    code: Identifier
    chinese: Text
    english: Text
    answered_at: Instant
    detail: Annotated[str, msgspec.Meta(max_length=500)] = ""


_MILLISECONDS: Final = 1000
_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def new_identifier(prefix: str, now: datetime, number: int = 0) -> str:
    """Make an unguessable identifier whose order in text is the order in time, which keeps indexes compact.

    Letters only: a run of digits could pass for somebody's number where such numbers are looked for.

    Args:
        prefix: a letter that tells the kind.
        now: the present instant, to the millisecond.
        number: orders what is made within one millisecond.
    """
    ordered = f"{int(now.timestamp() * _MILLISECONDS):012x}{number % 0x1000000:06x}"
    return prefix + f"{ordered}{secrets.token_hex(8)}".translate(_LETTERS)


def new_nonce() -> str:
    """Make the number that a gateway takes once."""
    return secrets.token_hex(16)


def to_the_second(instant: datetime) -> datetime:
    """Cut an instant to whole seconds in UTC, as messages carry it."""
    return instant.astimezone(UTC).replace(microsecond=0)
