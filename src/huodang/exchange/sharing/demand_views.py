"""What demands look like to their sides, and which of them agreements have moved on without."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange.agreements import AgreementState
from huodang.exchange.records import agreement as agreement_table
from huodang.exchange.sharing import records
from huodang.exchange.sharing.demand_states import DemandState
from huodang.exchange.sharing.demand_terms import DemandTerms
from huodang.exchange.sharing.views import EventChoice, HistoryLine, Standing
from huodang.exchange.values import Agreement

_TO_SIGN: Final = (DemandState.SIGNING, DemandState.RENEWAL_SIGNING)


@dataclass(frozen=True)
class DemandRow:
    """A demand in a list."""

    demand_id: str
    consumer: str
    provider: str
    resource: str
    wished: str
    raised_at: datetime
    standing: Standing


@dataclass(frozen=True)
class DemandView:
    """A demand as one of its sides sees it.

    Attributes:
        agreement: the draft to be signed, or what was signed; None before approval.
        agreement_state: None while nobody has signed.
        decided: record of the joint meeting that settled a dispute about it.
        may: what the one who looks may do now.
    """

    demand_id: str
    terms: DemandTerms
    agreement: Agreement | None
    agreement_state: AgreementState | None
    decided: str
    raised_at: datetime
    standing: Standing
    history: tuple[HistoryLine, ...]
    may: tuple[EventChoice, ...]


def behind(connection: Connection, today: date) -> list[str]:
    """List the demands whose agreement has moved on without them; an empty name stands for an agreement to be ended."""
    demands, agreements = records.demand, agreement_table
    rows = connection.execute(
        sa.select(demands.c.demand_id)
        .join(
            agreements,
            sa.and_(
                agreements.c.agreement_id == demands.c.agreement_id,
                agreements.c.version == demands.c.agreement_version,
            ),
        )
        .where(
            sa.or_(
                sa.and_(demands.c.state.in_(_TO_SIGN), agreements.c.state == AgreementState.IN_FORCE),
                sa.and_(
                    demands.c.state.in_((DemandState.IN_USE, DemandState.RENEWAL)),
                    agreements.c.state.in_((AgreementState.REVOKED, AgreementState.EXPIRED)),
                ),
            )
        )
    )
    ended = connection.execute(
        sa.select(agreements.c.agreement_id)
        .where(agreements.c.state == AgreementState.IN_FORCE, agreements.c.valid_to < today)
        .limit(1)
    ).scalar()
    return [*rows.scalars(), *([""] if ended is not None else [])]
