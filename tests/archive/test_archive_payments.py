"""A payment is recorded once, with its evidence, and its person stays sealed."""

import threading
from dataclasses import replace

import pytest
from archive_samples import IDENTITY, OTHER_IDENTITY, payment
from sqlalchemy import text, update

from huodang.archive import (
    DoublePaymentError,
    PaymentAmountError,
    PaymentChangedError,
    PaymentDraft,
    PaymentKind,
    PaymentRecord,
    PaymentRecords,
)
from huodang.archive.records import payment_record
from huodang.ledger import Ledger, verify_receipt
from huodang.standards import HuodangError, Money, Month, code_table
from huodang.store import Database, FixedClock
from huodang.trust import BrokenSealError, Signer, TrustedKeys


def record(database: Database, payments: PaymentRecords, draft: PaymentDraft) -> PaymentRecord:
    with database.begin() as connection:
        return payments.record_first(connection, draft)


def test_a_first_payment_is_recorded_as_decided(
    any_database: Database, payments: PaymentRecords, clock: FixedClock
) -> None:
    made = record(any_database, payments, payment())
    assert payments.of_person(IDENTITY) == [made]
    assert (made.scheme, made.month, made.amount) == ("110", Month(2025, 4), Money(188888))
    assert made.parts == {"basic": Money(123456), "account": Money(65432)}
    assert (made.kind, made.case_id, made.created_at) == (PaymentKind.FIRST, "R2025-1", clock.now())
    assert code_table("payment_flag").meaning(made.status) == "待支付"


def test_the_same_case_recording_again_gets_the_same_record_and_no_second_evidence(
    any_database: Database, payments: PaymentRecords, ledger: Ledger
) -> None:
    first = record(any_database, payments, payment())
    assert record(any_database, payments, payment()) == first
    assert payments.count() == payments.count(PaymentKind.FIRST) == 1
    assert payments.count(PaymentKind.BACK_PAY) == 0
    assert ledger.pending() == 1


@pytest.mark.parametrize("changed", [payment(basic=123457), payment(month=Month(2025, 5))])
def test_the_same_case_with_other_figures_is_refused(
    any_database: Database, payments: PaymentRecords, changed: PaymentDraft
) -> None:
    first = record(any_database, payments, payment())
    with pytest.raises(PaymentChangedError):
        record(any_database, payments, changed)
    assert payments.of_person(IDENTITY) == [first]


@pytest.mark.parametrize("month", [Month(2025, 4), Month(2025, 9)])
def test_no_second_case_pays_a_person_for_the_first_time_again(
    any_database: Database, payments: PaymentRecords, month: Month
) -> None:
    record(any_database, payments, payment())
    with pytest.raises(DoublePaymentError) as caught:
        record(any_database, payments, payment("R2025-2", month=month))
    assert "R2025-1" in caught.value.sentence("zh")
    assert IDENTITY.text not in str(caught.value)
    assert payments.count() == 1


def test_months_back_pay_and_other_schemes_are_payments_of_their_own(
    any_database: Database, payments: PaymentRecords
) -> None:
    record(any_database, payments, payment())
    with any_database.begin() as connection:
        payments.record(connection, payment(), PaymentKind.BACK_PAY)
        for month in (Month(2025, 4), Month(2025, 5)):
            payments.record(connection, payment(month=month), PaymentKind.MONTHLY)
        payments.record_first(connection, replace(payment(), scheme="170"))
        payments.record_first(connection, replace(payment("R2025-2"), identity_number=OTHER_IDENTITY))
    assert len(payments.of_person(IDENTITY)) == 5
    assert [one.month for one in payments.of_person(IDENTITY)] == [Month(2025, 4)] * 4 + [Month(2025, 5)]
    assert len(payments.of_case("R2025-1")) == 5
    assert {one.case_id for one in payments.of_month(Month(2025, 4), "110")} == {"R2025-1", "R2025-2"}


