"""The gateway's side of a batch: one signed head of questions in, pages of answers and one signed head out.

A page is read, answered, written to the log and sent before the next one is looked at, so memory stays bounded and
nothing leaves that the log doesn't hold. The signed head of the answers comes last, when all roots are known; a reader
that doesn't get it has nothing.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import starmap
from typing import Any, Final

import msgspec
from litestar import post
from litestar.exceptions import ClientException
from litestar.params import RawBody
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_400_BAD_REQUEST
from litestar.types import ControllerRouterHandler

from huodang.exchange.calls.messages import (
    BATCH_VERDICT,
    LARGEST_BATCH,
    AnsweredPage,
    AskedPage,
    BatchGrant,
    BatchVerdict,
    Digest,
    page_length,
    pages_of,
    read_asked,
    write_page,
)
from huodang.exchange.calls.numbers import identities
from huodang.exchange.errors import MessageError
from huodang.exchange.gateway.admission import admit_batch, read_batch_grant
from huodang.exchange.gateway.conditions import QuestionFault
from huodang.exchange.gateway.mapping import CheckResource
from huodang.exchange.gateway.memory import LogLine
from huodang.exchange.gateway.refusals import Refused
from huodang.exchange.gateway.service import SUBJECT, Gateway
from huodang.exchange.gateway.sources import Found, Wanted
from huodang.exchange.values import REFUSAL, Agreement, Outcome, Refusal, to_the_second
from huodang.standards import IdentityNumber
from huodang.store import utc_text
from huodang.trust import EnvelopeError, SignedEnvelope, sign_envelope, sm3, suite

MEDIA_TYPE: Final = "application/x-ndjson"
_BODY_BYTES: Final = 32 * 1024 * 1024
"""Of a request: ten thousand subjects with a claim or two take a twentieth of it."""


@lru_cache(maxsize=4096)
def _moment(instant: datetime) -> str:
    """Write an instant as answers carry it; many of a page are the same."""
    return utc_text(to_the_second(instant))


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    grant: msgspec.Raw
    pages: list[msgspec.Raw]


@dataclass(frozen=True)
class _Admitted:
    """A batch that may be answered.

    Attributes:
        line: what the log says of it, to be filled in for each page.
        handed: of each field that the head names, whether it may be handed over raw.
        wanted: the elements to read.
    """

    head: BatchGrant
    grant_digest: str
    resource: CheckResource
    handed: tuple[tuple[str, bool], ...]
    wanted: frozenset[str]
    pages: Sequence[bytes]
    line: LogLine
    now: datetime


class BatchAnswering:
    """Answers batches at one gateway; a part of it as `gateway/parts.py` describes."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._suite = gateway.signer.suite

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Give `POST /v1/batches`."""

        @post("/v1/batches", status_code=HTTP_200_OK, sync_to_thread=True, request_max_body_size=_BODY_BYTES)
        def batches(body: RawBody) -> Stream:
            """Answer a batch: a line for each page and the signed head as last line, or one signed refusal."""
            try:
                batch = msgspec.json.decode(body, type=_Batch)
            except (msgspec.MsgspecError, RecursionError):
                raise ClientException(
                    '请求体应为 {"grant": …, "pages": […]} / the body is {"grant": …, "pages": […]}',
                    status_code=HTTP_400_BAD_REQUEST,
                ) from None
            lines = self.answer(bytes(batch.grant), [bytes(one) for one in batch.pages])
            return Stream((line + b"\n" for line in lines), media_type=MEDIA_TYPE)

        return [batches]

    def offers(self) -> Sequence[dict[str, Any]]:
        """Nothing beyond the checks, which the gateway tells itself."""
        return []

    def start(self) -> None:
        """There is no background work."""

    def stop(self) -> None:
        """There is nothing to let go of."""

    def answer(self, grant: bytes, pages: Sequence[bytes]) -> Iterator[bytes]:
        """Answer a batch page by page, the signed head last; or give one signed refusal. Reads as it is read from."""
        now = self._gateway.clock.now()
        try:
            envelope = SignedEnvelope.from_json(grant)
        except EnvelopeError:
            yield self._refuse(Refused("malformed"), None, "", now)
            return
        head = read_batch_grant(envelope, self._gateway.trusted, now)
        if isinstance(head, Refused):
            yield self._refuse(head, None, envelope.digest, now)
            return
        admitted = self._admit(envelope, head, pages, now)
        if isinstance(admitted, Refused):
            yield self._refuse(admitted, head, envelope.digest, now)
            return
        roots, evidence = list[str](), list[str]()
        digest = suite(self._suite).digest
        for number in range(len(pages)):
            asked = _asked(admitted, number, suite(envelope.suite).digest)
            if isinstance(asked, Refused):
                # What has left already is worth nothing without the signed head.
                yield self._refuse(asked, head, envelope.digest, now)
                return
            answered, read = self._answer_page(admitted, number, asked)
            roots.append(answered.root(digest, asked, admitted.head.fields).hex())
            evidence.append(read)
            yield write_page(answered)
        verdict = BatchVerdict(
            batch_id=head.batch_id,
            grant_digest=envelope.digest,
            resource=head.resource,
            provider=self._gateway.department,
            subjects=head.subjects,
            pages=tuple(roots),
            evidence=tuple(evidence),
            answered_at=to_the_second(now),
        )
        yield self._signed(BATCH_VERDICT, verdict.to_payload())

    def _admit(
        self, envelope: SignedEnvelope, head: BatchGrant, pages: Sequence[bytes], now: datetime
    ) -> _Admitted | Refused:
        gateway = self._gateway
        found = admit_batch(
            envelope,
            head,
            department=gateway.department,
            resources=gateway.resources,
            shelf=gateway.shelf.contents(),
            now=now,
            skew=gateway.skew,
        )
        if isinstance(found, Refused):
            return found
        agreement, resource = found
        if head.subjects > min(LARGEST_BATCH, gateway.file.spec.limits.batch_subjects):
            return Refused("batch_too_large")
        if len(head.pages) != pages_of(head.subjects) or len(pages) != len(head.pages):
            return Refused("page_differs")
        line = _line(head, envelope.digest, "batch", now)
        until = head.expires_at + 2 * gateway.skew
        if not gateway.memory.take(head.nonce, until, replace(line, reason="begun")):
            return Refused("replayed")
        if refused := gateway.over_limit(agreement, head.subjects, now):
            return refused
        permitted = _permitted(head, agreement, resource)
        handed = tuple((one, one in permitted) for one in head.fields)
        return _Admitted(head, envelope.digest, resource, handed, resource.needs | permitted, pages, line, now)

    def _answer_page(self, batch: _Admitted, number: int, asked: AskedPage) -> tuple[AnsweredPage, str]:
        """Answer one page and write the log of it; give the page and the digest of what was read."""
        gateway = self._gateway
        persons = identities(asked.subjects)
        claims = list(_claims(asked, batch.head.claims))
        names: Sequence[str | None] = asked.claims.get("name", ()) or [None] * len(persons)
        wanted = [Wanted(one, name or "") for one, name in zip(persons, names, strict=True) if one is not None]
        rows = iter(gateway.find(batch.resource.name, wanted))
        found = [next(rows) if one is not None else None for one in persons]
        answers = list(starmap(lambda *line: _answer(batch, *line), zip(persons, claims, found, strict=True)))
        columns = list(zip(*answers, strict=True))
        page = AnsweredPage(
            outcomes=columns[0],
            reasons=columns[1],
            as_of=columns[2],
            fields={name: columns[3 + place] for place, name in enumerate(batch.head.fields)},
        )
        salt = secrets.token_hex(16)
        evidence = _evidence(salt, found)
        line = replace(batch.line, reason=f"page_{number}", evidence_hash=evidence, salt=salt, fields=batch.head.fields)
        first = sum(page_length(batch.head.subjects, before) for before in range(number))
        numbers = [one.text if one is not None else text for one, text in zip(persons, asked.subjects, strict=True)]
        marks = gateway.secret.blind_indexes(SUBJECT, numbers)
        gateway.memory.write_page(
            line,
            [
                (mark, first + place, answer[0], answer[1])
                for place, (mark, answer) in enumerate(zip(marks, answers, strict=True))
            ],
        )
        return page, evidence

    def _refuse(self, refused: Refused, head: BatchGrant | None, digest: str, now: datetime) -> bytes:
        chinese, english = refused.sentences()
        line = _line(head, digest, REFUSAL, now)
        self._gateway.memory.write([(None, None, replace(line, reason=refused.code))])
        refusal = Refusal(
            grant_id=line.grant_id,
            grant_digest=digest,
            provider=self._gateway.department,
            code=refused.code,
            chinese=chinese,
            english=english,
            answered_at=line.answered_at,
            detail=refused.detail,
        )
        return self._signed(REFUSAL, refusal.to_payload())

    def _signed(self, kind: str, payload: dict[str, Any]) -> bytes:
        return sign_envelope(kind, payload, self._gateway.signer).to_json().encode()


def _asked(batch: _Admitted, number: int, digest: Digest) -> AskedPage | Refused:
    """Read one page, and hold it against what the head says of it."""
    head = batch.head
    try:
        asked = read_asked(batch.pages[number])
        root = asked.root(digest, head.claims).hex()
    except MessageError:
        return Refused("malformed")
    as_signed = root == head.pages[number] and len(asked.subjects) == page_length(head.subjects, number)
    return asked if as_signed else Refused("page_differs")


def _claims(asked: AskedPage, names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Give what is claimed of each person; an empty cell claims nothing."""
    if not names:
        return ({} for _ in asked.subjects)
    return (
        {name: cell for name, cell in zip(names, cells, strict=True) if cell is not None}
        for cells in zip(*(asked.claims[name] for name in names), strict=True)
    )


