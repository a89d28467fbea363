"""Taking one delivery at a hub: held against agreement, mapping and number, looked through, landed, written down."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from huodang.exchange.agreements import Agreements
from huodang.exchange.files import deliveries, returns
from huodang.exchange.files.checking import files_at_fault, new_standardiser, quarantined_beyond, rows_at_fault
from huodang.exchange.files.deliveries import DeliveryState, FileDelivery
from huodang.exchange.files.detection import detect
from huodang.exchange.files.errors import DeliveryError, FileError, ManifestError
from huodang.exchange.files.inspection import DataFile, Inspected, Inspection, Progress
from huodang.exchange.files.landing import Fingerprint, LandingRun, fingerprint
from huodang.exchange.files.manifest import Manifest, OpenedManifest
from huodang.exchange.files.mapping import ReadMapping, mapping_of
from huodang.exchange.files.places import FILES, DropSettings
from huodang.exchange.lots.service import Lots
from huodang.exchange.values import Agreement, Kind
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import Place
from huodang.store import Clock, Database, shanghai_date

FILE_DELIVERY: Final = "file_delivery"


@dataclass(frozen=True)
class Order:
    """A delivery that may be taken: who delivers, under which agreement, how its columns read."""

    department: str
    home: Path
    opened: OpenedManifest
    agreement: Agreement
    mapping: ReadMapping
    files: tuple[DataFile, ...]
    fingerprint: Fingerprint


class Taking:
    """Takes deliveries that lie in the hub's own folder; see `DropDesk` for the arguments."""

    def __init__(
        self,
        settings: DropSettings,
        *,
        database: Database,
        lots: Lots,
        agreements: Agreements,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._database = database
        self._lots = lots
        self._agreements = agreements
        self._ledger = ledger
        self._clock = clock

    def order(self, department: str, home: Path, opened: OpenedManifest) -> Order:
        """Hold a delivery against agreement, mapping and its own files.

        Args:
            department: whose folder it lay in.
            home: its folder at work.
            opened: its manifest, verified.

        Raises:
            FileError: it may not be taken.
        """
        manifest = opened.manifest
        if manifest.provider != department:
            raise ManifestError(
                "other_department",
                "清单的提供方不是投递目录所属的部门",
                "the manifest's provider isn't the department whose folder this is",
            )
        agreement = self._agreement(manifest)
        mapping = mapping_of(self._settings.mappings, manifest.resource)
        # Taken before the digests are made: whoever writes to a file from now on is noticed before its rows count.
        written_last = fingerprint([home / FILES / line.name for line in manifest.files])
        at_fault = files_at_fault(home / FILES, manifest)
        if at_fault:
            raise at_fault[0]
        files: list[DataFile] = []
        for line in manifest.files:
            if line.format is not None:
                path = home / FILES / line.name
                found = detect(path, mapping.spec.format or line.format)
                mapping.hold_against(found.format, Place(file=line.name))
                files.append(DataFile(path, found.format))
        return Order(department, home, opened, agreement, mapping, tuple(files), written_last)

    def _agreement(self, manifest: Manifest) -> Agreement:
        with self._database.read() as connection:
            in_force = self._agreements.in_force(connection, [manifest.resource], self._clock.today())
        for record in in_force.get(manifest.resource, []):
            one = record.agreement
            cited = (one.agreement_id, one.version, one.provider, one.kind)
            if cited == (manifest.agreement_id, manifest.agreement_version, manifest.provider, Kind.FILE):
                return one
        raise DeliveryError(
            "no_agreement",
            "没有生效的文件交换协议覆盖这次交付（协议编号、版本、资源、提供方须一致）",
            "no agreement on files in force covers this delivery (id, version, resource and provider must fit)",
            advice_chinese="请核对协议编号和版本，或先签订协议。",
            advice_english="Check the agreement's id and version, or sign one first.",
        )

    def take(self, order: Order, progress: Progress) -> FileDelivery:
        """Look a delivery through and land it; begun before, it goes on at its checkpoints.

        Raises:
            FileError: it is refused.
            FileWriteError: the disk is full.
            LotBusyError: another lot of this agreement is at work.
            LotContentError, LotStateError: the lot can't go on.
        """
        opened, manifest, agreement = order.opened, order.opened.manifest, order.agreement
        delivery = self._begin(order)
        today = shanghai_date(delivery.received_at)
        maker = new_standardiser(
            order.mapping,
            today,
            salt=self._lots.salt(agreement.agreement_id),
            hand_over=agreement.fields,
            only=dict(agreement.rows),
        )
        inspection = Inspection(order.home / "inspection.db", order.files, order.mapping, maker)
        try:
            found = inspection.run(progress)
            back = self._settings.returned / order.department / order.home.name
            returns.write_back_rows(back, inspection.bad_rows(), found.quality.quarantined)
            self._bear(order, found)
            run = LandingRun(
                database=self._database,
                lots=self._lots,
                lot=self._lots.lot(delivery.lot_id),
                opened=opened,
                files=order.files,
                mapping=order.mapping,
                standardiser=maker(),
                twins=inspection.twins(),
            )
            landing = run.stage(delivery.landing, lambda done: progress(manifest.resource, done.sent))
            if fingerprint([order.home / FILES / line.name for line in manifest.files]) != order.fingerprint:
                raise ManifestError("altered", "文件在接收过程中被改动", "a file was altered while it was being taken")
            made = run.close(landing, found)
        finally:
            inspection.close()
        taken = self._end(opened.digest, found, made.equal)
        effect = {
            name: value for name, value in msgspec.to_builtins(made).items() if name not in ("differing", "statement")
        }
        returns.write_receipt([back, order.home], manifest, taken, found, effect)
        return taken

    def _begin(self, order: Order) -> FileDelivery:
        """Open the lot and write the delivery down, in one transaction; give what stands there if that was done.

        Raises:
            DeliveryError: the number has been used.
            LotBusyError: another lot of this agreement is at work.
        """
        manifest, digest = order.opened.manifest, order.opened.digest
        with self._database.begin() as connection:
            known = deliveries.get_delivery(connection, digest)
            if known is not None and known.state is not DeliveryState.REFUSED:
                return known
            last = deliveries.last_sequence(connection, manifest.resource, manifest.agreement_id)
            if manifest.sequence <= last:
                raise DeliveryError(
                    "sequence_used",
                    f"序号 {manifest.sequence} 已用过或已过时，最近接收的是 {last}",
                    f"number {manifest.sequence} was used or is past; the last one taken is {last}",
                    advice_chinese=f"请用序号 {last + 1} 重新打包签署。",
                    advice_english=f"Pack and sign again under number {last + 1}.",
                )
            lot = self._lots.open(
                connection, order.agreement, mode="file", content=manifest.content, source=f"manifest:{digest}"
            )
            deliveries.insert_delivery(
                connection,
                order.opened,
                order.department,
                self._clock.now(),
                state=DeliveryState.LANDING,
                folder=order.home.name,
                lot_id=lot.lot_id,
                missing_before=manifest.sequence - last - 1,
            )
            begun = deliveries.get_delivery(connection, digest)
        assert begun is not None  # noqa: S101  (written in the same transaction)
        return begun

    def _bear(self, order: Order, found: Inspected) -> None:
        """Refuse what was looked through and is worse than the mapping bears.

        Raises:
            FileError: rows are missing, too many are kept back, or too much of the copy would vanish.
        """
        problems: list[FileError] = list(rows_at_fault(order.opened.manifest, found))
        beyond = quarantined_beyond(order.mapping, found)
        if beyond is not None:
            problems.append(beyond)
        manifest, most = order.opened.manifest, order.mapping.spec.most_removed_percent
        held = next(
            (one.rows for one in self._lots.holdings(manifest.resource) if one.agreement_id == manifest.agreement_id), 0
        )
        kept = found.quality.taken - found.removed
        gone = held - kept if manifest.content == "full" else found.removed
        if held and gone * 100 > most * held:
            problems.append(
                DeliveryError(
                    "too_many_removed",
                    f"库中 {held} 行将有 {gone} 行消失，超过 {most}%",
                    f"{gone} of the {held} rows held would vanish, more than {most}%",
                    advice_chinese="请核对是否漏了数据；确属如此时，请管理员调高映射中的 most_removed_percent。",
                    advice_english="See whether data are missing; if not, have most_removed_percent raised.",
                )
            )
        if problems:
            raise problems[0]

    def _end(self, digest: str, found: Inspected, equal: bool) -> FileDelivery:  # noqa: FBT001  (a fact, not a switch)
        now = self._clock.now()
        with self._database.begin() as connection:
            known = deliveries.get_delivery(connection, digest)
            assert known is not None  # noqa: S101  (it was begun)
            if known.state is DeliveryState.LANDING and equal:
                entry_id = self._ledger.record(
                    connection,
                    LedgerEntry(
                        FILE_DELIVERY,
                        now,
                        {
                            "manifest": digest,
                            "state": "taken",
                            "department": known.department,
                            "resource": known.resource,
                            "agreement": known.agreement_id,
                            "sequence": str(known.sequence),
                            "lot": known.lot_id,
                            "rows": str(found.quality.rows),
                            "quarantined": str(found.quality.quarantined),
                        },
                    ),
                    digest.encode(),
                )
                deliveries.update_delivery(
                    connection,
                    digest,
                    state=DeliveryState.TAKEN,
                    rows=found.quality.rows,
                    quarantined=found.quality.quarantined,
                    ended_at=now,
                    entry_id=entry_id,
                )
            ended = deliveries.get_delivery(connection, digest)
        assert ended is not None  # noqa: S101  (read in the same transaction)
        return ended
