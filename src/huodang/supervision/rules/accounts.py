"""One bank account for many people (多人共用银行账户)."""

from typing import Final

import ibis.expr.types as ir

from huodang.supervision.rules.expressions import any_of, because, computed_once, payments_of, unidentified_payments
from huodang.supervision.rules.laws import law
from huodang.supervision.rules.planting import Mint, Planted
from huodang.supervision.rules.rule import Bilingual, Rule, Severity, Tables
from huodang.supervision.rules.settings import RuleSettings
from huodang.supervision.tables import Kind


def shared_accounts(tables: Tables, settings: RuleSettings, persons: int) -> ir.Table:
    """Give the accounts that may be those of at least so many persons, more than one, without counting them."""
    payments = payments_of(tables, settings)
    into = payments.filter(payments.account.notnull()).select("account", "person")
    if len(settings.months) == 1:
        # Most accounts are paid into once a month, and counting is cheapest.
        counted = into.group_by("account").agg(payments=into.count())
        return counted.filter(counted.payments >= persons).select("account")
    ends = into.group_by("account").agg(low=into.person.min(), high=into.person.max())
    return ends.filter(ends.low < ends.high).select("account")


def _find(tables: Tables, settings: RuleSettings) -> ir.Table:
    shared = shared_accounts(tables, settings, settings.account_persons + 1)
    if tables.institutions is not None:
        shared = shared.anti_join(tables.institutions, "account")
    payments = payments_of(tables, settings).select("row", "person", "fen", "account")
    into = computed_once(payments.semi_join(shared, "account"), "account")
    counted = into.group_by("account").agg(persons=into.person.nunique(), payments=into.count())
    crowded = counted.filter(counted.persons > settings.account_persons)
    return into.join(crowded, "account").select("row", "fen", "persons", "payments")


def _unknown(tables: Tables, settings: RuleSettings) -> ir.Table:
    payments = payments_of(tables, settings)
    without = because(payments.filter(payments.account.isnull()), "account_missing")
    return any_of([unidentified_payments(tables, settings), without])


def _plant(mint: Mint) -> Planted:
    crowded, common, declared = mint.account(), mint.account(), mint.account()
    most = mint.settings.account_persons
    mint.row(Kind.INSTITUTIONS, None, account=declared)
    return mint.done(
        "account_shared",
        tuple(mint.payment(mint.person(), account=crowded) for _ in range(most + 1)),
        tuple(mint.payment(mint.person(), account=common) for _ in range(most)),
    )


ACCOUNT_SHARED: Final = Rule(
    code="account_shared",
    chinese="多人共用一个银行账户",
    english="One bank account for many people",
    severity=Severity.MEDIUM,
    law=(law("account_control"), law("fraud")),
    needs=frozenset({Kind.PAYMENTS}),
    about=Kind.PAYMENTS,
    evidence=("persons", "payments"),
    next_step=Bilingual(
        "核实账户户主与各领取人的关系；养老机构等集体账户登记后不再提示；冒领的依法追回。",
        "Verify how the holder and the payees are related; a home's collective account is declared once and for all; "
        "what was drawn in others' names is recovered.",
    ),
    find=_find,
    unknown=_unknown,
    plant=_plant,
)
