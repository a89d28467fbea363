"""Signed acts (签名办理件): what a department does about demands and corrections, signed with its own key.

A steward who has no page of the hub writes an act at the department and hands the file over; the hub takes it once.
What names a person is sealed for the hub. An act can do no more than the policies let that department's people do.
"""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.decisions import Actor
from huodang.exchange.errors import MessageError
from huodang.exchange.sharing import records
from huodang.exchange.sharing.claims import CorrectionClaim
from huodang.exchange.sharing.corrections import Corrections
from huodang.exchange.sharing.demand_terms import DemandTerms
from huodang.exchange.sharing.errors import StaleActError
from huodang.exchange.sharing.service import SharingDesk
from huodang.exchange.values import Identifier, Instant, Message, new_nonce, to_the_second
from huodang.standards import Place
from huodang.store import Clock, Database
from huodang.trust import (
    PublicKey,
    SignedEnvelope,
    Signer,
    TrustedKeys,
    canonical_json,
    open_envelope,
    open_sealed,
    parse_strict,
    seal_for,
    sign_envelope,
)

SHARING_ACT: Final = "sharing_act"
LONGEST_ON_THE_WAY: Final = timedelta(days=30)
"""An act that was signed longer ago isn't taken: it may have been meant for another state of things."""
_AHEAD: Final = timedelta(minutes=5)

What = Literal["demand", "demand_event", "correction", "correction_event", "acknowledge", "recall"]


class SharingAct(Message, frozen=True, kw_only=True):
    """One act of a department.

    Attributes:
        what: what is done: raise a demand, move one, raise a correction, move one, acknowledge, recall.
        matter: id of the demand, correction or notice; empty for what begins something.
        data: the event's name, terms and texts, as `SharingDesk.act` and `Corrections.act` take them.
        sealed: what names a person, sealed for the hub.
        nonce: makes two equal acts two.
    """

    what: What
    department: Identifier
    matter: Annotated[str, msgspec.Meta(max_length=128)]
    note: Annotated[str, msgspec.Meta(max_length=2000)]
    data: dict[str, Any]
    sealed: str
    signed_at: Instant
    nonce: str


@dataclass(frozen=True)
class TakenAct:
    """What came of an act.

    Attributes:
        matter: id of the demand, correction or notice.
        state: where it stands; empty for a notice.
        again: the same act had been taken before, and nothing was done.
    """

    what: str
    matter: str
    state: str
    again: bool


def write_act(  # noqa: PLR0917  (two short callers)
    signer: Signer,
    clock: Clock,
    what: What,
    matter: str = "",
    note: str = "",
    data: Mapping[str, Any] | None = None,
    *,
    sealed: Mapping[str, str] | None = None,
    hub: PublicKey | None = None,
) -> SignedEnvelope:
    """Write and sign an act at a department.

    Args:
        signer: the department's key.
        clock: the time.
        what: see `SharingAct`.
        matter: id of what it is about.
        note: reason or request.
        data: the event's name and texts.
        sealed: what names a person.
        hub: the hub's key, for which that is sealed.
    """
    nonce = new_nonce()
    hidden = b"" if not sealed or hub is None else seal_for(hub, canonical_json(dict(sealed)), nonce.encode())
    act = SharingAct(
        what=what,
        department=signer.holder,
        matter=matter,
        note=note,
        data=dict(data or {}),
        sealed=base64.b64encode(hidden).decode("ascii"),
        signed_at=to_the_second(clock.now()),
        nonce=nonce,
    )
    return sign_envelope(SHARING_ACT, act.to_payload(), signer)


def seal_claim(claim: CorrectionClaim) -> dict[str, str]:
    """Give a claim as an act carries it, sealed."""
    return {name: str(value) for name, value in asdict(claim).items()}


