"""Certifications: by data first, then by the person, then by a visit; silence leads to a visit, never to a cut."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Actor, Decision, DecisionRequest, LookEntry, Looks, decide
from huodang.exchange.sharing import SYSTEM
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import IdentityNumber, Place
from huodang.store import Clock, Database, Handler, Job, LeaseLost, jobs, serialise
from huodang.supervision.certification import judging, records, views
from huodang.supervision.certification.enrolment import enrol_batch
from huodang.supervision.certification.errors import (
    CertificationNotPermittedError,
    IllegalCertificationEventError,
    ProofError,
    UnknownPersonError,
)
from huodang.supervision.certification.judging import Batch, insert_proofs, judge
from huodang.supervision.certification.ladder import Ladder, product_ladder
from huodang.supervision.certification.states import CERTIFICATION, CertificationEvent, CertificationState
from huodang.supervision.certification.values import (
    CertificationView,
    DueRow,
    Payee,
    Proof,
    Suspicion,
    Taken,
    Walked,
    taken_of,
)
from huodang.supervision.certification.walking import steps, take
from huodang.supervision.clues import ClueOutcome, Outcome
from huodang.trust import FieldSealer, canonical_json

WALK: Final = "certification.walk"
IDENTITY: Final = "identity_number"
PURPOSE: Final = "supervision"
_PORTION: Final = 500

Suspect = Callable[[Connection, Suspicion], None]
"""Who takes up what certification can't settle: the clues."""


