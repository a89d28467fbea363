"""Months, money, dates, numbers and words as people write them, read through the front door of the tables."""

import csv
from pathlib import Path

import pytest
from table_files import SOUND, prepared, table

from huodang.supervision.tables import Kind


def test_money_in_fen_is_taken_as_it_stands(tmp_path: Path) -> None:
    store = prepared(tmp_path, Kind.PAYMENTS, ["身份证号", "发放年月", "发放金额分"], [[SOUND, "202405", "1234"]])
    assert table(store, Kind.PAYMENTS)[0]["fen"] == 1234


MONTHS = {
    "202405": 202405,
    "2024-05": 202405,
    "2024/5": 202405,
    "2024年5月": 202405,
    "２０２４年０５月": 202405,
    "202405.0": 202405,
    "20240501": 202405,
    "2024-05-31": 202405,
    "2024-05-31 00:00:00": 202405,
    "45413": 202405,
}


def test_month_is_read_as_people_write_it(tmp_path: Path) -> None:
    rows = [[SOUND, text, "1"] for text in MONTHS]
    store = prepared(tmp_path, Kind.PAYMENTS, ["身份证号", "发放年月", "发放金额"], rows)
    read = dict(zip(MONTHS, (row["month"] for row in table(store, Kind.PAYMENTS)), strict=True))
    assert read == MONTHS


MONEY = {"3,210.55": 321055, "￥3210.5": 321050, "¥1": 100, "０.０１": 1, "-20": -2000, "1e3": 100000}


def test_money_is_read_exactly(tmp_path: Path) -> None:
    rows = [[SOUND, "202405", text] for text in MONEY]
    store = prepared(tmp_path, Kind.PAYMENTS, ["身份证号", "发放年月", "发放金额"], rows)
    assert dict(zip(MONEY, (row["fen"] for row in table(store, Kind.PAYMENTS)), strict=True)) == MONEY


DEATHS = {
    "20240503": (20240503, 20240503),
    "2024-05-03": (20240503, 20240503),
    "2024年5月3日": (20240503, 20240503),
    "2024/5/3": (20240503, 20240503),
    "2024-05-03T10:00:00": (20240503, 20240503),
    "20240503100000": (20240503, 20240503),
    "45415": (20240503, 20240503),
    "2024": (20240101, 20241231),
    "2024年": (20240101, 20241231),
    "202402": (20240201, 20240229),
    "2024-02": (20240201, 20240229),
    " 202402 ": (20240201, 20240229),
    "20240200": (20240201, 20240229),
    "20240000": (20240101, 20241231),
}


def test_death_date_keeps_its_precision(tmp_path: Path) -> None:
    store = prepared(tmp_path, Kind.DEATHS, ["身份证号", "死亡日期"], [[SOUND, text] for text in DEATHS])
    spans = ((row["died_from"], row["died_to"]) for row in table(store, Kind.DEATHS))
    assert dict(zip(DEATHS, spans, strict=True)) == DEATHS


def test_number_is_read_whatever_is_written_around_and_within_it(tmp_path: Path) -> None:
    fifteen = SOUND[:6] + SOUND[8:17]
    written = [
        f" {SOUND}\u3000",
        f"'{SOUND}",
        f'="{SOUND}"',
        f"{SOUND[:6]} {SOUND[6:14]} {SOUND[14:]}",
        f"{SOUND[:6]}-{SOUND[6:14]}-{SOUND[14:]}",
        f"\ufeff{SOUND}",
        f"\u200b{fifteen}",
        fifteen,
    ]
    rows = [[text, "202405", "1"] for text in written]
    store = prepared(tmp_path, Kind.PAYMENTS, ["身份证号", "发放年月", "发放金额"], rows)
    assert {(row["person"], row["fault"]) for row in table(store, Kind.PAYMENTS)} == {(int(SOUND[:17]), 0)}
    assert store.counts == {Kind.PAYMENTS: len(written)}


