"""All rules of the product, by code."""

from collections.abc import Iterable
from functools import cache
from types import MappingProxyType
from typing import Final

from huodang.supervision.rules.accounts import ACCOUNT_SHARED
from huodang.supervision.rules.amounts import AMOUNT_JUMP, AMOUNT_OFF, BACK_PAY_WITHOUT_DECISION
from huodang.supervision.rules.conflicts import BIRTH_CONFLICT, SEX_CONFLICT
from huodang.supervision.rules.custody import INCREASE_IN_CUSTODY, PAID_IN_CUSTODY
from huodang.supervision.rules.deaths import DEAD_BALANCE, DEAD_CONTRIBUTING, DEAD_IN_REGISTER, PAID_AFTER_DEATH
from huodang.supervision.rules.doubles import CONTRIBUTED_TWICE, PAID_TWICE
from huodang.supervision.rules.errors import UnknownRuleError
from huodang.supervision.rules.identities import IDENTITY_INVALID, IDENTITY_SHARED, IDENTITY_UNKNOWN
from huodang.supervision.rules.planting import Mint, Planted
from huodang.supervision.rules.register import CERTIFICATION_OVERDUE, EMIGRATED_OR_CANCELLED
from huodang.supervision.rules.retirement import RETIRED_EARLY
from huodang.supervision.rules.rule import Rule
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.rules.two_numbers import ONE_PERSON_TWO_NUMBERS

_ALL: Final = (
    PAID_AFTER_DEATH,
    DEAD_IN_REGISTER,
    PAID_IN_CUSTODY,
    PAID_TWICE,
    ONE_PERSON_TWO_NUMBERS,
    RETIRED_EARLY,
    INCREASE_IN_CUSTODY,
    IDENTITY_INVALID,
    IDENTITY_UNKNOWN,
    IDENTITY_SHARED,
    ACCOUNT_SHARED,
    BIRTH_CONFLICT,
    SEX_CONFLICT,
    AMOUNT_OFF,
    AMOUNT_JUMP,
    BACK_PAY_WITHOUT_DECISION,
    EMIGRATED_OR_CANCELLED,
    DEAD_CONTRIBUTING,
    CONTRIBUTED_TWICE,
    CERTIFICATION_OVERDUE,
    DEAD_BALANCE,
)


def all_rules() -> tuple[Rule, ...]:
    """Give all rules, the gravest first."""
    return _ALL


def rule(code: str) -> Rule:
    """Give a rule by its code.

    Raises:
        UnknownRuleError: there is none.
    """
    found = _by_code().get(code)
    if found is None:
        raise UnknownRuleError(
            "没有这条规则",
            "there is no such rule",
            advice_chinese=f"可用的规则：{'、'.join(_by_code())}。",
            advice_english=f"There are: {', '.join(_by_code())}.",
        )
    return found


def plant_all(rules: Iterable[Rule], settings: RuleSettings) -> Planted:
    """Plant the cases of many rules together, to be found in the month of the settings; no case meets another's.

    Every rule must find its `expected` rows and none of its `spared` ones. It may find cases of other rules, too: their
    persons are in no register, for one.
    """
    mint = Mint(settings)
    for each in rules:
        each.plant(mint)
    return mint.planted()


@cache
def _by_code() -> MappingProxyType[str, Rule]:
    return MappingProxyType({each.code: each for each in _ALL})
