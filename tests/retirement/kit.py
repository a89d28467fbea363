"""A retirement office with everything real but the departments, and people of both sides."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from stand_in import DEPARTMENTS, SUITE, Departments, StandInClient

from huodang.archive import PaymentRecords, Volumes
from huodang.exchange import Actor, Exchange, GatewayDirectory, Looks
from huodang.ledger import Ledger
from huodang.retirement import ApplicationForm, CaseView, Event, RetirementOffice, RetirementSettings
from huodang.standards import add_working_days
from huodang.store import SHANGHAI, Database, FixedClock, Worker
from huodang.trust import FieldSealer, TrustedKeys

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(born: str = "19650115", order: int = 13, region: str = "130102") -> str:
    """Make a synthetic identity number; an odd order is a man's, an even one a woman's."""
    body = f"{region}{born}{order:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def form_values(**changes: Any) -> dict[str, Any]:
    """A whole form of a man born in January 1965, who reaches his age in February 2025."""
    return {
        "identity_number": number(),
        "name": "张建国",
        "phone": "13800001111",
        "bank_account": "6222020200011112222",
        "bank_name": "河北银行",
        "category": "male",
        "employer": "冀中机械厂",
        "declaration": True,
        **changes,
    }


def form(**changes: Any) -> ApplicationForm:
    """The same, parsed."""
    return ApplicationForm.parse(form_values(**changes))


CLERK = Actor("clerk1", "王窗口", "window_clerk", "social_insurance", "130100")
OTHER_CLERK = Actor("clerk2", "李窗口", "window_clerk", "social_insurance", "130100")
REVIEWER = Actor("reviewer1", "赵复核", "reviewer", "social_insurance", "130000")
OTHER_REVIEWER = Actor("reviewer2", "钱复核", "reviewer", "social_insurance", "130000")
EMPLOYER = Actor("e1clerk", "孙经办", "employer_clerk", "", "130100", employer="E1")
AUDITOR = Actor("auditor1", "周审计", "auditor", "", "130000")
LEADER = Actor("leader1", "吴领导", "leader", "", "130000")
FAR_CLERK = Actor("clerk9", "郑窗口", "window_clerk", "social_insurance", "130200")


class Kit:
    """The office, its departments, its clock, and the shortest ways to move a case."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        clock: FixedClock,
        settings: RetirementSettings | None = None,
        **worker: Any,
    ) -> None:
        self.database = database
        self.clock = clock
        self.folder = folder
        self.departments = Departments(folder, clock)
        self.trusted = TrustedKeys(tuple(signer.public for signer in self.departments.signers.values()))
        self.sealer = FieldSealer.create(folder, SUITE)
        hub = self.departments.signers["hub"]
        self.ledger = Ledger(database, (hub,), "test.example/huodang", clock)
        directory = GatewayDirectory(
            {name: StandInClient(name, self.departments) for name in DEPARTMENTS}, remember_seconds=0.0
        )
        self.exchange = Exchange(database, self.ledger, hub, self.trusted, directory, self.sealer, clock)
        self.looks = Looks(database, self.ledger, clock)
        self.payments = PaymentRecords(database, self.ledger, self.sealer, clock)
        self.volumes = Volumes(database, self.sealer, self.ledger, clock, folder / "volumes")
        self.settings = settings or RetirementSettings(region="130100", check_attempts=3, item_attempts=3)
        self.office = RetirementOffice(
            database,
            self.exchange,
            self.ledger,
            self.volumes,
            self.payments,
            self.sealer,
            self.looks,
            clock,
            self.settings,
        )
        self.worker = Worker(database, self.office.handlers(), clock, **worker)

    def sign_agreements(self) -> None:
        """Bring every agreement into force."""
        with self.database.begin() as connection:
            for envelope in self.departments.agreements():
                self.exchange.agreements.take(connection, envelope)

    def run(self) -> None:
        """Run the jobs that are due now until none is left."""
        for _ in range(60):
            if self.worker.run_once() == 0:
                return
        raise AssertionError("the jobs don't come to an end")

    def wait(self, **how_long: float) -> None:
        """Let time go by, then run what has fallen due."""
        self.clock.advance(timedelta(**how_long))
        self.run()

    def retry_until_given_up(self) -> None:
        """Let all retries of an unanswered question run out."""
        for _ in range(4):
            self.wait(minutes=10)

    def working_days(self, days: int) -> None:
        """Let working days go by, to nine in the morning of the last."""
        day: date = add_working_days(self.clock.today(), days).day
        self.clock.set(datetime.combine(day, time(9), SHANGHAI))
        self.run()

    def submit(self, actor: Actor = CLERK, **changes: Any) -> str:
        """Submit a form and run the checks."""
        case_id = self.office.submit(actor, form(**changes))
        self.run()
        return case_id

    def act(
        self, actor: Actor, case_id: str, event: Event | str, note: str = "", data: Mapping[str, Any] | None = None
    ) -> CaseView:
        """Cause an event and run what follows; give the case as it is then."""
        self.office.act(actor, case_id, event, note=note, data=data)
        self.run()
        return self.view(case_id)

    def view(self, case_id: str, actor: Actor = REVIEWER) -> CaseView:
        """Look at a case."""
        return self.office.view(actor, case_id)

    def state(self, case_id: str) -> str:
        """Where a case stands."""
        return self.view(case_id).state.value

    def reviewed(self, case_id: str) -> CaseView:
        """Pass both reviews, by different people, and run what follows."""
        self.act(OTHER_CLERK, case_id, Event.WINDOW_PASS)
        return self.act(REVIEWER, case_id, Event.FILING_PASS)

    def citizen(self, **changes: Any) -> Actor:
        """The person, signed in at the portal."""
        whole = form(**changes)
        return replace(self.office.citizen(whole.identity_number, whole.name))

    def codes(self, case_id: str) -> list[str]:
        """The reasons for which a case waits."""
        return [reason.code for reason in self.view(case_id).reasons]

    def notes(self, case_id: str) -> list[str]:
        """What is noted of a case."""
        return [note.code for note in self.view(case_id).notes]
