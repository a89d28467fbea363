"""The monthly confirmation: what a full check found against what events had told by then; what they missed is measured.

A finding counts as told if an event of the same person and matter stood before the check was compared. For what no
event had told a clue is opened, with the check's evidence. The same run again gives what it gave the first time.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.standards import BadValue, IdentityNumber
from huodang.store import Clock, Database, serialise
from huodang.supervision.clues import ClueDesk, Finding
from huodang.supervision.watch import records
from huodang.supervision.watch.errors import RunError
from huodang.supervision.watch.payees import Payees
from huodang.supervision.watch.reports import EventKind

WATCHED: Final[Mapping[str, EventKind]] = {
    "paid_after_death": EventKind.DEATH,
    "dead_contributing": EventKind.DEATH,
    "paid_in_custody": EventKind.CUSTODY,
}
"""Rules of a check whose findings an event should have told before, and by which kind."""

NO_EVENT: Final = "no_event"
NO_PAYEE: Final = "no_payee"
WITHDRAWN: Final = "withdrawn"
REASONS: Final = {
    NO_EVENT: ("部门没有推送事件", "no department sent an event"),
    NO_PAYEE: ("收到事件时查无在领记录", "an event came, but nobody was found to be paid"),
    WITHDRAWN: ("事件已被部门撤回", "the event was withdrawn by its department"),
}
"""Why events missed a finding, in Chinese and English."""

_CHUNK: Final = 500


@dataclass(frozen=True)
class ConfirmedLine:
    """One rule of a check.

    Attributes:
        found: persons and schemes that the check found.
        told: how many of them an event had told.
        fen: what all of them were wrongly paid, in fen.
        missed_fen: what those were paid whom no event had told.
        reasons: how many were missed for which reason.
    """

    rule: str
    found: int
    told: int
    fen: int
    missed_fen: int
    reasons: Mapping[str, int]

    @property
    def missed(self) -> int:
        """How many no event had told."""
        return self.found - self.told


class Confirmation:
    """Compares checks with events.

    Args:
        database: the hub's.
        payees: makes the blind indexes.
        clues: where what was missed becomes a clue.
        clock: business time.
    """

    def __init__(self, database: Database, payees: Payees, clues: ClueDesk, clock: Clock) -> None:
        self._database = database
        self._payees = payees
        self._clues = clues
        self._clock = clock

    def confirm(self, run_id: str, findings: Sequence[Finding]) -> list[ConfirmedLine]:
        """Compare one run's findings with what events had told, and open clues for the rest; whole or not at all.

        Args:
            run_id: of the check.
            findings: of all its rules; those that no event can tell are left aside.

        Raises:
            RunError: a finding's identity number fails.
            FindingError: a finding can't become a clue.
        """
        with self._database.begin() as connection:
            serialise(connection, "watch.confirmation")
            before = self._before(connection, run_id)
            if before is not None:
                return before
            grouped = self._grouped(findings)
            standing = self._standing(connection, sorted({person for _, person, _ in grouped}))
            lines = []
            for rule in sorted({rule for rule, _, _ in grouped}):
                of_rule = {key: each for key, each in grouped.items() if key[0] == rule}
                lines.append(self._line(connection, run_id, rule, of_rule, standing))
            connection.execute(
                sa.insert(records.confirmation).values(
                    run_id=run_id,
                    compared_at=self._clock.now(),
                    lines=json.dumps([asdict(line) for line in lines], sort_keys=True),
                )
            )
        return lines

    def results(self, run_id: str) -> list[ConfirmedLine] | None:
        """Give what a run's comparison gave; None if it wasn't compared."""
        with self._database.read() as connection:
            return self._before(connection, run_id)

    def _line(
        self,
        connection: Connection,
        run_id: str,
        rule: str,
        grouped: Mapping[tuple[str, str, str], list[Finding]],
        standing: Mapping[tuple[str, str], str],
    ) -> ConfirmedLine:
        told = fen = missed_fen = 0
        reasons: dict[str, int] = defaultdict(int)
        for (_, person, scheme), found in sorted(grouped.items()):
            each = sum(one.fen for one in found)
            fen += each
            reason = standing.get((person, WATCHED[rule]), NO_EVENT)
            if not reason:
                told += 1
                continue
            reasons[reason] += 1
            missed_fen += each
            clue_id = ""
            for finding in found:
                clue_id = self._clues.open(connection, finding)
            connection.execute(
                sa.insert(records.missed).values(
                    run_id=run_id,
                    rule=rule,
                    person_index=person,
                    scheme=scheme,
                    fen=each,
                    reason=reason,
                    clue_id=clue_id,
                )
            )
        return ConfirmedLine(rule, len(grouped), told, fen, missed_fen, dict(sorted(reasons.items())))

    def _grouped(self, findings: Sequence[Finding]) -> dict[tuple[str, str, str], list[Finding]]:
        """Put together what a check found of one person in one scheme by one rule."""
        grouped: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
        for finding in findings:
            if finding.rule not in WATCHED:
                continue
            try:
                number = IdentityNumber.parse(finding.identity_number).text
            except BadValue as error:
                raise RunError(
                    "核查结果中有无效的证件号码", "a finding of the run has a number that fails", place=error.place
                ) from None
            grouped[finding.rule, self._payees.person_index(number), finding.scheme].append(finding)
        return grouped

    def _standing(self, connection: Connection, persons: Sequence[str]) -> dict[tuple[str, str], str]:
        """Tell for person and kind why events missed them; empty if one told them."""
        found: dict[tuple[str, str], str] = {}
        events = records.watched
        for chunk in _chunks(persons):
            rows = connection.execute(
                sa.select(events.c.person_index, events.c.kind, events.c.clue_id, events.c.withdrawn_at)
                .where(events.c.person_index.in_(chunk), events.c.change != "withdrawn")
                .order_by(events.c.handled_at)
            )
            for row in rows:
                key = (row.person_index, row.kind)
                reason = WITHDRAWN if row.withdrawn_at is not None else "" if row.clue_id else NO_PAYEE
                if found.get(key) != "":
                    found[key] = reason
        return found

    @staticmethod
    def _before(connection: Connection, run_id: str) -> list[ConfirmedLine] | None:
        table = records.confirmation
        told = connection.execute(sa.select(table.c.lines).where(table.c.run_id == run_id)).scalar_one_or_none()
        return None if told is None else [ConfirmedLine(**line) for line in json.loads(told)]


def _chunks(listed: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for at in range(0, len(listed), _CHUNK):
        yield listed[at : at + _CHUNK]
