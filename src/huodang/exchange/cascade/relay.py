"""Answering a neighbouring hub: its grant is checked as a gateway would, and this hub asks by a grant of its own.

That grant is never wider than the neighbour's: the same person, purpose, claims and parameters, no element more, no
second longer, with the way the question has come. The answer carries the signed chain behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.agreements import AgreementState
from huodang.exchange.answers import Answer, Failure, FailureCode, PreparedGrant
from huodang.exchange.cascade import records
from huodang.exchange.cascade.chain import chain_digest
from huodang.exchange.cascade.door import Door
from huodang.exchange.cascade.offers import Offers
from huodang.exchange.cascade.paths import PathFault, Walked, go_on, plain_parameters, within
from huodang.exchange.cascade.proofs import Proofs
from huodang.exchange.cascade.values import LONGEST_PATH, Hop
from huodang.exchange.decisions import Actor
from huodang.exchange.gateway.admission import admit_delivery, read_grant
from huodang.exchange.gateway.refusals import SENTENCES, Refused
from huodang.exchange.gateway.shelf import ShelfContents
from huodang.exchange.questions import Question
from huodang.exchange.service import Exchange
from huodang.exchange.values import (
    ORIGIN_UNREACHABLE,
    REFUSAL,
    VERDICT,
    Agreement,
    Grant,
    Kind,
    Refusal,
    Verdict,
    to_the_second,
)
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import BadValue, IdentityNumber
from huodang.store import Database, shanghai_date
from huodang.trust import EnvelopeError, SignedEnvelope, sign_envelope

_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "not_neighbour": (
        "签名者不是相邻平台，或不是授权所称的使用方",
        "who signed is no neighbour, or not the consumer named",
    ),
    "relay_loop": (
        "该请求已经过本平台，或将回到来处",
        "the question has been here, or would go back where it came from",
    ),
    "relay_too_long": ("该请求经过的平台过多", "the question has come over too many hubs"),
    "relay_path_broken": (
        "该请求所经路径与授权摘要不符",
        "the way of the question doesn't fit the digests of its grants",
    ),
    "rows_not_relayed": ("按行限定的协议不能级联", "an agreement limited to some rows can't be passed on"),
    ORIGIN_UNREACHABLE: ("来源部门或其平台目前无法连接", "the department or hub behind this one can't be reached now"),
    "origin_no_agreement": (
        "本平台与来源之间没有覆盖此次请求的协议",
        "no agreement with the one behind this hub covers this",
    ),
    "origin_refused": ("来源部门拒绝", "the one behind this hub refused"),
    "origin_unusable": ("来源的答复不可用", "what the one behind this hub answered can't be used"),
}
_AWAY: Final = frozenset({FailureCode.UNREACHABLE, FailureCode.TIMEOUT, FailureCode.LATE})
_RELAYED_KINDS: Final = frozenset({Kind.CHECK, Kind.ACTION, Kind.LIST})


@dataclass(frozen=True)
class Relayed:
    """What a neighbour gets for one grant: a signed verdict with the chain behind it, or a signed refusal."""

    envelope: SignedEnvelope
    chain: tuple[Hop, ...] = ()


@dataclass(frozen=True)
class _Admitted:
    """A neighbour's grant that may be passed on."""

    envelope: SignedEnvelope
    grant: Grant
    agreement: Agreement
    inner: str
    way: Walked


