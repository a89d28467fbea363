"""The watch (监测): who is paid, arriving events, what they missed, and what the lag costs."""

from huodang.supervision.watch.errors import (
    CaptureError,
    LateListError,
    ListBusyError,
    ListError,
    NotPermittedToLookError,
    RunError,
    WatchError,
)
from huodang.supervision.watch.payee_lines import PayLine
from huodang.supervision.watch.payee_loading import Loaded
from huodang.supervision.watch.payees import PaidSpan, Payee, Payees

__all__ = [
    "CaptureError",
    "LateListError",
    "ListBusyError",
    "ListError",
    "Loaded",
    "NotPermittedToLookError",
    "PaidSpan",
    "PayLine",
    "Payee",
    "Payees",
    "RunError",
    "WatchError",
]
