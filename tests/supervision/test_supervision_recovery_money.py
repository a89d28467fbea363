"""Whatever happens in whatever order, the debt is what came back, what is open, and what was written off."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from supervision_people import CLERK, INVESTIGATOR, REVIEWER, SIGNERS, Keys, instant, person

from huodang.exchange import Actor
from huodang.standards import HuodangError, Money, Month
from huodang.store import Database, FixedClock
from huodang.supervision.recovery import Debt, Means, OverpaidMonth, Recoveries
from huodang.supervision.recovery.records import movement
from huodang.supervision.recovery.records import recovery as rows

AMOUNTS = st.integers(-3, 900).map(Money)
MONTHS = st.lists(st.integers(1, 400), max_size=4).map(
    lambda fens: tuple(
        OverpaidMonth(Month(2024, 1) + n, Money(fen), Money.zero(), "1401", "法") for n, fen in enumerate(fens)
    )
)


@pytest.mark.slow
def test_every_fen_is_reconciled_in_any_order_of_events(  # noqa: C901  (a machine of many rules)
    migrated_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    class Money46(RuleBasedStateMachine):
        """Random acts of everybody, refused or not."""

        def __init__(self) -> None:
            super().__init__()
            folder = tmp_path_factory.mktemp("money")
            shutil.copyfile(migrated_template, folder / "m.db")
            self.keys = Keys.of(
                Database.open(f"sqlite:///{folder / 'm.db'}"), FixedClock(instant("2025-03-03")), folder, SIGNERS
            )
            self.recoveries = Recoveries(
                self.keys.database, self.keys.ledger, self.keys.sealer, self.keys.looks, self.keys.clock
            )
            self.history = 0
            self.recovery_id = ""

        @initialize(months=MONTHS.filter(bool))
        def open(self, months: tuple[OverpaidMonth, ...]) -> None:
            debt = Debt("c1:110", person(1), "110", "130102", "custody", months, "银行", "6227000000000001")
            with self.keys.database.begin() as connection:
                self.recovery_id = self.recoveries.open(connection, debt)

        def attempt(self, actor: Actor, event: str, **data: object) -> None:
            try:
                with self.keys.database.begin() as connection:
                    self.recoveries.move(connection, actor, self.recovery_id, event, note="理由", data=data)
            except HuodangError:
                return

        @rule()
        def serve(self) -> None:
            self.attempt(INVESTIGATOR, "serve_notice", served_on=date(2025, 3, 3))

        @rule(amount=AMOUNTS, means=st.sampled_from([*Means]), voucher=st.integers(0, 5))
        def receive(self, amount: Money, means: Means, voucher: int) -> None:
            self.attempt(
                INVESTIGATOR,
                "receive",
                means=means.value,
                amount=amount,
                moved_on="2025-03-03",
                reference=f"B{voucher}",
            )

        @rule(instalments=st.integers(0, 5), offset=st.none() | AMOUNTS)
        def arrange(self, instalments: int, offset: Money | None) -> None:
            event = "agree_instalments" if offset is None else "agree_offset"
            self.attempt(INVESTIGATOR, event, instalments=instalments, account_offset=offset)

        @rule(event=st.sampled_from(["propose_write_off", "refer_to_court", "issue_claw_back"]))
        def go_on(self, event: str) -> None:
            self.attempt(INVESTIGATOR, event)

        @rule(event=st.sampled_from(["approve_write_off", "refuse_write_off", "reject_objection"]))
        def review(self, event: str) -> None:
            self.attempt(REVIEWER, event)

        @rule()
        def object_to(self) -> None:
            self.attempt(CLERK, "object")

        @rule(months=MONTHS, event=st.sampled_from(["uphold_objection", "revise"]))
        def set_anew(self, months: tuple[OverpaidMonth, ...], event: str) -> None:
            self.attempt(REVIEWER, event, months=months)

        @invariant()
        def reconciled(self) -> None:
            if not self.recovery_id:
                return
            with self.keys.database.read() as connection:
                row = connection.execute(rows.select()).one()
                moved = connection.execute(movement.select()).all()
            assert row.debt == row.recovered + row.outstanding + row.written_off
            assert min(row.recovered, row.outstanding, row.written_off) >= Money.zero()
            came = sum(one.amount.fen for one in moved if one.means != "write_off")
            gone = sum(one.amount.fen for one in moved if one.means == "write_off")
            assert (came, gone) == (row.recovered.fen, row.written_off.fen)
            assert (row.state in {"settled", "written_off", "cancelled"}) is (not row.outstanding)
            assert row.sequence >= self.history
            self.history = row.sequence

        def teardown(self) -> None:
            if self.recovery_id:
                self.keys.ledger.seal_batch()
                assert self.keys.ledger.verify_all().valid
            self.keys.database.close()

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Money46, settings=settings(max_examples=15, stateful_step_count=25, deadline=None)
    )
