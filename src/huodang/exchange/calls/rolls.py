"""Rolls (名册): many persons and one question about each, and how they become the lines of a batch."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from huodang.exchange.calls.messages import SALT_BYTES, AskedPage
from huodang.exchange.calls.numbers import numbers
from huodang.exchange.decisions import Actor
from huodang.exchange.questions import Question

Line = tuple[str | None, ...]
"""One person to be asked about: the number, then the claims in the roll's order."""


@dataclass(frozen=True)
class Roll:
    """Many persons and one question about each (名册).

    Attributes:
        resource: `department.what`, a check.
        case_id: the case or matter that all belong to.
        subjects: identity numbers; one that is none, or a gateway refuses, concerns itself alone.
        claims: what is said of each person, a column an element as long as the subjects; None says nothing.
        parameters: what the question needs beyond the person, the same for all.
        purpose, actor, elements, fields, owner, employer, region, assigned: as in Question.
    """

    resource: str
    case_id: str
    subjects: Sequence[str]
    purpose: str
    actor: Actor
    claims: Mapping[str, Sequence[str | None]]
    parameters: Mapping[str, str]
    elements: tuple[str, ...] | None = None
    fields: tuple[str, ...] | None = None
    owner: str = ""
    employer: str = ""
    region: str = ""
    assigned: bool = False

    def question(self) -> Question:
        """Give the question without the persons: what agreement and policy are looked up for."""
        return Question(
            resource=self.resource,
            case_id=self.case_id,
            identity_number="",
            claims={},
            parameters=self.parameters,
            purpose=self.purpose,
            actor=self.actor,
            elements=self.elements,
            fields=self.fields,
            owner=self.owner,
            employer=self.employer,
            region=self.region,
            assigned=self.assigned,
        )


def lines_of(roll: Roll) -> tuple[list[Line], list[int]]:
    """Give the lines to be asked, each once, and for every person of the roll the line; -1 for who can't be asked."""
    texts = numbers(roll.subjects)
    columns = list(roll.claims.values())
    rows: Iterable[tuple[str | None, ...]] = zip(*columns, strict=True) if columns else ((),) * len(texts)
    places: dict[Line, int] = {}
    where = [
        -1 if number is None else places.setdefault((number, *claims), len(places))
        for number, claims in zip(texts, rows, strict=True)
    ]
    return list(places), where


def page_of(lines: Sequence[Line], claims: Sequence[str]) -> AskedPage:
    """Put some lines on a page, each with a salt of its own."""
    subjects, *columns = zip(*lines, strict=True)
    return AskedPage(
        salts=os.urandom(SALT_BYTES * len(lines)).hex(),
        subjects=subjects,
        claims=dict(zip(claims, columns, strict=True)),
    )
