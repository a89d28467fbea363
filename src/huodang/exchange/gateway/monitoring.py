"""`/health`, `/ready` and `/metrics` of a gateway: for the department's own monitoring, and nothing personal in them.

They stand behind the gateway's mutual TLS like all else: a monitoring system needs a certificate of the authority.
"""

from collections.abc import Iterable
from typing import Any

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from prometheus_client.metrics_core import GaugeMetricFamily

from huodang.exchange.gateway.service import Gateway
from huodang.exchange.measures import METRICS_MEDIA_TYPE, Readings, exposition, gauge


def monitoring_routes(gateway: Gateway) -> list[HTTPRouteHandler]:
    """Give the handlers that tell how a gateway fares."""

    @get("/health", sync_to_thread=False, media_type=MediaType.TEXT)
    def health() -> str:
        """Say that the process lives."""
        return "ok"

    @get("/ready", sync_to_thread=True)
    def ready() -> Response[dict[str, Any]]:
        """Say whether questions can be answered, and if not, why: 200 or 503."""
        told = gateway.conformance()
        checks = {
            "source": "ok" if told["source_reachable"] else "source_unreachable",
            "agreements": "ok" if any(one["agreements"] for one in told["resources"]) else "none_in_force",
        }
        able = all(value == "ok" for value in checks.values())
        status = HTTP_200_OK if able else HTTP_503_SERVICE_UNAVAILABLE
        return Response({"ready": able, "checks": checks}, status_code=status)

    @get("/metrics", sync_to_thread=True)
    def metrics() -> Response[bytes]:
        """Tell the figures of this gateway in Prometheus' text form."""
        return Response(exposition(Readings(lambda: gateway_readings(gateway))), media_type=METRICS_MEDIA_TYPE)

    return [health, ready, metrics]


def gateway_readings(gateway: Gateway) -> Iterable[GaugeMetricFamily]:
    """Read the gauges of a gateway: its source, its agreements, what it set aside."""
    told = gateway.conformance()
    yield gauge(
        "huodang_source_reachable",
        "1 表示数据源可读 / 1 if the source can be read",
        {(): int(told["source_reachable"])},
    )
    yield gauge(
        "huodang_agreements_in_force",
        "生效协议数 / agreements in force",
        {(one["resource"],): len(one["agreements"]) for one in told["resources"]},
        ("resource",),
    )
    yield gauge(
        "huodang_agreement_problems",
        "不能采用的协议文件数 / agreement files that don't count",
        {(): len(told["agreement_problems"])},
    )
    yield gauge(
        "huodang_source_quarantined",
        "被隔离的数据行数 / rows set aside when the source was read",
        {(): len(told["quarantine"])},
    )
