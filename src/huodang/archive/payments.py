"""Payment records: what is paid to whom, for which month, out of which case; each exactly once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, and_, func, insert, or_, select, type_coerce

from huodang.archive.errors import DoublePaymentError, PaymentAmountError, PaymentChangedError
from huodang.archive.records import payment_record as _table
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import IdentityNumber, Money, Month, code_table
from huodang.store import Clock, Database, serialise
from huodang.trust import FieldSealer, canonical_json

TO_BE_PAID = "0"
"""支付标志 AAE117: 待支付."""


class PaymentKind(StrEnum):
    """Why something is paid."""

    FIRST = "first"  # 首次发放
    MONTHLY = "monthly"  # 按月发放
    BACK_PAY = "back_pay"  # 补发


@dataclass(frozen=True)
class PaymentDraft:
    """What is to be paid to a person for a month.

    Attributes:
        identity_number: Whose.
        scheme: Code of the scheme (险种 AAE140), such as `110`.
        month: For which month.
        amount: How much; above nothing.
        case_id: The case that decided it.
        parts: What the amount is made of, such as `basic`, `account`, `transitional`; they sum up to it.
    """

    identity_number: IdentityNumber
    scheme: str
    month: Month
    amount: Money
    case_id: str
    parts: Mapping[str, Money]


@dataclass(frozen=True)
class PaymentRecord:
    """One recorded payment, its person by blind index only; `PaymentRecords.identity_number` opens the seal.

    Attributes:
        id: Row number.
        person_index: Blind index of the identity number.
        scheme: Code of the scheme.
        month: For which month.
        amount: How much.
        kind: First, monthly or back pay.
        case_id: The case that decided it.
        status: 支付标志 AAE117: 0 to be paid, 1 paid, 2 failed, 3 written off (已核销).
        parts: What the amount is made of.
        ledger_entry: Its entry in the ledger.
        created_at: When it was recorded.
        identity_sealed: The sealed identity number.
    """

    id: int
    person_index: str
    scheme: str
    month: Month
    amount: Money
    kind: PaymentKind
    case_id: str
    status: str
    parts: Mapping[str, Money]
    ledger_entry: str
    created_at: datetime
    identity_sealed: str


class PaymentRecords:
    """Records payments in the caller's transaction, each with its ledger entry.

    Reading them is reading personal data: the caller decides and records the look first (`exchange.decide`, `Looks`).
    """

    def __init__(self, database: Database, ledger: Ledger, sealer: FieldSealer, clock: Clock) -> None:
        self._database = database
        self._ledger = ledger
        self._sealer = sealer
        self._clock = clock

    def record_first(self, connection: Connection, draft: PaymentDraft) -> PaymentRecord:
        """Record the first payment of a person in a scheme; see `record`."""
        return self.record(connection, draft, PaymentKind.FIRST)

    def record(self, connection: Connection, draft: PaymentDraft, kind: PaymentKind) -> PaymentRecord:
        """Record a payment, to be paid, together with its ledger entry.

        The same case recording the same payment again gets the record of the first time, and nothing else happens.

        Raises:
            PaymentAmountError: the amount isn't above nothing, or isn't the sum of the parts.
            PaymentChangedError: this case recorded it before with other figures.
            DoublePaymentError: another case recorded a payment of this kind for the person, scheme and month, or a
                first payment for the person and scheme in any month.
            UnknownCode: the scheme isn't in the code table.
        """
        code_table("scheme").require(draft.scheme)
        _check_amount(draft)
        person = self._sealer.blind_index("identity_number", draft.identity_number.text)
        serialise(connection, f"payment:{person}")
        found = connection.execute(select(_table).where(_same(draft, kind, person))).one_or_none()
        if found is not None:
            return _as_before(_read(found), draft)
        now = self._clock.now()
        facts = {"case": draft.case_id, "scheme": draft.scheme, "month": str(draft.month), "kind": kind.value}
        evidence = _evidence(facts, person, draft.amount, draft.parts)
        values = {
            "person_index": person,
            "identity_sealed": self._sealer.seal(
                "identity_number", draft.identity_number.text, _row(person, draft.scheme, draft.month, kind)
            ),
            "scheme": draft.scheme,
            "month": draft.month,
            "amount": draft.amount,
            "kind": kind.value,
            "case_id": draft.case_id,
            "status": TO_BE_PAID,
            "parts": {name: str(part.fen) for name, part in draft.parts.items()},
            "ledger_entry": self._ledger.record(connection, LedgerEntry("payment", now, facts), evidence),
            "created_at": now,
        }
        return _read(connection.execute(insert(_table).values(**values).returning(_table)).one())

    def of_person(self, identity_number: IdentityNumber) -> list[PaymentRecord]:
        """List what was recorded for a person, in every scheme, by month."""
        index = self._sealer.blind_index("identity_number", identity_number.text)
        return self._list(_table.c.person_index == index)

    def of_case(self, case_id: str) -> list[PaymentRecord]:
        """List what a case recorded, by month."""
        return self._list(_table.c.case_id == case_id)

    def of_month(self, month: Month, scheme: str) -> list[PaymentRecord]:
        """List what is paid in a scheme for a month."""
        return self._list(and_(_table.c.month == month, _table.c.scheme == scheme))

    def identity_number(self, record: PaymentRecord) -> IdentityNumber:
        """Open the sealed identity number of a record.

        Raises:
            BrokenSealError: it was altered, or moved here from another row.
        """
        row = _row(record.person_index, record.scheme, record.month, record.kind)
        return IdentityNumber.parse(self._sealer.open("identity_number", record.identity_sealed, row))

    def evidence(self, record: PaymentRecord) -> bytes:
        """Give the content that the ledger holds a commitment to, for a receipt that reveals it."""
        facts = {"case": record.case_id, "scheme": record.scheme, "month": str(record.month), "kind": record.kind.value}
        return _evidence(facts, record.person_index, record.amount, record.parts)

    def count(self, kind: PaymentKind | None = None) -> int:
        """Count the payments recorded, all or those of one kind."""
        statement = select(func.count()).select_from(_table)
        if kind is not None:
            statement = statement.where(_table.c.kind == kind.value)
        with self._database.read() as connection:
            return connection.execute(statement).scalar_one()

    def total(self) -> Money:
        """Sum up the payments recorded."""
        with self._database.read() as connection:
            # As plain numbers: the sum is an integer on SQLite and a decimal on PostgreSQL.
            summed = func.sum(type_coerce(_table.c.amount, BigInteger))
            return Money(int(connection.execute(select(summed)).scalar_one() or 0))

    def _list(self, condition: ColumnElement[bool]) -> list[PaymentRecord]:
        with self._database.read() as connection:
            rows = connection.execute(select(_table).where(condition).order_by(_table.c.month, _table.c.id))
            return [_read(row) for row in rows]


def _same(draft: PaymentDraft, kind: PaymentKind, person: str) -> ColumnElement[bool]:
    """Find what would be paid twice: a first payment in any month, another kind in the same month."""
    whose = and_(_table.c.person_index == person, _table.c.scheme == draft.scheme, _table.c.kind == kind.value)
    return and_(whose, or_(_table.c.month == draft.month, _table.c.kind == PaymentKind.FIRST.value))


def _as_before(record: PaymentRecord, draft: PaymentDraft) -> PaymentRecord:
    if record.case_id != draft.case_id:
        raise DoublePaymentError(
            f"该人员在险种 {record.scheme} 的此项待遇已由业务 {record.case_id} 记录（{record.month.iso}）",
            f"This payment in scheme {record.scheme} was recorded by case {record.case_id} ({record.month.iso})",
            advice_chinese="请先核对两笔业务，撤销其中重复的一笔；本次未记录任何支付。",
            advice_english="Compare the two cases and withdraw the double one; nothing was recorded now.",
        )
    if (record.month, record.amount, dict(record.parts)) != (draft.month, draft.amount, dict(draft.parts)):
        raise PaymentChangedError(
            f"业务 {record.case_id} 已记录过此项支付，金额、构成或月份与本次不同",
            f"Case {record.case_id} recorded this payment before, with another amount, other parts or another month",
            advice_chinese="已记录的支付不可改写；金额更正请走重新核定与补发。",
            advice_english="A recorded payment is never rewritten: decide anew and record the difference as back pay.",
        )
    return record


def _check_amount(draft: PaymentDraft) -> None:
    total = Money.zero()
    for part in draft.parts.values():
        total = total + part
    if draft.amount <= Money.zero() or total != draft.amount:
        raise PaymentAmountError(
            "支付金额须大于零，且等于各构成部分之和",
            "The amount must be above nothing and the sum of its parts",
            advice_chinese="请核对待遇核定结果；本次未记录任何支付。",
            advice_english="Check the benefit decision; nothing was recorded.",
        )


def _evidence(facts: Mapping[str, str], person: str, amount: Money, parts: Mapping[str, Money]) -> bytes:
    of_parts = {name: str(part.fen) for name, part in parts.items()}
    return canonical_json({**facts, "person": person, "amount": str(amount.fen), "parts": of_parts})


def _row(person: str, scheme: str, month: Month, kind: PaymentKind) -> str:
    return f"payment:{person}:{scheme}:{month}:{kind.value}"


def _read(row: Row[Any]) -> PaymentRecord:
    return PaymentRecord(
        id=row.id,
        person_index=row.person_index,
        scheme=row.scheme,
        month=row.month,
        amount=row.amount,
        kind=PaymentKind(row.kind),
        case_id=row.case_id,
        status=row.status,
        parts={name: Money(int(fen)) for name, fen in row.parts.items()},
        ledger_entry=row.ledger_entry,
        created_at=row.created_at,
        identity_sealed=row.identity_sealed,
    )
