"""The hub's own count of what it asked under agreements with a limit, so that it stops before a gateway must refuse.

The count of this process only; the gateway's, which is durable, decides.
"""

import threading
from collections import defaultdict
from datetime import datetime, timedelta

from huodang.exchange.answers import Failure, FailureCode
from huodang.exchange.calls.limits import Spending
from huodang.exchange.values import Agreement, to_the_second
from huodang.store import utc_text


class Budgets:
    """Counts by agreement. Safe to share between threads."""

    def __init__(self) -> None:
        self._spent: defaultdict[str, Spending] = defaultdict(Spending)
        self._lock = threading.Lock()

    def spend(self, agreement: Agreement, subjects: int, now: datetime) -> Failure | None:
        """Count so many subjects as asked about; or say when to try again, and count nothing."""
        limit = agreement.calls_per_minute
        if limit is None:
            return None
        second = int(now.timestamp())
        with self._lock:
            spent = self._spent[agreement.agreement_id]
            wait = spent.wait(second, subjects, limit)
            if wait == 0:
                self._spent[agreement.agreement_id] = spent.spend(second, subjects)
                return None
        if wait is None:
            return Failure.of(FailureCode.TOO_MANY, str(limit))
        return Failure.of(FailureCode.RATE_LIMITED, utc_text(to_the_second(now) + timedelta(seconds=wait + 1)))
