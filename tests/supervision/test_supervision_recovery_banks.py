"""Files to banks and back, and what the outcome of a clue does: whole or not at all, each once."""

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from supervision_people import CLERK, FAR_INVESTIGATOR, INVESTIGATOR, REVIEWER, SIGNERS, Keys, instant, person

from huodang.archive import PaymentDraft, PaymentKind, PaymentRecords
from huodang.standards import Money, Month
from huodang.store import Database, FixedClock
from huodang.supervision.clues import ClueOutcome, Outcome, Signal, Stake
from huodang.supervision.recovery import (
    BankFileError,
    ClawBackFile,
    ClawBacks,
    Debt,
    OverpaidMonth,
    Recoveries,
    RecoveryNotPermittedError,
    RecoveryOpener,
    recorded_payments,
)
from huodang.supervision.timeline import CUSTODY, DEATH, Timeline, verify_statement

BANK = "建设银行"
HEADING = ["批次号", "序号", "处理结果", "实际扣回（元）", "扣回日期"]


@pytest.fixture
def keys(any_database: Database, clock: FixedClock, tmp_path: Path) -> Keys:
    return Keys.of(any_database, clock, tmp_path, SIGNERS)


@pytest.fixture
def recoveries(keys: Keys) -> Recoveries:
    return Recoveries(keys.database, keys.ledger, keys.sealer, keys.looks, keys.clock)


@pytest.fixture
def claw_backs(keys: Keys, recoveries: Recoveries) -> ClawBacks:
    return ClawBacks(keys.database, recoveries, keys.ledger, keys.sealer, keys.looks, keys.clock)


@pytest.fixture
def notified(keys: Keys, recoveries: Recoveries) -> list[str]:
    """Three debts of 3,000 yuan at one bank, and one at another."""
    found = []
    for order in range(4):
        month = OverpaidMonth(Month(2025, 1), Money(300_000), Money.zero(), "1401", "法")
        bank = BANK if order < 3 else "农业银行"
        account = "=1+1|6227" if order == 0 else f"622700000000{order:04d}"
        debt = Debt(f"c{order}:110", person(order), "110", "130102", "death", (month,), bank, account)
        with keys.database.begin() as connection:
            recovery_id = recoveries.open(connection, debt)
        recoveries.act(INVESTIGATOR, recovery_id, "serve_notice", note="邮寄", data={"served_on": "2025-03-03"})
        found.append(recovery_id)
    return found


def answer(path: Path, issued: ClawBackFile, lines: list[list[str]]) -> Path:
    """Write a bank's answer: result, amount and day of each line."""
    rows = [[issued.batch_id, str(number), *line] for number, line in enumerate(lines, start=1)]
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in [HEADING, *rows]:
            book.active.append(row)  # type: ignore[union-attr]
        book.save(path)
    else:
        with path.open("w", newline="", encoding="gb18030") as file:
            csv.writer(file).writerows([HEADING, *rows])
    return path


FULL, NONE = ["成功", "3000.00", "2025-03-03"], ["失败", "", ""]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_bank_is_asked_once_and_its_answer_is_booked_once(
    claw_backs: ClawBacks, recoveries: Recoveries, notified: list[str], tmp_path: Path, kind: str
) -> None:
    issued = claw_backs.issue(INVESTIGATOR, BANK, tmp_path / f"ask.{kind}")
    assert (issued.lines, issued.amount) == (3, Money(900_000))
    with pytest.raises(BankFileError, match="没有须"):
        claw_backs.issue(INVESTIGATOR, BANK, tmp_path / "again.csv")
    file = answer(tmp_path / f"answer.{kind}", issued, [FULL, ["部分成功", "1000", "2025-03-03"], NONE])
    done = claw_backs.take_answer(INVESTIGATOR, issued.batch_id, file)
    assert (done.booked, done.excess, done.short) == (Money(400_000), Money.zero(), 2)
    states = sorted(recoveries.view(INVESTIGATOR, one).row.state for one in notified[:3])
    assert states == ["noticed", "noticed", "settled"]
    assert claw_backs.take_answer(INVESTIGATOR, issued.batch_id, file).again
    other = answer(tmp_path / "other.csv", issued, [FULL, FULL, FULL])
    with pytest.raises(BankFileError, match="另一份"):
        claw_backs.take_answer(INVESTIGATOR, issued.batch_id, other)


