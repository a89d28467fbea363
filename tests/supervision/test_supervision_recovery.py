"""Recovery: every fen is reconciled at every step, by the table, by two persons where it matters."""

from datetime import timedelta
from pathlib import Path

import pytest
from supervision_people import (
    AUDITOR,
    CLERK,
    FAR_INVESTIGATOR,
    INVESTIGATOR,
    LEADER,
    REGION,
    REVIEWER,
    SIGNERS,
    Keys,
    instant,
    person,
)

from huodang.exchange import Actor
from huodang.standards import Money, Month, UnknownCode
from huodang.store import Database, FixedClock, Worker
from huodang.supervision.recovery import (
    RECOVERY,
    Debt,
    DebtError,
    Debtor,
    IllegalRecoveryEventError,
    Means,
    OverpaidMonth,
    Recoveries,
    RecoveryGuardError,
    RecoveryNotPermittedError,
    RecoveryTermsError,
    RecoveryView,
    UnknownRecoveryError,
    product_recovery_terms,
    read_recovery_terms,
)
from huodang.supervision.recovery.records import recovery as rows

ROOT = Path(__file__).parents[2]
PENSION = Money(3_000_00)
LAW = "死亡停发：《社会保险法》第十七条（待核实）\n多发待遇的退回：社会保险经办条例第四十六条"


@pytest.fixture
def keys(any_database: Database, clock: FixedClock, tmp_path: Path) -> Keys:
    return Keys.of(any_database, clock, tmp_path, SIGNERS)


@pytest.fixture
def recoveries(keys: Keys) -> Recoveries:
    return Recoveries(keys.database, keys.ledger, keys.sealer, keys.looks, keys.clock)


def debt(order: int = 1, months: int = 4, cause: str = "death", **more: object) -> Debt:
    """Months of one person, overpaid whole."""
    listed = tuple(OverpaidMonth(Month(2024, 9) + n, PENSION, Money.zero(), "1401", LAW) for n in range(months))
    given = {"bank": "建设银行", "account": f"62270000000{order:08d}", **more}
    return Debt(f"clue-{order}:110", person(order), "110", "130102", cause, listed, **given)  # type: ignore[arg-type]


def opened(keys: Keys, recoveries: Recoveries, one: Debt | None = None) -> str:
    with keys.database.begin() as connection:
        return recoveries.open(connection, one or debt())


def noticed(keys: Keys, recoveries: Recoveries, one: Debt | None = None) -> str:
    recovery_id = opened(keys, recoveries, one)
    act(recoveries, recovery_id, "serve_notice", note="邮寄", served_on=keys.clock.today())
    return recovery_id


def act(
    recoveries: Recoveries, recovery_id: str, event: str, actor: Actor = INVESTIGATOR, **more: object
) -> RecoveryView:
    note = str(more.pop("note", ""))
    return recoveries.act(actor, recovery_id, event, note=note, data=more)


def pay(recoveries: Recoveries, recovery_id: str, yuan: int, reference: str, means: str = "repayment") -> RecoveryView:
    return act(
        recoveries,
        recovery_id,
        "receive",
        means=means,
        amount=Money(yuan * 100),
        moved_on="2025-03-03",
        reference=reference,
    )


def work(keys: Keys, recoveries: Recoveries) -> None:
    worker = Worker(keys.database, recoveries.handlers(), keys.clock)
    while worker.run_once():
        pass


def test_a_debt_is_paid_in_parts_until_it_is_settled(keys: Keys, recoveries: Recoveries) -> None:
    recovery_id = noticed(keys, recoveries)
    view = pay(recoveries, recovery_id, 5000, "B1")
    assert (view.row.recovered, view.row.outstanding) == (Money(500_000), Money(700_000))
    view = pay(recoveries, recovery_id, 7000, "B2")
    assert view.row.state == "settled"
    assert view.row.due_on is None
    assert [line.event for line in view.history] == ["open", "serve_notice", "receive", "receive", "settle"]
    assert sum(line.amount.fen for line in view.movements) == view.row.debt.fen
    assert sum(one.overpaid.fen for one in view.months) == view.row.debt.fen
    assert all(one.code == "1401" for one in view.months)


def test_the_same_voucher_is_booked_once_and_never_with_another_amount(keys: Keys, recoveries: Recoveries) -> None:
    recovery_id = noticed(keys, recoveries)
    for _ in range(3):
        assert pay(recoveries, recovery_id, 100, "B1").row.recovered == Money(10_000)
    with pytest.raises(RecoveryGuardError, match="已入账"):
        pay(recoveries, recovery_id, 200, "B1")


