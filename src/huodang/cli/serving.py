"""Running one Litestar application as a process: mutual TLS, a clean end on a signal, no orphan of a dead parent."""

import asyncio
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from litestar import Litestar

_LOOK_FOR_PARENT_SECONDS = 0.5
_GRACE_SECONDS = 10.0
_FLUSH_SECONDS = 0.2


@dataclass(frozen=True)
class ServingTls:
    """Certificate and key of a process; with an authority, only callers with its certificate are let in."""

    certificate: Path
    key: Path
    authority: Path | None = None


def run_application(
    application: Litestar, *, host: str, port: int, tls: ServingTls | None = None, exit_with_parent: bool = False
) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first, ten seconds at most.

    Args:
        application: what to serve.
        host: address to listen on.
        port: port to listen on.
        tls: certificate and key; None for plain HTTP.
        exit_with_parent: end as soon as the process that started this one is gone, however it went.
    """
    if exit_with_parent:
        follow_parent()
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        loop="auto",
        http="httptools",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        ssl_certfile=str(tls.certificate) if tls else None,
        ssl_keyfile=str(tls.key) if tls else None,
        ssl_ca_certs=str(tls.authority) if tls and tls.authority else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if tls and tls.authority else ssl.CERT_NONE,
    )
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    for how in (signal.SIGTERM, signal.SIGINT):
        # uvicorn listens itself while it runs, and raises the signal anew at its end: that is to be an end in order.
        signal.signal(how, lambda *_: None)
    _PromptServer(config, application.state.get("leave")).run()


class _PromptServer(uvicorn.Server):
    """Finishes what is under way, then closes, also towards callers who keep their connection open.

    Args:
        config: how to serve.
        leave: answers requests that are being held, so that they don't keep the end waiting.
    """

    def __init__(self, config: uvicorn.Config, leave: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._leave = leave

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more, let requests under way finish, then close every connection."""
        for server in self.servers:
            server.close()
        if self._leave is not None:
            self._leave()
        deadline = time.monotonic() + _GRACE_SECONDS
        while self.server_state.tasks and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(_FLUSH_SECONDS)
        # Over TLS an idle caller never answers the farewell; waiting for it would take half a minute.
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await super().shutdown(sockets)


def follow_parent() -> None:
    """End this process as soon as the one that started it is gone; works on every Unix, also when it was killed.

    Who started it may say its number in `HUODANG_PARENT`: then it counts, too, that it was gone before this process had
    come so far as to look.
    """
    named = os.environ.get("HUODANG_PARENT", "")
    parent = int(named) if named.isdigit() else os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_FOR_PARENT_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
