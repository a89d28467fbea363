"""Demand, review, answer, signing, use, renewal, revocation: one table, deadlines in working days, lights."""

import itertools
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from exchange_province import Province
from exchange_sharing import CONSUMER, LEADER, PROVIDER, STRANGER, Office, wanted
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.exchange import (
    Actor,
    AgreementState,
    Catalogue,
    CatalogueEntry,
    Kind,
    MessageError,
    Sharing,
    policy_ids,
    revoke_envelope,
)
from huodang.exchange.catalogue import Bilingual
from huodang.exchange.sharing import (
    DEMAND,
    DemandError,
    DemandTerms,
    IllegalSharingEventError,
    Light,
    SharingError,
    SharingGuardError,
    SharingNotPermittedError,
    TermsDifferError,
    UnknownMatterError,
)
from huodang.ledger import Ledger
from huodang.store import Database, FixedClock
from huodang.trust import Provisioner


@pytest.fixture
def office(province: Province, any_database: Database, request: pytest.FixtureRequest) -> Office:
    signers = (province.signer("hub", "national"), province.signer("hub", "international"))
    ledger = Ledger(any_database, signers, "test.example/huodang", province.clock)
    return Office.open(province, any_database, ledger)


def test_a_demand_is_reviewed_answered_signed_by_both_and_usable_at_once(office: Office) -> None:
    demand = office.sharing.raise_demand(CONSUMER, wanted(), note="退休核验需要")
    assert demand.standing.state == "review"
    assert demand.standing.waits_for_departments == ("police",)
    assert demand.standing.due_on == date(2025, 3, 5)  # two working days after a Monday
    demand = office.act(PROVIDER, demand, "accept")
    assert demand.standing.due_on == date(2025, 3, 10)  # five, over a weekend
    demand = office.act(PROVIDER, demand, "approve")
    assert demand.standing.state == "signing"
    assert demand.agreement is not None
    assert demand.agreement.purposes == ("retirement",)
    assert office.sign(demand, "social_insurance").state is AgreementState.CONSUMER_SIGNED
    assert office.sharing.view(CONSUMER, demand.demand_id).standing.state == "signing"
    assert office.sign(demand, "police", "social_insurance").state is AgreementState.IN_FORCE
    demand = office.sharing.view(CONSUMER, demand.demand_id)
    assert demand.standing.state == "in_use"
    with office.database.read() as connection:
        found = office.agreements.in_force(connection, ["police.household"], date(2025, 3, 3))
    assert [one.agreement for one in found["police.household"]] == [demand.agreement]
    assert [line.event for line in demand.history] == ["raise", "accept", "approve", "signed"]
    assert demand.history[0].note == "退休核验需要"
    assert {line.policy for line in demand.history} <= policy_ids()
    assert demand.history[1].policy == "steward.sharing_own_side"


def test_every_step_names_its_policy_in_the_ledger(office: Office) -> None:
    demand = office.sharing.raise_demand(CONSUMER, wanted(), note="王建国的事")
    office.ledger.seal_batch()
    receipt = office.ledger.receipt(demand.history[0].entry_id).to_json()
    assert "steward.sharing_own_side" in receipt
    assert "王建国" not in receipt


def test_the_same_demand_raised_twice_is_one(office: Office) -> None:
    first = office.sharing.raise_demand(CONSUMER, wanted())
    assert office.sharing.raise_demand(CONSUMER, wanted()).demand_id == first.demand_id
    office.act(CONSUMER, first, "withdraw")
    assert office.sharing.raise_demand(CONSUMER, wanted()).demand_id != first.demand_id


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"resource": "police.nothing"}, "resource"),
        ({"resource": "health.death"}, "resource"),
        ({"elements": ("contribution_months",)}, "police.household"),
        ({"elements": (), "fields": ()}, "elements"),
        ({"kind": Kind.TABLE}, "police.household"),
        ({"valid_to": date(2025, 1, 1)}, "valid_to"),
        ({"valid_from": date(2027, 1, 1)}, "valid_to"),
        ({"provider": "social_insurance", "resource": ""}, "provider"),
        ({"resource": ""}, "wished"),
    ],
)
def test_a_demand_for_what_is_not_there_is_refused_by_place(
    office: Office, changes: dict[str, Any], where: str
) -> None:
    with pytest.raises(DemandError) as caught:
        office.sharing.raise_demand(CONSUMER, wanted(**changes))
    assert caught.value.place.element == where
    assert office.sharing.demands(CONSUMER) == []


