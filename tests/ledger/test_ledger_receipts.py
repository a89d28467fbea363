"""Receipts: valid anywhere, and never valid once anything in them was changed."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.ledger import DamagedReceiptError, Ledger, LedgerEntry, NotAReceiptError, Receipt, verify_receipt
from huodang.ledger.notes import NoteText, sign_note
from huodang.store import Database, FixedClock
from huodang.trust import PublicKey, Signer, TrustedKeys

ORIGIN = "hebei.example/huodang"
AT = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)


@pytest.fixture
def receipt(ledger: Ledger, record: Callable[[int], list[str]]) -> Receipt:
    """The receipt of the fifth of eleven entries, with its content revealed."""
    identifiers = record(11)
    ledger.seal_batch()
    return ledger.receipt(identifiers[4], b"content 4")


def failed(report: object) -> set[str]:
    return {check.code for check in report.checks if not check.passed}  # type: ignore[attr-defined]  # a report


def test_a_receipt_survives_its_file_and_is_valid(receipt: Receipt, trusted: TrustedKeys) -> None:
    text = receipt.to_json()
    assert Receipt.from_json(text) == receipt
    assert Receipt.from_json(text.encode()) == receipt
    report = verify_receipt(text, trusted)
    assert report.valid
    assert report.key_source == "trust"
    assert report.content == b"content 4"
    assert report.entry is not None
    assert (report.entry.kind, report.entry.at, report.entry.facts) == ("grant", AT, {"number": "4"})
    assert {check.code for check in report.checks} == {
        "leaf",
        "content",
        *(f"{check}.{tree}" for check in ("checkpoint", "inclusion", "signature", "key") for tree in ("sha256", "sm3")),
    }


def test_every_check_speaks_chinese_and_english(receipt: Receipt, trusted: TrustedKeys) -> None:
    for check in verify_receipt(receipt, trusted).checks:
        assert check.chinese.endswith("：通过")
        assert check.english.endswith(": holds")


def test_without_trusted_keys_a_receipt_shows_only_that_it_agrees_with_itself(receipt: Receipt) -> None:
    report = verify_receipt(receipt, None)
    assert report.valid
    assert report.key_source == "receipt"
    assert not any(check.code.startswith("key.") for check in report.checks)


def test_a_receipt_without_content_proves_the_entry(ledger: Ledger, receipt: Receipt, trusted: TrustedKeys) -> None:
    bare = ledger.receipt(receipt.entry_id)
    assert "content" not in {check.code for check in verify_receipt(bare, trusted).checks}
    assert verify_receipt(bare.to_json(), trusted).valid
    assert Receipt.from_json(bare.to_json()).salt is None


def test_a_receipt_from_a_stranger_agrees_with_itself_but_is_not_trusted(receipt: Receipt) -> None:
    strangers = TrustedKeys((Signer.generate("hub").public, Signer.generate("hub", "international").public))
    assert failed(verify_receipt(receipt, strangers)) == {"key.sha256", "key.sm3"}


def test_a_departments_key_does_not_pass_as_the_ledgers(receipt: Receipt, signers: tuple[Signer, Signer]) -> None:
    keys = [replace(one.public, holder="police") for one in signers]
    assert failed(verify_receipt(receipt, TrustedKeys(tuple(keys)))) == {"key.sha256", "key.sm3"}
    assert verify_receipt(receipt, TrustedKeys(tuple(keys)), operator="police").valid


def test_a_revoked_key_or_one_not_in_force_at_the_time_makes_a_receipt_invalid(
    receipt: Receipt, signers: tuple[Signer, Signer]
) -> None:
    def with_key(**changes: object) -> set[str]:
        keys: list[PublicKey] = [replace(signers[0].public, **changes), signers[1].public]  # type: ignore[arg-type]  # by name
        return failed(verify_receipt(receipt, TrustedKeys(tuple(keys))))

    assert with_key() == set()
    assert with_key(revoked_at=AT + timedelta(days=1)) == {"key.sm3"}
    assert with_key(valid_from=AT + timedelta(days=1)) == {"key.sm3"}
    assert with_key(valid_to=AT - timedelta(days=1)) == {"key.sm3"}
    assert with_key(valid_to=AT + timedelta(days=1)) == set()  # it expired since, but signed in its time


def leaves_of(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The paths to every text and number of a JSON value."""
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in leaves_of(inner, (*path, key))]
    if isinstance(value, list):
        return [one for index, inner in enumerate(value) for one in leaves_of(inner, (*path, index))]
    return [path]


PRINTABLE = st.characters(min_codepoint=33, max_codepoint=126)


