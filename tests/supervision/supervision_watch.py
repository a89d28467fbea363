"""What the tests of the watch share: made-up people, a clock that stands, and a hub's supervision of real parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from huodang.archive import PaymentRecords
from huodang.exchange import Change, Looks, ReceivedEvent
from huodang.ledger import Ledger
from huodang.standards import IdentityNumber, Month
from huodang.store import Clock, Database, FixedClock
from huodang.supervision.clues import ClueDesk
from huodang.supervision.control import PaymentControl
from huodang.supervision.timeline import Timeline
from huodang.supervision.watch import Parts, Payees, PayLine, Watch
from huodang.trust import FieldSealer, Signer

CLOCK = FixedClock(datetime(2025, 3, 3, 1, 0, tzinfo=UTC))
SUITES = ("national", "international")


def identity_of(serial: int) -> str:
    """A valid made-up identity number, another for each serial number."""
    seventeen = f"1301021940{serial // 1000 % 12 + 1:02d}01{serial % 1000:03d}"
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    check = "10X98765432"[sum(int(d) * w for d, w in zip(seventeen, weights, strict=True)) % 11]
    return IdentityNumber.parse(seventeen + check).text


def sealer_in(folder: Path) -> FieldSealer:
    """The sealer whose secret lies in a folder."""
    return FieldSealer.create(folder)


def pay_lines(people: Mapping[int, int], scheme: str = "110") -> list[PayLine]:
    """A month's list: serial numbers of people, and their fen."""
    return [PayLine(identity_of(who), scheme, fen, "130102", f"62220000{who}") for who, fen in people.items()]


@dataclass
class Hub:
    """Supervision on one database, of real parts."""

    database: Database
    clock: Clock
    sealer: FieldSealer
    ledger: Ledger
    looks: Looks
    payments: PaymentRecords
    payees: Payees
    clues: ClueDesk
    control: PaymentControl
    timeline: Timeline
    watch: Watch

    def take(self, event: ReceivedEvent) -> None:
        """Hand an event over, in a transaction of its own."""
        with self.database.begin() as connection:
            self.watch.take(connection, event)

    def load(self, people: Mapping[int, int], month: Month, scheme: str = "110") -> None:
        self.payees.load(pay_lines(people, scheme), month, payer=scheme)

    def index(self, serial: int) -> str:
        return self.payees.person_index(identity_of(serial))

    def state(self, serial: int, scheme: str = "110") -> str:
        with self.database.read() as connection:
            return self.control.state(connection, self.index(serial), scheme)


def make_hub(
    database: Database, folder: Path, clock: Clock, events: Any = None, sealer: FieldSealer | None = None
) -> Hub:
    """Put a hub's supervision together as the assembly does."""
    sealer = sealer or sealer_in(folder)
    ledger = Ledger(database, tuple(Signer.generate("hub", one) for one in SUITES), "test.example", clock)
    looks = Looks(database, ledger, clock)
    payments = PaymentRecords(database, ledger, sealer, clock)
    payees = Payees(database, sealer, clock)
    clues = ClueDesk(database, ledger, sealer, looks, clock, region="130000")
    control = PaymentControl(database, ledger, sealer, clock, payments, clues, looks)
    timeline = Timeline(database, sealer, ledger, clock)
    watch = Watch(database, events, Parts(payees, payments, clues, control, timeline, looks), clock)
    watch.start()
    return Hub(database, clock, sealer, ledger, looks, payments, payees, clues, control, timeline, watch)


def event_of(
    number: int,
    serial: int,
    *,
    department: str = "health",
    kind: str = "death",
    change: Change = Change.CREATED,
    row: str = "",
    noticed: datetime | None = None,
    received: datetime | None = None,
    type_: str = "",
    **data: str,
) -> ReceivedEvent:
    """An event as the hub hands it on; what it says of a death is 20 January 2025 unless told."""
    types = {
        "death": ("death_registered", "cn.huodang.death.registered"),
        "custody": ("custody_changed", "cn.huodang.custody.begun"),
        "moved": ("moved", "cn.huodang.household.moved"),
        "enrolled": ("enrolled_elsewhere", "cn.huodang.insurance.enrolled_elsewhere"),
    }
    resource, given = types[kind]
    said = {"identity_number": identity_of(serial), "name": "王某"}
    said |= {"death_date": "2025-01-20"} if kind == "death" and "death_date" not in data else {}
    at = noticed or CLOCK.now()
    return ReceivedEvent(
        number=number,
        event_id=f"{department}:{number}",
        resource=f"{department}.{resource}",
        provider=department,
        sequence=number,
        type=type_ or given,
        change=change,
        person=f"p{serial}",
        row=row or f"{department}-{serial}",
        noticed_at=at,
        received_at=received or at,
        data={**said, **data},
    )


def day(text: str) -> date:
    """Read a day."""
    return date.fromisoformat(text)
