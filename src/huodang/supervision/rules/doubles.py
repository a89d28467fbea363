"""Paid twice or contributing twice for one month (重复领取、重复缴费)."""

from typing import Final

import ibis
import ibis.expr.types as ir

from huodang.supervision.rules.expressions import (
    BENEFIT,
    any_of,
    because,
    computed_once,
    contributions_of,
    identified,
    in_months,
    is_regular,
    payments_of,
    surely,
    unidentified,
    unidentified_payments,
)
from huodang.supervision.rules.laws import law, pension_law
from huodang.supervision.rules.planting import Cell, Mint, Planted
from huodang.supervision.rules.rule import Bilingual, Rule, Severity, Tables
from huodang.supervision.rules.schemes import branch
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import Kind

_PAID_EVIDENCE: Final = ("month", "scheme", "payments", "elsewhere", "other_scheme", "other_fen")


def _key(settings: RuleSettings) -> list[str]:
    """Name what is one month of one person; with one month under check the person says it all."""
    return ["person"] if len(settings.months) == 1 else ["person", "month"]


def _payments(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings)
    return payments.filter(is_regular(payments))


def _benefits(tables: Tables, settings: RuleSettings) -> ir.Table | None:
    """Give what other schemes paid; an enrolment that doesn't tell its kind is taken for a benefit."""
    if tables.enrolments is None:
        return None
    enrolments = identified(tables.enrolments)
    benefit = enrolments.kind.isnull() | (enrolments.kind == BENEFIT)
    return enrolments.filter(benefit, in_months(enrolments.month, settings))


def _pairs(payments: ir.Table, benefits: ir.Table, settings: RuleSettings) -> ir.Table:
    """Set payments beside what other schemes paid the person for the month.

    `same` marks what looks like this very payment, listed in both files: scheme and amount alike, and no other region.
    """
    key = _key(settings)
    # Whichever side an engine keeps in memory, let it be slim: the rest is read for the few that met.
    rows = payments.select("row", *key).semi_join(benefits.select(*key), key)
    met = payments.select("row", "person", "month", "fen", "scheme", "region").semi_join(rows, "row")
    met = computed_once(met, "row")
    others = benefits.semi_join(met, key).select(
        "person", "month", other_scheme="scheme", other_fen="fen", other_region="region"
    )
    pairs = met.join(others, ["person", "month"])
    elsewhere = surely(pairs.region != pairs.other_region)
    alike = surely((pairs.scheme == pairs.other_scheme) & (pairs.fen == pairs.other_fen))
    return pairs.mutate(same=alike & ~elsewhere)


def _beyond_first(payments: ir.Table, settings: RuleSettings) -> ir.Table:
    """Give the payments of a person and month beyond the first, by their rows."""
    key = _key(settings)
    slim = payments.select(*key)
    counted = slim.group_by(key).agg(payments=slim.count())
    several = computed_once(
        payments.select("row", "person", "month", "fen", "scheme").semi_join(counted.filter(counted.payments > 1), key),
        "row",
    )
    firsts = several.group_by("person", "month").agg(first=several.row.min(), payments=several.count())
    joined = several.join(firsts, ["person", "month"])
    return joined.filter(joined.row > joined["first"]).select(
        "row",
        "fen",
        "month",
        "scheme",
        "payments",
        elsewhere=ibis.literal(0, "int64"),
        other_scheme=ibis.null("string"),
        other_fen=ibis.null("int64"),
    )


