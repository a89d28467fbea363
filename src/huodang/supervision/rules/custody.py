"""Paid in prison or detention, and increased while on probation or serving outside (服刑、羁押、缓刑、监外执行)."""

from datetime import date
from typing import Final

import ibis
import ibis.expr.types as ir

from huodang.pension import Custody, PaymentAction, national, payment_effect_of_custody
from huodang.supervision.rules.expressions import (
    any_of,
    because,
    besides,
    identified,
    is_regular,
    payments_of,
    starts_after,
    starts_by,
    unidentified_payments,
)
from huodang.supervision.rules.laws import law, pension_law
from huodang.supervision.rules.planting import Mint, Planted
from huodang.supervision.rules.rule import Bilingual, Rule, Severity, Tables
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import Kind

SENTENCES: Final = {
    "prison": Custody.PRISON,
    "imprisonment": Custody.PRISON,
    "detention": Custody.DETENTION,
    "probation": Custody.PROBATION,
    "control": Custody.CONTROL,
    "outside": Custody.OUTSIDE,
    # Parole (假释) is served outside prison, so it is treated as such; unverified.
    "parole": Custody.OUTSIDE,
}
"""What each code of a sentence means for the pension."""

_PAUSE: Final = national().sole("custody_pause")
_AFTER_START: Final = _PAUSE.figure("months_after_start")
_AFTER_END: Final = _PAUSE.figure("months_after_end")


def _effect(kind: Custody) -> PaymentAction:
    return payment_effect_of_custody(kind, date(2000, 1, 1)).action


_PAUSING: Final = [code for code, kind in SENTENCES.items() if _effect(kind) is PaymentAction.PAUSE]
_WITHHOLDING: Final = [code for code, kind in SENTENCES.items() if _effect(kind) is PaymentAction.PAY]
_EVIDENCE: Final = ("custody_from", "custody_to", "sentence_type", "terms")


def _terms(tables: Tables, sentences: list[str]) -> ir.Table:
    """Give the terms of some sentences; a term whose sentence isn't told is imprisonment."""
    custody = identified(tables.require(Kind.CUSTODY))
    terms = custody.mutate(sentence_type=custody.sentence_type.fill_null("imprisonment"), term=custody.row)
    terms = terms.select("term", "person", "custody_from", "custody_to", "sentence_type")
    return terms.filter(terms.custody_from.notnull(), terms.sentence_type.isin(sentences))


def _within(joined: ir.Table) -> ir.BooleanValue:
    """Tell whether a month lies in a term, as the pension counts it: from the month after its start to its last."""
    return starts_after(joined.month, joined.custody_from, _AFTER_START) & (
        joined.custody_to.isnull() | starts_by(joined.month, joined.custody_to, _AFTER_END - 1)
    )


