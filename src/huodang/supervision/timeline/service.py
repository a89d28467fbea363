"""The timeline: facts are recorded once and never changed, and what was known at any instant can be told and signed.

Reading facts is reading personal data: the caller decides and records the look first (`exchange.decide`, `Looks`).
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import IdentityNumber, Place, element
from huodang.store import Clock, Database, serialise, utc_text
from huodang.supervision.timeline import records
from huodang.supervision.timeline.dues import PaidMonth
from huodang.supervision.timeline.errors import FactError, StatementError
from huodang.supervision.timeline.facts import Fact, KnownFact, known_at
from huodang.supervision.timeline.recomputation import RecomputedMonth, Totals, recompute
from huodang.supervision.timeline.statements import KIND, make_payload
from huodang.trust import FieldSealer, SignedEnvelope, Signer, canonical_json, sign_envelope

_TICK: Final = timedelta(microseconds=1)


class Timeline:
    """Facts with two clocks.

    Args:
        database: the hub's.
        sealer: seals values and indexes persons.
        ledger: where every fact leaves an entry, which proves when it was known.
        clock: business time.
        signer: the hub's key; None where no statement is signed.
    """

    def __init__(
        self, database: Database, sealer: FieldSealer, ledger: Ledger, clock: Clock, signer: Signer | None = None
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._ledger = ledger
        self._clock = clock
        self._signer = signer

    def record(self, connection: Connection, fact: Fact) -> int:
        """Record a fact in the caller's transaction and give its number; the same message again gives the same number.

        Raises:
            FactError: it ends before it begins, reaches the platform in the future, or replaces what isn't a fact of
                this person and element, or was replaced before.
            UnknownElement: the element isn't in the standard.
        """
        table = records.fact
        now = self._clock.now()
        _check(fact, now)
        person = self._sealer.blind_index("identity_number", fact.identity_number.text)
        serialise(connection, f"timeline:{person}")
        before = self._read(connection, table.c.person_index == person)
        if (again := _said_before(before, fact)) is not None:
            return again
        _check_replaced(before, fact)
        # Never at or before what was recorded of this person: what was known at a past instant stays what it was.
        recorded_at = max([now, *(one.recorded_at + _TICK for one in before)])
        facts = {
            "element": fact.element,
            "source": fact.source,
            "evidence": fact.digest,
            "replaces": str(fact.replaces),
            "known_at": utc_text(fact.known_at),
        }
        content = canonical_json(
            {
                **facts,
                "person": person,
                "value": fact.value,
                "valid_from": "" if fact.valid_from is None else fact.valid_from.isoformat(),
                "valid_to": "" if fact.valid_to is None else fact.valid_to.isoformat(),
            }
        )
        entry_id = self._ledger.record(connection, LedgerEntry("fact", recorded_at, facts), content)
        seat = _seat(person, recorded_at)
        number = connection.execute(
            sa.insert(table)
            .values(
                person_index=person,
                element=fact.element,
                value=self._sealer.seal(fact.element, fact.value, seat) if fact.value else "",
                valid_from=fact.valid_from,
                valid_to=fact.valid_to,
                known_at=fact.known_at,
                recorded_at=recorded_at,
                source=fact.source,
                evidence=fact.digest,
                replaces=fact.replaces,
                entry_id=entry_id,
            )
            .returning(table.c.number)
        ).scalar_one()
        return int(number)

    def history(self, person_index: str, element_: str | None = None) -> list[KnownFact]:
        """Give every row of a person, corrections and annulments among them, in the order in which they were known."""
        table = records.fact
        condition = table.c.person_index == person_index
        if element_ is not None:
            condition = condition & (table.c.element == element_)
        with self._database.read() as connection:
            return self._read(connection, condition)

    def as_known(self, person_index: str, element_: str, at: datetime) -> list[KnownFact]:
        """Tell what was known of a person at an instant; for a past instant the answer never changes."""
        return known_at(self.history(person_index, element_), at)

    def valid_on(self, person_index: str, element_: str, day: date, at: datetime | None = None) -> list[KnownFact]:
        """Tell what held on a day, as far as was known at an instant; None for what is known now."""
        known = self.as_known(person_index, element_, self._clock.now() if at is None else at)
        return [one for one in known if one.holds_on(day)]

    def standing(self, connection: Connection, person_index: str) -> list[KnownFact]:
        """Tell what is known of a person now, what the caller's transaction has just recorded included."""
        history = self._read(connection, records.fact.c.person_index == person_index)
        return known_at(history, self._now(history))

    def recomputed(
        self, connection: Connection, person_index: str, months: Sequence[PaidMonth]
    ) -> tuple[tuple[RecomputedMonth, ...], Totals]:
        """Recompute months by what is known now, what the caller's transaction has just recorded included."""
        history = self._read(connection, records.fact.c.person_index == person_index)
        return recompute(months, history, self._now(history))

    def recomputation(
        self, connection: Connection, identity: IdentityNumber, scheme: str, months: Sequence[PaidMonth]
    ) -> SignedEnvelope:
        """Recompute months by what is known now, sign the lines, keep the envelope and its entry in the ledger.

        Args:
            connection: the write transaction.
            identity: whose months.
            scheme: code of the scheme.
            months: as they were paid, each once.

        Raises:
            StatementError: there is no month, one stands twice, or this timeline has no key to sign with.
        """
        if self._signer is None:
            raise StatementError("没有签名密钥，不能出具重算书", "there is no key to sign a recomputation with")
        person = self._sealer.blind_index("identity_number", identity.text)
        history = self._read(connection, records.fact.c.person_index == person)
        at = self._now(history)
        envelope = sign_envelope(KIND, make_payload(identity, scheme, months, history, at), self._signer)
        entry = LedgerEntry("recomputation", at, {"scheme": scheme, "digest": envelope.digest})
        connection.execute(
            sa.insert(records.statement).values(
                person_index=person,
                scheme=scheme,
                digest=envelope.digest,
                envelope=self._sealer.seal("remark", envelope.to_json(), f"statement:{envelope.digest}"),
                made_at=at,
                entry_id=self._ledger.record(connection, entry, envelope.payload_text.encode()),
            )
        )
        return envelope

    def statement(self, digest: str) -> SignedEnvelope:
        """Give a statement that was signed before.

        Raises:
            StatementError: there is none of this digest.
        """
        table = records.statement
        with self._database.read() as connection:
            sealed = connection.execute(
                sa.select(table.c.envelope).where(table.c.digest == digest)
            ).scalar_one_or_none()
        if sealed is None:
            raise StatementError("没有这份重算书", "there is no such recomputation", place=Place(element=digest[:64]))
        return SignedEnvelope.from_json(self._sealer.open("remark", sealed, f"statement:{digest}"))

    def _now(self, history: Sequence[KnownFact]) -> datetime:
        """Give the present instant; the last tick that was given away counts as now, too."""
        return max([self._clock.now(), *(one.recorded_at for one in history)])

    def _read(self, connection: Connection, condition: sa.ColumnElement[bool]) -> list[KnownFact]:
        table = records.fact
        rows = connection.execute(sa.select(table).where(condition).order_by(table.c.recorded_at, table.c.number))
        return [self._known(row) for row in rows]

    def _known(self, row: sa.Row[Any]) -> KnownFact:
        seat = _seat(row.person_index, row.recorded_at)
        return KnownFact(
            number=row.number,
            person_index=row.person_index,
            element=row.element,
            value=self._sealer.open(row.element, row.value, seat) if row.value else "",
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            known_at=row.known_at,
            recorded_at=row.recorded_at,
            source=row.source,
            digest=row.evidence,
            replaces=row.replaces,
            entry_id=row.entry_id,
        )