def test_a_payment_in_a_transaction_that_fails_was_never_recorded(
    any_database: Database, payments: PaymentRecords, ledger: Ledger
) -> None:
    def fail() -> None:
        with any_database.begin() as connection:
            payments.record_first(connection, payment())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert payments.count() == 0
    assert ledger.pending() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        replace(payment(), amount=Money(188889)),
        replace(payment(), amount=Money(0), parts={}),
        replace(payment(), amount=Money(-5), parts={"basic": Money(-5)}),
    ],
)
def test_an_amount_that_is_not_the_sum_of_its_parts_or_nothing_is_refused(
    any_database: Database, payments: PaymentRecords, wrong: PaymentDraft
) -> None:
    with pytest.raises(PaymentAmountError):
        record(any_database, payments, wrong)
    assert payments.count() == 0


def test_a_scheme_that_is_not_in_the_code_table_is_refused(any_database: Database, payments: PaymentRecords) -> None:
    with pytest.raises(HuodangError):
        record(any_database, payments, replace(payment(), scheme="999"))
    assert payments.count() == 0


def test_the_database_itself_keeps_a_first_payment_from_happening_twice(
    any_database: Database, payments: PaymentRecords
) -> None:
    record(any_database, payments, payment())
    copy = (
        "INSERT INTO payment_record (person_index, identity_sealed, scheme, month, amount, kind, case_id, status,"
        " parts, ledger_entry, created_at) SELECT person_index, identity_sealed, scheme, '202512', amount, kind,"
        " 'other', status, parts, ledger_entry, created_at FROM payment_record"
    )
    with pytest.raises(Exception, match=r"(?i)unique"), any_database.begin() as connection:
        connection.execute(text(copy))


def test_cases_that_pay_one_person_at_the_same_moment_pay_once(
    any_database: Database, payments: PaymentRecords
) -> None:
    outcomes: list[str] = []

    def pay(case_id: str) -> None:
        try:
            record(any_database, payments, payment(case_id))
            outcomes.append("paid")
        except DoublePaymentError:
            outcomes.append("double")

    threads = [threading.Thread(target=pay, args=(f"R2025-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["double"] * 5 + ["paid"]


def test_the_identity_number_stands_sealed_and_opens_only_in_its_own_row(
    any_database: Database, payments: PaymentRecords
) -> None:
    mine = record(any_database, payments, payment())
    other = record(any_database, payments, replace(payment("R2025-2"), identity_number=OTHER_IDENTITY))
    assert payments.identity_number(mine) == IDENTITY
    with any_database.begin() as connection:
        rows = connection.execute(text("SELECT * FROM payment_record")).all()
        assert IDENTITY.text not in str(rows)
        connection.execute(
            update(payment_record).where(payment_record.c.id == mine.id).values(identity_sealed=other.identity_sealed)
        )
    (swapped,) = payments.of_person(IDENTITY)
    with pytest.raises(BrokenSealError):
        payments.identity_number(swapped)


def test_a_recorded_payment_can_be_proved_with_its_amount(
    any_database: Database, payments: PaymentRecords, ledger: Ledger, signers: tuple[Signer, ...]
) -> None:
    made = record(any_database, payments, payment())
    ledger.seal_batch()
    receipt = ledger.receipt(made.ledger_entry, payments.evidence(made))
    trusted = TrustedKeys()
    for signer in signers:
        trusted.add(signer.public)
    report = verify_receipt(receipt, trusted)
    assert all(check.passed for check in report.checks), report
    assert b"188888" in payments.evidence(made)
    assert IDENTITY.text not in receipt.to_json()


def test_the_total_is_the_sum_of_what_was_recorded(any_database: Database, payments: PaymentRecords) -> None:
    assert payments.total() == Money.zero()
    record(any_database, payments, payment())
    record(any_database, payments, replace(payment(), identity_number=OTHER_IDENTITY, case_id="R2025-2"))
    assert payments.total() == Money(2 * 188888)