@pytest.mark.parametrize(
    "bad",
    [
        {"amount": Money(1_200_001)},
        {"amount": Money(0)},
        {"amount": Money(-5)},
        {"means": "write_off"},
        {"reference": ""},
        {"moved_on": "2025-03-04"},
        {"moved_on": "yesterday"},
    ],
)
def test_money_that_cannot_be_is_refused_and_nothing_changes(
    keys: Keys, recoveries: Recoveries, bad: dict[str, object]
) -> None:
    recovery_id = noticed(keys, recoveries)
    right = {"means": "repayment", "amount": Money(100), "moved_on": "2025-03-03", "reference": "B1"}
    with pytest.raises(RecoveryGuardError):
        act(recoveries, recovery_id, "receive", **{**right, **bad})
    assert recoveries.view(INVESTIGATOR, recovery_id).row.recovered == Money.zero()


def test_instalments_that_are_missed_fall_back_to_be_arranged_anew(keys: Keys, recoveries: Recoveries) -> None:
    recovery_id = noticed(keys, recoveries)
    view = act(recoveries, recovery_id, "agree_instalments", instalments=5, first_month=Month(2025, 3))
    assert [line.amount.fen for line in view.plan] == [240_000] * 5
    pay(recoveries, recovery_id, 2400, "B1")
    keys.clock.set(instant("2025-04-01", 0))
    work(keys, recoveries)
    assert recoveries.view(INVESTIGATOR, recovery_id).row.state == "instalments"
    keys.clock.set(instant("2025-05-02"))
    work(keys, recoveries)
    view = recoveries.view(INVESTIGATOR, recovery_id)
    assert (view.row.state, view.history[-1].event) == ("noticed", "miss")
    assert view.row.due_on is not None


def test_of_the_dead_the_account_may_be_offset_but_no_benefit_of_the_family(keys: Keys, recoveries: Recoveries) -> None:
    recovery_id = noticed(keys, recoveries)
    assert recoveries.view(INVESTIGATOR, recovery_id).row.debtor is Debtor.HEIRS
    with pytest.raises(RecoveryGuardError, match="丧葬补助金"):
        act(recoveries, recovery_id, "agree_offset", monthly_benefit_offset=Money(100))
    view = act(recoveries, recovery_id, "agree_offset", account_offset=Money(500_000))
    assert [(line.means, line.amount.fen) for line in view.plan] == [
        ("account_offset", 500_000),
        ("instalment", 700_000),
    ]
    living = noticed(keys, recoveries, debt(2, cause="custody"))
    view = act(recoveries, living, "agree_offset", monthly_benefit_offset=Money(500_000))
    assert [line.amount.fen for line in view.plan] == [500_000, 500_000, 200_000]


def test_an_objection_halts_everything_and_another_person_decides_it(keys: Keys, recoveries: Recoveries) -> None:
    recovery_id = noticed(keys, recoveries, debt(cause="custody"))
    citizen = Actor(keys.index(person(1)), "本人", "citizen", "", "")
    stranger = Actor(keys.index(person(2)), "别人", "citizen", "", "")
    with pytest.raises(UnknownRecoveryError):
        act(recoveries, recovery_id, "object", stranger, note="不是我")
    due_before = recoveries.view(INVESTIGATOR, recovery_id).row.due_on
    keys.clock.set(instant("2025-03-07"))
    assert act(recoveries, recovery_id, "object", citizen, note="那几个月我在家").row.state == "objected"
    with pytest.raises(IllegalRecoveryEventError):
        act(recoveries, recovery_id, "refer_to_court", note="不还")
    with pytest.raises(RecoveryNotPermittedError):
        act(recoveries, recovery_id, "reject_objection", note="查过了")
    keys.clock.set(instant("2025-03-14"))
    view = act(recoveries, recovery_id, "reject_objection", REVIEWER, note="监狱再次书面确认")
    assert view.row.state == "noticed"
    assert due_before is not None
    assert view.row.due_on == due_before + timedelta(days=7)  # the week it stood still isn't counted


