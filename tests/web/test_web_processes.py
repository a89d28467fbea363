"""Hub and portal as processes of the command line: they start, answer, and end in order."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx
import pytest
import structlog
from litestar import Litestar

from huodang.simulation import World, lay_out, make_population
from huodang.web.processes import ListenError, Loop, serve
from huodang.web.settings import Listen

STARTS_WITHIN = 40.0
ENDS_WITHIN = 12.0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return lay_out(tmp_path_factory.mktemp("world"), make_population(seed=3, count=10, today=date(2025, 9, 15)))


@contextmanager
def running(world: World, name: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "huodang", "serve", name, "--config", str(world.settings_file(name)), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + STARTS_WITHIN
            while True:
                assert process.poll() is None, process.stderr.read() if process.stderr else b""
                try:
                    assert httpx.get(f"{world.address(name)}/health").json()["status"] == "ok"
                    break
                except httpx.TransportError:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("name", "number"), [("hub", signal.SIGTERM), ("portal", signal.SIGINT)])
def test_process_ends_in_order_on_a_signal(world: World, name: str, number: signal.Signals) -> None:
    with running(world, name) as process:
        process.send_signal(number)
        assert process.wait(ENDS_WITHIN) == 0


def test_hub_without_its_key_says_what_is_missing_and_exits_with_two(world: World, tmp_path: Path) -> None:
    text = world.settings_file("hub").read_text("utf-8").replace("keys: keys", "keys: elsewhere")
    file = world.settings_file("hub").with_name("broken.yaml")
    file.write_text(text, "utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "huodang", "serve", "hub", "--config", str(file)],
        capture_output=True,
        timeout=STARTS_WITHIN,
        check=False,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert ended.returncode == 2
    assert b"Traceback" not in ended.stderr
    assert "密钥" in ended.stderr.decode()


def test_loop_outlives_an_error_and_logs_no_message() -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        raise ValueError("张三 130101196503010011")

    with structlog.testing.capture_logs() as logged, Loop("test", work, 0.01):
        deadline = time.monotonic() + 5
        while len(calls) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert logged[0]["kind"] == "ValueError"
    assert "张三" not in str(logged)


def test_port_in_use_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = Listen(port=taken.getsockname()[1])
        with pytest.raises(ListenError) as refused:
            serve(Litestar([]), listen)
        assert str(listen.port) in refused.value.chinese
