"""Two clocks: what was known when never changes, and every overpaid month is recomputed to the fen."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from supervision_people import SIGNERS, Keys, instant, person

from huodang.standards import Money, Month
from huodang.store import Database, FixedClock
from huodang.supervision.timeline import (
    CUSTODY,
    DEATH,
    Fact,
    FactError,
    KnownFact,
    PaidMonth,
    StatementError,
    Timeline,
    recompute,
    verify_statement,
)
from huodang.supervision.timeline.records import fact as fact_rows
from huodang.trust import Signer, TrustedKeys, sign_envelope

PENSION = Money(3_000_00)
WHO = person(1)


@pytest.fixture
def keys(any_database: Database, clock: FixedClock, tmp_path: Path) -> Keys:
    return Keys.of(any_database, clock, tmp_path, SIGNERS)


@pytest.fixture
def timeline(keys: Keys) -> Timeline:
    return Timeline(keys.database, keys.sealer, keys.ledger, keys.clock, keys.signer)


def tell(
    keys: Keys, timeline: Timeline, value: str, on: str, element: str = DEATH, *, replaces: int = 0, **more: object
) -> int:
    """Let a fact reach the platform at nine o'clock of a day."""
    keys.clock.set(instant(on))
    given_facts = {"valid_from": None, "valid_to": None, "source": "health.death_registered", **more}
    fact = Fact(WHO, element, value, known_at=instant(on), digest=f"d-{value}-{on}", replaces=replaces, **given_facts)  # type: ignore[arg-type]
    with keys.database.begin() as connection:
        return timeline.record(connection, fact)


def paid_months(first: str, count: int, amount: Money = PENSION) -> list[PaidMonth]:
    """Months paid on the fifth of each."""
    start = Month.parse(first)
    return [
        PaidMonth(start + n, amount, amount, datetime(*(start + n).first_day().timetuple()[:2], 5, 1, tzinfo=UTC))
        for n in range(count)
    ]


def test_a_late_death_lists_every_month_after_death_and_says_that_nobody_knew(keys: Keys, timeline: Timeline) -> None:
    tell(keys, timeline, "2025-01-20", "2025-05-20")
    lines, totals = recompute(paid_months("202501", 5), timeline.history(keys.index(WHO)), keys.clock.now())
    assert [line.difference.fen for line in lines] == [0, 300000, 300000, 300000, 300000]
    assert totals.overpaid == Money(1_200_000)
    assert totals.known_then == Money.zero()
    assert all(line.due_then == PENSION for line in lines)
    assert all("社会保险" in law for line in lines[1:] for law in line.laws)


def test_what_was_paid_after_the_platform_knew_is_the_agencys_own_error(keys: Keys, timeline: Timeline) -> None:
    tell(keys, timeline, "2025-01-20", "2025-02-20")
    keys.clock.set(instant("2025-06-01"))
    lines, totals = recompute(paid_months("202501", 4), timeline.history(keys.index(WHO)), keys.clock.now())
    assert [line.known_then.fen for line in lines] == [0, 0, 300000, 300000]
    assert totals.overpaid == Money(900_000)


def test_a_corrected_death_date_moves_the_months_and_the_first_belief_can_still_be_told(
    keys: Keys, timeline: Timeline
) -> None:
    first = tell(keys, timeline, "2025-01-20", "2025-04-10")
    tell(keys, timeline, "2025-03-02", "2025-05-10", replaces=first)
    index = keys.index(WHO)
    _, totals = recompute(paid_months("202501", 5), timeline.history(index), instant("2025-06-01"))
    assert totals.overpaid == Money(600_000)  # April and May
    _, believed = recompute(paid_months("202501", 5), timeline.history(index), instant("2025-04-20"))
    assert believed.overpaid == Money(1_200_000)
    assert [one.value for one in timeline.as_known(index, DEATH, instant("2025-04-20"))] == ["2025-01-20"]
    assert [one.value for one in timeline.as_known(index, DEATH, instant("2025-06-01"))] == ["2025-03-02"]


def test_an_annulled_death_turns_what_was_withheld_into_money_owed(keys: Keys, timeline: Timeline) -> None:
    wrong = tell(keys, timeline, "2025-01-20", "2025-02-01")
    tell(keys, timeline, "", "2025-05-10", replaces=wrong)
    withheld = [PaidMonth(one.month, PENSION, Money.zero(), one.payday) for one in paid_months("202502", 3)]
    lines, totals = recompute(withheld, timeline.history(keys.index(WHO)), keys.clock.now())
    assert [line.due_then.fen for line in lines] == [0, 0, 0]
    assert totals.owed == Money(900_000)
    assert totals.overpaid == Money.zero()


def test_a_retroactive_sentence_takes_back_the_months_inside_and_no_other(keys: Keys, timeline: Timeline) -> None:
    tell(
        keys,
        timeline,
        "prison",
        "2025-07-01",
        CUSTODY,
        valid_from=date(2025, 1, 15),
        valid_to=date(2025, 4, 10),
        source="justice.custody_changed",
    )
    months = [
        PaidMonth(one.month, PENSION, PENSION, one.payday, old_rate=Money(280_000)) for one in paid_months("202501", 6)
    ]
    lines, _ = recompute(months, timeline.history(keys.index(WHO)), keys.clock.now())
    # From the month after it began through the month of release; then the old rate again (R-PRI-01).
    assert [line.difference.fen for line in lines] == [0, 300000, 300000, 300000, 20000, 20000]


