"""From a delivery that was looked through to a lot that is taken: pages of rows, each staged once, from checkpoints."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from huodang.exchange.files import deliveries
from huodang.exchange.files.deliveries import Landing
from huodang.exchange.files.errors import DeliveryError
from huodang.exchange.files.formats import FileRow, Position
from huodang.exchange.files.inspection import DataFile, Inspected
from huodang.exchange.files.manifest import OpenedManifest
from huodang.exchange.files.mapping import ReadMapping
from huodang.exchange.files.reading import RowReader, read_rows
from huodang.exchange.files.standardising import RemovedRow, standardise_row
from huodang.exchange.lots.service import Lots
from huodang.exchange.lots.values import Change, Lot, LotStatement, Reconciliation, Removal
from huodang.exchange.quality import Standardiser, StandardRow
from huodang.store import Database

PAGE_ROWS: Final = 5_000

Fingerprint = tuple[tuple[int, int, int] | None, ...]


def fingerprint(paths: Sequence[Path]) -> Fingerprint:
    """Give what changes when anybody writes to a file, even through a handle opened before."""
    return tuple(_written_last(path) for path in paths)


def _written_last(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_ctime_ns


class LandingRun:
    """Stages the rows of one delivery as pages of its lot, and closes the lot.

    Args:
        database: the hub's.
        lots: takes the pages.
        lot: the open lot.
        opened: the manifest.
        files: with data, in the manifest's order.
        mapping: how columns become elements.
        standardiser: makes rows under the agreement's salt; the same for every run of one delivery.
        twins: marks of keys that stand more than once: none of their rows is taken.
    """

    def __init__(
        self,
        *,
        database: Database,
        lots: Lots,
        lot: Lot,
        opened: OpenedManifest,
        files: Sequence[DataFile],
        mapping: ReadMapping,
        standardiser: Standardiser,
        twins: frozenset[str],
    ) -> None:
        self._database = database
        self._lots = lots
        self._lot = lot
        self._opened = opened
        self._files = files
        self._mapping = mapping
        self._standardiser = standardiser
        self._twins = twins

    def stage(self, landing: Landing, told: Callable[[Landing], None] = lambda _landing: None) -> Landing:
        """Stage what isn't staged yet; each page and then how far it brings us are durable.

        A page is cut at the same rows whenever it is made again, so that one staged before a crash is known.
        """
        for number in range(landing.file, len(self._files)):
            data = self._files[number]
            start = Position(landing.row, landing.offset) if number == landing.file else Position()
            with read_rows(data.path, data.format, start=start) as reader:
                while True:
                    changes, ended = self._page(reader)
                    if changes:
                        self._lots.stage(self._lot, landing.page, changes, digest=_digest(changes))
                    landing = Landing(
                        file=number + 1 if ended else number,
                        row=0 if ended else reader.position.row,
                        offset=0 if ended else reader.position.offset,
                        page=landing.page + bool(changes),
                        sent=landing.sent + len(changes),
                    )
                    with self._database.begin() as connection:
                        deliveries.move_landing(connection, self._opened.digest, landing)
                    told(landing)
                    if ended:
                        break
        return landing

    def close(self, landing: Landing, found: Inspected) -> Reconciliation:
        """Close the lot: it is taken whole, or the copy stays as it was.

        Raises:
            DeliveryError: both sides differ.
        """
        manifest, quality = self._opened.manifest, found.quality
        self._lots.quarantine(self._lot, quality.by_reason)
        made = self._lots.close(
            self._lot,
            LotStatement(
                lot=manifest.manifest_id,
                resource=manifest.resource,
                agreement_id=manifest.agreement_id,
                agreement_version=manifest.agreement_version,
                provider=manifest.provider,
                sent=landing.sent,
                pages=landing.page,
                as_of=manifest.as_of,
                rows=quality.taken - found.removed if manifest.content == "full" else None,
                quarantined=quality.quarantined,
                quality=quality.to_payload(),
            ),
        )
        if not made.equal:
            raise DeliveryError(
                "not_equal",
                "入库后的行数与交付不符，整批撤回",
                "after landing the rows differ from the delivery; all of it was taken back",
                advice_chinese="请重新交付；若再次出现，请联系枢纽管理员。",
                advice_english="Deliver it again; if it happens again, tell the hub's administrator.",
            )
        return made

    def _page(self, reader: RowReader) -> tuple[list[Change], bool]:
        rows = list(islice(reader, PAGE_ROWS))
        return list(self._changes(rows)), len(rows) < PAGE_ROWS

    def _changes(self, rows: Sequence[FileRow]) -> Iterator[Change]:
        for row in rows:
            made = standardise_row(row, self._standardiser, self._mapping)
            if isinstance(made, RemovedRow):
                if made.row.mark not in self._twins and self._opened.manifest.content == "changes":
                    yield Removal(made.row.mark)
            elif isinstance(made, StandardRow) and made.mark not in self._twins:
                yield made


def _digest(changes: Sequence[Change]) -> str:
    hashed = hashlib.sha256()
    for one in changes:
        hashed.update(one.mark.encode())
        hashed.update(b"-" if isinstance(one, Removal) else one.digest)
    return hashed.hexdigest()