class Certifications:
    """The certifications of one hub.

    Args:
        database: the hub's.
        ledger: where acts of people, files and walks leave an entry.
        sealer: seals and indexes identity numbers.
        looks: where seeing a person is recorded.
        clock: business time.
        ladder: None for the product's.
        suspect: takes up a visit that could not confirm, and data that contradict a recorded death.
    """

    def __init__(  # noqa: PLR0917  (one place builds it)
        self,
        database: Database,
        ledger: Ledger,
        sealer: FieldSealer,
        looks: Looks,
        clock: Clock,
        ladder: Ladder | None = None,
        suspect: Suspect | None = None,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._sealer = sealer
        self._looks = looks
        self._clock = clock
        self.ladder = ladder or product_ladder()
        self._suspect = suspect

    def enrol(self, payees: Iterable[Payee], by: str = SYSTEM.user_id) -> int:
        """Take in who is paid, in batches of a transaction each, and give how many weren't there yet.

        Whose last certification isn't told counts as certified today: nobody is due for want of a record.
        """
        new, batch = 0, []
        for payee in payees:
            batch.append(payee)
            if len(batch) >= 5000:
                new += self._enrol(batch, by)
                batch = []
        return new + self._enrol(batch, by)

    def prove(self, connection: Connection, proof: Proof, actor: Actor = SYSTEM) -> Taken:
        """Take one proof in the caller's transaction.

        Raises:
            ProofError: there is no such means, or the day lies in the future.
            UnknownPersonError: the person isn't certified here; of data that is no error, but a count.
            CertificationNotPermittedError: this means isn't for this role, or no policy permits it.
        """
        means = self.ladder.means.get(proof.means)
        if means is None:
            raise ProofError(
                "没有这种认证方式", "there is no such means of proof", place=Place(element=proof.means[:40])
            )
        if not proof.identity_number.birth_date <= proof.on <= self._clock.today():
            raise ProofError(
                "日期早于出生或在将来", "the day lies before birth or in the future", place=Place(element="on")
            )
        person = self.index(proof.identity_number)
        if actor.role != SYSTEM.role:
            row = views.person(connection, person)
            if row is None or not self._decide(actor, "certify", person, row["region"]).permitted:
                raise _unknown()
            if actor.role not in means.roles:
                raise CertificationNotPermittedError(
                    "这种方式不由该角色办理",
                    f"this means isn't for role {actor.role}",
                    place=Place(element=proof.means),
                )
        batch = self.batch(f"proof-{secrets.token_hex(12)}", actor.user_id)
        insert_proofs(connection, batch, self.ladder, [(person, proof.on, proof.means, proof.source, proof.digest)])
        self.settle(connection, batch)
        found = judging.standings(connection, batch.run_id)
        self.record(
            connection,
            {"event": "prove", "means": proof.means, "standing": next(iter(found), "repeated")},
            {"person": person, "on": proof.on.isoformat(), "source": proof.source, "digest": proof.digest},
        )
        return taken_of(batch.run_id, found, repeated=int(not found))

    def not_found(self, connection: Connection, actor: Actor, identity: IdentityNumber, note: str) -> None:
        """Say that a visit could not confirm; it goes to investigators, and the pension goes on.

        Raises:
            UnknownPersonError: the person isn't certified here, or isn't the actor's to see.
            IllegalCertificationEventError: no visit is due, or no reason is given.
            CertificationNotPermittedError: it isn't for this role.
        """
        person = self.index(identity)
        row = views.person(connection, person)
        if row is None or not self._decide(actor, "certify", person, row["region"]).permitted:
            raise _unknown()
        found = CERTIFICATION.rows(row["state"], CertificationEvent.NOT_FOUND)
        if not found or not note.strip():
            raise IllegalCertificationEventError(
                "须在上门核实环节、并写明未能确认的情况", "it takes a visit that is due, and a note of what was found"
            )
        if actor.role not in found[0].roles:
            raise CertificationNotPermittedError("这一步不由该角色办理", f"this step isn't for role {actor.role}")
        batch = self.batch(f"visit-{secrets.token_hex(12)}", actor.user_id)
        self._move(connection, batch, CertificationEvent.NOT_FOUND, CertificationState.REFERRED, [person])
        content = {"person": person, "note": note.strip()}
        digest = self.record(connection, {"event": "not_found"}, content)
        if self._suspect is not None:
            now, today = batch.now, batch.today
            suspicion = Suspicion(
                "certification_overdue", identity, row["region"], today, "visit", digest, now, note.strip()
            )
            self._suspect(connection, suspicion)

    def on_outcome(self, connection: Connection, outcome: ClueOutcome) -> None:
        """End the certification of one whose death was confirmed, and begin it anew when that is taken back."""
        if outcome.matter != "death" or outcome.outcome is not Outcome.CONFIRMED:
            return
        batch = self.batch(f"clue-{outcome.clue_id}"[:64], SYSTEM.user_id)
        row = views.person(connection, outcome.person_index)
        if row is None:
            return
        if outcome.reopened:
            if row["state"] == CertificationState.ENDED:
                self._move(
                    connection, batch, CertificationEvent.ENROL, CertificationState.VALID, [outcome.person_index]
                )
        elif row["state"] != CertificationState.ENDED:
            self._move(connection, batch, CertificationEvent.END, CertificationState.ENDED, [outcome.person_index])

    def walk(self) -> Walked:
        """Walk the ladder as of today: chunk by chunk, each in a transaction of its own; go on where it was cut off."""
        today = self._clock.today()
        run_id = f"walk-{today.isoformat()}"
        for step in steps(self.ladder, today):
            while True:
                with self._database.begin() as connection:
                    serialise(connection, "certification")
                    if not take(connection, self.batch(run_id, SYSTEM.user_id), step):
                        break
        with self._database.read() as connection:
            moved = views.moved(connection, run_id)
        return Walked(run_id, moved)

    def due(self, actor: Actor, on: date, *, state: str | None = None, limit: int = 100) -> list[DueRow]:
        """List whose proof is due by a day, who is longest due first; each person shown is a look that is recorded."""
        table = records.certification
        open_ = table.c.state.not_in([CertificationState.VALID.value, CertificationState.ENDED.value])
        wanted = sa.or_(open_, sa.and_(table.c.state == CertificationState.VALID, table.c.due_on <= on))
        if state is not None:
            wanted = table.c.state == state
        rows: list[DueRow] = []
        looks: list[LookEntry] = []
        with self._database.begin() as connection:
            statement = sa.select(table).where(wanted).order_by(table.c.due_on, table.c.person_index)
            # Read in portions: those due may be millions, and a page shows some dozens.
            with connection.execute(statement.execution_options(yield_per=_PORTION)) as found:
                for row in found.mappings():
                    decision = self._decide(actor, "view_certification", row["person_index"], row["region"])
                    if decision.permitted:
                        rows.append(views.due_row(row, decision.show(IDENTITY, self.open_number(row))))
                        looks.append(self._look(actor, row["person_index"], decision, "certification_due"))
                    if len(rows) >= limit:
                        break
            self._looks.record_all(connection, looks)
        return rows

    def of_person(self, actor: Actor, identity: IdentityNumber) -> CertificationView:
        """Show one person's certification, as the person sees it, too; the look is recorded.

        Raises:
            UnknownPersonError: the person isn't certified here, or isn't the actor's to see.
        """
        return self.of_index(actor, self.index(identity))

    def of_index(self, actor: Actor, person: str) -> CertificationView:
        """Show one person's certification by the `person_index` of a list; the look is recorded.

        Raises:
            UnknownPersonError: the person isn't certified here, or isn't the actor's to see.
        """
        with self._database.begin() as connection:
            row = views.person(connection, person)
            if row is None:
                raise _unknown()
            decision = self._decide(actor, "view_certification", person, row["region"])
            if not decision.permitted:
                raise _unknown()
            self._looks.record_all(connection, [self._look(actor, person, decision, "certification")])
            may = actor.role != "auditor" and self._decide(actor, "certify", person, row["region"]).permitted
            shown = decision.show(IDENTITY, self.open_number(row))
            return views.view_of(connection, row, shown, self.ladder, actor.role if may else "")

    def person_to_certify(self, connection: Connection, actor: Actor, person: str) -> IdentityNumber:
        """Give the number behind a `person_index`, for `prove` and `not_found`; never to be shown.

        Raises:
            UnknownPersonError: the person isn't certified here, or isn't the actor's to certify.
        """
        row = views.person(connection, person)
        if row is None or not self._decide(actor, "certify", person, row["region"]).permitted:
            raise _unknown()
        return IdentityNumber.parse(self.open_number(row))

    def counts(self) -> dict[str, int]:
        """Count the persons by state."""
        with self._database.read() as connection:
            return views.counts(connection)

    def plan(self, connection: Connection) -> None:
        """Have the ladder walked every day from now on."""
        jobs.enqueue(connection, WALK, {}, run_at=self._clock.now(), key=WALK)

    def handlers(self) -> dict[str, Handler]:
        """Give the job: the day's walk, which plans the next."""

        def handler(batch: list[Job]) -> None:
            for job in batch:
                walked = self.walk()
                try:
                    with self._database.begin() as connection:
                        jobs.complete(connection, job)
                        facts = {"event": "walk", "run": walked.run_id}
                        self.record(connection, facts, {event: str(n) for event, n in walked.moved.items()})
                        tomorrow = self._clock.now() + timedelta(days=1)
                        jobs.enqueue(connection, WALK, {}, run_at=tomorrow.replace(hour=18, minute=0), key=WALK)
                except LeaseLost:
                    continue

        return {WALK: handler}

    def settle(self, connection: Connection, batch: Batch) -> None:
        """Judge a batch of proofs, apply them, and hand on what contradicts a recorded death."""
        serialise(connection, "certification")
        judge(connection, batch, self.ladder)
        if self._suspect is None:
            return
        for row in judging.contradicted(connection, batch):
            identity = IdentityNumber.parse(self.open_number(row._mapping))  # noqa: SLF001  (SQLAlchemy's own door)
            digest = row.digest or row.run_id
            suspicion = Suspicion(
                "proof_after_death", identity, row.region, row.proved_on, row.means, digest, row.recorded_at, ""
            )
            self._suspect(connection, suspicion)

    def index(self, identity: IdentityNumber) -> str:
        """Give the blind index of a person."""
        return self._sealer.blind_index(IDENTITY, identity.text)

    def indexes(self, identities: Iterable[IdentityNumber]) -> list[str]:
        """Give the blind indexes of many persons."""
        return self._sealer.blind_indexes(IDENTITY, [one.text for one in identities])

    def batch(self, run_id: str, by: str, part: int = 0) -> Batch:
        """Begin a batch of a run."""
        return Batch(run_id, part, by, self._clock.now(), self._clock.today())

    def record(self, connection: Connection, facts: Mapping[str, str], content: Mapping[str, str]) -> str:
        """Leave an entry in the ledger: codes as facts, the rest as committed content; give the entry's id."""
        entry = LedgerEntry("certification", self._clock.now(), dict(facts))
        return self._ledger.record(connection, entry, canonical_json({**facts, **content}))

    def open_number(self, row: sa.RowMapping) -> str:
        """Open the sealed identity number of a row."""
        return self._sealer.open(IDENTITY, str(row["identity"]), f"certification:{row['person_index']}")

    def _enrol(self, batch: list[Payee], by: str) -> int:
        if not batch:
            return 0
        with self._database.begin() as connection:
            serialise(connection, "certification")
            run = self.batch(f"enrol-{secrets.token_hex(12)}", by)
            return enrol_batch(connection, run, self.ladder, self._sealer, batch)

    def _move(self, connection: Connection, batch: Batch, event: str, target: str, persons: list[str]) -> None:
        table = records.certification
        who = table.c.person_index.in_(persons)
        judging.write_history(connection, batch, event, target, who)
        values: dict[str, object] = {"state": target, "sequence": table.c.sequence + 1, "since": batch.today}
        if target in {CertificationState.REFERRED, CertificationState.ENDED}:
            values["next_step_on"] = None
        if event == CertificationEvent.ENROL:
            due_on = self.ladder.due_on(batch.today)
            values |= {"due_on": due_on, "next_step_on": judging.first_reminder(self.ladder, due_on), "reminders": 0}
            values |= {"proved_on": batch.today, "proved_by": "enrolled"}
        connection.execute(sa.update(table).where(who).values(**values))

    @staticmethod
    def _decide(actor: Actor, action: str, person: str, region: str) -> Decision:
        purpose = "audit" if actor.role == "auditor" else PURPOSE
        return decide(DecisionRequest(actor, action, purpose, (IDENTITY,), owner=person, region=region))

    @staticmethod
    def _look(actor: Actor, person: str, decision: Decision, what: str) -> LookEntry:
        purpose = "audit" if actor.role == "auditor" else PURPOSE
        return LookEntry(actor, purpose, "", person, decision.elements, decision, what)


def _unknown() -> UnknownPersonError:
    return UnknownPersonError(
        "该人不在认证名单内，或无权查看",
        "the person isn't among those certified, or isn't yours to see",
        advice_chinese="请核对证件号码，以及其是否属于您的地区。",
        advice_english="Check the number, and whether the person belongs to your region.",
    )
