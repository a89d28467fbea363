"""Is this person paid anywhere, how much, since when: decided, recorded as a look, and masked. For people who ask."""

from dataclasses import dataclass

from huodang.archive import PaymentRecords
from huodang.exchange import Action, Actor, DecisionRequest, Looks, decide
from huodang.standards import IdentityNumber, Money, UnknownCode, code_table
from huodang.store import Database
from huodang.supervision.watch.errors import NotPermittedToLookError
from huodang.supervision.watch.payees import Payees

SEEN = ("identity_number", "scheme", "benefit_from", "benefit_amount")
"""Data elements that an answer shows."""


@dataclass(frozen=True)
class PaidRow:
    """One payment, as it may be shown.

    Attributes:
        scheme: name of the scheme.
        since: first month of being paid without a gap.
        last: latest month known.
        amount: in yuan, masked as decided.
        region: of the agency that pays.
    """

    scheme: str
    since: str
    last: str
    amount: str
    region: str


@dataclass(frozen=True)
class PayeeAnswer:
    """What somebody may know of whether a person is paid.

    Attributes:
        identity_number: as it may be shown.
        rows: payments that may be shown.
        elsewhere: how many payments there are outside of the actor's region, of which nothing is shown.
        entry_id: the look's entry in the ledger.
    """

    identity_number: str
    rows: tuple[PaidRow, ...]
    elsewhere: int
    entry_id: str

    @property
    def is_paid(self) -> bool:
        """Whether the person is paid at all."""
        return bool(self.rows) or self.elsewhere > 0


class PayeeDesk:
    """Answers people.

    Args:
        database: the hub's.
        payees: the store.
        payments: what the archive recorded.
        looks: where each answer is recorded, also the answer "no".
    """

    def __init__(self, database: Database, payees: Payees, payments: PaymentRecords, looks: Looks) -> None:
        self._database = database
        self._payees = payees
        self._payments = payments
        self._looks = looks

    def find(self, actor: Actor, identity_number: str, purpose: str, *, case_id: str = "") -> PayeeAnswer:
        """Tell whether a person is paid anywhere.

        Args:
            actor: who asks.
            identity_number: of whom, as written.
            purpose: code of the purpose, `supervision` or `audit`.
            case_id: the clue or case that the question belongs to; may be empty.

        Raises:
            IdentityError: the number isn't valid.
            NotPermittedToLookError: no policy permits it, for this purpose.
        """
        identity = IdentityNumber.parse(identity_number)
        own = decide(DecisionRequest(actor, Action.FIND_PAYEE, purpose, SEEN, case_id, region=actor.region))
        if not own.permitted:
            raise NotPermittedToLookError(
                "您的岗位不能以此用途查询待遇领取情况",
                f"role {actor.role} may not look for payees for this purpose",
                advice_chinese="由稽核员或复核员以 supervision、审计员以 audit 为用途查询。",
                advice_english="An investigator or reviewer asks for `supervision`, an auditor for `audit`.",
            )
        person = self._payees.person_index(identity.text)
        recorded = self._payments.of_person(identity)
        with self._database.begin() as connection:
            paid = self._payees.paid(connection, person, recorded)
            rows = []
            elsewhere = 0
            for one in paid:
                region = one.region or actor.region
                decision = decide(DecisionRequest(actor, Action.FIND_PAYEE, purpose, SEEN, case_id, region=region))
                if not decision.permitted:
                    elsewhere += 1
                    continue
                rows.append(
                    PaidRow(
                        scheme=_scheme(decision.show("scheme", one.scheme)),
                        since=decision.show("benefit_from", one.since.iso),
                        last=one.last.iso,
                        amount=decision.show("benefit_amount", Money(one.fen).text),
                        region=one.region,
                    )
                )
            entry = self._looks.record(
                connection,
                actor=actor,
                purpose=purpose,
                case_id=case_id,
                subject_index=person,
                elements=own.elements,
                decision=own,
                what="supervision.payees",
            )
        return PayeeAnswer(own.show("identity_number", identity.text), tuple(rows), elsewhere, entry)


def _scheme(code: str) -> str:
    try:
        return code_table("scheme").meaning(code)
    except UnknownCode:
        return code