class Relay:
    """Passes neighbours' questions on.

    Args:
        database: the hub's.
        exchange: asks in this hub's own name: its agreements for passing on name the hub itself as consumer.
        ledger: gets a leaf for each question passed on.
        door: checks who asks.
        offers: what is passed on.
        proofs: the chains behind answers that came from another neighbour.
        longest_path: how many hubs may have asked.
    """

    def __init__(
        self,
        database: Database,
        exchange: Exchange,
        ledger: Ledger,
        door: Door,
        offers: Offers,
        *,
        proofs: Proofs,
        longest_path: int = LONGEST_PATH,
    ) -> None:
        self._database = database
        self._exchange = exchange
        self._ledger = ledger
        self._door = door
        self._offers = offers
        self._proofs = proofs
        self._longest_path = longest_path

    def answer(self, batch: Sequence[bytes]) -> list[Relayed]:
        """Answer many grants at once. One bad grant is refused; the others are answered."""
        now = self._door.clock.now()
        shelf = self._door.contents()
        with self._database.read() as connection:
            inner = self._offers.inner_names(connection)
        judged: list[_Admitted | Relayed] = [self._admit(raw, shelf, inner, now) for raw in batch]
        places = [place for place, one in enumerate(judged) if isinstance(one, _Admitted)]
        with self._database.begin() as connection:
            for place, one in zip(places, self._take(connection, [judged[at] for at in places], now), strict=True):
                judged[place] = one
            places = [place for place in places if isinstance(judged[place], _Admitted)]
            asked = [one for one in judged if isinstance(one, _Admitted)]
            prepared = self._exchange.prepare(connection, [self._question(connection, one, now) for one in asked])
            self._note(connection, asked, prepared, now)
        answers = self._ask(prepared)
        with self._database.begin() as connection:
            self._exchange.record_all(connection, answers)
            self._settle(connection, asked, answers)
        for place, one, answer in zip(places, asked, answers, strict=True):
            judged[place] = self._relayed(one, answer)
        return [one for one in judged if isinstance(one, Relayed)]

    def _admit(
        self, raw: bytes, shelf: ShelfContents, inner: Mapping[str, str], now: datetime
    ) -> "_Admitted | Relayed":
        try:
            envelope = SignedEnvelope.from_json(raw)
        except EnvelopeError:
            return self._refuse("malformed", None, "", now)
        grant = read_grant(envelope, self._door.trusted, now)
        if isinstance(grant, Refused):
            return self._refuse(grant.code, None, envelope.digest, now)
        fault = self._fault(envelope, grant, shelf, inner, now)
        if isinstance(fault, _Admitted):
            return fault
        return self._refuse(fault.code, grant, envelope.digest, now, fault.detail)

    def _fault(
        self, envelope: SignedEnvelope, grant: Grant, shelf: ShelfContents, inner: Mapping[str, str], now: datetime
    ) -> _Admitted | Refused:
        if envelope.signer != grant.consumer:
            return Refused("not_neighbour")
        agreement = admit_delivery(
            envelope,
            # Whom it is about is looked at below: deliveries, which this check is made for, are about nobody.
            msgspec.structs.replace(grant, subject=""),
            department=self._door.department,
            kind=grant.kind,
            resources=inner,
            shelf=shelf,
            now=now,
            skew=self._door.skew,
        )
        if isinstance(agreement, Refused):
            return agreement
        if grant.kind not in _RELAYED_KINDS:
            return Refused("resource_not_served", grant.resource)
        if agreement.rows:
            return Refused("rows_not_relayed")
        if grant.expires_at <= now:
            return Refused("expired")  # nothing is left of its time, in which this hub's own grant must fit
        if (grant.kind is Kind.LIST) is bool(grant.subject) or (grant.subject and not _is_number(grant.subject)):
            return Refused("subject_invalid")
        name = inner[grant.resource]
        try:
            way = go_on(
                grant,
                envelope.digest,
                envelope.signer,
                self._door.department,
                name.partition(".")[0],
                longest=self._longest_path,
            )
        except PathFault as fault:
            return Refused(fault.code)
        return _Admitted(envelope, grant, agreement, name, way)

    def _take(
        self, connection: Connection, admitted: Sequence["_Admitted | Relayed"], now: datetime
    ) -> list["_Admitted | Relayed"]:
        """Take each grant's number once, and spend the agreements' limits, in the order of asking."""
        grants = [one for one in admitted if isinstance(one, _Admitted)]
        late = self._door.take_numbers(
            connection, [(one.grant.nonce, one.grant.expires_at + 2 * self._door.skew) for one in grants]
        )
        found: list[_Admitted | Relayed] = []
        for place, one in enumerate(grants):
            refused = Refused("replayed") if place in late else self._door.over_limit(connection, one.agreement, now)
            if refused is not None:
                found.append(self._refuse(refused.code, one.grant, one.envelope.digest, now, refused.detail))
                continue
            connection.execute(
                sa.insert(records.relayed).values(
                    grant_digest=one.envelope.digest,
                    grant_id=one.grant.grant_id,
                    neighbour=one.envelope.signer,
                    resource=one.grant.resource,
                    inner_grant_id="",
                    agreement_id=one.agreement.agreement_id,
                    purpose=one.grant.purpose,
                    path=",".join(one.way.hubs),
                    at=now,
                    outcome="asked",
                    entry_id="",
                )
            )
            found.append(one)
        return found

    def _question(self, connection: Connection, one: _Admitted, now: datetime) -> Question:
        """Ask what was asked, no more: what both agreements name."""
        grant = one.grant
        elements, fields = grant.elements, grant.fields
        in_force = self._exchange.agreements.in_force(connection, [one.inner], shanghai_date(now)).get(one.inner, [])
        for record in in_force:
            own = record.agreement
            if own.consumer == self._door.department and grant.purpose in own.purposes:
                elements, fields = within(elements, own.elements), within(fields, own.fields)
                break
        neighbour = one.envelope.signer
        return Question(
            resource=one.inner,
            case_id=grant.case_id,
            identity_number=grant.subject,
            claims=grant.claims,
            parameters={**plain_parameters(grant), **one.way.parameters()},
            purpose=grant.purpose,
            actor=Actor(f"hub:{neighbour}", neighbour, "neighbour", neighbour),
            elements=elements,
            fields=fields,
            expires_by=grant.expires_at,
        )

    def _note(
        self, connection: Connection, asked: Sequence[_Admitted], prepared: Sequence[PreparedGrant], now: datetime
    ) -> None:
        entries = [
            (
                LedgerEntry(
                    "relay",
                    now,
                    {
                        "grant": one.grant.grant_id,
                        "digest": one.envelope.digest,
                        "resource": one.grant.resource,
                        "inner": one.inner,
                        "inner_grant": made.grant_id or "none",
                        "agreement": f"{one.agreement.agreement_id}/{one.agreement.version}",
                        "purpose": one.grant.purpose,
                        "path": ",".join(one.way.hubs),
                    },
                ),
                one.envelope.to_json().encode(),
            )
            for one, made in zip(asked, prepared, strict=True)
        ]
        for one, made, entry_id in zip(asked, prepared, self._ledger.record_all(connection, entries), strict=True):
            table = records.relayed
            connection.execute(
                sa.update(table)
                .where(table.c.grant_digest == one.envelope.digest)
                .values(inner_grant_id=made.grant_id, entry_id=entry_id)
            )

    def _ask(self, prepared: Sequence[PreparedGrant]) -> list[Answer]:
        by_provider: dict[str, list[int]] = {}
        for place, one in enumerate(prepared):
            by_provider.setdefault(one.provider, []).append(place)
        answers: dict[int, Answer] = {}
        for provider, places in by_provider.items():
            answers |= zip(places, self._exchange.ask(provider, [prepared[at] for at in places]), strict=True)
        return [answers[place] for place in range(len(prepared))]

    def _settle(self, connection: Connection, asked: Sequence[_Admitted], answers: Sequence[Answer]) -> None:
        table = records.relayed
        for one, answer in zip(asked, answers, strict=True):
            outcome = answer.verdict.outcome.value if answer.verdict is not None else "failed"
            connection.execute(
                sa.update(table).where(table.c.grant_digest == one.envelope.digest).values(outcome=outcome)
            )

    def _relayed(self, one: _Admitted, answer: Answer) -> Relayed:
        now = self._door.clock.now()
        grant, verdict = one.grant, answer.verdict
        made = answer.prepared.envelope
        if verdict is None or answer.envelope is None or made is None:
            failure = answer.failure or Failure.of(FailureCode.GARBAGE)
            code, detail = _refusal_of(failure)
            return self._refuse(code, grant, one.envelope.digest, now, detail)
        if not self._still_in_force(one.agreement):
            return self._refuse("agreement_revoked", grant, one.envelope.digest, now)
        proof = self._proofs.of(answer.prepared.grant_id)
        hop = Hop(msgspec.Raw(made.to_json().encode()), msgspec.Raw(answer.envelope.to_json().encode()))
        chain = (hop, *(proof.chain if proof is not None else ()))
        said = Verdict(
            grant_id=grant.grant_id,
            grant_digest=one.envelope.digest,
            resource=grant.resource,
            provider=self._door.department,
            outcome=verdict.outcome,
            reason=verdict.reason,
            as_of=verdict.as_of,
            evidence_hash=chain_digest(chain),
            answered_at=to_the_second(now),
            fields=verdict.fields,
            rows=verdict.rows,
        )
        return Relayed(sign_envelope(VERDICT, said.to_payload(), self._door.signer), chain)

    def _still_in_force(self, agreement: Agreement) -> bool:
        """Look once more before anything is handed over: asking may have taken a while."""
        with self._database.read() as connection:
            known = self._exchange.agreements.get(connection, agreement.agreement_id, agreement.version)
        return known is not None and known.state is AgreementState.IN_FORCE

    def _refuse(self, code: str, grant: Grant | None, digest: str, now: datetime, detail: str = "") -> Relayed:
        chinese, english = _SENTENCES.get(code) or SENTENCES.get(code) or _SENTENCES["origin_refused"]
        refusal = Refusal(
            grant_id=grant.grant_id if grant else "",
            grant_digest=digest,
            provider=self._door.department,
            code=code,
            chinese=f"{chinese}：{detail}" if detail else chinese,
            english=f"{english}: {detail}" if detail else english,
            answered_at=to_the_second(now),
            detail=detail,
        )
        return Relayed(sign_envelope(REFUSAL, refusal.to_payload(), self._door.signer))


def _is_number(text: str) -> bool:
    try:
        IdentityNumber.parse(text)
    except BadValue:
        return False
    return True


def _refusal_of(failure: Failure) -> tuple[str, str]:
    """Say to a neighbour why there is no answer: what the one behind said, or that it can't be reached."""
    if failure.code is FailureCode.REFUSED:
        return failure.detail or "origin_refused", ""
    if failure.code is FailureCode.RATE_LIMITED:
        return failure.code.value, failure.detail
    if failure.code in _AWAY:
        return ORIGIN_UNREACHABLE, ""
    if failure.code in {FailureCode.NO_AGREEMENT, FailureCode.NOT_PERMITTED}:
        return "origin_no_agreement", failure.code.value
    return "origin_unusable", failure.code.value
