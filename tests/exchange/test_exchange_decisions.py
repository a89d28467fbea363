"""Who may see or do what: every permission has a policy, and administrators never see a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.exchange import ROLES, Action, Actor, Decision, DecisionRequest, check_policies, decide, policy_ids
from huodang.standards import UnknownElement, elements
from huodang.trust import HIDDEN_TEXT, MaskLevel
from huodang.web import Role

PERSONAL = ("name", "identity_number", "sex", "bank_account", "scheme")
ADMINISTRATORS = ("system_administrator", "security_administrator", "audit_administrator", "leader", "steward")
BUSINESS = (
    Action.PREFILL,
    Action.SUBMIT_APPLICATION,
    Action.VIEW_CASE,
    Action.LIST_CASES,
    Action.ACT_ON_CASE,
    Action.REVIEW_CASE,
    Action.FIND_DUE,
    Action.ASK_DEPARTMENT,
    Action.ACT_AT_DEPARTMENT,
    Action.VIEW_VOLUME,
    Action.FILE_VOLUME,
    Action.VIEW_PAYMENTS,
    Action.RECORD_PAYMENT,
    Action.INVESTIGATE,
    Action.VIEW_LOOKS,
    Action.RAISE_CORRECTION,
    Action.ANSWER_CORRECTION,
    Action.VIEW_CORRECTION,
    Action.PULL_LOTS,
    Action.READ_DELIVERED,
    Action.SUBSCRIBE_EVENTS,
    Action.MATCH_SETS,
)

requests = st.builds(
    DecisionRequest,
    actor=st.builds(
        Actor,
        user_id=st.sampled_from(["u1", "u2", ""]),
        name=st.just("某人"),
        role=st.sampled_from([*ROLES, "owner", "", "citizen "]),
        department=st.sampled_from(["police", "social_insurance", ""]),
        region=st.sampled_from(["130000", "130100", "140000", ""]),
        employer=st.sampled_from(["E1", "E2", ""]),
    ),
    action=st.sampled_from([*(action.value for action in Action), "delete_everything"]),
    purpose=st.sampled_from(
        [
            "retirement",
            "retirement_prefill",
            "retirement_due",
            "supervision",
            "audit",
            "archive",
            "sharing",
            "correction",
            "",
        ]
    ),
    elements=st.lists(st.sampled_from(PERSONAL), unique=True, max_size=5).map(tuple),
    assigned=st.booleans(),
    owner=st.sampled_from(["u1", "u2", ""]),
    employer=st.sampled_from(["E1", "E2", ""]),
    region=st.sampled_from(["130102", "140102", ""]),
    department=st.sampled_from(["police", "social_insurance", ""]),
)


@given(requests)
def test_nothing_is_permitted_that_no_policy_names(request: DecisionRequest) -> None:
    decision = decide(request)
    named = set(decision.policy.split())
    assert named <= policy_ids()
    if decision.permitted:
        assert named
        assert request.actor.role in ROLES
        assert set(decision.elements) <= set(request.elements)
        assert bool(decision.elements) is bool(request.elements)
    else:
        assert decision.elements == ()
        assert decision.mask_level is MaskLevel.HIDDEN


@given(requests)
def test_administrators_leaders_and_stewards_never_see_a_person(request: DecisionRequest) -> None:
    if request.actor.role in ADMINISTRATORS:
        decision = decide(request)
        assert decision.elements == ()
        assert not (decision.permitted and request.action in BUSINESS)
        assert not (decision.permitted and request.elements)


@given(requests)
def test_citizens_and_employers_never_see_what_is_not_theirs(request: DecisionRequest) -> None:
    decision = decide(request)
    if request.actor.role == "citizen" and decision.permitted:
        assert request.owner == request.actor.user_id != ""
    if request.actor.role == "employer_clerk" and decision.permitted:
        assert request.employer == request.actor.employer != ""


# This hub itself, and a hub above or below that passes a question on: nobody sits before them.
HUBS = frozenset({"system", "neighbour"})


@given(requests)
def test_no_person_sees_the_most_sensitive_elements_in_full(request: DecisionRequest) -> None:
    decision = decide(request)
    if request.actor.role not in HUBS and decision.permitted:
        assert decision.mask_levels.get(4) in (None, MaskLevel.PARTIAL)


def test_no_account_of_a_person_can_have_the_role_of_a_hub() -> None:
    assert not HUBS & {role.value for role in Role}


def asked(role: str, action: str, purpose: str = "retirement", **more: object) -> Decision:
    actor_parts = {name: more.pop(name) for name in ("region_of_actor", "employer_of_actor") if name in more}
    actor = Actor(
        "u1",
        "某人",
        role,
        "social_insurance",
        str(actor_parts.get("region_of_actor", "130100")),
        str(actor_parts.get("employer_of_actor", "")),
    )
    elements_asked = more.pop("elements", ("name", "identity_number"))
    return decide(DecisionRequest(actor, action, purpose, elements_asked, **more))  # type: ignore[arg-type]  # scenario


@pytest.mark.parametrize(
    ("role", "action", "purpose", "more", "permitted"),
    [
        ("citizen", "view_case", "retirement", {"owner": "u1"}, True),
        ("citizen", "view_case", "retirement", {"owner": "u2"}, False),
        ("citizen", "view_case", "retirement", {}, False),
        ("citizen", "view_looks", "", {"owner": "u1"}, True),
        ("citizen", "review_case", "retirement", {"owner": "u1"}, False),
        ("employer_clerk", "submit_application", "retirement", {"employer": "E1", "employer_of_actor": "E1"}, True),
        ("employer_clerk", "submit_application", "retirement", {"employer": "E2", "employer_of_actor": "E1"}, False),
        ("employer_clerk", "submit_application", "retirement", {}, False),
        ("window_clerk", "view_case", "retirement", {"region": "130102"}, True),
        ("window_clerk", "view_case", "retirement", {"region": "130202"}, False),
        ("window_clerk", "view_case", "retirement", {"region": "130202", "assigned": True}, True),
        ("window_clerk", "view_case", "curiosity", {"region": "130102"}, False),
        ("window_clerk", "review_case", "retirement", {"region": "130102"}, False),
        ("reviewer", "review_case", "retirement", {"region": "130102"}, True),
        ("reviewer", "submit_application", "retirement", {"region": "130102"}, False),
        ("archivist", "file_volume", "archive", {"region": "130102"}, True),
        ("archivist", "act_on_case", "archive", {"region": "130102"}, False),
        ("investigator", "view_payments", "supervision", {"assigned": True}, True),
        ("investigator", "view_payments", "supervision", {"region": "130102"}, False),
        ("auditor", "view_looks", "audit", {}, True),
        ("auditor", "act_on_case", "audit", {}, False),
        ("system", "ask_department", "retirement", {}, True),
        ("system", "ask_department", "marketing", {}, False),
        ("system", "review_case", "retirement", {}, False),
        ("leader", "view_case", "retirement", {}, False),
    ],
)
def test_each_role_does_its_own_work_only(
    role: str, action: str, purpose: str, more: dict[str, object], *, permitted: bool
) -> None:
    assert asked(role, action, purpose, **dict(more)).permitted is permitted


def test_three_administrators_have_one_duty_each() -> None:
    duties = {
        role: {action.value for action in Action if asked(role, action.value, "", elements=()).permitted}
        for role in ("system_administrator", "security_administrator", "audit_administrator")
    }
    assert duties == {
        "system_administrator": {"manage_system"},
        "security_administrator": {"manage_accounts", "manage_policies"},
        "audit_administrator": {"view_audit_log", "view_ledger", "view_statistics"},
    }


def test_a_steward_manages_the_own_departments_agreements_only() -> None:
    assert asked("steward", "manage_agreements", elements=(), department="social_insurance").permitted
    assert not asked("steward", "manage_agreements", elements=(), department="police").permitted


def test_a_decision_shows_values_as_it_was_decided() -> None:
    decision = asked("window_clerk", "view_case", region="130102", elements=("name", "identity_number"))
    assert decision.show("name", "王建国") == "王建国"
    assert decision.show("identity_number", "130102196503010011") == "130102********0011"
    assert decision.show("bank_account", "6222020000000000") == HIDDEN_TEXT
    assert decision.mask_level is MaskLevel.PARTIAL


def test_a_forbid_overrides_and_says_so() -> None:
    decision = asked("leader", "view_case", region="130102")
    assert decision.reason == "forbidden"
    assert "never.business_for_administrators" in decision.policy


def test_an_element_outside_the_standard_is_an_error() -> None:
    with pytest.raises(UnknownElement):
        asked("system", "ask_department", elements=("shoe_size",))


def test_the_policies_fit_their_schema() -> None:
    assert check_policies() == ()


def test_every_element_of_the_standard_has_a_level_that_policies_know() -> None:
    assert {one.level for one in elements().values()} <= {1, 2, 3, 4}