def test_an_objection_that_holds_in_part_sets_the_debt_anew_and_gives_back_what_was_too_much(
    keys: Keys, recoveries: Recoveries
) -> None:
    recovery_id = noticed(keys, recoveries)
    pay(recoveries, recovery_id, 9000, "B1")
    act(recoveries, recovery_id, "object", CLERK, note="十一月才去世")
    fewer = debt(months=2).months
    view = act(recoveries, recovery_id, "uphold_objection", REVIEWER, note="以火化证明为准", months=fewer)
    assert (view.row.debt, view.row.recovered, view.row.outstanding) == (Money(600_000), Money(600_000), Money.zero())
    assert [(line.means, line.amount.fen) for line in view.movements] == [
        (Means.REPAYMENT, 900_000),
        (Means.REFUND, -300_000),
    ]
    assert view.row.state == "settled"
    assert view.months == fewer


def test_an_annulled_death_cancels_even_a_settled_debt_and_returns_everything(
    keys: Keys, recoveries: Recoveries
) -> None:
    recovery_id = noticed(keys, recoveries)
    pay(recoveries, recovery_id, 12000, "B1")
    view = act(recoveries, recovery_id, "revise", REVIEWER, note="死亡信息已撤销", months=())
    assert view.row.state == "cancelled"
    assert (view.row.debt, view.movements[-1].amount) == (Money.zero(), Money(-1_200_000))
    assert view.months == ()


def test_a_write_off_takes_two_persons(keys: Keys, recoveries: Recoveries) -> None:
    recovery_id = noticed(keys, recoveries)
    pay(recoveries, recovery_id, 2000, "B1")
    act(recoveries, recovery_id, "propose_write_off", note="无遗产、无继承人")
    both = Actor("inv-1", "稽核员甲", "reviewer", "social_insurance", REGION)
    with pytest.raises(RecoveryGuardError, match="不能自己批准"):
        act(recoveries, recovery_id, "approve_write_off", both, note="同意")
    view = act(recoveries, recovery_id, "approve_write_off", REVIEWER, note="同意")
    assert (view.row.state, view.row.written_off, view.row.recovered) == (
        "written_off",
        Money(1_000_000),
        Money(200_000),
    )
    assert view.row.outstanding == Money.zero()


def test_who_may_not_see_it_learns_nothing_and_numbers_stay_masked(keys: Keys, recoveries: Recoveries) -> None:
    recovery_id = noticed(keys, recoveries)
    for actor in (FAR_INVESTIGATOR, LEADER, Actor("x", "x", "steward", "social_insurance", REGION)):
        assert recoveries.recoveries(actor) == []
        with pytest.raises(UnknownRecoveryError):
            recoveries.view(actor, recovery_id)
    for actor in (INVESTIGATOR, AUDITOR, CLERK):
        view = recoveries.view(actor, recovery_id)
        assert view.identity_number == f"{person(1).text[:6]}********{person(1).text[-4:]}"
        assert debt().account not in view.account
    looks = keys.looks.of_subject(keys.index(person(1)))
    assert {look.user_id for look in looks} >= {"inv-1", "aud-1", "win-1"}
    with keys.database.read() as connection:
        stored = str(connection.execute(rows.select()).all())
    assert person(1).text not in stored
    assert debt().account not in stored


def test_what_one_may_do_is_listed_with_what_it_needs(keys: Keys, recoveries: Recoveries) -> None:
    recovery_id = opened(keys, recoveries)
    choices = {one.event: one.needs for one in recoveries.view(INVESTIGATOR, recovery_id).may}
    assert choices == {
        "serve_notice": ("served_on", "note"),
        "receive": ("means", "amount", "moved_on", "reference"),
    }
    assert recoveries.view(AUDITOR, recovery_id).may == ()


def test_a_step_over_its_day_is_reported_once(keys: Keys, recoveries: Recoveries) -> None:
    recovery_id = opened(keys, recoveries)
    pay(recoveries, recovery_id, 10, "B1")
    keys.clock.set(instant("2025-04-30"))
    work(keys, recoveries)
    work(keys, recoveries)
    assert [row.recovery_id for row in recoveries.overdue(INVESTIGATOR)] == [recovery_id]
    history = recoveries.view(INVESTIGATOR, recovery_id).history
    assert [line.event for line in history].count("overdue") == 1


