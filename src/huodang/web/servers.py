"""`serve_hub` and `serve_portal`: a whole process each, from its settings to its clean end."""

import secrets
import sys
from pathlib import Path

import structlog

from huodang.exchange import Ferry
from huodang.store import SystemClock, Worker
from huodang.trust import Signer, TrustedKeys
from huodang.web.assembly import assemble
from huodang.web.citizen_messages import ANSWER, REQUEST, CitizenAnswer, CitizenRequest
from huodang.web.ferry_desk import FerryDesk
from huodang.web.hub import build_hub
from huodang.web.portal import build_portal
from huodang.web.portal_line import PortalLine
from huodang.web.processes import Loop, serve
from huodang.web.services import Services
from huodang.web.settings import HubSettings, PortalSettings

_FERRY_EVERY_SECONDS = 0.1


class _Workers:
    """The job workers as background work of a process."""

    def __init__(self, worker: Worker, threads: int) -> None:
        self._worker = worker
        self._threads = threads

    def __enter__(self) -> None:
        self._worker.start(self._threads)

    def __exit__(self, *_: object) -> None:
        self._worker.stop()


def hub_desk(services: Services) -> FerryDesk:
    """The hub's end of the ferry: reads the folder inward, writes the folder outward."""
    folders = services.settings.ferry
    ferry = Ferry(
        outgoing=folders.outward,
        incoming=folders.inward,
        refused=folders.refused,
        own=services.signer,
        peer=folders.portal,
        trusted=services.trusted,
        kinds={REQUEST: CitizenRequest.from_payload},
        clock=SystemClock(),
    )
    return FerryDesk(services, ferry, SystemClock())


def portal_line(settings: PortalSettings) -> PortalLine:
    """The portal's end of the ferry: writes the folder inward, reads the folder outward."""
    ferry = Ferry(
        outgoing=settings.ferry.inward,
        incoming=settings.ferry.outward,
        refused=settings.ferry.refused,
        own=Signer.load(settings.keys, settings.holder),
        peer=settings.ferry.hub,
        trusted=TrustedKeys.load(settings.trust),
        kinds={ANSWER: CitizenAnswer.from_payload},
        clock=SystemClock(),
    )
    return PortalLine(ferry)


def serve_hub(settings: HubSettings) -> None:
    """Run the hub: pages and API, job workers, the sealing of the ledger, the ferry's desk; until SIGTERM."""
    log_as_json()
    services = assemble(settings)
    try:
        serve(
            build_hub(services, csrf_secret=_lasting_secret(settings.secrets / "csrf.secret")),
            settings.listen,
            [
                Loop("ledger", services.ledger.seal_batch, settings.seal_every_milliseconds / 1000),
                Loop("ferry", hub_desk(services).work, _FERRY_EVERY_SECONDS),
                _Workers(services.worker, settings.worker_threads),
            ],
        )
    finally:
        services.close()


def serve_portal(settings: PortalSettings) -> None:
    """Run the portal: pages, and the thread that looks for answers; until SIGTERM."""
    log_as_json()
    line = portal_line(settings)
    serve(build_portal(settings, line), settings.listen, [Loop("portal-line", line.take_answers, _FERRY_EVERY_SECONDS)])


def log_as_json() -> None:
    """Log one JSON object a line on standard error: codes, incidents and kinds of errors, never what anybody typed."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def _lasting_secret(file: Path) -> str:
    """The secret that signs forms' tokens; kept, so that open pages outlive a restart."""
    try:
        return file.read_text("ascii")
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32), "ascii")
        return file.read_text("ascii")
