"""Processes by fork from one that holds the modules already: under a thousand kills, imports would be most of the work.

What is started is the whole process as it always is, with its own settings, connections and memory; only the reading of
modules, which no kill can hurt, is done once. Linux only (`pidfd_open`).
"""

import json
import os
import random
import runpy
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Self

from huodang.simulation.processes import Child, Processes
from huodang.simulation.world import World

_READY = "ready"


class Forked:
    """A process that the forker started, with the part of `subprocess.Popen` that `Processes` needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._handle: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._handle = None  # it has ended already

    def poll(self) -> int | None:
        """Give 0 once it has ended, None until then: how it ended stands in its log."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended.

        Raises:
            TimeoutExpired: of `subprocess`, as `Popen` does.
        """
        if self._ended(timeout) is None:
            raise subprocess.TimeoutExpired("forked", timeout or 0.0)
        return 0

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if it has ended."""
        if self._handle is not None:
            signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it the hard way."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self._handle is None:
            return 0
        watched = select.poll()
        watched.register(self._handle, select.POLLIN)
        if not watched.poll(None if timeout is None else 1000 * timeout):
            return None
        os.close(self._handle)
        self._handle = None
        return 0


class Forker:
    """Starts Python modules as processes, by fork. Use as a context manager: what it started ends with it."""

    def __init__(self, preload: Sequence[str]) -> None:
        self._preload = preload
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        # Its standard input is its life line: when this process is gone, however it went, it reads the end of it.
        self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
            [sys.executable, "-m", __name__, *self._preload], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._ask("")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None  # noqa: S101  (it was opened as a pipe; for the type checker)
        assert self._process.stdout is not None  # noqa: S101  (as above)
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def start(self, module: str, arguments: Sequence[str], *, log: Path, folder: Path) -> Forked:
        """Run a module as `python -m MODULE ARGUMENTS` would, in a folder, with what it prints in a log."""
        order = {"module": module, "arguments": list(arguments), "log": str(log), "folder": str(folder)}
        return Forked(int(self._ask(json.dumps(order))))

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None  # noqa: S101  (as above)
        assert self._process.stdout is not None  # noqa: S101  (as above)
        with self._lock:
            if line:
                self._process.stdin.write(f"{line}\n")
                self._process.stdin.flush()
            answer = self._process.stdout.readline().strip()
        if not answer:
            message = "the forker has ended"
            raise RuntimeError(message)
        return answer


class ForkedProcesses(Processes):
    """The processes of a world, each forked."""

    def __init__(self, world: World, forker: Forker) -> None:
        super().__init__(world)
        self._forker = forker

    def _spawn(self, command: Sequence[str], log: Path) -> Child:
        # python -m huodang …: the interpreter is the forker's.
        _, _, module, *arguments = command
        return self._forker.start(module, arguments, log=log, folder=self._world.root)


def _become(order: dict[str, object], forker: int) -> None:
    """Turn this fresh fork into the process asked for; never returns."""
    code = 1
    try:
        os.setsid()
        log = os.open(str(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, target)
        os.chdir(str(order["folder"]))
        os.environ["HUODANG_PARENT"] = str(forker)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        random.seed()
        arguments = order["arguments"]
        assert isinstance(arguments, list)  # noqa: S101  (`start` wrote it)
        sys.argv = [str(order["module"]), *arguments]
        runpy.run_module(str(order["module"]), run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  (whatever it was, it belongs into this process's log and nowhere else)
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _serve() -> None:
    for name in sys.argv[1:]:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel takes the dead away
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches whoever started this, who ends it in order
    me = os.getpid()
    sys.stdout.write(f"{_READY}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order, me)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
