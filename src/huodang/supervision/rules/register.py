"""Payees gone from the register, and certifications overdue (户口注销、出境定居、资格认证逾期)."""

from typing import Final

import ibis
import ibis.expr.types as ir

from huodang.supervision.rules.expressions import (
    any_of,
    because,
    day_shifted,
    identified,
    payments_of,
    surely,
    unidentified_payments,
)
from huodang.supervision.rules.laws import law
from huodang.supervision.rules.planting import Mint, Planted
from huodang.supervision.rules.rule import Bilingual, Rule, Severity, Tables
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import Kind

_GONE: Final = ["cancelled", "emigrated"]
# How systems write that a certification failed; such an attempt proves nothing.
_FAILED: Final = ["0", "failed", "fail", "no", "否", "未通过", "不通过", "未认证", "认证失败", "失败"]


def _find_gone(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person", "fen")
    register = identified(tables.require(Kind.POPULATION))
    gone = register.filter(register.status.isin(_GONE))
    # A person who moved stands cancelled in one place and normal in another.
    settled = register.filter(register.status == "normal")
    statuses = gone.anti_join(settled, "person").group_by("person").agg(status=gone.status.max())
    return payments.join(statuses, "person").select("row", "fen", "status")


def _unknown_gone(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person")
    register = identified(tables.require(Kind.POPULATION))
    missing = payments.anti_join(register, "person")
    return any_of([unidentified_payments(tables, settings), because(missing, "not_in_register")])


def _plant_gone(mint: Mint) -> Planted:
    cancelled, emigrated, moved, settled = (mint.person() for _ in range(4))
    for person, status in (
        (cancelled, "cancelled"),
        (emigrated, "emigrated"),
        (moved, "cancelled"),
        (moved, "normal"),
        (settled, "normal"),
    ):
        mint.row(Kind.POPULATION, person, status=status)
    return mint.done(
        "emigrated_or_cancelled",
        (mint.payment(cancelled), mint.payment(emigrated)),
        (mint.payment(moved), mint.payment(settled)),
    )


def _valid_until(tables: Tables, settings: RuleSettings) -> ir.Table:
    """Give the last day to which each person's certifications reach.

    The record's own due day, else so many months after it was certified. A failed attempt reaches nowhere, but the day
    by which it was due stands.
    """
    records = identified(tables.require(Kind.CERTIFICATIONS))
    passed = records.certified_on.notnull() & ~surely(records.result.strip().lower().isin(_FAILED))
    lasting = day_shifted(records.certified_on, settings.certification_months)
    late = records.due_on.isnull() | (records.certified_on >= records.due_on)
    reach = ibis.ifelse(passed & late, lasting, records.due_on)
    return records.group_by("person").agg(valid_until=reach.max(), certified_on=records.certified_on.max())


def _find_overdue(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person", "month", "fen")
    joined = payments.join(_valid_until(tables, settings), "person")
    overdue = joined.filter(joined.month * 100 > joined.valid_until)
    return overdue.select("row", "fen", "month", "valid_until", "certified_on")


def _unknown_overdue(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person")
    known = _valid_until(tables, settings)
    without = payments.anti_join(known.filter(known.valid_until.notnull()), "person")
    return any_of([unidentified_payments(tables, settings), because(without, "certification_missing")])


def _plant_overdue(mint: Mint) -> Planted:
    lasting = mint.settings.certification_months
    due, lapsed, failed, current, renewed = (mint.person() for _ in range(5))
    for person, certified, due_on, result in (
        (due, None, mint.day(-1, 28), None),
        (lapsed, mint.day(-lasting - 1, 28), None, "1"),
        (failed, mint.day(-lasting - 2), None, "1"),
        (failed, mint.day(-1), None, "未通过"),
        (current, mint.day(-lasting, 1), None, "1"),
        (renewed, None, mint.day(-4), None),
        (renewed, mint.day(-3), mint.day(9), "1"),
    ):
        mint.row(Kind.CERTIFICATIONS, person, certified_on=certified, due_on=due_on, result=result)
    return mint.done(
        "certification_overdue",
        (mint.payment(due), mint.payment(lapsed), mint.payment(failed)),
        (mint.payment(current), mint.payment(renewed)),
    )


EMIGRATED_OR_CANCELLED: Final = Rule(
    code="emigrated_or_cancelled",
    chinese="户口注销或出境定居后仍在领取",
    english="Paid after the registration was cancelled or the person emigrated",
    severity=Severity.MEDIUM,
    law=(law("emigration"),),
    needs=frozenset({Kind.PAYMENTS, Kind.POPULATION}),
    about=Kind.PAYMENTS,
    evidence=("status",),
    next_step=Bilingual(
        "核实注销原因（死亡、迁移、重户）和生存状况；在境外生存的，按规定办理资格认证后照发。",
        "Verify why the entry was cancelled (death, a move, a double entry) and that the person lives; whoever lives "
        "abroad is paid on after certification.",
    ),
    find=_find_gone,
    unknown=_unknown_gone,
    plant=_plant_gone,
)
CERTIFICATION_OVERDUE: Final = Rule(
    code="certification_overdue",
    chinese="资格认证逾期仍在领取",
    english="Paid while the certification is overdue",
    severity=Severity.LOW,
    law=(law("certification"), law("certification_period")),
    needs=frozenset({Kind.PAYMENTS, Kind.CERTIFICATIONS}),
    about=Kind.PAYMENTS,
    evidence=("month", "valid_until", "certified_on"),
    next_step=Bilingual(
        "先用就医、出行等数据静默认证，再提醒自助认证，仍无法确认的上门核实；不得仅因逾期停发。",
        "First prove life silently by medical and travel data, then remind the person, then visit; overdue alone is no "
        "ground to stop.",
    ),
    find=_find_overdue,
    unknown=_unknown_overdue,
    plant=_plant_overdue,
)
