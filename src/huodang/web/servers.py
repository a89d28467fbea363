"""`serve_hub`, `serve_worker` and `serve_portal`: a whole process each, from its settings to its clean end."""

import contextlib
import secrets
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import structlog

from huodang.exchange import EventOffice, Ferry
from huodang.store import SystemClock, Worker
from huodang.trust import Signer, TrustedKeys
from huodang.web.assembly import assemble
from huodang.web.cascade_door import CascadeDoor
from huodang.web.citizen_messages import ANSWER, REQUEST, CitizenAnswer, CitizenRequest
from huodang.web.ferry_desk import FerryDesk
from huodang.web.hub import build_hub
from huodang.web.portal import build_portal
from huodang.web.portal_line import PortalLine
from huodang.web.processes import Loop, serve, work
from huodang.web.services import Services
from huodang.web.settings import HubSettings, PortalSettings

_FERRY_EVERY_SECONDS = 0.1
_SHARING_EVERY_SECONDS = 10.0
_FILES_EVERY_SECONDS = 2.0
_LOTS_EVERY_SECONDS = 15.0
_PURGE_EVERY_SECONDS = 600.0


class _Workers:
    """The job workers as background work of a process."""

    def __init__(self, worker: Worker, threads: int) -> None:
        self._worker = worker
        self._threads = threads

    def __enter__(self) -> None:
        self._worker.start(self._threads)

    def __exit__(self, *_: object) -> None:
        self._worker.stop()


class _Events:
    """Subscriptions to the departments' events, and the handing on, as background work of a process."""

    def __init__(self, events: EventOffice) -> None:
        self._events = events

    def __enter__(self) -> None:
        self._events.start()

    def __exit__(self, *_: object) -> None:
        self._events.stop()


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


def serve_hub(settings: HubSettings, *, workers: bool = True) -> None:
    """Run the hub until SIGTERM: pages and API, and unless told otherwise the background work, too.

    Args:
        settings: of this node; several nodes share database, keys, secrets and volumes.
        workers: whether jobs, ledger and ferry run in this process; else `serve_worker` does that beside it.
    """
    log_as_json()
    services = assemble(settings)
    try:
        application = build_hub(services, csrf_secret=lasting_secret(settings.secrets / "csrf.secret"))
        serve(application, settings.listen, _background(services) if workers else ())
    finally:
        services.close()


def serve_worker(settings: HubSettings) -> None:
    """Run the background work of a hub without HTTP until SIGTERM; any number of such processes may run at once.

    Jobs are leased, the ledger is sealed by one at a time, and what comes over the ferry counts once, so a process that
    dies is replaced by the others without anything lost or done twice.
    """
    log_as_json()
    services = assemble(settings)
    try:
        work(_background(services))
    finally:
        services.close()


def _background(services: Services) -> list[AbstractContextManager[object]]:
    settings = services.settings
    with services.database.begin() as connection:
        services.supervision.certifications.plan(connection)
    return [
        Loop("ledger", services.ledger.seal_batch, settings.seal_every_milliseconds / 1000),
        Loop("ferry", hub_desk(services).work, _FERRY_EVERY_SECONDS),
        Loop("sharing", services.sharing.keep, _SHARING_EVERY_SECONDS),
        _Workers(services.worker, settings.worker_threads),
        Loop("lots", services.lot_office.plan, _LOTS_EVERY_SECONDS),
        Loop("kept-answers", services.kept_answers.purge, _PURGE_EVERY_SECONDS),
        *([_Events(services.events)] if settings.events.subscribe else []),
        *_cascade(services),
        *([Loop("files", services.files.work, _FILES_EVERY_SECONDS)] if services.files else []),
    ]


def _cascade(services: Services) -> list[AbstractContextManager[object]]:
    """What a hub does that knows others: it answers them, takes their events, and looks at their entries and keys."""
    cascade, settings = services.cascade, services.settings.cascade
    if cascade is None or settings is None:
        return []
    return [
        CascadeDoor(cascade, events=services.settings.events.subscribe),
        Loop("cascade", cascade.keep, float(settings.refresh_seconds)),
    ]


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


def lasting_secret(file: Path) -> str:
    """Give the secret that signs forms' tokens; kept, so that open pages outlive a restart and move between nodes.

    Of several nodes that start at once on one folder the first writes it; the others read what it wrote.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    if not file.exists():
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32), "ascii")
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(draft)
        draft.unlink()
    return file.read_text("ascii")
