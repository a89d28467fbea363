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


@dataclass(eq=False)
class _Waiting:
    """A question whose asker sleeps until it is answered, or until it is the asker's turn to carry a round."""

    question: Question
    woken: threading.Event = field(default_factory=threading.Event)
    answer: AnswerRecord | None = None
    problem: BaseException | None = None

    @property
    def settled(self) -> bool:
        """There is an answer, or a reason why there is none."""
        return self.answer is not None or self.problem is not None


@dataclass
class _Counter:
    """Where the questions to one department queue up; a slow department holds up nobody at another's counter."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    queue: list[_Waiting] = field(default_factory=list)
    rounds: int = 0


class CallDesk:
    """Asks one question for each caller, from any number of threads.

    Args:
        exchange: who asks.
        rounds: how many rounds to one department may be on their way at once; while one waits for the department, the
            next is written.
    """

    def __init__(self, exchange: Exchange, *, rounds: int = 2) -> None:
        self._exchange = exchange
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
        with counter.lock:
            counter.queue.append(mine)
        while not mine.settled:
            together = self._next_round(counter)
            if together:
                self._carry(together)
                self._come_back(counter, together)
            else:
                # Woken by the answer, or because a round came back and this asker may carry the next one.
                mine.woken.wait()
                mine.woken.clear()
        if mine.problem is not None:
            raise mine.problem
        assert mine.answer is not None  # noqa: S101  (settled without a problem)
        return mine.answer

    def _next_round(self, counter: _Counter) -> list[_Waiting]:
        """Take what waits, if another round may be on its way."""
        with counter.lock:
            if counter.rounds >= self._rounds:
                return []
            together = counter.queue[:LARGEST_BATCH]
            del counter.queue[:LARGEST_BATCH]
            counter.rounds += bool(together)
            return together

    def _come_back(self, counter: _Counter, together: Sequence[_Waiting]) -> None:
        """End a round: wake who is answered, and one of those who wait; all at once would stand in each other's way."""
        with counter.lock:
            counter.rounds -= 1
            following = counter.queue[:1]
        for one in (*together, *following):
            one.woken.set()

    def _counter(self, provider: str) -> _Counter:
        with self._lock:
            return self._counters.setdefault(provider, _Counter())

    def _carry(self, together: Sequence[_Waiting]) -> None:
        """Take a round of questions, all to one department, from grant to recorded answer."""
        try:
            answers = self._exchange.call([one.question for one in together])
        except BaseException as problem:  # noqa: BLE001  (each asker gets it; nobody may be left waiting)
            for one in together:
                one.problem = problem
        else:
            for one, answer in zip(together, answers, strict=True):
                one.answer = answer
