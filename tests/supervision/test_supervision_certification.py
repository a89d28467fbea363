"""Certification: proved by data first, asked last, and nobody is cut for silence."""

import csv
import os
import shutil
import signal
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from supervision_people import (
    AUDITOR,
    CLERK,
    FAR_INVESTIGATOR,
    INVESTIGATOR,
    LEADER,
    REVIEWER,
    SIGNERS,
    Keys,
    instant,
    person,
)

from huodang.exchange import Actor
from huodang.standards import IdentityNumber
from huodang.store import Database, FixedClock, Worker
from huodang.supervision.certification import (
    CERTIFICATION,
    CertificationNotPermittedError,
    Certifications,
    IllegalCertificationEventError,
    ImportRequest,
    LadderError,
    Payee,
    Proof,
    ProofError,
    ProofImports,
    Suspicion,
    Taken,
    UnknownPersonError,
    finding_of,
    importing,
    product_ladder,
    read_ladder,
)
from huodang.supervision.clues import Stance
from huodang.supervision.timeline import DEATH, Fact, Timeline

ROOT = Path(__file__).parents[2]
REGION = "130102"


class Desk:
    """Certifications over one database, and what they hand on."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.suspicions: list[Suspicion] = []
        self.certifications = Certifications(
            keys.database,
            keys.ledger,
            keys.sealer,
            keys.looks,
            keys.clock,
            suspect=lambda _connection, one: self.suspicions.append(one),
        )
        self.imports = ProofImports(keys.database, self.certifications, keys.clock)

    def enrol(self, *orders: int, proved_on: date | None = date(2024, 6, 1)) -> None:
        self.certifications.enrol(Payee(person(order), REGION, proved_on) for order in orders)

    def prove(self, order: int, on: date, means: str = "medical_visit", **more: Actor) -> Taken:
        with self.keys.database.begin() as connection:
            proof = Proof(person(order), on, means, "test.source", "ab" * 32)
            return self.certifications.prove(connection, proof, **more)

    def state(self, order: int) -> str:
        return self.certifications.of_person(INVESTIGATOR, person(order)).row.state

    def on(self, day: str) -> None:
        self.keys.clock.set(instant(day))
        self.certifications.walk()


@pytest.fixture
def desk(any_database: Database, clock: FixedClock, tmp_path: Path) -> Desk:
    return Desk(Keys.of(any_database, clock, tmp_path, SIGNERS))


def test_whom_data_prove_is_never_asked(desk: Desk) -> None:
    desk.enrol(1, 2)
    desk.prove(1, date(2025, 3, 1), "hospital_stay")
    desk.on("2025-04-10")
    desk.on("2025-06-10")
    assert (desk.state(1), desk.state(2)) == ("valid", "overdue")
    view = desk.certifications.of_person(INVESTIGATOR, person(1))
    assert view.row.due_on == date(2026, 3, 1)
    assert [line.event for line in view.history] == ["enrol"]
    assert view.proofs[0].means_label == ("住院", "hospital stay")


def test_silence_walks_up_to_a_visit_and_an_investigation_and_no_further(desk: Desk) -> None:
    desk.enrol(1)
    seen = []
    for day in ("2025-04-01", "2025-04-02", "2025-04-22", "2025-05-12", "2025-06-02", "2025-07-02", "2025-08-15"):
        desk.on(day)
        seen.append(desk.state(1))
    assert seen == ["valid", "reminding", "reminding", "reminding", "overdue", "visiting", "visiting"]
    with desk.keys.database.begin() as connection:
        desk.certifications.not_found(connection, INVESTIGATOR, person(1), "家中无人，邻居称搬走")
    for day in ("2026-01-01", "2030-01-01"):
        desk.on(day)
    assert desk.state(1) == "referred"
    (told,) = desk.suspicions
    assert (told.rule, told.identity_number, told.note) == ("certification_overdue", person(1), "家中无人，邻居称搬走")
    events = [line.event for line in desk.certifications.of_person(INVESTIGATOR, person(1)).history]
    assert events == ["enrol", "approach", "remind", "remind", "lapse", "send_visit", "escalate", "not_found"]
    assert not {"stop", "hold", "suspend"} & {row.event for row in CERTIFICATION.table}
    finding = finding_of(told, "110")
    assert (finding.rule, finding.fen, finding.months) == ("certification_overdue", 0, ())


@pytest.mark.parametrize("until", ["2025-04-02", "2025-06-22", "2025-07-30"])
def test_a_proof_at_any_step_ends_the_asking(desk: Desk, until: str) -> None:
    desk.enrol(1)
    for day in ("2025-04-02", "2025-06-22", "2025-07-30"):
        if day <= until:
            desk.on(day)
    assert desk.state(1) != "valid"
    desk.prove(1, date.fromisoformat(until), "self_phone")
    view = desk.certifications.of_person(INVESTIGATOR, person(1))
    assert (view.row.state, view.row.reminders) == ("valid", 0)
    assert "手机自助认证" in view.words[0]
    assert "by phone" in view.words[1]


def test_nobody_lapses_on_the_day_of_being_told(desk: Desk) -> None:
    desk.enrol(1, proved_on=date(2020, 1, 1))
    desk.on("2025-03-03")
    assert desk.state(1) == "reminding"
    desk.on("2025-03-22")
    assert desk.state(1) == "reminding"
    desk.on("2025-03-23")
    assert desk.state(1) == "overdue"


def test_one_weak_proof_waits_and_two_of_different_means_prove(desk: Desk) -> None:
    desk.enrol(1, 2)
    assert desk.prove(1, date(2025, 2, 1), "travel_card").waiting == 1
    assert desk.prove(1, date(2025, 2, 20), "travel_card").waiting == 1
    assert desk.certifications.of_person(INVESTIGATOR, person(1)).row.proved_on == date(2024, 6, 1)
    assert desk.prove(1, date(2025, 3, 1), "pharmacy").counted == 1
    assert desk.certifications.of_person(INVESTIGATOR, person(1)).row.proved_on == date(2025, 3, 1)
    desk.prove(2, date(2024, 11, 1), "travel_card")
    assert desk.prove(2, date(2025, 3, 1), "pharmacy").waiting == 1  # 120 days apart


def test_what_is_too_old_or_of_a_stranger_or_said_before_is_counted_apart(desk: Desk) -> None:
    desk.enrol(1, proved_on=date(2023, 1, 1))
    assert desk.prove(1, date(2024, 2, 1), "hospital_stay").stale == 1
    assert desk.prove(9, date(2025, 3, 1)).stranger == 1
    assert desk.prove(1, date(2025, 3, 1)).counted == 1
    assert desk.prove(1, date(2025, 3, 1)).repeated == 1
    assert desk.certifications.of_person(INVESTIGATOR, person(1)).row.proved_on == date(2025, 3, 1)


def test_an_older_proof_never_takes_back_a_newer_one(desk: Desk) -> None:
    desk.enrol(1)
    desk.prove(1, date(2025, 3, 1))
    desk.prove(1, date(2025, 1, 1), "vaccination")
    assert desk.certifications.of_person(INVESTIGATOR, person(1)).row.proved_on == date(2025, 3, 1)


def test_a_sign_of_life_after_a_recorded_death_is_told_and_not_applied(desk: Desk) -> None:
    desk.enrol(1, 2)
    keys = desk.keys
    timeline = Timeline(keys.database, keys.sealer, keys.ledger, keys.clock)
    died = Fact(person(1), DEATH, "2025-02-01", date(2025, 2, 1), None, keys.clock.now(), "health.x", "d1")
    with keys.database.begin() as connection:
        number = timeline.record(connection, died)
    assert desk.prove(1, date(2025, 3, 1)).contradicted == 1
    assert desk.prove(1, date(2025, 1, 15)).counted == 1  # before the death it counts
    (told,) = desk.suspicions
    finding = finding_of(told, "110")
    assert (finding.signals[0].stance, finding.signals[0].kind) == (Stance.AGAINST, "alive")
    with keys.database.begin() as connection:
        timeline.record(
            connection, Fact(person(1), DEATH, "", None, None, keys.clock.now(), "health.x", "d2", replaces=number)
        )
    assert desk.prove(1, date(2025, 3, 2)).counted == 1


def test_each_means_is_for_its_own_people(desk: Desk) -> None:
    desk.enrol(1)
    citizen = Actor(desk.keys.index(person(1)), "本人", "citizen", "", "")
    stranger = Actor(desk.keys.index(person(2)), "别人", "citizen", "", "")
    today = date(2025, 3, 3)
    assert desk.prove(1, today, "self_phone", actor=citizen).counted == 1
    with pytest.raises(CertificationNotPermittedError):
        desk.prove(1, today, "visit", actor=citizen)
    with pytest.raises(CertificationNotPermittedError):
        desk.prove(1, today, "hospital_stay", actor=CLERK)
    for actor in (stranger, FAR_INVESTIGATOR, LEADER, REVIEWER):
        with pytest.raises(UnknownPersonError):
            desk.prove(1, today, "window", actor=actor)
    with pytest.raises(ProofError, match="没有这种"):
        desk.prove(1, today, "telepathy")
    with pytest.raises(ProofError, match="将来"):
        desk.prove(1, today + timedelta(days=1))
    assert desk.prove(1, today, "visit", actor=INVESTIGATOR).counted == 1


def test_a_visit_that_is_not_due_cannot_fail(desk: Desk) -> None:
    desk.enrol(1)
    with pytest.raises(IllegalCertificationEventError), desk.keys.database.begin() as connection:
        desk.certifications.not_found(connection, INVESTIGATOR, person(1), "家中无人")
    assert desk.suspicions == []


def test_the_person_sees_what_proved_it_and_every_look_is_recorded_and_numbers_stay_masked(desk: Desk) -> None:
    desk.enrol(1, 2)
    desk.prove(1, date(2025, 3, 1), "vaccination")
    desk.on("2025-04-10")
    citizen = Actor(desk.keys.index(person(1)), "本人", "citizen", "", "")
    view = desk.certifications.of_person(citizen, person(1))
    assert "接种疫苗" in view.words[0]
    assert [one.event for one in view.may] == ["prove"]
    with pytest.raises(UnknownPersonError):
        desk.certifications.of_person(citizen, person(2))
    (row,) = desk.certifications.due(INVESTIGATOR, date(2025, 6, 1))
    assert row.identity_number == f"{person(2).text[:6]}********{person(2).text[-4:]}"
    assert desk.certifications.due(FAR_INVESTIGATOR, date(2025, 6, 1)) == []
    assert desk.certifications.of_person(AUDITOR, person(1)).may == ()
    looks = desk.keys.looks.of_subject(desk.keys.index(person(2)))
    assert {look.what for look in looks} == {"certification_due"}


def write(path: Path, rows: list[tuple[str, str]], heading: tuple[str, str] = ("证件号码", "就诊日期")) -> Path:
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([heading, *rows])
    return path


def test_a_file_is_taken_once_and_bad_rows_are_set_aside_with_their_reason(desk: Desk, tmp_path: Path) -> None:
    desk.enrol(1, 2, 3)
    rows = [
        (person(1).text, "2025-03-01"),
        (person(2).text, "20250228"),
        ("130102195506010019", "2025-03-01"),
        (person(3).text, "昨天"),
        (person(3).text, "2025-03-04"),
        (person(9).text, "2025/03/01"),
        (person(1).text, "2025-03-01"),
    ]
    file = write(tmp_path / "visits.csv", rows)
    request = ImportRequest(file, "medical_visit", quarantine=tmp_path / "bad.csv")
    assert desk.imports.take(ImportRequest(file, "medical_visit", dry_run=True)).quarantined == 3
    taken = desk.imports.take(request)
    assert (taken.counted, taken.stranger, taken.repeated, taken.quarantined) == (2, 1, 1, 3)
    assert desk.imports.take(request).again
    with (tmp_path / "bad.csv").open(encoding="utf-8-sig", newline="") as quarantine:
        bad = list(csv.DictReader(quarantine))
    assert [(one["行"], one["列"]) for one in bad] == [("4", "证件号码"), ("5", "就诊日期"), ("6", "就诊日期")]
    text = (tmp_path / "bad.csv").read_text(encoding="utf-8")
    assert not any(number in text for number, _ in rows)


def test_a_file_without_a_column_or_of_an_unknown_means_is_refused(desk: Desk, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", [(person(1).text, "2025-03-01")], ("号", "就诊日期"))
    with pytest.raises(ProofError, match="证件号码"):
        desk.imports.take(ImportRequest(file, "medical_visit"))
    with pytest.raises(ProofError, match="没有这种"):
        desk.imports.take(ImportRequest(file, "nothing"))
    with pytest.raises(ProofError):
        desk.imports.take(ImportRequest(file, "medical_visit"), CLERK)
    with pytest.raises(ProofError, match="无法读取"):
        desk.imports.take(ImportRequest(tmp_path / "absent.csv", "medical_visit"))


def test_killed_while_a_file_is_taken_it_goes_on_and_every_proof_stands_once(
    migrated_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "PART", 50)
    shutil.copyfile(migrated_template, tmp_path / "hub.db")
    url, people = f"sqlite:///{tmp_path / 'hub.db'}", 400

    def make() -> Desk:
        return Desk(Keys.of(Database.open(url), FixedClock(instant("2025-03-03")), tmp_path, SIGNERS))

    desk = make()
    desk.enrol(*range(people))
    desk.keys.database.close()
    rows = [(person(order).text, "2025-03-01") for order in range(people)]
    rows[7] = ("bad", "2025-03-01")
    rows[333] = ("bad", "2025-03-01")
    request = ImportRequest(write(tmp_path / "v.csv", rows), "medical_visit", quarantine=tmp_path / "bad.csv")

    def take_and_die(after: int) -> None:
        child = os.fork()
        if child == 0:
            mine = make()
            mine.imports.take(
                request, progress=lambda done: os.kill(os.getpid(), signal.SIGKILL) if done >= after else None
            )
            os._exit(0)
        os.waitpid(child, 0)

    for after in (50, 150, 350):
        take_and_die(after)
    desk = make()
    taken = desk.imports.take(request)
    assert (taken.counted, taken.repeated, taken.quarantined) == (people - 2, 0, 2)
    with (tmp_path / "bad.csv").open(encoding="utf-8-sig", newline="") as quarantine:
        assert [one["行"] for one in csv.DictReader(quarantine)] == ["9", "335"]
    assert desk.certifications.counts()["valid"] == people
    desk.keys.ledger.seal_batch()
    assert desk.keys.ledger.verify_all().valid
    desk.keys.database.close()


def test_the_walk_as_a_job_is_done_once_a_day_and_plans_the_next(desk: Desk) -> None:
    desk.enrol(1)
    with desk.keys.database.begin() as connection:
        desk.certifications.plan(connection)
    worker = Worker(desk.keys.database, desk.certifications.handlers(), desk.keys.clock)
    for day in range(60):
        desk.keys.clock.set(instant("2025-03-03", 20) + timedelta(days=day))
        worker.run_once()
        worker.run_once()
    events = [line.event for line in desk.certifications.of_person(INVESTIGATOR, person(1)).history]
    assert events == ["enrol", "approach", "remind"]


@settings(max_examples=12, deadline=None)
@given(
    days=st.lists(st.tuples(st.integers(1, 40), st.sampled_from(["walk", "visit", "card", "shop"])), max_size=14),
)
def test_the_last_proof_that_counts_decides_when_one_is_due_next(
    migrated_template: Path, tmp_path_factory: pytest.TempPathFactory, days: list[tuple[int, str]]
) -> None:
    folder = tmp_path_factory.mktemp("ladder")
    shutil.copyfile(migrated_template, folder / "l.db")
    clock = FixedClock(instant("2025-03-03"))
    desk = Desk(Keys.of(Database.open(f"sqlite:///{folder / 'l.db'}"), clock, folder, SIGNERS))
    desk.enrol(1)
    ladder = product_ladder()
    sequence = 0
    for step, what in days:
        clock.advance(timedelta(days=step))
        means = {"visit": "medical_visit", "card": "travel_card", "shop": "pharmacy"}.get(what)
        if means is not None:
            desk.prove(1, clock.today(), means)
        desk.certifications.walk()
        view = desk.certifications.of_person(INVESTIGATOR, person(1))
        counted = [date(2024, 6, 1), *(one.on for one in view.proofs if one.standing == "counted")]
        assert view.row.proved_on == max(counted)
        assert view.row.due_on == ladder.due_on(max(counted))
        if clock.today() < view.row.due_on - timedelta(days=ladder.first_reminder_days.value):
            assert view.row.state == "valid"
        assert view.row.state != "ended"
        assert [line.sequence for line in view.history] == list(range(1, len(view.history) + 1))
        assert len(view.history) >= sequence
        sequence = len(view.history)
    desk.keys.database.close()


def test_thousands_are_enrolled_proved_and_walked_as_sets(
    migrated_template: Path, tmp_path: Path, clock: FixedClock
) -> None:
    shutil.copyfile(migrated_template, tmp_path / "many.db")
    desk = Desk(Keys.of(Database.open(f"sqlite:///{tmp_path / 'many.db'}"), clock, tmp_path, SIGNERS))
    people = [person(order % 900, date(1940, 1, 1) + timedelta(days=order // 900)) for order in range(8_000)]
    payees = [Payee(IdentityNumber.parse(one.text), REGION, date(2024, 4, 1)) for one in people]
    assert desk.certifications.enrol(payees) == len(people)
    assert desk.certifications.enrol(payees[:100]) == 0
    rows = [(one.text, f"2025-02-{1 + order % 28:02d}") for order, one in enumerate(people[:6_000])]
    file = write(tmp_path / "v.csv", rows)
    began = time.monotonic()
    assert desk.imports.take(ImportRequest(file, "medical_visit")).counted == 6_000
    assert desk.certifications.walk().moved == {"approach": 2_000}
    assert time.monotonic() - began < 60
    assert desk.certifications.counts()["valid"] == 6_000
    desk.keys.database.close()


def test_the_diagram_figures_and_means_in_the_document_are_those_of_table_and_ladder() -> None:
    document = (ROOT / "docs" / "certification.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{CERTIFICATION.mermaid_text()}```" in document
    ladder = product_ladder()
    for name, means in ladder.means.items():
        assert f"| {means.chinese} `{name}` |" in document
    assert f"| `period_months` | {ladder.period_months.value} |" in document


def test_every_state_can_be_reached_and_every_word_is_in_both_languages() -> None:
    reached = {str(CERTIFICATION.first)}
    while more := {row.target for row in CERTIFICATION.table if row.state in reached} - reached:
        reached |= more
    assert reached == set(CERTIFICATION.states)
    assert {row.event for row in CERTIFICATION.table} == set(CERTIFICATION.events)
    for chinese, english in (*CERTIFICATION.states.values(), *CERTIFICATION.events.values()):
        assert chinese
        assert english.isascii()


def test_a_deployments_own_ladder_counts_and_broken_ones_are_refused_by_name(tmp_path: Path) -> None:
    text = (ROOT / "src/huodang/supervision/certification/data/ladder.yaml").read_text(encoding="utf-8")
    file = tmp_path / "ladder.yaml"
    file.write_text(text.replace("{value: 12,", "{value: 6,"), encoding="utf-8")
    assert read_ladder(file).due_on(date(2025, 8, 31)) == date(2026, 2, 28)
    for broken in (
        text.replace("period_months", "periode"),
        text.replace("{value: 12,", "{value: 0,"),
        text.replace('method: "02"', 'method: "99"'),
        "means: [",
    ):
        file.write_text(broken, encoding="utf-8")
        with pytest.raises(LadderError) as caught:
            read_ladder(file)
        assert caught.value.place.file == str(file)
