"""Accounts, by the three administrators: one proposes and closes, one lets in and unlocks, one reads the history."""

from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from huodang.standards import HuodangError
from huodang.web.accounts import NewAccount
from huodang.web.forms import Form, FormData
from huodang.web.language import mark
from huodang.web.pages import language_of, render, see_other
from huodang.web.problems import problem_of, shown
from huodang.web.roles import ADMINISTRATORS, ROLE_NAMES, Role
from huodang.web.security import StaffRequest
from huodang.web.services import Services

EVENT_NAMES: Final[dict[str, str]] = {
    "installed": mark("安装时建立"),
    "proposed": mark("提出账号"),
    "let_in": mark("启用账号"),
    "closed": mark("关闭账号"),
    "unlocked": mark("解除锁定"),
    "signed_in": mark("登录"),
    "sign_in_refused": mark("登录失败"),
    "password_changed": mark("更改密码"),
}
STATE_NAMES: Final[dict[str, str]] = {
    "waiting": mark("待启用"),
    "active": mark("在用"),
    "closed": mark("已关闭"),
}
_SYSTEM: Final = {"roles": frozenset({Role.SYSTEM_ADMINISTRATOR})}
_SECURITY: Final = {"roles": frozenset({Role.SECURITY_ADMINISTRATOR})}


@get("/accounts", opt={"roles": ADMINISTRATORS}, sync_to_thread=True)
def accounts_page(request: StaffRequest, services: NamedDependency[Services]) -> Response[str]:
    """All accounts; what one may do with them depends on which of the three administrators one is."""
    return _page(request, services, None, {})


@post("/accounts", opt=_SYSTEM, sync_to_thread=True)
def propose(request: StaffRequest, services: NamedDependency[Services], data: FormData) -> Response[Any]:
    """Propose an account."""
    form = Form(data)
    try:
        account = NewAccount(
            user_id=form.text("user_id"),
            password=form.secret("password"),
            name=form.text("name"),
            role=form.text("role"),
            department=form.text("department"),
            region=form.text("region"),
            employer=form.text("employer"),
        )
        services.accounts.propose(account, by=request.user.user_id)
    except HuodangError as error:
        return _page(request, services, error, form.fields("password"))
    return see_other("/accounts")


@post("/accounts/{user_id:str}/close", opt=_SYSTEM, sync_to_thread=True)
def close(request: StaffRequest, services: NamedDependency[Services], user_id: FromPath[str]) -> Redirect:
    """Close an account for good."""
    services.accounts.close(user_id, by=request.user.user_id)
    return see_other("/accounts")


@post("/accounts/{user_id:str}/let-in", opt=_SECURITY, sync_to_thread=True)
def let_in(request: StaffRequest, services: NamedDependency[Services], user_id: FromPath[str]) -> Redirect:
    """Let a proposed account in."""
    services.accounts.let_in(user_id, by=request.user.user_id)
    return see_other("/accounts")


@post("/accounts/{user_id:str}/unlock", opt=_SECURITY, sync_to_thread=True)
def unlock(request: StaffRequest, services: NamedDependency[Services], user_id: FromPath[str]) -> Redirect:
    """Open a locked account."""
    services.accounts.unlock(user_id, by=request.user.user_id)
    return see_other("/accounts")


def _page(
    request: StaffRequest, services: Services, error: HuodangError | None, typed: dict[str, str]
) -> Response[str]:
    problem = problem_of(error) if error else None
    role = request.user.role
    return render(
        request,
        "accounts.html",
        status=problem.status if problem else 200,
        problem=shown(problem, language_of(request)) if problem else None,
        wrong_field=problem.element if problem else None,
        typed=typed,
        accounts=services.accounts.all_users(),
        history=services.accounts.history() if role is Role.AUDIT_ADMINISTRATOR else [],
        roles=[(one.value, ROLE_NAMES[one]) for one in Role],
        event_names=EVENT_NAMES,
        state_names=STATE_NAMES,
        may_propose=role is Role.SYSTEM_ADMINISTRATOR,
        may_let_in=role is Role.SECURITY_ADMINISTRATOR,
    )


account_router: Final = Router(
    path="/", route_handlers=[accounts_page, propose, close, let_in, unlock], include_in_schema=False
)
