"""Agreements at the hub: one transition table, two signatures, history and ledger."""

from datetime import date

import pytest
from exchange_province import Province
from hypothesis import given
from hypothesis import strategies as st

from huodang.exchange import (
    AGREEMENT_TRANSITIONS,
    Agreement,
    AgreementError,
    AgreementEvent,
    Agreements,
    AgreementState,
    Catalogue,
    MessageError,
    TransitionError,
    joint_case_catalogue,
    revoke_envelope,
)
from huodang.exchange.agreements import next_state
from huodang.ledger import Ledger
from huodang.standards import elements
from huodang.store import Database
from huodang.trust import EnvelopeError

FINAL = {AgreementState.SUPERSEDED, AgreementState.REVOKED, AgreementState.EXPIRED, AgreementState.WITHDRAWN}


@given(st.lists(st.sampled_from(AgreementEvent), max_size=12))
def test_no_order_of_events_brings_an_agreement_into_force_without_both_signatures(
    events: list[AgreementEvent],
) -> None:
    state, taken = AgreementState.DRAFT, []
    for event in events:
        if (state, event) in AGREEMENT_TRANSITIONS:
            assert state not in FINAL
            state = next_state(state, event)
            taken.append(event)
        else:
            with pytest.raises(TransitionError):
                next_state(state, event)
    if state is AgreementState.IN_FORCE:
        assert {AgreementEvent.CONSUMER_SIGNS, AgreementEvent.PROVIDER_SIGNS} <= set(taken)


def test_every_state_can_be_reached() -> None:
    assert set(AGREEMENT_TRANSITIONS.values()) | {AgreementState.DRAFT} == set(AgreementState)


@pytest.fixture
def agreements(ledger: Ledger, province: Province, database: Database) -> Agreements:
    return Agreements(ledger, province.trusted, province.clock)


def take(agreements: Agreements, database: Database, province: Province, agreement: Agreement, *holders: str) -> str:
    with database.begin() as connection:
        return agreements.take(connection, province.signed(agreement, *holders)).state


def test_an_agreement_comes_into_force_with_the_second_signature(
    agreements: Agreements, database: Database, province: Province, ledger: Ledger
) -> None:
    assert take(agreements, database, province, province.agreement(), "social_insurance") == "consumer_signed"
    with database.read() as connection:
        assert agreements.in_force(connection, ["police.household"], date(2025, 3, 3)) == {}
    assert take(agreements, database, province, province.agreement()) == "in_force"
    with database.read() as connection:
        (record,) = agreements.in_force(connection, ["police.household"], date(2025, 3, 3))["police.household"]
        history = [event for _, event, _, _ in agreements.history(connection, "XY-police-household")]
    assert record.agreement == province.agreement()
    assert history == ["draw_up", "consumer_signs", "provider_signs"]
    assert ledger.pending() == 3


def test_the_provider_may_sign_first(agreements: Agreements, database: Database, province: Province) -> None:
    assert take(agreements, database, province, province.agreement(), "police") == "provider_signed"
    assert take(agreements, database, province, province.agreement(), "police", "social_insurance") == "in_force"


def test_taking_the_same_again_changes_nothing(
    agreements: Agreements, database: Database, province: Province, ledger: Ledger
) -> None:
    take(agreements, database, province, province.agreement())
    before = ledger.pending()
    assert take(agreements, database, province, province.agreement()) == "in_force"
    assert ledger.pending() == before


def test_another_text_under_the_same_version_is_refused(
    agreements: Agreements, database: Database, province: Province
) -> None:
    take(agreements, database, province, province.agreement())
    with pytest.raises(AgreementError):
        take(agreements, database, province, province.agreement(fields=()))


@pytest.mark.parametrize("holders", [("police", "justice"), ("justice",), ("hub",)])
def test_a_signature_of_one_who_is_no_side_is_refused(
    agreements: Agreements, database: Database, province: Province, holders: tuple[str, ...]
) -> None:
    with pytest.raises(AgreementError):
        take(agreements, database, province, province.agreement(), *holders)


def test_an_altered_agreement_is_refused(agreements: Agreements, database: Database, province: Province) -> None:
    text = province.signed(province.agreement()).to_json().replace("retirement_prefill", "curiosity_prefill")
    with pytest.raises(EnvelopeError), database.begin() as connection:
        agreements.take(connection, text)


def test_an_agreement_that_ends_before_it_begins_is_refused(
    agreements: Agreements, database: Database, province: Province
) -> None:
    with pytest.raises(AgreementError):
        take(agreements, database, province, province.agreement(valid_to=date(2024, 12, 31)))


