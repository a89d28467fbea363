"""Corrections at the hub (校核纠错, 争议, 数据召回): raise, answer, dispute, tell every copy."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.decisions import Action, Actor, Decision, DecisionRequest, decide
from huodang.exchange.sharing import records
from huodang.exchange.sharing.claims import Announcement, CorrectionClaim, check_claim, refused
from huodang.exchange.sharing.correction_states import CorrectionEvent, CorrectionState
from huodang.exchange.sharing.correction_steps import IDENTITY
from huodang.exchange.sharing.correction_views import CorrectionReader, CorrectionView
from huodang.exchange.sharing.engine import not_permitted, unknown
from huodang.exchange.sharing.errors import SharingGuardError
from huodang.exchange.sharing.jobs import each_matter
from huodang.exchange.sharing.matters import CORRECTION_PURPOSE, PURPOSE, SYSTEM, Matter
from huodang.exchange.values import new_identifier
from huodang.store import Handler

_LIVE = (CorrectionState.RAISED, CorrectionState.REJECTED, CorrectionState.DISPUTED)


class Corrections(CorrectionReader):
    """What consumers and providers do about values that seem wrong."""

    def raise_correction(self, actor: Actor, claim: CorrectionClaim, *, note: str = "") -> CorrectionView:
        """Mark a value that the actor's department received as wrong. The same again, while it lives, is no second one.

        Raises:
            IdentityError, UnknownElement, CorrectionError: the claim doesn't hold together, or nothing of the kind was
                delivered by what it names.
            SharingNotPermittedError: the actor may not, or another department received it.
        """
        with self._database.begin() as connection:
            return self._view(connection, self.raise_in(connection, actor, claim, note=note), actor)

    def raise_in(self, connection: Connection, actor: Actor, claim: CorrectionClaim, *, note: str = "") -> Matter:
        """Mark a value as wrong in the caller's transaction."""
        identity = check_claim(claim, note)
        subject = self.subject_index(identity.text)
        keeper = self._keepers.get(claim.origin)
        if keeper is None:
            raise refused("来源应为 verdict、batch、lot 或 event", "origin is verdict, batch, lot or event", "origin")
        got = keeper.received(connection, claim.reference, subject, claim.element)
        if got is None or got.resource != claim.resource:
            raise refused(
                "这次交换没有收到此人的该项数据", "that delivery held no such element of this person", "reference"
            )
        if claim.received and got.value is not None and claim.received != got.value:
            raise refused("所述收到的值与交换记录不一致", "what was received differs from the record of it", "received")
        decision = self._decide(actor, Action.RAISE_CORRECTION, got.consumer, (IDENTITY, claim.element))
        if known := self._live(connection, claim.resource, subject, claim.element, got.consumer):
            return known
        values = self._values(
            actor,
            kind="correction",
            consumer=got.consumer,
            provider=got.provider,
            resource=claim.resource,
            subject_index=subject,
            element=claim.element,
            origin=claim.origin,
            reference=claim.reference,
            evidence=claim.evidence,
            sealed={
                "identity": identity.text,
                "received": claim.received or got.value or "",
                "believed": claim.believed.strip(),
            },
        )
        self._look(connection, actor, values["correction_id"], subject, claim.element, decision, claim.resource)
        return self._engine.begin(connection, values, CorrectionEvent.RAISE, actor, decision, note=note)

    def announce(self, actor: Actor, announcement: Announcement, *, note: str) -> CorrectionView:
        """Correct a value of the actor's own department of its own accord; every copy delivered is told.

        Raises:
            IdentityError, UnknownElement, CorrectionError, SharingNotPermittedError: as `raise_correction`.
        """
        identity = check_claim(announcement, note)
        provider = announcement.resource.partition(".")[0]
        with self._database.begin() as connection:
            decision = self._decide(actor, Action.ANSWER_CORRECTION, provider, (IDENTITY, announcement.element))
            subject = self.subject_index(identity.text)
            values = self._values(
                actor,
                kind="announcement",
                provider=provider,
                resource=announcement.resource,
                subject_index=subject,
                element=announcement.element,
                evidence=announcement.evidence,
                sealed={"identity": identity.text, "received": announcement.received},
            )
            try:
                day = date.fromisoformat(announcement.in_force_from)
            except ValueError:
                raise refused("生效日期应如 2025-03-03", "the day is written as 2025-03-03", "in_force_from") from None
            self._look(
                connection, actor, values["correction_id"], subject, announcement.element, decision, values["resource"]
            )
            data = {"corrected": announcement.corrected.strip(), "in_force_from": day.isoformat()}
            effects = ("keep_corrected_value", "forget_answers", "tell_consumers")
            matter = self._engine.begin(
                connection, values, CorrectionEvent.ANNOUNCE, actor, decision, note=note, data=data, effects=effects
            )
            return self._view(connection, self._close_if_told(connection, matter), actor)

    def recall(self, actor: Actor, resource: str, origin: str, reference: str, *, reason: str) -> CorrectionView:
        """Recall a whole delivery of the actor's own department (数据召回): a lot, a batch, a verdict or an event.

        Its rows are shown to nobody at the hub from now on, and every consumer that got it is told.

        Source: GB/T 39477-2020 asks for update and recall of shared data (clause unverified).

        Raises:
            CorrectionError: there was no such delivery, or no reason is given.
            SharingNotPermittedError: the actor isn't a steward of the provider.
        """
        with self._database.begin() as connection:
            return self._view(
                connection, self.recall_in(connection, actor, resource, origin, reference, reason=reason), actor
            )

    def recall_in(
        self, connection: Connection, actor: Actor, resource: str, origin: str, reference: str, *, reason: str
    ) -> Matter:
        """Recall a whole delivery in the caller's transaction."""
        provider = resource.partition(".")[0]
        decision = decide(DecisionRequest(actor, Action.RECALL_DELIVERY, PURPOSE, department=provider))
        if not decision.permitted:
            raise not_permitted(actor, decision)
        if not reason.strip():
            raise refused("请写明召回原因", "say why it is recalled", "reason")
        keeper = self._keepers.get(origin)
        if keeper is None or not keeper.of_delivery(connection, resource, reference):
            raise refused("没有这次交换", "there was no such delivery", "reference")
        table = records.correction
        known = connection.execute(
            sa.select(table.c.correction_id).where(
                table.c.kind == "recall", table.c.origin == origin, table.c.reference == reference
            )
        ).scalar()
        if known is not None:
            return self._engine.load(connection, known)
        values = self._values(
            actor, kind="recall", provider=provider, resource=resource, origin=origin, reference=reference
        )
        matter = self._engine.begin(
            connection,
            values,
            CorrectionEvent.RECALL,
            actor,
            decision,
            note=reason,
            effects=("recall_delivery", "forget_answers", "tell_consumers"),
        )
        return self._close_if_told(connection, matter)

    def act(
        self, actor: Actor, correction_id: str, event: str, *, note: str = "", data: Mapping[str, Any] | None = None
    ) -> CorrectionView:
        """Move a correction by one event of its table.

        Args:
            actor: who does it.
            correction_id: which.
            event: see `CorrectionEvent`; what an actor may do stands in `CorrectionView.may`.
            note: reason; kept sealed.
            data: `corrected` and `in_force_from`, `law`, `meeting`, as the event needs.

        Raises:
            UnknownMatterError, IllegalSharingEventError, SharingNotPermittedError, SharingGuardError: nothing changed.
        """
        with self._database.begin() as connection:
            return self._view(connection, self.act_in(connection, actor, correction_id, event, note, data), actor)

    def act_in(  # noqa: PLR0917  (as `act`, within a transaction)
        self,
        connection: Connection,
        actor: Actor,
        correction_id: str,
        event: str,
        note: str,
        data: Mapping[str, Any] | None,
    ) -> Matter:
        """Move a correction in the caller's transaction."""
        matter = self._engine.apply(connection, correction_id, event, actor, note=note, data=data)
        return self._close_if_told(connection, matter)

    def acknowledge(self, actor: Actor, notice_id: str) -> None:
        """Say for the actor's department that it acted on a notice; when all have, the correction is closed.

        Raises:
            UnknownMatterError: there is no such notice, or it is another department's.
        """
        with self._database.begin() as connection:
            self.acknowledge_in(connection, actor, notice_id)

    def acknowledge_in(self, connection: Connection, actor: Actor, notice_id: str) -> None:
        """Acknowledge a notice in the caller's transaction."""
        table = records.notice
        row = connection.execute(sa.select(table).where(table.c.notice_id == notice_id)).one_or_none()
        decision = decide(
            DecisionRequest(actor, Action.ACKNOWLEDGE_NOTICE, PURPOSE, department="" if row is None else row.consumer)
        )
        if row is None or not decision.permitted:
            raise unknown(notice_id)
        self._notices.acknowledge(connection, notice_id, actor, decision, self._desk.clock.now())
        self._close_if_told(connection, self._engine.load(connection, row.correction_id, lock=True))

    def handlers(self) -> dict[str, Handler]:
        """Give the jobs of the platform: deadlines."""
        events = (CorrectionEvent.LAPSE, CorrectionEvent.OVERDUE)
        return {"correction.deadline": each_matter(self._database, self._engine, events)}

    def _close_if_told(self, connection: Connection, matter: Matter) -> Matter:
        """Close a correction that every consumer has acknowledged; there may have been no copy at all."""
        if matter.state != CorrectionState.NOTIFYING:
            return matter
        try:
            return self._engine.apply(connection, matter.matter_id, CorrectionEvent.ACKNOWLEDGED, SYSTEM)
        except SharingGuardError:
            return matter

    def _live(
        self, connection: Connection, resource: str, subject_index: str, element: str, consumer: str
    ) -> Matter | None:
        table = records.correction
        row = (
            connection.execute(
                sa.select(table).where(
                    table.c.subject_index == subject_index,
                    table.c.resource == resource,
                    table.c.element == element,
                    table.c.consumer == consumer,
                    table.c.state.in_(_LIVE),
                )
            )
            .mappings()
            .first()
        )
        return None if row is None else Matter.of(row, "correction_id")

    def _decide(self, actor: Actor, action: Action, department: str, elements: tuple[str, ...]) -> Decision:
        # Who received a value in the course of work may doubt it: the look at it was decided and recorded then.
        request = DecisionRequest(actor, action, CORRECTION_PURPOSE, elements, department=department, assigned=True)
        decision = decide(request)
        if set(decision.elements) != set(elements):
            raise not_permitted(actor, decision)
        return decision

    def _values(self, actor: Actor, *, sealed: Mapping[str, str] | None = None, **given: str) -> dict[str, Any]:
        """Make the row of a new correction."""
        now = self._desk.clock.now()
        correction_id = new_identifier("c", now)
        blank = dict.fromkeys(
            ("consumer", "subject_index", "element", "origin", "reference", "evidence", "decided", "corrected"), ""
        )
        element = given.get("element", "")
        return {
            **blank,
            **given,
            "correction_id": correction_id,
            **{
                name: self._steps.seal_value(correction_id, element, name, (sealed or {}).get(name, ""))
                for name in ("identity", "received", "believed")
            },
            "in_force_from": None,
            "raised_by": actor.user_id,
            "raised_at": now,
            "accepted_at": None,
        }