def _seat(person: str, recorded_at: datetime) -> str:
    return f"fact:{person}:{utc_text(recorded_at)}"


def _check(fact: Fact, now: datetime) -> None:
    element(fact.element)
    place = Place(element=fact.element)
    if fact.valid_from is not None and fact.valid_to is not None and fact.valid_to < fact.valid_from:
        raise FactError("结束日期早于开始日期", "the fact ends before it begins", place=place)
    if fact.known_at > now:
        raise FactError("到达平台的时间在将来", "the fact reached the platform in the future", place=place)
    if not fact.value and not fact.replaces:
        raise FactError("撤销须指明撤销哪一条", "what is taken back must be named", place=place)
    if not fact.source or not fact.digest:
        raise FactError("缺少来源或证据摘要", "source or digest of the evidence is missing", place=place)


def _said_before(before: Sequence[KnownFact], fact: Fact) -> int | None:
    """Find the same message among what was recorded."""
    wanted = (fact.element, fact.value, fact.valid_from, fact.valid_to, fact.source, fact.digest, fact.replaces)
    for one in before:
        if (one.element, one.value, one.valid_from, one.valid_to, one.source, one.digest, one.replaces) == wanted:
            return one.number
    return None


def _check_replaced(before: Sequence[KnownFact], fact: Fact) -> None:
    if not fact.replaces:
        return
    found = next((one for one in before if one.number == fact.replaces), None)
    if found is None or found.element != fact.element:
        raise FactError(
            "要更正的事实不存在，或不是同一人的同一数据元",
            "what is to be corrected isn't a fact of this person and element",
            place=Place(element=fact.element),
        )
    if any(one.replaces == fact.replaces for one in before):
        raise FactError(
            "该事实已被更正过，请更正最新的一条",
            "this fact was corrected before: correct the latest one",
            place=Place(element=fact.element),
        )
