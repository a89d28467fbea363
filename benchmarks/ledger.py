"""Signatures and the ledger: what a signature costs, how fast entries are recorded and sealed, what a check costs."""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from huodang.ledger import Ledger, LedgerEntry, verify_receipt
from huodang.store import Database, SystemClock
from huodang.trust import Signer, TrustedKeys

SIGNATURES = 3000
BATCHES = (1, 64, 256, 1024)
ENTRIES_A_BATCH_SIZE = 4096
AT = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
FACTS = {"provider": "police", "resource": "police.alive", "outcome": "clear", "grant_digest": "0123456789abcdef" * 4}


def per_cpu_second(action: Callable[[int], object], times: int) -> float:
    """Repeat an action and tell how often a CPU-second does it; the best of three, as the machine is shared."""
    best = 0.0
    for _ in range(3):
        began = time.process_time()
        for number in range(times):
            action(number)
        best = max(best, times / (time.process_time() - began))
    return best


def signatures() -> list[str]:
    """Sign and verify under both suites, with keys parsed once."""
    lines = ["| suite | signatures a CPU-second | verifications a CPU-second |", "|---|---:|---:|"]
    for name, label in (("national", "SM2 with SM3"), ("international", "Ed25519")):
        signer = Signer.generate("hub", name)
        messages = [b"message %d" % number for number in range(SIGNATURES)]
        made = [signer.sign(message) for message in messages]
        signed = per_cpu_second(lambda number, use=signer, texts=messages: use.sign(texts[number]), SIGNATURES)
        checked = per_cpu_second(
            lambda number, use=signer.public, texts=messages, found=made: use.verify(texts[number], found[number]),
            SIGNATURES,
        )
        lines.append(f"| {label} | {signed:,.0f} | {checked:,.0f} |")
    return lines


def appends(folder: Path) -> list[str]:
    """Record in one transaction a batch and seal each batch, on a SQLite file with synchronous=FULL."""
    lines = [
        "| entries a batch | entries a second (wall) | entries a CPU-second | of it sealing |",
        "|---:|---:|---:|---:|",
    ]
    signers = (Signer.generate("hub", "national"), Signer.generate("hub", "international"))
    for size in BATCHES:
        database = Database.open(f"sqlite:///{folder}/batch{size}.db")
        database.migrate()
        ledger = Ledger(database, signers, "benchmark.example/huodang", SystemClock())
        total = min(ENTRIES_A_BATCH_SIZE, size * 200)
        wall, processor, sealing = time.perf_counter(), time.process_time(), 0.0
        for start in range(0, total, size):
            entries = [
                (LedgerEntry("verdict", AT, {**FACTS, "n": str(start + one)}), b"evidence") for one in range(size)
            ]
            with database.begin() as connection:
                ledger.record_all(connection, entries)
            began = time.process_time()
            ledger.seal_batch()
            sealing += time.process_time() - began
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        assert ledger.size() == total
        lines.append(f"| {size} | {total / wall:,.0f} | {total / processor:,.0f} | {sealing / processor:.0%} |")
        database.close()
    return lines


def proofs(folder: Path) -> list[str]:
    """Issue and verify receipts in a log of 50,000 entries, and audit it whole."""
    database = Database.open(f"sqlite:///{folder}/proofs.db")
    database.migrate()
    signers = (Signer.generate("hub", "national"), Signer.generate("hub", "international"))
    ledger = Ledger(database, signers, "benchmark.example/huodang", SystemClock())
    identifiers: list[str] = []
    for _ in range(50):
        with database.begin() as connection:
            identifiers += ledger.record_all(connection, [(LedgerEntry("look", AT, FACTS), b"evidence")] * 1000)
    ledger.seal_batch()
    trusted = TrustedKeys(tuple(one.public for one in signers))
    chosen = identifiers[::250]
    issued: list[float] = []
    checked: list[float] = []
    for entry_id in chosen:
        began = time.perf_counter()
        text = ledger.receipt(entry_id, b"evidence").to_json()
        issued.append(time.perf_counter() - began)
        began = time.perf_counter()
        assert verify_receipt(text, trusted).valid
        checked.append(time.perf_counter() - began)
    began = time.perf_counter()
    audit = ledger.verify_all()
    whole = time.perf_counter() - began
    assert audit.valid
    database.close()
    issuing, checking = (statistics.median(times) * 1000 for times in (issued, checked))
    return [
        f"In a log of {audit.size:,} entries (medians of {len(chosen)}):",
        "",
        f"- a receipt is issued in {issuing:.1f} ms;",
        f"- it is verified offline, both trees and both signatures, in {checking:.1f} ms;",
        f"- the whole log is recomputed and compared in {whole:.1f} s.",
    ]


def run() -> list[str]:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as folder:
        return [*signatures(), "", *appends(Path(folder)), "", *proofs(Path(folder))]
