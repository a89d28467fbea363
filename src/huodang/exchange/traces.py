"""Traces (OpenTelemetry): a span for each request and each call to a gateway, carried from hub to gateway.

They are made only where `OTEL_EXPORTER_OTLP_ENDPOINT` is set, and need the extra `telemetry`. An attribute is a route
template, a status or the name of a process: nothing that could name a person becomes one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar, Final

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from huodang.standards import HuodangError

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_CARRIED: Final = "traceparent"


class TelemetryMissingError(HuodangError):
    """Traces are asked for, but what sends them isn't installed."""

    code: ClassVar[str] = "exchange.telemetry_missing"


def trace_middleware(process: str) -> list[ASGIMiddleware]:
    """Give what makes a span of every request; nothing where traces aren't asked for.

    Args:
        process: `hub` or `gateway`: the service's name in the traces.

    Raises:
        TelemetryMissingError: the extra isn't installed.
    """
    return [_RequestSpans()] if tracer(process) is not None else []


@contextmanager
def outgoing_span(name: str) -> Iterator[dict[str, str]]:
    """Make a span of a call to another process; gives the headers that carry it there.

    Args:
        name: method and path, without anything of a person.
    """
    started = tracer()
    if started is None:
        yield {}
        return
    from opentelemetry.propagate import inject  # noqa: PLC0415  (an extra)
    from opentelemetry.trace import SpanKind  # noqa: PLC0415

    with started.start_as_current_span(name, kind=SpanKind.CLIENT):
        headers: dict[str, str] = {}
        inject(headers)
        yield headers


@cache
def _provider(process: str) -> Any:  # noqa: ANN401  (a type of an extra)
    try:
        from opentelemetry import trace  # noqa: PLC0415  (an extra)
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise TelemetryMissingError(
            f"设置了 {ENDPOINT}，但未安装链路追踪组件",
            f"{ENDPOINT} is set, but what sends traces isn't installed",
            advice_chinese="请运行 pip install 'huodang[telemetry]'，或取消该环境变量。",
            advice_english="Run: pip install 'huodang[telemetry]', or unset the variable.",
        ) from None
    provider = TracerProvider(resource=Resource.create({"service.name": f"huodang-{process}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def tracer(process: str = "") -> Any:  # noqa: ANN401  (a type of an extra)
    """Give the process's tracer; None where traces aren't asked for.

    Args:
        process: names the process the first time; later calls need not.
    """
    if not os.environ.get(ENDPOINT):
        return None
    if process:
        _provider(process)
    from opentelemetry import trace  # noqa: PLC0415  (an extra)

    return trace.get_tracer("huodang")


class _RequestSpans(ASGIMiddleware):
    """Makes a span of a request, under the one that the caller's header carries."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let the request through within its span."""
        from opentelemetry.propagate import extract  # noqa: PLC0415  (an extra)
        from opentelemetry.trace import SpanKind  # noqa: PLC0415

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        carried = extract({_CARRIED: headers[_CARRIED]}) if _CARRIED in headers else None
        template = str(scope.get("path_template", ""))
        name = f"{scope.get('method', '')} {template}"
        with tracer().start_as_current_span(name, context=carried, kind=SpanKind.SERVER) as span:
            span.set_attribute("http.route", template)

            async def told(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await next_app(scope, receive, told)
