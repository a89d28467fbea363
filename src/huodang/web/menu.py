"""Which pages a role finds in its menu, in order; the first is where it lands after signing in."""

from dataclasses import dataclass
from typing import Final

from huodang.web.language import mark
from huodang.web.roles import (
    AUDIT_ROLES,
    CASE_ROLES,
    CODE_ROLES,
    DUE_ROLES,
    INTAKE_ROLES,
    SUMMARY_ROLES,
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
)


def menu_of(role: Role) -> tuple[MenuEntry, ...]:
    """The entries that a role finds."""
    return tuple(entry for entry in MENU if role in entry.roles)
