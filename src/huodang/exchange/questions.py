"""From a question to a signed grant. Nothing is asked that no agreement and no policy covers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from huodang.exchange.agreements import AgreementRecord
from huodang.exchange.answers import Answered, Failure, FailureCode, PreparedGrant
from huodang.exchange.decisions import Action, Actor, Decision, DecisionRequest, decide
from huodang.exchange.values import GRANT, GRANT_LIFE, Agreement, Grant, Kind, new_identifier, new_nonce, to_the_second
from huodang.standards import BadValue, IdentityNumber
from huodang.trust import SignedEnvelope, Signer, sign_envelopes

SUBJECT: Final = "identity_number"


@dataclass(frozen=True)
class Question:
    """What is to be asked of, or done at, a department.

    Attributes:
        resource: `department.what`.
        identity_number: whom it is about; empty for a list.
        claims: what the person or the archive says, by element.
        parameters: what the question needs beyond the person; of an action its `idempotency_key`.
        purpose: code of the purpose (用途), which the agreement must name.
        elements: elements that may be looked at; None for all that the agreement names.
        fields: elements wanted raw; None for all that agreement and policy permit.
        owner, employer, region, assigned: of the case, as in DecisionRequest.
        expires_by: the grant ends no later than this; None for its usual life. Set for a question that is passed on.
    """

    resource: str
    case_id: str
    identity_number: str
    claims: Mapping[str, str]
    parameters: Mapping[str, str]
    purpose: str
    actor: Actor
    elements: tuple[str, ...] | None = None
    fields: tuple[str, ...] | None = None
    owner: str = ""
    employer: str = ""
    region: str = ""
    assigned: bool = False
    expires_by: datetime | None = None


@dataclass(frozen=True)
class Permitted:
    """A grant before it is signed, with the question it is for and the decision that permits it."""

    question: Question
    grant: Grant
    decision: Decision
    agreement: Agreement


@dataclass(frozen=True)
class Drafted:
    """A grant as signed, with all that it rests on."""

    permitted: Permitted
    envelope: SignedEnvelope

    @cached_property
    def prepared(self) -> PreparedGrant:
        """Give what is sent."""
        grant = self.permitted.grant
        return PreparedGrant(
            grant.grant_id,
            grant.resource,
            grant.provider,
            grant.case_id,
            grant,
            self.envelope,
            agreement=self.permitted.agreement,
        )


def permit(
    question: Question, agreements: Sequence[AgreementRecord], holder: str, consumer: str, now: datetime
) -> Permitted | Failure:
    """Find the agreement and decide for a question, and write the grant; it isn't signed yet.

    Args:
        question: what is to be asked.
        agreements: those in force on the resource, newest first.
        holder: who signs grants.
        consumer: department in whose name is asked.
        now: the present instant.
    """
    terms = find_terms(question, agreements, holder, consumer)
    if isinstance(terms, Failure):
        return terms
    agreement = terms.agreement
    subject = _subject(question, agreement.kind)
    if subject is None:
        return Failure.of(FailureCode.SUBJECT_INVALID)
    grant = Grant(
        grant_id=new_identifier("g", now),
        kind=agreement.kind,
        resource=agreement.resource,
        agreement_id=agreement.agreement_id,
        agreement_version=agreement.version,
        provider=agreement.provider,
        consumer=agreement.consumer,
        purpose=question.purpose,
        legal_basis=agreement.legal_basis,
        case_id=question.case_id,
        subject=subject,
        claims=dict(question.claims),
        parameters=dict(question.parameters),
        elements=terms.elements,
        fields=terms.fields,
        issued_at=to_the_second(now),
        expires_at=min(to_the_second(now) + GRANT_LIFE, question.expires_by or datetime.max.replace(tzinfo=UTC)),
        nonce=new_nonce(),
    )
    return Permitted(question, grant, terms.decision, agreement)


def sign_all(permitted: Sequence[Permitted], signer: Signer) -> list[Drafted]:
    """Sign grants, all with one signature."""
    envelopes = sign_envelopes(GRANT, [one.grant.to_payload() for one in permitted], signer)
    return [Drafted(one, envelope) for one, envelope in zip(permitted, envelopes, strict=True)]


@dataclass(frozen=True)
class Terms:
    """On what something may be asked: the agreement, what may be looked at and handed over, and the decision."""

    agreement: Agreement
    elements: tuple[str, ...]
    fields: tuple[str, ...]
    decision: Decision


def find_terms(
    question: Question, agreements: Sequence[AgreementRecord], holder: str, consumer: str
) -> Terms | Failure:
    """Find the agreement that covers a question, and decide; whoever it is about."""
    agreement = _covering(question, agreements, holder, consumer)
    if agreement is None:
        return Failure.of(FailureCode.NO_AGREEMENT)
    elements = agreement.elements if question.elements is None else question.elements
    wanted = agreement.fields if question.fields is None else question.fields
    if not set(elements) <= set(agreement.elements) or not set(wanted) <= set(agreement.fields):
        return Failure.of(FailureCode.NO_AGREEMENT, "elements")
    decision = _decide(question, agreement.kind, tuple(dict.fromkeys((SUBJECT, *elements, *wanted))))
    if not {SUBJECT, *elements} <= set(decision.elements):
        return Failure.of(FailureCode.NOT_PERMITTED)
    return Terms(agreement, elements, tuple(name for name in wanted if name in decision.elements), decision)


def not_asked(question: Question, failure: Failure) -> PreparedGrant:
    """Carry a question that may not be asked the same way as those that may."""
    provider = question.resource.partition(".")[0]
    return PreparedGrant("", question.resource, provider, question.case_id, None, None, failure)


def asked_before(permitted: Permitted, answer: Answered) -> PreparedGrant:
    """Carry a question that needs no asking, as its answer is used again, the same way as the others."""
    grant = permitted.grant
    return PreparedGrant(
        answer.verdict.grant_id, grant.resource, grant.provider, grant.case_id, None, None, reused=answer
    )


def _covering(
    question: Question, agreements: Sequence[AgreementRecord], holder: str, consumer: str
) -> Agreement | None:
    for one in agreements:
        agreement = one.agreement
        if (
            agreement.consumer == consumer
            and agreement.grant_signer == holder
            and question.purpose in agreement.purposes
        ):
            return agreement
    return None


def _subject(question: Question, kind: Kind) -> str | None:
    """Give the number in its one form, nobody's for a list; None if it can't be."""
    if kind is Kind.LIST:
        return "" if not question.identity_number else None
    try:
        return IdentityNumber.parse(question.identity_number).text
    except BadValue:
        return None


_ACTIONS: Final = {
    Kind.CHECK: Action.ASK_DEPARTMENT,
    Kind.ACTION: Action.ACT_AT_DEPARTMENT,
    Kind.LIST: Action.FIND_DUE,
}


def _decide(question: Question, kind: Kind, elements: tuple[str, ...]) -> Decision:
    return decide(
        DecisionRequest(
            actor=question.actor,
            action=_ACTIONS[kind],
            purpose=question.purpose,
            elements=elements,
            case_id=question.case_id,
            assigned=question.assigned,
            owner=question.owner,
            employer=question.employer,
            region=question.region,
        )
    )
