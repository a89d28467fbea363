"""Views of certifications, out of their rows: what pages, the command line and JSON show, in plain words."""

from functools import cache
from importlib.resources import files
from typing import Final

import sqlalchemy as sa
import yaml
from sqlalchemy import Connection

from huodang.supervision.certification import records
from huodang.supervision.certification.ladder import Ladder
from huodang.supervision.certification.states import CERTIFICATION, CertificationEvent, CertificationState
from huodang.supervision.certification.values import (
    CertificationChoice,
    CertificationLine,
    CertificationView,
    DueRow,
    ProofLine,
)
from huodang.supervision.clues.process import Label

STANDING_LABELS: Final[dict[str, Label]] = {
    "counted": ("已认可", "counted"),
    "waiting": ("还需另一种方式佐证", "waits for another"),
    "stale": ("时间太久，未采用", "too old"),
    "contradicted": ("与死亡记录矛盾，已转核查", "contradicts a recorded death"),
    "stranger": ("不在领取名单", "not among those paid"),
}
_NEEDS: Final = {CertificationEvent.PROVE: ("means", "on"), CertificationEvent.NOT_FOUND: ("note",)}
_OTHER_MEANS: Final[dict[str, Label]] = {
    "enrolled": ("纳入名单", "enrolment"),
    "before": ("以前的认证", "an earlier certification"),
}


def person(connection: Connection, person_index: str) -> sa.RowMapping | None:
    """Read one person's row; None if there is none."""
    table = records.certification
    return connection.execute(sa.select(table).where(table.c.person_index == person_index)).mappings().one_or_none()


def due_row(row: sa.RowMapping, shown: str) -> DueRow:
    """Give the row of a list; the number comes as it may be shown."""
    return DueRow(
        person_index=row["person_index"],
        identity_number=shown,
        region=row["region"],
        state=row["state"],
        state_label=CERTIFICATION.states[row["state"]],
        due_on=row["due_on"],
        proved_on=row["proved_on"],
        proved_by=row["proved_by"],
        reminders=row["reminders"],
    )


def view_of(connection: Connection, row: sa.RowMapping, shown: str, ladder: Ladder, role: str) -> CertificationView:
    """Give all of one person's certification.

    Args:
        connection: any.
        row: of the person.
        shown: the number as it may be shown.
        ladder: for the words of means.
        role: of one who may act; empty for one who may not.
    """
    proof, told = records.proof, records.certification_history
    proofs = connection.execute(
        sa.select(proof)
        .where(proof.c.person_index == row["person_index"])
        .order_by(proof.c.proved_on.desc(), proof.c.number.desc())
        .limit(100)
    )
    history = connection.execute(
        sa.select(told).where(told.c.person_index == row["person_index"]).order_by(told.c.sequence)
    )
    return CertificationView(
        row=due_row(row, shown),
        words=_words(row, ladder),
        proofs=tuple(
            ProofLine(
                one.proved_on,
                one.means,
                means_label(ladder, one.means),
                one.source,
                one.standing,
                STANDING_LABELS[one.standing],
                one.recorded_at,
            )
            for one in proofs
        ),
        history=tuple(
            CertificationLine(
                one.sequence,
                one.at,
                one.from_state,
                one.event,
                CERTIFICATION.events[one.event],
                one.to_state,
                one.by,
            )
            for one in history
        ),
        may=tuple(
            CertificationChoice(one.event, CERTIFICATION.events[one.event], _NEEDS[CertificationEvent(one.event)])
            for one in CERTIFICATION.rows_from(row["state"])
            if role in one.roles and one.event in _NEEDS
        ),
    )


def means_label(ladder: Ladder, means: str) -> Label:
    """Say by what somebody was proved."""
    found = ladder.means.get(means)
    return _OTHER_MEANS.get(means, (means, means)) if found is None else (found.chinese, found.english)


def counts(connection: Connection) -> dict[str, int]:
    """Count the persons by state."""
    table = records.certification
    rows = connection.execute(sa.select(table.c.state, sa.func.count()).group_by(table.c.state))
    found = {state: int(number) for state, number in rows}
    return {state.value: found.get(state.value, 0) for state in CertificationState}


def moved(connection: Connection, run_id: str) -> dict[str, int]:
    """Count what a walk moved, by event."""
    table = records.certification_history
    rows = connection.execute(
        sa.select(table.c.event, sa.func.count()).where(table.c.run_id == run_id).group_by(table.c.event)
    )
    return {event: int(number) for event, number in rows}


def _words(row: sa.RowMapping, ladder: Ladder) -> Label:
    chinese, english = _texts()[row["state"]]
    means = means_label(ladder, row["proved_by"])
    values = {"due": row["due_on"].isoformat(), "proved": row["proved_on"].isoformat()}
    return chinese.format(means=means[0], **values), english.format(means=means[1], **values)


@cache
def _texts() -> dict[str, tuple[str, str]]:
    text = files("huodang.supervision.certification").joinpath("data", "words.yaml").read_text(encoding="utf-8")
    return {state: (pair[0], pair[1]) for state, pair in yaml.safe_load(text).items()}
