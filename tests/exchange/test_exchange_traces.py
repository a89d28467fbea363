"""Traces go from hub to gateway, name nobody, and are made only where they are asked for."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from huodang.exchange.traces import ENDPOINT, outgoing_span, trace_middleware

CALL = """
from litestar import Litestar, get
from litestar.testing import TestClient
from huodang.exchange.traces import outgoing_span, trace_middleware, tracer

@get("/people/{number:str}", sync_to_thread=True)
def person(number: str) -> str:
    return "ok"

with TestClient(Litestar([person], middleware=trace_middleware("gateway"))) as client:
    with outgoing_span("GET /people") as carried:
        client.get("/people/130102199001011234", headers=carried)
from opentelemetry import trace
trace.get_tracer_provider().shutdown()
"""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector that keeps what it is sent."""
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()


def test_a_request_is_a_span_under_the_call_that_made_it(collector: tuple[str, list[bytes]]) -> None:
    endpoint, received = collector
    subprocess.run([sys.executable, "-c", CALL], env={**os.environ, ENDPOINT: endpoint}, check=True, timeout=60)
    requests = [ExportTraceServiceRequest.FromString(one) for one in received]
    spans = {span.name: span for r in requests for rs in r.resource_spans for ss in rs.scope_spans for span in ss.spans}
    served, made = spans["GET /people/{number}"], spans["GET /people"]
    assert served.parent_span_id == made.span_id
    assert served.trace_id == made.trace_id
    assert "130102199001011234" not in json.dumps([str(one) for one in requests])


def test_without_an_endpoint_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    assert trace_middleware("hub") == []
    with outgoing_span("GET /x") as carried:
        assert carried == {}


def test_a_missing_extra_is_named_with_the_line_that_installs_it() -> None:
    blocked = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        + CALL.split("@get", maxsplit=1)[0]
        + 'trace_middleware("hub")'
    )
    ended = subprocess.run(
        [sys.executable, "-c", blocked],
        env={**os.environ, ENDPOINT: "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode != 0
    assert "pip install 'huodang[telemetry]'" in ended.stderr