def test_a_debt_that_is_none_is_refused_and_a_matter_is_opened_once(keys: Keys, recoveries: Recoveries) -> None:
    with pytest.raises(DebtError):
        opened(keys, recoveries, debt(months=0))
    twice = debt().months[:1] * 2
    with pytest.raises(DebtError):
        opened(keys, recoveries, Debt("m", person(1), "110", "130102", "death", twice))
    with pytest.raises(UnknownCode):
        opened(keys, recoveries, Debt("m", person(1), "999", "130102", "death", debt().months))
    assert opened(keys, recoveries) == opened(keys, recoveries)
    assert len(recoveries.recoveries(INVESTIGATOR)) == 1


def test_the_notice_says_in_both_languages_what_why_how_much_and_how_to_object(
    keys: Keys, recoveries: Recoveries
) -> None:
    recovery_id = noticed(keys, recoveries)
    page = recoveries.notice(INVESTIGATOR, recovery_id)
    for words in ("请节哀", "丧葬补助金和抚恤金属于家属", "提出异议", "12000.00", "不收利息", "第四十六条", "2024-09"):
        assert words in page
    for words in ("our condolences", "If you disagree", "No interest"):
        assert words in page
    assert person(1).text not in page
    living = recoveries.notice(INVESTIGATOR, noticed(keys, recoveries, debt(2, cause="custody")))
    assert "请节哀" not in living
    assert "从以后的养老金里" in living


def test_five_hundred_and_five_deaths_over_two_million_yuan_reconcile_and_tell_how_long_it_took(
    keys: Keys, recoveries: Recoveries
) -> None:
    """505 people, 2,414,800 yuan, 147 days on average to get one payment back: the audit's figures."""
    whole, people = 2_414_800_00, 505
    each, rest = divmod(whole, people)
    keys.clock.set(instant("2024-10-07"))
    with keys.database.begin() as connection:
        for order in range(people):
            amount = Money(each + (order < rest))
            month = OverpaidMonth(Month(2024, 8), amount, Money.zero(), "1401", LAW)
            one = Debt(f"clue-{order}:110", person(order), "110", "130102", "death", (month,))
            recoveries.open(connection, one)
    ids = [row.recovery_id for row in recoveries.recoveries(INVESTIGATOR, limit=1000)]
    keys.clock.set(instant("2025-03-03"))
    for number, recovery_id in enumerate(ids[:60]):
        outstanding = recoveries.view(INVESTIGATOR, recovery_id).row.outstanding if number < 2 else None
        paid = outstanding or Money(each)
        data = {"means": "repayment", "amount": paid, "moved_on": "2025-03-03", "reference": f"B{number}"}
        with keys.database.begin() as connection:
            recoveries.move(connection, INVESTIGATOR, recovery_id, "receive", data=data)
    with keys.database.read() as connection:
        found = recoveries.figures(connection)
    assert found.debt == Money(whole)
    assert found.debt == found.recovered + found.written_off + found.outstanding
    assert sum(found.by_state.values()) == people
    assert found.days_to_settle == 147.0


def test_the_diagram_and_terms_in_the_document_are_those_of_the_table() -> None:
    document = (ROOT / "docs" / "recovery.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{RECOVERY.mermaid_text()}```" in document
    for state, term in product_recovery_terms().items():
        assert f"| {RECOVERY.states[state][0]} `{state}` | {term.days} |" in document
        assert RECOVERY.rows(state, "overdue")


def test_every_state_can_be_reached_and_every_word_is_in_both_languages() -> None:
    reached = {str(RECOVERY.first)}
    while more := {row.target for row in RECOVERY.table if row.state in reached} - reached:
        reached |= more
    assert reached == set(RECOVERY.states)
    assert {row.event for row in RECOVERY.table} | {"open"} == set(RECOVERY.events)
    for chinese, english in (*RECOVERY.states.values(), *RECOVERY.events.values()):
        assert chinese
        assert english.isascii()


def test_a_deployments_own_terms_count_and_broken_ones_are_refused_by_name(tmp_path: Path) -> None:
    text = (ROOT / "src/huodang/supervision/recovery/data/terms.yaml").read_text(encoding="utf-8")
    file = tmp_path / "terms.yaml"
    file.write_text(text.replace("days: 15", "days: 30"), encoding="utf-8")
    assert read_recovery_terms(file)["noticed"].days == 30
    for broken in (
        text.replace("noticed:", "notised:"),
        text.replace("days: 15", "days: -1"),
        text.replace("days: 15", "days: many"),
        "opened: [",
    ):
        file.write_text(broken, encoding="utf-8")
        with pytest.raises(RecoveryTermsError) as caught:
            read_recovery_terms(file)
        assert caught.value.place.file == str(file)
