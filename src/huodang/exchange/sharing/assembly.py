"""Putting the services of sharing together for a hub."""

from dataclasses import dataclass
from pathlib import Path

from huodang.exchange.agreements import Agreements
from huodang.exchange.catalogue import Catalogue
from huodang.exchange.client import GatewayDirectory
from huodang.exchange.looks import Looks
from huodang.exchange.sharing.acts import ActDesk
from huodang.exchange.sharing.copies import BatchCopies, EventCopies, LotCopies, VerdictCopies
from huodang.exchange.sharing.correction_steps import ForgetAnswers
from huodang.exchange.sharing.corrections import Corrections
from huodang.exchange.sharing.gateway_post import GatewayPost
from huodang.exchange.sharing.matters import Desk
from huodang.exchange.sharing.notices import NoticeBook
from huodang.exchange.sharing.service import SharingDesk
from huodang.exchange.sharing.terms import product_terms, read_terms
from huodang.ledger import Ledger
from huodang.store import Clock, Database, Handler
from huodang.trust import FieldSealer, Signer, TrustedKeys


@dataclass(frozen=True)
class SharingServices:
    """Demands and corrections of one hub, and the door for acts that departments signed."""

    sharing: SharingDesk
    corrections: Corrections
    acts: ActDesk

    def handlers(self) -> dict[str, Handler]:
        """Give the jobs of both."""
        return {**self.sharing.handlers(), **self.corrections.handlers()}


def build_sharing(
    database: Database,
    *,
    agreements: Agreements,
    catalogue: Catalogue,
    ledger: Ledger,
    signer: Signer,
    trusted: TrustedKeys,
    directory: GatewayDirectory | None,
    sealer: FieldSealer,
    looks: Looks,
    clock: Clock,
    forget_answers: ForgetAnswers,
    terms: Path | None = None,
) -> SharingServices:
    """Build the services of sharing.

    Args:
        database: the hub's.
        agreements: the hub's agreements.
        catalogue: what is offered.
        ledger: where every step leaves an entry.
        signer: the hub's key: it signs notices, and new agreements accept its grants.
        trusted: public keys of all departments.
        directory: the gateways; None where there are none.
        sealer: seals notes and values at rest.
        looks: where seeing a value in doubt is recorded.
        clock: business time.
        forget_answers: of the hub's exchange: what was corrected or recalled answers no question again.
        terms: a deployment's own terms; None for the product's.

    Raises:
        SharingTermsError: the file of terms doesn't hold together.
    """
    desk = Desk(ledger, sealer, clock, product_terms() if terms is None else read_terms(terms))
    post = None if directory is None else GatewayPost(database, directory, agreements, clock)
    keepers = (VerdictCopies(sealer), BatchCopies(), LotCopies(sealer), EventCopies())
    sharing = SharingDesk(database, agreements, catalogue, desk, post, signer.holder)
    corrections = Corrections(
        database, desk, looks, keepers, NoticeBook(ledger, signer, trusted), forget_answers=forget_answers
    )
    return SharingServices(sharing, corrections, ActDesk(database, sharing, corrections, trusted, signer, clock))
