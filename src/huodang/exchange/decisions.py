"""Who may see or do what: Cedar policies in files, parsed once, default deny; each decision names the policy behind it.

The policies stand in `policies/*.cedar`, one file a group of people. Elements are judged by their sensitivity level
(1 to 4), so a decision costs at most one evaluation for each level asked for.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import cedarpy

from huodang.exchange.errors import ExchangeError
from huodang.standards import element
from huodang.trust import HIDDEN_TEXT, MaskLevel, mask


class Action(StrEnum):
    """What can be decided on. Those about persons first."""

    PREFILL = "prefill"
    SUBMIT_APPLICATION = "submit_application"
    VIEW_CASE = "view_case"
    LIST_CASES = "list_cases"
    ACT_ON_CASE = "act_on_case"
    REVIEW_CASE = "review_case"
    FIND_DUE = "find_due"
    ASK_DEPARTMENT = "ask_department"
    ACT_AT_DEPARTMENT = "act_at_department"
    VIEW_VOLUME = "view_volume"
    FILE_VOLUME = "file_volume"
    VIEW_PAYMENTS = "view_payments"
    RECORD_PAYMENT = "record_payment"
    INVESTIGATE = "investigate"
    FIND_PAYEE = "find_payee"
    VIEW_RECOVERY = "view_recovery"
    ACT_ON_RECOVERY = "act_on_recovery"
    OBJECT_TO_RECOVERY = "object_to_recovery"
    APPROVE_RECOVERY = "approve_recovery"
    KEEP_RECOVERY = "keep_recovery"
    VIEW_CERTIFICATION = "view_certification"
    CERTIFY = "certify"
    VIEW_LOOKS = "view_looks"
    RAISE_CORRECTION = "raise_correction"
    ANSWER_CORRECTION = "answer_correction"
    VIEW_CORRECTION = "view_correction"
    PULL_LOTS = "pull_lots"
    READ_DELIVERED = "read_delivered"
    SUBSCRIBE_EVENTS = "subscribe_events"
    MATCH_SETS = "match_sets"
    COUNT_OVERLAP = "count_overlap"
    VIEW_STATISTICS = "view_statistics"
    VIEW_AGREEMENTS = "view_agreements"
    MANAGE_AGREEMENTS = "manage_agreements"
    VIEW_LEDGER = "view_ledger"
    VIEW_AUDIT_LOG = "view_audit_log"
    MANAGE_SYSTEM = "manage_system"
    MANAGE_ACCOUNTS = "manage_accounts"
    MANAGE_POLICIES = "manage_policies"
    VIEW_SHARING = "view_sharing"
    RAISE_DEMAND = "raise_demand"
    REVIEW_DEMAND = "review_demand"
    SIGN_AGREEMENT = "sign_agreement"
    RENEW_AGREEMENT = "renew_agreement"
    REVOKE_AGREEMENT = "revoke_agreement"
    RECALL_DELIVERY = "recall_delivery"
    ACKNOWLEDGE_NOTICE = "acknowledge_notice"
    DISPUTE_CORRECTION = "dispute_correction"
    SETTLE_DISPUTE = "settle_dispute"
    KEEP_SHARING_TERMS = "keep_sharing_terms"
    LIST_CLUES = "list_clues"
    VIEW_CLUE = "view_clue"
    WORK_CLUE = "work_clue"
    REVIEW_CLUE = "review_clue"
    ANSWER_CLUE = "answer_clue"
    OBJECT_CLUE = "object_clue"
    SETTLE_CLUE = "settle_clue"
    KEEP_CLUES = "keep_clues"
    JUDGE_HOLD = "judge_hold"
    KEEP_PAYMENTS = "keep_payments"
    CHECK_PAYLIST = "check_paylist"
    RELEASE_PAYLIST = "release_paylist"
    VIEW_NOTICES = "view_notices"


ROLES: Final = (
    "citizen",
    "employer_clerk",
    "window_clerk",
    "reviewer",
    "archivist",
    "investigator",
    "steward",
    "corrector",
    "leader",
    "auditor",
    "system_administrator",
    "security_administrator",
    "audit_administrator",
    "system",
    "neighbour",
)
"""Every role that policies speak of. `corrector` (校核员) checks a department's data that are in doubt; `system` is the
hub itself in its automatic checks; `neighbour` is a hub above or below, for which this one passes a question on."""


@dataclass(frozen=True)
class Actor:
    """Who asks.

    Attributes:
        user_id: of the account; of a citizen, what cases name as their owner.
        role: one of ROLES; of any other nothing is permitted.
        region: six digits; covers what lies in it (`130000` a province, `130100` a city).
        employer: number of the employer whom an employer's clerk acts for.
    """

    user_id: str
    name: str
    role: str
    department: str
    region: str = ""
    employer: str = ""


@dataclass(frozen=True)
class DecisionRequest:
    """What somebody wants to see or do.

    Attributes:
        purpose: code of the purpose (用途).
        elements: data elements asked for; empty if none is about a person.
        owner: user id of the citizen whom the matter is about.
        employer: number of the employer of the person whom the matter is about.
        region: region of the matter.
        department: department of the matter, for agreements.
        assigned: the matter is given to the actor.
    """

    actor: Actor
    action: str
    purpose: str = ""
    elements: tuple[str, ...] = ()
    case_id: str = ""
    assigned: bool = False
    owner: str = ""
    employer: str = ""
    region: str = ""
    department: str = ""


@dataclass(frozen=True)
class Decision:
    """What is permitted, and by which policy.

    Attributes:
        permitted: something is: the action itself, and at least one of the elements if any were asked for.
        elements: the elements that may be seen, in the order asked for.
        mask_level: the strictest mask among them.
        policy: ids of the policies that decided, the strictest first; empty on default deny.
        reason: `permitted`, `forbidden` (a forbid decided) or `no_policy`.
        mask_levels: mask by sensitivity level.
    """

    permitted: bool
    elements: tuple[str, ...]
    mask_level: MaskLevel
    policy: str
    reason: str
    mask_levels: Mapping[int, MaskLevel] = field(default_factory=dict)

    def show(self, identifier: str, text: str) -> str:
        """Give a value as it may be shown: whole, masked or hidden."""
        if identifier not in self.elements:
            return HIDDEN_TEXT
        return mask(identifier, text, self.mask_levels[element(identifier).level])


_MASKS: Final = {"full_view": MaskLevel.FULL_VIEW, "partial": MaskLevel.PARTIAL, "hidden": MaskLevel.HIDDEN}
_STRICTNESS: Final = (MaskLevel.FULL_VIEW, MaskLevel.PARTIAL, MaskLevel.HIDDEN)
_NOTHING_PERSONAL: Final = 0


def decide(request: DecisionRequest) -> Decision:
    """Decide whether somebody may see or do something. Pure: the same question has the same answer.

    Permitted is only what a policy names; a forbid overrides every permit.

    Raises:
        UnknownElement: an element isn't in the standard.
        ExchangeError: the policies themselves can't be evaluated; nothing is permitted.
    """
    actor = request.actor
    matter = _Matter(
        user=actor.user_id,
        role=actor.role,
        department=actor.department,
        works_for=actor.employer,
        action=str(request.action),
        owner=request.owner,
        employer=request.employer,
        matter_department=request.department,
        in_region=_covers(actor.region, request.region),
        assigned=request.assigned,
        purpose=request.purpose,
    )
    return _decide(matter, request.elements)


class _Matter(NamedTuple):
    """All that policies look at but the level: what a decision may be remembered by."""

    user: str
    role: str
    department: str
    works_for: str
    action: str
    owner: str
    employer: str
    matter_department: str
    in_region: bool
    assigned: bool
    purpose: str


@lru_cache(maxsize=8192)
def _decide(matter: _Matter, elements: tuple[str, ...]) -> Decision:
    level_of = {name: element(name).level for name in elements}
    asked = sorted(set(level_of.values())) or [_NOTHING_PERSONAL]
    judged = {level: _judge(matter, level) for level in asked}
    granted = {level: one for level, one in judged.items() if one.permitted}
    if not granted:
        forbidden = next((one for one in judged.values() if one.policies), None)
        policy, reason = (" ".join(forbidden.policies), "forbidden") if forbidden else ("", "no_policy")
        return Decision(permitted=False, elements=(), mask_level=MaskLevel.HIDDEN, policy=policy, reason=reason)
    levels = {level: one.mask for level, one in granted.items()}
    ordered = sorted(granted.values(), key=lambda one: _STRICTNESS.index(one.mask), reverse=True)
    return Decision(
        permitted=True,
        elements=tuple(name for name in elements if level_of[name] in granted),
        mask_level=max(levels.values(), key=_STRICTNESS.index),
        policy=" ".join(dict.fromkeys(policy for one in ordered for policy in one.policies)),
        reason="permitted",
        mask_levels=MappingProxyType(levels),
    )


def policy_ids() -> frozenset[str]:
    """List the ids of all policies."""
    return frozenset(_policies().ids.values())


def check_policies() -> tuple[str, ...]:
    """Hold the policies against their schema; give what is wrong, empty if nothing is."""
    result = cedarpy.validate_policies(_policy_text(), _read("schema.cedarschema"))
    return tuple(str(error) for error in result.errors)


@dataclass(frozen=True)
class _Policies:
    parsed: Any
    schema: Any
    ids: dict[str, str]
    masks: dict[str, MaskLevel]


@dataclass(frozen=True)
class _Judgement:
    permitted: bool
    policies: tuple[str, ...]
    mask: MaskLevel


def _read(name: str) -> str:
    return files("huodang.exchange").joinpath("policies", name).read_text(encoding="utf-8")


def _policy_text() -> str:
    folder = files("huodang.exchange").joinpath("policies")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".cedar"))
    return "\n".join(_read(name) for name in names)


@cache
def _policies() -> _Policies:
    text = _policy_text()
    described = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    ids = {name: policy["annotations"]["id"] for name, policy in described.items()}
    if len(set(ids.values())) != len(ids):
        raise ExchangeError("策略编号重复", "two policies have one id")
    masks = {
        name: _MASKS[policy["annotations"]["mask"]]
        for name, policy in described.items()
        if policy["effect"] == "permit"
    }
    return _Policies(cedarpy.PolicySet.from_str(text), cedarpy.Schema.from_str(_read("schema.cedarschema")), ids, masks)


def _judge(matter: _Matter, level: int) -> _Judgement:
    if matter.action not in _ACTIONS:
        return _Judgement(permitted=False, policies=(), mask=MaskLevel.HIDDEN)
    policies = _policies()
    actor = {
        "user": matter.user,
        "role": matter.role,
        "department": matter.department,
        "employer": matter.works_for,
    }
    about = {"owner": matter.owner, "employer": matter.employer, "department": matter.matter_department}
    result = cedarpy.is_authorized(
        {
            "principal": {"type": "User", "id": "actor"},
            "action": {"type": "Action", "id": matter.action},
            "resource": {"type": "Matter", "id": "matter"},
            "context": {
                "level": level,
                "in_region": matter.in_region,
                "assigned": matter.assigned,
                "purpose": matter.purpose,
            },
        },
        policies.parsed,
        [
            {"uid": {"type": "User", "id": "actor"}, "attrs": actor, "parents": []},
            {"uid": {"type": "Matter", "id": "matter"}, "attrs": about, "parents": []},
        ],
        policies.schema,
    )
    if result.diagnostics.errors:
        raise ExchangeError("访问策略无法判定，已按拒绝处理", "the policies can't be evaluated: nothing is permitted")
    deciding = result.diagnostics.reasons
    masks = [policies.masks[name] for name in deciding if name in policies.masks]
    return _Judgement(
        permitted=bool(result.allowed),
        policies=tuple(sorted(policies.ids[name] for name in deciding)),
        # Several permits: each alone would do, so the mildest mask holds.
        mask=min(masks, key=_STRICTNESS.index) if result.allowed else MaskLevel.HIDDEN,
    )


_ACTIONS: Final = frozenset(action.value for action in Action)
_REGION_PAIRS: Final = 3


def _covers(outer: str, inner: str) -> bool:
    """Say whether a region lies in another: three pairs of digits, `00` standing for all of the level above."""
    if len(outer) != 2 * _REGION_PAIRS or len(inner) != 2 * _REGION_PAIRS:
        return False
    pairs: Iterable[tuple[str, str]] = ((outer[at : at + 2], inner[at : at + 2]) for at in range(0, 6, 2))
    for mine, theirs in pairs:
        if mine == "00":
            return True
        if mine != theirs:
            return False
    return True
