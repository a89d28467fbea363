"""What a department's gateway answers from its own source."""

import sqlite3
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from exchange_province import (
    JUSTICE,
    LI,
    POLICE,
    STRANGER,
    WANG,
    ZHAO_OLD_CARD,
    Province,
    fill_police,
    write_custody,
)
from sqlalchemy import text

from huodang.exchange import Gateway, Outcome, SourceError, Verdict
from huodang.exchange.gateway.service import evidence_hash

BORN = {WANG: "1965-03-01", LI: "1970-05-15", ZHAO_OLD_CARD: "1958-07-07", STRANGER: "1961-11-11"}


def verdict(province: Province, gateway: Gateway, resource: str = "police.household", **changes: Any) -> Verdict:
    answer = province.ask(gateway, province.grant(resource, **changes))
    assert isinstance(answer, Verdict), answer
    return answer


def household(
    province: Province, gateway: Gateway, subject: str, name: str, born: str | None = None
) -> tuple[str, str]:
    claims = {"name": name, "birth_date": born or BORN[subject]}
    answer = verdict(province, gateway, subject=subject, claims=claims)
    return answer.outcome, answer.reason


@pytest.mark.parametrize(
    ("subject", "name", "born", "expected"),
    [
        (WANG, "王建国", None, ("clear", "matches")),
        (WANG, "王建华", None, ("conflict", "name_differs")),
        (WANG, "王建国", "1965-03-02", ("conflict", "birth_date_differs")),
        (LI, "李梅", None, ("conflict", "renamed")),
        (ZHAO_OLD_CARD, "赵铁柱", None, ("hit", "death_registered")),
        (STRANGER, "钱有为", None, ("unknown", "not_registered")),
    ],
)
def test_the_register_answers_by_the_first_rule_that_fits(  # noqa: PLR0917  (fixtures and a scenario)
    province: Province, police: Gateway, subject: str, name: str, born: str | None, expected: tuple[str, str]
) -> None:
    assert household(province, police, subject, name, born) == expected


def test_a_number_is_found_with_lower_case_x_and_as_fifteen_digits(province: Province, police: Gateway) -> None:
    assert LI.endswith("X")
    assert household(province, police, LI, "李红梅") == ("clear", "matches")
    assert household(province, police, ZHAO_OLD_CARD, "赵铁柱")[0] == "hit"


def test_a_verdict_tells_how_fresh_the_row_was_and_when_it_was_answered(province: Province, police: Gateway) -> None:
    answer = verdict(province, police)
    assert answer.as_of.isoformat() == "2025-03-01T00:00:00+00:00"
    assert answer.answered_at == province.clock.now()


def test_only_fields_of_agreement_and_grant_are_handed_over(province: Province, police: Gateway) -> None:
    assert verdict(province, police).fields == {"name": "王建国", "sex": "1"}
    assert verdict(province, police, fields=("sex",)).fields == {"sex": "1"}
    assert verdict(province, police, fields=()).fields == {}


def test_no_field_is_handed_over_when_the_person_is_not_found(province: Province, police: Gateway) -> None:
    assert verdict(province, police, subject=STRANGER).fields == {}


def test_the_evidence_can_be_shown_at_the_department_and_guessed_nowhere_else(
    province: Province, police: Gateway
) -> None:
    first, second = verdict(province, police), verdict(province, police)
    assert first.evidence_hash != second.evidence_hash
    line = next(one for one in police.memory.lines() if one.grant_id == first.grant_id)
    columns = ("GMSFHM", "XM", "CYM", "XB", "CSRQ", "SWRQ", "GXSJ")
    row = dict(zip(columns, (WANG, "王建国", "", "1", "19650301", "00000000", "20250301080000"), strict=True))
    assert evidence_hash(line.salt, [row]) == first.evidence_hash
    assert evidence_hash(line.salt, [{**row, "SWRQ": "20240101"}]) != first.evidence_hash


def test_the_stewards_log_names_no_person_and_finds_a_persons_lines(province: Province, police: Gateway) -> None:
    verdict(province, police)
    verdict(province, police, subject=LI, claims={"name": "李红梅"})
    (line,) = police.memory.lines(subject_mark=police.subject_mark(WANG))
    assert (line.resource, line.purpose, line.case_id, line.outcome) == (
        "police.household",
        "retirement",
        "case-1",
        "clear",
    )
    assert line.fields == ("name", "sex")
    database = province.folder("police") / "gateway.db"
    everything = database.read_bytes() + database.with_name("gateway.db-wal").read_bytes()
    assert WANG.encode() not in everything
    assert "王建国".encode() not in everything


