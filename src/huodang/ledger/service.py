"""The ledger itself: record evidence in the transaction of its effect, sequence it, prove it.

Recording and sequencing are apart: `record` writes to a pending table in the caller's transaction, so that effect and
evidence stand or fall together; `seal_batch` gives what is pending its place in the log, extends both trees and signs
one checkpoint, all in one transaction. Whatever a crash interrupts is as if it had not begun.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from huodang.ledger import records
from huodang.ledger.audit import LedgerAudit, audit
from huodang.ledger.entries import SALT_BYTES, LedgerEntry, commitment, make_leaf
from huodang.ledger.errors import (
    LedgerDamagedError,
    NotSealedYetError,
    UnfitContentError,
    UnfitLedgerError,
    UnknownEntryError,
)
from huodang.ledger.merkle import TREES, consistency_ranges, inclusion_ranges
from huodang.ledger.notes import NoteText, is_origin, read_note, sign_note, tree_origin
from huodang.ledger.receipts import Receipt, TreeProof
from huodang.ledger.trees import Frontier, fetch_roots, store_nodes
from huodang.store import Clock, Database, insert_rows, serialise
from huodang.trust import Signer, parse_strict

_CHUNK = 1024
# Which suite signs which tree, if a signer of it is there; else the other one signs both.
_PREFERRED = {"sha256": "international", "sm3": "national"}


@dataclass(frozen=True)
class Checkpoint:
    """The signed state of the log after a batch.

    Attributes:
        size: How many leaves the log has.
        at: When it was signed.
        notes: The signed note of each tree: `sha256` and `sm3`.
    """

    size: int
    at: datetime
    notes: dict[str, str]

    def root(self, tree: str) -> bytes:
        """The root that the note of this tree states."""
        return read_note(self.notes[tree]).root


class Ledger:
    """The append-only log of one hub or gateway. Safe to share between threads and processes.

    Args:
        database: Where it is kept.
        signers: One of each suite, so that each tree is signed under its own; one alone signs both.
        origin: The log's name in its checkpoints, a URL without scheme, such as `hebei.example/huodang`.
        clock: Tells the time of checkpoints.

    Raises:
        UnfitLedgerError: No signer, two of one suite, or an origin that is none.
    """

    def __init__(self, database: Database, signers: tuple[Signer, ...], origin: str, clock: Clock) -> None:
        suites = [signer.suite for signer in signers]
        if not signers or len(set(suites)) != len(suites) or not is_origin(origin):
            raise UnfitLedgerError(
                "账本需要至少一个签名者（每种套件至多一个）和合规的名称",
                "A ledger needs a signer (at most one a suite) and a well-formed origin",
                advice_chinese="名称形如 hebei.example/huodang：字母、数字和 . _ / -。",
                advice_english="An origin looks like hebei.example/huodang: letters, digits and . _ / -.",
            )
        self._database = database
        self._signers = {
            tree: next((one for one in signers if one.suite == preferred), signers[0])
            for tree, preferred in _PREFERRED.items()
        }
        self.origin = origin
        self._clock = clock

    def record(self, connection: Connection, entry: LedgerEntry, content: bytes) -> str:
        """Record one entry in the caller's transaction.

        Args:
            connection: The caller's transaction, in which the effect is written too.
            entry: What happened.
            content: What is evidence of it; the ledger keeps only a salted commitment to it.

        Returns:
            The entry's identifier, 32 hexadecimal digits, by which a receipt is asked for later.

        Raises:
            UnfitEntryError: The entry holds more than codes and digests.
        """
        return self.record_all(connection, [(entry, content)])[0]

    def record_all(self, connection: Connection, entries: Sequence[tuple[LedgerEntry, bytes]]) -> list[str]:
        """Record several entries in their order with one statement."""
        rows: list[tuple[str, str, bytes]] = []
        identifiers: list[str] = []
        for entry, content in entries:
            identifier, salt = secrets.token_hex(16), secrets.token_bytes(SALT_BYTES)
            leaf = make_leaf(entry, identifier, salt, content).decode()
            rows.append((identifier, leaf, salt))
            identifiers.append(identifier)
        insert_rows(connection, records.pending, ("entry_id", "leaf", "salt"), rows)
        return identifiers

    def seal_batch(self) -> Checkpoint | None:
        """Sequence all that is pending and sign one checkpoint over both trees.

        Any number of processes may call it: one at a time sequences, the others find nothing left.

        Returns:
            The new checkpoint, or None if nothing was pending.

        Raises:
            LedgerDamagedError: The stored log does not fit its last checkpoint; nothing is signed on top of that.
        """
        with self._database.read() as connection:
            if connection.execute(select(records.pending.c.position).limit(1)).first() is None:
                return None
        with self._database.begin() as connection:
            serialise(connection, "huodang.ledger")
            frontier = self._load_frontier(connection)
            before = frontier.size
            while self._sequence_chunk(connection, frontier):
                pass
            if frontier.size == before:
                return None
            return self._sign_checkpoint(connection, frontier)

    def receipt(self, entry_id: str, content: bytes | None = None) -> Receipt:
        """Prove that an entry is in the log.

        Args:
            entry_id: What `record` returned.
            content: The content recorded, to be revealed in the receipt; None to leave it out.

        Raises:
            UnknownEntryError: There is no such entry.
            NotSealedYetError: No checkpoint covers it yet.
            UnfitContentError: This is not the content that was recorded, or its salt was destroyed.
            LedgerDamagedError: Nodes are missing.
        """
        with self._database.read() as connection:
            row = connection.execute(select(records.leaf).where(records.leaf.c.entry_id == entry_id)).one_or_none()
            latest = _latest(connection)
            if row is None or latest is None or row.leaf_index >= latest.tree_size:
                raise self._not_provable(connection, entry_id)
            try:
                roots = fetch_roots(connection, inclusion_ranges(row.leaf_index, latest.tree_size))
            except KeyError as error:
                raise _damaged() from error
        if content is not None:
            _check_content(row, content)
        notes = {"sha256": latest.sha256_note, "sm3": latest.sm3_note}
        return Receipt(
            origin=self.origin,
            entry_id=entry_id,
            index=row.leaf_index,
            tree_size=latest.tree_size,
            leaf=row.leaf,
            content=content,
            salt=row.salt if content is not None else None,
            trees={
                tree: TreeProof(
                    proof=tuple(both[tree] for both in roots),
                    note=notes[tree],
                    suite=signer.suite,
                    signing=signer.public.signing,
                )
                for tree, signer in self._signers.items()
            },
        )

    def consistency_proof(self, old: int, new: int) -> dict[str, tuple[bytes, ...]]:
        """Prove for each tree that the log of `old` leaves is the beginning of that of `new` leaves.

        Raises:
            ValueError: Not 1 ≤ old ≤ new.
            LedgerDamagedError: Nodes are missing.
        """
        with self._database.read() as connection:
            try:
                roots = fetch_roots(connection, consistency_ranges(old, new))
            except KeyError as error:
                raise _damaged() from error
        return {tree: tuple(both[tree] for both in roots) for tree in TREES}

    def destroy_salt(self, connection: Connection, entry_id: str) -> None:
        """Destroy an entry's salt: from then on nobody can show or guess its content; the leaf stays provable."""
        for table in (records.leaf, records.pending):
            connection.execute(update(table).where(table.c.entry_id == entry_id).values(salt=None))

    def size(self) -> int:
        """How many leaves are sequenced."""
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(records.leaf)).scalar_one()

    def pending(self) -> int:
        """How many entries wait to be sequenced."""
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(records.pending)).scalar_one()

    def latest_checkpoint(self) -> Checkpoint | None:
        """The last checkpoint signed, or None if there is none yet."""
        with self._database.read() as connection:
            latest = _latest(connection)
        return None if latest is None else _checkpoint(latest)

    def verify_all(self, retained: Sequence[Checkpoint] = ()) -> LedgerAudit:
        """Compute everything anew from the leaves and compare with nodes and checkpoints.

        Args:
            retained: Checkpoints kept elsewhere; a log cut back together with its checkpoints shows against these only.
        """
        keys = {tree: signer.public for tree, signer in self._signers.items()}
        with self._database.read() as connection:
            return audit(connection, self.origin, keys, [(one.size, one.notes) for one in retained])

    def _load_frontier(self, connection: Connection) -> Frontier:
        latest = _latest(connection)
        size = 0 if latest is None else latest.tree_size
        count = connection.execute(select(func.max(records.leaf.c.leaf_index))).scalar_one()
        if size != (0 if count is None else count + 1):
            raise _damaged()
        try:
            frontier = Frontier.load(connection, size)
        except KeyError as error:
            raise _damaged() from error
        if latest is not None:
            stated = {"sha256": read_note(latest.sha256_note), "sm3": read_note(latest.sm3_note)}
            for tree, root in frontier.roots().items():
                if stated[tree] != NoteText(tree_origin(self.origin, tree), size, root):
                    raise _damaged()
        return frontier

    def _sequence_chunk(self, connection: Connection, frontier: Frontier) -> bool:
        """Move the oldest pending entries into the log; say whether there were any."""
        table = records.pending
        rows = connection.execute(select(table).order_by(table.c.position).limit(_CHUNK)).all()
        if not rows:
            return False
        leaves: list[tuple[int, str, str, bytes | None]] = []
        nodes: list[tuple[int, int, dict[str, bytes]]] = []
        for row in rows:
            leaves.append((frontier.size, row.entry_id, row.leaf, row.salt))
            nodes.extend(frontier.append(row.leaf.encode()))
        insert_rows(connection, records.leaf, ("leaf_index", "entry_id", "leaf", "salt"), leaves)
        store_nodes(connection, nodes)
        # By position, not by range: on PostgreSQL another transaction may commit a lower one at this moment.
        connection.execute(delete(table).where(table.c.position.in_([row.position for row in rows])))
        return True

    def _sign_checkpoint(self, connection: Connection, frontier: Frontier) -> Checkpoint:
        at = self._clock.now()
        notes = {
            tree: sign_note(NoteText(tree_origin(self.origin, tree), frontier.size, root), self._signers[tree])
            for tree, root in frontier.roots().items()
        }
        connection.execute(
            insert(records.checkpoint).values(
                tree_size=frontier.size, at=at, sha256_note=notes["sha256"], sm3_note=notes["sm3"]
            )
        )
        return Checkpoint(frontier.size, at, notes)

    def _not_provable(self, connection: Connection, entry_id: str) -> NotSealedYetError | UnknownEntryError:
        table = records.pending
        if connection.execute(select(table.c.position).where(table.c.entry_id == entry_id)).first() is None:
            return UnknownEntryError("账本中没有这个条目", "The ledger has no such entry")
        return NotSealedYetError(
            "条目已记录，尚未编入检查点",
            "The entry is recorded but no checkpoint covers it yet",
            advice_chinese="请稍候重试：下一批次即会编入。",
            advice_english="Try again shortly: the next batch covers it.",
        )


