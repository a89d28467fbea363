"""Fixtures of the joint case's tests; the parts stand in `kit.py` and `stand_in.py`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kit import Kit

from huodang.store import Database, FixedClock


@pytest.fixture
def kit(new_sqlite: Callable[[str], str], tmp_path: Path, clock: FixedClock) -> Iterator[Kit]:
    """An office with all agreements in force."""
    database = Database.open(new_sqlite("hub.db"))
    made = Kit(database, tmp_path, clock)
    made.sign_agreements()
    yield made
    database.close()
