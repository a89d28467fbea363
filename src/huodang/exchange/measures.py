"""What hub and gateway count for Prometheus: requests by route template, answers by resource; never anything personal.

A label is a code, a route template or the name of a process: what names a person can't become one. Counters live in the
process; what stands in a database is read by a collector when somebody asks.
"""

from collections.abc import Callable, Iterable
from typing import Final

from litestar.middleware.base import DefineMiddleware
from litestar.plugins.prometheus import PrometheusConfig
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

METRICS_MEDIA_TYPE: Final = CONTENT_TYPE_LATEST

ANSWERS: Final = Counter(
    "huodang_answers", "答复数，按资源与结论 / answers to questions, by resource and outcome", ["resource", "outcome"]
)


def request_metrics(process: str) -> DefineMiddleware:
    """Count and time the requests of a process, by method, route template and status.

    Args:
        process: `hub` or `gateway`.
    """
    return PrometheusConfig(
        app_name=process,
        prefix="huodang",
        group_path=True,
        buckets=[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    ).middleware


class Readings(Collector):
    """Reads gauges at the moment they are asked for; what can't be read is left out and counted.

    Args:
        read: gives the gauges; whatever it raises is one reading that failed, and the rest of the page is still told.
    """

    def __init__(self, read: Callable[[], Iterable[GaugeMetricFamily]]) -> None:
        self._read = read

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Give the gauges, and whether reading them failed."""
        failed = 0
        try:
            yield from self._read()
        except Exception:  # noqa: BLE001  (a database that is away must not hide what the process itself can tell)
            failed = 1
        yield gauge("huodang_readings_failed", "1 表示读取失败 / 1 if gauges couldn't be read", {(): failed})


def gauge(
    name: str, meaning: str, values: dict[tuple[str, ...], float], labels: tuple[str, ...] = ()
) -> GaugeMetricFamily:
    """Make a gauge with its values by label values."""
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family


def exposition(readings: Readings | None = None) -> bytes:
    """Give all counters of the process, and the readings, in Prometheus' text form."""
    text = generate_latest(REGISTRY)
    if readings is not None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(readings)
        text += generate_latest(registry)
    return text
