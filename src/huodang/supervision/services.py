"""Where the parts of supervision are put together for a hub: rooms below in, services out."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from huodang.archive import PaymentRecords
from huodang.exchange import EventOffice, Looks
from huodang.ledger import Ledger
from huodang.store import Clock, Database, Handler
from huodang.supervision.certification import Certifications, Suspicion, finding_of
from huodang.supervision.clues import ClueDesk
from huodang.supervision.control import PaymentControl
from huodang.supervision.control.paylists import Paylists
from huodang.supervision.recovery import ClawBacks, Recoveries, RecoveryOpener, recorded_payments
from huodang.supervision.timeline import Timeline
from huodang.supervision.watch import Confirmation, Parts, PayeeDesk, Payees, Watch
from huodang.trust import FieldSealer, Signer

_EMPLOYEES: Final = "110"
"""企业职工基本养老保险: the scheme of a suspicion about somebody whose payments the store doesn't hold yet."""


@dataclass(frozen=True)
class SupervisionServices:
    """The services of supervision of one hub.

    Attributes:
        payees: the store of who is paid; `payee_desk` answers people out of it, decided and recorded.
        watch: takes the departments' events; subscribed when it is built.
        confirmation: holds a full check against what the events had told.
        certifications: who is certified, by what; what it can't settle becomes a clue.
    """

    clues: ClueDesk
    control: PaymentControl
    paylists: Paylists
    timeline: Timeline
    recoveries: Recoveries
    claw_backs: ClawBacks
    payees: Payees
    payee_desk: PayeeDesk
    watch: Watch
    confirmation: Confirmation
    certifications: Certifications

    def handlers(self) -> dict[str, Handler]:
        """The jobs of every part, by kind."""
        parts = (self.clues, self.control, self.recoveries, self.certifications)
        return {kind: handler for part in parts for kind, handler in part.handlers().items()}


def build_supervision(
    database: Database,
    *,
    ledger: Ledger,
    sealer: FieldSealer,
    looks: Looks,
    clock: Clock,
    signer: Signer,
    payments: PaymentRecords,
    events: EventOffice,
    region: str,
) -> SupervisionServices:
    """Wire every part; what follows from a clue's outcome is registered here, and nowhere else.

    The watch subscribes to `events`, which must not have started; `region` is the agency's, six digits.
    """
    clues = ClueDesk(database, ledger, sealer, looks, clock, region=region)
    control = PaymentControl(database, ledger, sealer, clock, payments, clues, looks)
    timeline = Timeline(database, sealer, ledger, clock, signer)
    recoveries = Recoveries(database, ledger, sealer, looks, clock)
    clues.on_outcome("recovery", RecoveryOpener(recoveries, timeline, recorded_payments(payments)).on_outcome)
    payees = Payees(database, sealer, clock)
    watch = Watch(database, events, Parts(payees, payments, clues, control, timeline, looks), clock)
    watch.start()

    def suspect(connection: Connection, suspicion: Suspicion) -> None:
        person = payees.person_index(suspicion.identity_number.text)
        scheme = next((one.scheme for one in payees.paid(connection, person)), _EMPLOYEES)
        clues.open(connection, finding_of(suspicion, scheme))

    certifications = Certifications(database, ledger, sealer, looks, clock, suspect=suspect)
    clues.on_outcome("certification", certifications.on_outcome)
    return SupervisionServices(
        clues=clues,
        control=control,
        paylists=Paylists(database, ledger, sealer, clock),
        timeline=timeline,
        recoveries=recoveries,
        claw_backs=ClawBacks(database, recoveries, ledger, sealer, looks, clock),
        payees=payees,
        payee_desk=PayeeDesk(database, payees, payments, looks),
        watch=watch,
        confirmation=Confirmation(database, payees, clues, clock),
        certifications=certifications,
    )
