"""Single questions of many threads, carried together: those that wait share a transaction, a request and a signature.

A clerk's page asks one question and waits. Its cost is mostly a durable commit, a request and a signature, and these
are the same for one question as for fifty. So whoever comes while others are on their way goes with the next round.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from huodang.exchange.answers import AnswerRecord
from huodang.exchange.questions import Question
from huodang.exchange.service import LARGEST_BATCH, Exchange
from huodang.store import Database


@dataclass
class _Waiting:
    """A question whose asker waits; `taken` once it is on its way."""

    question: Question
    taken: bool = False
    answer: AnswerRecord | None = None
    problem: BaseException | None = None


@dataclass
class _Counter:
    """Where the questions to one department queue up; a slow department holds up nobody at another's counter."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    queue: list[_Waiting] = field(default_factory=list)
    rounds: int = 0


class CallDesk:
    """Asks one question for each caller, from any number of threads.

    Args:
        exchange: who asks.
        database: the hub's.
        rounds: how many rounds to one department may be on their way at once; while one waits for the department, the
            next is written.
    """

    def __init__(self, exchange: Exchange, database: Database, *, rounds: int = 2) -> None:
        self._exchange = exchange
        self._database = database
        self._rounds = rounds
        self._lock = threading.Lock()
        self._counters: dict[str, _Counter] = {}

    def ask(self, question: Question) -> AnswerRecord:
        """Ask, and wait for the recorded answer; a failure is an answer, too.

        Raises:
            HuodangError: the hub's database can't take grant or answer; what was asked with it fails alike.
        """
        counter = self._counter(question.resource.partition(".")[0])
        mine = _Waiting(question)
        with counter.changed:
            counter.queue.append(mine)
        while True:
            with counter.changed:
                while mine.answer is None and mine.problem is None and (mine.taken or counter.rounds >= self._rounds):
                    counter.changed.wait()
                if mine.problem is not None:
                    raise mine.problem
                if mine.answer is not None:
                    return mine.answer
                together = counter.queue[:LARGEST_BATCH]
                del counter.queue[:LARGEST_BATCH]
                for one in together:
                    one.taken = True
                counter.rounds += 1
            try:
                self._carry(together)
            except BaseException as problem:  # noqa: BLE001  (each asker gets it; nobody may be left waiting)
                for one in together:
                    one.problem = problem
            finally:
                with counter.changed:
                    counter.rounds -= 1
                    counter.changed.notify_all()

    def _counter(self, provider: str) -> _Counter:
        with self._lock:
            return self._counters.setdefault(provider, _Counter())

    def _carry(self, together: Sequence[_Waiting]) -> None:
        """Take a round of questions, all to one department, from grant to recorded answer."""
        with self._database.begin() as connection:
            prepared = self._exchange.prepare(connection, [one.question for one in together])
        provider = next((one.provider for one in prepared if one.failure is None), "")
        answers = self._exchange.ask(provider, prepared)
        with self._database.begin() as connection:
            records = self._exchange.record_all(connection, answers)
        for one, record in zip(together, records, strict=True):
            one.answer = record
