"""Events as a part of the gateway: `POST /v1/events`, and a watch for each resource that the file publishes."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec
import structlog
from litestar import Response, post
from litestar.exceptions import ClientException
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_400_BAD_REQUEST
from litestar.types import ControllerRouterHandler

from huodang.exchange.events.config import EventsSection
from huodang.exchange.events.delivery import EventDesk
from huodang.exchange.events.event_log import EventLog
from huodang.exchange.events.publishing import Keys, Publisher, agreements_by_consumer
from huodang.exchange.events.readers import DeliveryReader, TableReader
from huodang.exchange.events.signals import NotifySignal, PollSignal, Signal, SqliteSignal
from huodang.exchange.events.watched import Problems, RowReader, Watched, compile_watched
from huodang.exchange.events.watcher import Watcher
from huodang.exchange.gateway.config import config_error
from huodang.exchange.gateway.database_source import DatabaseSource
from huodang.exchange.gateway.file_source import FileSource
from huodang.exchange.gateway.service import Gateway
from huodang.exchange.values import Kind
from huodang.standards import HuodangError, Place

_log = structlog.get_logger("huodang.exchange.events")

_MOST_GRANTS: Final = 64
_PRUNE_EVERY_SECONDS: Final = 3600.0
_END_SECONDS: Final = 5.0


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    grants: list[msgspec.Raw]
    wait: float = 0.0


class EventsPart:
    """The events of one gateway.

    Args:
        gateway: whose source, keys and agreements count.
        section: of the gateway's file.

    Raises:
        GatewayConfigError: an entry doesn't fit the source.
        SourceError: the source can't be read at start-up.
    """

    def __init__(self, gateway: Gateway, section: EventsSection) -> None:
        self._gateway = gateway
        self._section = section
        self._watched = [compile_watched(one, gateway.file, gateway.source) for one in section.publish]
        names = [one.resource for one in self._watched]
        if len(set(names)) != len(names) or set(names) & set(gateway.resources):
            raise config_error(
                "资源重名", "two resources have one name", Place(file=str(gateway.file.path), element="events")
            )
        self.log = EventLog(gateway.file.beside(section.database))
        self.desk = EventDesk(
            gateway, self.log, names, page_bytes=section.page_bytes, longest_wait=section.longest_wait_seconds
        )
        self.problems = Problems()
        self._stopping = threading.Event()
        self._stopped = False
        keys = Keys(gateway.signer, gateway.trusted, gateway.secret)
        self.watchers = [self._watcher(one, keys) for one in self._watched]
        self._pruning = threading.Thread(target=self._prune, name="events-prune", daemon=True)

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Give the one route."""
        desk = self.desk

        @post(
            "/v1/events",
            status_code=HTTP_200_OK,
            sync_to_thread=True,
            request_max_body_size=self._gateway.file.spec.limits.body_bytes,
        )
        def events(body: RawBody) -> Response[bytes]:
            """Hand events over: `{"grants": [envelope, …], "wait": seconds}` in, one page for each grant out."""
            try:
                asked = msgspec.json.decode(body, type=_Asked)
            except (msgspec.MsgspecError, RecursionError):
                raise ClientException(
                    '请求体应为 {"grants": […], "wait": 秒} / the body is {"grants": […], "wait": seconds}',
                    status_code=HTTP_400_BAD_REQUEST,
                ) from None
            if not 0 < len(asked.grants) <= _MOST_GRANTS:
                raise ClientException(
                    f"一次 1 至 {_MOST_GRANTS} 份授权 / 1 to {_MOST_GRANTS} grants at once",
                    status_code=HTTP_400_BAD_REQUEST,
                )
            pages = desk.answer([bytes(one) for one in asked.grants], asked.wait)
            return Response(msgspec.json.encode({"pages": pages}), media_type="application/json")

        return [events]

    def offers(self) -> Sequence[dict[str, Any]]:
        """Tell what is published, how many rows wait for the steward, and what stands in the way."""
        now = self._gateway.clock.now()
        contents = self._gateway.shelf.contents()
        waiting: dict[str, int] = {}
        for change in self.log.quarantined(limit=10_000):
            waiting[change.resource] = waiting.get(change.resource, 0) + 1
        offered = []
        for watcher in self.watchers:
            name = watcher.watched.resource
            agreements = sorted(one.agreement_id for one in agreements_by_consumer(contents, name, now).values())
            problem = self.problems.of(name)
            offered.append(
                {
                    "resource": name,
                    "kind": Kind.EVENT.value,
                    "agreements": agreements,
                    "ready": watcher.begun and bool(agreements) and problem in ("", "broken_lines"),
                    "problem": problem,
                    "quarantined": waiting.get(name, 0),
                }
            )
        return offered

    def start(self) -> None:
        """Begin to watch."""
        for watcher in self.watchers:
            watcher.start()
        self._pruning.start()

    def leave(self) -> None:
        """Answer the requests that are being held: the process is about to end."""
        self.desk.leave()

    def stop(self) -> None:
        """End the watches and close the log."""
        if self._stopped:
            return
        self._stopped = True
        self.leave()
        self._stopping.set()
        for watcher in self.watchers:
            watcher.join(_END_SECONDS)
        if self._pruning.ident is not None:
            self._pruning.join(_END_SECONDS)
        self.log.close()

    def _watcher(self, watched: Watched, keys: Keys) -> Watcher:
        gateway, log = self._gateway, self.log
        source: TableReader | DeliveryReader
        signal: Signal = PollSignal(self._stopping)
        if isinstance(gateway.source, FileSource):
            source = DeliveryReader(watched, gateway.source)
        else:
            source = TableReader(watched, gateway.source)
            signal = self._signal(watched, gateway.source)
        return Watcher(
            watched,
            RowReader(watched, gateway.secret),
            source,
            Publisher(watched, log, keys, gateway.shelf.contents),
            signal=signal,
            clock=gateway.clock,
            problems=self.problems,
            position=log.position(watched.resource),
            count_known=lambda: log.count_known(watched.resource),
            missing=lambda present, limit: log.missing(watched.resource, present, limit),
            on_events=self.desk.tell,
            stopping=self._stopping,
        )

    def _signal(self, watched: Watched, source: DatabaseSource) -> Signal:
        if source.kind == "sqlite":
            return SqliteSignal(source.url, self._stopping)
        if watched.spec.notify is not None:
            return NotifySignal(source.url, watched.spec.notify, self._stopping)
        return PollSignal(self._stopping)

    def _prune(self) -> None:
        while True:
            try:
                self.log.prune(self._gateway.clock.now() - timedelta(days=self._section.keep_days))
            except HuodangError as error:
                _log.error("events.prune_failed", code=error.code)
            if self._stopping.wait(_PRUNE_EVERY_SECONDS):
                return