@pytest.mark.parametrize(
    "spoilt",
    [
        {"purposes": []},
        {"legal_basis": ""},
        {"frequency": "hourly"},
        {"kind": "fax"},
        {"valid_from": "3 March"},
        {"shoe_size": 43},
        {"rows": {"household_region": []}},
        {"calls_per_minute": 0},
    ],
)
def test_terms_of_another_shape_are_refused_whole(spoilt: dict[str, Any]) -> None:
    with pytest.raises(MessageError):
        DemandTerms.from_payload({**wanted().to_payload(), **spoilt})


def test_only_a_steward_of_the_own_side_acts_and_others_know_of_nothing(office: Office) -> None:
    for actor in (PROVIDER, STRANGER, LEADER, Actor("u", "窗口", "window_clerk", "social_insurance", "130000")):
        with pytest.raises(SharingNotPermittedError):
            office.sharing.raise_demand(actor, wanted())
    demand = office.sharing.raise_demand(CONSUMER, wanted())
    with pytest.raises(SharingNotPermittedError):
        office.act(CONSUMER, demand, "accept")
    with pytest.raises(UnknownMatterError):
        office.act(STRANGER, demand, "accept")
    with pytest.raises(UnknownMatterError):
        office.sharing.view(STRANGER, demand.demand_id)
    assert office.sharing.demands(STRANGER) == []
    assert [one.demand_id for one in office.sharing.demands(PROVIDER)] == [demand.demand_id]
    assert [one.demand_id for one in office.sharing.demands(LEADER)] == [demand.demand_id]
    assert [choice.event for choice in office.sharing.view(PROVIDER, demand.demand_id).may] == [
        "accept",
        "ask_supplement",
        "refuse",
    ]
    assert [choice.event for choice in office.sharing.view(CONSUMER, demand.demand_id).may] == ["withdraw"]


def test_a_review_not_done_in_two_working_days_lights_red_and_is_escalated(office: Office) -> None:
    demand = office.sharing.raise_demand(CONSUMER, wanted())
    lights = []
    for day in ("2025-03-03", "2025-03-04", "2025-03-05", "2025-03-06"):
        office.on(day)
        standing = office.sharing.view(CONSUMER, demand.demand_id).standing
        lights.append((standing.light, standing.escalated))
    assert lights == [(Light.GREEN, False), (Light.YELLOW, False), (Light.YELLOW, False), (Light.RED, True)]
    (late,) = office.sharing.overdue(LEADER)
    assert (late.matter_id, late.standing.waits_for_departments, late.standing.days_late) == (
        demand.demand_id,
        ("police",),
        1,
    )
    assert office.sharing.overdue(STRANGER) == []
    view = office.act(PROVIDER, demand, "accept")  # late, but not too late
    assert not view.standing.escalated
    assert [line.event for line in view.history] == ["raise", "overdue", "accept"]


def test_the_clock_stands_while_the_consumer_supplies_and_goes_on_afterwards(office: Office) -> None:
    demand = office.sharing.raise_demand(CONSUMER, wanted())
    office.act(PROVIDER, demand, "accept")  # five days, from Monday
    office.on("2025-03-05")  # two used
    with pytest.raises(SharingGuardError) as caught:
        office.act(PROVIDER, demand, "ask_supplement")
    assert caught.value.guard == "note_given"
    view = office.act(PROVIDER, demand, "ask_supplement", note="请说明用途")
    assert view.standing.waits_for_departments == ("social_insurance",)
    office.on("2025-03-12")
    view = office.act(
        CONSUMER, demand, "supply", note="已补充", terms={"legal_basis": "社会保险经办条例第八条、第九条"}
    )
    assert view.terms.legal_basis.endswith("第九条")
    assert view.standing.state == "answer"
    assert view.standing.due_on == date(2025, 3, 17)  # three of five left
    with pytest.raises(SharingGuardError):
        office.act(PROVIDER, demand, "approve", terms={"elements": ["name", "death_date"]})


def test_what_is_not_supplied_in_time_lapses(office: Office) -> None:
    demand = office.sharing.raise_demand(CONSUMER, wanted())
    office.act(PROVIDER, demand, "ask_supplement", note="请说明用途")
    office.on("2025-03-17")
    assert office.sharing.view(CONSUMER, demand.demand_id).standing.state == "supplement"
    office.on("2025-03-18")
    assert office.sharing.view(CONSUMER, demand.demand_id).standing.state == "withdrawn"


def test_a_mandatory_entry_can_not_be_refused_but_narrowed(office: Office) -> None:
    demand = office.sharing.raise_demand(CONSUMER, wanted())
    office.act(PROVIDER, demand, "accept")
    with pytest.raises(SharingGuardError) as caught:
        office.act(PROVIDER, demand, "refuse", note="不便提供", law="无")
    assert caught.value.guard == "not_mandatory"
    view = office.act(PROVIDER, demand, "approve", terms={"elements": ["name"], "calls_per_minute": 600})
    assert view.agreement is not None
    assert (view.agreement.elements, view.agreement.calls_per_minute) == (("name",), 600)


