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
