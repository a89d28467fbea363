"""The gateway over HTTP: `POST /v1/answers`, `GET /v1/resources`, monitoring. Thin: `service.py` decides."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Litestar, Response, get, post
from litestar.exceptions import ClientException
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_400_BAD_REQUEST, HTTP_413_REQUEST_ENTITY_TOO_LARGE

from huodang.exchange.gateway.config import GatewayFile, process_environment, read_gateway_file
from huodang.exchange.gateway.monitoring import monitoring_routes
from huodang.exchange.gateway.parts import GatewayPart, HoldingPart, build_parts
from huodang.exchange.gateway.service import Gateway
from huodang.exchange.measures import request_metrics
from huodang.exchange.traces import trace_middleware
from huodang.store import Clock

MEDIA_TYPE: Final = "application/json"


class _Grants(msgspec.Struct, forbid_unknown_fields=True):
    grants: list[msgspec.Raw]


def build_gateway(
    config: GatewayFile | Path | str, *, environment: Mapping[str, str] | None = None, clock: Clock | None = None
) -> Litestar:
    """Build the gateway of a department from its file.

    Args:
        config: the file, or its path.
        environment: where `${NAME}` of the source's URL comes from; None for that of this process.
        clock: the time; None for the machine's, moved by `clock_offset_file` if the file names one.

    Raises:
        GatewayConfigError: something in the file is wrong; the place names resource and column.
        SourceError: the source can't be read at start-up.
        TrustError: key or list of trusted keys can't be used.
    """
    file = config if isinstance(config, GatewayFile) else read_gateway_file(Path(config))
    variables = process_environment() if environment is None else environment
    gateway = Gateway.open(file, environment=variables, clock=clock)
    try:
        parts = build_parts(gateway, variables)
    except BaseException:
        gateway.close()
        raise
    return gateway_application(gateway, parts)


def gateway_application(gateway: Gateway, parts: Sequence[GatewayPart] = ()) -> Litestar:
    """Put a gateway and the parts of its other delivery modes behind HTTP."""
    limits = gateway.file.spec.limits

    @post("/v1/answers", status_code=HTTP_200_OK, sync_to_thread=True, request_max_body_size=limits.body_bytes)
    def answers(body: RawBody) -> Response[bytes]:
        """Answer grants: `{"grants": [envelope, …]}` in, `{"answers": [envelope, …]}` out, in the same order."""
        try:
            grants = [bytes(one) for one in msgspec.json.decode(body, type=_Grants).grants]
        except (msgspec.MsgspecError, RecursionError):  # the latter: nested deeper than can be read
            raise ClientException(
                '请求体应为 {"grants": […]} / the body is {"grants": […]}', status_code=HTTP_400_BAD_REQUEST
            ) from None
        if len(grants) > limits.batch:
            raise ClientException(
                f"一次最多 {limits.batch} 份授权 / at most {limits.batch} grants at once",
                status_code=HTTP_413_REQUEST_ENTITY_TOO_LARGE,
            )
        signed = gateway.answer(grants)
        content = b'{"answers":[' + b",".join(one.to_json().encode() for one in signed) + b"]}"
        return Response(content, media_type=MEDIA_TYPE)

    @get("/v1/resources", sync_to_thread=True)
    def resources() -> dict[str, Any]:
        """Tell what this gateway offers, under which agreements, and how its source is."""
        told = gateway.conformance()
        return {**told, "resources": [*told["resources"], *(one for part in parts for one in part.offers())]}

    def start() -> None:
        for part in parts:
            part.start()

    def close() -> None:
        for part in reversed(parts):
            part.stop()
        gateway.close()

    def leave() -> None:
        for part in parts:
            if isinstance(part, HoldingPart):
                part.leave()

    application = Litestar(
        [answers, resources, *monitoring_routes(gateway), *(route for part in parts for route in part.routes())],
        middleware=[request_metrics("gateway"), *trace_middleware("gateway")],
        on_startup=[start],
        on_shutdown=[close],
        openapi_config=None,
        # What goes wrong here is told to the steward's log, not over the wire.
        debug=False,
    )
    # Called before the server waits for requests under way: one that is held for news would keep it waiting.
    application.state.leave = leave
    return application
