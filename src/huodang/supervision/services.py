"""Where the parts of supervision are put together for a hub: rooms below in, services out."""

from dataclasses import dataclass

from huodang.archive import PaymentRecords
from huodang.exchange import EventOffice, Looks
from huodang.ledger import Ledger
from huodang.store import Clock, Database, Handler
from huodang.supervision.clues import ClueDesk
from huodang.supervision.control import PaymentControl
from huodang.supervision.control.paylists import Paylists
from huodang.supervision.recovery import ClawBacks, Recoveries, RecoveryOpener, recorded_payments
from huodang.supervision.timeline import Timeline
from huodang.supervision.watch import Confirmation, Parts, PayeeDesk, Payees, Watch
from huodang.trust import FieldSealer, Signer


@dataclass(frozen=True)
class SupervisionServices:
    """The services of supervision of one hub.

    Attributes:
        payees: the store of who is paid; `payee_desk` answers people out of it, decided and recorded.
        watch: takes the departments' events; subscribed when it is built.
        confirmation: holds a full check against what the events had told.
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

    def handlers(self) -> dict[str, Handler]:
        """The jobs of every part, by kind."""
        return {**self.clues.handlers(), **self.control.handlers(), **self.recoveries.handlers()}


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
    )
