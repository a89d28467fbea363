"""Whether a gateway admits a grant: signature, agreement, time, elements. Pure; replay is for the gateway's memory."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from huodang.exchange.calls.messages import BATCH_GRANT, BatchGrant
from huodang.exchange.errors import MessageError
from huodang.exchange.gateway.actions import ActionResource
from huodang.exchange.gateway.lists import ListResource
from huodang.exchange.gateway.mapping import CheckResource
from huodang.exchange.gateway.refusals import Refused
from huodang.exchange.gateway.shelf import ShelfContents
from huodang.exchange.gateway.templates import BUILT_IN
from huodang.exchange.values import GRANT, IDEMPOTENCY_KEY, LONGEST_GRANT_LIFE, Agreement, Grant, Kind
from huodang.standards import BadValue, IdentityNumber
from huodang.store import shanghai_date
from huodang.trust import EnvelopeError, SignedEnvelope, TrustedKeys, open_envelope

Resource = CheckResource | ActionResource | ListResource


def kind_of_resource(resource: Resource) -> Kind:
    """Say which kind of grant a resource takes."""
    if isinstance(resource, ActionResource):
        return Kind.ACTION
    return Kind.LIST if isinstance(resource, ListResource) else Kind.CHECK


@dataclass(frozen=True)
class Admitted:
    """A grant about one person that may be answered."""

    grant: Grant
    digest: str
    agreement: Agreement
    resource: CheckResource | ActionResource
    identity: IdentityNumber


@dataclass(frozen=True)
class AdmittedList:
    """A grant for a list that may be answered; it names nobody."""

    grant: Grant
    digest: str
    agreement: Agreement
    resource: ListResource


def read_grant(envelope: SignedEnvelope, trusted: TrustedKeys, now: datetime) -> Grant | Refused:
    """Check the signature of a grant, by a key that is valid now, and read it."""
    return _read(envelope, GRANT, Grant, trusted, now)


def read_batch_grant(envelope: SignedEnvelope, trusted: TrustedKeys, now: datetime) -> BatchGrant | Refused:
    """Check the signature of the head of a batch, by a key that is valid now, and read it."""
    return _read(envelope, BATCH_GRANT, BatchGrant, trusted, now)


_Said = TypeVar("_Said", Grant, BatchGrant)


def _read(
    envelope: SignedEnvelope, kind: str, shape: type[_Said], trusted: TrustedKeys, now: datetime
) -> _Said | Refused:
    try:
        payload = open_envelope(envelope, kind, trusted, at=now)
    except EnvelopeError as problem:
        return Refused("malformed" if problem.code in ("envelope.malformed", "envelope.wrong_kind") else "forged")
    try:
        return shape.from_payload(payload)
    except MessageError:
        return Refused("malformed")


def admit(
    envelope: SignedEnvelope,
    grant: Grant,
    *,
    department: str,
    resources: dict[str, Resource],
    shelf: ShelfContents,
    now: datetime,
    skew: timedelta,
) -> Admitted | AdmittedList | Refused:
    """Check all that a grant claims against agreement, resource and clock, in this order."""
    if grant.provider != department:
        return Refused("wrong_provider")
    agreement = shelf.find(grant.agreement_id, grant.agreement_version, shanghai_date(now))
    if isinstance(agreement, Refused):
        return agreement
    refused = _against_agreement(envelope, grant, agreement) or _in_time(grant, now, skew)
    if refused is not None:
        return refused
    resource = resources.get(grant.resource)
    if resource is None or kind_of_resource(resource) is not grant.kind:
        return Refused("resource_not_served", grant.resource)
    if isinstance(resource, ListResource):
        if grant.subject:
            return Refused("subject_mismatch")
        if missing := _outside(resource.parameters, grant.parameters):
            return Refused("parameter_missing", missing)
        return AdmittedList(grant, envelope.digest, agreement, resource)
    try:
        identity = IdentityNumber.parse(grant.subject)
    except BadValue:
        return Refused("subject_invalid")
    if grant.claims.get("identity_number", identity.text) != identity.text:
        return Refused("subject_mismatch")
    refused = _sufficient(grant, resource)
    return refused or Admitted(grant, envelope.digest, agreement, resource, identity)


def admit_delivery(
    envelope: SignedEnvelope,
    grant: Grant,
    *,
    department: str,
    kind: Kind,
    resources: Collection[str],
    shelf: ShelfContents,
    now: datetime,
    skew: timedelta,
) -> Agreement | Refused:
    """Check a grant for a delivery that names nobody, such as events; give the agreement it rests on.

    Args:
        envelope: the grant as it came, its signature checked by `read_grant`.
        grant: what it says.
        department: this one.
        kind: which kind of grant is taken here.
        resources: what is delivered here in that kind.
        shelf: the agreements.
        now: the present instant.
        skew: how far clocks may differ.
    """
    if grant.provider != department:
        return Refused("wrong_provider")
    agreement = shelf.find(grant.agreement_id, grant.agreement_version, shanghai_date(now))
    if isinstance(agreement, Refused):
        return agreement
    refused = _against_agreement(envelope, grant, agreement) or _in_time(grant, now, skew)
    if refused is not None:
        return refused
    if grant.kind is not kind or grant.resource not in resources:
        return Refused("resource_not_served", grant.resource)
    return Refused("subject_mismatch") if grant.subject else agreement


def admit_batch(
    envelope: SignedEnvelope,
    grant: BatchGrant,
    *,
    department: str,
    resources: Mapping[str, Resource],
    shelf: ShelfContents,
    now: datetime,
    skew: timedelta,
) -> tuple[Agreement, CheckResource] | Refused:
    """Check all that the head of a batch claims; what a line lacks is refused line by line."""
    if grant.provider != department:
        return Refused("wrong_provider")
    agreement = shelf.find(grant.agreement_id, grant.agreement_version, shanghai_date(now))
    if isinstance(agreement, Refused):
        return agreement
    refused = _against_agreement(envelope, grant, agreement) or _in_time(grant, now, skew)
    if refused is not None:
        return refused
    resource = resources.get(grant.resource)
    if not isinstance(resource, CheckResource):
        return Refused("resource_not_served", grant.resource)
    if missing := _outside(resource.needs, grant.elements):
        return Refused("elements_insufficient", missing)
    if missing := _outside(resource.parameters, grant.parameters):
        return Refused("parameter_missing", missing)
    if missing := _outside(resource.required_claims, grant.claims):
        return Refused("claim_missing", missing)
    return agreement, resource


def _against_agreement(envelope: SignedEnvelope, grant: Grant | BatchGrant, agreement: Agreement) -> Refused | None:
    if {one.holder for one in envelope.signatures} != {agreement.grant_signer}:
        return Refused("not_grant_signer")
    cited = (grant.provider, grant.consumer, grant.resource, grant.kind)
    if cited != (agreement.provider, agreement.consumer, agreement.resource, agreement.kind):
        return Refused("not_in_agreement")
    if grant.purpose not in agreement.purposes:
        return Refused("purpose_not_in_agreement", grant.purpose)
    # What identifies the person is in every grant; claiming it again says nothing more.
    outside = _outside(grant.elements, agreement.elements) or _outside(
        set(grant.claims) - {"identity_number"}, grant.elements
    )
    if outside:
        return Refused("element_not_in_agreement", outside)
    if outside := _outside(grant.fields, agreement.fields):
        return Refused("field_not_in_agreement", outside)
    return None


def _outside(asked: Collection[str], permitted: Collection[str]) -> str:
    return ", ".join(sorted(set(asked) - set(permitted)))


def _in_time(grant: Grant | BatchGrant, now: datetime, skew: timedelta) -> Refused | None:
    if grant.expires_at - grant.issued_at > LONGEST_GRANT_LIFE or grant.expires_at <= grant.issued_at:
        return Refused("lives_too_long")
    if now > grant.expires_at + skew:
        return Refused("expired")
    if now < grant.issued_at - skew:
        return Refused("not_yet_valid")
    return None


def _sufficient(grant: Grant, resource: CheckResource | ActionResource) -> Refused | None:
    if isinstance(resource, ActionResource):
        given = grant.parameters.keys() | grant.claims.keys()
        if not grant.parameters.get(IDEMPOTENCY_KEY):
            return Refused("parameter_missing", IDEMPOTENCY_KEY)
        missing = _outside(resource.names - BUILT_IN, given)
    else:
        if missing := _outside(resource.needs, grant.elements):
            return Refused("elements_insufficient", missing)
        missing = _outside(resource.parameters, grant.parameters)
    if missing:
        return Refused("parameter_missing", missing)
    if missing := _outside(resource.required_claims, grant.claims):
        return Refused("claim_missing", missing)
    return None
