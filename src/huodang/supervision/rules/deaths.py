"""The dead who go on being paid, contributing or holding a balance (死亡后领取、缴费、余额未清算)."""

from typing import Final

import ibis
import ibis.expr.types as ir

from huodang.pension import national
from huodang.supervision.rules.expressions import (
    any_of,
    because,
    computed_once,
    contributions_of,
    identified,
    month_code,
    once,
    payments_of,
    starts_after,
    unidentified,
    unidentified_payments,
)
from huodang.supervision.rules.laws import law, pension_law
from huodang.supervision.rules.planting import Cell, Mint, Planted
from huodang.supervision.rules.rule import Bilingual, Rule, Severity, Tables
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import Kind

_STOP_MONTHS: Final = national().sole("death_stop").figure("months_after_death")

DATE_UNKNOWN: Final = "death_date_unknown"
DATE_IMPRECISE: Final = "death_date_imprecise"
RECORDS_CONFLICT: Final = "death_records_conflict"
_DEATH_EVIDENCE: Final = ("died_from", "died_to", "precision", "conflicting", "records", "source")


def deaths_by_person(deaths: ir.Table) -> ir.Table:
    """Settle what the death records of each person say together.

    Records that can all be true (a day and the year around it) narrow each other; it is judged by the last day they
    leave. Records that can't are `conflicting`, and judged by the latest. `earliest` is the first day that any reading
    leaves open.
    """
    dated = deaths.filter(deaths.died_from.notnull() & deaths.died_to.notnull())
    packed = dated.died_to.cast("int64") * 10**8 + dated.died_from
    together = dated.group_by("person").agg(
        from_first=dated.died_from.min(),
        from_last=dated.died_from.max(),
        to_first=dated.died_to.min(),
        to_last=dated.died_to.max(),
        latest=packed.max(),
        records=ibis._.count(),
        source=dated.source.min(),
    )
    conflicting = together.from_last > together.to_first
    settled = together.select(
        "person",
        "records",
        "source",
        conflicting=conflicting,
        earliest=ibis.ifelse(conflicting, together.from_first, together.from_last),
        died_from=ibis.ifelse(conflicting, (together.latest % 10**8).cast("int32"), together.from_last),
        died_to=ibis.ifelse(conflicting, together.to_last, together.to_first),
    )
    return settled.mutate(precision=_precision(settled.died_from, settled.died_to))


def _precision(first: ir.IntegerValue, last: ir.IntegerValue) -> ir.StringValue:
    return ibis.cases(
        (first == last, "day"),
        (first - first % 100 == last - last % 100, "month"),
        (first - first % 10_000 == last - last % 10_000, "year"),
        else_="years",
    )


def _after_death(rows: ir.Table, deaths: ir.Table, settings: RuleSettings) -> ir.Table:
    """Give the rows of a month after death, with what the death records say."""
    known = identified(deaths)
    # No record later than this can make a payment under check undue.
    limit = month_code(settings.months[-1] + (1 - _STOP_MONTHS)) * 100
    early = known.filter(known.died_to < limit)
    undue = starts_after(rows.month, early.died_to, _STOP_MONTHS)
    suspects = computed_once(rows.semi_join(early, [rows.person == early.person, undue]), "row")
    settled = deaths_by_person(known.semi_join(suspects, "person"))
    joined = suspects.join(settled, "person")
    return joined.filter(starts_after(joined.month, joined.died_to, _STOP_MONTHS))


def _open_after_death(rows: ir.Table, deaths: ir.Table) -> list[ir.Table]:
    """Give the rows of which a death record can't tell whether they lie after death."""
    known = identified(deaths)
    undated = known.filter(known.died_from.isnull() | known.died_to.isnull())
    dated = known.filter(known.died_from.notnull() & known.died_to.notnull())
    unsure = dated.semi_join(rows, "person")
    joined = rows.join(deaths_by_person(unsure), "person")
    between = joined.filter(
        starts_after(joined.month, joined.earliest, _STOP_MONTHS)
        & ~starts_after(joined.month, joined.died_to, _STOP_MONTHS)
    )
    without = undated.anti_join(dated, "person")
    return [
        because(rows.semi_join(without, "person"), DATE_UNKNOWN),
        between.select("row", reason=ibis.ifelse(between.conflicting, RECORDS_CONFLICT, DATE_IMPRECISE)),
    ]


