"""The drop desk (投递接收): deliveries in a hub's drop folders are taken whole, once, or refused whole with the reason.

A delivery goes from `drop` to `work` by one rename, is looked through and staged there from checkpoints, and ends in
`taken` or `refused`. Whatever is killed goes on where it was, and nothing counts twice.
"""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from huodang.exchange.agreements import Agreements
from huodang.exchange.files import deliveries, places, returns
from huodang.exchange.files.archives import cannot_write, unpack
from huodang.exchange.files.checking import Problem
from huodang.exchange.files.deliveries import DeliveryState, FileDelivery
from huodang.exchange.files.errors import DeliveryError, FileError, FileMappingError, FileWriteError, ManifestError
from huodang.exchange.files.inspection import Progress
from huodang.exchange.files.manifest import OpenedManifest, manifest_bytes, read_manifest
from huodang.exchange.files.places import ARCHIVE, FILES, Candidate, DropSettings, Readiness
from huodang.exchange.files.taking import FILE_DELIVERY, Taking
from huodang.exchange.lots.errors import LotBusyError, LotContentError, LotStateError
from huodang.exchange.lots.service import Lots
from huodang.exchange.values import new_identifier
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import HuodangError
from huodang.store import Clock, Database, shanghai_text
from huodang.trust import TrustedKeys

_log: Final = structlog.get_logger("huodang.exchange.files")


@dataclass(frozen=True)
class DropOutcome:
    """What became of one delivery.

    Attributes:
        state: `taken`, `refused`, `waiting` (not complete, or another lot is at work), or `held` by another process.
        reason: why it waits or was refused.
        folder: where it lies now.
    """

    department: str
    name: str
    state: str
    reason: str = ""
    folder: Path | None = None
    delivery: FileDelivery | None = None


