"""Where the parts of supervision are put together for a hub: rooms below in, services out."""

from dataclasses import dataclass

from huodang.exchange import Looks
from huodang.ledger import Ledger
from huodang.store import Clock, Database, Handler
from huodang.supervision.clues import ClueDesk
from huodang.trust import FieldSealer


@dataclass(frozen=True)
class SupervisionServices:
    """The services of supervision of one hub."""

    clues: ClueDesk

    def handlers(self) -> dict[str, Handler]:
        """The jobs of every part, by kind."""
        return {**self.clues.handlers()}


def build_supervision(
    database: Database, *, ledger: Ledger, sealer: FieldSealer, looks: Looks, clock: Clock, region: str
) -> SupervisionServices:
    """Wire every part; what follows from a clue's outcome is registered here, and nowhere else."""
    return SupervisionServices(clues=ClueDesk(database, ledger, sealer, looks, clock, region=region))
