"""Demands, agreements, corrections and signed acts on the JSON API (供需对接, 校核纠错).

What is raised twice is raised once: the same demand or correction, while it lives, gives the one that stands. An event
sent twice is a conflict the second time, as the matter has moved on.
"""

from typing import Annotated, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from huodang.exchange import Agreement, AgreementRecord, AgreementState
from huodang.exchange.sharing import (
    Announcement,
    CorrectionClaim,
    CorrectionState,
    CorrectionView,
    DemandState,
    DemandView,
    TakenAct,
)
from huodang.web.exchange_access import may_oversee
from huodang.web.exchange_api_shapes import (
    AgreementLife,
    Agreements,
    AgreementShown,
    AgreementStep,
    AnnouncementRaised,
    ClaimRaised,
    Corrections,
    DemandRaised,
    Demands,
    EnvelopeSent,
    MatterEvent,
    MatterMoved,
    Notices,
    Overdue,
    RecallRaised,
)
from huodang.web.problems import NotFoundError
from huodang.web.roles import CORRECTION_ROLES, DELIVERY_ROLES, DEMAND_ROLES
from huodang.web.security import StaffRequest
from huodang.web.services import Services

Limit = Annotated[int, QueryParameter(ge=1, le=500)]
_MINIMAL: Final = "return=minimal"


@get("/demands", opt={"roles": DEMAND_ROLES}, sync_to_thread=True, summary="需求清单 / List demands")
def list_demands(
    request: StaffRequest,
    services: NamedDependency[Services],
    wanted: Annotated[DemandState | None, QueryParameter(name="state")] = None,  # Litestar keeps `state` for itself
    limit: Limit = 100,
) -> Demands:
    """本人可见的需求，新的在前。The demands that one may see."""
    return Demands(services.sharing.demands(request.user.actor, state=wanted, limit=limit))


@get("/demands/overdue", opt={"roles": DEMAND_ROLES}, sync_to_thread=True, summary="超期需求 / Overdue demands")
def overdue_demands(request: StaffRequest, services: NamedDependency[Services]) -> Overdue:
    """超过答复期限的需求，及应由谁办理。What is overdue, and by whom."""
    return Overdue(services.sharing.overdue(request.user.actor))


@post("/demands", opt={"roles": DEMAND_ROLES}, sync_to_thread=True, summary="提出需求 / Raise a demand")
def raise_demand(
    request: StaffRequest, data: JSONBody[DemandRaised], services: NamedDependency[Services]
) -> DemandView:
    """为本部门提出需求；同一需求重复提交得到同一件。The same demand again gives the one that stands."""
    return services.sharing.raise_demand(request.user.actor, data.terms, note=data.note)


@get("/demands/{demand_id:str}", opt={"roles": DEMAND_ROLES}, sync_to_thread=True, summary="需求详情 / One demand")
def view_demand(request: StaffRequest, demand_id: FromPath[str], services: NamedDependency[Services]) -> DemandView:
    """需求、期限、历史和现在能办的事。A demand with deadline, history, and what one may do now."""
    return services.sharing.view(request.user.actor, demand_id)


@post(
    "/demands/{demand_id:str}/events",
    opt={"roles": DEMAND_ROLES},
    sync_to_thread=True,
    status_code=HTTP_200_OK,
    summary="办理需求 / Move a demand",
)
def move_demand(
    request: StaffRequest,
    demand_id: FromPath[str],
    data: JSONBody[MatterEvent],
    services: NamedDependency[Services],
) -> DemandView | MatterMoved:
    """审核、答复、续签、撤销等。Review, answer, renew, revoke; `Prefer: return=minimal` answers with the state."""
    moved = services.sharing.act(request.user.actor, demand_id, data.event, note=data.note, data=data.data)
    return MatterMoved(moved.standing.state) if _minimal(request) else moved


@get(
    "/demands/{demand_id:str}/draft",
    opt={"roles": DEMAND_ROLES},
    sync_to_thread=True,
    summary="协议文本 / The agreement to be signed",
)
def draft_agreement(request: StaffRequest, demand_id: FromPath[str], services: NamedDependency[Services]) -> Agreement:
    """待双方各自签署的协议。The agreement that each side signs at its own department."""
    return services.sharing.draft(request.user.actor, demand_id)


