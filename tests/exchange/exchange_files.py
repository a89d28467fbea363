"""Parts of the tests of files: a list of custody terms, a desk that takes it, and hands that deliver it."""

import csv
import io
import os
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from exchange_lots import make_lots, number
from exchange_province import Province

from huodang.exchange import Agreement, Agreements, Kind, Lots
from huodang.exchange.files import DropDesk, DropOutcome, DropSettings, Packed, PackOrder, pack
from huodang.ledger import Ledger
from huodang.store import Database

RESOURCE = "justice.custody_file"
AGREEMENT = "XY-custody"
HEADING = ["证件号码", "姓名", "起始日期"]
AS_OF = datetime(2025, 3, 2, 16, 0, tzinfo=UTC)
MAPPING: dict[str, Any] = {
    "resource": RESOURCE,
    "key": ["identity_number"],
    "elements": {
        "identity_number": "证件号码",
        "name": "姓名",
        "custody_from": {"column": "起始日期", "format": "yyyymmdd | yyyy-mm-dd"},
    },
    "required": ["name", "custody_from"],
    "most_quarantined_percent": 40,
    "most_removed_percent": 50,
}


def terms_of(count: int, first: int = 0) -> list[list[str]]:
    """Made-up rows, each of another person."""
    return [[number(serial), "王建国", "20250101"] for serial in range(first, first + count)]


def write_csv(path: Path, rows: list[list[str]], *, heading: list[str] = HEADING, encoding: str = "gb18030") -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([heading, *rows])
    path.write_bytes(text.getvalue().encode(encoding))
    return path


@dataclass
class Desk:
    """A hub's drop desk, and what a department does in front of it."""

    desk: DropDesk
    settings: DropSettings
    lots: Lots
    database: Database
    province: Province
    folder: Path

    def pack(self, rows: list[list[str]], sequence: int = 1, name: str = "delivery", **changes: Any) -> Packed:
        """Pack rows as the justice department does; the folder stands outside the drop folder."""
        file = write_csv(self.folder / f"custody-{name}.csv", rows)
        return self.pack_files([file], sequence, name, **changes)

    def pack_files(self, files: list[Path], sequence: int = 1, name: str = "delivery", **changes: Any) -> Packed:
        signer = self.province.signer(changes.pop("signer", "justice"))
        order: dict[str, Any] = {
            "resource": RESOURCE,
            "agreement_id": AGREEMENT,
            "agreement_version": 1,
            "sequence": sequence,
            "as_of": AS_OF,
        }
        now = self.province.clock.now()
        return pack(files, PackOrder(**{**order, **changes}), signer, self.folder / "packed" / name, now)

    def lay(self, packed: Packed | Path, department: str = "justice") -> Path:
        """Put a packed folder or a file into the drop folder, as an upload does, and let it settle."""
        source = packed.folder if isinstance(packed, Packed) else packed
        target = self.settings.drop / department / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        return target

    def work(self) -> list[DropOutcome]:
        return self.desk.work()

    def take(self, rows: list[list[str]], sequence: int = 1, name: str = "delivery", **changes: Any) -> DropOutcome:
        """Pack, lay and take in one go."""
        self.lay(self.pack(rows, sequence, name, **changes))
        (outcome,) = self.work()
        return outcome

    def held(self) -> int:
        """Rows that the hub holds."""
        return sum(one.rows for one in self.lots.holdings(RESOURCE))


def write_mapping(settings: DropSettings, **changes: Any) -> None:
    settings.mappings.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump({**MAPPING, **changes}, allow_unicode=True)
    (settings.mappings / f"{RESOURCE}.yaml").write_text(text, encoding="utf-8")


def files_agreement(province: Province, **changes: Any) -> Agreement:
    fields = ("identity_number", "name", "custody_from")
    terms: dict[str, Any] = {
        "agreement_id": AGREEMENT,
        "kind": Kind.FILE,
        "fields": fields,
        "elements": fields,
        "purposes": ("supervision",),
        "valid_from": date(2025, 1, 1),
    }
    return province.agreement(RESOURCE, **{**terms, **changes})


def make_desk(province: Province, database: Database, ledger: Ledger, folder: Path, **changes: Any) -> Desk:
    root = folder / "files"
    plain = DropSettings.under(root, root / "mappings")
    settings = DropSettings(
        **{
            **{name: getattr(plain, name) for name in ("drop", "work", "taken", "refused", "returned", "mappings")},
            "settle": timedelta(),
            **changes,
        }
    )
    lots = make_lots(province, database, ledger)
    agreements = Agreements(ledger, province.trusted, province.clock)
    with database.begin() as connection:
        agreements.take(connection, province.signed(files_agreement(province)))
    write_mapping(settings)
    desk = DropDesk(
        settings,
        database=database,
        lots=lots,
        agreements=agreements,
        ledger=ledger,
        trusted=province.trusted,
        clock=province.clock,
    )
    (folder / "packed").mkdir(exist_ok=True)
    return Desk(desk, settings, lots, database, province, folder)


def age(path: Path, seconds: float) -> None:
    """Make a file look older; its change time can't be set, so tests set what counts to nothing instead."""
    past = time.time() - seconds
    os.utime(path, (past, past))