def test_the_file_to_the_bank_holds_whole_accounts_runs_nothing_and_every_look_is_recorded(
    keys: Keys, claw_backs: ClawBacks, notified: list[str], tmp_path: Path
) -> None:
    issued = claw_backs.issue(INVESTIGATOR, BANK, tmp_path / "ask.csv")
    with (tmp_path / "ask.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert "'=1+1|6227" in {row["账号"] for row in rows}
    assert "6227000000000001" in {row["账号"] for row in rows}
    assert {row["扣回金额（元）"] for row in rows} == {"3000.00"}
    claw_backs.write_again(INVESTIGATOR, issued.batch_id, tmp_path / "again.csv")
    with pytest.raises(RecoveryNotPermittedError):
        claw_backs.write_again(FAR_INVESTIGATOR, issued.batch_id, tmp_path / "far.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "ask.csv").read_bytes()
    for order in range(3):
        looks = keys.looks.of_subject(keys.index(person(order)))
        assert {look.what for look in looks} >= {"claw_back_file"}
    assert len(notified) == 4


@pytest.mark.parametrize(
    ("lines", "row", "words"),
    [
        ([FULL, FULL], None, "缺少"),
        ([FULL, FULL, FULL, FULL], 5, "序号"),
        ([FULL, ["成功", "2999.99", "2025-03-03"], FULL], 3, "不符"),
        ([FULL, FULL, ["退了", "3000.00", "2025-03-03"]], 4, "处理结果"),
        ([FULL, FULL, ["部分成功", "3000.00", "2025-03-03"]], 4, "不符"),
        ([FULL, FULL, ["成功", "三千", "2025-03-03"]], 4, "金额"),
        ([FULL, ["成功", "3000", "2025-03-04"], FULL], 3, "日期"),
        ([FULL, ["成功", "3000", "2025-02-03"], FULL], 3, "日期"),
        ([FULL, ["失败", "1", "2025-03-03"], FULL], 3, "不符"),
    ],
)
def test_an_answer_with_one_wrong_row_is_refused_whole_and_names_the_row(  # noqa: PLR0917  (a scenario)
    claw_backs: ClawBacks,
    recoveries: Recoveries,
    notified: list[str],
    tmp_path: Path,
    lines: list[list[str]],
    row: int | None,
    words: str,
) -> None:
    issued = claw_backs.issue(INVESTIGATOR, BANK, tmp_path / "ask.csv")
    with pytest.raises(BankFileError) as caught:
        claw_backs.take_answer(INVESTIGATOR, issued.batch_id, answer(tmp_path / "answer.csv", issued, lines))
    assert words in caught.value.sentence("zh")
    assert caught.value.place.row == row
    assert [recoveries.view(INVESTIGATOR, one).row.state for one in notified[:3]] == ["clawing_back"] * 3


def test_what_the_bank_takes_beyond_the_debt_is_told_and_not_booked(
    claw_backs: ClawBacks, recoveries: Recoveries, notified: list[str], tmp_path: Path
) -> None:
    issued = claw_backs.issue(INVESTIGATOR, BANK, tmp_path / "ask.csv")
    paid = {"means": "repayment", "amount": Money(100_000), "moved_on": "2025-03-03", "reference": "B1"}
    for one in notified[:3]:
        recoveries.act(INVESTIGATOR, one, "receive", data=paid)
    file = answer(tmp_path / "answer.csv", issued, [FULL, FULL, FULL])
    tried = claw_backs.take_answer(INVESTIGATOR, issued.batch_id, file, dry_run=True)
    done = claw_backs.take_answer(INVESTIGATOR, issued.batch_id, file)
    assert tried == done
    assert (done.booked, done.excess) == (Money(600_000), Money(300_000))
    assert {recoveries.view(INVESTIGATOR, one).row.state for one in notified[:3]} == {"settled"}


def test_an_objection_while_the_bank_works_goes_on_as_notified_afterwards(
    claw_backs: ClawBacks, recoveries: Recoveries, notified: list[str], tmp_path: Path
) -> None:
    issued = claw_backs.issue(INVESTIGATOR, BANK, tmp_path / "ask.csv")
    ask = (tmp_path / "ask.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    first = next(one for one in notified if one[:12] in ask)
    recoveries.act(CLERK, first, "object", note="不是他")
    claw_backs.take_answer(INVESTIGATOR, issued.batch_id, answer(tmp_path / "a.csv", issued, [NONE, NONE, NONE]))
    assert recoveries.act(REVIEWER, first, "reject_objection", note="确认").row.state == "noticed"


def test_an_investigator_of_another_city_asks_no_bank_here(
    claw_backs: ClawBacks, notified: list[str], tmp_path: Path
) -> None:
    with pytest.raises(BankFileError):
        claw_backs.issue(FAR_INVESTIGATOR, BANK, tmp_path / "ask.csv")
    assert claw_backs.issue(INVESTIGATOR, BANK, tmp_path / "ask.csv", dry_run=True).lines == 3
    assert not (tmp_path / "ask.csv").exists()
    assert notified
    with pytest.raises(BankFileError, match="结尾"):
        claw_backs.issue(INVESTIGATOR, BANK, tmp_path / "ask.doc")


@pytest.fixture
def pay(keys: Keys) -> Callable[[str, int], PaymentRecords]:
    """Pay a person for months, each on its fifth."""
    payments = PaymentRecords(keys.database, keys.ledger, keys.sealer, keys.clock)

    def do(first: str, months: int) -> PaymentRecords:
        for n in range(months):
            month = Month.parse(first) + n
            keys.clock.set(instant(f"{month.iso}-05"))
            draft = PaymentDraft(person(1), "110", month, Money(300_000), "case-1", {"basic": Money(300_000)})
            with keys.database.begin() as connection:
                payments.record(connection, draft, PaymentKind.MONTHLY)
        return payments

    return do


def outcome(keys: Keys, matter: str, fact_from: str, *, reopened: bool = False, **fact: str) -> ClueOutcome:
    register = "health" if matter == "death" else "justice"
    signal = Signal(register, matter, fact, "ab" * 32, True, False, keys.clock.now())
    return ClueOutcome(
        clue_id="clue1",
        matter=matter,
        person_index=keys.index(person(1)),
        identity_number=person(1).text,
        region="130102",
        stakes=(Stake("110", (Month(2025, 2), Month(2025, 3)), 0),),
        outcome=Outcome.CONFIRMED,
        reopened=reopened,
        proposed_by="inv-1",
        decided_by="rev-1",
        decided_at=keys.clock.now(),
        signals=(signal,),
        fact_from=fact_from,
    )


def test_a_confirmed_death_opens_the_months_after_it_with_a_signed_statement_and_taking_it_back_cancels(
    keys: Keys, recoveries: Recoveries, pay: Callable[[str, int], PaymentRecords]
) -> None:
    timeline = Timeline(keys.database, keys.sealer, keys.ledger, keys.clock, keys.signer)
    opener = RecoveryOpener(recoveries, timeline, recorded_payments(pay("202501", 4)))
    keys.clock.set(instant("2025-05-10"))
    for _ in range(2):  # told twice, done once
        with keys.database.begin() as connection:
            opener.on_outcome(connection, outcome(keys, "death", "2025-01-20"))
    (row,) = recoveries.recoveries(INVESTIGATOR)
    view = recoveries.view(INVESTIGATOR, row.recovery_id)
    assert [str(one.month) for one in view.months] == ["202502", "202503", "202504"]
    assert view.row.debt == Money(900_000)
    assert "第四十六条" in view.months[0].law
    statement = timeline.statement(view.statement).to_json()
    report = verify_statement(statement, keys.trusted, identity=person(1))
    assert report.valid
    assert report.totals is not None
    assert report.totals.overpaid == view.row.debt
    assert report.totals.known_then == Money.zero()
    keys.clock.set(instant("2025-06-10"))
    with keys.database.begin() as connection:
        opener.on_outcome(connection, outcome(keys, "death", "2025-01-20", reopened=True))
    assert recoveries.view(INVESTIGATOR, row.recovery_id).row.state == "cancelled"
    assert timeline.as_known(keys.index(person(1)), DEATH, keys.clock.now()) == []
    assert timeline.as_known(keys.index(person(1)), DEATH, instant("2025-05-20")) != []


def test_confirmed_custody_takes_the_months_inside_and_a_refuted_clue_opens_nothing(
    keys: Keys, recoveries: Recoveries, pay: Callable[[str, int], PaymentRecords]
) -> None:
    timeline = Timeline(keys.database, keys.sealer, keys.ledger, keys.clock, keys.signer)
    opener = RecoveryOpener(recoveries, timeline, recorded_payments(pay("202501", 4)))
    keys.clock.set(instant("2025-05-10"))
    told = outcome(keys, "custody", "2025-01-15", sentence_type="prison", custody_to="2025-03-20")
    with keys.database.begin() as connection:
        opener.on_outcome(connection, told)
    (row,) = recoveries.recoveries(INVESTIGATOR)
    months = recoveries.view(INVESTIGATOR, row.recovery_id).months
    assert [(str(one.month), one.code) for one in months] == [("202502", "1202"), ("202503", "1202")]
    (fact,) = timeline.as_known(keys.index(person(1)), CUSTODY, keys.clock.now())
    assert (fact.valid_from, fact.valid_to) == (date(2025, 1, 15), date(2025, 3, 20))


def test_two_benefits_in_one_month_are_owed_for_those_months_only(
    keys: Keys, recoveries: Recoveries, pay: Callable[[str, int], PaymentRecords]
) -> None:
    timeline = Timeline(keys.database, keys.sealer, keys.ledger, keys.clock, keys.signer)
    opener = RecoveryOpener(recoveries, timeline, recorded_payments(pay("202501", 4)))
    with keys.database.begin() as connection:
        opener.on_outcome(connection, outcome(keys, "double_benefit", ""))
    (row,) = recoveries.recoveries(INVESTIGATOR)
    assert row.debt == Money(600_000)
    assert {one.code for one in recoveries.view(INVESTIGATOR, row.recovery_id).months} == {"1407"}