def _find_paid(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = _payments(tables, settings)
    beyond = _beyond_first(payments, settings)
    benefits = _benefits(tables, settings)
    if benefits is None:
        return beyond.select("row", "fen", *_PAID_EVIDENCE)
    pairs = _pairs(payments, benefits, settings)
    others = pairs.filter(~pairs.same)
    with_others = others.group_by("row", "fen", "month", "scheme").agg(
        elsewhere=others.count(), other_scheme=others.other_scheme.min(), other_fen=others.other_fen.sum()
    )
    with_others = with_others.mutate(payments=ibis.literal(1, "int64"))
    both = beyond.select("row", "fen", *_PAID_EVIDENCE).union(with_others.select("row", "fen", *_PAID_EVIDENCE))
    return (
        both.group_by("row", "fen", "month", "scheme")
        .agg(
            payments=both.payments.max(),
            elsewhere=both.elsewhere.max(),
            other_scheme=both.other_scheme.max(),
            other_fen=both.other_fen.max(),
        )
        .select("row", "fen", *_PAID_EVIDENCE)
    )


def _unknown_paid(tables: Tables, settings: RuleSettings) -> ir.Table:
    unfit = unidentified_payments(tables, settings)
    benefits = _benefits(tables, settings)
    if benefits is None:
        return unfit
    payments = _payments(tables, settings)
    pairs = _pairs(payments, benefits, settings)
    counted = pairs.group_by("row", "person", "month").agg(others=pairs.count(where=~pairs.same))
    listed_twice = computed_once(counted.filter(counted.others == 0), "row")
    # What is found besides: a row beyond the first of its person and month.
    key = _key(settings)
    near = payments.select("row", *key).semi_join(listed_twice, key)
    firsts = near.group_by(key).agg(first=near.row.min())
    only = listed_twice.join(firsts, key)
    return any_of([unfit, because(only.filter(only.row == only["first"]), "same_payment_in_both_files")])


def _plant_paid(mint: Mint) -> Planted:
    elsewhere, again, back_paid, contributing = (mint.person() for _ in range(4))
    month: dict[str, Cell] = {"month": mint.code(), "fen": 50_000}
    mint.row(Kind.ENROLMENTS, elsewhere, scheme="170", kind="benefit", **month)
    mint.row(Kind.ENROLMENTS, contributing, scheme="170", kind="contribution", **month)
    # The row first written has the higher number, as they count down: of two, it is the one beyond the first.
    second = mint.payment(again, scheme="110")
    return mint.done(
        "paid_twice",
        (mint.payment(elsewhere, scheme="110"), second),
        (
            mint.payment(again, scheme="110"),
            mint.payment(back_paid, scheme="110"),
            mint.payment(back_paid, scheme="110", kind="back_pay"),
            mint.payment(contributing, scheme="110"),
        ),
    )


def _contributions(tables: Tables, settings: RuleSettings) -> ir.Table:
    rows = identified(contributions_of(tables, settings))
    return rows.select("row", "person", "month", "scheme", fen=rows.fen.fill_null(0), branch=branch(rows.scheme))


def _find_contributed(tables: Tables, settings: RuleSettings) -> ir.Table:
    rows = _contributions(tables, settings)
    several = rows.group_by("person", "month", "branch").agg(
        first=rows.row.min(), contributions=rows.count(), schemes=rows.scheme.nunique()
    )
    joined = rows.join(several.filter(several.contributions > 1), ["person", "month", "branch"])
    return joined.filter(joined.row > joined.first).select("row", "fen", *CONTRIBUTED_TWICE.evidence)


def _unknown_contributed(tables: Tables, settings: RuleSettings) -> ir.Table:
    return unidentified(contributions_of(tables, settings))


def _plant_contributed(mint: Mint) -> Planted:
    twice, insured = mint.person(), mint.person()
    paid: dict[str, Cell] = {"month": mint.code(), "fen": 50_000, "kind": "contribution"}
    return mint.done(
        "contributed_twice",
        (mint.row(Kind.ENROLMENTS, twice, scheme="170", **paid),),
        (
            mint.row(Kind.ENROLMENTS, twice, scheme="110", **paid),
            mint.row(Kind.ENROLMENTS, insured, scheme="110", **paid),
            mint.row(Kind.ENROLMENTS, insured, scheme="310", **paid),
        ),
    )


PAID_TWICE: Final = Rule(
    code="paid_twice",
    chinese="同月重复领取待遇",
    english="Paid by two schemes, or twice by one, for one month",
    severity=Severity.HIGH,
    law=(pension_law("duplicate_benefits"), pension_law("duplicate_employee_benefits"), law("refund")),
    needs=frozenset({Kind.PAYMENTS}),
    about=Kind.PAYMENTS,
    evidence=_PAID_EVIDENCE,
    next_step=Bilingual(
        "与另一险种或地区核对两笔待遇；由本人选定保留的关系，清退其余，多领的退回或抵扣。",
        "Compare both payments with the other scheme or place; the person chooses the relation to keep, the others "
        "end, and what was received twice is returned or offset.",
    ),
    find=_find_paid,
    unknown=_unknown_paid,
    plant=_plant_paid,
)
CONTRIBUTED_TWICE: Final = Rule(
    code="contributed_twice",
    chinese="同月重复缴纳养老保险费",
    english="Contributions made twice for one month",
    severity=Severity.LOW,
    law=(pension_law("duplicate_contributions"),),
    needs=frozenset({Kind.ENROLMENTS}),
    about=Kind.ENROLMENTS,
    evidence=("month", "scheme", "contributions", "schemes"),
    next_step=Bilingual(
        "核对两处缴费；重复时段清退城乡居民养老保险的个人缴费和集体补助。",
        "Compare both contributions; for months paid twice the residents' personal and collective payments are "
        "refunded.",
    ),
    find=_find_contributed,
    unknown=_unknown_contributed,
    plant=_plant_contributed,
)
