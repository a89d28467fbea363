"""Two real hubs, each with a gateway of its own: what one level knows is used on the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from exchange_cascade import HOUSEHOLD, Site, ask, connect, opened, question

from huodang.exchange import Outcome


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site]]:
    """A province and a city below it, four processes, with agreements to ask each other in both directions."""
    root: Path = tmp_path_factory.mktemp("cascade")
    province, city = Site.make("province", root / "province"), Site.make("city", root / "city")
    province.write_hub(lower=(city,))
    city.write_hub(upper=province)
    for site in (province, city):
        site.start("police")
        site.start("hub")
    try:
        for site, other in ((province, city), (city, province)):
            site.wait("police", other)
            site.wait("hub", other)
        with opened(province, city) as (above, below):
            for site, services in ((province, above), (city, below)):
                site.agree_inside(services)
            connect(province, above, city, below, HOUSEHOLD)
            connect(city, below, province, above, HOUSEHOLD)
        yield province, city
    finally:
        for site in (province, city):
            site.stop()


def test_a_city_is_answered_by_a_department_of_the_province(sites: tuple[Site, Site]) -> None:
    _, city = sites
    with opened(city) as (below,):
        (answer,) = ask(below, question(city, "province.police__household"))
        assert (answer.outcome, answer.reason, answer.answered) == (Outcome.CLEAR, "matches", True)
        assert answer.fields == {"name": "王建国", "sex": "1"}


def test_a_province_is_answered_by_a_department_of_the_city(sites: tuple[Site, Site]) -> None:
    province, _ = sites
    with opened(province) as (above,):
        (answer,) = ask(above, question(province, "city.police__household"))
        assert (answer.outcome, answer.reason) == (Outcome.CLEAR, "matches")
