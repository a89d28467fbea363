"""Every rule finds what is planted for it and spares the near misses, alone and together, in whatever month."""

import re
from pathlib import Path

import pyarrow as pa
import pytest
from rule_tables import Sheets, asked, findings, person, reasons, tables_of

from huodang.pension import Status
from huodang.standards import Month
from huodang.supervision.rules import (
    Mint,
    RuleSettings,
    SettingsError,
    Tables,
    UnknownRuleError,
    all_rules,
    plant_all,
    reason,
    rule,
)
from huodang.supervision.rules.reasons import reasons as words
from huodang.supervision.tables import SCHEMAS, Kind

CODES = [each.code for each in all_rules()]
SOURCES = Path(__file__).parents[2] / "src/huodang/supervision/rules"


@pytest.mark.parametrize("code", CODES)
def test_rule_alone_finds_exactly_its_planted_cases_and_calls_none_of_them_unknown(code):
    one, planted = rule(code), rule(code).plant(Mint(asked()))
    tables = tables_of(planted.tables)
    found = findings(one, tables, asked())
    assert set(found) == set(planted.expected[code])
    assert planted.spared[code]
    assert not set(found) & set(planted.spared[code])
    assert not set(found) & set(reasons(one, tables, asked()))


@pytest.mark.parametrize(
    "settings",
    [
        asked(Month(2024, 1)),
        asked(Month(2023, 12), months=(Month(2023, 10), Month(2023, 12))),
        asked(Month(2025, 3), account_persons=1, jump_percent=5, jump_fen=0, tolerance_fen=7, certification_months=18),
        asked(Month(2025, 3), account_persons=40, jump_fen=900_000, certification_months=5, unsettled_months=0),
    ],
    ids=["january", "months with a gap", "tight", "loose"],
)
def test_all_planted_together_are_found_in_whatever_month_and_by_whatever_threshold(settings):
    planted = plant_all(all_rules(), settings)
    tables = tables_of(planted.tables)
    for one in all_rules():
        found = findings(one, tables, settings)
        assert set(planted.expected[one.code]) <= set(found), one.code
        assert not set(planted.spared[one.code]) & set(found), one.code


def test_planted_rows_stand_below_zero_and_their_people_and_accounts_can_be_nobodys():
    planted = plant_all(all_rules(), asked())
    assert set(planted.tables) == set(SCHEMAS) - {kind for kind in Kind if kind.value == "visits"}
    for kind, table in planted.tables.items():
        rows = table["row"].to_pylist()
        assert max(rows) < 0
        assert len(set(rows)) == len(rows)
        assert {each // 10**11 for each in table["person"].to_pylist() if each is not None} <= {999_999}
        if "account" in SCHEMAS[kind].names:
            assert all(each is None or each > 1 << 60 for each in table["account"].to_pylist())


def test_planted_cases_leave_the_findings_on_real_rows_as_they_are():
    sheets = Sheets()
    for sequence in range(1, 6):
        sheets.pay(person(sequence), account=7)
    real, settings = sheets.arrow(), asked()
    planted = plant_all(all_rules(), settings).tables
    joined = {kind: pa.concat_tables([table, planted[kind]]) for kind, table in real.items()}
    for one in all_rules():
        if one.needs <= set(real):
            among_planted = findings(one, tables_of(joined), settings)
            alone = findings(one, tables_of(real), settings)
            assert {row: each for row, each in among_planted.items() if row >= 0} == alone, one.code


def test_every_reason_in_the_sources_has_words_and_no_word_is_left_over():
    named = set()
    for file in SOURCES.glob("*.py"):
        named |= set(re.findall(r'"([a-z_]+)"', file.read_text(encoding="utf-8")))
    assert set(words()) <= named | {"only_the_number_tells_birth", "only_the_number_tells_sex"}
    for code in words():
        assert reason(code).chinese != code
        assert reason(code).english != code
    assert reason("of_a_county").chinese == "of_a_county"


@pytest.mark.parametrize("code", CODES)
def test_rule_says_what_it_is_by_which_law_and_what_may_follow(code):
    one = rule(code)
    assert one.chinese
    assert one.english
    assert one.next_step.chinese
    assert one.next_step.english
    assert one.law
    assert all(isinstance(each.status, Status) and each.law for each in one.law)
    assert one.about in one.needs
    assert len(set(one.evidence)) == len(one.evidence)


def test_what_was_not_read_in_a_source_is_marked_unverified():
    assert {each.status for each in rule("account_shared").law if each.concerns == "account_control"} == {
        Status.UNVERIFIED
    }
    assert {each.status for each in rule("paid_after_death").law if each.concerns == "refund"} == {Status.OFFICIAL}


def test_codes_that_the_contract_names_are_there():
    assert {
        "paid_after_death",
        "paid_in_custody",
        "paid_twice",
        "identity_invalid",
        "account_shared",
        "retired_early",
        "birth_conflict",
        "one_person_two_numbers",
        "certification_overdue",
    } <= set(CODES)
    assert len(set(CODES)) == len(CODES)


def test_unknown_rule_is_refused_and_the_error_names_those_there_are():
    with pytest.raises(UnknownRuleError, match="paid_after_death"):
        rule("paid_after_birth")


def test_settings_hold_the_month_among_the_months_and_refuse_negative_thresholds():
    settings = RuleSettings(Month(2025, 2), (Month(2025, 1),))
    assert settings.months == (Month(2025, 1), Month(2025, 2))
    with pytest.raises(SettingsError, match="account_persons"):
        RuleSettings(Month(2025, 2), account_persons=-1)


def test_table_that_a_rule_needs_and_was_not_given_is_named():
    with pytest.raises(SettingsError, match="--payments"):
        rule("paid_after_death").find(Tables.of({}), asked())


def test_mint_refuses_a_column_that_no_table_has_and_more_people_than_numbers():
    mint = Mint(asked())
    with pytest.raises(SettingsError, match="colour"):
        mint.row(Kind.PAYMENTS, mint.person(), colour="red")
    for _ in range(500):
        mint.person(19000101)
    with pytest.raises(SettingsError):
        mint.person(19000101)
