"""The delivery modes beside single answers: each is a part of the gateway with its own routes and background work."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from litestar.types import ControllerRouterHandler

from huodang.exchange.calls.answering import BatchAnswering
from huodang.exchange.events.part import EventsPart
from huodang.exchange.files.gateway_part import FilesPart
from huodang.exchange.gateway.service import Gateway
from huodang.exchange.lots.gateway_part import TablesPart
from huodang.exchange.matching.part import MatchesPart
from huodang.exchange.sharing.gateway_part import AgreementPart


class GatewayPart(Protocol):
    """One delivery mode at one gateway."""

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Give the HTTP handlers, under `/v1/`."""

    def offers(self) -> Sequence[dict[str, Any]]:
        """Give what `/v1/resources` tells of this mode: resource, kind, agreements, ready."""

    def start(self) -> None:
        """Begin background work, if there is any."""

    def stop(self) -> None:
        """End background work and let go of what is held; safe to call twice."""


@runtime_checkable
class HoldingPart(Protocol):
    """A part that holds requests until there is something to say."""

    def leave(self) -> None:
        """Answer what is being held: the process is about to end."""


def build_parts(gateway: Gateway, environment: Mapping[str, str]) -> list[GatewayPart]:
    """Build the parts that a gateway's file asks for.

    Raises:
        GatewayConfigError: a section of the file is wrong.
    """
    _ = environment
    parts: list[GatewayPart] = [AgreementPart(gateway.shelf), BatchAnswering(gateway)]
    if gateway.file.spec.tables is not None:
        parts.append(TablesPart(gateway, gateway.file.spec.tables))
    if gateway.file.spec.files is not None:
        parts.append(FilesPart(gateway, gateway.file.spec.files))
    if gateway.file.spec.events is not None:
        parts.append(EventsPart(gateway, gateway.file.spec.events))
    if gateway.file.spec.matches is not None:
        parts.append(MatchesPart(gateway, gateway.file.spec.matches))
    return parts