def _find_paid(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person", "month", "fen")
    joined = payments.join(_terms(tables, _PAUSING), "person")
    inside = joined.filter(_within(joined))
    rows = inside.group_by("row").agg(
        fen=inside.fen.max(),
        custody_from=inside.custody_from.min(),
        latest=inside.custody_to.max(),
        ended=inside.custody_to.count(),
        sentence_type=inside.sentence_type.min(),
        terms=inside.count(),
    )
    still_inside = rows.ended < rows.terms
    ended = ibis.ifelse(still_inside, ibis.null("int32"), rows.latest)
    return rows.mutate(custody_to=ended).select("row", "fen", *_EVIDENCE)


def _unknown_paid(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings).select("row", "person")
    custody = identified(tables.require(Kind.CUSTODY))
    strange = custody.filter(custody.sentence_type.notnull() & ~custody.sentence_type.isin(list(SENTENCES)))
    undated = custody.filter(custody.custody_from.isnull())
    reasons = any_of(
        [
            unidentified_payments(tables, settings),
            because(payments.semi_join(strange, "person"), "sentence_unknown"),
            because(payments.semi_join(undated, "person"), "custody_start_unknown"),
        ]
    )
    return besides(reasons, _find_paid(tables, settings))


def _plant_paid(mint: Mint) -> Planted:
    inside, released, probation, returned, detained = (mint.person() for _ in range(5))
    mint.row(Kind.CUSTODY, inside, custody_from=mint.day(-5), custody_to=None, sentence_type="imprisonment")
    mint.row(Kind.CUSTODY, released, custody_from=mint.day(-5), custody_to=mint.day(0, 1), sentence_type="imprisonment")
    mint.row(Kind.CUSTODY, probation, custody_from=mint.day(-5), custody_to=None, sentence_type="probation")
    mint.row(Kind.CUSTODY, returned, custody_from=mint.day(-9), custody_to=mint.day(-1, 28), sentence_type="prison")
    mint.row(Kind.CUSTODY, detained, custody_from=mint.day(0, 1), custody_to=None, sentence_type="detention")
    return mint.done(
        "paid_in_custody",
        (mint.payment(inside), mint.payment(released)),
        (mint.payment(probation), mint.payment(returned), mint.payment(detained)),
    )


def _compared(tables: Tables, settings: RuleSettings) -> ir.Table:
    """Set each payment of a term with increases withheld beside the one that it may not exceed.

    That is the last payment up to the month in which the term began, or the first one in it where none is earlier.
    """
    terms = _terms(tables, _WITHHOLDING)
    known = identified(tables.require(Kind.PAYMENTS))
    monthly = known.filter(is_regular(known), known.fen > 0).semi_join(terms, "person")
    monthly = monthly.mutate(scheme=monthly.scheme.fill_null(""))
    history = monthly.group_by("person", "scheme", "month").agg(earlier_fen=monthly.fen.min())
    near = history.join(terms, "person")
    before = starts_by(near.month, near.custody_from)
    bases = near.group_by("person", "scheme", "term").agg(
        last_before=near.month.max(where=before), first_within=near.month.min(where=~before)
    )
    bases = bases.select("person", "scheme", "term", earlier_month=ibis.coalesce(bases.last_before, bases.first_within))
    earlier = history.select("person", "scheme", "earlier_fen", earlier_month=history.month)
    bases = bases.join(earlier, ["person", "scheme", "earlier_month"])

    payments = payments_of(tables, settings)
    rows = payments.filter(is_regular(payments)).select(
        "row", "person", "month", "fen", scheme=payments.scheme.fill_null("")
    )
    joined = rows.join(terms, "person")
    inside = joined.filter(_within(joined))
    return inside.join(bases, ["person", "scheme", "term"])


def _find_increase(tables: Tables, settings: RuleSettings) -> ir.Table:
    compared = _compared(tables, settings)
    risen = compared.filter(compared.month > compared.earlier_month, compared.fen > compared.earlier_fen)
    rows = risen.group_by("row").agg(
        paid=risen.fen.max(),
        custody_from=risen.custody_from.min(),
        custody_to=risen.custody_to.max(),
        sentence_type=risen.sentence_type.min(),
        earlier_month=risen.earlier_month.min(),
        earlier_fen=risen.earlier_fen.min(),
    )
    return rows.mutate(fen=rows.paid - rows.earlier_fen).select("row", "fen", *INCREASE_IN_CUSTODY.evidence)


def _unknown_increase(tables: Tables, settings: RuleSettings) -> ir.Table:
    compared = _compared(tables, settings)
    first = compared.filter(compared.month <= compared.earlier_month)
    reasons = any_of([unidentified_payments(tables, settings), because(first, "no_earlier_payment")])
    return besides(reasons, _find_increase(tables, settings))


def _plant_increase(mint: Mint) -> Planted:
    risen, steady, free = mint.person(), mint.person(), mint.person()
    for person in (risen, steady, free):
        mint.payment(person, month=mint.code(-3), fen=300_000)
    for person, sentence in ((risen, "probation"), (steady, "outside"), (free, "prison")):
        mint.row(Kind.CUSTODY, person, custody_from=mint.day(-2), custody_to=None, sentence_type=sentence)
    return mint.done(
        "increase_in_custody",
        (mint.payment(risen, fen=312_000),),
        (mint.payment(steady, fen=300_000), mint.payment(free, fen=312_000)),
    )


PAID_IN_CUSTODY: Final = Rule(
    code="paid_in_custody",
    chinese="服刑或羁押期间仍在领取",
    english="Paid while in prison or detention",
    severity=Severity.HIGH,
    law=(pension_law("custody_pause"), law("refund")),
    needs=frozenset({Kind.PAYMENTS, Kind.CUSTODY}),
    about=Kind.PAYMENTS,
    evidence=_EVIDENCE,
    next_step=Bilingual(
        "向司法行政或公安机关核实收押和释放日期；核实后自收押次月起暂停，释放次月起按原标准续发；羁押后无罪的补发。",
        "Verify the days of committal and release with the authority; once confirmed, pause from the month after "
        "committal and resume at the old rate after release; pay back what was held if a detainee is found not guilty.",
    ),
    find=_find_paid,
    unknown=_unknown_paid,
    plant=_plant_paid,
)
INCREASE_IN_CUSTODY: Final = Rule(
    code="increase_in_custody",
    chinese="缓刑、管制、监外执行期间调增待遇",
    english="Pension increased on probation, under control or serving outside",
    severity=Severity.MEDIUM,
    law=(pension_law("custody_pause"), law("refund")),
    needs=frozenset({Kind.PAYMENTS, Kind.CUSTODY}),
    about=Kind.PAYMENTS,
    evidence=("custody_from", "custody_to", "sentence_type", "earlier_month", "earlier_fen"),
    next_step=Bilingual(
        "核实刑罚执行方式和调整依据；期间的调增部分不应发放，基本待遇照发。",
        "Verify how the sentence is served and why the pension rose; the increase isn't due meanwhile, the pension is.",
    ),
    find=_find_increase,
    unknown=_unknown_increase,
    plant=_plant_increase,
)
