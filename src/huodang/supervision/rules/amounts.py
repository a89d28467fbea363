"""Amounts off what the rules give, that jump, or that are paid back without a decision (待遇金额异常)."""

from typing import Final

import ibis
import ibis.expr.types as ir

from huodang.supervision.rules.expressions import (
    BACK_PAY,
    any_of,
    because,
    identified,
    is_regular,
    judged,
    month_code,
    payments_of,
    shifted,
    surely,
    told,
    unidentified,
    unidentified_payments,
)
from huodang.supervision.rules.laws import law
from huodang.supervision.rules.planting import Mint, Planted
from huodang.supervision.rules.rule import Bilingual, Rule, Severity, Tables
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import Kind


def _monthly(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = judged(tables.require(Kind.PAYMENTS), settings)
    return payments.filter(is_regular(payments), payments.fen > 0)


def _find_off(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = _monthly(tables, settings)
    difference = payments.fen - payments.expected_fen
    off = payments.filter(difference.abs() > settings.tolerance_fen)
    difference = off.fen - off.expected_fen
    overpaid = ibis.greatest(difference, ibis.literal(0, "int64"))
    return off.select("row", "month", "expected_fen", fen=overpaid, difference_fen=difference).relocate("row", "fen")


def _unknown_off(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = _monthly(tables, settings)
    return because(payments.filter(payments.expected_fen.isnull()), "expected_amount_missing")


def _plant_off(mint: Mint) -> Planted:
    off = mint.settings.tolerance_fen + 1
    over = mint.payment(mint.person(), fen=300_000 + off, expected_fen=300_000)
    under = mint.payment(mint.person(), fen=300_000, expected_fen=300_000 + off)
    near = mint.payment(mint.person(), fen=300_000 + off - 1, expected_fen=300_000)
    return mint.done("amount_off", (over, under), (near,))


def _earlier(tables: Tables, settings: RuleSettings) -> ir.Table:
    """Give the most that each person was paid by a scheme in a month, to be set beside the month after it."""
    payments = identified(tables.require(Kind.PAYMENTS))
    first, last = settings.months[0] - 1, settings.months[-1] - 1
    monthly = payments.filter(
        is_regular(payments), payments.fen > 0, payments.month.between(month_code(first), month_code(last))
    )
    monthly = monthly.select(
        "person", scheme=monthly.scheme.fill_null(""), month=shifted(monthly.month, 1), earlier_fen=monthly.fen
    )
    return monthly.group_by("person", "scheme", "month").agg(earlier_fen=monthly.earlier_fen.max())


def _with_earlier(tables: Tables, settings: RuleSettings) -> tuple[ir.Table, ir.Table]:
    payments = payments_of(tables, settings)
    monthly = payments.filter(is_regular(payments))
    monthly = monthly.select(
        "row", "person", "month", "fen", scheme=monthly.scheme.fill_null(""), decided=told(monthly.decision)
    )
    return monthly, _earlier(tables, settings)


def _find_jump(tables: Tables, settings: RuleSettings) -> ir.Table:
    monthly, earlier = _with_earlier(tables, settings)
    joined = monthly.filter(~monthly.decided).join(earlier, ["person", "scheme", "month"])
    rise = joined.fen - joined.earlier_fen
    jumped = joined.filter(rise * 100 > joined.earlier_fen * settings.jump_percent, rise > settings.jump_fen)
    if tables.decisions is not None:
        jumped = jumped.anti_join(_decisions(tables.decisions, settings), ["person", "month"])
    return jumped.select("row", "month", "earlier_fen", fen=jumped.fen - jumped.earlier_fen).relocate("row", "fen")


def _unknown_jump(tables: Tables, settings: RuleSettings) -> ir.Table:
    monthly, earlier = _with_earlier(tables, settings)
    alone = monthly.anti_join(earlier, ["person", "scheme", "month"])
    return any_of([unidentified_payments(tables, settings), because(alone, "earlier_month_missing")])


def _plant_jump(mint: Mint) -> Planted:
    jumped, decided, steady = mint.person(), mint.person(), mint.person()
    most = 300_000 * mint.settings.jump_percent // 100
    rise = max(most, mint.settings.jump_fen) + 1
    for person in (jumped, decided, steady):
        mint.payment(person, month=mint.code(-1), fen=300_000)
    return mint.done(
        "amount_jump",
        (mint.payment(jumped, fen=300_000 + rise),),
        (
            mint.payment(decided, fen=300_000 + rise, decision="校验"),
            mint.payment(steady, fen=300_000 + min(most, rise - 1)),
        ),
    )


def _decisions(decisions: ir.Table, settings: RuleSettings) -> ir.Table:
    """Give what was decided for each person and month: the sum, or NULL where a decision tells no amount."""
    known = identified(decisions)
    asked = known.filter(known.month.between(month_code(settings.months[0]), month_code(settings.months[-1])))
    summed = asked.group_by("person", "month").agg(
        decisions=asked.count(), amounts=asked.fen.count(), decided=asked.fen.sum()
    )
    whole = ibis.ifelse(summed.amounts == summed.decisions, summed.decided, ibis.null("int64"))
    return summed.select("person", "month", decided_fen=whole)


def _back_pay(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = judged(tables.require(Kind.PAYMENTS), settings)
    back = payments.filter(payments.kind == BACK_PAY, payments.fen > 0)
    return back.filter(~told(back.decision))


def _find_back_pay(tables: Tables, settings: RuleSettings) -> ir.Table:
    back = identified(_back_pay(tables, settings)).select("row", "person", "month", "fen")
    if tables.decisions is None:
        return back.select("row", "fen", "month", decided_fen=ibis.null("int64"))
    decided = _decisions(tables.decisions, settings)
    undecided = back.anti_join(decided, ["person", "month"])
    # Several back payments of a month share what was decided for it.
    paid = back.group_by("person", "month").agg(paid=back.fen.sum())
    joined = back.join(decided, ["person", "month"]).join(paid, ["person", "month"])
    beyond = joined.filter(surely(joined.paid > joined.decided_fen))
    without = undecided.select("row", "fen", "month", decided_fen=ibis.null("int64"))
    at_stake = ibis.least(beyond.fen, beyond.paid - beyond.decided_fen)
    return without.union(beyond.select("row", "month", "decided_fen", fen=at_stake).relocate("row", "fen"))


def _unknown_back_pay(tables: Tables, settings: RuleSettings) -> ir.Table:
    return unidentified(_back_pay(tables, settings))


def _plant_back_pay(mint: Mint) -> Planted:
    without, listed, more = mint.person(), mint.person(), mint.person()
    for person in (listed, more):
        mint.row(Kind.DECISIONS, person, month=mint.code(), fen=80_000, decision="校验")
    return mint.done(
        "back_pay_without_decision",
        (
            mint.payment(without, kind=BACK_PAY, fen=80_000),
            mint.payment(more, kind=BACK_PAY, fen=80_001),
        ),
        (
            mint.payment(without, kind=BACK_PAY, fen=80_000, decision="校验"),
            mint.payment(listed, kind=BACK_PAY, fen=80_000),
            mint.payment(without),
        ),
    )


AMOUNT_OFF: Final = Rule(
    code="amount_off",
    chinese="发放金额与核定不符",
    english="Amount off what the rules give",
    severity=Severity.MEDIUM,
    law=(law("increase_decision"), law("refund")),
    needs=frozenset({Kind.PAYMENTS}),
    about=Kind.PAYMENTS,
    evidence=("month", "expected_fen", "difference_fen"),
    next_step=Bilingual(
        "重新核定；多发的按第四十六条退回，少发的予以补发。",
        "Determine the pension anew; what was overpaid is returned under article 46, what was underpaid is paid back.",
    ),
    find=_find_off,
    unknown=_unknown_off,
    plant=_plant_off,
)
AMOUNT_JUMP: Final = Rule(
    code="amount_jump",
    chinese="待遇突增而无核定",
    english="Amount jumps without a decision",
    severity=Severity.MEDIUM,
    law=(law("increase_decision"),),
    needs=frozenset({Kind.PAYMENTS}),
    about=Kind.PAYMENTS,
    evidence=("month", "earlier_fen"),
    next_step=Bilingual(
        "调取调整依据和经办日志；无依据的更正并追回。",
        "Call for the basis of the change and the clerk's log; where there is none, correct and recover.",
    ),
    find=_find_jump,
    unknown=_unknown_jump,
    plant=_plant_jump,
)
BACK_PAY_WITHOUT_DECISION: Final = Rule(
    code="back_pay_without_decision",
    chinese="补发而无核定",
    english="Back pay without a decision",
    severity=Severity.MEDIUM,
    law=(law("increase_decision"), law("refund")),
    needs=frozenset({Kind.PAYMENTS}),
    about=Kind.PAYMENTS,
    evidence=("month", "decided_fen"),
    next_step=Bilingual(
        "核查补发的审批和计算；无审批的暂不再发，已发的核实后追回。",
        "Look into approval and computation; without approval pay no further part, and recover what was paid wrongly.",
    ),
    find=_find_back_pay,
    unknown=_unknown_back_pay,
    plant=_plant_back_pay,
)
