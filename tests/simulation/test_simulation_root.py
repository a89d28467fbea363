from datetime import date
from pathlib import Path

import pytest

from huodang.simulation.business_time import BusinessClock
from huodang.simulation.root import RootUnusableError, demonstration_root
from huodang.store import SHANGHAI, OffsetClock


def test_a_new_folder_is_made_and_an_old_demonstration_is_emptied(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    with demonstration_root(root):
        (root / "hub").mkdir()
        (root / "hub" / "hub.db").write_bytes(b"old")
    with demonstration_root(root) as again:
        assert [entry.name for entry in again.iterdir()] == [".huodang-demo"]


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(RootUnusableError), demonstration_root(tmp_path):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_file_in_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "demo"
    file.write_text("mine")
    with pytest.raises(RootUnusableError), demonstration_root(file):
        pass
    assert file.read_text() == "mine"


def test_a_second_demonstration_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with demonstration_root(tmp_path / "demo") as root:
        (root / "running").write_text("yes")
        with pytest.raises(RootUnusableError) as refused, demonstration_root(root):
            pass
        assert refused.value.code == "demo.root"
        assert (root / "running").exists()


def test_a_link_inside_is_removed_and_not_followed(tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "gold").write_text("mine")
    with demonstration_root(tmp_path / "demo") as root:
        (root / "link").symlink_to(treasure)
    with demonstration_root(tmp_path / "demo") as root:
        assert not (root / "link").exists()
    assert (treasure / "gold").read_text() == "mine"


def test_the_business_clock_moves_every_process_to_the_morning_of_the_next_working_day(tmp_path: Path) -> None:
    clock = BusinessClock(tmp_path / "clock.offset", date(2026, 9, 30))
    seen = OffsetClock(tmp_path / "clock.offset")
    opened = seen.now().astimezone(SHANGHAI)
    assert (opened.date(), opened.hour) == (date(2026, 9, 30), 9)
    # The National Day holiday of 2026 runs from 1 to 7 October.
    assert clock.next_working_day() == date(2026, 10, 8)
    assert seen.today() == date(2026, 10, 8)
