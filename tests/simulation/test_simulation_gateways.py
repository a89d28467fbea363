"""Each department's gateway, built from its file, answers signed grants about the people made up for it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from huodang.exchange import GRANT, IDEMPOTENCY_KEY, VERDICT, Gateway, Grant, Kind, Verdict, read_gateway_file
from huodang.simulation import (
    BusinessClock,
    Person,
    PoliceTrouble,
    Population,
    Quirk,
    World,
    certify_death,
    lay_out,
)
from huodang.simulation.data_files import data_mapping
from huodang.store import OffsetClock
from huodang.trust import Provisioner, Signer, open_envelope, sign_envelope


class Asking:
    """Asks gateways the way a hub does: a signed grant goes in, a signed verdict comes out."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._keys = Provisioner(world.root)
        self._hub = Signer.load(self._keys.keys_folder("hub"), "hub")
        self._clock = OffsetClock(world.clock_file)
        self._gateways: dict[str, Gateway] = {}
        self._count = 0

    def gateway(self, department: str) -> Gateway:
        if department not in self._gateways:
            self._gateways[department] = Gateway.open(read_gateway_file(self.world.settings_file(department)))
        return self._gateways[department]

    def close(self) -> None:
        for gateway in self._gateways.values():
            gateway.close()

    def ask(self, resource: str, person: Person, key: str = "", **told: str) -> Verdict:
        """Ask one question. `told` holds claims and parameters; what is no element is a parameter."""
        terms = data_mapping("agreements.yaml")[resource]
        claims = {name: value for name, value in told.items() if name in terms["elements"] and not key}
        parameters = {name: value for name, value in told.items() if name not in claims}
        now = self._clock.now().replace(microsecond=0)
        self._count += 1
        grant = Grant(
            grant_id=f"g{self._count}",
            resource=resource,
            agreement_id=f"XY-{resource.replace('.', '-')}",
            agreement_version=1,
            provider=resource.partition(".")[0],
            consumer="social_insurance",
            purpose="retirement",
            legal_basis="test",
            case_id="TX-1",
            subject=person.number,
            issued_at=now,
            expires_at=now + timedelta(minutes=5),
            nonce=f"{self._count:032x}",
            kind=Kind(terms["kind"]),
            claims=claims,
            parameters=parameters | ({IDEMPOTENCY_KEY: key} if key else {}),
            elements=tuple(terms["elements"]),
            fields=tuple(terms["fields"]),
        )
        envelope = sign_envelope(GRANT, grant.to_payload(), self._hub)
        (answer,) = self.gateway(grant.provider).answer([envelope.to_json()])
        return Verdict.from_payload(open_envelope(answer, VERDICT, self._keys.trusted()))

    def says(self, resource: str, person: Person, key: str = "", **told: str) -> tuple[str, str]:
        verdict = self.ask(resource, person, key, **told)
        return verdict.outcome.value, verdict.reason


