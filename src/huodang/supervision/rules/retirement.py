"""Retired before the lawful month (提前退休): birth date, sex and category against the lawful age of `pension`."""

from typing import Final

import ibis
import ibis.expr.types as ir

from huodang.standards import IdentityFault
from huodang.supervision.rules.expressions import identified, judged, number_birth, number_sex
from huodang.supervision.rules.lawful_months import FEMALE50, FEMALE55, MALE, category_code, lawful_months
from huodang.supervision.rules.laws import law, pension_law
from huodang.supervision.rules.planting import Mint, Planted
from huodang.supervision.rules.rule import Bilingual, Rule, Severity, Tables
from huodang.supervision.rules.schemes import is_residents
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import Kind

_EARLY: Final = "early"
_LAWFUL: Final = ""
_MAN: Final = 1
_SEXES: Final = [1, 2]


def _archives(tables: Tables) -> ir.Table | None:
    """Give what each person's archive tells; one that disagrees with itself tells nothing."""
    if tables.archives is None:
        return None
    known = identified(tables.archives)
    told = known.group_by("person").agg(
        archive_birth=known.birth.min(),
        last_birth=known.birth.max(),
        archive_sex=known.sex.min(),
        archive_category=known.category.min(),
        archive_month=known.retirement_month.min(),
        special=known.special.max(),
    )
    return told.mutate(disagrees=told.archive_birth < told.last_birth)


def _facts(tables: Tables, settings: RuleSettings) -> ir.Table:
    """Put together what is told of each payee: the archive's word on birth and category goes before the payment's.

    The number's birth date and sex stand in where nobody else tells them.
    """
    payments = judged(tables.require(Kind.PAYMENTS), settings)
    payments = payments.filter(payments.fen > 0)
    rows = payments.select(
        "row", "person", "fault", "month", "fen", "scheme", "sex", "birth", "category", "benefit_from"
    )
    archives = _archives(tables)
    if archives is None:
        nothing = {name: ibis.null("int32") for name in ("archive_birth", "archive_month")}
        joined = rows.mutate(
            **nothing,
            archive_sex=ibis.null("int8"),
            archive_category=ibis.null("string"),
            special=ibis.null("int8"),
            disagrees=ibis.null("boolean"),
        )
    else:
        joined = rows.left_join(archives, "person")
    valid = joined.person.notnull() & (joined.fault == int(IdentityFault.VALID))
    sex_told = ibis.ifelse(joined.archive_sex.isin(_SEXES), joined.archive_sex, joined.sex)
    number_tells = ibis.ifelse(valid, number_birth(joined.person), ibis.null("int32"))
    facts = joined.select(
        "row",
        "month",
        "fen",
        "disagrees",
        "special",
        residents=is_residents(joined.scheme),
        birth=ibis.coalesce(joined.archive_birth, joined.birth, number_tells),
        sex=ibis.cases(
            (sex_told.isin(_SEXES), sex_told),
            (valid, number_sex(joined.person)),
            else_=ibis.null("int8"),
        ),
        told=category_code(ibis.coalesce(joined.archive_category, joined.category)),
        retired=ibis.coalesce(joined.benefit_from, joined.archive_month),
    )
    # A woman of no told category is judged by 50: the earliest that the law gives her.
    category = ibis.coalesce(facts.told, ibis.ifelse(facts.sex == _MAN, MALE, FEMALE50).cast("int8"))
    return facts.mutate(category=ibis.ifelse(facts.sex.isnull() & facts.told.isnull(), ibis.null("int8"), category))


