"""Lag in money, out of the events themselves: by department and month, to the fen."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from supervision_watch import CLOCK, Hub, event_of, make_hub

from huodang.exchange import Change
from huodang.standards import Money, Month
from huodang.store import Database, FixedClock
from huodang.supervision.watch import LagLine, Payday, Span, lag, lag_report_html, lag_workbook

MARCH = Month(2025, 3)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def hub(database: Database, tmp_path: Path) -> Hub:
    """Three people die in January; the hospital tells of two on 3 March, the police of all three later."""
    clock = FixedClock(CLOCK.now())
    made = make_hub(database, tmp_path, clock)
    for month in range(1, 4):
        made.load({1: 300_000, 2: 200_000, 3: 100_000}, Month(2025, month))
    for number, serial in ((1, 1), (2, 2)):
        made.take(
            event_of(number, serial, noticed=at("2025-02-10T00:00"), received=at("2025-03-03T00:00"), kind="death")
        )
    clock.advance(timedelta(days=17))
    for number, serial in ((3, 1), (4, 3)):
        made.take(
            event_of(
                number, serial, department="police", noticed=at("2025-03-19T00:00"), received=at("2025-03-20T00:00")
            )
        )
    return made


def by_department(hub: Hub, payday: int = 15) -> dict[str, LagLine]:
    return {one.department: one for one in lag(hub.database, hub.payees, [MARCH], Payday(payday))}


def test_each_department_is_measured_by_its_own_dates(hub: Hub) -> None:
    lines = by_department(hub)
    health = lines["health"]
    assert (health.deaths, health.paid, health.unheld) == (2, 2, 0)
    assert (health.days[Span.RECORD].median, health.days[Span.PLATFORM].median) == (21, 21)
    assert health.days[Span.HOLD].longest == 0
    # Both are paid on 15 February, after the hospital's record of the 10th and before the platform knew; the list of
    # March still holds them, after the hold.
    assert health.fen == {Span.RECORD: 0, Span.PLATFORM: 500_000, Span.HOLD: 0, Span.AFTER: 500_000}


def test_a_death_that_two_departments_tell_counts_once_in_all(hub: Hub) -> None:
    lines = by_department(hub)
    assert (lines[""].deaths, lines["police"].deaths) == (3, 2)
    # The third was told by the police alone, after 15 February and 15 March.
    assert lines[""].fen[Span.RECORD] == 200_000
    assert lines[""].overpaid == 2 * (300_000 + 200_000 + 100_000)


def test_a_later_payday_falls_into_another_part_of_the_way(hub: Hub) -> None:
    assert by_department(hub, payday=5)["health"].fen[Span.RECORD] == 500_000


def test_what_a_department_took_back_is_no_death(hub: Hub) -> None:
    hub.take(event_of(9, 2, change=Change.WITHDRAWN, type_="cn.huodang.death.annulled"))
    assert by_department(hub)["health"].deaths == 1


def test_a_month_without_deaths_has_no_line(hub: Hub) -> None:
    assert lag(hub.database, hub.payees, [Month(2025, 1)]) == []


def test_report_and_workbook_tell_what_the_lines_tell(hub: Hub) -> None:
    lines = lag(hub.database, hub.payees, [MARCH])
    page = lag_report_html(lines, "2025-03")
    sheet = openpyxl.load_workbook(io.BytesIO(lag_workbook(lines))).active
    assert sheet is not None
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert len(rows) == len(lines)
    for line, row in zip(lines, rows, strict=True):
        assert Money(line.overpaid).text in page
        assert Money.yuan(f"{row[-1]:.2f}").fen == line.overpaid
    assert "http" not in page  # it opens without a network