def _latest(connection: Connection) -> Row[Any, Any, Any, Any] | None:
    table = records.checkpoint
    return connection.execute(select(table).order_by(table.c.tree_size.desc()).limit(1)).one_or_none()


def _checkpoint(row: Row[Any, Any, Any, Any]) -> Checkpoint:
    return Checkpoint(row.tree_size, row.at, {"sha256": row.sha256_note, "sm3": row.sm3_note})


def _check_content(row: Row[Any, Any, Any, Any], content: bytes) -> None:
    if row.salt is None or parse_strict(row.leaf)["commitment"] != commitment(row.salt, content):
        raise UnfitContentError(
            "要出示的内容与记录时不一致，或其盐值已销毁",
            "The content to reveal is not what was recorded, or its salt was destroyed",
            advice_chinese="可不出示内容，只出具条目凭证。",
            advice_english="Issue the receipt without the content.",
        )


def _damaged() -> LedgerDamagedError:
    return LedgerDamagedError(
        "账本与其最后一个检查点不符，已停止编入",
        "The stored ledger does not fit its last checkpoint; sequencing has stopped",
        advice_chinese="请立即报告安全管理员，保留现场，用 Ledger.verify_all 查明位置后从备份恢复。",
        advice_english="Tell the security administrator, keep all, find the place with Ledger.verify_all, restore.",
    )
