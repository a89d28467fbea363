"""All rules of the product, by code."""

from collections.abc import Iterable
from functools import cache
from types import MappingProxyType
from typing import Final

from huodang.supervision.rules.custody import INCREASE_IN_CUSTODY, PAID_IN_CUSTODY
from huodang.supervision.rules.deaths import DEAD_BALANCE, DEAD_CONTRIBUTING, DEAD_IN_REGISTER, PAID_AFTER_DEATH
from huodang.supervision.rules.doubles import CONTRIBUTED_TWICE, PAID_TWICE
from huodang.supervision.rules.errors import UnknownRuleError
from huodang.supervision.rules.planting import Mint, Planted
from huodang.supervision.rules.rule import Rule, RuleSettings

_ALL: Final = (
    PAID_AFTER_DEATH,
    DEAD_IN_REGISTER,
    PAID_IN_CUSTODY,
    PAID_TWICE,
    INCREASE_IN_CUSTODY,
    DEAD_CONTRIBUTING,
    CONTRIBUTED_TWICE,
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
    mint = Mint(settings.month)
    for each in rules:
        each.plant(mint)
    return mint.planted()


@cache
def _by_code() -> MappingProxyType[str, Rule]:
    return MappingProxyType({each.code: each for each in _ALL})
