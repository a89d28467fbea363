"""What a department's data steward sees of events at the gateway; no personal data."""

from huodang.exchange.errors import GatewayConfigError
from huodang.exchange.events.event_log import EventLog, QuarantinedChange, StreamState
from huodang.exchange.gateway.config import GatewayFile
from huodang.standards import Place


class EventSteward:
    """Reads the gateway's event log; the gateway may run meanwhile.

    Raises:
        GatewayConfigError: the gateway publishes no events, or never did yet.
    """

    def __init__(self, file: GatewayFile) -> None:
        section = file.spec.events
        path = file.beside(section.database) if section is not None else None
        if section is None or path is None or not path.is_file():
            raise GatewayConfigError(
                "该前置机没有发布过事件",
                "this gateway has published no events",
                advice_chinese="请在配置中写 events 一节并运行前置机，写法见 docs/events.md。",
                advice_english="Write the section `events` and run the gateway; see docs/events.md.",
                place=Place(file=str(file.path), element="events"),
            )
        self._log = EventLog(path)

    def streams(self) -> list[StreamState]:
        """List the subscribers, how far their events have come and how far they have taken them."""
        return self._log.streams()

    def quarantined(self, *, open_only: bool = True, limit: int = 100) -> list[QuarantinedChange]:
        """List changed rows that couldn't be read: which element and column, no value."""
        return self._log.quarantined(open_only=open_only, limit=limit)

    def close(self) -> None:
        """Close the log."""
        self._log.close()
