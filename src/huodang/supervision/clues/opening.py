"""How a finding becomes a clue, or joins the one that is open: whole or not at all, and once however often it comes."""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.ledger import LedgerEntry
from huodang.standards import BadValue, IdentityNumber, Month, Place, code_table
from huodang.store import serialise
from huodang.supervision.clues import records
from huodang.supervision.clues.clue_record import EVIDENCE, IDENTITY
from huodang.supervision.clues.engine import Engine, live_key
from huodang.supervision.clues.errors import FindingError
from huodang.supervision.clues.matters import matter_of
from huodang.supervision.clues.signals import add_signals, stakes_of, with_keys
from huodang.supervision.clues.states import ClueEvent, ClueState
from huodang.supervision.clues.values import Finding, Outcome
from huodang.trust import FieldSealer, sha256

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_REGION = re.compile(r"([0-9]{6})?")
_JOINS = (ClueState.CONFIRMED, ClueState.OBJECTION)


class Opening:
    """Takes findings in.

    Args:
        engine: of clues.
        region: six digits, of findings that name none.
    """

    def __init__(self, engine: Engine, region: str) -> None:
        self._engine = engine
        self._desk = engine.desk
        self._region = region

    def open(self, connection: Connection, finding: Finding) -> str:
        """Open a clue for a finding, or let it join; give the clue's id.

        Raises:
            FindingError: the finding can't be taken as it stands.
        """
        identity = check_finding(finding)
        person = self._desk.sealer.blind_index(IDENTITY, identity.text)
        matter = matter_of(finding.rule)
        serialise(connection, f"clue:{person}:{matter}")
        now = self._desk.clock.now()
        clue_id = self._present(connection, person, matter, finding)
        if clue_id is None:
            clue_id = self._begin(connection, person, identity.text, matter, finding)
            self._keep(connection, clue_id, finding, now)
            self._engine.begin(connection, clue_id)
            self._engine.judge(connection, clue_id)
        elif self._keep(connection, clue_id, finding, now) and self._engine.try_system(
            connection, clue_id, ClueEvent.JOIN
        ):
            self._engine.judge(connection, clue_id)
        return clue_id

    def _present(self, connection: Connection, person: str, matter: str, finding: Finding) -> str | None:
        """Find the clue that a finding belongs to: the open one, or one that was decided on the very same evidence."""
        table = records.clue
        rows = connection.execute(
            sa.select(table)
            .where(table.c.person_index == person, table.c.matter == matter, table.c.state != ClueState.MERGED)
            .order_by(table.c.opened_at.desc(), table.c.clue_id)
        ).all()
        for row in rows:
            if row.live_key is not None or row.state in _JOINS:
                return str(row.clue_id)
        return next((str(row.clue_id) for row in rows if self._told_before(connection, row, finding)), None)

    def _told_before(self, connection: Connection, row: sa.Row[tuple[object, ...]], finding: Finding) -> bool:
        table = records.signal
        known = {
            (one.digest, one.confirmed)
            for one in connection.execute(
                sa.select(table.c.digest, table.c.confirmed).where(table.c.clue_id == row.clue_id)
            )
        }
        told = with_keys(self._desk.sealer, finding.signals)
        if not all({(one.digest, one.confirmed), (one.digest, True)} & known for one in told):
            return False
        if row.outcome == Outcome.REFUTED:
            return True
        months = {month for stake in stakes_of(connection, row.clue_id) for month in stake.months}
        return set(finding.months) <= months

    def _begin(self, connection: Connection, person: str, identity: str, matter: str, finding: Finding) -> str:
        clue_id = f"c{secrets.token_hex(8)}"
        connection.execute(
            sa.insert(records.clue).values(
                clue_id=clue_id,
                matter=matter,
                rule=finding.rule,
                person_index=person,
                identity=self._desk.sealer.seal(IDENTITY, identity, clue_id),
                region=finding.region or self._region,
                state=ClueState.NEW,
                sequence=0,
                tier=3,
                measure="",
                reason="",
                fen=0,
                candidate=False,
                opened_at=self._desk.clock.now(),
                step_since=self._desk.clock.today(),
                due_provisional=False,
                overdue=False,
                assigned_to="",
                locked_by="",
                proposed_by="",
                decided_by="",
                outcome="",
                fact_from="",
                law="",
                merged_into="",
                live_key=live_key(person, matter),
            )
        )
        return clue_id

    def _keep(self, connection: Connection, clue_id: str, finding: Finding, now: datetime) -> bool:
        """Keep signals, finding and evidence; say whether anything of it was new."""
        kept = with_keys(self._desk.sealer, finding.signals)
        added = add_signals(connection, self._desk.sealer, clue_id, kept, now)
        digest = frozen_digest(self._desk.sealer, finding.evidence)
        frozen = self._freeze(connection, clue_id, finding, digest, now)
        table = records.finding
        same = sa.select(table.c.number).where(
            table.c.clue_id == clue_id,
            table.c.run_id == finding.run_id,
            table.c.rule == finding.rule,
            table.c.scheme == finding.scheme,
            table.c.evidence == digest,
        )
        if connection.execute(same).first() is not None:
            return bool(added or frozen)
        connection.execute(
            sa.insert(table).values(
                clue_id=clue_id,
                run_id=finding.run_id,
                rule=finding.rule,
                scheme=finding.scheme,
                months=_months(finding.months),
                fen=finding.fen,
                evidence=digest,
            )
        )
        return True

    def _freeze(self, connection: Connection, clue_id: str, finding: Finding, digest: str, now: datetime) -> bool:
        table = records.evidence
        had = sa.select(table.c.digest).where(table.c.clue_id == clue_id, table.c.digest == digest)
        if connection.execute(had).first() is not None:
            return False
        # The leaf commits to the evidence under a salt: it proves it, and lets nobody guess it.
        facts = {"clue": clue_id, "rule": finding.rule, "run": finding.run_id}
        entry = LedgerEntry("clue_evidence", now, facts)
        connection.execute(
            sa.insert(table).values(
                clue_id=clue_id,
                digest=digest,
                sealed=self._desk.sealer.seal(EVIDENCE, finding.evidence.hex(), f"{clue_id}:{digest}"),
                run_id=finding.run_id,
                frozen_at=now,
                entry_id=self._desk.ledger.record(connection, entry, finding.evidence),
            )
        )
        return True