@pytest.mark.parametrize("statement", ["DELETE FROM answers", "UPDATE answers SET reason = 'x'"])
def test_the_stewards_log_can_only_grow(province: Province, police: Gateway, statement: str) -> None:
    verdict(province, police)
    with (
        sqlite3.connect(province.folder("police") / "gateway.db") as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(statement)
    connection.close()


def changed(province: Province, statement: str, *values: object) -> None:
    """The department changes its own data while the gateway runs."""
    with sqlite3.connect(province.folder("police") / "police.db") as connection:
        connection.execute(statement, values)
    connection.close()


def test_a_code_without_crosswalk_is_unknown_and_never_clear(province: Province, police: Gateway) -> None:
    changed(province, "UPDATE T_CZRK_JBXX SET XB = '7' WHERE GMSFHM = ?", WANG)
    answer = verdict(province, police)
    assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, "source_value_unmapped")
    assert answer.fields == {}


def test_a_code_that_is_not_asked_for_stops_nothing(province: Province, police: Gateway) -> None:
    changed(province, "UPDATE T_CZRK_JBXX SET XB = '7' WHERE GMSFHM = ?", WANG)
    assert verdict(province, police, fields=("name",)).outcome is Outcome.CLEAR


def test_a_value_that_cannot_be_read_is_unknown(province: Province, police: Gateway) -> None:
    changed(province, "UPDATE T_CZRK_JBXX SET SWRQ = '2024-02' WHERE GMSFHM = ?", WANG)
    answer = verdict(province, police)
    assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, "source_value_broken")


def test_a_missing_value_that_the_rules_need_is_unknown(province: Province, police: Gateway) -> None:
    changed(province, "UPDATE T_CZRK_JBXX SET CSRQ = NULL WHERE GMSFHM = ?", WANG)
    answer = verdict(province, police)
    assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, "source_value_missing")


def test_two_rows_of_one_person_are_both_looked_at(province: Province, police: Gateway) -> None:
    changed(
        province,
        "INSERT INTO T_CZRK_JBXX VALUES (?, '王建国', '', '1', '19650301', '20250102', '20250301080000')",
        WANG,
    )
    assert household(province, police, WANG, "王建国") == ("hit", "death_registered")


def test_several_rows_are_an_answer_of_their_own_where_the_file_says_so(province: Province) -> None:
    fill_police(province.folder("police") / "police.db")
    province.lay(province.agreement())
    config = deepcopy(POLICE)
    config["resources"][0]["several_rows"] = {"outcome": "conflict", "reason": "registered_twice"}
    gateway = province.gateway(config)
    assert household(province, gateway, WANG, "王建国") == ("clear", "matches")
    changed(province, "INSERT INTO T_CZRK_JBXX SELECT * FROM T_CZRK_JBXX WHERE GMSFHM = ?", WANG)
    assert household(province, gateway, WANG, "王建国") == ("conflict", "registered_twice")


def test_only_rows_that_the_filter_lets_through_count(province: Province) -> None:
    fill_police(province.folder("police") / "police.db")
    province.lay(province.agreement())
    config = deepcopy(POLICE)
    config["resources"][0]["only"] = {"XB": "2"}
    gateway = province.gateway(config)
    assert household(province, gateway, WANG, "王建国") == ("unknown", "not_registered")
    assert household(province, gateway, LI, "李红梅") == ("clear", "matches")


def test_a_source_that_is_gone_is_unknown_and_back_again_without_a_restart(province: Province, police: Gateway) -> None:
    changed(province, "ALTER TABLE T_CZRK_JBXX RENAME TO AWAY")
    answer = verdict(province, police)
    assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, "source_unreachable")
    changed(province, "ALTER TABLE AWAY RENAME TO T_CZRK_JBXX")
    assert verdict(province, police).outcome is Outcome.CLEAR


def test_the_gateway_can_not_write_through_its_reading_session(police: Gateway) -> None:
    with pytest.raises(SourceError), police.source.reading() as connection:  # type: ignore[union-attr]  # a database
        connection.execute(text("DELETE FROM T_CZRK_JBXX"))


def test_a_batch_is_answered_in_its_order_and_one_bad_grant_stops_no_other(province: Province, police: Gateway) -> None:
    grants = [province.grant(), province.grant(subject="130102196503010000"), province.grant(subject=STRANGER)]
    envelopes = police.answer([province.sign(grants[0]), "nonsense", *(province.sign(one) for one in grants[1:])])
    kinds = [envelope.kind for envelope in envelopes]
    assert kinds == ["verdict", "refusal", "refusal", "verdict"]
    assert [province.read(envelope).grant_id for envelope in envelopes] == ["g-1", "", "g-2", "g-3"]


CustodyMaker = Callable[..., Gateway]


@pytest.fixture
def custody(province: Province) -> CustodyMaker:
    """A justice gateway over deliveries of the given rows."""

    def make(rows: list[list[str]]) -> Gateway:
        write_custody(province.folder("justice") / "files", rows)
        province.lay(province.agreement("justice.custody"))
        return province.gateway(JUSTICE)

    return make


