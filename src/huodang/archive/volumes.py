"""Volumes: the papers of a case, filed once under their archival code, sealed, and provably unaltered."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select

from huodang.archive.data_files import ArchiveProfile
from huodang.archive.errors import VolumeAlteredError, VolumeMissingError
from huodang.archive.folders import ITEMS, METADATA, StagedFolder, VolumeFault, VolumeFolders
from huodang.archive.items import (
    SALT_BYTES,
    VolumeDraft,
    VolumeItem,
    commit,
    item_row,
    item_title,
    metadata,
    unwrap,
    wrap,
)
from huodang.archive.records import volume as _table
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import IdentityNumber
from huodang.store import Clock, Database, serialise
from huodang.trust import BrokenSealError, FieldSealer, parse_strict, sha256, sm3


@dataclass(frozen=True)
class StagedVolume:
    """A draft whose sealed items are on the disk already, so that the transaction that files it is short."""

    draft: VolumeDraft
    folder: StagedFolder
    commitments: tuple[dict[str, str], ...]


@dataclass(frozen=True)
class VolumeRecord:
    """A filed volume.

    Attributes:
        archival_code: 档号.
        case_id: The case.
        part: Which of its volumes, from 1.
        person_index: Blind index of the person's identity number.
        scheme: Code of the scheme.
        items: How many items it holds.
        manifest_sha256: Digest of its manifest, hexadecimal.
        manifest_sm3: The same under SM3.
        ledger_entry: Its entry in the ledger; the content committed to is the manifest.
        filed_at: When.
    """

    archival_code: str
    case_id: str
    part: int
    person_index: str
    scheme: str
    items: int
    manifest_sha256: str
    manifest_sm3: str
    ledger_entry: str
    filed_at: datetime


@dataclass(frozen=True)
class VolumeReport:
    """What a verification found; a volume without faults is intact."""

    archival_code: str
    faults: tuple[VolumeFault, ...]

    @property
    def intact(self) -> bool:
        """Tell whether every file is what was filed, none is missing, none was added, and every seal opens."""
        return not self.faults


class Volumes:
    """Files volumes in the caller's transaction, reads and verifies them.

    Reading an item is reading personal data: the caller decides and records the look first (`exchange.decide`,
    `Looks`).
    """

    def __init__(
        self,
        database: Database,
        sealer: FieldSealer,
        ledger: Ledger,
        clock: Clock,
        folder: Path | str,
        *,
        profile: ArchiveProfile | None = None,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._ledger = ledger
        self._clock = clock
        self._folders = VolumeFolders(folder)
        self._profile = profile or ArchiveProfile.load()
        self.clean()

    def stage(self, draft: VolumeDraft) -> StagedVolume:
        """Seal the items and write them aside, before the transaction begins; `file` takes the result.

        Raises:
            VolumeDraftError: what was handed in can't be a volume; nothing was written.
        """
        draft.check()
        files: dict[str, bytes] = {}
        commitments = []
        for position, item in enumerate(draft.items, start=1):
            number = self._profile.item_number(position)
            salt = secrets.token_bytes(SALT_BYTES)
            sealed = self._sealer.seal(
                "volume_item", wrap(salt, item.content), item_row(draft.case_id, draft.part, number)
            )
            files[f"{number}.sealed"] = sealed.encode()
            commitments.append(commit(salt, item.content))
        return StagedVolume(draft, self._folders.stage(files), tuple(commitments))

    def file(self, connection: Connection, volume: VolumeDraft | StagedVolume) -> VolumeRecord:
        """File the volume of a case: folder, row and ledger entry stand together once the transaction commits.

        A case (or part of one) that was filed already gets its volume of that time, and nothing else happens.

        Raises:
            VolumeDraftError: what was handed in can't be a volume; nothing was filed.
        """
        draft = volume if isinstance(volume, VolumeDraft) else volume.draft
        serialise(connection, "archive.filing")
        same = select(_table).where(_table.c.case_id == draft.case_id, _table.c.part == draft.part)
        found = connection.execute(same).one_or_none()
        if found is not None:
            if isinstance(volume, StagedVolume):
                self._folders.discard(volume.folder)
            return _read(found)
        staged = self.stage(volume) if isinstance(volume, VolumeDraft) else volume
        try:
            return self._place(connection, staged)
        except BaseException:
            self._folders.discard(staged.folder)
            raise

    def get(self, archival_code: str) -> VolumeRecord:
        """Give the record of a volume.

        Raises:
            VolumeMissingError: no volume has this archival code.
        """
        found = self._list(_table.c.archival_code == archival_code)
        if not found:
            raise _missing(archival_code, "案卷", "volume")
        return found[0]

    def of_case(self, case_id: str, part: int = 1) -> VolumeRecord | None:
        """Give the volume of a case, or a further part of it; None when it isn't filed yet."""
        found = self._list(and_(_table.c.case_id == case_id, _table.c.part == part))
        return found[0] if found else None

    def of_person(self, identity_number: IdentityNumber) -> list[VolumeRecord]:
        """List the volumes of a person, oldest first."""
        return self._list(_table.c.person_index == self._sealer.blind_index("identity_number", identity_number.text))

    def items(self, archival_code: str) -> list[VolumeItem]:
        """List the items of a volume, in their order.

        Raises:
            VolumeMissingError: no volume has this archival code.
            VolumeAlteredError: its metadata are not what was filed.
        """
        return self._items(self.get(archival_code))

    def read_item(self, archival_code: str, number: str) -> bytes:
        """Read one item of a volume, such as `001`, and check it against what was filed.

        Raises:
            VolumeMissingError: no volume has this archival code, or no item of it this number.
            VolumeAlteredError: the item is not what was filed.
        """
        return self.disclose(archival_code, number)[1]

    def disclose(self, archival_code: str, number: str) -> tuple[bytes, bytes]:
        """Read one item together with the salt of its commitment.

        With these two, `metadata.json`, `manifest.json` and the ledger's receipt of the manifest, anybody can check
        that the item stood in the volume when it was filed; no key is needed.

        Raises:
            VolumeMissingError: no volume has this archival code, or no item of it this number.
            VolumeAlteredError: the item is not what was filed.
        """
        record = self.get(archival_code)
        for item in self._items(record):
            if item.number == number:
                opened = self._open(record, item)
                if opened is None:
                    raise VolumeAlteredError(archival_code, item.file)
                return opened
        raise _missing(archival_code, "件", "item")

    def verify(self, archival_code: str) -> VolumeReport:
        """Hold a whole volume to what was filed: every file, no file too many, every seal.

        Raises:
            VolumeMissingError: no volume has this archival code.
        """
        record = self.get(archival_code)
        faults = self._folders.faults(archival_code, record.manifest_sha256, record.manifest_sm3)
        broken = {fault.path for fault in faults}
        if not broken & {METADATA, "manifest.json"}:
            faults += [
                VolumeFault(item.file, "unreadable")
                for item in self._items(record)
                if item.file not in broken and self._open(record, item) is None
            ]
        return VolumeReport(archival_code, tuple(faults))

    def clean(self, older_than: timedelta = timedelta(hours=1)) -> int:
        """Take away what killed processes left half written, and tell how many; done when a service starts."""
        return self._folders.clean(older_than)

    def _place(self, connection: Connection, staged: StagedVolume) -> VolumeRecord:
        draft = staged.draft
        now = self._clock.now()
        year = self._clock.today().year
        series = self._profile.code(year, 1).series
        last = connection.execute(select(func.max(_table.c.number)).where(_table.c.series == series)).scalar_one()
        number = (last or 0) + 1
        code = self._profile.code(year, number)
        items = [
            VolumeItem(
                number=(item_number := self._profile.item_number(position)),
                archival_code=str(code.item(item_number)),
                kind=item.kind,
                label=item.label,
                title=item_title(item.kind, item.label),
                media_type=item.media_type,
                length=len(item.content),
                made_on=item.made_on,
                file=f"{ITEMS}/{item_number}.sealed",
                commitment=commitment,
            )
            for position, (item, commitment) in enumerate(zip(draft.items, staged.commitments, strict=True), start=1)
        ]
        person = self._sealer.blind_index("identity_number", draft.identity_number.text)
        row = item_row(draft.case_id, draft.part, "person")
        described = metadata(
            code,
            self._profile,
            draft,
            items,
            filed_at=now,
            person_index=person,
            name_sealed=self._sealer.seal("name", draft.name.text, row),
            identity_sealed=self._sealer.seal("identity_number", draft.identity_number.text, row),
        )
        manifest = self._folders.place(staged.folder, str(code), described)
        digests = {"manifest_sha256": sha256(manifest).hex(), "manifest_sm3": sm3(manifest).hex()}
        facts = {
            "case": draft.case_id,
            "part": str(draft.part),
            "items": str(len(items)),
            "year": str(year),
            "number": str(number),
            **digests,
        }
        values = {
            "archival_code": str(code),
            "case_id": draft.case_id,
            "part": draft.part,
            "person_index": person,
            "scheme": draft.scheme,
            "series": series,
            "number": number,
            "items": len(items),
            **digests,
            "ledger_entry": self._ledger.record(connection, LedgerEntry("volume", now, facts), manifest),
            "filed_at": now,
        }
        return _read(connection.execute(insert(_table).values(**values).returning(_table)).one())

    def _items(self, record: VolumeRecord) -> list[VolumeItem]:
        data = self._folders.checked(record.archival_code, METADATA, record.manifest_sha256)
        if data is None:
            raise VolumeAlteredError(record.archival_code, METADATA)
        return [VolumeItem.from_json(row) for row in parse_strict(data)["items"]]

    def _open(self, record: VolumeRecord, item: VolumeItem) -> tuple[bytes, bytes] | None:
        sealed = self._folders.checked(record.archival_code, item.file, record.manifest_sha256)
        if sealed is None:
            return None
        try:
            text = self._sealer.open("volume_item", sealed.decode(), item_row(record.case_id, record.part, item.number))
        except BrokenSealError:
            return None
        salt, content = unwrap(text)
        return (salt, content) if commit(salt, content) == item.commitment else None

    def _list(self, condition: ColumnElement[bool]) -> list[VolumeRecord]:
        with self._database.read() as connection:
            return [_read(row) for row in connection.execute(select(_table).where(condition).order_by(_table.c.id))]


def _read(row: Row[Any]) -> VolumeRecord:
    return VolumeRecord(
        archival_code=row.archival_code,
        case_id=row.case_id,
        part=row.part,
        person_index=row.person_index,
        scheme=row.scheme,
        items=row.items,
        manifest_sha256=row.manifest_sha256,
        manifest_sm3=row.manifest_sm3,
        ledger_entry=row.ledger_entry,
        filed_at=row.filed_at,
    )


def _missing(archival_code: str, chinese: str, english: str) -> VolumeMissingError:
    return VolumeMissingError(
        f"{archival_code} 下没有这一{chinese}",
        f"There is no such {english} under {archival_code}",
        advice_chinese="请核对档号与件号。",
        advice_english="Check the archival code and the number.",
    )
