"""Which values are in doubt, and which were corrected: what everybody asks who uses a verdict or a delivered row."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.sharing import records
from huodang.exchange.sharing.correction_states import DOUBTFUL
from huodang.exchange.sharing.correction_steps import IDENTITY
from huodang.trust import FieldSealer

_HARMLESS = ("withdrawn", "dismissed", "rejected")


class Doubts:
    """Looks up doubts by resource, person (blind index) and element."""

    def __init__(self, sealer: FieldSealer) -> None:
        self._sealer = sealer

    def subject_index(self, identity_number: str) -> str:
        """Give the blind index under which a person stands."""
        return self._sealer.blind_index(IDENTITY, identity_number)

    def is_disputed(self, connection: Connection, resource: str, subject_index: str, element: str) -> bool:
        """Say whether a value is in doubt now: marked as wrong and not answered, or before the joint meeting."""
        return element in self.disputed_elements(connection, resource, subject_index)

    def disputed_elements(self, connection: Connection, resource: str, subject_index: str) -> dict[str, str]:
        """Give the elements of a person that are in doubt now, each with the correction that says so."""
        table = records.correction
        rows = connection.execute(
            sa.select(table.c.element, table.c.correction_id)
            .where(
                table.c.subject_index == subject_index,
                table.c.resource == resource,
                table.c.state.in_(sorted(DOUBTFUL)),
            )
            .order_by(table.c.raised_at)
        )
        return {row.element: row.correction_id for row in rows}

    def corrected_since(self, connection: Connection, resource: str, subject_index: str, instant: datetime) -> bool:
        """Say whether anything a resource says of a person was put in doubt, corrected or recalled since an instant.

        Whoever keeps an answer to use it again asks this first. A recall concerns everybody of the resource.
        """
        table = records.correction
        return (
            connection.execute(
                sa.select(table.c.correction_id)
                .where(
                    table.c.resource == resource,
                    sa.or_(table.c.subject_index == subject_index, table.c.kind == "recall"),
                    table.c.state.not_in(_HARMLESS),
                    sa.or_(
                        table.c.accepted_at >= instant,
                        table.c.raised_at >= instant,
                        table.c.state.in_(sorted(DOUBTFUL)),
                    ),
                )
                .limit(1)
            ).scalar()
            is not None
        )
