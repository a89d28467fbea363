"""What is counted of events at the hub, for Prometheus."""

from typing import Final

from prometheus_client import Counter

RECEIVED: Final = Counter("huodang_events_received_total", "Events taken from a department", ["resource"])
ALARMS: Final = Counter("huodang_event_alarms_total", "Alarms on the way of events", ["code"])
HANDLED: Final = Counter("huodang_events_handled_total", "Events that a handler has taken", ["handler"])
FAILED: Final = Counter("huodang_event_failures_total", "Attempts of a handler that failed", ["handler"])