def frozen_digest(sealer: FieldSealer, evidence: bytes) -> str:
    """Give the digest under which evidence is frozen: SHA-256 under a key, so that nobody guesses rows from it."""
    return sealer.blind_index(EVIDENCE, sha256(evidence).hex())


def check_finding(finding: Finding) -> IdentityNumber:
    """Hold a finding against what a clue needs; give the number parsed.

    Raises:
        FindingError: naming what is wrong, never the value.
    """
    element = IDENTITY
    try:
        identity = IdentityNumber.parse(finding.identity_number)
        element = "scheme"
        if finding.scheme:
            code_table("scheme").require(finding.scheme)
    except BadValue as problem:
        raise FindingError(
            f"发现不能立为疑点：{problem.chinese}",
            f"the finding can't become a clue: {problem.english}",
            place=Place(element=element),
        ) from None
    for fits, chinese, english in (
        (_CODE.fullmatch(finding.rule), "规则代码", "rule"),
        (_REFERENCE.fullmatch(finding.run_id), "批次编号", "run_id"),
        (_REGION.fullmatch(finding.region), "行政区划", "region"),
        (finding.fen >= 0, "金额", "fen"),
        (finding.signals, "来源", "signals"),
        (all(_DIGEST.fullmatch(one.digest) for one in finding.signals), "来源摘要", "digest"),
        (
            all(_CODE.fullmatch(one.register) and _CODE.fullmatch(one.kind) for one in finding.signals),
            "来源",
            "register",
        ),
        (all(one.known_at.tzinfo is not None for one in finding.signals), "知悉时间", "known_at"),
    ):
        if not fits:
            raise FindingError(
                f"发现缺少{chinese}，或其写法不对",
                f"{english} of the finding is missing or misshapen",
                place=Place(element=english),
            )
    return identity


def _months(months: Sequence[Month]) -> str:
    return " ".join(str(month) for month in sorted(set(months)))
