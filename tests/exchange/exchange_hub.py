"""The hub's side of the exchange's tests: questions and the whole walk of a call."""

from typing import Any

from exchange_province import SYSTEM, WANG, Province

from huodang.exchange import AnswerRecord, Exchange, Question
from huodang.store import Database


def question(subject: str = WANG, name: str = "王建国", **changes: Any) -> Question:
    parts: dict[str, Any] = {
        "resource": "police.household",
        "case_id": "case-1",
        "identity_number": subject,
        "claims": {"name": name},
        "parameters": {},
        "purpose": "retirement",
        "actor": SYSTEM,
    }
    return Question(**{**parts, **changes})


def agree(exchange: Exchange, database: Database, province: Province, resource: str = "police.household") -> None:
    with database.begin() as connection:
        exchange.agreements.take(connection, province.signed(province.agreement(resource)))


def call(exchange: Exchange, database: Database, *questions: Question) -> list[AnswerRecord]:
    """The whole walk: prepare in one transaction, ask, record in another."""
    with database.begin() as connection:
        prepared = exchange.prepare(connection, questions or [question()])
    answers = exchange.ask("police", prepared)
    with database.begin() as connection:
        return exchange.record_all(connection, answers)
