"""What came back for a grant: pure. A verdict counts if its provider signed it and it answers exactly this grant."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final

from huodang.exchange.errors import MessageError
from huodang.exchange.values import (
    ORIGIN_UNREACHABLE,
    OUTCOMES,
    RATE_LIMITED,
    REFUSAL,
    VERDICT,
    Agreement,
    Grant,
    Kind,
    Outcome,
    Refusal,
    Verdict,
)
from huodang.standards import HuodangError
from huodang.trust import (
    EnvelopeError,
    MalformedEnvelopeError,
    NotCanonicalError,
    SignedEnvelope,
    TrustedKeys,
    open_envelope,
    parse_strict,
)


class FailureCode(StrEnum):
    """Why a call brought no verdict."""

    NOT_PERMITTED = "not_permitted"
    NO_AGREEMENT = "no_agreement"
    SUBJECT_INVALID = "subject_invalid"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    GARBAGE = "garbage"
    UNSIGNED = "unsigned"
    WRONGLY_SIGNED = "wrongly_signed"
    FOR_OTHER_GRANT = "for_other_grant"
    NOT_ALLOWED = "not_allowed"
    LATE = "late"
    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    TOO_MANY = "too_many"


FAILURE_SENTENCES: Final[dict[FailureCode, tuple[str, str]]] = {
    FailureCode.NOT_PERMITTED: ("没有访问策略允许此次查询", "no policy permits this question"),
    FailureCode.NO_AGREEMENT: ("没有覆盖该资源和用途的有效协议", "no agreement in force covers resource and purpose"),
    FailureCode.SUBJECT_INVALID: ("证件号码无效", "the identity number isn't valid"),
    FailureCode.UNREACHABLE: ("前置机无法连接", "the gateway can't be reached"),
    FailureCode.TIMEOUT: ("前置机未在时限内答复", "the gateway didn't answer in time"),
    FailureCode.TOO_LARGE: ("答复超过允许的大小", "the answer exceeds the size allowed"),
    FailureCode.GARBAGE: ("答复无法识别", "the answer can't be understood"),
    FailureCode.UNSIGNED: ("答复没有签名", "the answer isn't signed"),
    FailureCode.WRONGLY_SIGNED: ("答复的签名无效，或不是该部门所签", "the signature is wrong, or not the department's"),
    FailureCode.FOR_OTHER_GRANT: ("答复对应的是另一份授权", "the answer is to another grant"),
    FailureCode.NOT_ALLOWED: ("答复超出授权范围", "the answer goes beyond the grant"),
    FailureCode.LATE: ("答复时授权已过期", "the answer was given after the grant had expired"),
    FailureCode.REFUSED: ("部门前置机拒绝", "the department's gateway refused"),
    FailureCode.RATE_LIMITED: (
        "本分钟的调用已达协议限额，请在所示时间后再试",
        "the agreement's limit for this minute is reached: try again at the time told",
    ),
    FailureCode.TOO_MANY: (
        "一次人数超过协议的每分钟限额，请分批查询",
        "more persons than the agreement's limit for a minute: ask in parts",
    ),
}

RETRYABLE: Final = frozenset({FailureCode.UNREACHABLE, FailureCode.TIMEOUT, FailureCode.LATE, FailureCode.RATE_LIMITED})
"""What passes by itself: the same question may be asked again without anybody doing anything."""


@dataclass(frozen=True)
class Failure:
    """Why a call brought no verdict.

    Attributes:
        detail: the gateway's own code of a refusal, the name of what was wrong, or the instant from which on to try
            again; never a value of anybody's.
        chinese: sentence for people.
        english: the same in English.
    """

    code: FailureCode
    detail: str = ""
    chinese: str = ""
    english: str = ""

    @classmethod
    def of(cls, code: FailureCode, detail: str = "") -> "Failure":
        """Make a failure with its own sentence."""
        chinese, english = FAILURE_SENTENCES[code]
        return cls(code, detail, chinese, english)

    @property
    def retryable(self) -> bool:
        """The same question may be asked again as it is."""
        return self.code in RETRYABLE


class CallFailure(Exception):  # noqa: N818  (carries a Failure to `ask`, which hands it on as a value)
    """A call brought nothing that can be judged."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


@dataclass(frozen=True)
class Answered:
    """A recorded verdict with its envelope and its entry in the ledger."""

    verdict: Verdict
    envelope: SignedEnvelope
    entry_id: str


@dataclass(frozen=True)
class PreparedGrant:
    """A grant that is signed and recorded, ready to be sent; or why there is none.

    Attributes:
        failure: set if nothing may be asked; `ask` hands it on, so that a batch goes the same way as a single question.
        agreement: under which it is asked.
        reused: the answer that is used again, so that nothing need be asked; `ask` hands it on alike.
    """

    grant_id: str
    resource: str
    provider: str
    case_id: str
    grant: Grant | None
    envelope: SignedEnvelope | None
    failure: Failure | None = None
    agreement: Agreement | None = None
    reused: Answered | None = None

    @cached_property
    def text(self) -> str:
        """Write the envelope as it is sent and recorded; empty if there is none."""
        return self.envelope.to_json() if self.envelope is not None else ""