@get("/agreements", opt={"roles": DEMAND_ROLES | DELIVERY_ROLES}, sync_to_thread=True, summary="协议 / Agreements")
def list_agreements(
    request: StaffRequest,
    services: NamedDependency[Services],
    wanted: Annotated[AgreementState | None, QueryParameter(name="state")] = None,
) -> Agreements:
    """本人可以看的协议，含各版。The agreements that one may oversee, every version."""
    with services.database.read() as connection:
        found = services.exchange.agreements.all(connection)
    return Agreements(
        [
            _shown(one)
            for one in found
            if wanted in {None, one.state}
            and may_oversee(request.user.actor, one.agreement.provider, one.agreement.consumer)
        ]
    )


@get(
    "/agreements/{agreement_id:str}",
    opt={"roles": DEMAND_ROLES | DELIVERY_ROLES},
    sync_to_thread=True,
    summary="协议历史 / One agreement's life",
)
def view_agreement(
    request: StaffRequest, agreement_id: FromPath[str], services: NamedDependency[Services]
) -> AgreementLife:
    """协议各版和经过。Every version of an agreement and what happened to it."""
    with services.database.read() as connection:
        versions = services.exchange.agreements.versions(connection, agreement_id)
        history = services.exchange.agreements.history(connection, agreement_id)
    if not versions or not may_oversee(
        request.user.actor, versions[-1].agreement.provider, versions[-1].agreement.consumer
    ):
        raise NotFoundError
    return AgreementLife([_shown(one) for one in versions], [AgreementStep(*one) for one in history])


@post("/agreements", opt={"roles": DEMAND_ROLES}, sync_to_thread=True, summary="交来签署的协议 / Hand in an agreement")
def hand_in_agreement(data: JSONBody[EnvelopeSent], services: NamedDependency[Services]) -> AgreementShown:
    """带一方或双方签名的协议；只认签名。An agreement with one signature or both; only signatures count."""
    return _shown(services.sharing.take_agreement(data.envelope))


@post("/revocations", opt={"roles": DEMAND_ROLES}, sync_to_thread=True, summary="交来撤销书 / Hand in a revocation")
def hand_in_revocation(data: JSONBody[EnvelopeSent], services: NamedDependency[Services]) -> Agreements:
    """任一方签署的撤销书，立即生效。A revocation signed by either side; it holds at once."""
    return Agreements([_shown(one) for one in services.sharing.take_revocation(data.envelope)])


@post(
    "/acts", opt={"roles": DEMAND_ROLES | CORRECTION_ROLES}, sync_to_thread=True, summary="交来签名的办理 / Signed acts"
)
def hand_in_act(data: JSONBody[EnvelopeSent], services: NamedDependency[Services]) -> TakenAct:
    """部门以签名文件办理需求和校核，每件只算一次。A department's signed act on a demand or correction; counts once."""
    return services.sharing_acts.take(data.envelope)


@get("/corrections", opt={"roles": CORRECTION_ROLES}, sync_to_thread=True, summary="校核清单 / List corrections")
def list_corrections(
    request: StaffRequest,
    services: NamedDependency[Services],
    wanted: Annotated[CorrectionState | None, QueryParameter(name="state")] = None,
    limit: Limit = 100,
) -> Corrections:
    """本人可见的校核，不含个人信息。The corrections that one may know of; they name nobody."""
    return Corrections(services.corrections.corrections(request.user.actor, state=wanted, limit=limit))


@get("/corrections/overdue", opt={"roles": CORRECTION_ROLES}, sync_to_thread=True, summary="超期校核 / Overdue ones")
def overdue_corrections(request: StaffRequest, services: NamedDependency[Services]) -> Overdue:
    """超过期限的校核，及应由谁办理。What is overdue, and by whom."""
    return Overdue(services.corrections.overdue(request.user.actor))


@post("/corrections", opt={"roles": CORRECTION_ROLES}, sync_to_thread=True, summary="提出校核 / Doubt a value")
def raise_correction(
    request: StaffRequest, data: JSONBody[ClaimRaised], services: NamedDependency[Services]
) -> CorrectionView:
    """指出收到的值有误并附依据；查看留痕。Say that a value received is wrong; the look is recorded."""
    claim = CorrectionClaim(
        resource=data.resource,
        identity_number=data.identity_number,
        element=data.element,
        believed=data.believed,
        origin=data.origin,
        reference=data.reference,
        received=data.received,
        evidence=data.evidence,
    )
    return services.corrections.raise_correction(request.user.actor, claim, note=data.note)