def test_an_acquittal_after_detention_gives_the_months_back(keys: Keys, timeline: Timeline) -> None:
    held = tell(keys, timeline, "detention", "2025-02-01", CUSTODY, valid_from=date(2025, 1, 15), source="justice.x")
    tell(keys, timeline, "", "2025-06-01", CUSTODY, replaces=held, source="justice.x")
    withheld = [PaidMonth(one.month, PENSION, Money.zero(), one.payday) for one in paid_months("202502", 4)]
    _, totals = recompute(withheld, timeline.history(keys.index(WHO)), keys.clock.now())
    assert totals.owed == Money(1_200_000)


@pytest.mark.parametrize("kind", ["probation", "control", "outside", "parole"])
def test_probation_and_serving_outside_are_paid_on_at_the_old_rate(keys: Keys, timeline: Timeline, kind: str) -> None:
    tell(keys, timeline, kind, "2025-07-01", CUSTODY, valid_from=date(2025, 1, 15), source="justice.x")
    paid = paid_months("202502", 1)[0]
    history, now = timeline.history(keys.index(WHO)), keys.clock.now()
    ((known,), _) = recompute([PaidMonth(paid.month, PENSION, PENSION, paid.payday, Money(290_000))], history, now)
    assert known.difference == Money(10_000)
    ((open_,), _) = recompute([paid], history, now)
    assert (open_.difference, open_.reasons) == (Money.zero(), ("old_rate_not_told",))


def test_a_kind_of_custody_that_nobody_knows_cuts_nothing(keys: Keys, timeline: Timeline) -> None:
    tell(keys, timeline, "whatever", "2025-07-01", CUSTODY, valid_from=date(2025, 1, 15), source="justice.x")
    lines, totals = recompute(paid_months("202502", 3), timeline.history(keys.index(WHO)), keys.clock.now())
    assert totals.overpaid == Money.zero()
    assert {line.reasons for line in lines} == {("custody_unclear",)}


def test_of_two_death_dates_the_later_counts_and_the_month_is_marked(keys: Keys, timeline: Timeline) -> None:
    tell(keys, timeline, "2025-01-20", "2025-05-01")
    tell(keys, timeline, "2025-03-20", "2025-05-02", source="police.death_registered")
    lines, _ = recompute(paid_months("202502", 4), timeline.history(keys.index(WHO)), keys.clock.now())
    assert [line.difference.fen for line in lines] == [0, 0, 300000, 300000]
    assert "death_disputed" in lines[2].reasons


@pytest.mark.parametrize(
    ("known", "unpaid_from"), [("2025-02", "202503"), ("2025", "202601"), ("2024-12-31", "202501")]
)
def test_a_death_known_to_month_or_year_counts_from_its_last_possible_day(
    keys: Keys, timeline: Timeline, known: str, unpaid_from: str
) -> None:
    tell(keys, timeline, known, "2026-02-01")
    lines, _ = recompute(paid_months("202501", 14), timeline.history(keys.index(WHO)), keys.clock.now())
    over = [line for line in lines if line.difference > Money.zero()]
    assert str(over[0].month) == unpaid_from
    assert ("death_bound" in over[0].reasons) is (len(known) < 10)


def test_the_same_message_again_is_one_fact(keys: Keys, timeline: Timeline) -> None:
    assert tell(keys, timeline, "2025-01-20", "2025-05-01") == tell(keys, timeline, "2025-01-20", "2025-05-01")
    assert len(timeline.history(keys.index(WHO))) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"valid_from": date(2025, 5, 2), "valid_to": date(2025, 5, 1)},
        {"replaces": 4711},
        {"source": ""},
    ],
)
def test_a_fact_that_contradicts_itself_is_refused(keys: Keys, timeline: Timeline, bad: dict[str, object]) -> None:
    with pytest.raises(FactError):
        tell(keys, timeline, "2025-01-20", "2025-05-01", **bad)  # type: ignore[arg-type]
    assert timeline.history(keys.index(WHO)) == []


def test_a_fact_from_the_future_and_a_second_correction_of_one_fact_are_refused(keys: Keys, timeline: Timeline) -> None:
    first = tell(keys, timeline, "2025-01-20", "2025-05-01")
    tell(keys, timeline, "2025-01-21", "2025-05-02", replaces=first)
    with pytest.raises(FactError, match="已被更正"):
        tell(keys, timeline, "2025-01-22", "2025-05-03", replaces=first)
    late = Fact(WHO, DEATH, "2025-01-20", None, None, keys.clock.now() + timedelta(seconds=1), "health.x", "d")
    with pytest.raises(FactError, match="将来"), keys.database.begin() as connection:
        timeline.record(connection, late)