@dataclass(frozen=True)
class Answer:
    """What came back: a verdict, or why there is none.

    Attributes:
        envelope: the signed verdict or refusal, if what came was one.
        received: digest of what came, if it could not be used.
    """

    prepared: PreparedGrant
    verdict: Verdict | None = None
    failure: Failure | None = None
    envelope: SignedEnvelope | None = None
    received: str = ""


@dataclass(frozen=True)
class AnswerRecord:
    """What was recorded of an answer.

    Attributes:
        outcome: of the verdict; UNKNOWN if there is none; CONFLICT if two different ones were given.
        reason: of the verdict, or the code of the failure.
        fields: raw values, only those that agreement and grant name.
        rows: of a list, one person each.
        answered: a verdict counts. False if the question should be asked again or looked into.
        reused: it was recorded before and is used again, as the agreement allows; `as_of` tells how fresh it is.
    """

    grant_id: str
    resource: str
    outcome: Outcome
    reason: str
    answered: bool
    as_of: datetime | None = None
    fields: dict[str, str] | None = None
    failure: Failure | None = None
    entry_id: str = ""
    rows: tuple[dict[str, str], ...] = ()
    reused: bool = False


TWO_DIFFERENT_VERDICTS: Final = "two_different_verdicts"
SKEW: Final = timedelta(seconds=120)
"""How far clocks of hub and department may differ."""


def judge(prepared: PreparedGrant, raw: bytes, trusted: TrustedKeys, now: datetime) -> Answer:
    """Look at what a gateway sent back for a grant. Never raises: whatever is wrong becomes a failure."""
    try:
        envelope = SignedEnvelope.from_json(raw)
    except MalformedEnvelopeError:
        code = FailureCode.UNSIGNED if _looks_unsigned(raw) else FailureCode.GARBAGE
        return Answer(prepared, failure=Failure.of(code))
    except HuodangError as problem:
        return Answer(prepared, failure=Failure.of(FailureCode.GARBAGE, problem.code))
    if envelope.kind not in (VERDICT, REFUSAL):
        return Answer(prepared, failure=Failure.of(FailureCode.GARBAGE, "kind"), envelope=envelope)
    try:
        payload = open_envelope(envelope, envelope.kind, trusted, signer=prepared.provider, at=now)
    except EnvelopeError as problem:
        malformed = isinstance(problem, MalformedEnvelopeError)
        code = FailureCode.GARBAGE if malformed else FailureCode.WRONGLY_SIGNED
        return Answer(prepared, failure=Failure.of(code, problem.code), envelope=envelope)
    try:
        if envelope.kind == REFUSAL:
            ours = prepared.envelope.digest if prepared.envelope else ""
            failure = refusal_failure(Refusal.from_payload(payload), prepared.provider, ours)
            return Answer(prepared, failure=failure, envelope=envelope)
        verdict = Verdict.from_payload(payload)
    except MessageError:
        return Answer(prepared, failure=Failure.of(FailureCode.GARBAGE, "shape"), envelope=envelope)
    fault = _fault(prepared, verdict)
    return Answer(prepared, None if fault else verdict, fault, envelope)


def refusal_failure(refusal: Refusal, provider: str, grant_digest: str) -> Failure:
    """Read a gateway's signed no to a grant."""
    if refusal.provider != provider or refusal.grant_digest not in ("", grant_digest):
        return Failure.of(FailureCode.FOR_OTHER_GRANT)
    if refusal.code == RATE_LIMITED:
        return Failure(FailureCode.RATE_LIMITED, refusal.detail, refusal.chinese, refusal.english)
    if refusal.code == ORIGIN_UNREACHABLE:
        return Failure(FailureCode.UNREACHABLE, refusal.code, refusal.chinese, refusal.english)
    return Failure(FailureCode.REFUSED, refusal.code, refusal.chinese, refusal.english)


def _fault(prepared: PreparedGrant, verdict: Verdict) -> Failure | None:
    grant, envelope = prepared.grant, prepared.envelope
    if grant is None or envelope is None:
        return Failure.of(FailureCode.FOR_OTHER_GRANT)
    answered = (verdict.grant_id, verdict.grant_digest, verdict.resource, verdict.provider)
    if answered != (grant.grant_id, envelope.digest, grant.resource, grant.provider):
        return Failure.of(FailureCode.FOR_OTHER_GRANT)
    if verdict.outcome not in OUTCOMES[grant.kind]:
        return Failure.of(FailureCode.NOT_ALLOWED, "outcome")
    if not verdict.fields.keys() <= set(grant.fields):
        return Failure.of(FailureCode.NOT_ALLOWED, "fields")
    if verdict.rows and grant.kind is not Kind.LIST:
        return Failure.of(FailureCode.NOT_ALLOWED, "rows")
    if any(not row.keys() <= set(grant.fields) for row in verdict.rows):
        return Failure.of(FailureCode.NOT_ALLOWED, "fields")
    if not grant.issued_at - SKEW <= verdict.answered_at <= grant.expires_at + SKEW:
        return Failure.of(FailureCode.LATE)
    return None


def _looks_unsigned(raw: bytes) -> bool:
    """Say whether something is a verdict in all but its signature."""
    try:
        members = parse_strict(raw)
    except NotCanonicalError:
        return False
    return ("payload" in members and not members.get("signatures")) or "outcome" in members
