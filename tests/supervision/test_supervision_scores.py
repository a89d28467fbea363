"""What `score` finds in a crowd of honest people with one odd person among them, and how it explains it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scores_scene import Crowd, crowd

from huodang.supervision.scores import GenericMissing, ScoredPerson, Scores, ScoreSettings, score
from huodang.supervision.tables import Kind

PLAIN = ScoreSettings(generic=False, threads=1)
ODD = 700


@pytest.fixture(scope="module")
def honest() -> Crowd:
    return crowd(800)


def scored(made: Crowd, folder: Path, settings: ScoreSettings = PLAIN, **how: Any) -> Scores:
    return score(made.write(folder, **how), settings)


def of(found: Scores, person: int) -> ScoredPerson:
    return next(one for one in found.rows if one.person == person)


def points_of(found: Scores, person: int) -> float:
    return float(found.scores[np.searchsorted(found.people.person, person)])


def copied(made: Crowd) -> Crowd:
    return Crowd({kind: [dict(row) for row in rows] for kind, rows in made.rows.items()}, list(made.persons))


def overpaid(made: Crowd) -> None:
    made.of(Kind.PAYMENTS, ODD)["fen"] += 8_000


def long_pension_on_nine_years(made: Crowd) -> None:
    made.of(Kind.ARCHIVES, ODD)["contribution_months"] = 108


def ten_months_short_of_the_least(made: Crowd) -> None:
    made.of(Kind.ARCHIVES, ODD)["contribution_months"] = 170
    paid = made.of(Kind.PAYMENTS, ODD)
    paid["fen"] = paid["expected_fen"] = 170 * 900 + 20_000


def undecided_lump(made: Crowd) -> None:
    paid = dict(made.of(Kind.PAYMENTS, ODD))
    made.rows[Kind.PAYMENTS].append({**paid, "fen": paid["fen"] * 20, "kind": "back_pay", "expected_fen": None})


def went_eight_years_early(made: Crowd) -> None:
    made.of(Kind.ARCHIVES, ODD)["retirement_month"] -= 800


def contributions_leapt(made: Crowd) -> None:
    own = [row for row in made.rows[Kind.ENROLMENTS] if row["person"] == made.persons[ODD]]
    for row in sorted(own, key=lambda row: row["month"])[-2:]:
        row["fen"] *= 6


def one_account_for_nine(made: Crowd) -> None:
    for at in range(ODD, ODD + 9):
        made.of(Kind.PAYMENTS, at)["account"] = 10_000 + ODD


def one_address_for_nine(made: Crowd) -> None:
    young = [at for at, person in enumerate(made.persons) if person // 10**7 % 10_000 > 1955][:9]
    for at in (ODD, *young):
        made.of(Kind.ARCHIVES, at)["address"] = 90_000 + ODD


def overridden_five_times(made: Crowd) -> None:
    made.of(Kind.ARCHIVES, ODD)["overrides"] = 5


@pytest.mark.parametrize(
    ("change", "feature", "words"),
    [
        (overpaid, "entitlement", "按规则重算应为"),
        (long_pension_on_nine_years, "short_years", "缴费只有 9 年 0 个月"),
        (ten_months_short_of_the_least, "below_minimum", "缴费 170 个月，按出生年月应至少 180 个月，仍缺 10 个月"),
        (undecided_lump, "lump", "无核定依据"),
        (went_eight_years_early, "early", "仍早 96 个月"),
        (contributions_leapt, "contribution_spike", "为 6.5 倍"),
        (one_account_for_nine, "shared_account", "9 名领取人共用同一银行账户，分属 9 个不同地址"),
        (one_address_for_nine, "shared_address", "登记同一地址"),
        (overridden_five_times, "overridden", "人工改动 5 次"),
    ],
)
def test_an_odd_person_is_listed_with_the_reason_that_made_it_odd(
    honest: Crowd, tmp_path: Path, change: Callable[[Crowd], None], feature: str, words: str
) -> None:
    made = copied(honest)
    change(made)
    one = of(scored(made, tmp_path), made.persons[ODD])
    reason = next(found for found in one.reasons if found.feature == feature)
    assert words in reason.words.chinese
    assert reason.points > 0


def test_honest_people_who_are_paid_what_the_rules_give_have_no_reason_of_amount_account_or_age(
    honest: Crowd, tmp_path: Path
) -> None:
    found = scored(honest, tmp_path)
    named = {reason.feature for one in found.rows for reason in one.reasons}
    assert not named & {
        "entitlement",
        "lump",
        "early",
        "below_minimum",
        "shared_account",
        "shared_address",
        "overridden",
    }


def test_the_very_old_without_any_trace_of_life_are_shown_and_younger_people_are_not(
    honest: Crowd, tmp_path: Path
) -> None:
    made = copied(honest)
    oldest = min(range(len(made.persons)), key=lambda at: made.persons[at] // 1000 % 10**8)
    youngest = max(range(len(made.persons)), key=lambda at: made.persons[at] // 1000 % 10**8)
    gone = {made.persons[oldest], made.persons[youngest]}
    for kind in (Kind.VISITS, Kind.ENROLMENTS):
        made.rows[kind] = [row for row in made.rows[kind] if row["person"] not in gone]
    found = scored(made, tmp_path)
    assert [reason.feature for reason in of(found, made.persons[oldest]).reasons] == ["life_unseen"]
    assert "life_unseen" not in {
        reason.feature for one in found.rows if one.person == made.persons[youngest] for reason in one.reasons
    }


def test_a_doctor_who_certifies_far_more_early_retirements_than_others_is_named_and_the_honest_colleagues_not(
    honest: Crowd, tmp_path: Path
) -> None:
    made = copied(honest)
    for at, row in enumerate(made.rows[Kind.ARCHIVES]):
        # Each doctor certifies one in thirty; 医师3 half of all.
        if at % 30 == 0 or (row["doctor"] == "医师3" and at % 2 == 0):
            row["special"] = 1
            row["retirement_month"] -= 500
    found = scored(made, tmp_path, ScoreSettings(generic=False, threads=1, top=1500))
    heaps = [reason.words.chinese for one in found.rows for reason in one.reasons if reason.feature == "doctor_heap"]
    assert heaps
    assert all("医师3" in words for words in heaps)


def test_people_who_share_a_home_and_an_account_are_no_heap_of_strangers(honest: Crowd, tmp_path: Path) -> None:
    made = copied(honest)
    for at in range(ODD, ODD + 9):
        made.of(Kind.PAYMENTS, at)["account"] = 10_000 + ODD
        made.of(Kind.ARCHIVES, at)["address"] = 90_000 + ODD
    named = {reason.feature for one in scored(made, tmp_path).rows for reason in one.reasons}
    assert "shared_account" not in named


def test_an_account_of_a_declared_institution_is_no_reason(honest: Crowd, tmp_path: Path) -> None:
    made = copied(honest)
    one_account_for_nine(made)
    made.rows[Kind.INSTITUTIONS] = [{"account": 10_000 + ODD}]
    named = {reason.feature for one in scored(made, tmp_path).rows for reason in one.reasons}
    assert "shared_account" not in named


def test_a_score_is_the_sum_of_its_reasons_and_of_nothing_else(honest: Crowd, tmp_path: Path) -> None:
    made = copied(honest)
    for change in (overpaid, undecided_lump, overridden_five_times, one_account_for_nine):
        change(made)
    found = scored(made, tmp_path)
    assert len(of(found, made.persons[ODD]).reasons) >= 4
    for one in found.rows:
        assert one.score == pytest.approx(sum(reason.points for reason in one.reasons), abs=1e-4)
        assert all(reason.points > 0 for reason in one.reasons)


def test_another_order_of_rows_changes_no_score(honest: Crowd, tmp_path: Path) -> None:
    made = copied(honest)
    for change in (overpaid, undecided_lump, went_eight_years_early, one_account_for_nine):
        change(made)
    first = scored(made, tmp_path / "a")
    for seed in (1, 2):
        again = scored(made, tmp_path / str(seed), shuffled=seed)
        assert np.array_equal(first.scores, again.scores)
        assert [(one.person, one.row, one.reasons) for one in again.rows] == [
            (one.person, one.row, one.reasons) for one in first.rows
        ]


def test_a_larger_overpayment_never_scores_lower(honest: Crowd, tmp_path: Path) -> None:
    before = 0.0
    for step, fen in enumerate((0, 5_000, 80_000, 400_000, 5_000_000)):
        made = copied(honest)
        made.of(Kind.PAYMENTS, ODD)["fen"] += fen
        now = points_of(scored(made, tmp_path / str(step)), made.persons[ODD])
        assert now >= before
        before = now
    assert before > 0


def test_payments_that_name_nobody_are_counted_and_not_judged(honest: Crowd, tmp_path: Path) -> None:
    made = copied(honest)
    made.rows[Kind.PAYMENTS].append({"person": None, "fault": 2, "month": 202506, "fen": 100})
    made.rows[Kind.PAYMENTS].append({**made.of(Kind.PAYMENTS, 3), "fault": 5, "fen": 9_999_999})
    found = scored(made, tmp_path)
    assert found.unjudged == 2
    assert len(found.people) == len(made.persons)
    assert points_of(found, made.persons[3]) == 0


def test_with_payments_alone_peers_are_compared_and_the_rest_is_said_to_be_unjudged(
    honest: Crowd, tmp_path: Path
) -> None:
    made = copied(honest)
    for row in made.rows[Kind.PAYMENTS]:
        row["expected_fen"] = None
    made.of(Kind.PAYMENTS, ODD)["fen"] *= 8
    found = scored(made, tmp_path, without=(Kind.ARCHIVES, Kind.VISITS, Kind.ENROLMENTS))
    assert of(found, made.persons[ODD]).reasons[0].feature == "peers"
    unjudged = {feature.name for feature in found.features if not feature.judged}
    assert {"entitlement", "life_unseen", "early", "contribution_spike", "doctor_heap", "overridden"} <= unjudged


def test_a_month_far_above_the_persons_own_is_seen_among_several_months(honest: Crowd, tmp_path: Path) -> None:
    made = copied(honest)
    for back in (1, 2):
        made.rows[Kind.PAYMENTS] += [
            {**row, "month": 202506 - back} for row in honest.rows[Kind.PAYMENTS] if row["month"] == 202506
        ]
    made.rows[Kind.PAYMENTS][-1]["fen"] *= 7
    found = scored(made, tmp_path)
    reason = next(one for one in of(found, made.rows[Kind.PAYMENTS][-1]["person"]).reasons if one.feature == "lump")
    assert "高出本人平常" in reason.words.chinese


def test_nobody_is_paid_and_nobody_is_scored(tmp_path: Path) -> None:
    found = scored(Crowd({Kind.PAYMENTS: []}), tmp_path, ScoreSettings(threads=1))
    assert found.rows == ()
    assert len(found.people) == 0


def test_what_only_the_forest_finds_odd_stands_apart_and_has_no_score(honest: Crowd, tmp_path: Path) -> None:
    found = scored(honest, tmp_path, ScoreSettings(threads=1, top=50))
    alone = [one for one in found.rows if one.found_by == "generic"]
    assert 0 < len(alone) <= 5
    assert all(one.score == 0 and not one.reasons for one in alone)
    assert found.generic is not None


def test_without_scikit_learn_the_error_holds_the_line_that_installs_it(
    honest: Crowd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None in place of a module is how Python says that it can't be imported.
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(GenericMissing) as raised:
        scored(honest, tmp_path, ScoreSettings(threads=1))
    assert "pip install 'huodang[scores]'" in raised.value.sentence("en")
    assert scored(honest, tmp_path).generic is None
