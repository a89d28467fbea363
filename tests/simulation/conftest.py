from datetime import date

import pytest

from huodang.simulation.people import Population
from huodang.simulation.population import make_population

BUSINESS_DATE = date(2026, 11, 23)


@pytest.fixture(scope="session")
def province() -> Population:
    """The demonstration's own people, as everyone sees them by default."""
    return make_population(seed=20261123, count=2000, today=BUSINESS_DATE)


@pytest.fixture(scope="session")
def hamlet() -> Population:
    """Few people, for what doesn't need many."""
    return make_population(seed=7, count=100, today=BUSINESS_DATE)
