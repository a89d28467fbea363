"""`/metrics` and `/ready` of a hub: what an operator's monitoring asks, from the nodes' own network only."""

import ipaddress
import shutil
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from prometheus_client.metrics_core import GaugeMetricFamily

from huodang.exchange.measures import METRICS_MEDIA_TYPE, Readings, exposition, gauge
from huodang.standards import HuodangError
from huodang.store import jobs
from huodang.web.services import Services

_COUNTED_AT_MOST: Final = 10_000
_LEAST_FREE_BYTES: Final = 512 * 1024 * 1024


@get("/metrics", opt={"public": True}, include_in_schema=False, sync_to_thread=True)
def metrics(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Tell the figures of this node in Prometheus' text form."""
    _only_from_within(request, services)
    return Response(exposition(Readings(lambda: hub_readings(services))), media_type=METRICS_MEDIA_TYPE)


@get("/ready", opt={"public": True}, include_in_schema=False, sync_to_thread=True)
def ready(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[dict[str, Any]]:
    """Tell whether this node can work, and if not, why: 200 or 503."""
    _only_from_within(request, services)
    checks = {"database": _database_answers(services), "disk": _disk_has_room(services)}
    status = HTTP_200_OK if all(value == "ok" for value in checks.values()) else HTTP_503_SERVICE_UNAVAILABLE
    return Response({"ready": status == HTTP_200_OK, "checks": checks}, status_code=status)


def hub_readings(services: Services) -> Iterable[GaugeMetricFamily]:
    """Read the gauges of a hub from its database; codes and counts only."""
    now = services.clock.now()
    with services.database.read() as connection:
        counted = jobs.counts(connection)
        due = jobs.next_due(connection)
    yield gauge(
        "huodang_jobs",
        "作业数，按种类与状态 / jobs by kind and state",
        {(one.kind, one.state): one.number for one in counted},
        ("kind", "state"),
    )
    yield gauge(
        "huodang_job_overdue_seconds",
        "最早到期作业已等待的秒数 / how long the earliest due job has waited",
        {(): _since(due, now)},
    )
    checkpoint = services.ledger.latest_checkpoint()
    yield gauge("huodang_ledger_leaves", "账本叶数 / leaves of the ledger", {(): checkpoint.size if checkpoint else 0})
    yield gauge("huodang_ledger_pending", "待编入条目数 / entries not yet sealed", {(): services.ledger.pending()})
    yield gauge(
        "huodang_ledger_checkpoint_age_seconds",
        "最后检查点距今秒数 / age of the last checkpoint",
        {(): _since(checkpoint.at if checkpoint else None, now)},
    )

    yield from _event_readings(services)
    yield from _lot_readings(services)


def _event_readings(services: Services) -> Iterable[GaugeMetricFamily]:
    streams = services.events.streams()
    yield gauge(
        "huodang_event_lag",
        "尚未取来的事件数 / events not yet taken from a provider",
        {(one.resource,): max(0, one.latest - one.cursor) for one in streams},
        ("resource",),
    )
    yield gauge(
        "huodang_event_stream_alarm",
        "1 表示事件流有告警 / 1 if something stands in the way of a stream",
        {(one.resource,): 1 if one.alarm else 0 for one in streams},
        ("resource",),
    )
    held = services.events.held(limit=_COUNTED_AT_MOST)
    dead = services.events.dead_letters(limit=_COUNTED_AT_MOST)
    yield gauge("huodang_event_handling_waiting", "等待重试的事件数 / events that wait to be handled", {(): len(held)})
    yield gauge("huodang_event_dead_letters", "被放弃的事件数 / events that were given up", {(): len(dead)})


def _lot_readings(services: Services) -> Iterable[GaugeMetricFamily]:
    standing = services.lot_office.freshness()
    yield gauge(
        "huodang_lot_light",
        "数据副本的红黄灯 / the light of a copy against its update cycle",
        {(one.resource, one.light): 1 for one in standing},
        ("resource", "light"),
    )
    yield gauge(
        "huodang_lot_proven",
        "1 表示最近一批对账一致 / 1 if the last lot was reconciled on both sides",
        {(one.resource,): 1 if one.proven else 0 for one in standing},
        ("resource",),
    )


def _since(instant: datetime | None, now: datetime) -> float:
    return max(0.0, (now - instant).total_seconds()) if instant else 0.0


def _only_from_within(request: Request[Any, Any, Any], services: Services) -> None:
    """Answer as if there were nothing, unless the caller is this machine or of a network that the settings name.

    Raises:
        NotFoundException: the caller is somebody else.
    """
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        raise NotFoundException from None
    networks = [ipaddress.ip_network(one) for one in services.settings.monitoring_networks]
    if not address.is_loopback and not any(address in network for network in networks):
        raise NotFoundException


def _database_answers(services: Services) -> str:
    try:
        with services.database.read() as connection:
            connection.execute(sa.text("SELECT 1"))
    except HuodangError as error:
        return error.code
    except sa.exc.SQLAlchemyError:
        return "store.unreachable"
    return "ok"


def _disk_has_room(services: Services) -> str:
    try:
        free = shutil.disk_usage(services.settings.volumes).free
    except OSError:
        return "volumes_missing"
    return "ok" if free >= _LEAST_FREE_BYTES else "disk_full"
