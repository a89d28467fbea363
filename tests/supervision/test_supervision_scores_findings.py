"""Listed people at the clue desk: somebody looks, and nothing is held."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scores_scene import Crowd, Prepared, crowd, full_number

from huodang.exchange import Actor, Looks
from huodang.ledger import Ledger
from huodang.store import Database, FixedClock
from huodang.supervision.clues import ClueDesk, Measure, Tier, judge, may_hold, product_registers, tier_of
from huodang.supervision.scores import Scores, ScoreSettings, findings, score
from huodang.supervision.tables import Kind
from huodang.trust import FieldSealer, Signer

AT = datetime(2025, 7, 1, 1, 0, tzinfo=UTC)
INVESTIGATOR = Actor("li", "稽核员李", "investigator", "social_insurance", "130000")
SIGNERS = (Signer.generate("hub", "national"), Signer.generate("hub", "international"))


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Crowd, Prepared, Scores]:
    made = crowd(600)
    made.of(Kind.PAYMENTS, 100)["fen"] += 9_000
    prepared = made.write(tmp_path_factory.mktemp("listed"))
    return made, prepared, score(prepared, ScoreSettings(generic=False, threads=1, top=3))


def test_each_listed_person_is_a_finding_with_the_reasons_as_evidence(listed: tuple[Crowd, Prepared, Scores]) -> None:
    made, prepared, found = listed
    told = list(findings(found, prepared, "run-7", AT))
    assert len(told) == 3
    person = next(one for one in told if one.identity_number == full_number(made.persons[100]))
    assert (person.rule, person.scheme, [str(month) for month in person.months]) == ("score", "110", ["202506"])
    evidence = json.loads(person.evidence)
    assert evidence["reasons"][0]["feature"] == "entitlement"
    assert evidence["file_row"] == "102"


def test_a_score_is_a_reason_to_look_and_no_more_though_a_thousand_turned_out_right(
    listed: tuple[Crowd, Prepared, Scores],
) -> None:
    _, prepared, found = listed
    registers = product_registers()
    for one in findings(found, prepared, "run-7", AT):
        judged = judge(one.signals, registers.rates({("scores", "score"): (1000, 0)}), registers.weighed())
        assert judged.measure is Measure.VERIFY
        assert tier_of(judged) is Tier.LOOK
        assert not may_hold(one.rule)


def test_the_clue_desk_opens_clues_that_an_investigator_sees_masked(
    listed: tuple[Crowd, Prepared, Scores], tmp_path: Path
) -> None:
    made, prepared, found = listed
    database = Database.open(f"sqlite:///{tmp_path / 'hub.db'}")
    database.migrate()
    clock = FixedClock(AT)
    ledger = Ledger(database, SIGNERS, "test.example/huodang", clock)
    sealer = FieldSealer.create(tmp_path / "keys")
    desk = ClueDesk(database, ledger, sealer, Looks(database, ledger, clock), clock, region="130000")
    with database.begin() as connection:
        opened = [desk.open(connection, one) for one in findings(found, prepared, "run-7", AT)]
    rows = desk.queue(INVESTIGATOR)
    assert {row.clue_id for row in rows} == set(opened)
    assert {row.tier for row in rows} == {Tier.LOOK}
    assert full_number(made.persons[100]) not in repr(rows)
    database.close()