@post("/corrections/announcements", opt={"roles": CORRECTION_ROLES}, sync_to_thread=True, summary="主动更正 / Announce")
def announce_correction(
    request: StaffRequest, data: JSONBody[AnnouncementRaised], services: NamedDependency[Services]
) -> CorrectionView:
    """提供部门主动更正，通知每一份副本。A provider corrects its own value; every copy is told."""
    announcement = Announcement(
        resource=data.resource,
        identity_number=data.identity_number,
        element=data.element,
        received=data.received,
        corrected=data.corrected,
        in_force_from=data.in_force_from,
        evidence=data.evidence,
    )
    return services.corrections.announce(request.user.actor, announcement, note=data.note)


@post(
    "/corrections/recalls", opt={"roles": CORRECTION_ROLES}, sync_to_thread=True, summary="数据召回 / Recall a delivery"
)
def recall_delivery(
    request: StaffRequest, data: JSONBody[RecallRaised], services: NamedDependency[Services]
) -> CorrectionView:
    """召回一次交换的全部数据。Recall a whole delivery; its rows are shown to nobody from now on."""
    return services.corrections.recall(
        request.user.actor, data.resource, data.origin, data.reference, reason=data.reason
    )


@get(
    "/corrections/{correction_id:str}",
    opt={"roles": CORRECTION_ROLES},
    sync_to_thread=True,
    summary="校核详情 / One correction",
)
def view_correction(
    request: StaffRequest, correction_id: FromPath[str], services: NamedDependency[Services]
) -> CorrectionView:
    """校核的经过；值按策略遮盖，查看留痕。A correction; values masked by policy, and the look is recorded."""
    return services.corrections.view(request.user.actor, correction_id)


@post(
    "/corrections/{correction_id:str}/events",
    opt={"roles": CORRECTION_ROLES},
    sync_to_thread=True,
    status_code=HTTP_200_OK,
    summary="办理校核 / Move a correction",
)
def move_correction(
    request: StaffRequest,
    correction_id: FromPath[str],
    data: JSONBody[MatterEvent],
    services: NamedDependency[Services],
) -> CorrectionView | MatterMoved:
    """更正、驳回、争议等。Accept, reject, dispute; `Prefer: return=minimal` answers with the state alone."""
    actor = request.user.actor
    moved = services.corrections.act(actor, correction_id, data.event, note=data.note, data=data.data)
    return MatterMoved(moved.row.standing.state) if _minimal(request) else moved


@get("/notices", opt={"roles": CORRECTION_ROLES}, sync_to_thread=True, summary="更正通知 / Notices")
def list_notices(
    *,
    request: StaffRequest,
    services: NamedDependency[Services],
    open_only: FromQuery[bool] = False,
    limit: Limit = 100,
) -> Notices:
    """本部门收到的更正和召回通知。What one's department was told."""
    return Notices(services.corrections.notices(request.user.actor, open_only=open_only, limit=limit))


@get("/notices/{notice_id:str}", opt={"roles": CORRECTION_ROLES}, sync_to_thread=True, summary="通知原件 / A notice")
def view_notice(request: StaffRequest, notice_id: FromPath[str], services: NamedDependency[Services]) -> EnvelopeSent:
    """签名的通知，内容只有本部门的密钥能打开。The signed notice, which only one's department's key opens."""
    return EnvelopeSent(services.corrections.notice(request.user.actor, notice_id).to_json())


@post(
    "/notices/{notice_id:str}/acknowledgement",
    opt={"roles": CORRECTION_ROLES},
    sync_to_thread=True,
    status_code=HTTP_204_NO_CONTENT,
    summary="确认通知 / Acknowledge a notice",
)
def acknowledge_notice(
    request: StaffRequest, notice_id: FromPath[str], services: NamedDependency[Services]
) -> Response[None]:
    """确认已按通知处理；全部确认后校核办结。Say that one's department acted on it; the first time counts."""
    services.corrections.acknowledge(request.user.actor, notice_id)
    return Response(content=None, status_code=HTTP_204_NO_CONTENT)


def _minimal(request: StaffRequest) -> bool:
    """Whether the caller wants no more than the new state (RFC 7240)."""
    return _MINIMAL in request.headers.get("prefer", "")


def _shown(record: AgreementRecord) -> AgreementShown:
    return AgreementShown(record.agreement, record.state, [one.holder for one in record.envelope.signatures])


SHARING_HANDLERS: Final = (
    list_demands,
    overdue_demands,
    raise_demand,
    view_demand,
    move_demand,
    draft_agreement,
    list_agreements,
    view_agreement,
    hand_in_agreement,
    hand_in_revocation,
    hand_in_act,
    list_corrections,
    overdue_corrections,
    raise_correction,
    announce_correction,
    recall_delivery,
    view_correction,
    move_correction,
    list_notices,
    view_notice,
    acknowledge_notice,
)
"""The routes of this module."""
