"""What the names in the demand's table mean: guards and effects."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import msgspec

from huodang.exchange.agreements import Agreements, AgreementState
from huodang.exchange.catalogue import Catalogue, CatalogueEntry, Sharing, check_agreement, mandatory_list
from huodang.exchange.errors import AgreementError, MessageError
from huodang.exchange.sharing.demand_states import DemandState
from huodang.exchange.sharing.demand_terms import DemandTerms, check_terms, draft_agreement, narrower
from huodang.exchange.sharing.engine import day_after, stop_clock
from huodang.exchange.sharing.errors import DemandError, SharingGuardError
from huodang.exchange.sharing.matters import Change, Desk, Effect, Guard, Matter
from huodang.exchange.values import Agreement
from huodang.standards import UnknownElement
from huodang.store import jobs

DELIVER: Final = "sharing.deliver"
REMIND: Final = "sharing.remind"
EXPIRE: Final = "sharing.expire"


def terms_of(matter: Matter) -> DemandTerms:
    """Read what a demand asks for."""
    return DemandTerms.from_payload(json.loads(matter.row["terms"]))


def draft_of(matter: Matter) -> Agreement | None:
    """Read the agreement that is to be signed or was; None before the demand was approved."""
    return Agreement.from_payload(json.loads(matter.row["draft"])) if matter.row["draft"] else None


class DemandSteps:
    """Guards and effects of demands."""

    def __init__(self, desk: Desk, agreements: Agreements, catalogue: Catalogue, grant_signer: str) -> None:
        self._desk = desk
        self._agreements = agreements
        self._catalogue = catalogue
        self._grant_signer = grant_signer

    def guards(self) -> Mapping[str, Guard]:
        """Give the conditions by name."""
        return {
            "note_given": note_given,
            "reason_and_law_given": reason_and_law_given,
            "decision_recorded": decision_recorded,
            "not_mandatory": self._not_mandatory,
            "stopped_in_review": _stopped_in(DemandState.REVIEW),
            "stopped_in_answer": _stopped_in(DemandState.ANSWER),
            "terms_hold": self._terms_hold,
            "resource_offered": self._resource_offered,
            "resource_not_offered": self._resource_not_offered,
            "named_resource_offered": self._named_resource_offered,
            "not_beyond_the_demand": self._not_beyond_the_demand,
            "in_force": self._in_force,
            "end_is_near": self._end_is_near,
            "later_end_named": self._later_end_named,
            "revocation_taken": self._revocation_taken,
            "end_has_passed": self._end_has_passed,
        }

    def effects(self) -> Mapping[str, Effect]:
        """Give what is done, by name."""
        return {
            "stop_clock": stop_clock,
            "go_on": self._go_on,
            "change_terms": self._change_terms,
            "narrow_terms": self._change_terms,
            "name_resource": self._name_resource,
            "draw_up_agreement": self._draw_up_agreement,
            "draw_up_renewal": self._draw_up_renewal,
            "drop_renewal": self._drop_renewal,
            "withdraw_agreement": self._withdraw_agreement,
            "deliver_agreement": self._deliver_agreement,
            "watch_end": self._watch_end,
            "record_decision": record_decision,
            "escalate": escalate,
        }

    # Guards.

    def _not_mandatory(self, change: Change) -> SharingGuardError | None:
        entry = self._entries(change).get(change.matter.resource)
        listed = {name for item in mandatory_list() for name in item.resources}
        if (entry is None or not entry.mandatory) and change.matter.resource not in listed:
            return None
        return SharingGuardError(
            "not_mandatory",
            "该资源列入强制共享目录，不能拒绝",
            "the resource is on the mandatory sharing list and can't be refused",
            advice=("可以要求补正，或缩小范围后同意。", "Ask for a supplement, or approve within narrower bounds."),
        )

    def _terms_hold(self, change: Change) -> SharingGuardError | None:
        try:
            terms = self._offered_terms(change)
            check_terms(terms, self._entries(change), change.today)
        except (DemandError, UnknownElement, MessageError) as problem:
            return SharingGuardError("terms_hold", problem.chinese, problem.english)
        if (terms.consumer, terms.provider) == (change.matter.consumer, change.matter.provider):
            return None
        return SharingGuardError("terms_hold", "补正不能更换部门", "a supplement can't change the departments")

    def _resource_offered(self, change: Change) -> SharingGuardError | None:
        return None if self._offered(change, change.matter.resource) else _not_offered("resource_offered")

    def _resource_not_offered(self, change: Change) -> SharingGuardError | None:
        if not self._offered(change, change.matter.resource):
            return None
        return SharingGuardError("resource_not_offered", "该资源已发布", "the resource is published already")

    def _named_resource_offered(self, change: Change) -> SharingGuardError | None:
        name = change.text("resource") or change.matter.resource
        if name.partition(".")[0] != change.matter.provider or not self._offered(change, name):
            return _not_offered("named_resource_offered")
        try:
            self._check(change, self._published_terms(change))
        except AgreementError as problem:
            return SharingGuardError("named_resource_offered", problem.chinese, problem.english)
        return None

    def _not_beyond_the_demand(self, change: Change) -> SharingGuardError | None:
        try:
            terms = self._offered_terms(change)
        except MessageError as problem:
            return SharingGuardError("not_beyond_the_demand", problem.chinese, problem.english)
        if not narrower(terms, terms_of(change.matter)):
            return SharingGuardError(
                "not_beyond_the_demand",
                "同意的范围超出了需求；只能缩小，不能扩大",
                "what is approved goes beyond the demand; it can be narrowed only",
            )
        try:
            self._check(change, terms)
        except AgreementError as problem:
            return SharingGuardError("not_beyond_the_demand", problem.chinese, problem.english)
        return None

    def _in_force(self, change: Change) -> SharingGuardError | None:
        state = self._state(change, change.matter.row["agreement_version"])
        if state is AgreementState.IN_FORCE:
            return None
        return SharingGuardError("in_force", "协议尚未由双方签齐", "the agreement isn't signed by both sides yet")

    def _end_is_near(self, change: Change) -> SharingGuardError | None:
        draft = draft_of(change.matter)
        ahead = timedelta(days=self._desk.terms.remind_days_before_end)
        if draft is not None and draft.valid_to is not None and draft.valid_to - ahead <= change.today:
            return None
        return SharingGuardError("end_is_near", "协议还不到提醒的时候", "the agreement's end isn't near")

    def _later_end_named(self, change: Change) -> SharingGuardError | None:
        until, draft = wished_end(change), draft_of(change.matter)
        if until is not None and draft is not None and draft.valid_to is not None and until > draft.valid_to:
            return None
        return SharingGuardError(
            "later_end_named",
            "请写明晚于现在止期的新止期（valid_to，如 2027-12-31）",
            "name a new last day later than the present one (`valid_to`, such as 2027-12-31)",
        )

    def _revocation_taken(self, change: Change) -> SharingGuardError | None:
        known = self._agreements.versions(change.connection, change.matter.row["agreement_id"])
        states = {one.state for one in known}
        if AgreementState.REVOKED in states and AgreementState.IN_FORCE not in states:
            return None
        return SharingGuardError(
            "revocation_taken",
            "撤销要由一方签名：请在部门用 huodang steward revoke 生成撤销文件并提交",
            "a revocation is signed by a side: make the file with `huodang steward revoke` and hand it in",
        )

    def _end_has_passed(self, change: Change) -> SharingGuardError | None:
        known = self._agreements.versions(change.connection, change.matter.row["agreement_id"])
        if known and not any(
            one.agreement.covers(change.today) and one.state is AgreementState.IN_FORCE for one in known
        ):
            return None
        return SharingGuardError("end_has_passed", "协议还没有到期", "the agreement hasn't ended")

    # Effects.

    def _go_on(self, change: Change) -> None:
        change.resumed = change.matter.days_used if self._desk.terms.after_supplement == "continues" else 0

    def _change_terms(self, change: Change) -> None:
        terms = self._offered_terms(change)
        change.updates |= {"terms": _text(terms), "resource": terms.resource}

    def _name_resource(self, change: Change) -> None:
        terms = self._published_terms(change)
        change.updates |= {"terms": _text(terms), "resource": terms.resource}

    def _draw_up_agreement(self, change: Change) -> None:
        terms = DemandTerms.from_payload(json.loads(change.updates["terms"]))
        row = change.matter.row
        draft = draft_agreement(terms, row["agreement_id"], 1, self._grant_signer, change.today)
        change.updates |= {"draft": _text(draft), "agreement_version": 1}

    def _draw_up_renewal(self, change: Change) -> None:
        agreement_id = change.matter.row["agreement_id"]
        # A renewal that was called off may stand as a version already.
        version = 1 + max(one.agreement.version for one in self._agreements.versions(change.connection, agreement_id))
        terms, until = terms_of(change.matter), wished_end(change)
        draft = draft_agreement(terms, agreement_id, version, self._grant_signer, change.today, valid_to=until)
        change.updates |= {"draft": _text(draft), "agreement_version": version}

    def _drop_renewal(self, change: Change) -> None:
        """Take back a renewal that isn't in force: the version before it stands as the agreement again."""
        if change.matter.state != DemandState.RENEWAL_SIGNING:
            return
        row = change.matter.row
        self._withdraw_agreement(change)
        known = self._agreements.versions(change.connection, row["agreement_id"])
        before = [one.agreement for one in known if one.state is not AgreementState.WITHDRAWN]
        change.updates |= {"draft": _text(before[-1]), "agreement_version": before[-1].version}

    def _withdraw_agreement(self, change: Change) -> None:
        row = change.matter.row
        if row["draft"] and row["agreement_version"]:
            by = change.actor.department or "hub"
            self._agreements.withdraw(change.connection, row["agreement_id"], row["agreement_version"], by)

    def _deliver_agreement(self, change: Change) -> None:
        row = change.matter.row
        deliver(change, change.matter.provider, row["agreement_id"], row["agreement_version"])

    def _watch_end(self, change: Change) -> None:
        draft = draft_of(change.matter)
        if draft is None or draft.valid_to is None:
            return
        ahead = timedelta(days=self._desk.terms.remind_days_before_end)
        payload = {"matter": change.matter.matter_id, "version": draft.version}
        for kind, day in ((REMIND, draft.valid_to - ahead - timedelta(days=1)), (EXPIRE, draft.valid_to)):
            key = f"{kind}:{change.matter.matter_id}:{draft.version}"
            jobs.enqueue(change.connection, kind, payload, run_at=day_after(day), key=key)

    # What both look at.

    def _entries(self, change: Change) -> Mapping[str, CatalogueEntry]:
        return self._catalogue.entries(change.connection)

    def _offered(self, change: Change, resource: str) -> bool:
        entry = self._entries(change).get(resource)
        return entry is not None and entry.sharing is not Sharing.NONE

    def _offered_terms(self, change: Change) -> DemandTerms:
        """Give the demand's terms with what came with the event put over them."""
        return _changed(terms_of(change.matter), change.data.get("terms"))

    def _published_terms(self, change: Change) -> DemandTerms:
        terms = self._offered_terms(change)
        name = change.text("resource") or change.matter.resource
        entry = self._entries(change)[name]
        changed = msgspec.structs.replace(terms, resource=name, kind=entry.kind)
        # A wish in words becomes what the entry holds; the provider may have named less.
        return (
            changed if changed.elements or changed.fields else msgspec.structs.replace(changed, elements=entry.elements)
        )

    def _check(self, change: Change, terms: DemandTerms) -> None:
        check_agreement(
            draft_agreement(terms, "check", 1, self._grant_signer, change.today), dict(self._entries(change))
        )

    def _state(self, change: Change, version: int) -> AgreementState | None:
        known = self._agreements.get(change.connection, change.matter.row["agreement_id"], version)
        return None if known is None else known.state


