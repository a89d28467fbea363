"""Hub, portal and six gateways as real processes on loopback: started, watched, killed on purpose, and always ended."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Protocol, Self

import urllib3

from huodang.simulation.root import DemoError
from huodang.simulation.world import World
from huodang.standards import Place
from huodang.trust import TlsPair

_START_SECONDS = 60.0
_STOP_SECONDS = 8.0
_LOG_TAIL_LINES = 12


class ProcessFailedError(DemoError):
    """A process didn't start, or ended by itself."""

    code: ClassVar[str] = "demo.process"


@dataclass(frozen=True)
class Usage:
    """What a process has used: CPU time, and the most memory that it has held at once."""

    cpu_seconds: float
    peak_mebibytes: int


class Child(Protocol):
    """A process that was started, however that was done: the part of `subprocess.Popen` that is needed here."""

    pid: int

    def poll(self) -> int | None:
        """Give its exit code, None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""

    def send_signal(self, number: signal.Signals, /) -> None:
        """Send a signal."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it the hard way."""


@dataclass
class _Running:
    command: list[str]
    health: str
    log: Path
    process: Child | None = None


class Processes:
    """The processes of one world. Use as a context manager: whatever happens inside, they end."""

    def __init__(self, world: World) -> None:
        self._world = world
        # mTLS with the hub's own pair: a gateway says nothing, not even its health, to anyone else.
        context = TlsPair.of(world.tls, "hub").client_context()
        self._http = urllib3.PoolManager(ssl_context=context, retries=False, timeout=urllib3.Timeout(connect=1, read=5))
        self._members = {name: self._member(name) for name in world.process_names}

    def _member(self, name: str) -> _Running:
        world, role = self._world, self._world.role(name)
        # Whatever ends this process, the child ends with it.
        command = [sys.executable, "-m", "huodang", "serve", role, "--config", str(world.settings_file(name))]
        command.append("--exit-with-parent")
        if role == "hub":
            command += ["--port", str(world.ports[name]), *(["--no-workers"] if world.workers else [])]
        health = "" if role == "worker" else f"{world.address(name)}/health"
        return _Running(command, health, world.logs / f"{name}.log")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, names: Iterable[str] | None = None) -> None:
        """Start processes (all of them by default) without waiting for them."""
        for name in names or tuple(self._members):
            member = self._members[name]
            member.process = self._spawn(member.command, member.log)

    def _spawn(self, command: Sequence[str], log: Path) -> Child:
        with log.open("ab") as opened:
            return subprocess.Popen(  # noqa: S603  (our own interpreter and settings file)
                command,
                stdin=subprocess.DEVNULL,
                stdout=opened,
                stderr=subprocess.STDOUT,
                cwd=self._world.root,
                env={**os.environ, "HUODANG_PARENT": str(os.getpid())},
                start_new_session=True,  # Ctrl-C reaches us alone, and we end them in order
            )

    def wait_healthy(self, names: Iterable[str] | None = None, *, within: float = _START_SECONDS) -> None:
        """Wait until processes answer.

        Raises:
            ProcessFailedError: one ended or didn't answer in time; it carries the end of its log.
        """
        deadline = time.monotonic() + within
        for name in names or tuple(self._members):
            member = self._members[name]
            while not self._answers(member):
                if member.process is None or member.process.poll() is not None:
                    raise self._failed(name, "已退出", "ended")
                if time.monotonic() > deadline:
                    raise self._failed(name, "未在时限内就绪", "wasn't ready in time")
                time.sleep(0.1)

    def _answers(self, member: _Running) -> bool:
        if not member.health:  # a worker listens nowhere: it is as well as it lives
            return member.process is not None and member.process.poll() is None
        try:
            # Closed at once: a server that ends waits for whoever is still connected.
            return self._http.request("GET", member.health, headers={"connection": "close"}).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def check_alive(self) -> None:
        """Make sure that none has ended by itself.

        Raises:
            ProcessFailedError: one has.
        """
        for name, member in self._members.items():
            if member.process is not None and member.process.poll() is not None:
                raise self._failed(name, "意外退出", "ended unexpectedly")

    def _failed(self, name: str, chinese: str, english: str) -> ProcessFailedError:
        member = self._members[name]
        with contextlib.suppress(OSError):
            tail = member.log.read_text("utf-8", "replace").splitlines()[-_LOG_TAIL_LINES:]
            sys.stderr.write("\n".join([f"--- {member.log} ---", *tail, ""]))
        return ProcessFailedError(
            f"进程 {name} {chinese}",
            f"The process {name} {english}",
            advice_chinese="请查看日志末尾。",
            advice_english="See the end of its log.",
            place=Place(file=str(member.log)),
        )

    def pid(self, name: str) -> int:
        """Give the process number of a running process."""
        process = self._members[name].process
        if process is None:
            message = f"{name} isn't running"
            raise ValueError(message)
        return process.pid

    def usage(self, name: str) -> "Usage":
        """Tell what a running process has used until now (Linux only)."""
        folder = Path("/proc", str(self.pid(name)))
        # Behind the name in brackets, which may hold anything: fields 3 onwards, of which 14 and 15 are clock ticks.
        fields = folder.joinpath("stat").read_text("ascii", "replace").rpartition(")")[2].split()
        peak = re.search(r"VmHWM:\s+(\d+) kB", folder.joinpath("status").read_text("ascii", "replace"))
        ticks = int(fields[11]) + int(fields[12])
        return Usage(ticks / os.sysconf("SC_CLK_TCK"), int(peak[1]) // 1024 if peak else 0)

    def kill(self, name: str) -> None:
        """End a process the hard way, as a power cut would; it is gone when this returns."""
        process = self._members[name].process
        if process is not None:
            process.kill()
            process.wait()
            self._members[name].process = None

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP: the process is there, and doesn't answer."""
        process = self._members[name].process
        if process is not None:
            process.send_signal(number)

    def stop(self) -> None:
        """End all processes: politely first, then for certain."""
        running = [member for member in self._members.values() if member.process is not None]
        for member in running:
            assert member.process is not None  # noqa: S101  (filtered above; for the type checker)
            with contextlib.suppress(ProcessLookupError):
                member.process.send_signal(signal.SIGCONT)  # a stopped one couldn't hear the next line
                member.process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for member in running:
            assert member.process is not None  # noqa: S101  (as above)
            try:
                member.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                member.process.kill()
                member.process.wait()
            member.process = None
