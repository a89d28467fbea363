"""A gateway packs the files that its department's own system lays down, each once."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from exchange_files import Desk, files_agreement, make_desk, terms_of, write_csv
from exchange_province import JUSTICE, Province, write_custody

from huodang.exchange import Gateway, GatewayConfigError
from huodang.exchange.files import gateway_part
from huodang.exchange.files.gateway_part import FilesPart
from huodang.ledger import Ledger
from huodang.store import Database


def section(**changes: Any) -> dict[str, Any]:
    watched = {"resource": "justice.custody_file", "folder": "inbox", "files": "*.csv", "settle_seconds": 1}
    return {"deliver": [{**watched, **changes}], "out": "outbox"}


@pytest.fixture
def home(province: Province) -> Path:
    home = province.folder("justice")
    write_custody(home / "files", [])
    for name in ("inbox", "outbox"):
        (home / name).mkdir()
    province.lay(files_agreement(province))
    return home


def part_of(province: Province, **changes: Any) -> FilesPart:
    gateway = province.gateway({**JUSTICE, "files": section(**changes)})
    assert isinstance(gateway, Gateway)
    return FilesPart(gateway, section(**changes))


def lay(home: Path, name: str, count: int) -> Path:
    path = write_csv(home / "inbox" / name, terms_of(count))
    settled = time.time() - 60
    os.utime(path, (settled, settled))
    return path


@pytest.fixture
def desk(province: Province, database: Database, ledger: Ledger, tmp_path: Path) -> Desk:
    return make_desk(province, database, ledger, tmp_path, settle=timedelta())


def test_file_laid_down_is_packed_carried_and_taken(province: Province, home: Path, desk: Desk) -> None:
    part = part_of(province)
    lay(home, "a.csv", 3)
    lay(home, "b.csv", 4)
    laid = part.work()
    assert len(laid) == 2
    assert part.work() == []
    assert sorted(path.name for path in (home / "inbox" / "已打包").iterdir()) == ["a.csv", "b.csv"]
    for delivery in laid:
        desk.lay(delivery)
    assert sorted(one.state for one in desk.work()) == ["taken", "taken"]
    assert desk.held() == 4
    assert part.offers()[0]["ready"] is True


def test_file_that_is_still_growing_or_no_table_isn_t_delivered(province: Province, home: Path) -> None:
    part = part_of(province)
    write_csv(home / "inbox" / "growing.csv", terms_of(3))
    broken = lay(home, "broken.csv", 0)
    broken.write_bytes(b"<html>")
    os.utime(broken, (0, 0))
    assert part.work() == []
    assert (home / "inbox" / "growing.csv").exists()
    assert "网页" in (home / "inbox" / "打包失败" / "broken.csv.原因.txt").read_text("utf-8-sig")


def test_packing_cut_short_is_finished_and_no_file_is_packed_twice(
    province: Province, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = part_of(province)
    lay(home, "a.csv", 3)

    def cut(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gateway_part, "_put_aside", cut)
    with pytest.raises(KeyboardInterrupt):
        part.work()
    monkeypatch.undo()
    assert len(part.work()) == 1
    assert part.work() == []
    assert len(list((home / "outbox").iterdir())) == 1


@pytest.mark.parametrize("changes", [{"resource": "police.deaths"}, {"folder": "nowhere"}, {"content": "some"}])
def test_section_that_can_t_be_is_refused_at_start(province: Province, home: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(GatewayConfigError, match=r"docs/gateway\.md"):
        part_of(province, **changes)
