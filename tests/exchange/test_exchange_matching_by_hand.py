"""Matching two files by hand: what both commands print, write and refuse."""

import csv
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
import urllib3
from exchange_province import Province, serving
from litestar import Litestar
from matching_sides import numbers, serving_set, texts
from typer.testing import CliRunner

from huodang.cli import app
from huodang.exchange.matching import (
    Address,
    HttpHolder,
    Lanes,
    ListenError,
    MatchFileError,
    MatchRefusedError,
    Normalisation,
    NormalisationError,
    NotPermittedToMatchError,
    PeerLostError,
    Rules,
    SetTooSmallError,
    find_tls,
    hand_holder,
    identity_values,
    match,
    open_table,
    read_secret,
    read_values,
)
from huodang.exchange.matching.messages import SUITE
from huodang.standards import HuodangError, TextError


@pytest.fixture(scope="module")
def workers() -> Iterator[Lanes]:
    lanes = Lanes(2)
    yield lanes
    lanes.close()


def write_csv(path: Path, heading: Sequence[str], rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([heading, *rows])
    return path


def query(*arguments: object) -> tuple[int, str, BaseException | None]:
    result = CliRunner().invoke(app, ["intersect", "query", *map(str, arguments)])
    return result.exit_code, result.stdout, result.exception


@pytest.fixture
def payments(tmp_path: Path) -> Path:
    """A payment list in GB 18030: one person twice, one number wrong, one spoilt by a spreadsheet, one missing."""
    people = [one.text for one in numbers(0, 30)]
    rows = [[f"张{n}", one.lower(), "=1+1" if n == 20 else "-5"] for n, one in enumerate(people)]
    rows += [
        ["张二十", people[20], "again"],
        ["错", people[0][:-2] + "00", ""],
        ["科学", "1.30102E+17", ""],
        ["空", "", ""],
    ]
    return write_csv(tmp_path / "待遇发放.csv", ["姓名", "证件号码", "备注"], rows, "gb18030")


def test_result_holds_own_rows_in_own_order_that_the_peer_has_too(payments: Path, tmp_path: Path) -> None:
    out = tmp_path / "重合.csv"
    with serving_set(identity_values(numbers(20, 30)[::-1])) as peer:
        code, told, problem = query(payments, "--column", "证件号码", "--peer", peer, "--out", out, "--json")
    assert (code, problem) == (0, None)
    facts = json.loads(told)
    assert (facts["overlap"], facts["queried"], facts["held"], facts["rows_written"]) == (10, 30, 30, 10)
    assert (facts["duplicates"], facts["empty"], facts["quarantined"]) == (1, 1, 2)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["姓名", "证件号码", "备注"]
    assert [row[1].upper() for row in rows[1:]] == [one.text for one in numbers(20, 10)]
    assert [row[2] for row in rows[1:3]] == ["'=1+1", "-5"]  # no formula crosses into a spreadsheet


def test_values_alone_are_written_if_asked_for(payments: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with serving_set(identity_values(numbers(25, 5))) as peer:
        code, told, _ = query(
            payments, "--column", "证件号码", "--peer", peer, "--out", out, "--values-only", "--out-encoding", "gb18030"
        )
    assert code == 0
    assert "交集 / overlap: 5" in told
    assert out.read_text(encoding="gb18030").split()[0] == "证件号码"
    assert len(out.read_text(encoding="gb18030").split()) == 6


def test_size_only_prints_and_writes_a_number_and_no_row(payments: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with serving_set(identity_values(numbers(20, 30)), Rules(only_size=True)) as peer:
        code, told, _ = query(payments, "--column", "证件号码", "--peer", peer, "--size-only", "--json", "--out", out)
        assert (code, json.loads(told)["overlap"]) == (0, 10)
        assert out.read_text().split() == ["overlap,queried,held", "10,30,30"]
        code, _, problem = query(payments, "--column", "证件号码", "--peer", peer, "--out", tmp_path / "no.csv")
        assert isinstance(problem, HuodangError)
    assert not (tmp_path / "no.csv").exists()


def test_same_file_on_both_sides_overlaps_wholly(payments: Path, tmp_path: Path) -> None:
    values = read_values(open_table(payments), "证件号码", None)
    with serving_set(values) as peer:
        code, told, _ = query(payments, "--column", "证件号码", "--peer", peer, "--out", tmp_path / "o.csv", "--json")
    assert (code, json.loads(told)["overlap"]) == (0, 30)


def test_sets_without_a_common_value_give_a_file_with_its_heading_alone(payments: Path, tmp_path: Path) -> None:
    with serving_set(identity_values(numbers(900, 5))) as peer:
        code, _, _ = query(payments, "--column", "证件号码", "--peer", peer, "--out", tmp_path / "o.csv")
    assert code == 0
    assert (tmp_path / "o.csv").read_text(encoding="utf-8").splitlines() == ["姓名,证件号码,备注"]


def test_csv_excel_and_parquet_hold_the_same_set(tmp_path: Path) -> None:
    people = [one.text for one in numbers(0, 40)]
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([None, None])
    sheet.append(["编号", "身份证号"])
    for n, one in enumerate(people):
        sheet.append([n, one])
    sheet.append([41, 130102196503010010])  # a number cell: rounded, never to be trusted
    book.save(tmp_path / "a.xlsx")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT unnest(?) AS 身份证号, 1 AS n", [people])
        connection.execute(f"COPY t TO '{tmp_path}/a.parquet' (FORMAT parquet)")
    write_csv(tmp_path / "a.csv", ["编号", "身份证号"], [[str(n), one] for n, one in enumerate(people)], "utf-8-sig")
    (tmp_path / "a.txt").write_text("编号\t身份证号\n" + "".join(f"{n}\t{one}\n" for n, one in enumerate(people)))
    files = ("a.csv", "a.txt", "a.xlsx", "a.parquet")
    sets = [read_values(open_table(tmp_path / name), "身份证号", None) for name in files]
    assert {one.digests for one in sets} == {identity_values(numbers(0, 40)).digests}
    assert [(one.row, one.fault) for one in sets[2].quarantine] == [(43, "spreadsheet")]


def test_column_is_compared_as_what_most_of_it_is(tmp_path: Path) -> None:
    people = [one.text for one in numbers(0, 3)]
    file = write_csv(tmp_path / "a.csv", ["号码", "姓名"], [[one, "王五"] for one in people] + [["130102", "赵六"]])
    table = open_table(file)
    assert read_values(table, "号码", None).normalisation is Normalisation.IDENTITY_NUMBER
    assert read_values(table, "姓名", None).normalisation is Normalisation.TEXT
    assert read_values(table, "号码", Normalisation.TEXT).size == 4


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.csv", b"", "空"),
        ("blank.csv", b"\n\n", "空"),
        ("heading.csv", "证件号码\n".encode(), "没有可比对的值"),
        ("other.csv", "姓名\n王五\n".encode(), "没有这一列"),
        ("twice.csv", "证件号码,证件号码\n1,2\n".encode(), "同名"),
        ("wrong.csv", "证件号码\n1.30102E+17\n1.30102E+17\n".encode(), "可比对"),
        ("broken.xlsx", b"PK\x03\x04nonsense", "损坏"),
        ("broken.parquet", b"PAR1nonsense", "无法读取"),
        ("quote.csv", "证件号码\n".encode() + b'"' + b"a" * (1 << 21), "无法读取"),
    ],
)
def test_file_that_cannot_be_matched_is_refused_by_name(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(HuodangError, match=told) as raised:
        read_values(open_table(tmp_path / name), "证件号码", Normalisation.IDENTITY_NUMBER)
    assert raised.value.place.file == name


def test_file_that_is_absent_a_folder_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(b"a\n\xff\xff\xff\n")
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(MatchFileError):
            open_table(path)
    with pytest.raises((MatchFileError, TextError)):
        read_values(open_table(tmp_path / "latin.csv"), "a", None)


def test_column_that_is_missing_is_told_with_the_names_there_are_but_no_value(tmp_path: Path) -> None:
    person = numbers(0, 1)[0].text
    headless = write_csv(tmp_path / "a.csv", [person, "王五"], [[person, "王五"]])
    with pytest.raises(MatchFileError) as raised:
        read_values(open_table(headless), "证件号码", None)
    assert person not in raised.value.sentence("zh")


def test_sides_that_compare_different_things_are_told_so(payments: Path, tmp_path: Path) -> None:
    with serving_set(identity_values(numbers(0, 5))) as peer:
        _, _, problem = query(payments, "--column", "姓名", "--peer", peer, "--out", tmp_path / "o.csv")
    assert isinstance(problem, NormalisationError)
    assert not (tmp_path / "o.csv").exists()


def test_set_below_the_holders_minimum_is_refused(workers: Lanes) -> None:
    with serving_set(texts("a", "b"), Rules(smallest=2)) as peer:
        with pytest.raises(SetTooSmallError):
            match(texts("a"), hand_holder(peer), workers)
        assert match(texts("a", "c"), hand_holder(peer), workers).overlap == 1


def test_secret_keeps_out_who_does_not_know_it(workers: Lanes, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"0123456789abcdef\n")
    secret = read_secret(tmp_path / "secret")
    with serving_set(texts("a"), Rules(secret=secret)) as peer:
        assert match(texts("a"), hand_holder(peer, secret=secret), workers).overlap == 1
        for other in (None, b"another secret 1"):
            with pytest.raises(NotPermittedToMatchError):
                match(texts("a"), hand_holder(peer, secret=other), workers)
    with serving_set(texts("a")) as peer, pytest.raises(NotPermittedToMatchError):
        match(texts("a"), hand_holder(peer, secret=secret), workers)
    (tmp_path / "short").write_bytes(b"abc")
    for file in ("short", "absent"):
        with pytest.raises(MatchFileError):
            read_secret(tmp_path / file)


def test_port_that_is_taken_and_address_that_is_none_are_refused(payments: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(
            app, ["intersect", "serve", str(payments), "--column", "证件号码", "--listen", f"127.0.0.1:{port}"]
        )
        assert isinstance(result.exception, ListenError)
    for text in ("", "host", "host:", "host:99999", "1.2.3.4:-1", "http://x:1"):
        with pytest.raises(ListenError):
            Address.parse(text)
    assert str(Address.parse("[::1]:7100")) == "[::1]:7100"
    assert Address.parse(":7100").is_loopback


def test_peer_that_is_away_silent_or_something_else_is_told_and_nothing_is_written(
    payments: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.csv"
    _, _, problem = query(payments, "--column", "证件号码", "--peer", "127.0.0.1:1", "--out", out)
    assert isinstance(problem, PeerLostError)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        peer = f"127.0.0.1:{silent.getsockname()[1]}"
        _, _, problem = query(payments, "--column", "证件号码", "--peer", peer, "--out", out, "--patience", 1)
        assert isinstance(problem, PeerLostError)
    assert list(tmp_path.glob("*o.csv*")) == []


def test_result_that_cannot_be_written_is_refused_before_anybody_is_asked(payments: Path, tmp_path: Path) -> None:
    for out in (tmp_path / "absent" / "o.csv", tmp_path, payments):
        code, _, problem = query(payments, "--column", "证件号码", "--peer", "127.0.0.1:1", "--out", out)
        assert code != 0
        assert isinstance(problem, MatchFileError)
    code, _, _ = query(payments, "--column", "证件号码", "--peer", "127.0.0.1:1")
    assert code == 2


def test_door_answers_strange_requests_with_problems(workers: Lanes) -> None:
    with serving_set(texts("a", "b")) as peer:
        pool = urllib3.HTTPConnectionPool(peer.host, peer.port)
        terms = {
            "version": 1,
            "suite": SUITE,
            "normalisation": "text",
            "size": 1,
            "size_only": False,
            "nonce": "0" * 32,
        }
        answer = pool.urlopen("POST", "/v1/matches", body=json.dumps(terms))
        name = json.loads(answer.data)["session"]
        for method, path, body, status in (
            ("PUT", f"/{name}/values/0", b"x" * 31, 400),
            ("PUT", f"/{name}/values/1", b"x" * 32, 400),
            ("PUT", f"/{name}/values/0", b"x" * (1 << 20) + b"yz", 413),
            ("GET", f"/{name}/answers/0", None, 400),
            ("POST", f"/{name}/close", None, 400),
            ("GET", "/unknown/tags/0", None, 404),
        ):
            assert pool.urlopen(method, f"/v1/matches{path}", body=body).status == status, path
        pool.close()
        assert match(texts("a"), hand_holder(peer), workers).overlap == 1


def test_peer_that_is_no_matching_service_is_told_so(workers: Lanes, province: Province) -> None:
    with serving(Litestar([])) as url, pytest.raises(MatchRefusedError):
        match(texts("a"), hand_holder(Address.parse(url.removeprefix("http://"))), workers)


def test_mutual_tls_lets_in_who_has_a_certificate_of_the_authority(province: Province, workers: Lanes) -> None:
    own = find_tls(province.root / "tls", "hub")
    with serving_set(texts("a", "b"), tls=find_tls(province.root / "tls", "police")) as peer:
        assert match(texts("b"), hand_holder(peer, tls=own), workers).overlap == 1
        with pytest.raises(PeerLostError):
            match(texts("b"), hand_holder(peer), workers)
    with pytest.raises(MatchFileError):
        find_tls(province.root / "tls", None)


Serve = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Run `huodang intersect serve` as a process."""
    started: list[subprocess.Popen[str]] = []

    def run(file: Path, *arguments: str) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "huodang",
            "intersect",
            "serve",
            str(file),
            "--listen",
            "127.0.0.1:0",
            "--json",
            *arguments,
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


def test_process_serves_until_stopped_and_tells_of_each_match(serve: Serve, payments: Path, workers: Lanes) -> None:
    process = serve(payments, "--column", "证件号码")
    peer = Address.parse(told(process)["listening"])
    assert match(identity_values(numbers(25, 10)), hand_holder(peer), workers).overlap == 5
    assert told(process) == {"queried": 10, "size_only": False, "completed": True}
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_process_that_serves_once_ends_after_one_match(serve: Serve, payments: Path, workers: Lanes) -> None:
    process = serve(payments, "--column", "证件号码", "--once", "--size-only")
    peer = Address.parse(told(process)["listening"])
    assert match(identity_values(numbers(0, 3)), hand_holder(peer), workers, size_only=True).overlap == 3
    assert process.wait(20) == 0


def test_holder_killed_half_way_leaves_no_half_answer(
    serve: Serve, payments: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.csv"
    out.write_text("before")
    process = serve(payments, "--column", "证件号码")
    peer = told(process)["listening"]
    fetch = HttpHolder.answers

    def killing(holder: HttpHolder, index: int) -> bytes:
        process.kill()
        process.wait()
        return fetch(holder, index)

    monkeypatch.setattr(HttpHolder, "answers", killing)
    code, _, problem = query(payments, "--column", "证件号码", "--peer", peer, "--out", out)
    assert code != 0
    assert isinstance(problem, PeerLostError)
    assert out.read_text() == "before"
    assert list(tmp_path.glob(".out*")) == []


def test_file_of_utf8_that_was_cut_is_not_taken_for_another_encoding(tmp_path: Path) -> None:
    whole = "身份证号,姓名\n130102195001011234,王".encode()
    (tmp_path / "cut.csv").write_bytes(whole[:-1])
    with pytest.raises((MatchFileError, TextError)) as refused:
        list(open_table(tmp_path / "cut.csv").cells("身份证号"))
    assert "UnicodeDecodeError" in refused.value.sentence("en")
