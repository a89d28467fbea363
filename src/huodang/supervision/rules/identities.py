"""Identity numbers that are invalid, unknown to the register, or carried by two people (身份号码存疑)."""

from functools import reduce
from typing import Final

import ibis
import ibis.expr.types as ir

from huodang.standards import IdentityFault
from huodang.supervision.rules.expressions import (
    IDENTITY_MISSING,
    any_of,
    because,
    identified,
    is_whole_name,
    judged,
    name_key,
    payments_of,
    unidentified_payments,
)
from huodang.supervision.rules.laws import law
from huodang.supervision.rules.planting import Mint, Planted
from huodang.supervision.rules.rule import Bilingual, Rule, Severity, Tables
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import Kind

_NO_FAULT: Final = [int(IdentityFault.VALID), int(IdentityFault.EMPTY)]
_FAULTS: Final = [(fault, fault.name.lower()) for fault in IdentityFault if fault not in _NO_FAULT]


def _find_invalid(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = judged(tables.require(Kind.PAYMENTS), settings)
    wrong = payments.filter(~payments.fault.isin(_NO_FAULT))
    named = [(wrong.fault == int(fault), name) for fault, name in _FAULTS]
    return wrong.select("row", "fen", fault=ibis.cases(*named, else_="other"))


def _unknown_invalid(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = judged(tables.require(Kind.PAYMENTS), settings)
    return because(payments.filter(payments.fault == int(IdentityFault.EMPTY)), IDENTITY_MISSING)


def _plant_invalid(mint: Mint) -> Planted:
    wrong = mint.payment(mint.person(), fault=int(IdentityFault.CHECK_DIGIT))
    spoilt = mint.payment(None, fault=int(IdentityFault.LENGTH))
    return mint.done("identity_invalid", (wrong, spoilt), (mint.payment(mint.person()),))


def _find_unknown(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person", "fen", "region")
    return payments.anti_join(tables.require(Kind.POPULATION), "person").select("row", "fen", "region")


def _plant_unknown(mint: Mint) -> Planted:
    known = mint.person()
    mint.row(Kind.POPULATION, known, status="normal")
    return mint.done("identity_unknown", (mint.payment(mint.person()),), (mint.payment(known),))


def _other_names(tables: Tables) -> list[ir.Table]:
    """Give the tables, beside the payments, that tell people's names."""
    kinds = (Kind.POPULATION, Kind.ARCHIVES, Kind.ENROLMENTS)
    return [identified(table).select("person", "name") for kind in kinds if (table := tables.get(kind)) is not None]


def _shared_numbers(tables: Tables) -> ir.Table:
    """Give the numbers that are carried under more than one name, and how many names."""
    paid = identified(tables.require(Kind.PAYMENTS)).select("person", "name")
    ends = paid.group_by("person").agg(low=paid.name.min(), high=paid.name.max())
    suspects = [ends.filter(ends.low < ends.high).select("person")]
    for other in _other_names(tables):
        joined = paid.join(other.rename(other_name="name"), "person")
        suspects.append(joined.filter(joined.name != joined.other_name).select("person"))
    suspected = reduce(lambda first, second: first.union(second), suspects).distinct()
    spelt = reduce(
        lambda first, second: first.union(second),
        [table.semi_join(suspected, "person") for table in (paid, *_other_names(tables))],
    )
    whole = spelt.filter(is_whole_name(spelt.name))
    counted = whole.group_by("person").agg(names=name_key(whole.name).nunique())
    return counted.filter(counted.names > 1)


def _find_shared(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person", "fen")
    return payments.join(_shared_numbers(tables), "person").select("row", "fen", "names")


def _unknown_shared(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person", "name")
    nameless = payments.filter(~is_whole_name(payments.name)).anti_join(_shared_numbers(tables), "person")
    return any_of([unidentified_payments(tables, settings), because(nameless, "name_missing")])


def _plant_shared(mint: Mint) -> Planted:
    shared, spelt, masked = mint.person(), mint.person(), mint.person()
    return mint.done(
        "identity_shared",
        (mint.payment(shared), mint.payment(shared)),
        (
            mint.payment(spelt, name="校验样本·别名"),
            mint.payment(spelt, name="校验样本 • 别名"),
            mint.payment(masked, name="校*样本"),
            mint.payment(masked, name="校验样本甲"),
        ),
    )


IDENTITY_INVALID: Final = Rule(
    code="identity_invalid",
    chinese="身份号码错误",
    english="Identity number invalid",
    severity=Severity.MEDIUM,
    law=(law("identity_number"), law("identity_unique")),
    needs=frozenset({Kind.PAYMENTS}),
    about=Kind.PAYMENTS,
    evidence=("fault",),
    next_step=Bilingual(
        "对照身份证和档案更正号码；更正前不得以此号码与他人信息比对定性。",
        "Correct the number from card and archive; until then nothing about the person can be concluded from it.",
    ),
    find=_find_invalid,
    unknown=_unknown_invalid,
    plant=_plant_invalid,
)
IDENTITY_UNKNOWN: Final = Rule(
    code="identity_unknown",
    chinese="户籍登记中没有此号码",
    english="Identity number unknown to the register",
    severity=Severity.MEDIUM,
    law=(law("identity_unique"),),
    needs=frozenset({Kind.PAYMENTS, Kind.POPULATION}),
    about=Kind.PAYMENTS,
    evidence=("region",),
    next_step=Bilingual(
        "先确认户籍数据范围是否覆盖该人，再请公安机关核实号码。",
        "See first whether the register given covers the person, then ask the police about the number.",
    ),
    find=_find_unknown,
    unknown=unidentified_payments,
    plant=_plant_unknown,
)
IDENTITY_SHARED: Final = Rule(
    code="identity_shared",
    chinese="一个号码两个姓名",
    english="One identity number, two names",
    severity=Severity.MEDIUM,
    law=(law("identity_unique"), law("fraud")),
    needs=frozenset({Kind.PAYMENTS}),
    about=Kind.PAYMENTS,
    evidence=("names",),
    next_step=Bilingual(
        "核对姓名变更、异体字和录入错误；确属两人的，请公安机关核实号码归属，错领的依法退回。",
        "Look for a change of name, a variant character or a slip; if two people carry it, ask the police whose number "
        "it is, and recover what was drawn wrongly.",
    ),
    find=_find_shared,
    unknown=_unknown_shared,
    plant=_plant_shared,
)