def test_no_value_and_no_identity_number_stands_in_the_clear(keys: Keys, timeline: Timeline) -> None:
    tell(keys, timeline, "2025-01-20", "2025-05-01")
    with keys.database.read() as connection:
        stored = str(connection.execute(fact_rows.select()).all())
    assert WHO.text not in stored
    assert "2025-01-20" not in stored.replace("d-2025-01-20", "")


@settings(max_examples=12)
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from(["2025-01-20", "2025-02", "2025-03-02", "2024"]),
            st.sampled_from(["new", "correct", "annul"]),
        ),
        min_size=1,
        max_size=6,
    ),
    asked=st.integers(0, 5),
)
def test_what_was_known_at_a_past_instant_never_changes(
    migrated_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, str, str]],
    asked: int,
) -> None:
    folder = tmp_path_factory.mktemp("known")
    shutil.copyfile(migrated_template, folder / "known.db")
    clock = FixedClock(instant("2025-05-01"))
    keys = Keys.of(Database.open(f"sqlite:///{folder / 'known.db'}"), clock, folder, SIGNERS)
    timeline = Timeline(keys.database, keys.sealer, keys.ledger, clock)
    index = keys.index(WHO)
    seen: dict[datetime, list[KnownFact]] = {}
    standing: list[int] = []
    for order, (minutes, value, what) in enumerate(steps):
        replaces = standing.pop() if standing and what != "new" else 0
        said = "" if what == "annul" and replaces else value
        fact = Fact(WHO, DEATH, said, None, None, clock.now(), "health.x", f"d{order}", replaces)
        with keys.database.begin() as connection:
            number = timeline.record(connection, fact)
        standing += [number] if said else []
        clock.advance(timedelta(minutes=minutes) if minutes else timedelta(microseconds=order + 10))
        for instant_, before in seen.items():
            assert timeline.as_known(index, DEATH, instant_) == before
        past = clock.now() - timedelta(microseconds=asked + 1)
        seen[past] = timeline.as_known(index, DEATH, past)
    keys.database.close()


@given(
    amounts=st.lists(st.integers(0, 999_999), min_size=1, max_size=30),
    entitled=st.integers(1, 999_999),
    died=st.integers(0, 30),
    known_after=st.integers(0, 1000),
)
def test_the_sums_of_a_recomputation_are_those_of_its_months(
    amounts: list[int], entitled: int, died: int, known_after: int
) -> None:
    months = [
        PaidMonth(one.month, Money(entitled), Money(fen), one.payday)
        for one, fen in zip(paid_months("202301", len(amounts)), amounts, strict=True)
    ]
    told = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=known_after)
    day = (Month(2023, 1) + died).first_day().isoformat()
    fact = KnownFact(1, "", DEATH, day, None, None, told, told, "health.x", "d", 0, "")
    lines, totals = recompute(months, [fact], datetime(2030, 1, 1, tzinfo=UTC))
    assert totals.paid.fen == sum(amounts)
    assert totals.paid == totals.due_now + totals.overpaid - totals.owed
    assert totals.known_then <= totals.overpaid
    assert all(line.due_now in (Money.zero(), Money(entitled)) for line in lines)


def test_a_signed_recomputation_is_checked_offline_and_any_change_shows(keys: Keys, timeline: Timeline) -> None:
    tell(keys, timeline, "2025-01-20", "2025-05-20")
    with keys.database.begin() as connection:
        envelope = timeline.recomputation(connection, WHO, "110", paid_months("202501", 5))
    text = envelope.to_json()
    report = verify_statement(text, keys.trusted, identity=WHO)
    assert report.valid
    assert report.totals is not None
    assert report.totals.overpaid == Money(1_200_000)
    assert timeline.statement(envelope.digest).to_json() == text
    assert WHO.text not in text
    assert not verify_statement(text, keys.trusted, identity=person(2)).valid
    forged = text.replace("1200000", "1100000")
    assert [check.code for check in verify_statement(forged, keys.trusted).checks if not check.passed] == ["signature"]
    stranger = TrustedKeys()
    stranger.add(Signer.generate("hub").public)
    assert not verify_statement(text, stranger).valid
    keys.ledger.seal_batch()
    assert keys.ledger.verify_all().valid


def test_a_signed_sum_that_does_not_follow_from_its_facts_is_found(keys: Keys, timeline: Timeline) -> None:
    tell(keys, timeline, "2025-01-20", "2025-05-20")
    with keys.database.begin() as connection:
        honest = timeline.recomputation(connection, WHO, "110", paid_months("202501", 5))
    payload = json.loads(honest.payload_text)
    payload["totals"]["overpaid"] = "99"
    wrong = sign_envelope("recomputation", payload, keys.signer)
    report = verify_statement(wrong.to_json(), keys.trusted)
    assert [check.code for check in report.checks if not check.passed] == ["arithmetic"]


def test_nothing_is_recomputed_without_months_or_with_one_twice(keys: Keys, timeline: Timeline) -> None:
    for months in ([], paid_months("202501", 1) * 2):
        with pytest.raises(StatementError), keys.database.begin() as connection:
            timeline.recomputation(connection, WHO, "110", months)