def publish(office: Office, name: str, **changes: Any) -> None:
    entry = CatalogueEntry(
        resource=name,
        title=Bilingual(chinese="居住证", english="Residence permits"),
        abstract=Bilingual(chinese="居住证登记", english="Residence permits as registered"),
        kind=Kind.CHECK,
        elements=("identity_number", "name", "household_region"),
        sharing=Sharing.CONDITIONAL,
        condition=Bilingual(chinese="退休", english="retirement"),
        update_cycle="daily",
        mandatory=False,
        law="无",
        law_status="unverified",
    )
    with office.database.begin() as connection:
        Catalogue(office.province.clock).publish(connection, msgspec.structs.replace(entry, **changes))


def test_a_refusal_names_reason_and_law_and_may_be_taken_to_the_joint_meeting(office: Office) -> None:
    publish(office, "police.residence")
    demand = office.sharing.raise_demand(CONSUMER, wanted(resource="police.residence", elements=("name",), fields=()))
    office.act(PROVIDER, demand, "accept")
    for half in ({"note": "涉密"}, {"law": "保守国家秘密法"}):
        with pytest.raises(SharingGuardError):
            office.act(PROVIDER, demand, "refuse", **half)
    assert office.act(PROVIDER, demand, "refuse", note="涉密", law="保守国家秘密法").history[-1].law == "保守国家秘密法"
    office.act(CONSUMER, demand, "dispute", note="该数据不涉密")
    with pytest.raises(SharingNotPermittedError):
        office.act(CONSUMER, demand, "decide_to_share", note="应当共享", meeting="JY-2025-3")
    with pytest.raises(SharingGuardError):
        office.act(LEADER, demand, "decide_to_share", note="应当共享")
    view = office.act(LEADER, demand, "decide_to_share", note="应当共享", meeting="JY-2025-3")
    assert (view.standing.state, view.decided) == ("answer", "JY-2025-3")
    assert office.act(PROVIDER, demand, "approve").standing.state == "signing"


def test_what_was_unpublished_is_published_within_ten_working_days(office: Office) -> None:
    demand = office.sharing.raise_demand(CONSUMER, wanted(resource="", wished="居住证登记情况", elements=(), fields=()))
    office.act(PROVIDER, demand, "accept")
    view = office.act(PROVIDER, demand, "approve")
    assert (view.standing.state, view.standing.due_on) == ("publishing", date(2025, 3, 17))
    with pytest.raises(SharingGuardError):
        office.act(PROVIDER, demand, "publish", resource="police.residence")
    publish(office, "police.residence", sharing=Sharing.NONE)
    with pytest.raises(SharingGuardError):
        office.act(PROVIDER, demand, "publish", resource="police.residence")
    publish(office, "police.residence")
    with pytest.raises(SharingGuardError):  # another department's
        office.act(PROVIDER, demand, "publish", resource="health.death")
    view = office.act(PROVIDER, demand, "publish", resource="police.residence")
    assert view.agreement is not None
    assert view.agreement.elements == ("identity_number", "name", "household_region")


def test_only_the_approved_text_can_be_signed(office: Office) -> None:
    demand = office.approved()
    assert demand.agreement is not None
    wider = msgspec.structs.replace(demand.agreement, fields=("name", "sex"))
    with pytest.raises(TermsDifferError):
        office.sharing.take_agreement(office.province.signed(wider))
    office.act(CONSUMER, demand, "withdraw")
    with pytest.raises(TermsDifferError):
        office.sharing.take_agreement(office.province.signed(demand.agreement))


def test_an_agreement_is_renewed_before_its_end_without_a_gap(office: Office) -> None:
    demand = office.in_use(valid_to=date(2025, 6, 30))
    office.on("2025-05-30")
    assert office.sharing.view(CONSUMER, demand.demand_id).standing.state == "in_use"
    office.on("2025-05-31")
    assert office.sharing.view(CONSUMER, demand.demand_id).standing.state == "renewal"
    for until in ("", "soon", "2025-06-30"):
        with pytest.raises(SharingGuardError):
            office.act(CONSUMER, demand, "renew", valid_to=until)
    view = office.act(CONSUMER, demand, "renew", valid_to="2026-06-30")
    assert view.agreement is not None
    assert (view.agreement.version, view.agreement.valid_to) == (2, date(2026, 6, 30))
    with office.database.read() as connection:
        assert len(office.agreements.in_force(connection, ["police.household"], date(2025, 6, 1))) == 1
    office.sign(demand)
    office.on("2025-07-01")
    view = office.sharing.view(CONSUMER, demand.demand_id)
    assert (view.standing.state, view.agreement_state) == ("in_use", AgreementState.IN_FORCE)
    with office.database.read() as connection:
        states = [one.state for one in office.agreements.versions(connection, view.agreement.agreement_id)]  # type: ignore[union-attr]  # checked above
    assert states == [AgreementState.SUPERSEDED, AgreementState.IN_FORCE]


