import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from huodang.simulation import Line, Trouble


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that says back what it hears."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = listener.accept()
                threading.Thread(target=answer, args=(caller,), daemon=True).start()

    def answer(caller: socket.socket) -> None:
        with caller, contextlib.suppress(OSError):
            while data := caller.recv(1024):
                caller.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def line(echo_port: int) -> Iterator[Line]:
    with Line() as opened:
        opened.gateway_port = echo_port
        yield opened


def call(line: Line, *, patience: float = 2.0) -> bytes:
    with socket.create_connection(("127.0.0.1", line.port), timeout=patience) as caller:
        caller.sendall(b"hello")
        return caller.recv(1024)


def test_an_untroubled_line_passes_everything_on(line: Line) -> None:
    assert call(line) == b"hello"


def test_a_late_line_answers_after_its_delay(line: Line) -> None:
    line.trouble(Trouble.LATE, delay=0.3)
    started = time.monotonic()
    assert call(line) == b"hello"
    assert time.monotonic() - started >= 0.3


def test_a_silent_line_says_nothing(line: Line) -> None:
    line.trouble(Trouble.SILENT)
    with pytest.raises(TimeoutError):
        call(line, patience=0.3)


@pytest.mark.parametrize("kind", [Trouble.CUT, Trouble.DEAD])
def test_a_cut_or_dead_line_breaks_and_a_mended_one_works_again(line: Line, kind: Trouble) -> None:
    line.trouble(kind)
    with contextlib.suppress(ConnectionError):
        assert call(line) == b""
    line.trouble(Trouble.NONE)
    assert call(line) == b"hello"
