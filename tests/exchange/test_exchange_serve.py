"""`huodang serve gateway` as a process: it checks, serves with mutual TLS, ends cleanly and leaves no orphan."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import urllib3
from exchange_province import POLICE, Province, fill_police

from huodang.cli import main

SERVE = [sys.executable, "-c", "from huodang.cli import main; main()", "serve", "gateway"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def config(province: Province) -> tuple[Path, int]:
    """A police gateway's file, with TLS, on a free port."""
    fill_police(province.folder("police") / "police.db")
    province.lay(province.agreement())
    port = free_port()
    tls = province.tls("police")
    settings: dict[str, Any] = POLICE | {
        "listen": {"host": "127.0.0.1", "port": port},
        "tls": {"certificate": str(tls.certificate), "key": str(tls.key), "authority": str(tls.authority)},
    }
    return province.write(settings), port


def wait_for(province: Province, port: int, process: subprocess.Popen[str]) -> dict[str, Any]:
    """Ask until the process answers; what it offers."""
    deadline = time.monotonic() + 20
    with urllib3.PoolManager(ssl_context=province.tls("hub").client_context(), retries=False) as pool:
        while True:
            assert process.poll() is None
            try:
                told: dict[str, Any] = pool.request("GET", f"https://127.0.0.1:{port}/v1/resources", timeout=2).json()
            except urllib3.exceptions.HTTPError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return told


def checked(path: Path, monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    """Run the command line as its script does; its exit code."""
    monkeypatch.setattr(sys, "argv", ["huodang", "serve", "gateway", "--check", "--config", str(path)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def test_the_check_names_what_is_wrong_and_exits_with_2(
    province: Province, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_police(province.folder("police") / "police.db")
    broken = {**POLICE, "resources": [{**POLICE["resources"][0], "table": "T_NOWHERE"}]}
    assert checked(province.write(broken), monkeypatch) == 2
    told = capsys.readouterr().err
    assert "T_NOWHERE" in told
    assert "gateway.yaml" in told
    assert "来源中没有" in told
    assert "the source has no" in told


def test_the_check_of_a_good_file_says_so_and_exits(
    config: tuple[Path, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(config[0], monkeypatch) in (0, None)
    assert "police.household" in capsys.readouterr().out


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_gateway_serves_and_ends_cleanly_on_a_signal(
    province: Province, config: tuple[Path, int], how: signal.Signals
) -> None:
    path, port = config
    with subprocess.Popen([*SERVE, "--config", str(path)], stderr=subprocess.PIPE, text=True) as process:
        assert wait_for(province, port, process)["resources"][0]["ready"] is True
        process.send_signal(how)
        _, errors = process.communicate(timeout=15)
    assert process.returncode == 0
    assert "Traceback" not in errors


_PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:])
print(child.pid, flush=True)
child.wait()
"""


def test_a_gateway_ends_when_the_process_that_started_it_was_killed(
    province: Province, config: tuple[Path, int]
) -> None:
    path, port = config
    command = [*SERVE, "--exit-with-parent", "--config", str(path)]
    with subprocess.Popen([sys.executable, "-c", _PARENT, *command], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_for(province, port, parent)
        parent.kill()
    deadline = time.monotonic() + 10
    while alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # A process that ended but wasn't waited for by its new parent is a zombie, not a gateway.
    return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