def deliver(change: Change, provider: str, agreement_id: str, version: int) -> None:
    """Have the provider's gateway told of an agreement, at once and again until it has it."""
    jobs.enqueue(
        change.connection,
        DELIVER,
        {"what": "agreement", "provider": provider, "agreement": agreement_id, "version": version},
        run_at=change.now,
        key=f"{DELIVER}:agreement:{agreement_id}:{version}",
    )


def wished_end(change: Change) -> date | None:
    """Read the new last day that a renewal names."""
    try:
        return date.fromisoformat(change.text("valid_to"))
    except ValueError:
        return None


def note_given(change: Change) -> SharingGuardError | None:
    """Hold an event that says why."""
    return None if change.note else SharingGuardError("note_given", "请写明原因或要求", "say why, or what is needed")


def reason_and_law_given(change: Change) -> SharingGuardError | None:
    """Hold a refusal that gives its reason and the law it rests on."""
    if change.note and change.text("law"):
        return None
    return SharingGuardError(
        "reason_and_law_given",
        "拒绝应当写明原因（note）和法律依据（law）",
        "a refusal gives its reason (`note`) and the law it rests on (`law`)",
    )


def decision_recorded(change: Change) -> SharingGuardError | None:
    """Hold a decision of the joint meeting that says which meeting, and what it found."""
    if change.note and change.text("meeting"):
        return None
    return SharingGuardError(
        "decision_recorded",
        "请写明联席会议纪要编号（meeting）和裁定内容（note）",
        "name the joint meeting's record (`meeting`) and what it decided (`note`)",
    )