def _find_paid(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person", "month", "fen")
    found = _after_death(payments, tables.require(Kind.DEATHS), settings)
    if tables.population is None:
        return found.select("row", "fen", *_DEATH_EVIDENCE, register_says_alive=ibis.literal(value=False))
    register = identified(tables.population)
    alive = register.filter(register.status == "normal", register.died.isnull()).semi_join(found, "person")
    living = alive.group_by("person").agg(seen=ibis._.count())
    joined = found.left_join(living, "person")
    return joined.select("row", "fen", *_DEATH_EVIDENCE, register_says_alive=joined.seen.notnull())


def _unknown_paid(tables: Tables, settings: RuleSettings) -> ir.Table:
    rows = payments_of(tables, settings).select("row", "person", "month")
    unfit = unidentified_payments(tables, settings)
    return once(any_of([unfit, *_open_after_death(rows, tables.require(Kind.DEATHS))]))


def _plant_paid(mint: Mint) -> Planted:
    dead, imprecise, this_month, this_year = mint.person(), mint.person(), mint.person(), mint.person()
    mint.row(Kind.DEATHS, dead, died_from=mint.day(-3), died_to=mint.day(-3))
    mint.row(Kind.DEATHS, imprecise, died_from=mint.day(-2, 1), died_to=mint.day(-1, 28))
    mint.row(Kind.DEATHS, this_month, died_from=mint.day(0, 1), died_to=mint.day(0, 1))
    mint.row(Kind.DEATHS, this_year, died_from=mint.day(-3, 1), died_to=mint.day(2, 28))
    return mint.done(
        "paid_after_death",
        (mint.payment(dead), mint.payment(imprecise)),
        (mint.payment(this_month), mint.payment(this_year)),
    )


def _find_contributing(tables: Tables, settings: RuleSettings) -> ir.Table:
    rows = identified(contributions_of(tables, settings)).select("row", "person", "month", "fen", "scheme")
    found = _after_death(rows, tables.require(Kind.DEATHS), settings)
    return found.select("row", "scheme", *_DEATH_EVIDENCE, fen=found.fen.fill_null(0)).relocate("row", "fen")


def _unknown_contributing(tables: Tables, settings: RuleSettings) -> ir.Table:
    contributions = contributions_of(tables, settings)
    rows = identified(contributions).select("row", "person", "month")
    return once(any_of([unidentified(contributions), *_open_after_death(rows, tables.require(Kind.DEATHS))]))


def _plant_contributing(mint: Mint) -> Planted:
    dead, living = mint.person(), mint.person()
    mint.row(Kind.DEATHS, dead, died_from=mint.day(-2), died_to=mint.day(-2))
    mint.row(Kind.DEATHS, living, died_from=mint.day(0), died_to=mint.day(0))
    paid: dict[str, Cell] = {"kind": "contribution", "month": mint.code(), "fen": 50_000}
    return mint.done(
        "dead_contributing",
        (mint.row(Kind.ENROLMENTS, dead, **paid),),
        (mint.row(Kind.ENROLMENTS, living, **paid), mint.row(Kind.ENROLMENTS, dead, **paid | {"kind": "benefit"})),
    )


def _held(tables: Tables) -> ir.Table:
    balances = tables.require(Kind.BALANCES)
    return balances.filter(balances.fen > 0)


def _find_balance(tables: Tables, settings: RuleSettings) -> ir.Table:
    held = identified(_held(tables)).select("row", "person", "fen", "as_of")
    known = identified(tables.require(Kind.DEATHS))
    settled = deaths_by_person(known.semi_join(held, "person"))
    joined = held.join(settled, "person")
    found = joined.filter(_long_dead(joined, settings), ~_older_than_death(joined))
    return found.select("row", "fen", "as_of", *_DEATH_EVIDENCE)


def _long_dead(joined: ir.Table, settings: RuleSettings) -> ir.BooleanValue:
    return joined.died_to < month_code(settings.month - settings.unsettled_months) * 100


def _older_than_death(joined: ir.Table) -> ir.BooleanValue:
    return joined.as_of.notnull() & (joined.as_of < joined.died_to)


def _unknown_balance(tables: Tables, settings: RuleSettings) -> ir.Table:
    held = _held(tables)
    rows = identified(held).select("row", "person", "as_of")
    known = identified(tables.require(Kind.DEATHS))
    dated = known.filter(known.died_from.notnull() & known.died_to.notnull())
    undated = known.filter(known.died_from.isnull() | known.died_to.isnull()).anti_join(dated, "person")
    joined = rows.join(deaths_by_person(dated.semi_join(rows, "person")), "person")
    stale = joined.filter(_long_dead(joined, settings), _older_than_death(joined))
    return once(
        any_of(
            [
                unidentified(held),
                because(rows.semi_join(undated, "person"), DATE_UNKNOWN),
                because(stale, "balance_older_than_death"),
            ]
        )
    )


def _plant_balance(mint: Mint) -> Planted:
    # Far beyond any threshold that is set, and just now.
    long_dead, just_dead = mint.person(), mint.person()
    mint.row(Kind.DEATHS, long_dead, died_from=mint.day(-600), died_to=mint.day(-600))
    mint.row(Kind.DEATHS, just_dead, died_from=mint.day(0), died_to=mint.day(0))
    unsettled = mint.row(Kind.BALANCES, long_dead, fen=1_234_500, as_of=mint.day(0))
    spared = (
        mint.row(Kind.BALANCES, long_dead, fen=0, as_of=mint.day(0)),
        mint.row(Kind.BALANCES, just_dead, fen=1_234_500, as_of=mint.day(0)),
    )
    return mint.done("dead_balance", (unsettled,), spared)


def _register_dead(tables: Tables) -> ir.Table:
    register = identified(tables.require(Kind.POPULATION))
    dead = register.filter(register.status == "dead")
    # Two entries of one number are judged by the later date.
    return dead.group_by("person").agg(died=dead.died.max())


def _find_registered(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person", "month", "fen")
    joined = payments.join(_register_dead(tables), "person")
    return joined.filter(starts_after(joined.month, joined.died, _STOP_MONTHS)).select("row", "fen", "died")


def _unknown_registered(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person")
    dead = _register_dead(tables)
    undated = payments.semi_join(dead.filter(dead.died.isnull()), "person")
    unfit = unidentified_payments(tables, settings)
    return any_of([unfit, because(undated, DATE_UNKNOWN)])


def _plant_registered(mint: Mint) -> Planted:
    dead, now, normal = mint.person(), mint.person(), mint.person()
    mint.row(Kind.POPULATION, dead, status="dead", died=mint.day(-1, 28))
    mint.row(Kind.POPULATION, now, status="dead", died=mint.day(0, 1))
    mint.row(Kind.POPULATION, normal, status="normal")
    return mint.done("dead_in_register", (mint.payment(dead),), (mint.payment(now), mint.payment(normal)))


_STOP_STEP: Final = Bilingual(
    "向死亡信息的提供部门和家属核实；核实后自死亡次月起停发，多发的按第四十六条退回，并告知丧葬补助金和抚恤金。",
    "Verify with the department that reported the death and with the family; once confirmed, stop from the month after "
    "death, recover what was overpaid under article 46, and tell the family of the funeral and survivor grants.",
)

PAID_AFTER_DEATH: Final = Rule(
    code="paid_after_death",
    chinese="死亡次月及以后仍在领取",
    english="Paid after the month of death",
    severity=Severity.HIGH,
    law=(pension_law("death_stop"), law("death_information"), law("refund")),
    needs=frozenset({Kind.PAYMENTS, Kind.DEATHS}),
    about=Kind.PAYMENTS,
    evidence=(*_DEATH_EVIDENCE, "register_says_alive"),
    next_step=_STOP_STEP,
    find=_find_paid,
    unknown=_unknown_paid,
    plant=_plant_paid,
)
DEAD_IN_REGISTER: Final = Rule(
    code="dead_in_register",
    chinese="户籍登记为死亡后仍在领取",
    english="Paid after the household register's date of death",
    severity=Severity.HIGH,
    law=(pension_law("death_stop"), law("death_information"), law("refund")),
    needs=frozenset({Kind.PAYMENTS, Kind.POPULATION}),
    about=Kind.PAYMENTS,
    evidence=("died",),
    next_step=_STOP_STEP,
    find=_find_registered,
    unknown=_unknown_registered,
    plant=_plant_registered,
)
DEAD_CONTRIBUTING: Final = Rule(
    code="dead_contributing",
    chinese="死亡后仍在缴费",
    english="Contributions after the month of death",
    severity=Severity.MEDIUM,
    law=(law("death_information"), law("identity_unique")),
    needs=frozenset({Kind.ENROLMENTS, Kind.DEATHS}),
    about=Kind.ENROLMENTS,
    evidence=("scheme", *_DEATH_EVIDENCE),
    next_step=Bilingual(
        "核实是否误报死亡或他人冒用；确已死亡的，清退死亡次月以后的缴费，终止养老保险关系。",
        "Verify whether the death was misreported or the number used by another; if dead, refund the contributions "
        "after the month of death and end the relation.",
    ),
    find=_find_contributing,
    unknown=_unknown_contributing,
    plant=_plant_contributing,
)
DEAD_BALANCE: Final = Rule(
    code="dead_balance",
    chinese="死亡多时个人账户余额未清算",
    english="Account balance of the long dead unsettled",
    severity=Severity.LOW,
    law=(law("account_inheritance"),),
    needs=frozenset({Kind.BALANCES, Kind.DEATHS}),
    about=Kind.BALANCES,
    evidence=("as_of", *_DEATH_EVIDENCE),
    next_step=Bilingual(
        "联系继承人办理余额继承；有多发待遇的，依第四十六条先行抵扣。",
        "Reach the heirs, to whom the balance belongs; overpaid benefits may be offset against it first.",
    ),
    find=_find_balance,
    unknown=_unknown_balance,
    plant=_plant_balance,
)
