"""How rows become an outcome: pure. The first outcome whose condition any row fulfils decides, else `otherwise`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import msgspec

from huodang.exchange.gateway.conditions import Condition, Facts
from huodang.exchange.gateway.conversion import MISSING, CellFault, ElementSource, Row
from huodang.exchange.values import Outcome


@dataclass(frozen=True)
class Answer:
    """An outcome with its reason code, as the gateway's file declares it."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class OutcomeRule:
    """An answer and the condition under which it is given."""

    answer: Answer
    condition: Condition


class Finding(msgspec.Struct, frozen=True, gc=False):
    """What a source says about one question.

    Attributes:
        values: standard values of the deciding row, from which fields are taken; empty if no row decided.
        row: the deciding row, for its as-of time; None if none did.
    """

    answer: Answer
    values: Mapping[str, str | None]
    row: Row | None = None


@dataclass(frozen=True)
class AnswerRules:
    """The rules of one resource; see `docs/gateway.md`."""

    elements: tuple[ElementSource, ...]
    outcomes: tuple[OutcomeRule, ...]
    otherwise: Answer
    no_row: Answer
    several_rows: Answer | None = None
    required: frozenset[str] = frozenset()

    @cached_property
    def _readers(self) -> Callable[[frozenset[str]], tuple[tuple[str, Callable[[Row], str | None]], ...]]:
        """Pick the elements that are wanted; once for each selection, which is the same for all of a batch."""
        named = tuple((source.element.identifier, source.reader) for source in self.elements)
        return lru_cache(maxsize=64)(lambda wanted: tuple(pair for pair in named if pair[0] in wanted))

    def decide(
        self, rows: Sequence[Row], claims: Mapping[str, str], parameters: Mapping[str, str], wanted: frozenset[str]
    ) -> Finding:
        """Decide over all rows of one person.

        A cell that can't be read makes the whole answer unknown: what can't be read may be the hit.

        Args:
            rows: the person's rows.
            claims: what the asker says.
            parameters: what the question needs beyond the person.
            wanted: the elements to read; the others are left alone.

        Raises:
            QuestionFault: a parameter can't be compared.
        """
        if not rows:
            return Finding(self.no_row, {})
        try:
            readers = self._readers(wanted)
            read = [{name: reader(row) for name, reader in readers} for row in rows]
        except CellFault as fault:
            return Finding(Answer(Outcome.UNKNOWN, fault.reason), {})
        facts = [Facts(values, claims, parameters) for values in read]
        if self.several_rows is not None and len(rows) > 1:
            return Finding(self.several_rows, {})
        if self.required:
            for row, values in zip(rows, read, strict=True):
                if None in map(values.__getitem__, self.required):
                    return Finding(Answer(Outcome.UNKNOWN, MISSING), {}, row)
        for rule in self.outcomes:
            holds = rule.condition.holds
            for row, fact in zip(rows, facts, strict=True):
                if holds(fact):
                    return Finding(rule.answer, fact.values, row)
        return Finding(self.otherwise, facts[0].values, rows[0])