@pytest.fixture(scope="module")
def asking(province: Population, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    world = lay_out(tmp_path_factory.mktemp("world"), province)
    BusinessClock(world.clock_file, province.today)
    asked = Asking(world)
    yield asked
    asked.close()


def due_with(province: Population, quirk: Quirk) -> Person:
    return next(person for person in province.due if quirk in person.quirks)


def ordinary(province: Population) -> Person:
    return next(person for person in province.due if not person.quirks and not person.statement and person.one_child)


def claims_of(person: Person) -> dict[str, str]:
    return {
        "name": person.former_name or person.name,
        "sex": person.sex,
        "birth_date": person.registered_birth.isoformat(),
    }


def test_no_gateway_has_anything_to_complain_of(asking: Asking) -> None:
    for department in asking.world.process_names[:-2]:
        conformance = asking.gateway(department).conformance()
        assert conformance["source_reachable"] is True
        assert conformance["warnings"] == conformance["quarantine"] == conformance["agreement_problems"] == []
        assert all(resource["agreements"] for resource in conformance["resources"])


def test_an_ordinary_person_is_clear_everywhere(asking: Asking, province: Population) -> None:
    person = ordinary(province)
    today = province.today.isoformat()
    assert asking.says("police.household", person, **claims_of(person)) == ("clear", "matches")
    assert asking.says("police.alive", person) == ("clear", "alive")
    assert asking.says("health.death", person) == ("clear", "no_record")
    assert asking.says("justice.custody", person, on_date=today)[0] == "clear"
    assert asking.says("social_insurance.enrolment", person) == ("clear", "no_record")
    assert asking.says("social_insurance.benefits", person) == ("clear", "no_record")
    assert asking.says("medical_insurance.years", person, required_months="12") == ("clear", "matches")


@pytest.mark.parametrize(
    ("quirk", "resource", "answer"),
    [
        (Quirk.DEAD_ON_PAPER, "police.alive", ("hit", "death_registered")),
        (Quirk.DEAD_ON_PAPER, "health.death", ("clear", "no_record")),
        (Quirk.NOT_REGISTERED, "police.alive", ("unknown", "not_registered")),
        (Quirk.IN_PRISON, "justice.custody", ("hit", "imprisonment")),
        (Quirk.ON_PROBATION, "justice.custody", ("hit", "probation")),
        (Quirk.TWO_SCHEMES, "social_insurance.enrolment", ("hit", "enrolled_residents")),
        (Quirk.DUPLICATE_BENEFIT, "social_insurance.benefits", ("hit", "benefit_in_payment")),
        (Quirk.HOUSING_ARREARS, "housing_fund.account", ("hit", "arrears")),
    ],
)
def test_what_is_awkward_is_found(
    asking: Asking, province: Population, quirk: Quirk, resource: str, answer: tuple[str, str]
) -> None:
    told = {"on_date": province.today.isoformat()} if resource == "justice.custody" else {}
    assert asking.says(resource, due_with(province, quirk), **told) == answer


def test_names_and_birth_dates_are_compared_with_the_register(asking: Asking, province: Population) -> None:
    renamed = due_with(province, Quirk.RENAMED)
    assert asking.says("police.household", renamed, **claims_of(renamed)) == ("conflict", "renamed")
    person = ordinary(province)
    assert asking.says("police.household", person, **{**claims_of(person), "name": "欧阳"})[1] == "name_differs"
    wrong_day = {**claims_of(person), "birth_date": "1950-01-01"}
    assert asking.says("police.household", person, **wrong_day) == ("conflict", "birth_date_differs")
    wrong_sex = {**claims_of(person), "sex": "2" if person.sex == "1" else "1"}
    assert asking.says("police.household", person, **wrong_sex) == ("conflict", "sex_differs")


def test_a_number_of_fifteen_digits_in_the_source_is_found_by_eighteen(asking: Asking, province: Population) -> None:
    old = next(
        person
        for person in province.people
        if Quirk.FIFTEEN_DIGITS in person.quirks and person.housing_account and person.died is None
    )
    assert asking.says("housing_fund.account", old) == ("clear", "matches")


def test_the_archive_s_own_birth_date_and_years_come_raw(asking: Asking, province: Population) -> None:
    differs = due_with(province, Quirk.BIRTH_DATE_DIFFERS)
    fields = asking.ask("social_insurance.contributions", differs).fields
    assert fields["archive_birth_date"] == differs.born.isoformat() != differs.registered_birth.isoformat()
    assert int(fields["contribution_months"]) == differs.career.contribution_months
    assert int(fields["account_amount"]) == differs.career.account.fen
    stated = next(person for person in province.due if person.statement is not None)
    assert stated.statement is not None
    assert asking.ask("social_insurance.contributions", stated).fields["credited_years"] == stated.statement.total_years


def test_joint_items_are_carried_out_once_in_the_department_s_own_tables(asking: Asking, province: Population) -> None:
    person = next(one for one in province.due if not one.quirks and one.housing_account and one.one_child)
    told = {"bank_account": person.bank_account, "benefit_from": "202701", "benefit_amount": "312345", "phone": "1"}
    for _ in range(2):  # the same key again changes nothing and says the same
        for resource in (
            "social_insurance.register_benefit",
            "medical_insurance.to_retired",
            "police.household_confirm",
            "housing_fund.seal",
            "housing_fund.withdraw",
            "health.one_child_award",
            "social_insurance.community_management",
        ):
            assert asking.says(resource, person, key=f"TX-1:{resource}", **told) == ("done", "done")
    assert asking.says("housing_fund.account", person) == ("clear", "no_account")
    assert asking.says("social_insurance.benefits", person) == ("hit", "benefit_in_payment")


def test_a_duplicated_a_contradicting_and_a_stale_row_show_in_the_answer(asking: Asking, province: Population) -> None:
    police = PoliceTrouble(asking.world.source_url("police"))
    twice, contradicted, stale = [
        person for person in province.due if not person.quirks and not person.one_child and person.statement is None
    ][:3]
    police.duplicated(twice)
    assert asking.says("police.household", twice, **claims_of(twice)) == ("clear", "matches")
    police.contradictory(contradicted)
    verdict = asking.says("police.household", contradicted, **claims_of(contradicted))
    assert verdict == ("conflict", "birth_date_differs")
    police.put_right(contradicted, province.today)
    assert asking.says("police.household", contradicted, **claims_of(contradicted)) == ("clear", "matches")
    police.stale(stale, province.today, days=400)
    as_of = asking.ask("police.household", stale, **claims_of(stale)).as_of
    assert as_of < datetime(2025, 11, 1, tzinfo=UTC)


def test_a_death_that_is_certified_while_the_case_is_pending_is_seen_at_once(
    asking: Asking, province: Population
) -> None:
    person = due_with(province, Quirk.DIED_WHILE_PENDING)
    assert asking.says("health.death", person)[0] == "clear"
    certify_death(asking.world.source_url("health"), person, province.today)
    PoliceTrouble(asking.world.source_url("police")).died(person, province.today)
    assert asking.says("health.death", person) == ("hit", "death_certified")
    assert asking.says("police.alive", person) == ("hit", "death_registered")


def on_another_server(tmp_path: Path, hamlet: Population, department: str, url: str) -> Iterator[Asking]:
    world = lay_out(tmp_path, hamlet, source_urls={department: url})
    BusinessClock(world.clock_file, hamlet.today)
    asked = Asking(world)
    yield asked
    asked.close()


@pytest.fixture
def police_on_mariadb(tmp_path: Path, hamlet: Population, mariadb_url: str) -> Iterator[Asking]:
    yield from on_another_server(tmp_path, hamlet, "police", f"{mariadb_url}?charset=utf8mb4")


@pytest.fixture
def medical_on_postgresql(tmp_path: Path, hamlet: Population, postgresql_url: str) -> Iterator[Asking]:
    yield from on_another_server(tmp_path, hamlet, "medical_insurance", postgresql_url)


@pytest.mark.mariadb
def test_the_same_gateway_file_serves_the_police_on_mariadb(police_on_mariadb: Asking, hamlet: Population) -> None:
    person = next(one for one in hamlet.due if not one.quirks)
    ask = police_on_mariadb
    assert ask.says("police.household", person, **claims_of(person)) == ("clear", "matches")
    assert ask.says("police.alive", person) == ("clear", "alive")
    for _ in range(2):
        assert ask.says("police.household_confirm", person, key="TX-9:confirm") == ("done", "done")


@pytest.mark.postgresql
def test_the_same_gateway_file_serves_medical_insurance_on_postgresql(
    medical_on_postgresql: Asking, hamlet: Population
) -> None:
    person = next(one for one in hamlet.due if not one.quirks)
    ask = medical_on_postgresql
    assert ask.says("medical_insurance.years", person, required_months="480")[1] in {"years_short", "matches"}
    for _ in range(2):
        assert ask.says("medical_insurance.to_retired", person, key="TX-9:retired") == ("done", "done")
