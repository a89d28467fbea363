"""What came of a roll: columns as they came, read person by person only when somebody asks."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from huodang.exchange.answers import AnswerRecord, Failure, FailureCode
from huodang.exchange.calls.messages import LARGEST_BATCH, PAGE_LINES, AnsweredPage, AskedPage
from huodang.exchange.gateway.refusals import Refused
from huodang.exchange.values import Outcome
from huodang.store import parse_instant


@dataclass(frozen=True)
class Piece:
    """One batch of a roll as it was recorded.

    Attributes:
        entry_id: the ledger's entry of its verdict.
        failure: why there is none; it holds for everybody in the batch.
    """

    batch_id: str
    asked: tuple[AskedPage, ...]
    answered: tuple[AnsweredPage, ...]
    entry_id: str = ""
    failure: Failure | None = None


@dataclass(frozen=True)
class BatchResult(Sequence[AnswerRecord]):
    """The answers about a roll, in its order; each as if it had been asked alone.

    Attributes:
        pieces: the batches.
        where: for each person of the roll, the line over all batches; -1 for a number that is none.
    """

    resource: str
    pieces: tuple[Piece, ...]
    where: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.where)

    def __getitem__(self, position):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204  (as Sequence has it)
        if isinstance(position, slice):
            return [self._record(line) for line in self.where[position]]
        return self._record(self.where[position])

    def __iter__(self) -> Iterator[AnswerRecord]:
        return map(self._record, self.where)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Why batches brought nothing, a failure for each that failed; try again if they are retryable."""
        return tuple(piece.failure for piece in self.pieces if piece.failure is not None)

    def counts(self) -> dict[Outcome, int]:
        """Count the persons by outcome, unanswered ones as unknown."""
        lines = Counter(self.where)
        counted: Counter[str] = Counter()
        if len(lines) == len(self.where) and -1 not in lines:
            for piece in self.pieces:
                if piece.failure is not None:
                    counted[Outcome.UNKNOWN] += sum(len(page.subjects) for page in piece.asked)
                for page in piece.answered:
                    counted.update(page.outcomes)
        else:
            counted.update(record.outcome for record in self)
        refused = counted.pop(Outcome.REFUSED.value, 0)
        if refused:
            counted[Outcome.UNKNOWN] += refused
        return {Outcome(outcome): number for outcome, number in counted.items()}

    def _record(self, line: int) -> AnswerRecord:
        if line < 0:
            return _unanswered("", self.resource, Failure.of(FailureCode.SUBJECT_INVALID))
        number, at = divmod(line, LARGEST_BATCH)
        piece = self.pieces[number]
        if piece.failure is not None:
            return _unanswered(piece.batch_id, self.resource, piece.failure)
        page = piece.answered[at // PAGE_LINES]
        at %= PAGE_LINES
        if page.outcomes[at] == Outcome.REFUSED.value:
            chinese, english = Refused(page.reasons[at]).sentences()
            failure = Failure(FailureCode.REFUSED, page.reasons[at], chinese, english)
            return _unanswered(piece.batch_id, self.resource, failure)
        return AnswerRecord(
            grant_id=piece.batch_id,
            resource=self.resource,
            outcome=Outcome(page.outcomes[at]),
            reason=page.reasons[at],
            answered=True,
            as_of=parse_instant(page.as_of[at]),
            fields={name: cell for name, column in page.fields.items() if (cell := column[at]) is not None},
            entry_id=piece.entry_id,
        )


def _unanswered(batch_id: str, resource: str, failure: Failure) -> AnswerRecord:
    return AnswerRecord(batch_id, resource, Outcome.UNKNOWN, failure.code, answered=False, failure=failure)