@pytest.fixture(scope="module")
def receipt_text(
    tmp_path_factory: pytest.TempPathFactory, signers: tuple[Signer, Signer], migrated_template: object
) -> str:
    """One receipt for all examples of the property tests."""
    path = tmp_path_factory.mktemp("receipt") / "ledger.db"
    shutil.copyfile(str(migrated_template), path)
    database = Database.open(f"sqlite:///{path}")
    ledger = Ledger(database, signers, ORIGIN, FixedClock(AT))
    with database.begin() as connection:
        identifiers = ledger.record_all(
            connection, [(LedgerEntry("verdict", AT, {"outcome": "clear"}), b"the content")] * 6
        )
    ledger.seal_batch()
    text = ledger.receipt(identifiers[2], b"the content").to_json()
    database.close()
    return text


def is_refused(text: str, trusted: TrustedKeys | None) -> bool:
    try:
        return not verify_receipt(text, trusted).valid
    except NotAReceiptError:
        return True


@given(data=st.data(), with_trust=st.booleans())
@settings(max_examples=300, deadline=None)
def test_no_receipt_in_which_a_character_was_changed_is_valid(
    data: st.DataObject, with_trust: bool, receipt_text: str, trusted: TrustedKeys
) -> None:
    members = json.loads(receipt_text)
    path = data.draw(st.sampled_from(leaves_of(members)))
    holder = members
    for step in path[:-1]:
        holder = holder[step]
    old = holder[path[-1]]
    if isinstance(old, int):
        holder[path[-1]] = data.draw(st.integers(-5, 2**53).filter(lambda new: new != old))
    else:
        at = data.draw(st.integers(0, len(old) - 1))
        holder[path[-1]] = old[:at] + data.draw(PRINTABLE.filter(lambda new: new != old[at])) + old[at + 1 :]
    assert is_refused(json.dumps(members), trusted if with_trust else None)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_no_receipt_from_which_something_was_taken_or_to_which_something_was_added_is_valid(
    data: st.DataObject, receipt_text: str
) -> None:
    members = json.loads(receipt_text)
    path = data.draw(st.sampled_from(leaves_of(members)))
    holder = members
    for step in path[:-1]:
        holder = holder[step]
    if data.draw(st.booleans()):
        del holder[path[-1]]
    elif isinstance(holder, list):
        holder.append(holder[0])
    else:
        holder["surplus"] = "x"
    assert is_refused(json.dumps(members), None)


@pytest.mark.parametrize("tree", ["sha256", "sm3"])
def test_a_proof_taken_from_another_entry_is_not_valid(
    tree: str, ledger: Ledger, record: Callable[[int], list[str]], trusted: TrustedKeys
) -> None:
    one, two = record(2)
    ledger.seal_batch()
    first, second = ledger.receipt(one), ledger.receipt(two)
    mixed = replace(first, trees={**first.trees, tree: second.trees[tree]})
    assert failed(verify_receipt(mixed, trusted)) == {f"inclusion.{tree}"}


def test_both_trees_must_hold_whichever_is_attacked(receipt: Receipt, trusted: TrustedKeys) -> None:
    """Whoever could forge one hash function still fails in the other tree."""
    for tree in receipt.trees:
        broken = replace(receipt.trees[tree], proof=tuple(bytes(32) for _ in receipt.trees[tree].proof))
        report = verify_receipt(replace(receipt, trees={**receipt.trees, tree: broken}), trusted)
        assert failed(report) == {f"inclusion.{tree}"}


def test_a_checkpoint_of_another_log_or_size_under_the_right_key_is_not_valid(
    receipt: Receipt, signers: tuple[Signer, Signer], trusted: TrustedKeys
) -> None:
    root = NoteText("elsewhere.example/huodang", receipt.tree_size, bytes(32))
    for text in (root, replace(root, origin=receipt.origin, size=12)):
        tree = replace(receipt.trees["sha256"], note=sign_note(text, signers[1]))
        report = verify_receipt(replace(receipt, trees={**receipt.trees, "sha256": tree}), trusted)
        assert failed(report) == {"checkpoint.sha256", "inclusion.sha256"}


def test_a_signature_of_an_unknown_witness_beside_ours_does_no_harm(receipt: Receipt, trusted: TrustedKeys) -> None:
    tree = receipt.trees["sha256"]
    noted = replace(tree, note=tree.note + "— witness.example/police AAAAAAECAwQ=\n")
    assert verify_receipt(replace(receipt, trees={**receipt.trees, "sha256": noted}), trusted).valid


@pytest.mark.parametrize("data", [b"", b"x", b"[]", b"{}", b'{"format":"huodang-receipt-9"}', b"\xff", b"[" * 10_000])
def test_what_is_no_receipt_is_told_apart_from_one_that_is_not_valid(data: bytes) -> None:
    with pytest.raises(NotAReceiptError):
        verify_receipt(data, None)


def test_a_receipt_with_a_broken_member_is_reported_as_not_valid(receipt: Receipt) -> None:
    members = json.loads(receipt.to_json())
    del members["leaf"]
    with pytest.raises(DamagedReceiptError):
        Receipt.from_json(json.dumps(members))
    assert failed(verify_receipt(json.dumps(members), None)) == {"form"}
