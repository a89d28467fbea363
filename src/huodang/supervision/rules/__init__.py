"""The rules (疑点规则): each declared once as an Ibis expression, with its law, its evidence and its planted cases."""

from huodang.supervision.rules.catalogue import all_rules, plant_all, rule
from huodang.supervision.rules.planting import Mint, Planted
from huodang.supervision.rules.rule import Bilingual, Rule, Severity, Tables
from huodang.supervision.rules.settings import RuleSettings

__all__ = [
    "Bilingual",
    "Mint",
    "Planted",
    "Rule",
    "RuleSettings",
    "Severity",
    "Tables",
    "all_rules",
    "plant_all",
    "rule",
]
