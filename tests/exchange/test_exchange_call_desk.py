"""Single questions from many threads: each gets its own answer, and those that wait travel together."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from exchange_hub import agree, question
from exchange_province import LI, WANG, HubMaker, Province, serving

from huodang.exchange import Answer, CallDesk, Exchange, Gateway, Outcome, PreparedGrant, gateway_application, records
from huodang.store import Database


@pytest.fixture
def exchange(police: Gateway, make_hub: HubMaker, database: Database, province: Province) -> Iterator[Exchange]:
    with serving(gateway_application(police), province.tls("police")) as url:
        made = make_hub({"police": url})
        agree(made, database, province)
        yield made
        made._directory.close()  # a kept connection would be waited for


def test_every_one_of_many_askers_gets_the_answer_to_their_own_question(exchange: Exchange, database: Database) -> None:
    desk = CallDesk(exchange)
    asked = [question(WANG, "王建国"), question(LI, "不是此名"), question("130102196502301234")] * 10
    with ThreadPoolExecutor(12) as together:
        found = list(together.map(desk.ask, asked))
    kinds = [(one.outcome, one.reason) for one in found]
    assert kinds == kinds[:3] * 10
    assert kinds[0] == (Outcome.CLEAR, "matches")
    assert kinds[1][0] is Outcome.CONFLICT
    assert kinds[2] == (Outcome.UNKNOWN, "subject_invalid")
    with database.read() as connection:
        grants = connection.execute(sa.select(sa.func.count()).select_from(records.grant)).scalar_one()
    assert grants == 20  # one for each valid question, however they travelled


def test_those_who_wait_travel_in_one_round(
    exchange: Exchange, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = CallDesk(exchange, rounds=1)
    gate, sizes, real = threading.Event(), list[int](), exchange.ask

    def slow(provider: str, prepared: Sequence[PreparedGrant]) -> list[Answer]:
        sizes.append(len(prepared))
        assert gate.wait(20)
        return real(provider, prepared)

    monkeypatch.setattr(exchange, "ask", slow)
    with ThreadPoolExecutor(9) as together:
        first = together.submit(desk.ask, question())
        while not sizes:
            pass
        others = [together.submit(desk.ask, question()) for _ in range(8)]
        while len(desk._counter("police").queue) < 8:
            pass
        gate.set()
        assert {one.result(20).outcome for one in [first, *others]} == {Outcome.CLEAR}
    assert sizes == [1, 8]


def test_what_goes_wrong_with_a_round_reaches_every_asker_and_the_next_round_goes_on(
    exchange: Exchange, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = CallDesk(exchange)

    def full(provider: str, prepared: Sequence[PreparedGrant]) -> list[Answer]:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(exchange, "ask", full)
        with pytest.raises(OSError, match="disk full"):
            desk.ask(question())
    assert desk.ask(question()).outcome is Outcome.CLEAR


def test_a_department_that_is_down_is_an_answer(exchange: Exchange, database: Database) -> None:
    found = CallDesk(exchange).ask(question(resource="health.death"))
    assert (found.outcome, found.answered) == (Outcome.UNKNOWN, False)