class DropDesk:
    """Takes deliveries in at one hub. Several processes may work on the same folders.

    Args:
        settings: the folders.
        database: the hub's.
        lots: takes the rows.
        agreements: what may be delivered.
        ledger: where every delivery, taken or refused, leaves an entry.
        trusted: public keys of the departments.
        clock: the time.
    """

    def __init__(
        self,
        settings: DropSettings,
        *,
        database: Database,
        lots: Lots,
        agreements: Agreements,
        ledger: Ledger,
        trusted: TrustedKeys,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self._database = database
        self._lots = lots
        self._taking = Taking(settings, database=database, lots=lots, agreements=agreements, ledger=ledger, clock=clock)
        self._ledger = ledger
        self._trusted = trusted
        self._clock = clock
        for folder in (settings.drop, settings.work, settings.taken, settings.refused, settings.returned):
            folder.mkdir(parents=True, exist_ok=True)

    def work(self, progress: Progress = lambda _name, _rows: None) -> list[DropOutcome]:
        """Take up everything that waits, once through; tell what became of each.

        Raises:
            FileWriteError: the disk is full; what was begun goes on later.
        """
        outcomes: list[DropOutcome] = []
        for department in sorted(self._departments()):
            # One process a department: two would take its numbers out of their order.
            with places.only_one(self.settings.work, f".{department}.lock") as alone:
                if alone:
                    outcomes += self._claim(department)
                    outcomes += self._at_work(department, progress)
        places.forget_taken(self.settings)
        return outcomes

    def take_folder(self, department: str, path: Path, progress: Progress = lambda _name, _rows: None) -> DropOutcome:
        """Take one delivery from anywhere; it is copied first and stays where it was.

        Raises:
            FileWriteError: the disk is full.
        """
        home = self.settings.work / department / f"{new_identifier('f', self._clock.now())}-{path.name[:60]}"
        part = self.settings.work / f".{secrets.token_hex(8)}.part"
        try:
            if path.is_dir():
                shutil.copytree(path, part / FILES, symlinks=True)
            else:
                part.mkdir()
                shutil.copyfile(path, part / ARCHIVE)
            home.parent.mkdir(parents=True, exist_ok=True)
            part.rename(home)
        except (OSError, shutil.Error) as problem:
            raise cannot_write(home) from problem
        finally:
            shutil.rmtree(part, ignore_errors=True)
        with places.only_one(home) as held:
            if not held:
                return DropOutcome(department, path.name, "held")
            return self._handle(department, home, progress)

    def deliveries(self, resource: str | None = None, *, limit: int = 100) -> list[FileDelivery]:
        """List deliveries, the newest first."""
        with self._database.read() as connection:
            return deliveries.list_deliveries(connection, resource=resource, limit=limit)

    def _claim(self, department: str) -> list[DropOutcome]:
        """Move what is ready to the hub's own folder; tell of what waits or is given up."""
        outcomes: list[DropOutcome] = []
        for candidate in places.candidates(self.settings, department):
            if candidate.readiness is Readiness.WAITING:
                outcomes.append(DropOutcome(department, candidate.name, "waiting", "incomplete"))
                continue
            home = places.claim(candidate, self.settings, new_identifier("f", self._clock.now()))
            if candidate.readiness is Readiness.GIVEN_UP:
                outcomes.append(self._give_up(candidate, home))
        return outcomes

    def _at_work(self, department: str, progress: Progress) -> list[DropOutcome]:
        outcomes: list[DropOutcome] = []
        for home in places.at_work(self.settings, department):
            with places.only_one(home) as held:
                if held and not places.put_back_unfinished(home, department, self.settings):
                    outcomes.append(self._handle(department, home, progress))
        return outcomes

    def _departments(self) -> frozenset[str]:
        """The departments whose keys are trusted; other folders under `drop` are nobody's."""
        return frozenset(key.holder for key in self._trusted)

    def _handle(self, department: str, home: Path, progress: Progress) -> DropOutcome:
        name = home.name.partition("-")[2]
        opened: OpenedManifest | None = None
        try:
            self._unpack(home)
            opened = read_manifest(manifest_bytes(home / FILES), self._trusted, at=self._clock.now())
            self._hold_against_known(home, opened.digest)
            delivery = self._taking.take(self._taking.order(department, home, opened), progress)
            place = places.put_away(home, self.settings.taken)
            _log.info("files.taken", department=department, resource=delivery.resource, lot=delivery.lot_id)
            return DropOutcome(department, name, "taken", folder=place, delivery=delivery)
        except FileWriteError:
            raise  # the disk is full: nothing is wrong with the delivery, and it goes on later
        except FileMappingError as problem:
            # The hub's own affair: the department has done nothing wrong.
            _log.warning("files.mapping", department=department, reason=problem.reason)
            return DropOutcome(department, name, "waiting", problem.reason, home)
        except LotBusyError:
            return DropOutcome(department, name, "waiting", "lot_busy", home)
        except (FileError, LotContentError, LotStateError) as problem:
            refused = self._refuse(department, home, opened, problem)
            return DropOutcome(department, name, "refused", Problem.of(problem).reason, refused)

    def _unpack(self, home: Path) -> None:
        if not (home / ARCHIVE).exists():
            return
        part = home / f"{FILES}.part"
        shutil.rmtree(part, ignore_errors=True)
        if (home / FILES).exists():
            return
        part.mkdir()
        unpack(home / ARCHIVE, part, self.settings.limits)
        part.rename(home / FILES)

    def _hold_against_known(self, home: Path, digest: str) -> None:
        """See that a manifest counts once; the same folder after a crash is the same delivery.

        Raises:
            DeliveryError: it came before.
        """
        with self._database.read() as connection:
            known = deliveries.get_delivery(connection, digest)
        if known is not None and known.state is not DeliveryState.REFUSED and known.folder != home.name:
            raise DeliveryError(
                "replayed",
                f"这份清单已经接收过（序号 {known.sequence}），不重复接收",
                f"this manifest was delivered before (number {known.sequence}); it counts once",
                advice_chinese="如需再次交付，请重新打包签署，使用新的序号。",
                advice_english="To deliver again, pack and sign again under a new number.",
            )

    def _give_up(self, candidate: Candidate, home: Path) -> DropOutcome:
        hours = int(self.settings.patience.total_seconds() // 3600)
        problem = ManifestError(
            "incomplete",
            f"等候 {hours} 小时仍未传完（缺少清单、缺少文件或文件偏小）",
            f"after {hours} hours it is still incomplete (no manifest, or files missing or too small)",
            advice_chinese="请重新完整上传；清单最后传。",
            advice_english="Upload it whole again, the manifest last.",
        )
        refused = self._refuse(candidate.department, home, None, problem)
        return DropOutcome(candidate.department, candidate.name, "refused", problem.reason, refused)

    def _refuse(self, department: str, home: Path, manifest: OpenedManifest | None, problem: HuodangError) -> Path:
        """Refuse a delivery whole: its lot is given up, the reason stands beside it and goes back to the department."""
        told, now = Problem.of(problem), self._clock.now()
        with self._database.read() as connection:
            known = deliveries.get_delivery(connection, manifest.digest) if manifest else None
        mine = known is not None and known.folder == home.name
        if mine and known is not None and known.lot_id:
            self._lots.abandon(self._lots.lot(known.lot_id), told.reason[:64])
        returns.write_refusal(
            [home, self.settings.returned / department / home.name],
            manifest.manifest if manifest else None,
            [told],
            shanghai_text(now),
        )
        with self._database.begin() as connection:
            facts = {"state": "refused", "department": department, "reason": told.reason[:64]}
            if manifest is not None:
                facts |= {"manifest": manifest.digest, "resource": manifest.manifest.resource}
            entry = LedgerEntry(FILE_DELIVERY, now, facts)
            entry_id = self._ledger.record(connection, entry, told.chinese.encode())
            values = {
                "state": DeliveryState.REFUSED, "reason": told.reason[:64], "ended_at": now, "entry_id": entry_id,
            }  # fmt: skip
            if mine and manifest is not None:
                deliveries.update_delivery(connection, manifest.digest, **values)
            elif manifest is not None and (known is None or known.state is DeliveryState.REFUSED):
                deliveries.insert_delivery(connection, manifest, department, now, folder=home.name, **values)
        _log.warning("files.refused", department=department, reason=told.reason)
        return places.put_away(home, self.settings.refused)