def in_custody(
    province: Province, gateway: Gateway, subject: str, name: str = "", on: str = "2025-03-03"
) -> tuple[str, str]:
    claims = {"name": name} if name else {}
    answer = verdict(province, gateway, "justice.custody", subject=subject, claims=claims, parameters={"on_date": on})
    return answer.outcome, answer.reason


def test_a_csv_in_gb18030_is_a_source_like_any_other(province: Province, custody: CustodyMaker) -> None:
    gateway = custody([[WANG, "王建国", "20240101", "20260101"], [LI, "李红梅", "20200101", "20210101"]])
    assert in_custody(province, gateway, WANG) == ("hit", "in_custody")
    assert in_custody(province, gateway, WANG, on="2026-01-02") == ("clear", "custody_over")
    assert in_custody(province, gateway, LI) == ("clear", "custody_over")
    assert in_custody(province, gateway, STRANGER) == ("clear", "not_in_custody")


@pytest.mark.parametrize(
    "broken",
    [
        ["130102197005152290", "李红梅", "20240101", "99991231"],
        [LI, "李红梅", "20241301", "99991231"],
        [LI, "李红梅", "20240101"],
        [LI, "李红梅", "20240101", "99991231", "多一列"],
        ["", "李红梅", "20240101", "99991231"],
    ],
)
def test_a_broken_row_is_named_its_person_is_unknown_and_the_others_are_answered(
    province: Province, custody: CustodyMaker, broken: list[str]
) -> None:
    gateway = custody([[WANG, "王建国", "20240101", "99991231"], broken])
    assert in_custody(province, gateway, WANG) == ("hit", "in_custody")
    assert in_custody(province, gateway, STRANGER, "钱有为") == ("clear", "not_in_custody")
    assert in_custody(province, gateway, LI, "李红梅") == ("unknown", "source_row_quarantined")
    (named,) = gateway.conformance()["quarantine"]
    assert "custody_202503.csv" in named
    assert "第 3 行" in named
    assert "李红梅" not in named


def test_an_unclosed_quotation_mark_breaks_its_own_row_only(province: Province, custody: CustodyMaker) -> None:
    gateway = custody([])
    path = province.folder("justice") / "files" / "custody_202504.csv"
    lines = ["证件号码,姓名,起始日期,截止日期", f'{LI},"李红梅,20240101,99991231', f"{WANG},王建国,20240101,99991231"]
    path.write_bytes("\r\n".join(lines).encode("gb18030"))
    assert in_custody(province, gateway, WANG) == ("hit", "in_custody")
    assert in_custody(province, gateway, LI) == ("unknown", "source_row_quarantined")


def test_bytes_that_are_no_text_break_their_own_row_only(province: Province, custody: CustodyMaker) -> None:
    gateway = custody([[WANG, "王建国", "20240101", "99991231"]])
    path = province.folder("justice") / "files" / "custody_202503.csv"
    path.write_bytes(path.read_bytes() + LI.encode() + b",\xff\xff,20240101,99991231\r\n")
    assert in_custody(province, gateway, WANG) == ("hit", "in_custody")
    assert in_custody(province, gateway, LI) == ("unknown", "source_row_quarantined")


def test_a_newer_delivery_counts_at_once_and_a_file_tells_its_time(province: Province, custody: CustodyMaker) -> None:
    gateway = custody([[WANG, "王建国", "20240101", "99991231"]])
    assert in_custody(province, gateway, WANG)[0] == "hit"
    write_custody(province.folder("justice") / "files", [], "custody_202504.csv")
    answer = verdict(province, gateway, "justice.custody", claims={})
    laid = (province.folder("justice") / "files" / "custody_202504.csv").stat().st_mtime
    assert (answer.outcome, int(answer.as_of.timestamp())) == (Outcome.CLEAR, int(laid))


def test_a_delivery_without_a_column_is_refused_whole_and_nothing_is_clear(
    province: Province, custody: CustodyMaker
) -> None:
    gateway = custody([[WANG, "王建国", "20240101", "99991231"]])
    (province.folder("justice") / "files" / "custody_202504.csv").write_text("证件号码,姓名\n", encoding="gb18030")
    assert in_custody(province, gateway, STRANGER) == ("unknown", "source_unreachable")
    assert gateway.conformance()["source_reachable"] is False


def test_a_gateway_tells_what_it_offers_and_whether_it_can(province: Province, police: Gateway) -> None:
    (offered,) = police.conformance()["resources"]
    assert offered == {
        "resource": "police.household",
        "kind": "check",
        "agreements": ["XY-police-household"],
        "ready": True,
    }
