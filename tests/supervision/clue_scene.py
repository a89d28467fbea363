"""An agency's clue desk and payment control over a real database, ledger and sealer, and the people who work there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from huodang.archive import PaymentRecords
from huodang.exchange import Actor, Looks
from huodang.ledger import Ledger
from huodang.simulation.identity_numbers import NumberMaker
from huodang.standards import Month
from huodang.store import Database, FixedClock, Worker
from huodang.supervision.clues import ClueDesk, Finding, Signal, Stance
from huodang.supervision.control import PaymentControl
from huodang.supervision.control.paylists import Paylists
from huodang.trust import FieldSealer, Signer, sha256

SIGNERS = (Signer.generate("hub", "national"), Signer.generate("hub", "international"))
LI = Actor("li", "稽核员李", "investigator", "social_insurance", "130000")
ZHOU = Actor("zhou", "稽核员周", "investigator", "social_insurance", "130000")
WANG = Actor("wang", "复核员王", "reviewer", "social_insurance", "130000")
ZHAO = Actor("zhao", "复核员赵", "reviewer", "social_insurance", "130000")
LEADER = Actor("leader", "联席会议", "leader", "office")
POLICE = Actor("police-1", "公安校核员", "corrector", "police")
HEALTH = Actor("health-1", "卫健校核员", "corrector", "health")
WINDOW = Actor("window-1", "窗口", "window_clerk", "social_insurance", "130000")
ELSEWHERE = Actor("sun", "外省稽核员", "investigator", "social_insurance", "140000")

_MAKER = NumberMaker(np.random.default_rng(5))
NUMBERS = tuple(_MAKER.make("130102", date(1950, 1 + at % 12, 1 + at % 28), "12"[at % 2]) for at in range(60))
SCHEME = "110"


def signal(register: str = "health", kind: str = "death", **more: Any) -> Signal:
    """What a register says; the same words have the same digest."""
    told: dict[str, Any] = {"confirmed": False, "fuzzy": False, "stance": Stance.FOR, "copy_of": "", **more}
    fact = told.pop("fact", {"death_date": "2025-02-10"} if kind == "death" else {})
    mark = told.pop("mark", "")
    digest = sha256(f"{register}:{kind}:{mark}".encode()).hex()
    known_at = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
    return Signal(
        register, kind, fact, digest, told["confirmed"], told["fuzzy"], known_at, told["stance"], told["copy_of"]
    )


def finding(
    *signals: Signal,
    number: str = NUMBERS[0],
    rule: str = "paid_after_death",
    scheme: str = SCHEME,
    months: Sequence[Month] = (Month(2025, 3),),
    fen: int = 300_000,
    run_id: str = "run-1",
    evidence: bytes = b'{"rule":"paid_after_death","name":"\\u674e\\u5efa\\u56fd","secret":"x"}',
) -> Finding:
    """A finding about somebody."""
    return Finding(rule, number, scheme, tuple(months), fen, signals or (signal(),), run_id, evidence, "130102")


@dataclass
class Agency:
    """One agency at work."""

    database: Database
    clock: FixedClock
    sealer: FieldSealer
    ledger: Ledger
    looks: Looks
    payments: PaymentRecords
    clues: ClueDesk
    control: PaymentControl
    paylists: Paylists

    @classmethod
    def open(cls, database: Database, clock: FixedClock, folder: Path) -> "Agency":
        sealer = FieldSealer.create(folder / "keys")
        ledger = Ledger(database, SIGNERS, "test.example/huodang", clock)
        looks = Looks(database, ledger, clock)
        payments = PaymentRecords(database, ledger, sealer, clock)
        clues = ClueDesk(database, ledger, sealer, looks, clock, region="130000")
        control = PaymentControl(database, ledger, sealer, clock, payments, clues, looks)
        paylists = Paylists(database, ledger, sealer, clock)
        return cls(database, clock, sealer, ledger, looks, payments, clues, control, paylists)

    def found(self, *signals: Signal, **more: Any) -> str:
        with self.database.begin() as connection:
            return self.clues.open(connection, finding(*signals, **more))

    def state(self, number: str = NUMBERS[0], scheme: str = SCHEME) -> str:
        with self.database.read() as connection:
            return self.control.state(connection, self.index(number), scheme)

    def index(self, number: str = NUMBERS[0]) -> str:
        return self.sealer.blind_index("identity_number", number)

    def on(self, day: str) -> None:
        """Make it nine in the morning of a day, and let the platform do what fell due."""
        year, month, number = map(int, day.split("-"))
        self.clock.set(datetime(year, month, number, 1, 0, tzinfo=UTC))
        self.work()

    def work(self) -> None:
        worker = Worker(self.database, {**self.clues.handlers(), **self.control.handlers()}, self.clock)
        while worker.run_once():
            pass

    def notices(self, number: str = NUMBERS[0]) -> list[str]:
        """The kinds of letters written to a person, the first one first."""
        with self.database.read() as connection:
            told = self.control.notices.of_person(connection, self.index(number))
        return [one.kind for one in reversed(told)]

    def confirm(self, clue_id: str, fact_from: str = "2025-02-10") -> None:
        """Two people confirm a clue."""
        self.clues.move(LI, clue_id, "take")
        law = {"law": "社会保险经办条例第八条", "fact_from": fact_from}
        self.clues.move(LI, clue_id, "confirm", note="死亡证明已核对", data=law)
        self.clues.move(WANG, clue_id, "approve")
