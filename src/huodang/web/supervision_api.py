"""Supervision on the JSON API (疑点, 在领查询, 发放清单, 追回, 时滞): what the pages do, for programs.

Numbers of persons come in bodies, never in addresses. Lists name nobody; who opens a clue, its evidence or a recovery
leaves a look, as the policy says.
"""

from typing import Annotated, Final

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from huodang.standards import Month
from huodang.supervision.clues import ClueState, Counts
from huodang.supervision.recovery import RecoveryState
from huodang.supervision.watch import lag
from huodang.web.exchange_api_shapes import MatterMoved
from huodang.web.problems import BadFormError
from huodang.web.roles import CLUE_ROLES, PAYMENT_ROLES, SUPERVISION_ROLES, Role
from huodang.web.security import StaffRequest
from huodang.web.services import Services
from huodang.web.supervision_api_shapes import (
    ClueMoved,
    Clues,
    ClueShown,
    EvidenceOpened,
    EvidenceShown,
    LagsShown,
    NoticesToPerson,
    PayeeAsked,
    PayeeShown,
    PaylistShown,
    PaylistsShown,
    RecoveriesListed,
    RecoveryMoved,
    RecoveryShown,
    clue_shown,
    lag_shown,
    notice_shown,
    paylist_shown,
    recovery_listed,
    recovery_shown,
)

Limit = Annotated[int, QueryParameter(ge=1, le=500)]
Matter = Annotated[str | None, QueryParameter(max_length=64)]
LagMonth = r"^(19|20)[0-9]{2}(0[1-9]|1[0-2])$"
_MINIMAL: Final = "return=minimal"
_MONTHS: Final = 12
_MOST_MONTHS: Final = 120
_BY_COMMAND: Final = frozenset({"revise", "issue_claw_back"})
"""Events that come with a recomputation or a bank file: by command."""


@get("/clues", opt={"roles": SUPERVISION_ROLES}, sync_to_thread=True, summary="疑点清单 / List clues")
def list_clues(
    *,
    request: StaffRequest,
    services: NamedDependency[Services],
    wanted: Annotated[ClueState | None, QueryParameter(name="state")] = None,  # Litestar keeps `state` for itself
    matter: Matter = None,
    mine: FromQuery[bool] = False,
    limit: Limit = 100,
) -> Clues:
    """可以知道的疑点，最紧要的在前；不写状态即未认定的。The most pressing first; without a state, the undecided."""
    found = services.supervision.clues.queue(request.user.actor, state=wanted, matter=matter, mine=mine, limit=limit)
    return Clues(found)


@get("/clues/counts", opt={"roles": SUPERVISION_ROLES}, sync_to_thread=True, summary="疑点计数 / Count clues")
def count_clues(request: StaffRequest, services: NamedDependency[Services]) -> Counts:
    """按状态和紧急程度计数，及涉及金额（分）。How many stand where, and how many fen are at stake."""
    return services.supervision.clues.counts(request.user.actor)


@get("/clues/{clue_id:str}", opt={"roles": CLUE_ROLES}, sync_to_thread=True, summary="疑点详情 / One clue")
def view_clue(request: StaffRequest, clue_id: FromPath[str], services: NamedDependency[Services]) -> ClueShown:
    """来源、函询、历史和现在能办的事；按策略遮盖，查看留痕。A clue, masked by policy; the look is recorded."""
    return clue_shown(services.supervision.clues.view(request.user.actor, clue_id))


@get(
    "/clues/{clue_id:str}/evidence",
    opt={"roles": SUPERVISION_ROLES},
    sync_to_thread=True,
    summary="封存的证据 / Frozen evidence",
)
def open_evidence(request: StaffRequest, clue_id: FromPath[str], services: NamedDependency[Services]) -> EvidenceOpened:
    """与摘要核对过的证据，查看留痕。The evidence, held against its digests; the look is recorded."""
    found = services.supervision.clues.evidence(request.user.actor, clue_id)
    return EvidenceOpened([EvidenceShown(one.digest, one.run_id, one.frozen_at, dict(one.shown)) for one in found])


@get(
    "/clues/{clue_id:str}/notices",
    opt={"roles": PAYMENT_ROLES},
    sync_to_thread=True,
    summary="告知书 / Notices to the person",
)
def clue_notices(request: StaffRequest, clue_id: FromPath[str], services: NamedDependency[Services]) -> NoticesToPerson:
    """因此疑点告知过本人什么，查看留痕。What the person was told because of a clue; the look is recorded."""
    found = services.supervision.control.letters(request.user.actor, clue_id)
    return NoticesToPerson([notice_shown(one) for one in found])


@post(
    "/clues/{clue_id:str}/events",
    opt={"roles": CLUE_ROLES},
    sync_to_thread=True,
    status_code=HTTP_200_OK,
    summary="办理疑点 / Move a clue",
)
def move_clue(
    request: StaffRequest,
    clue_id: FromPath[str],
    data: JSONBody[ClueMoved],
    services: NamedDependency[Services],
) -> ClueShown | MatterMoved:
    """领办、函询、答复、认定、复核等。Take, ask, answer, propose, approve; `Prefer: return=minimal` gives the state."""
    desk, actor = services.supervision.clues, request.user.actor
    given = {name: text for name in data.data.__struct_fields__ if (text := getattr(data.data, name))}
    if _minimal(request):
        return MatterMoved(desk.move(actor, clue_id, data.event, note=data.note, data=given).state)
    return clue_shown(desk.act(actor, clue_id, data.event, note=data.note, data=given))


