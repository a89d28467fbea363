"""Killed at any moment, filing and paying are done once each, and nothing stands half."""

import random
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from huodang.archive import PaymentRecords, Volumes
from huodang.archive.records import payment_record
from huodang.ledger import Ledger
from huodang.store import Database, FixedClock, SystemClock, jobs
from huodang.trust import FieldSealer, Signer

CASES = 24

VICTIM = """
import sys, time
from dataclasses import replace
from datetime import timedelta
sys.path.insert(0, sys.argv[1])
from archive_samples import IDENTITY, OTHER_IDENTITY, draft, payment
from huodang.archive import PaymentKind, PaymentRecords, Volumes
from huodang.ledger import Ledger
from huodang.standards import Month
from huodang.store import Database, SystemClock, Worker, jobs
from huodang.trust import FieldSealer, Signer

url, folder = sys.argv[2:]
database, clock = Database.open(url), SystemClock()
ledger = Ledger(database, (Signer.load(f"{folder}/keys", "hub"),), "test.example/huodang", clock)
sealer = FieldSealer(f"{folder}/keys")
volumes = Volumes(database, sealer, ledger, clock, f"{folder}/volumes")
payments = PaymentRecords(database, ledger, sealer, clock)

def close(batch):
    for job in batch:
        case, number = f"R-{job.payload['case']}", job.payload["case"]
        staged = volumes.stage(draft(case))
        with database.begin() as connection:
            volumes.file(connection, staged)
            payments.record(connection, payment(case, month=Month(2025, 1) + number), PaymentKind.MONTHLY)
            time.sleep(0.005)
            jobs.complete(connection, job)
    ledger.seal_batch()

lease, poll = timedelta(seconds=0.3), timedelta(seconds=0.02)
worker = Worker(database, {"close": close}, clock, batch=3, lease=lease, max_attempts=1000, poll=poll)
worker.start(threads=2)
print("ready", flush=True)
time.sleep(300)
"""


def test_a_filing_process_killed_at_random_moments_files_and_pays_each_case_once(
    any_database: Database, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    Signer.generate("hub").save(keys)
    sealer = FieldSealer.create(keys)
    clock = SystemClock()
    with any_database.begin() as connection:
        for number in range(CASES):
            jobs.enqueue(connection, "close", {"case": number}, run_at=clock.now())
    url = any_database.engine.url.render_as_string(hide_password=False)
    dice = random.Random(20250303)
    kills, until = 0, time.monotonic() + 240
    arguments = [sys.executable, "-c", VICTIM, str(Path(__file__).parent), url, str(tmp_path)]
    while time.monotonic() < until:
        victim = subprocess.Popen(arguments, stdout=subprocess.PIPE)
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"ready\n"
        time.sleep(dice.uniform(0.01, 0.25 + 0.02 * kills))  # lives grow, so that a slow machine gets done, too
        victim.kill()
        victim.wait()
        victim.stdout.close()
        kills += 1
        with any_database.read() as connection:
            if jobs.pending(connection, clock.now() + timedelta(hours=1)) == 0:
                break
    assert kills >= 2
    ledger = Ledger(any_database, (Signer.load(keys, "hub"),), "test.example/huodang", FixedClock(clock.now()))
    volumes = Volumes(any_database, sealer, ledger, clock, tmp_path / "volumes")
    payments = PaymentRecords(any_database, ledger, sealer, clock)
    ledger.seal_batch()
    records = [volumes.of_case(f"R-{number}") for number in range(CASES)]
    assert all(record is not None and volumes.verify(record.archival_code).intact for record in records)
    assert sorted(int(record.archival_code[-5:]) for record in records if record) == list(range(1, CASES + 1))
    with any_database.read() as connection:
        paid = connection.execute(
            select(payment_record.c.case_id, func.count()).group_by(payment_record.c.case_id)
        ).all()
    assert sorted(paid) == sorted((f"R-{number}", 1) for number in range(CASES))
    assert payments.count() == CASES
    # One leaf a volume and one a payment, and no more: what was rolled back left no evidence.
    assert ledger.size() == 2 * CASES
