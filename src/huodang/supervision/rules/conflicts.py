"""Birth date or sex that differ between payment, archive, register and number (出生日期、性别不一致)."""

from collections.abc import Callable
from typing import Final

import ibis
import ibis.expr.types as ir

from huodang.supervision.rules.expressions import (
    any_of,
    because,
    identified,
    number_birth,
    number_sex,
    payments_of,
    surely,
    unidentified_payments,
)
from huodang.supervision.rules.laws import law
from huodang.supervision.rules.planting import Cell, Mint, Planted
from huodang.supervision.rules.rule import Bilingual, Rule, Severity, Tables
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import Kind

# What payments, archive and register tell is held against the number, which always tells: if any two differ, one of
# them differs from the number.
Differs = Callable[[ir.Table], ir.BooleanValue]
_OTHERS: Final = ((Kind.ARCHIVES, "archive"), (Kind.POPULATION, "register"))
_SEXES: Final = [1, 2]


def _birth_differs(table: ir.Table) -> ir.BooleanValue:
    # Both sides times 1000, so that the number's digits are met without a division.
    told = table.birth.cast("int64") * 1000
    return told != table.person % 10**11 - table.person % 1000


def _sex_differs(table: ir.Table) -> ir.BooleanValue:
    return table.sex.isin(_SEXES) & (table.sex % 2 != table.person % 2)


def _find(tables: Tables, settings: RuleSettings, column: str, differs: Differs) -> ir.Table:
    payments = payments_of(tables, settings)
    joined = payments.select("row", "person", column)
    wrong = surely(differs(joined))
    for kind, source in _OTHERS:
        table = tables.get(kind)
        if table is None:
            continue
        known = identified(table)
        conflicting = known.filter(differs(known))
        each = conflicting.group_by("person").agg(**{f"{source}_{column}": conflicting[column].min()})
        joined = joined.left_join(each, "person").drop("person_right")
        wrong = wrong | joined[f"{source}_{column}"].notnull()
    return joined.filter(wrong)


def _unknown(tables: Tables, settings: RuleSettings, column: str, told: Differs) -> ir.Table:
    payments = payments_of(tables, settings)
    alone = payments.filter(~told(payments))
    for kind, _ in _OTHERS:
        table = tables.get(kind)
        if table is not None:
            known = identified(table)
            alone = alone.anti_join(known.filter(told(known)), "person")
    return any_of([unidentified_payments(tables, settings), because(alone, f"only_the_number_tells_{column}")])


def _evidence(found: ir.Table, tables: Tables, column: str, from_number: ir.Value) -> ir.Table:
    told = {f"number_{column}": from_number, f"payment_{column}": found[column]}
    for kind, source in _OTHERS:
        name = f"{source}_{column}"
        told[name] = found[name] if tables.get(kind) is not None else ibis.null(found[column].type())
    return found.select("row", fen=ibis.literal(0, "int64"), **told)


def _find_birth(tables: Tables, settings: RuleSettings) -> ir.Table:
    found = _find(tables, settings, "birth", _birth_differs)
    return _evidence(found, tables, "birth", number_birth(found.person))


def _unknown_birth(tables: Tables, settings: RuleSettings) -> ir.Table:
    return _unknown(tables, settings, "birth", lambda table: table.birth.notnull())


def _plant_birth(mint: Mint) -> Planted:
    by_archive, by_payment, agreeing = (mint.person(19550615) for _ in range(3))
    mint.row(Kind.ARCHIVES, by_archive, birth=19530615)
    mint.row(Kind.ARCHIVES, agreeing, birth=19550615)
    mint.row(Kind.POPULATION, agreeing, birth=19550615, status="normal")
    return mint.done(
        "birth_conflict",
        (mint.payment(by_archive), mint.payment(by_payment, birth=19550616)),
        (mint.payment(agreeing, birth=19550615),),
    )


def _find_sex(tables: Tables, settings: RuleSettings) -> ir.Table:
    found = _find(tables, settings, "sex", _sex_differs)
    return _evidence(found, tables, "sex", number_sex(found.person))


def _unknown_sex(tables: Tables, settings: RuleSettings) -> ir.Table:
    return _unknown(tables, settings, "sex", lambda table: surely(table.sex.isin(_SEXES)))


def _plant_sex(mint: Mint) -> Planted:
    wrong, agreeing, unsaid = mint.person(), mint.person(female=True), mint.person()
    archives: tuple[tuple[int, Cell], ...] = ((wrong, 2), (agreeing, 2), (unsaid, 0))
    for person, sex in archives:
        mint.row(Kind.ARCHIVES, person, sex=sex)
    return mint.done("sex_conflict", (mint.payment(wrong),), (mint.payment(agreeing, sex=2), mint.payment(unsaid)))


BIRTH_CONFLICT: Final = Rule(
    code="birth_conflict",
    chinese="出生日期不一致",
    english="Birth date differs between archive, register and number",
    severity=Severity.MEDIUM,
    law=(law("birth_recognition"),),
    needs=frozenset({Kind.PAYMENTS}),
    about=Kind.PAYMENTS,
    evidence=("number_birth", "payment_birth", "archive_birth", "register_birth"),
    next_step=Bilingual(
        "调阅档案最先记载的出生时间，按规定认定；认定前不改变待遇。",
        "Look up the earliest record in the archive and settle the birth date by it; the pension stays until then.",
    ),
    find=_find_birth,
    unknown=_unknown_birth,
    plant=_plant_birth,
)
SEX_CONFLICT: Final = Rule(
    code="sex_conflict",
    chinese="性别不一致",
    english="Sex differs between archive, register and number",
    severity=Severity.LOW,
    law=(law("identity_number"),),
    needs=frozenset({Kind.PAYMENTS}),
    about=Kind.PAYMENTS,
    evidence=("number_sex", "payment_sex", "archive_sex", "register_sex"),
    next_step=Bilingual(
        "核对档案和户籍登记，更正录入错误；涉及退休年龄的，按核实后的性别重新核定。",
        "Compare archive and register and correct the slip; where the retirement age hangs on it, determine it anew.",
    ),
    find=_find_sex,
    unknown=_unknown_sex,
    plant=_plant_sex,
)