UNFIT = {
    Kind.PAYMENTS: (
        ["身份证号", "发放年月", "发放金额"],
        [SOUND, "202405", "1"],
        [
            ([SOUND, "202413", "1"], "month_unreadable"),
            ([SOUND, "", "1"], "month_unreadable"),
            ([SOUND, "May-24", "1"], "month_unreadable"),
            ([SOUND, "202405", "壹元"], "amount_unreadable"),
            ([SOUND, "202405", "1.234"], "amount_unreadable"),
            (["1.30102E+17", "202405", "1"], "identity_digits_lost"),
            (["", "", ""], "empty_row"),
        ],
    ),
    Kind.DEATHS: (
        ["身份证号", "死亡日期"],
        [SOUND, "20240501"],
        [
            ([SOUND, "20230230"], "death_unreadable"),
            ([SOUND, "2024-ab-cd"], "death_unreadable"),
            ([SOUND, "20245"], "death_unreadable"),
            ([SOUND, "19491231"], "death_before_birth"),
        ],
    ),
    Kind.CUSTODY: (
        ["身份证号", "入监日期", "出监日期"],
        [SOUND, "20240501", ""],
        [
            ([SOUND, "20240501", "20240430"], "custody_inverted"),
            ([SOUND, "20240501", "不详"], "custody_end_unreadable"),
            ([SOUND, "", "20240430"], "custody_start_unreadable"),
        ],
    ),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_unfit_row_is_set_aside_with_file_row_and_column_and_the_rest_judged(tmp_path: Path, kind: Kind) -> None:
    header, good, unfit = UNFIT[kind]
    store = prepared(tmp_path, kind, header, [good, *(row for row, _ in unfit), good])
    assert store.counts[kind] == 2
    with (store.folder / "quarantine" / f"{kind}.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["file"] for line in lines} == {f"{kind}.csv"}
    told = sorted((int(line["row"]), line["reason"]) for line in lines)
    assert told == [(row, reason) for row, (_, reason) in enumerate(unfit, start=3)]


def test_custody_goes_on_where_a_word_says_so_in_place_of_an_end(tmp_path: Path) -> None:
    rows = [[SOUND, "2024-05-01", text] for text in ("", "至今", "在押", "-")]
    store = prepared(tmp_path, Kind.CUSTODY, ["身份证号", "入监日期", "出监日期"], rows)
    assert [row["custody_to"] for row in table(store, Kind.CUSTODY)] == [None] * 4


def test_custody_without_end_or_kind_is_imprisonment_still_going_on(tmp_path: Path) -> None:
    store = prepared(tmp_path, Kind.CUSTODY, ["身份证号", "入监日期", "出监日期"], [[SOUND, "2024-05-01", ""]])
    [row] = table(store, Kind.CUSTODY)
    assert (row["custody_from"], row["custody_to"], row["sentence_type"]) == (20240501, None, "imprisonment")


SENTENCES = {
    "有期徒刑": "imprisonment",
    "有期徒刑二年缓刑三年": "probation",
    "有期徒刑缓期执行": "probation",
    "死刑缓期二年执行": "imprisonment",
    "死缓": "imprisonment",
    "实刑": "imprisonment",
    "管制": "control",
    "假释": "parole",
    "暂予监外执行": "outside",
    "刑事拘留": "detention",
    "prison": "imprisonment",
    "": "imprisonment",
    "训诫": "训诫",
}


def test_kind_of_sentence_is_told_from_its_words(tmp_path: Path) -> None:
    rows = [[SOUND, "2024-05-01", text] for text in SENTENCES]
    store = prepared(tmp_path, Kind.CUSTODY, ["身份证号", "入监日期", "刑罚类型"], rows)
    read = (row["sentence_type"] for row in table(store, Kind.CUSTODY))
    assert dict(zip(SENTENCES, read, strict=True)) == SENTENCES


def test_same_account_has_the_same_key_however_it_is_spaced(tmp_path: Path) -> None:
    accounts = [
        "6222 0000 1111 2222",
        "6222000011112222",
        "６２２２０００011112222",
        "6222000011112223",
        "",
        "6.22E+18",
    ]
    rows = [[SOUND, "202405", "1", account] for account in accounts]
    store = prepared(tmp_path, Kind.PAYMENTS, ["身份证号", "发放年月", "发放金额", "银行账号"], rows)
    keys = [row["account"] for row in table(store, Kind.PAYMENTS)]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert keys[4:] == [None, None]
    assert all(0 <= key < 1 << 60 for key in keys if isinstance(key, int))


def test_names_and_codes_of_a_scheme_meet(tmp_path: Path) -> None:
    rows = [[SOUND, "202405", "1", text] for text in ("110", "企业职工基本养老保险", "某地方险种")]
    store = prepared(tmp_path, Kind.PAYMENTS, ["身份证号", "发放年月", "发放金额", "险种"], rows)
    assert [row["scheme"] for row in table(store, Kind.PAYMENTS)] == ["110", "110", "某地方险种"]