def test_a_renewal_called_off_leaves_the_present_agreement_as_it_is(office: Office) -> None:
    demand = office.in_use()
    office.act(CONSUMER, demand, "renew", valid_to="2027-03-02")
    office.sign(demand, "social_insurance")
    view = office.act(PROVIDER, demand, "call_off_renewal", note="另行协商")
    assert view.agreement is not None
    assert (view.standing.state, view.agreement.version, view.agreement_state) == (
        "renewal",
        1,
        AgreementState.IN_FORCE,
    )
    again = office.act(CONSUMER, demand, "renew", valid_to="2027-03-02")
    assert again.agreement is not None
    assert again.agreement.version == 3
    assert office.sign(demand).state is AgreementState.IN_FORCE


def test_an_agreement_that_nobody_renews_expires_after_its_last_day(office: Office) -> None:
    demand = office.in_use(valid_to=date(2025, 6, 30))
    office.on("2025-06-30")
    assert office.sharing.view(CONSUMER, demand.demand_id).standing.state == "renewal"
    office.on("2025-07-01")
    view = office.sharing.view(CONSUMER, demand.demand_id)
    assert (view.standing.state, view.agreement_state) == ("expired", AgreementState.EXPIRED)


@pytest.mark.parametrize("side", ["police", "social_insurance"])
def test_either_side_ends_an_agreement_by_its_signed_word(office: Office, side: str) -> None:
    demand = office.in_use()
    assert demand.agreement is not None
    with pytest.raises(SharingGuardError) as caught:
        office.act(CONSUMER, demand, "revoke", note="不再需要")
    assert caught.value.guard == "revocation_taken"
    envelope = revoke_envelope(demand.agreement, "用途终止", office.province.signer(side), office.province.clock)
    assert len(office.sharing.take_revocation(envelope)) == 1
    assert office.sharing.take_revocation(envelope) == []
    view = office.sharing.view(CONSUMER, demand.demand_id)
    assert (view.standing.state, view.agreement_state) == ("revoked", AgreementState.REVOKED)
    assert (view.history[-1].event, view.history[-1].department, view.history[-1].note) == ("revoke", side, "用途终止")


def test_agreements_that_came_otherwise_are_followed(office: Office) -> None:
    demand = office.approved()
    assert demand.agreement is not None
    with office.database.begin() as connection:
        office.agreements.take(connection, office.province.signed(demand.agreement))
    assert office.sharing.follow() == 1
    assert office.sharing.view(CONSUMER, demand.demand_id).standing.state == "in_use"
    assert office.sharing.follow() == 0


_COUNTER = itertools.count(1)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(DEMAND.events)), st.sampled_from([CONSUMER, PROVIDER, LEADER, STRANGER])),
        max_size=8,
    )
)
def test_whatever_is_tried_in_whatever_order_only_the_table_moves_a_demand(
    shared_office: Office, tried: list[tuple[str, Actor]]
) -> None:
    office = shared_office
    demand = office.sharing.raise_demand(CONSUMER, wanted(legal_basis=f"条例第{next(_COUNTER)}条"))
    state, steps = "review", 1
    for event, actor in tried:
        try:
            view = office.act(actor, demand, event, note="说明", law="条例", meeting="JY-1", valid_to="2027-01-01")
        except (SharingError, IllegalSharingEventError):
            view = office.sharing.view(CONSUMER, demand.demand_id)
            assert (view.standing.state, len(view.history)) == (state, steps)
            continue
        assert any(row.target == view.standing.state for row in DEMAND.rows(state, event))
        state, steps = view.standing.state, steps + 1
        assert len(view.history) == steps


@pytest.fixture(scope="module")
def shared_office(
    province_keys: Path, tmp_path_factory: pytest.TempPathFactory, migrated_template: Path
) -> Iterator[Office]:
    """One office for all examples of a property."""
    root = tmp_path_factory.mktemp("office")
    shutil.copyfile(migrated_template, root / "hub.db")
    database = Database.open(f"sqlite:///{root / 'hub.db'}")
    made = Province(province_keys, FixedClock(datetime(2025, 3, 3, 1, 0, tzinfo=UTC)), Provisioner(province_keys))
    signers = (made.signer("hub", "national"), made.signer("hub", "international"))
    yield Office.open(made, database, Ledger(database, signers, "test.example/huodang", made.clock))
    database.close()
