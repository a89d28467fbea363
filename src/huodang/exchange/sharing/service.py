"""Demands at the hub: raise, review, answer, sign, use, renew, revoke (供需对接). It owns the transactions."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from huodang.exchange.agreements import AgreementRecord, Agreements, AgreementState
from huodang.exchange.catalogue import Catalogue
from huodang.exchange.decisions import Action, Actor, DecisionRequest, decide
from huodang.exchange.sharing import records
from huodang.exchange.sharing.demand_states import DEMAND, DemandEvent, DemandState
from huodang.exchange.sharing.demand_steps import EXPIRE, REMIND, DemandSteps, draft_of, terms_of
from huodang.exchange.sharing.demand_terms import DemandTerms, check_terms
from huodang.exchange.sharing.demand_views import DemandRow, DemandView, behind
from huodang.exchange.sharing.engine import Engine, may_see, not_permitted, unknown
from huodang.exchange.sharing.errors import DemandError, SharingError, TermsDifferError
from huodang.exchange.sharing.gateway_post import GatewayPost
from huodang.exchange.sharing.jobs import each_matter
from huodang.exchange.sharing.matters import PURPOSE, SYSTEM, Desk, Matter
from huodang.exchange.sharing.views import (
    HistoryLine,
    OverdueLine,
    choices,
    history_of,
    matters_seen_by,
    overdue_lines,
    standing_of,
)
from huodang.exchange.values import Agreement, Revocation, new_identifier
from huodang.standards import HuodangError, Place
from huodang.store import Database, Handler
from huodang.trust import SignedEnvelope, canonical_json, sha256

_log = structlog.get_logger("huodang.exchange.sharing")

_ENDED: Final = (DemandState.REFUSED, DemandState.WITHDRAWN, DemandState.REVOKED, DemandState.EXPIRED)
_TO_SIGN: Final = (DemandState.SIGNING, DemandState.RENEWAL_SIGNING)
_AGREED: Final = (DemandState.IN_USE, DemandState.RENEWAL, DemandState.RENEWAL_SIGNING)


class SharingDesk:
    """What departments' stewards, leaders and the hub itself do with demands.

    Args:
        database: the hub's.
        agreements: the agreements of the hub.
        catalogue: what is offered.
        desk: ledger, sealer, clock and terms.
        post: the way to the gateways; None where there is none.
        grant_signer: holder whose grants new agreements accept.
    """

    def __init__(  # noqa: PLR0917  (one place builds it)
        self,
        database: Database,
        agreements: Agreements,
        catalogue: Catalogue,
        desk: Desk,
        post: GatewayPost | None = None,
        grant_signer: str = "hub",
    ) -> None:
        self._database = database
        self._agreements = agreements
        self._catalogue = catalogue
        self._desk = desk
        self._post = post
        steps = DemandSteps(desk, agreements, catalogue, grant_signer)
        self._engine = Engine(DEMAND, records.demand, records.demand_history, steps.guards(), steps.effects(), desk)

    def raise_demand(self, actor: Actor, terms: DemandTerms, *, note: str = "") -> DemandView:
        """Raise a demand for the actor's own department. The same again, while it lives, gives the same demand.

        Raises:
            SharingNotPermittedError: the actor isn't a steward of the consumer.
            DemandError: it names what isn't offered, or too little.
        """
        with self._database.begin() as connection:
            return self._view(connection, self.raise_in(connection, actor, terms, note=note), actor)

    def raise_in(self, connection: Connection, actor: Actor, terms: DemandTerms, *, note: str = "") -> Matter:
        """Raise a demand in the caller's transaction."""
        request = DecisionRequest(actor, Action.RAISE_DEMAND, PURPOSE, department=terms.consumer)
        decision = decide(request)
        if not decision.permitted:
            raise not_permitted(actor, decision)
        check_terms(terms, self._catalogue.entries(connection), self._desk.clock.today())
        digest = sha256(canonical_json(terms.to_payload())).hex()
        table = records.demand
        known = connection.execute(
            sa.select(table.c.demand_id).where(table.c.digest == digest, table.c.state.not_in(_ENDED))
        ).scalar()
        if known is not None:
            return self._engine.load(connection, known)
        now = self._desk.clock.now()
        demand_id = new_identifier("d", now)
        values = {
            "demand_id": demand_id,
            "consumer": terms.consumer,
            "provider": terms.provider,
            "resource": terms.resource,
            "terms": json.dumps(terms.to_payload(), ensure_ascii=False, sort_keys=True),
            "digest": digest,
            "agreement_id": f"XY-{demand_id}",
            "agreement_version": 0,
            "draft": "",
            "decided": "",
            "raised_at": now,
        }
        return self._engine.begin(connection, values, DemandEvent.RAISE, actor, decision, note=note)

    def act(
        self, actor: Actor, demand_id: str, event: str, *, note: str = "", data: Mapping[str, Any] | None = None
    ) -> DemandView:
        """Move a demand by one event of its table.

        Args:
            actor: who does it.
            demand_id: which demand.
            event: see `DemandEvent`; what an actor may do stands in `DemandView.may`.
            note: reason or request; kept sealed.
            data: `terms` (changes), `law`, `meeting`, `resource`, `valid_to`, as the event needs.

        Raises:
            UnknownMatterError, IllegalSharingEventError, SharingNotPermittedError, SharingGuardError: nothing changed.
        """
        with self._database.begin() as connection:
            return self._view(connection, self.act_in(connection, actor, demand_id, event, note=note, data=data), actor)

    def act_in(
        self,
        connection: Connection,
        actor: Actor,
        demand_id: str,
        event: str,
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> Matter:
        """Move a demand in the caller's transaction."""
        return self._engine.apply(connection, demand_id, event, actor, note=note, data=data)

    def view(self, actor: Actor, demand_id: str) -> DemandView:
        """Show a demand to one of its sides, or to who oversees.

        Raises:
            UnknownMatterError: there is none, or it isn't the actor's to see.
        """
        with self._database.read() as connection:
            matter = self._engine.load(connection, demand_id)
            if not may_see(actor, matter):
                raise unknown(demand_id)
            return self._view(connection, matter, actor)

    def demands(self, actor: Actor, *, state: str | None = None, limit: int = 100) -> list[DemandRow]:
        """List the demands that the actor may see, the newest first."""
        with self._database.read() as connection:
            found = matters_seen_by(self._engine, connection, actor, state=state, limit=limit)
            return [self._row(one) for one in found]

    def overdue(self, actor: Actor) -> list[OverdueLine]:
        """List what is overdue and by whom, of the matters that the actor may see."""
        with self._database.read() as connection:
            return overdue_lines(self._engine, connection, actor, self._desk.clock.today(), self._desk.terms)

    def draft(self, actor: Actor, demand_id: str) -> Agreement:
        """Give the agreement that both sides are to sign, each at the own department with its own key.

        Raises:
            UnknownMatterError: as `view`.
            DemandError: the demand isn't approved yet.
        """
        agreement = self.view(actor, demand_id).agreement
        if agreement is None:
            raise DemandError("需求尚未同意，还没有协议文本", "the demand isn't approved: there is no agreement yet")
        return agreement

    def take_agreement(self, envelope: SignedEnvelope | str | bytes) -> AgreementRecord:
        """Take an agreement with one signature or both; once both are there it is in force and usable at once.

        An agreement that came of a demand must be the draft that was approved, word for word.

        Raises:
            EnvelopeError, AgreementError: as `Agreements.take`.
            TermsDifferError: it isn't what was approved, or isn't to be signed now.
        """
        with self._database.begin() as connection:
            return self.take_agreement_in(connection, envelope)

    def take_agreement_in(self, connection: Connection, envelope: SignedEnvelope | str | bytes) -> AgreementRecord:
        """Take an agreement in the caller's transaction."""
        opened = envelope if isinstance(envelope, SignedEnvelope) else SignedEnvelope.from_json(envelope)
        agreement = Agreement.from_payload(opened.payload)
        matter = self._of_agreement(connection, agreement.agreement_id)
        known = self._agreements.get(connection, agreement.agreement_id, agreement.version)
        if matter is not None and known is None:
            self._hold_against_draft(matter, agreement)
        record = self._agreements.take(connection, opened)
        if matter is not None and matter.state in _TO_SIGN and record.state is AgreementState.IN_FORCE:
            self._engine.apply(connection, matter.matter_id, DemandEvent.SIGNED, SYSTEM)
        return record

    def take_revocation(self, envelope: SignedEnvelope | str | bytes) -> list[AgreementRecord]:
        """End an agreement on the signed word of either side, and tell the provider's gateway if it doesn't know.

        The same again changes nothing.

        Raises:
            EnvelopeError, AgreementError: as `Agreements.take_revocation`.
        """
        with self._database.begin() as connection:
            return self.take_revocation_in(connection, envelope)

    def take_revocation_in(
        self, connection: Connection, envelope: SignedEnvelope | str | bytes
    ) -> list[AgreementRecord]:
        """End an agreement in the caller's transaction."""
        opened = envelope if isinstance(envelope, SignedEnvelope) else SignedEnvelope.from_json(envelope)
        ended = self._agreements.take_revocation(connection, opened)
        revocation = Revocation.from_payload(opened.payload)
        provider = self._agreements.versions(connection, revocation.agreement_id)[-1].agreement.provider
        if self._post is not None:
            self._post.keep(connection, revocation, opened, provider)
        matter = self._of_agreement(connection, revocation.agreement_id)
        if matter is not None and matter.state in _AGREED and ended:
            actor = Actor(f"{opened.signer}:steward", opened.signer, "steward", opened.signer)
            self._engine.apply(connection, matter.matter_id, DemandEvent.REVOKE, actor, note=revocation.reason)
        return ended

    def follow(self) -> int:
        """Bring demands in line with agreements that were taken or ended without them; give how many moved.

        Agreements also come from the folder at start-up, and end by their last day.
        """
        today = self._desk.clock.today()
        with self._database.read() as connection:
            if not behind(connection, today):
                return 0
        with self._database.begin() as connection:
            self._agreements.expire(connection, today)
            return sum(self._follow(connection, demand_id) for demand_id in behind(connection, today) if demand_id)

    def handlers(self) -> dict[str, Handler]:
        """Give the jobs of the platform: deadlines, reminders, ends, what gateways are to be told."""
        handlers: dict[str, Handler] = {
            "demand.deadline": each_matter(self._database, self._engine, (DemandEvent.LAPSE, DemandEvent.OVERDUE)),
            REMIND: each_matter(self._database, self._engine, (DemandEvent.REMIND,)),
            EXPIRE: each_matter(self._database, self._engine, (DemandEvent.EXPIRE,), before=self._expire),
        }
        return handlers if self._post is None else {**handlers, **self._post.handlers()}

    def keep(self) -> None:
        """Do what is to be done every few seconds: learn what departments have ended, follow the agreements."""
        self.collect_revocations()
        self.follow()

    def collect_revocations(self) -> int:
        """Ask every gateway which agreements its department has ended, and end them here; give how many were news."""
        if self._post is None:
            return 0
        news = 0
        for department, envelopes in self._post.collect().items():
            for envelope in envelopes:
                try:
                    news += len(self.take_revocation(envelope))
                except HuodangError as problem:
                    # What one department laid down wrong must not keep the others' word from counting.
                    _log.warning("revocation.refused", department=department, code=problem.code)
        return news

    def _expire(self, connection: Connection, today: date) -> None:
        self._agreements.expire(connection, today)

    def _follow(self, connection: Connection, demand_id: str) -> int:
        agreement_id = self._engine.load(connection, demand_id).row["agreement_id"]
        by = self._agreements.history(connection, agreement_id)[-1][3]
        tries = (
            (DemandEvent.SIGNED, SYSTEM),
            (DemandEvent.REVOKE, Actor(f"{by}:steward", by, "steward", by)),
            (DemandEvent.EXPIRE, SYSTEM),
        )
        for event, actor in tries:
            try:
                self._engine.apply(connection, demand_id, event, actor)
            except SharingError:
                continue
            return 1
        return 0

    def _hold_against_draft(self, matter: Matter, agreement: Agreement) -> None:
        if matter.state in _TO_SIGN and agreement == draft_of(matter):
            return
        raise TermsDifferError(
            "这份协议不是已同意的文本，或现在不能签署",
            "this isn't the text that was approved, or it isn't to be signed now",
            advice_chinese="请用 huodang sharing draft 重新取协议文本后签署。",
            advice_english="Fetch the text again with `huodang sharing draft`, then sign that.",
            place=Place(element=agreement.agreement_id),
        )

    def _of_agreement(self, connection: Connection, agreement_id: str) -> Matter | None:
        table = records.demand
        found = connection.execute(
            sa.select(table).where(table.c.agreement_id == agreement_id).with_for_update()
        ).mappings()
        row = found.one_or_none()
        return None if row is None else Matter.of(row, "demand_id")

    def _row(self, matter: Matter) -> DemandRow:
        return DemandRow(
            demand_id=matter.matter_id,
            consumer=matter.consumer,
            provider=matter.provider,
            resource=matter.resource,
            wished=terms_of(matter).wished,
            raised_at=matter.row["raised_at"],
            standing=standing_of(self._engine, matter, self._desk.clock.today(), self._desk.terms),
        )

    def _view(self, connection: Connection, matter: Matter, actor: Actor) -> DemandView:
        agreement = draft_of(matter)
        signed = (
            None if agreement is None else self._agreements.get(connection, agreement.agreement_id, agreement.version)
        )
        history: Sequence[HistoryLine] = history_of(self._engine, connection, matter.matter_id)
        return DemandView(
            demand_id=matter.matter_id,
            terms=terms_of(matter),
            agreement=agreement,
            agreement_state=None if signed is None else signed.state,
            decided=matter.row["decided"],
            raised_at=matter.row["raised_at"],
            standing=standing_of(self._engine, matter, self._desk.clock.today(), self._desk.terms),
            history=tuple(history),
            may=tuple(choices(self._engine, matter, actor)),
        )