def _verdicts(tables: Tables, settings: RuleSettings) -> ir.Table:
    """Give every payment's verdict: early, lawful, or the reason why it can't be told."""
    facts = _facts(tables, settings)
    months = lawful_months()
    born = facts.birth - facts.birth % 100
    judged_by = facts.left_join(months, [facts.category == months.category, born == months.born])
    strict = lawful_months().filter(ibis._.category == FEMALE55).select("born", lawful55="lawful")
    judged_by = judged_by.left_join(strict, [judged_by.born == strict.born], rname="{name}_55")
    # Without a month of retirement, the month paid is the latest that it can have been.
    retired = ibis.coalesce(judged_by.retired, judged_by.month)
    open_end = judged_by.retired.isnull()
    open_category = judged_by.told.isnull() & (judged_by.sex != _MAN)
    verdict = ibis.cases(
        (judged_by.residents, "residents_scheme"),
        (ibis.coalesce(judged_by.disagrees, ibis.literal(value=False)), "archives_disagree"),
        (judged_by.birth.isnull(), "birth_missing"),
        (judged_by.category.isnull(), "sex_missing"),
        (judged_by.lawful.isnull(), "birth_impossible"),
        ((judged_by.special == 1) & (retired >= judged_by.special_month), _LAWFUL),
        (retired < judged_by.flexible, _EARLY),
        (retired < judged_by.lawful, "may_be_flexible"),
        (open_end, "retirement_month_missing"),
        (open_category & (retired < judged_by.lawful55), "category_missing"),
        else_=_LAWFUL,
    )
    return judged_by.select(
        "row", "month", "fen", "lawful", "birth", "category", verdict=verdict, retired=judged_by.retired
    )


def _find(tables: Tables, settings: RuleSettings) -> ir.Table:
    verdicts = _verdicts(tables, settings)
    early = verdicts.filter(verdicts.verdict == _EARLY)
    # Only what is paid before the lawful month is undue; later months may be due at another amount.
    at_stake = ibis.ifelse(early.month < early.lawful, early.fen, ibis.literal(0, "int64"))
    category = ibis.cases((early.category == MALE, "male"), (early.category == FEMALE55, "female55"), else_="female50")
    return early.select(
        "row", "birth", fen=at_stake, category=category, retired=early.retired, lawful_month=early.lawful
    ).select("row", "fen", *RETIRED_EARLY.evidence)


def _unknown(tables: Tables, settings: RuleSettings) -> ir.Table:
    verdicts = _verdicts(tables, settings)
    return verdicts.filter(~verdicts.verdict.isin([_EARLY, _LAWFUL])).select("row", reason="verdict")


def _plant(mint: Mint) -> Planted:
    early, lawful, special, below_special = (mint.person(19500115) for _ in range(4))
    for person, month in ((special, 200501), (below_special, 200412)):
        mint.row(Kind.ARCHIVES, person, special=1, retirement_month=month, birth=19500115, sex=1)
    return mint.done(
        "retired_early",
        (
            mint.payment(early, scheme="110", sex=1, birth=19500115, category="male", benefit_from=200912),
            mint.payment(below_special, scheme="110"),
        ),
        (
            mint.payment(lawful, scheme="110", sex=1, birth=19500115, category="male", benefit_from=201001),
            mint.payment(special, scheme="110"),
            mint.payment(early, scheme="170", benefit_from=200912),
        ),
    )


RETIRED_EARLY: Final = Rule(
    code="retired_early",
    chinese="早于法定退休年月退休",
    english="Retired before the lawful month",
    severity=Severity.HIGH,
    law=(
        pension_law("original_retirement_age"),
        pension_law("retirement_delay"),
        pension_law("flexible_retirement"),
        pension_law("special_early_retirement"),
        law("birth_recognition"),
    ),
    needs=frozenset({Kind.PAYMENTS}),
    about=Kind.PAYMENTS,
    evidence=("birth", "category", "retired", "lawful_month"),
    next_step=Bilingual(
        "调阅退休审批档案，核实出生时间、岗位类别和特殊工种；确属违规提前的，重新核定并追回。",
        "Call up the approval, and verify birth date, post and special trade; if it was unlawful, determine the "
        "pension anew and recover.",
    ),
    find=_find,
    unknown=_unknown,
    plant=_plant,
)
