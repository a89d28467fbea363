import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "huodang", "demo"]


def processes_in(root: Path) -> list[int]:
    """Processes that still work in a demonstration's folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cwd").readlink().is_relative_to(root):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def run(*arguments: str, root: Path, timeout: float = 30) -> "subprocess.CompletedProcess[str]":
    command = [*COMMAND, "--root", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.mark.slow
def test_the_whole_demonstration_shows_what_it_promises(tmp_path: Path) -> None:
    """One run, as it takes half a minute; each figure has its own check below."""
    done = run("--people", "60", "--headless", "--json", root=tmp_path / "demo", timeout=240)
    assert done.returncode == 0, done.stderr
    assert processes_in(tmp_path) == []
    figures: dict[str, Any] = json.loads(done.stdout)  # nothing but JSON stands there
    everyone_due_goes_through_the_case_and_most_without_a_person_deciding(figures)
    the_issued_statements_come_out_as_they_were_issued(figures)
    papers_days_verdicts_payments_and_ledger_have_their_figures(figures)
    every_exception_has_its_reason_and_names_nobody(figures)


def everyone_due_goes_through_the_case_and_most_without_a_person_deciding(figures: dict[str, Any]) -> None:
    assert figures["cases"] >= 36
    # Who is prepared for and takes their time has a draft, and is no case of the journey.
    begun = {state: count for state, count in figures["states"].items() if state != "draft"}
    assert sum(begun.values()) == figures["cases"]
    assert figures["states"]["completed"] >= 0.9 * figures["cases"]
    # People of this province go straight through but for the awkward; the statements of others lack a parameter.
    assert figures["home_straight_through"] >= 0.7 * figures["home_cases"]
    assert figures["straight_through"] + len(figures["exceptions"]) == figures["cases"]
    assert figures["prepared"] >= 1
    assert set(figures["came_by"]) == {"window", "employer", "portal"}


def the_issued_statements_come_out_as_they_were_issued(figures: dict[str, Any]) -> None:
    assert len(figures["statements"]) == 36
    for statement in figures["statements"]:
        assert abs(statement["computed_basic"] - statement["issued_basic"]) <= 5, statement["case"]
        assert abs(statement["computed_account"] - statement["issued_account"]) <= 5, statement["case"]
        assert statement["within"] is True


def papers_days_verdicts_payments_and_ledger_have_their_figures(figures: dict[str, Any]) -> None:
    assert figures["papers_before"] == 33
    assert 0 < figures["papers_after_median"] <= 5
    assert 0 < figures["elapsed_working_days"]["median"] <= 10
    assert set(figures["verdicts"]) == {
        "police",
        "health",
        "justice",
        "housing_fund",
        "medical_insurance",
        "social_insurance",
    }
    assert figures["states"]["completed"] <= figures["payments"] <= figures["cases"]
    assert figures["payment_records"] > figures["payments"]  # who applies late gets the months before, too
    assert figures["payments_fen"] > 0
    assert figures["ledger_leaves"] > 9 * figures["cases"]
    assert sum(figures["pension_bands"].values()) >= figures["states"]["completed"]
    assert 0 < figures["seconds"] < 240


def every_exception_has_its_reason_and_names_nobody(figures: dict[str, Any]) -> None:
    assert figures["exceptions"]
    for exception in figures["exceptions"]:
        assert exception["reason"]
        assert exception["chinese"]
        assert exception["english"]
    text = json.dumps(figures, ensure_ascii=False)
    assert not any(len(word) == 18 and word[:17].isdigit() for word in text.replace('"', " ").split())


@pytest.mark.slow
def test_ctrl_c_ends_every_process(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    command = [*COMMAND, "--people", "20", "--port", "0", "--root", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + 120
        while len(processes_in(root)) < 8:
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    while processes_in(root):
        assert time.monotonic() < deadline + 60
        time.sleep(0.2)


@pytest.mark.slow
def test_a_demonstration_killed_outright_leaves_no_process_behind(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    command = [*COMMAND, "--people", "20", "--headless", "--root", str(root)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        deadline = time.monotonic() + 120
        while len(processes_in(root)) < 8:
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        running.kill()
        running.wait(10)
    while processes_in(root):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_taken_port_is_named_and_costs_no_earlier_run(tmp_path: Path) -> None:
    earlier = tmp_path / "demo" / "hub" / "hub.db"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("earlier")
    (tmp_path / "demo" / ".huodang-demo").touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = run("--people", "1", "--headless", "--port", str(port), root=tmp_path / "demo")
    assert refused.returncode == 2
    assert earlier.read_text() == "earlier"
    assert f"端口 {port} 已被占用" in refused.stderr
    assert f"Port {port} is in use" in refused.stderr


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    refused = run("--people", "1", "--headless", root=tmp_path)
    assert refused.returncode == 2
    assert "isn't a demonstration" in refused.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("day", ["2026-02-30", "yesterday", "1999-01-01"])
def test_an_impossible_business_date_is_refused(tmp_path: Path, day: str) -> None:
    refused = run("--date", day, "--headless", root=tmp_path / "demo")
    assert refused.returncode == 2
    assert "--date" in refused.stderr
    assert not (tmp_path / "demo").exists()


def test_help_shows_examples_in_both_languages() -> None:
    shown = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=30, check=True)
    assert "huodang demo --people 200 --headless --json" in shown.stdout
    assert "Ctrl-C" in shown.stdout