def record_decision(change: Change) -> None:
    """Keep which meeting decided."""
    change.updates["decided"] = change.text("meeting")[:128]


def escalate(change: Change) -> None:
    """Light red; the joint meeting's list shows it from now on."""
    change.updates["overdue"] = True


def _stopped_in(state: DemandState) -> Guard:
    def guard(change: Change) -> SharingGuardError | None:
        if change.matter.stopped_state == state:
            return None
        return SharingGuardError(f"stopped_in_{state}", "补正的环节不符", "it was stopped in another step")

    return guard


def _not_offered(guard: str) -> SharingGuardError:
    return SharingGuardError(
        guard,
        "目录中没有本部门可共享的这项资源",
        "the catalogue has no such resource of this department that is shared",
        advice=("请先发布目录条目，再写明资源名。", "Publish the entry first, then name the resource."),
    )


def _changed(terms: DemandTerms, changes: object) -> DemandTerms:
    if not changes:
        return terms
    if not isinstance(changes, Mapping):
        raise MessageError("terms 应为键值", "`terms` is a mapping")
    return DemandTerms.from_payload({**terms.to_payload(), **changes})


def _text(message: DemandTerms | Agreement) -> str:
    return json.dumps(message.to_payload(), ensure_ascii=False, sort_keys=True)
