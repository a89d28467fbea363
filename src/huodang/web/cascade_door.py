"""The hub's door to its neighbours as background work: a server of its own, which only neighbours can connect to."""

import asyncio
import socket
import threading
from typing import Final

import structlog
import uvicorn

from huodang.exchange.cascade import Cascade, cascade_application, server_context

_log = structlog.get_logger("huodang.web.cascade")

_GRACE_SECONDS: Final = 5
_BACKLOG: Final = 256


class CascadeDoor:
    """Answers neighbours, and takes what they have for this hub.

    Of several processes on one machine the first has the port; the others leave it to that one.

    Args:
        cascade: what answers.
        events: whether this process also takes the neighbours' events.
    """

    def __init__(self, cascade: Cascade, *, events: bool) -> None:
        self._cascade = cascade
        self._events = events
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> None:
        """Listen, and begin to subscribe."""
        settings = self._cascade.settings
        try:
            taken = socket.create_server((settings.host, settings.port), backlog=_BACKLOG)
        except OSError as error:
            _log.error("cascade.cannot_listen", port=settings.port, kind=error.strerror)
        else:
            self._server = self._make()
            self._thread = threading.Thread(target=self._run, args=(taken,), name="cascade", daemon=True)
            self._thread.start()
        if self._events:
            self._cascade.start()

    def __exit__(self, *_: object) -> None:
        """End both; requests under way are finished first."""
        if self._events:
            self._cascade.stop()
        if self._server is not None and self._thread is not None:
            self._cascade.events.leave()
            self._server.should_exit = True
            self._thread.join(_GRACE_SECONDS)

    def _make(self) -> uvicorn.Server:
        context = server_context(self._cascade.tls, self._cascade.settings.neighbours)
        config = uvicorn.Config(
            cascade_application(self._cascade),
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        config.load()
        config.ssl = context
        return uvicorn.Server(config)

    def _run(self, taken: socket.socket) -> None:
        server = self._server
        assert server is not None  # noqa: S101  (made before this thread began)
        asyncio.run(server.serve(sockets=[taken]))
