"""Delivered rows shown to people and to the hub's own rules: decided, masked, and every look recorded."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from huodang.exchange.decisions import Actor
from huodang.exchange.errors import NotPermittedError
from huodang.exchange.looks import LookEntry, Looks
from huodang.exchange.lots import records
from huodang.exchange.lots.staging import CONTENT, seal_binding
from huodang.exchange.sharing import RowFacts, readable
from huodang.exchange.values import Agreement
from huodang.standards import Place
from huodang.store import Database
from huodang.trust import FieldSealer

LARGEST_PAGE: Final = 500
REGION: Final = "household_region"


@dataclass(frozen=True)
class RowQuestion:
    """Which rows are asked for; see `Lots.rows`."""

    resource: str
    subject_index: str
    after: str
    limit: int
    case_id: str
    assigned: bool


@dataclass(frozen=True)
class DeliveredRow:
    """A row as it may be shown to who asked.

    Attributes:
        values: by element, whole, masked or hidden.
        as_of: how fresh the copy is that it stands in.
    """

    key_index: str
    agreement_id: str
    values: Mapping[str, str]
    as_of: datetime | None


class DeliveredRows:
    """Opens sealed rows for those who may see them."""

    def __init__(self, database: Database, sealer: FieldSealer, looks: Looks) -> None:
        self._database = database
        self._sealer = sealer
        self._looks = looks

    def show(
        self,
        actor: Actor,
        purpose: str,
        asked: RowQuestion,
        agreements: Sequence[Agreement],
        key_indexes: Mapping[int, str],
    ) -> list[DeliveredRow]:
        """Show rows; see `Lots.rows`.

        Args:
            actor: who asks.
            purpose: code of the purpose.
            asked: which rows.
            agreements: those in force.
            key_indexes: by number of the holding, the row wanted; empty for all.

        Raises:
            NotPermittedError: nothing of these rows may be seen.
        """
        covering = [one for one in agreements if one.resource == asked.resource and purpose in one.purposes]
        names = tuple(dict.fromkeys(name for one in covering for name in one.fields))
        seen = readable(actor, purpose, asked.resource, names, agreements=covering)
        if not covering or not any(one.permitted for one in seen.decisions.values()):
            raise NotPermittedError(
                "没有策略或协议允许查看这些数据",
                "no policy or agreement lets you see these rows",
                advice_chinese="请核对用途；如确有需要，请向安全管理员申请。",
                advice_english="See whether the purpose is right; if you need them, ask the security administrator.",
                place=Place(element=asked.resource),
            )
        shown: list[DeliveredRow] = []
        looks: list[LookEntry] = []
        with self._database.begin() as connection:
            for row in connection.execute(_statement(asked, key_indexes)):
                opened = self._sealer.open(CONTENT, row.content, seal_binding(row.holding, row.key_index))
                values: dict[str, str] = json.loads(opened)
                facts = RowFacts(region=values.get(REGION, ""), assigned=asked.assigned, elements=values)
                visible = seen.elements_of(facts)
                if not visible:
                    continue
                shown.append(DeliveredRow(row.key_index, row.agreement_id, seen.show(facts, values), row.as_of))
                looks.append(
                    LookEntry(
                        actor=actor,
                        purpose=purpose,
                        case_id=asked.case_id,
                        subject_index=row.subject_index,
                        elements=tuple(name for name in visible if name in values),
                        decision=seen.decision(facts),
                        what=asked.resource,
                    )
                )
            self._looks.record_all(connection, looks)
        return shown


def _statement(asked: RowQuestion, key_indexes: Mapping[int, str]) -> sa.Select[tuple[object, ...]]:
    rows, holding = records.delivered_row, records.holding
    wanted = [
        sa.and_(rows.c.holding == number, rows.c.key_index == index) if index else rows.c.holding == number
        for number, index in key_indexes.items()
    ]
    statement = (
        sa.select(
            rows.c.holding,
            rows.c.key_index,
            rows.c.subject_index,
            rows.c.content,
            holding.c.agreement_id,
            holding.c.as_of,
        )
        .join(holding, holding.c.number == rows.c.holding)
        .where(
            sa.or_(sa.false(), *wanted),
            rows.c.since <= holding.c.generation,
            sa.or_(rows.c.until.is_(None), rows.c.until > holding.c.generation),
            rows.c.recalled_at.is_(None),
            rows.c.key_index > asked.after,
        )
        .order_by(rows.c.key_index)
        .limit(asked.limit)
    )
    return statement.where(rows.c.subject_index == asked.subject_index) if asked.subject_index else statement
