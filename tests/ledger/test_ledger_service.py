"""The ledger's life: record, sequence, prove, audit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from huodang.ledger import (
    Ledger,
    LedgerDamagedError,
    LedgerEntry,
    NotSealedYetError,
    UnfitContentError,
    UnfitLedgerError,
    UnknownEntryError,
    records,
    verify_receipt,
)
from huodang.ledger.merkle import TREES, check_consistency, number
from huodang.ledger.notes import is_signed_by, read_note
from huodang.store import Clock, Database
from huodang.trust import Signer, TrustedKeys

ORIGIN = "hebei.example/huodang"
AT = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)

Record = Callable[[int], list[str]]


def test_what_is_recorded_waits_until_a_batch_is_sealed(ledger: Ledger, record: Record) -> None:
    (entry_id,) = record(1)
    assert (ledger.size(), ledger.pending()) == (0, 1)
    with pytest.raises(NotSealedYetError):
        ledger.receipt(entry_id)
    checkpoint = ledger.seal_batch()
    assert checkpoint is not None
    assert (checkpoint.size, ledger.size(), ledger.pending()) == (1, 1, 0)
    assert ledger.latest_checkpoint() == checkpoint


def test_nothing_pending_makes_no_checkpoint(ledger: Ledger, record: Record) -> None:
    assert ledger.seal_batch() is None
    assert ledger.latest_checkpoint() is None
    record(1)
    ledger.seal_batch()
    assert ledger.seal_batch() is None


def test_evidence_stands_or_falls_with_its_effect(database: Database, ledger: Ledger) -> None:
    def fail(connection: Connection) -> None:
        ledger.record(connection, LedgerEntry("payment", AT), b"paid")
        raise RuntimeError("the effect failed")

    with pytest.raises(RuntimeError), database.begin() as connection:
        fail(connection)
    assert ledger.pending() == 0


def test_entries_stand_in_the_order_in_which_they_were_recorded(ledger: Ledger, record: Record) -> None:
    first, second = record(5), record(1500)
    ledger.seal_batch()
    assert [ledger.receipt(first[3]).index, ledger.receipt(second[0]).index, ledger.receipt(second[-1]).index] == [
        3,
        5,
        1504,
    ]


def test_every_leaf_of_every_batch_is_proved_at_any_later_size(
    ledger: Ledger, record: Record, trusted: TrustedKeys
) -> None:
    identifiers: list[str] = []
    for count in (1, 2, 5, 1, 9):
        identifiers += record(count)
        ledger.seal_batch()
        for entry_id in identifiers:
            assert verify_receipt(ledger.receipt(entry_id), trusted).valid
    assert ledger.verify_all().valid


def test_a_checkpoint_is_signed_in_each_tree_under_its_own_suite(
    ledger: Ledger, record: Record, signers: tuple[Signer, Signer]
) -> None:
    record(3)
    checkpoint = ledger.seal_batch()
    assert checkpoint is not None
    national, international = signers
    assert is_signed_by(checkpoint.notes["sha256"], "international", international.public.signing)
    assert is_signed_by(checkpoint.notes["sm3"], "national", national.public.signing)
    assert not is_signed_by(checkpoint.notes["sm3"], "international", international.public.signing)
    assert checkpoint.notes["sha256"].startswith(f"{ORIGIN}\n3\n")
    assert checkpoint.notes["sm3"].startswith(f"{ORIGIN}/sm3\n3\n")
    assert checkpoint.root("sha256") != checkpoint.root("sm3")


@pytest.mark.parametrize("suite", ["national", "international"])
def test_one_signer_alone_signs_both_trees(suite: str, database: Database, clock: Clock) -> None:
    signer = Signer.generate("hub", suite)
    ledger = Ledger(database, (signer,), ORIGIN, clock)
    with database.begin() as connection:
        entry_id = ledger.record(connection, LedgerEntry("grant", AT), b"")
    ledger.seal_batch()
    assert verify_receipt(ledger.receipt(entry_id), TrustedKeys((signer.public,))).valid
    assert ledger.verify_all().valid


def test_two_checkpoints_are_consistent_in_both_trees(ledger: Ledger, record: Record) -> None:
    record(7)
    old = ledger.seal_batch()
    record(30)
    new = ledger.seal_batch()
    assert old is not None
    assert new is not None
    proofs = ledger.consistency_proof(old.size, new.size)
    for tree, digest in TREES.items():
        assert check_consistency(digest, (old.size, old.root(tree)), (new.size, new.root(tree)), proofs[tree])


def test_many_sequencers_at_once_make_no_fork_and_no_gap(
    any_database: Database, signers: tuple[Signer, Signer], clock: Clock
) -> None:
    """Six threads with a ledger and a database of their own each: as processes would, they share only the tables."""
    url = any_database.engine.url.render_as_string(hide_password=False)
    databases = [Database.open(url) for _ in range(6)]

    def work(database: Database) -> list[str]:
        ledger = Ledger(database, signers, ORIGIN, clock)
        identifiers = []
        for turn in range(6):
            with database.begin() as connection:
                identifiers.append(ledger.record(connection, LedgerEntry("look", AT, {"n": str(turn)}), b""))
            ledger.seal_batch()
        return identifiers

    with ThreadPoolExecutor(6) as pool:
        identifiers = [one for found in pool.map(work, databases) for one in found]
    ledger = Ledger(any_database, signers, ORIGIN, clock)
    ledger.seal_batch()
    assert {ledger.receipt(one).index for one in identifiers} == set(range(36))
    audit = ledger.verify_all()
    assert (audit.valid, audit.size) == (True, 36)
    for database in databases:
        database.close()


def test_an_unknown_entry_has_no_receipt(ledger: Ledger, record: Record) -> None:
    record(1)
    ledger.seal_batch()
    with pytest.raises(UnknownEntryError):
        ledger.receipt("0" * 32)


def test_only_the_content_recorded_may_be_revealed(ledger: Ledger, record: Record) -> None:
    entry_id = record(1)[0]
    ledger.seal_batch()
    assert ledger.receipt(entry_id, b"content 0").content == b"content 0"
    with pytest.raises(UnfitContentError):
        ledger.receipt(entry_id, b"content 1")


@pytest.mark.parametrize("sealed", [True, False])
def test_after_its_salt_is_destroyed_an_entry_is_provable_but_its_content_is_not(
    sealed: bool, ledger: Ledger, record: Record, database: Database, trusted: TrustedKeys
) -> None:
    entry_id = record(1)[0]
    if sealed:
        ledger.seal_batch()
    with database.begin() as connection:
        ledger.destroy_salt(connection, entry_id)
    ledger.seal_batch()
    assert verify_receipt(ledger.receipt(entry_id), trusted).valid
    with pytest.raises(UnfitContentError):
        ledger.receipt(entry_id, b"content 0")
    assert ledger.verify_all().valid


@pytest.mark.parametrize("origin", ["", "has space/x", "a+b", "line\nbreak", "账本", "/x", "x" * 201])
def test_an_origin_that_could_break_a_note_is_refused(
    origin: str, database: Database, signers: tuple[Signer, Signer], clock: Clock
) -> None:
    with pytest.raises(UnfitLedgerError):
        Ledger(database, signers, origin, clock)


def test_a_ledger_needs_a_signer_and_not_two_of_one_suite(database: Database, clock: Clock) -> None:
    with pytest.raises(UnfitLedgerError):
        Ledger(database, (), ORIGIN, clock)
    with pytest.raises(UnfitLedgerError):
        Ledger(database, (Signer.generate("hub"), Signer.generate("hub")), ORIGIN, clock)


LEAF, NODE, CHECKPOINT = records.leaf, records.node, records.checkpoint
NOTE_OF_SEVEN = select(CHECKPOINT.c.sha256_note).where(CHECKPOINT.c.tree_size == 7).scalar_subquery()


def swap(database: Database) -> None:
    with database.begin() as connection:
        rows = {row.leaf_index: row for row in connection.execute(select(LEAF).where(LEAF.c.leaf_index.in_([3, 4])))}
        connection.execute(delete(LEAF).where(LEAF.c.leaf_index.in_([3, 4])))
        for index, row in ((3, rows[4]), (4, rows[3])):
            connection.execute(
                insert(LEAF).values(leaf_index=index, entry_id=row.entry_id, leaf=row.leaf, salt=row.salt)
            )


def flip(database: Database) -> None:
    with database.begin() as connection:
        leaf = connection.execute(select(LEAF.c.leaf).where(LEAF.c.leaf_index == 5)).scalar_one()
        connection.execute(update(LEAF).where(LEAF.c.leaf_index == 5).values(leaf=leaf.replace("grant", "grand")))


def execute(statement: object) -> Callable[[Database], None]:
    def change(database: Database) -> None:
        with database.begin() as connection:
            connection.execute(statement)  # type: ignore[call-overload]  # any statement will do

    return change


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (flip, {("altered_leaf", "5")}),
        (swap, {("altered_leaf", "3"), ("altered_leaf", "4")}),
        (execute(update(LEAF).where(LEAF.c.leaf_index == 2).values(entry_id="f" * 32)), {("altered_leaf", "2")}),
        (execute(delete(LEAF).where(LEAF.c.leaf_index == 6)), {("missing_leaf", "6")}),
        (execute(delete(LEAF).where(LEAF.c.leaf_index == 11)), {("cut_tail", "12"), ("surplus_node", "11")}),
        (
            execute(update(NODE).where(NODE.c.number == number((1, 5))).values(sm3=bytes(32))),
            {("altered_node", "1:5"), ("altered_node", "2:2")},
        ),
        (
            execute(delete(NODE).where(NODE.c.number == number((0, 0)))),
            {("altered_leaf", "0")},
        ),
        (execute(insert(NODE).values(number=number((9, 9)), sha256=b"", sm3=b"")), {("surplus_node", "12")}),
        (execute(delete(CHECKPOINT).where(CHECKPOINT.c.tree_size == 12)), {("uncovered_tail", "12")}),
        (
            execute(update(CHECKPOINT).where(CHECKPOINT.c.tree_size == 7).values(sm3_note="nothing")),
            {("altered_checkpoint", "sm3:7")},
        ),
        (
            execute(update(CHECKPOINT).where(CHECKPOINT.c.tree_size == 12).values(sha256_note=NOTE_OF_SEVEN)),
            {("altered_checkpoint", "sha256:12")},
        ),
    ],
)
def test_whatever_is_altered_in_the_stored_log_is_found_and_named(
    change: Callable[[Database], None], found: set[tuple[str, str]], database: Database, ledger: Ledger, record: Record
) -> None:
    record(7)
    ledger.seal_batch()
    record(5)
    ledger.seal_batch()
    assert ledger.verify_all().valid
    change(database)
    audit = ledger.verify_all()
    assert not audit.valid
    assert {(fault.code, fault.place) for fault in audit.faults} >= found
    assert all(fault.place in fault.chinese and fault.place in fault.english for fault in audit.faults)


def test_a_checkpoint_under_another_key_is_found(
    database: Database, ledger: Ledger, record: Record, clock: Clock
) -> None:
    record(3)
    ledger.seal_batch()
    other = Ledger(database, (Signer.generate("hub"), Signer.generate("hub", "international")), ORIGIN, clock)
    assert {fault.code for fault in other.verify_all().faults} == {"forged_checkpoint"}


def test_a_log_cut_back_with_its_checkpoints_shows_against_one_kept_elsewhere(
    database: Database, ledger: Ledger, record: Record
) -> None:
    record(4)
    ledger.seal_batch()
    record(3)
    kept = ledger.seal_batch()
    assert kept is not None
    assert ledger.verify_all([kept]).valid
    with database.begin() as connection:
        connection.execute(delete(CHECKPOINT).where(CHECKPOINT.c.tree_size > 4))
        connection.execute(delete(LEAF).where(LEAF.c.leaf_index >= 4))
        connection.execute(delete(NODE).where(NODE.c.number > number((2, 0)) + 3))  # right of the first four leaves
    assert ledger.verify_all().valid
    assert [fault.code for fault in ledger.verify_all([kept]).faults] == ["cut_tail"]


def test_a_rewritten_log_shows_against_a_checkpoint_kept_elsewhere(
    ledger: Ledger, record: Record, new_sqlite: Callable[[str], str], signers: tuple[Signer, Signer], clock: Clock
) -> None:
    record(4)
    kept = ledger.seal_batch()
    assert kept is not None
    rewritten_database = Database.open(new_sqlite("rewritten.db"))
    rewritten = Ledger(rewritten_database, signers, ORIGIN, clock)
    with rewritten_database.begin() as connection:
        rewritten.record_all(connection, [(LedgerEntry("grant", AT), b"")] * 4)
    rewritten.seal_batch()
    assert rewritten.verify_all().valid
    assert {fault.code for fault in rewritten.verify_all([kept]).faults} == {"altered_checkpoint"}
    rewritten_database.close()


@pytest.mark.parametrize(
    "change",
    [
        execute(delete(LEAF).where(LEAF.c.leaf_index == 6)),
        execute(delete(NODE).where(NODE.c.number == number((2, 0)))),
        execute(update(NODE).where(NODE.c.number == number((2, 0))).values(sha256=bytes(32))),
        execute(delete(CHECKPOINT)),
    ],
)
def test_nothing_is_signed_on_top_of_a_damaged_log(
    change: Callable[[Database], None], database: Database, ledger: Ledger, record: Record
) -> None:
    record(7)
    ledger.seal_batch()
    change(database)
    record(1)
    with pytest.raises(LedgerDamagedError):
        ledger.seal_batch()
    assert ledger.pending() == 1


def test_a_ledger_of_another_name_does_not_go_on_with_this_log(
    database: Database, ledger: Ledger, record: Record, signers: tuple[Signer, Signer], clock: Clock
) -> None:
    record(1)
    ledger.seal_batch()
    record(1)
    with pytest.raises(LedgerDamagedError):
        Ledger(database, signers, "elsewhere.example/huodang", clock).seal_batch()


def test_missing_nodes_give_an_error_and_never_a_false_proof(
    database: Database, ledger: Ledger, record: Record
) -> None:
    entry_id = record(4)[0]
    ledger.seal_batch()
    execute(delete(NODE).where(NODE.c.number == number((1, 1))))(database)
    with pytest.raises(LedgerDamagedError):
        ledger.receipt(entry_id)
    with pytest.raises(LedgerDamagedError):
        ledger.consistency_proof(2, 4)


def test_a_checkpoint_states_what_its_note_says(ledger: Ledger, record: Record) -> None:
    record(2)
    checkpoint = ledger.seal_batch()
    assert checkpoint is not None
    text = read_note(checkpoint.notes["sm3"])
    assert (text.origin, text.size, text.root) == (f"{ORIGIN}/sm3", 2, checkpoint.root("sm3"))
