"""The rules (疑点规则): each declared once as Ibis expressions, with its law, its evidence and its planted cases.

Front door: `all_rules`, `rule(code)`, `rules_of_folder(path)` for a county's own, `plant_all` for the cases that every
run must find, and `reason(code)` for the words of what couldn't be judged. Tables and columns: `supervision.tables`.
"""

from huodang.supervision.rules.catalogue import all_rules, plant_all, rule
from huodang.supervision.rules.errors import (
    RuleError,
    RuleFileError,
    RuleNotProvenError,
    SettingsError,
    UnknownRuleError,
)
from huodang.supervision.rules.folder import OwnRules, RefusedRule, rules_of_folder
from huodang.supervision.rules.laws import law, pension_law
from huodang.supervision.rules.planting import Mint, Planted
from huodang.supervision.rules.reasons import reason
from huodang.supervision.rules.rule import Bilingual, Rule, Severity, Tables
from huodang.supervision.rules.settings import RuleSettings

__all__ = [
    "Bilingual",
    "Mint",
    "OwnRules",
    "Planted",
    "RefusedRule",
    "Rule",
    "RuleError",
    "RuleFileError",
    "RuleNotProvenError",
    "RuleSettings",
    "SettingsError",
    "Severity",
    "Tables",
    "UnknownRuleError",
    "all_rules",
    "law",
    "pension_law",
    "plant_all",
    "reason",
    "rule",
    "rules_of_folder",
]
