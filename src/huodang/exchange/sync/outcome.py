"""What a lot found and did, what it must not do, and whether it is proved. Pure."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from huodang.exchange.sync.comparison import Buckets
from huodang.exchange.sync.errors import MassDeleteError, ProofError
from huodang.exchange.sync.state import Lot
from huodang.exchange.sync.values import Proof, SyncReport

# A lot that would delete more than half of a table of more than a hundred rows is more often a fault than a wish.
PROTECTED_ROWS: Final = 100
PROTECTED_SHARE: Final = 0.5
_MOST_NAMED: Final = 50


@dataclass
class Outcome:
    """What a lot has found so far; `counts` by operation: I insert, U update, R replace, D delete."""

    rows: int = 0
    quarantined: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    late: int = 0
    unmoved: int = 0
    watermark: str | None = None
    resumed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    quarantine_file: str | None = None
    warnings: list[str] = field(default_factory=list)

    def count(self, *operations: str) -> int:
        """Count changes of these operations."""
        return sum(self.counts.get(operation, 0) for operation in operations)

    def lot(self, number: int, cursor: str | None, proof: Proof, columns: tuple[tuple[str, str], ...]) -> Lot:
        """Give the lot as the target remembers it."""
        return Lot(
            number=number,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            rows=self.rows,
            inserted=self.count("I"),
            updated=self.count("U", "R"),
            deleted=self.count("D"),
            late=self.late,
            quarantined=self.quarantined,
            watermark=self.watermark,
            cursor=cursor,
            source_root=proof.source_root,
            target_root=proof.target_root,
            columns=columns,
        )


def protect(*, held: int, rows: int, deleted: int) -> None:
    """Refuse a lot that would delete so much that a broken source is the likelier cause.

    Args:
        held: rows of the target.
        rows: rows of the source.
        deleted: rows that the lot would delete.

    Raises:
        MassDeleteError: the source is empty, or over half of a target of more than a hundred rows would go.
    """
    if rows == 0 and held > 0:
        raise _mass_delete(
            f"来源表是空的，目标表却有 {held} 行；为防来源出错，未执行",
            f"the source is empty and the target holds {held} rows; not done, in case the source is broken",
        )
    if held > PROTECTED_ROWS and deleted > held * PROTECTED_SHARE:
        raise _mass_delete(
            f"本批次将删除目标表 {held} 行中的 {deleted} 行，超过一半；为防来源出错，未执行",
            f"the lot would delete {deleted} of the target's {held} rows, over half; not done, in case the source is "
            "broken",
        )


def _mass_delete(chinese: str, english: str) -> MassDeleteError:
    return MassDeleteError(
        chinese,
        english,
        advice_chinese="请核对来源；确实要删除时加 --allow-mass-delete。",
        advice_english="Check the source; if it is meant, add --allow-mass-delete.",
    )


def prove(source: Buckets, target: Buckets, *, held: int, read_back: bool, seconds: float) -> Proof:
    """Compare the buckets of both sides."""
    names = sorted(set(source.hashes) | set(target.hashes))
    return Proof(
        equal=source.root == target.root and source.rows == target.rows,
        source_rows=source.rows,
        target_rows=target.rows,
        source_root=source.root,
        target_root=target.root,
        held_rows=held,
        unequal_buckets=tuple(int(name, 16) for name in names if source.hashes.get(name) != target.hashes.get(name)),
        read_back=read_back,
        seconds=seconds,
    )


def unequal(proof: Proof, report: SyncReport) -> ProofError:
    """Give the error of a lot that was taken back as its proof fails."""
    shown = "、".join(map(str, proof.unequal_buckets[:_MOST_NAMED]))
    error = ProofError(
        f"写入后读回，目标与来源不一致（{len(proof.unequal_buckets)} 个桶：{shown}）；本批次已撤回",
        f"read back, the target differs from the source in {len(proof.unequal_buckets)} buckets ({shown}); "
        "the lot was taken back",
        advice_chinese="常见原因：目标表的触发器或列类型改写了数据，或同步期间另有程序写目标表。",
        advice_english="Often a trigger or a column type of the target changes values, or another program wrote "
        "to the target meanwhile.",
    )
    error.report = report
    return error