class ActDesk:
    """Takes departments' signed acts at the hub, each once."""

    def __init__(  # noqa: PLR0917  (one place builds it)
        self,
        database: Database,
        sharing: SharingDesk,
        corrections: Corrections,
        trusted: TrustedKeys,
        signer: Signer,
        clock: Clock,
    ) -> None:
        self._database = database
        self._sharing = sharing
        self._corrections = corrections
        self._trusted = trusted
        self._signer = signer
        self._clock = clock

    def take(self, envelope: SignedEnvelope | str | bytes) -> TakenAct:
        """Do what a department signed, whole or not at all; the same file again does nothing.

        Raises:
            EnvelopeError: the signature is wrong, or of another department than the act names.
            StaleActError: it was signed too long ago, or in the future.
            MessageError: it isn't shaped as an act.
            SharingError: what it asks for isn't possible or permitted; nothing changed.
        """
        opened = envelope if isinstance(envelope, SignedEnvelope) else SignedEnvelope.from_json(envelope)
        now = self._clock.now()
        act = SharingAct.from_payload(opened.payload)
        open_envelope(opened, SHARING_ACT, self._trusted, signer=act.department, at=now)
        if not now - LONGEST_ON_THE_WAY <= act.signed_at <= now + _AHEAD:
            raise StaleActError(
                "办理件签署已超过 30 天，或早于签署时间",
                "the act was signed more than 30 days ago, or in the future",
                advice_chinese="请核对时钟后重新签署。",
                advice_english="Compare the clocks and sign it anew.",
                place=Place(element=act.matter or act.what),
            )
        table = records.act_seen
        with self._database.begin() as connection:
            known = connection.execute(sa.select(table.c.matter).where(table.c.digest == opened.digest)).scalar()
            if known is not None:
                return TakenAct(act.what, known, "", again=True)
            matter, state = self._do(connection, act)
            connection.execute(
                sa.insert(table).values(digest=opened.digest, signer=act.department, matter=matter, taken_at=now)
            )
        return TakenAct(act.what, matter, state, again=False)

    def _do(self, connection: Connection, act: SharingAct) -> tuple[str, str]:
        steward = Actor(f"{act.department}:steward", act.department, "steward", act.department)
        corrector = Actor(f"{act.department}:corrector", act.department, "corrector", act.department)
        event = act.data.get("event", "")
        if not isinstance(event, str):
            raise MessageError("event 应为文本", "`event` is text", place=Place(element="event"))
        if act.what == "demand":
            terms = DemandTerms.from_payload(act.data.get("terms"))
            matter = self._sharing.raise_in(connection, steward, terms, note=act.note)
        elif act.what == "demand_event":
            data = self._data(act)
            matter = self._sharing.act_in(connection, steward, act.matter, event, note=act.note, data=data)
        elif act.what == "correction":
            claim = _claim(self._opened(act))
            matter = self._corrections.raise_in(connection, corrector, claim, note=act.note)
        elif act.what == "correction_event":
            matter = self._corrections.act_in(connection, corrector, act.matter, event, act.note, self._data(act))
        elif act.what == "recall":
            told = {name: str(act.data.get(name, "")) for name in ("resource", "origin", "reference")}
            matter = self._corrections.recall_in(connection, steward, **told, reason=act.note)
        else:
            self._corrections.acknowledge_in(connection, steward, act.matter)
            return act.matter, ""
        return matter.matter_id, matter.state

    def _data(self, act: SharingAct) -> dict[str, Any]:
        return {name: value for name, value in act.data.items() if name != "event"} | self._opened(act)

    def _opened(self, act: SharingAct) -> dict[str, str]:
        if not act.sealed:
            return {}
        opened = parse_strict(open_sealed(self._signer, base64.b64decode(act.sealed), act.nonce.encode()))
        return {name: str(value) for name, value in opened.items()}


def _claim(values: Mapping[str, str]) -> CorrectionClaim:
    try:
        return CorrectionClaim(**values)
    except TypeError:
        raise MessageError(
            "疑误数据的内容不完整或有多余项",
            "the claim misses something, or has too much",
            place=Place(element="sealed"),
        ) from None
