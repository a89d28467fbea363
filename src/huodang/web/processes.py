"""The processes hub and portal: HTTP in front, background loops behind, and a clean end on SIGTERM and Ctrl-C."""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from types import FrameType
from typing import ClassVar, Final

import structlog
import uvicorn
from litestar import Litestar

from huodang.standards import HuodangError
from huodang.web.settings import Listen

_log = structlog.get_logger("huodang.web.processes")

# How long requests under way may take when the process ends.
_GRACE_SECONDS: Final = 5
_BACKLOG: Final = 2048
_LOOK_SECONDS: Final = 1.0


class ListenError(HuodangError):
    """A process can't listen where it was told to."""

    code: ClassVar[str] = "web.listen"


class Loop:
    """Does one thing over and over in a thread of its own; an error is logged by its code and the loop goes on.

    Args:
        name: of the thread, and in the log.
        work: the thing to be done.
        every_seconds: the pause between two times.
    """

    def __init__(self, name: str, work: Callable[[], object], every_seconds: float) -> None:
        self._name = name
        self._work = work
        self._every = every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> "Loop":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(_GRACE_SECONDS)

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self._work()
            except HuodangError as error:
                _log.error("loop.failed", loop=self._name, code=error.code)
            except Exception as error:  # noqa: BLE001  # the database or a folder may be away for a while; the loop outlives that
                _log.error("loop.failed", loop=self._name, kind=type(error).__qualname__)


def serve(app: Litestar, listen: Listen, background: Sequence[AbstractContextManager[object]] = ()) -> None:
    """Serve an application until SIGTERM or Ctrl-C, with background work that starts before and ends after it."""
    config = uvicorn.Config(
        app,
        ssl_certfile=str(listen.certificate) if listen.certificate else None,
        ssl_keyfile=str(listen.key) if listen.key else None,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    with _listening(listen) as taken, _ending_in_order(server), contextlib.ExitStack() as stack:
        for part in background:
            stack.enter_context(part)
        server.run(sockets=[taken])


def work(background: Sequence[AbstractContextManager[object]]) -> None:
    """Do background work alone, with no HTTP in front, until SIGTERM or Ctrl-C."""
    ending = threading.Event()

    def heard(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    before = {number: signal.signal(number, heard) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with contextlib.ExitStack() as stack:
            for part in background:
                stack.enter_context(part)
            # A wait without end would not let a signal through on every system.
            while not ending.wait(_LOOK_SECONDS):
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listening(listen: Listen) -> socket.socket:
    """Take the port before anything else starts, so that a port in use is said at once.

    Raises:
        ListenError: the port is taken, or the address isn't this machine's.
    """
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        return socket.create_server((listen.host, listen.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ListenError(
            f"无法监听 {listen.host}:{listen.port}（{error.strerror}）",
            f"Can't listen on {listen.host}:{listen.port} ({error.strerror})",
            advice_chinese="请在设置文件的 listen 中换一个端口或地址",
            advice_english="Choose another port or address under `listen` in the settings file",
        ) from error


@contextlib.contextmanager
def _ending_in_order(server: uvicorn.Server) -> Iterator[None]:
    """Turn signals into an orderly end.

    While uvicorn serves it listens itself, and raises the signal anew when it is done: by default that would kill us
    before the background has stopped. Before it serves, a signal must not be lost either.
    """

    def heard(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, heard) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