@pytest.mark.parametrize("change", [{"elements": ("name", "bank_account")}, {"fields": ("phone",)}])
def test_an_agreement_may_name_no_more_than_the_catalogue_offers(
    agreements: Agreements, database: Database, province: Province, change: dict[str, tuple[str, ...]]
) -> None:
    with pytest.raises(AgreementError, match="超出目录"):
        take(agreements, database, province, province.agreement(**change))


def test_what_is_not_in_the_catalogue_can_not_be_agreed_on_until_it_is_published(
    agreements: Agreements, database: Database, province: Province
) -> None:
    agreement = province.agreement("police.passport", elements=("name",), fields=())
    with pytest.raises(AgreementError, match="目录中没有"):
        take(agreements, database, province, agreement)
    entry = joint_case_catalogue()["police.household"]
    changed = entry.to_payload() | {"resource": "police.passport", "code": ""}
    with database.begin() as connection:
        Catalogue(province.clock).publish(connection, type(entry).from_payload(changed))
    assert take(agreements, database, province, agreement) == "in_force"


def test_a_newer_version_supersedes_the_older(agreements: Agreements, database: Database, province: Province) -> None:
    take(agreements, database, province, province.agreement())
    take(agreements, database, province, province.agreement(version=2, fields=()))
    with database.read() as connection:
        states = {one.agreement.version: one.state for one in agreements.all(connection)}
        found = agreements.in_force(connection, ["police.household"], date(2025, 3, 3))["police.household"]
    assert states == {1: "superseded", 2: "in_force"}
    assert [one.agreement.version for one in found] == [2]


def test_either_side_revokes_and_nobody_else(agreements: Agreements, database: Database, province: Province) -> None:
    take(agreements, database, province, province.agreement())
    stranger = revoke_envelope(province.agreement(), "x", province.signer("justice"), province.clock)
    with pytest.raises(AgreementError), database.begin() as connection:
        agreements.take_revocation(connection, stranger)
    ours = revoke_envelope(province.agreement(), "数据用途变更", province.signer("police"), province.clock)
    with database.begin() as connection:
        (record,) = agreements.take_revocation(connection, ours)
    assert record.state is AgreementState.REVOKED
    with database.read() as connection:
        assert agreements.in_force(connection, ["police.household"], date(2025, 3, 3)) == {}


def test_an_agreement_expires_after_its_last_day(
    agreements: Agreements, database: Database, province: Province
) -> None:
    take(agreements, database, province, province.agreement(valid_to=date(2025, 3, 3)))
    with database.begin() as connection:
        assert agreements.expire(connection, date(2025, 3, 3)) == 0
        assert agreements.in_force(connection, ["police.household"], date(2025, 3, 4)) == {}
        assert agreements.expire(connection, date(2025, 3, 4)) == 1
        assert agreements.all(connection)[0].state is AgreementState.EXPIRED


def test_agreements_are_laid_as_files_that_the_gateway_takes(
    agreements: Agreements, database: Database, province: Province, police: object
) -> None:
    take(agreements, database, province, province.agreement())
    folder = province.folder("police") / "agreements"
    for path in folder.glob("*.json"):
        path.unlink()
    assert police.conformance()["resources"][0]["ready"] is False  # type: ignore[attr-defined]  # the fixture's gateway
    with database.read() as connection:
        (laid,) = agreements.lay_files(connection, "police", folder)
    assert laid.name == "XY-police-household.v1.json"
    assert police.conformance()["resources"][0]["ready"] is True  # type: ignore[attr-defined]  # as above


def test_a_folder_is_taken_whole_or_refused_whole(
    agreements: Agreements, database: Database, province: Province
) -> None:
    province.lay(province.agreement())
    bad = province.agreement(agreement_id="XY-bad", elements=("bank_account",), fields=())
    province.lay(bad)
    folder = province.folder("police") / "agreements"
    with pytest.raises(AgreementError) as caught, database.begin() as connection:
        agreements.take_folder(connection, folder)
    assert caught.value.place.file == "XY-bad.v1.json"
    with database.read() as connection:
        assert agreements.all(connection) == []
    (folder / "XY-bad.v1.json").unlink()
    with database.begin() as connection:
        assert len(agreements.take_folder(connection, folder)) == 1


@pytest.mark.parametrize(
    "change",
    [{"resource": "Police"}, {"version": 0}, {"elements": "name"}, {"kind": "gift"}, {"valid_from": "soon"}, {"x": 1}],
)
def test_a_payload_that_is_no_agreement_is_refused(province: Province, change: dict[str, object]) -> None:
    with pytest.raises(MessageError):
        Agreement.from_payload(province.agreement().to_payload() | change)


def test_the_catalogue_that_comes_with_the_product_speaks_the_standards_language() -> None:
    entries = joint_case_catalogue()
    assert len(entries) == 17
    for entry in entries.values():
        assert set(entry.elements) <= set(elements())
        assert entry.law
        assert entry.title.chinese
        assert entry.title.english