@post(
    "/payees",
    opt={"roles": PAYMENT_ROLES, "takes_key": False},
    sync_to_thread=True,
    status_code=HTTP_200_OK,
    summary="在领查询 / Is this person paid",
)
def find_payee(request: StaffRequest, data: JSONBody[PayeeAsked], services: NamedDependency[Services]) -> PayeeShown:
    """某人是否在领待遇；查不到也留痕。Whether a person is paid anywhere; the answer “no” leaves a look, too."""
    desk = services.supervision.payee_desk
    found = desk.find(request.user.actor, data.identity_number, data.purpose, case_id=data.case_id)
    return PayeeShown(found.identity_number, found.is_paid, list(found.rows), found.elsewhere, found.entry_id)


@get(
    "/paylists",
    opt={"roles": PAYMENT_ROLES - {Role.AUDITOR}},
    sync_to_thread=True,
    summary="发放清单 / Monthly lists",
)
def list_paylists(request: StaffRequest, services: NamedDependency[Services], limit: Limit = 100) -> PaylistsShown:
    """检查过的发放清单，新的在前。The lists that were checked, the newest first."""
    found = services.supervision.paylists.lists(request.user.actor, limit=limit)
    return PaylistsShown([paylist_shown(one) for one in found])


@get(
    "/paylists/{list_id:str}",
    opt={"roles": PAYMENT_ROLES - {Role.AUDITOR}},
    sync_to_thread=True,
    summary="一份发放清单 / One monthly list",
)
def view_paylist(request: StaffRequest, list_id: FromPath[str], services: NamedDependency[Services]) -> PaylistShown:
    """合计、摘要和还在等人认定的疑点。Sums, digests, and the clues that wait for somebody."""
    return paylist_shown(services.supervision.paylists.show(request.user.actor, list_id))


@get("/recoveries", opt={"roles": PAYMENT_ROLES}, sync_to_thread=True, summary="追回清单 / List recoveries")
def list_recoveries(
    request: StaffRequest,
    services: NamedDependency[Services],
    wanted: Annotated[RecoveryState | None, QueryParameter(name="state")] = None,
    limit: Limit = 100,
) -> RecoveriesListed:
    """本人可以知道的追回，先到期的在前；不含个人信息。Recoveries, what is due first comes first; they name nobody."""
    found = services.supervision.recoveries.recoveries(request.user.actor, state=wanted, limit=limit)
    return RecoveriesListed([recovery_listed(one) for one in found])


@get(
    "/recoveries/{recovery_id:str}",
    opt={"roles": PAYMENT_ROLES},
    sync_to_thread=True,
    summary="一笔追回 / One recovery",
)
def view_recovery(
    request: StaffRequest, recovery_id: FromPath[str], services: NamedDependency[Services]
) -> RecoveryShown:
    """逐月多付、收回、计划和历史；值按策略遮盖，查看留痕。Months, movements and history; the look is recorded."""
    return recovery_shown(services.supervision.recoveries.view(request.user.actor, recovery_id))


@post(
    "/recoveries/{recovery_id:str}/events",
    opt={"roles": PAYMENT_ROLES},
    sync_to_thread=True,
    status_code=HTTP_200_OK,
    summary="办理追回 / Move a recovery",
)
def move_recovery(
    request: StaffRequest,
    recovery_id: FromPath[str],
    data: JSONBody[RecoveryMoved],
    services: NamedDependency[Services],
) -> RecoveryShown:
    """送达、分期、抵扣、到账、核销等；同一凭证只入账一次。Serve, plan, book, write off; a voucher is booked once."""
    if data.event in _BY_COMMAND:
        raise BadFormError("event")
    desk = services.supervision.recoveries
    return recovery_shown(desk.act(request.user.actor, recovery_id, data.event, note=data.note, data=data.data.given()))


@get("/lag", opt={"roles": SUPERVISION_ROLES}, sync_to_thread=True, summary="时滞与多付 / Lag in days and fen")
def list_lag(
    services: NamedDependency[Services],
    first: Annotated[str | None, QueryParameter(name="from", pattern=LagMonth)] = None,
    last: Annotated[str | None, QueryParameter(name="to", pattern=LagMonth)] = None,
) -> LagsShown:
    """从死亡到暂停，每一段多少天、多付多少；至多 120 个月。Days and fen by part of the way; 120 months at most."""
    end = Month.parse(last) if last else Month.of(services.clock.today())
    begin = Month.parse(first) if first else end - (_MONTHS - 1)
    if not 0 <= end - begin < _MOST_MONTHS:
        raise BadFormError("from")
    months = [begin + ahead for ahead in range(end - begin + 1)]
    return LagsShown([lag_shown(one) for one in lag(services.database, services.supervision.payees, months)])


def _minimal(request: StaffRequest) -> bool:
    return _MINIMAL in request.headers.get("prefer", "")


SUPERVISION_HANDLERS: Final = (
    list_clues,
    count_clues,
    view_clue,
    open_evidence,
    clue_notices,
    move_clue,
    find_payee,
    list_paylists,
    view_paylist,
    list_recoveries,
    view_recovery,
    move_recovery,
    list_lag,
)
