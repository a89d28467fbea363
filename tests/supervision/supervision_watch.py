"""What the tests of the watch share: made-up people, a clock that stands, a sealer."""

from datetime import UTC, datetime
from pathlib import Path

from huodang.standards import IdentityNumber
from huodang.store import FixedClock
from huodang.trust import FieldSealer

CLOCK = FixedClock(datetime(2025, 3, 3, 1, 0, tzinfo=UTC))


def identity_of(serial: int) -> str:
    """A valid made-up identity number, another for each serial number."""
    seventeen = f"1301021940{serial // 1000 % 12 + 1:02d}01{serial % 1000:03d}"
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    check = "10X98765432"[sum(int(d) * w for d, w in zip(seventeen, weights, strict=True)) % 11]
    return IdentityNumber.parse(seventeen + check).text


def sealer_in(folder: Path) -> FieldSealer:
    """The sealer whose secret lies in a folder."""
    return FieldSealer.create(folder)
