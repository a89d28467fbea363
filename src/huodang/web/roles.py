"""The roles that people sign in with, their names, and which pages each may open.

A page list is a courtesy: what a role may do with data is decided by the policies of `exchange.decide`, every time.
"""

from enum import StrEnum
from typing import Final

from huodang.web.language import mark


class Role(StrEnum):
    """What an account is for. Nobody holds two: each person with two duties has two accounts."""

    EMPLOYER_CLERK = "employer_clerk"  # 单位经办人
    WINDOW_CLERK = "window_clerk"  # 窗口
    REVIEWER = "reviewer"  # 复核
    ARCHIVIST = "archivist"  # 档案员
    INVESTIGATOR = "investigator"  # 稽核
    STEWARD = "steward"  # 数据管理员, of any department
    CORRECTOR = "corrector"  # 校核员: checks the department's data that are in doubt
    LEADER = "leader"  # 领导小组
    AUDITOR = "auditor"  # 审计
    SYSTEM_ADMINISTRATOR = "system_administrator"  # 三员: 系统管理员
    SECURITY_ADMINISTRATOR = "security_administrator"  # 三员: 安全管理员
    AUDIT_ADMINISTRATOR = "audit_administrator"  # 三员: 审计管理员


ROLE_NAMES: Final[dict[str, str]] = {
    Role.EMPLOYER_CLERK: mark("单位经办人"),
    Role.WINDOW_CLERK: mark("窗口经办"),
    Role.REVIEWER: mark("复核员"),
    Role.ARCHIVIST: mark("档案员"),
    Role.INVESTIGATOR: mark("稽核员"),
    Role.STEWARD: mark("数据管理员"),
    Role.CORRECTOR: mark("校核员"),
    Role.LEADER: mark("领导小组"),
    Role.AUDITOR: mark("审计员"),
    Role.SYSTEM_ADMINISTRATOR: mark("系统管理员"),
    Role.SECURITY_ADMINISTRATOR: mark("安全管理员"),
    Role.AUDIT_ADMINISTRATOR: mark("审计管理员"),
    "citizen": mark("本人"),
    "system": mark("系统自动"),
}

ADMINISTRATORS: Final = frozenset(
    {Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR},
)
CASE_ROLES: Final = frozenset({Role.EMPLOYER_CLERK, Role.WINDOW_CLERK, Role.REVIEWER, Role.ARCHIVIST, Role.AUDITOR})
INTAKE_ROLES: Final = frozenset({Role.EMPLOYER_CLERK, Role.WINDOW_CLERK})
DUE_ROLES: Final = frozenset({Role.WINDOW_CLERK})
AUDIT_ROLES: Final = frozenset({Role.AUDITOR, Role.AUDIT_ADMINISTRATOR})
SUMMARY_ROLES: Final = frozenset(
    {Role.AUDITOR, Role.LEADER, Role.WINDOW_CLERK, Role.REVIEWER, Role.ARCHIVIST, Role.AUDIT_ADMINISTRATOR}
)
CODE_ROLES: Final = frozenset({Role.WINDOW_CLERK})
EXCHANGE_ROLES: Final = frozenset(
    {Role.STEWARD, Role.CORRECTOR, Role.LEADER, Role.AUDITOR, Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}
)
DEMAND_ROLES: Final = frozenset({Role.STEWARD, Role.LEADER, Role.AUDITOR, Role.SECURITY_ADMINISTRATOR})
DELIVERY_ROLES: Final = frozenset({Role.STEWARD, Role.LEADER, Role.AUDITOR, Role.SYSTEM_ADMINISTRATOR})
CORRECTION_ROLES: Final = frozenset(
    {Role.STEWARD, Role.CORRECTOR, Role.LEADER, Role.AUDITOR, Role.WINDOW_CLERK, Role.REVIEWER}
)
SUPERVISION_ROLES: Final = frozenset({Role.INVESTIGATOR, Role.REVIEWER, Role.LEADER, Role.AUDITOR})
CLUE_ROLES: Final = SUPERVISION_ROLES | {Role.CORRECTOR}  # who was asked about a clue answers on its page
ASKED_ROLES: Final = frozenset({Role.CORRECTOR})
PAYMENT_ROLES: Final = frozenset({Role.INVESTIGATOR, Role.REVIEWER, Role.AUDITOR})
CERTIFICATION_ROLES: Final = PAYMENT_ROLES | {Role.WINDOW_CLERK}
MATCH_ROLES: Final = CASE_ROLES | {Role.STEWARD, Role.INVESTIGATOR}
STAFF_ROLES: Final = frozenset(Role)
