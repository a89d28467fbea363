"""Who is paid enters certification: many at once, those who are there already stay as they are."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.standards import Place
from huodang.store import insert_rows
from huodang.supervision.certification import records
from huodang.supervision.certification.errors import ProofError
from huodang.supervision.certification.judging import Batch, first_reminder, write_history
from huodang.supervision.certification.ladder import Ladder
from huodang.supervision.certification.states import CertificationEvent, CertificationState
from huodang.supervision.certification.values import Payee
from huodang.trust import FieldSealer

_COLUMNS = (
    *("person_index", "identity", "region", "state", "sequence", "since", "proved_on", "proved_by", "due_on"),
    *("next_step_on", "reminders"),
)


def enrol_batch(
    connection: Connection, batch: Batch, ladder: Ladder, sealer: FieldSealer, payees: Sequence[Payee]
) -> int:
    """Enrol some payees and give how many weren't there.

    Raises:
        ProofError: a region isn't six digits.
    """
    table = records.certification
    indexes = sealer.blind_indexes("identity_number", [one.identity_number.text for one in payees])
    by_index = dict(zip(indexes, payees, strict=True))
    found = connection.execute(sa.select(table.c.person_index).where(table.c.person_index.in_(list(by_index))))
    known = {row.person_index for row in found}
    rows = []
    for person, payee in by_index.items():
        if person in known:
            continue
        if len(payee.region) != 6 or not payee.region.isdigit():
            raise ProofError("行政区划须是六位数字", "a region is six digits", place=Place(element="region"))
        proved_on = payee.proved_on or batch.today
        due_on = ladder.due_on(proved_on)
        sealed = sealer.seal("identity_number", payee.identity_number.text, f"certification:{person}")
        proved_by = "before" if payee.proved_on else "enrolled"
        state = CertificationState.VALID.value
        step_on = first_reminder(ladder, due_on)
        rows.append((person, sealed, payee.region, state, 1, batch.today, proved_on, proved_by, due_on, step_on, 0))
    insert_rows(connection, table, _COLUMNS, rows)
    history = records.certification_history
    insert_rows(
        connection,
        history,
        ("person_index", "sequence", "at", "from_state", "event", "to_state", "by", "run_id"),
        [(row[0], 1, batch.now, "", CertificationEvent.ENROL.value, row[3], batch.by, batch.run_id) for row in rows],
    )
    _enrol_again(connection, batch, ladder, [one for one in by_index if one in known])
    return len(rows)


def _enrol_again(connection: Connection, batch: Batch, ladder: Ladder, persons: Sequence[str]) -> None:
    """Begin anew with those who had ended and are paid again."""
    table = records.certification
    again = sa.and_(table.c.person_index.in_(persons), table.c.state == CertificationState.ENDED)
    if not write_history(connection, batch, CertificationEvent.ENROL, CertificationState.VALID, again):
        return
    due_on = ladder.due_on(batch.today)
    connection.execute(
        sa.update(table)
        .where(again)
        .values(
            state=CertificationState.VALID.value,
            sequence=table.c.sequence + 1,
            since=batch.today,
            proved_on=batch.today,
            proved_by="enrolled",
            due_on=due_on,
            next_step_on=first_reminder(ladder, due_on),
            reminders=0,
        )
    )
