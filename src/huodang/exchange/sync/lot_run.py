"""One lot on its way: what is read, what is applied, what is proved, in which order."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from huodang.exchange.sync.canonical import Pair
from huodang.exchange.sync.checks import run_checks
from huodang.exchange.sync.comparison import Buckets, Comparison, Spool
from huodang.exchange.sync.opening import applying, reading
from huodang.exchange.sync.outcome import Outcome, protect, prove, unequal
from huodang.exchange.sync.postgresql import PostgresqlSide
from huodang.exchange.sync.refusals import write_refused
from huodang.exchange.sync.side import Changes, NewColumn, Sides, TableName, Tables
from huodang.exchange.sync.spooling import Spooler, follow
from huodang.exchange.sync.state import ANNOUNCED, Lot, Lots
from huodang.exchange.sync.values import ColumnReport, Progress, Proof, Step, SyncReport, SyncRequest


@dataclass
class LotRun:
    """One lot: planned, not yet begun."""

    request: SyncRequest
    sides: Sides
    tables: Tables
    pairs: list[Pair]
    lots: Lots
    last: Lot | None
    added: tuple[str, ...]
    source_columns: tuple[tuple[str, str], ...]
    progress: Progress
    began: float
    timings: dict[str, float] = field(default_factory=dict)
    result: Outcome = field(default_factory=Outcome)
    stop: threading.Event = field(default_factory=threading.Event)

    # --- the whole lot ---------------------------------------------------------------------------------------------

    def run(self, folder: Path) -> SyncReport:
        """Do the lot."""
        comparison = self._comparison(folder)
        try:
            with ThreadPoolExecutor(2) as pool:
                try:
                    if self.tables.is_new and not self.request.dry_run:
                        return self._first(folder, comparison, pool)
                    return self._next(folder, comparison, pool)
                except BaseException:
                    # Whoever still reads or writes in another thread stops at its next page.
                    self.stop.set()
                    comparison.interrupt()
                    raise
        finally:
            comparison.close()

    def verify(self, folder: Path) -> Proof:
        """Read both sides and compare them."""
        comparison = self._comparison(folder)
        try:
            with ThreadPoolExecutor(2) as pool:
                self._read_both(folder, comparison, pool, self.tables.target)
                self._judge(comparison)
                began = time.monotonic()
                source, target = comparison.buckets("source"), comparison.buckets("target")
            return self._proof(source, target, comparison, began, read_back=True)
        finally:
            comparison.close()

    def _comparison(self, folder: Path) -> Comparison:
        target, source = self.sides.target.engine, self.sides.source.engine
        return Comparison(
            folder,
            self.request.memory,
            self.pairs,
            self.request.key,
            target_engine=target,
            is_exact=target == source,
        )

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.timings[name] = round(self.timings.get(name, 0) + time.monotonic() - began, 3)

    # --- reading ---------------------------------------------------------------------------------------------------

    def _spooler(self, folder: Path, which: str) -> Spooler:
        side = self.sides.source if which == "source" else self.sides.target
        return Spooler(side, folder / f"{which}.spool", self.stop, self.progress, f"read_{which}")

    def _read_source(self, spooler: Spooler) -> Spool:
        with self._timed("read_source"), reading("source", self.sides.source.address):
            spool = spooler.run(self.tables.source, [pair.source for pair in self.pairs])
            self.sides.source.rollback()
            return spool

    def _read_target(self, folder: Path, table: TableName) -> Spool:
        with self._timed("read_target"), reading("target", self.sides.target.address):
            return self._spooler(folder, "target").run(table, [pair.target for pair in self.pairs])

    def _read_both(
        self, folder: Path, comparison: Comparison, pool: ThreadPoolExecutor, table: TableName | None
    ) -> None:
        """Read both sides at once, each in its own snapshot; without a table the target is empty."""
        source = pool.submit(self._read_source, self._spooler(folder, "source"))
        if table is None:
            empty = folder / "target.spool"
            empty.touch()
            target = Spool(empty, self.sides.target.engine, 0)
        else:
            self.sides.target.begin_reading()
            target = self._read_target(folder, table)
            self.sides.target.rollback()
        self._take("source", source.result(), comparison)
        self._take("target", target, comparison)

    def _take(self, which: str, spool: Spool, comparison: Comparison) -> None:
        with self._timed(f"hash_{which}"):
            self.progress(Step(f"hash_{which}", 0, spool.rows))
            comparison.take("source" if which == "source" else "target", spool, self.request.cursor)
            if which == "source":
                self.result.rows = spool.rows

    def _judge(self, comparison: Comparison) -> None:
        """Settle what is refused, and tell the provider."""
        with self._timed("judge"):
            run_checks(comparison, {pair.source.name: pair for pair in self.pairs}, self.request.checks)
            self.result.quarantined = comparison.settle()
            if self.result.quarantined:
                self.result.reasons = comparison.reasons()
                if self.request.quarantine_file is not None:
                    write_refused(self.request.quarantine_file, self.pairs, comparison.refused_rows())
                    self.result.quarantine_file = str(self.request.quarantine_file)
            now = comparison.watermark() if self.request.cursor else None
            before = self._watermark_before()
            self.result.watermark = comparison.later(self.request.cursor, now, before) if self.request.cursor else None
            if now is not None and self.result.watermark != now:
                self.result.warnings.append(
                    f"水位回退：来源中最大的 {self.request.cursor} 小于上一批次；水位保持不变 / "
                    "the watermark would go back and stays where it was"
                )

    def _watermark_before(self) -> str | None:
        has_same_cursor = self.last is not None and self.last.cursor == self.request.cursor
        return self.last.watermark if self.last is not None and has_same_cursor and self.request.cursor else None

    def _compare(self, comparison: Comparison) -> None:
        with self._timed("compare"):
            self.progress(Step("compare", 0))
            self.result.counts = comparison.compare()
            before = self._watermark_before()
            if self.request.cursor and before is not None:
                self.result.late, self.result.unmoved = comparison.late(
                    self.request.cursor, before, self.request.overlap
                )

    # --- a lot after the first -------------------------------------------------------------------------------------

    def _next(self, folder: Path, comparison: Comparison, pool: ThreadPoolExecutor) -> SyncReport:
        table, target = self.tables.target, self.sides.target
        self._read_both(folder, comparison, pool, None if self.tables.is_new else table)
        self._judge(comparison)
        self._compare(comparison)
        if not self.request.allow_mass_delete:
            protect(held=comparison.count_target(), rows=self.result.rows, deleted=self.result.count("D"))
        if self.request.dry_run:
            return self._report(None)
        source_buckets = pool.submit(self._hash, comparison, "source")
        source_buckets.result()
        with applying(target.address):
            self.lots.prepare()
            target.begin()
            try:
                has_changes = self.result.count("I", "U", "R", "D") > 0
                if has_changes:
                    with self._timed("apply"):
                        self._apply(comparison, table)
                    self._take("target", self._read_target(folder, table), comparison)
                began = time.monotonic()
                proof = self._proof(
                    source_buckets.result(), comparison.buckets("target"), comparison, began, read_back=has_changes
                )
                self._require_proof(proof)
                self.lots.record(self._lot(proof))
                target.commit()
            except BaseException:
                target.rollback()
                raise
        return self._report(proof)

    def _apply(self, comparison: Comparison, table: TableName) -> None:
        target = self.sides.target
        keys = [next(pair for pair in self.pairs if pair.source.name == name) for name in self.request.key]
        changes = Changes(
            gone=comparison.gone(to_file=target.takes_files), changed=comparison.changed(to_file=target.takes_files)
        )
        target.apply(table, keys, changes, self._counted("apply", changes.gone.rows + changes.changed.rows))

    def _counted(self, name: str, total: int) -> Callable[[int], None]:
        done = 0

        def more(rows: int) -> None:
            nonlocal done
            done += rows
            self.progress(Step(name, done, total))

        return more

    def _hash(self, comparison: Comparison, which: str) -> Buckets:
        with self._timed("reconcile"):
            return comparison.buckets("source" if which == "source" else "target")

    # --- the first lot into a table that has to be made ------------------------------------------------------------

    def _first(self, folder: Path, comparison: Comparison, pool: ThreadPoolExecutor) -> SyncReport:
        target = self.sides.target
        digest = hashlib.sha256(self.tables.target.name.encode()).hexdigest()[:12]
        stage = self.tables.target.sibling(f"huodang_sync_stage_{digest}")
        with applying(target.address):
            self.lots.prepare()
            is_resumed = self._prepare_stage(stage)
        if isinstance(target, PostgresqlSide) and not is_resumed and self._is_plain_copy():
            self._stream(folder, comparison, pool, stage, target)
        else:
            self._read_both(folder, comparison, pool, stage if is_resumed else None)
            self.result.resumed = comparison.count_target()
            self._judge(comparison)
            self._compare(comparison)
            with applying(target.address), self._timed("apply"):
                self._fill(comparison, stage)
        self.result.counts = {"I": self.result.rows - self.result.quarantined}
        source = pool.submit(self._hash, comparison, "source")
        source.result()
        back = self._read_target(folder, stage)
        with applying(target.address):
            target.begin()
            try:
                finished = pool.submit(self._finish, stage)
                self._take("target", back, comparison)
                began = time.monotonic()
                proof = self._proof(source.result(), comparison.buckets("target"), comparison, began, read_back=True)
                finished.result()
                self._require_proof(proof)
                self._become(stage, proof)
            except BaseException:
                target.rollback()
                raise
        return self._report(proof)

    def _finish(self, stage: TableName) -> None:
        with self._timed("primary_key"):
            self.sides.target.finish(stage, self.request.key)

    def _become(self, stage: TableName, proof: Proof) -> None:
        """Let the staged rows become the target, with the record of the lot, in one step."""
        target, name = self.sides.target, self.tables.target.name
        if target.has_transactional_ddl:
            target.rename(stage, name)
            self.lots.record(self._lot(proof))
            target.commit()
        else:
            # Renaming commits by itself: the lot is announced before and confirmed after; a kill between is told by
            # whether the table has its name.
            self.lots.record(self._lot(proof), ANNOUNCED)
            target.commit()
            target.rename(stage, name)
            self.lots.confirm()

    def _prepare_stage(self, stage: TableName) -> bool:
        """Make the staging table, or find the one that a killed load left behind."""
        target = self.sides.target
        wanted = [(pair.target.name, pair.target.type.lower()) for pair in self.pairs]
        name = f"{stage.schema}.{stage.name}" if stage.schema else stage.name
        found = target.find(name)
        if found is not None:
            if [(column.name, column.type.lower()) for column in target.columns(found)] == wanted:
                return True
            target.drop(found)
        columns = [
            NewColumn(pair.target.name, pair.target.type, pair.target.nullable, pair.target.kind) for pair in self.pairs
        ]
        target.create(stage, columns, self.request.key)
        return False

    def _is_plain_copy(self) -> bool:
        is_same = self.sides.source.engine == self.sides.target.engine
        return is_same and len(self.pairs) > 1 and all(pair.source.type == pair.target.type for pair in self.pairs)

    def _stream(
        self, folder: Path, comparison: Comparison, pool: ThreadPoolExecutor, stage: TableName, target: PostgresqlSide
    ) -> None:
        """Load the rows while they are still read: what the source spools, the target takes as it stands."""
        spooler = self._spooler(folder, "source")
        file = folder / "source.spool"
        source = pool.submit(self._read_source, spooler)
        loaded = pool.submit(self._follow, file, spooler, stage, target)
        self._take("source", source.result(), comparison)
        self._judge(comparison)
        with applying(target.address):
            loaded.result()
            if self.result.quarantined:
                with self._timed("apply"):
                    self._remove_refused(comparison, stage)

    def _follow(self, file: Path, spooler: Spooler, stage: TableName, target: PostgresqlSide) -> None:
        with self._timed("load"):
            names = [pair.target.name for pair in self.pairs]
            for part in follow(file, spooler.finished, self.stop):
                target.copy_in(stage, names, [part])

    def _remove_refused(self, comparison: Comparison, stage: TableName) -> None:
        target = self.sides.target
        keys = [next(pair for pair in self.pairs if pair.source.name == name) for name in self.request.key]
        target.begin()
        for pair in keys:
            target.execute(f"DELETE FROM {target.full(stage)} WHERE {target.quote(pair.target.name)} IS NULL")
        gone = comparison.gone(to_file=True, held=True)
        nothing = comparison.nothing(to_file=True)
        target.apply(stage, keys, Changes(gone=gone, changed=nothing), self._counted("apply", gone.rows))
        target.commit()

    def _fill(self, comparison: Comparison, stage: TableName) -> None:
        """Fill the staging table, committed in parts, so that a kill costs little."""
        target = self.sides.target
        if self.result.count("U", "R", "D"):
            target.begin()
            self._apply(comparison, stage)
            target.commit()
            return
        load = comparison.inserts(to_file=target.takes_files)
        target.load(stage, load, self._counted("apply", load.rows), commit_parts=True)

    # --- proof and report ------------------------------------------------------------------------------------------

    def _proof(
        self, source: Buckets, target: Buckets, comparison: Comparison, began: float, *, read_back: bool
    ) -> Proof:
        self.timings["reconcile"] = round(self.timings.get("reconcile", 0) + time.monotonic() - began, 3)
        cost = sum(self.timings.get(name, 0) for name in ("reconcile", "hash_target", "read_target"))
        return prove(source, target, held=comparison.held_in_target(), read_back=read_back, seconds=round(cost, 3))

    def _require_proof(self, proof: Proof) -> None:
        if not proof.equal:
            raise unequal(proof, self._report(proof))

    def _number(self) -> int:
        return (self.last.number if self.last else 0) + (0 if self.request.dry_run else 1)

    def _lot(self, proof: Proof) -> Lot:
        return self.result.lot(self._number(), self.request.cursor, proof, self.source_columns)

    def _report(self, proof: Proof | None) -> SyncReport:
        sides, tables, result = self.sides, self.tables, self.result
        return SyncReport(
            rows=result.rows,
            inserted=result.count("I"),
            updated=result.count("U", "R"),
            deleted=result.count("D"),
            late=result.late,
            unmoved=result.unmoved,
            quarantined=result.quarantined,
            proof=proof,
            lot=self._number(),
            source=sides.source.address.shown,
            table=sides.source.full(tables.source),
            target=sides.target.address.shown,
            target_table=sides.target.full(tables.target),
            key=self.request.key,
            cursor=self.request.cursor,
            watermark=result.watermark,
            previous_watermark=self._watermark_before(),
            created=tables.is_new,
            resumed_rows=result.resumed,
            dry_run=self.request.dry_run,
            quarantine_reasons=result.reasons,
            quarantine_file=result.quarantine_file,
            added_columns=self.added,
            columns=tuple(
                ColumnReport(pair.source.name, pair.source.type, pair.target.type, pair.kind.value)
                for pair in self.pairs
            ),
            warnings=tuple(result.warnings),
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - self.began, 3),
            timings=dict(sorted(self.timings.items())),
        )
