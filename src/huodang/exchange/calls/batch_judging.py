"""What came back for a batch: pure. Pages count if a head that the provider signed answers for each of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from huodang.exchange.answers import SKEW, Failure, FailureCode, refusal_failure
from huodang.exchange.calls.messages import (
    BATCH_VERDICT,
    AnsweredPage,
    AskedPage,
    BatchGrant,
    BatchVerdict,
    read_answered,
)
from huodang.exchange.errors import MessageError
from huodang.exchange.values import OUTCOMES, REFUSAL, Kind, Outcome, Refusal
from huodang.trust import EnvelopeError, SignedEnvelope, TrustedKeys, open_envelope, suite

_SAID: Final = frozenset({one.value for one in OUTCOMES[Kind.CHECK]} | {Outcome.REFUSED.value})


@dataclass(frozen=True)
class PreparedBatch:
    """A batch that is signed and recorded, ready to be sent; or why nothing may be asked.

    Attributes:
        number: of the batch's row.
        asked: the pages, in order.
    """

    number: int
    head: BatchGrant | None
    envelope: SignedEnvelope | None
    asked: tuple[AskedPage, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True)
class BatchAnswer:
    """What came back for a batch: pages that the signed head answers for, or why there are none."""

    prepared: PreparedBatch
    envelope: SignedEnvelope | None = None
    answered: tuple[AnsweredPage, ...] = ()
    written: tuple[bytes, ...] = ()
    failure: Failure | None = None


def judge_batch(prepared: PreparedBatch, lines: Iterable[bytes], trusted: TrustedKeys, now: datetime) -> BatchAnswer:
    """Look at what came back for a batch, line by line as it comes; whatever is wrong with it becomes a failure."""
    head, grant = prepared.head, prepared.envelope
    if head is None or grant is None:
        return BatchAnswer(prepared, failure=prepared.failure or Failure.of(FailureCode.NOT_PERMITTED))
    pages, written, last = list[AnsweredPage](), list[bytes](), b""
    try:
        for line in lines:
            if last:
                pages.append(read_answered(last))
                written.append(last)
                if len(pages) > len(head.pages):
                    return BatchAnswer(prepared, failure=Failure.of(FailureCode.GARBAGE, "pages"))
            last = line
        envelope = SignedEnvelope.from_json(last)
    except (MessageError, EnvelopeError):
        return BatchAnswer(prepared, failure=Failure.of(FailureCode.GARBAGE, "shape"))
    try:
        kind = REFUSAL if envelope.kind == REFUSAL else BATCH_VERDICT
        payload = open_envelope(envelope, kind, trusted, signer=head.provider, at=now)
    except EnvelopeError as problem:
        return BatchAnswer(prepared, failure=Failure.of(FailureCode.WRONGLY_SIGNED, problem.code))
    try:
        if kind == REFUSAL:
            refused = refusal_failure(Refusal.from_payload(payload), head.provider, grant.digest)
            return BatchAnswer(prepared, failure=refused)
        verdict = BatchVerdict.from_payload(payload)
        failure = _misfit(head, grant, verdict) or _fault(prepared.asked, head, verdict, pages, envelope.suite)
    except MessageError:
        failure = Failure.of(FailureCode.GARBAGE, "shape")
    if failure is not None:
        return BatchAnswer(prepared, failure=failure)
    return BatchAnswer(prepared, envelope, tuple(pages), tuple(written))


def _misfit(head: BatchGrant, grant: SignedEnvelope, verdict: BatchVerdict) -> Failure | None:
    """Say what keeps a signed head from being the answer to this batch."""
    answered = (verdict.batch_id, verdict.grant_digest, verdict.resource, verdict.provider, verdict.subjects)
    if answered != (head.batch_id, grant.digest, head.resource, head.provider, head.subjects):
        return Failure.of(FailureCode.FOR_OTHER_GRANT)
    if not head.issued_at - SKEW <= verdict.answered_at <= head.expires_at + SKEW:
        return Failure.of(FailureCode.LATE)
    return None


def _fault(
    asked: Sequence[AskedPage],
    head: BatchGrant,
    verdict: BatchVerdict,
    pages: Sequence[AnsweredPage],
    suite_name: str,
) -> Failure | None:
    """Say what keeps pages from being those that the signed head answers for."""
    if not len(pages) == len(verdict.pages) == len(head.pages):
        return Failure.of(FailureCode.GARBAGE, "pages")
    digest = suite(suite_name).digest
    for lines, page, root in zip(asked, pages, verdict.pages, strict=True):
        if page.fields.keys() != set(head.fields) or not _SAID.issuperset(page.outcomes):
            return Failure.of(FailureCode.NOT_ALLOWED, "outcome")
        if page.root(digest, lines, head.fields).hex() != root:
            return Failure.of(FailureCode.GARBAGE, "root")
    return None
