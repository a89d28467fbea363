"""The joint items (联办事项): what is carried out at the departments once a pension is decided.

Pure. Each item is an action under a stable key, so that however often it is asked for it is done once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from huodang.retirement.checks import CheckResult
from huodang.retirement.entitlement import Proposal
from huodang.retirement.form import ApplicationForm
from huodang.retirement.materials import has_housing_account

REGISTER_BENEFIT: Final = "social_insurance.register_benefit"
_SEAL: Final = "housing_fund.seal"
_WITHDRAW: Final = "housing_fund.withdraw"


class ItemStatus(StrEnum):
    """How far an item has come."""

    BLOCKED = "blocked"  # 等待前项
    WAITING = "waiting"  # 待办理
    DONE = "done"  # 已办
    NEEDS_PERSON = "needs_person"  # 需人工处置
    WAIVED = "waived"  # 人工了结
    STOPPED = "stopped"  # 已停止


@dataclass(frozen=True)
class Item:
    """One kind of joint item; `after` names the item that must be done before it."""

    resource: str
    chinese: str
    english: str
    after: str = ""

    @property
    def provider(self) -> str:
        """The department that carries it out."""
        return self.resource.partition(".")[0]


ITEMS: Final[tuple[Item, ...]] = (
    Item(REGISTER_BENEFIT, "养老待遇登记", "Benefit registered"),
    Item("medical_insurance.to_retired", "医保在职转退休", "Medical insurance to retired"),
    Item("police.household_confirm", "户籍信息确认", "Household confirmed"),
    Item(_SEAL, "住房公积金账户封存", "Housing-fund account sealed"),
    Item(_WITHDRAW, "住房公积金提取", "Housing-fund withdrawal", after=_SEAL),
    Item("health.one_child_award", "独生子女父母奖励", "One-child parents' award"),
    Item("social_insurance.community_management", "退休人员社会化管理", "Community management"),
)
ITEM_OF: Final[dict[str, Item]] = {item.resource: item for item in ITEMS}
ITEM_PROVIDERS: Final[tuple[str, ...]] = tuple(dict.fromkeys(item.provider for item in ITEMS))


def plan(form: ApplicationForm, results: Mapping[str, CheckResult]) -> Sequence[Item]:
    """Say which items this case has: housing only with an account, the award only for who asks for it."""
    housing = results.get("housing_fund.account")
    has_account = housing is None or has_housing_account(housing)
    return [
        item
        for item in ITEMS
        if (item.provider != "housing_fund" or has_account)
        and (item.resource != "health.one_child_award" or form.one_child)
    ]


def idempotency_key(case_id: str, resource: str, decision_number: int) -> str:
    """Give the stable key of an item; only registering a benefit is done anew for a reopened decision."""
    again = f":{decision_number}" if resource == REGISTER_BENEFIT and decision_number > 1 else ""
    return f"{case_id}:{resource}{again}"


def parameters(item: Item, key: str, form: ApplicationForm, proposal: Proposal) -> dict[str, str]:
    """Give what an action needs to be carried out, and nothing else."""
    values = {
        "idempotency_key": key,
        "on_date": proposal.retirement_month.last_day().isoformat(),
        "retirement_month": str(proposal.retirement_month),
    }
    if item.resource == REGISTER_BENEFIT:
        values |= {
            "benefit_from": str(proposal.pay_from),
            "benefit_amount": str(proposal.payable.fen),
            "bank_account": form.bank_account,
            "bank_name": form.bank_name,
        }
    elif item.resource in {_WITHDRAW, "health.one_child_award"}:
        values |= {"bank_account": form.bank_account, "bank_name": form.bank_name}
    elif item.resource == "social_insurance.community_management":
        values["phone"] = form.phone
    return values