_Line = tuple[str, str, str, *tuple[str | None, ...]]


def _answer(batch: _Admitted, person: IdentityNumber | None, claims: Mapping[str, str], found: Found | None) -> _Line:
    """Answer one line: outcome, reason, as-of, and the fields in the head's order."""
    resource = batch.resource
    if person is None:
        return _refused(batch, "subject_invalid")
    if claims.get(SUBJECT, person.text) != person.text:
        return _refused(batch, "subject_mismatch")
    if not resource.required_claims <= claims.keys():
        return _refused(batch, "claim_missing")
    try:
        finding, as_of = resource.examine(found, claims, batch.head.parameters, batch.wanted, batch.now)
    except QuestionFault as fault:
        return _refused(batch, fault.code)
    answer, values = finding.answer, finding.values
    return (
        answer.outcome.value,
        answer.reason,
        _moment(as_of),
        *[values.get(name) if handed else None for name, handed in batch.handed],
    )


def _refused(batch: _Admitted, code: str) -> _Line:
    return (Outcome.REFUSED.value, code, "", *(None for _ in batch.head.fields))


def _permitted(head: BatchGrant, agreement: Agreement, resource: CheckResource) -> frozenset[str]:
    return frozenset(head.fields) & frozenset(agreement.fields) & resource.offers


def _line(head: BatchGrant | None, digest: str, outcome: str, now: datetime) -> LogLine:
    return LogLine(
        answered_at=to_the_second(now),
        grant_id=head.batch_id if head else "",
        grant_digest=digest,
        consumer=head.consumer if head else "",
        purpose=head.purpose if head else "",
        case_id=head.case_id if head else "",
        resource=head.resource if head else "",
        agreement_id=head.agreement_id if head else "",
        agreement_version=head.agreement_version if head else 0,
        elements=head.elements if head else (),
        fields=(),
        subject_mark="",
        outcome=outcome,
        reason="",
    )


def _evidence(salt: str, found: Sequence[Found | None]) -> str:
    """Digest the rows read for a page, in the order of its lines, with a salt that stays at the department."""
    rows = [one.rows if one is not None else () for one in found]
    return sm3(bytes.fromhex(salt) + msgspec.json.encode(rows, enc_hook=str)).hex()
