"""Which pages a role finds in its menu, in order; the first is where it lands after signing in."""

from dataclasses import dataclass
from typing import Final

from huodang.web.language import mark
from huodang.web.roles import (
    ASKED_ROLES,
    AUDIT_ROLES,
    CASE_ROLES,
    CERTIFICATION_ROLES,
    CODE_ROLES,
    CORRECTION_ROLES,
    DELIVERY_ROLES,
    DEMAND_ROLES,
    DUE_ROLES,
    EXCHANGE_ROLES,
    INTAKE_ROLES,
    PAYMENT_ROLES,
    SUMMARY_ROLES,
    SUPERVISION_ROLES,
    Role,
)


@dataclass(frozen=True)
class MenuEntry:
    """One link of the menu."""

    path: str
    label: str
    roles: frozenset[Role]


MENU: Final = (
    MenuEntry("/queue", mark("待办"), CASE_ROLES - {Role.AUDITOR}),
    MenuEntry("/intake", mark("受理"), INTAKE_ROLES),
    MenuEntry("/access-code", mark("查询码"), CODE_ROLES),
    MenuEntry("/due", mark("免申即享"), DUE_ROLES),
    MenuEntry("/audit", mark("查阅审计"), AUDIT_ROLES),
    MenuEntry("/overview", mark("总览"), SUMMARY_ROLES),
    MenuEntry(
        "/accounts",
        mark("账号"),
        frozenset({Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR}),
    ),
    MenuEntry("/supervision", mark("稽核"), SUPERVISION_ROLES),
    MenuEntry("/supervision/certifications", mark("资格认证"), CERTIFICATION_ROLES - SUPERVISION_ROLES),
    MenuEntry("/exchange", mark("数据共享"), EXCHANGE_ROLES),
    MenuEntry("/exchange/corrections", mark("校核纠错"), CORRECTION_ROLES - EXCHANGE_ROLES),
    MenuEntry("/supervision/asked", mark("稽核函询"), ASKED_ROLES),
)

# The pages of the exchange, on a second line below the menu.
EXCHANGE_MENU: Final = (
    MenuEntry("/exchange", mark("共享总览"), EXCHANGE_ROLES),
    MenuEntry("/exchange/catalogue", mark("共享目录"), EXCHANGE_ROLES),
    MenuEntry("/exchange/demands", mark("供需对接"), DEMAND_ROLES),
    MenuEntry("/exchange/agreements", mark("共享协议"), DEMAND_ROLES | DELIVERY_ROLES),
    MenuEntry("/exchange/lots", mark("批次与对账"), DELIVERY_ROLES),
    MenuEntry("/exchange/quality", mark("数据质量"), DELIVERY_ROLES),
    MenuEntry("/exchange/corrections", mark("校核纠错"), CORRECTION_ROLES),
    MenuEntry("/exchange/events", mark("事件"), DELIVERY_ROLES),
    MenuEntry("/exchange/files", mark("文件"), DELIVERY_ROLES),
    MenuEntry("/exchange/calls", mark("接口调用"), DELIVERY_ROLES),
    MenuEntry("/exchange/matches", mark("可用不可见"), DELIVERY_ROLES),
)


# The pages of supervision, likewise.
SUPERVISION_MENU: Final = (
    MenuEntry("/supervision", mark("稽核总览"), SUPERVISION_ROLES),
    MenuEntry("/supervision/clues", mark("疑点"), SUPERVISION_ROLES),
    MenuEntry("/supervision/payees", mark("在领查询"), PAYMENT_ROLES),
    MenuEntry("/supervision/lists", mark("发放清单"), PAYMENT_ROLES - {Role.AUDITOR}),
    MenuEntry("/supervision/recoveries", mark("追回"), PAYMENT_ROLES),
    MenuEntry("/supervision/certifications", mark("资格认证"), CERTIFICATION_ROLES),
    MenuEntry("/supervision/asked", mark("稽核函询"), ASKED_ROLES),
    MenuEntry("/supervision/lag", mark("时滞与多付"), SUPERVISION_ROLES),
)


def menu_of(role: Role) -> tuple[MenuEntry, ...]:
    """The entries that a role finds."""
    return tuple(entry for entry in MENU if role in entry.roles)


def exchange_menu_of(role: Role) -> tuple[MenuEntry, ...]:
    """The pages of the exchange that a role finds; none for one who has but one of them."""
    found = tuple(entry for entry in EXCHANGE_MENU if role in entry.roles)
    return found if len(found) > 1 else ()


def supervision_menu_of(role: Role) -> tuple[MenuEntry, ...]:
    """The pages of supervision that a role finds."""
    return tuple(entry for entry in SUPERVISION_MENU if role in entry.roles)
