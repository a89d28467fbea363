"""The guard: what may stand in the ledger and what may not."""

import secrets
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.ledger import LedgerEntry, UnfitEntryError
from huodang.ledger.entries import check_entry, commitment, make_leaf
from huodang.trust import parse_strict

AT = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "clear",
        "police.alive",
        "RT-2025-000017",
        "20250303010000",
        "name,birth_date,death_date",
        "2025-03-03T01:00:00Z",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "1" * 32,
        "1" * 64,
        "sm3:" + "1" * 64,
        "a/b=c+d",
    ],
)
def test_codes_and_digests_may_stand_in_the_ledger(value: str) -> None:
    check_entry(LedgerEntry("verdict", AT, {"fact": value}))


@pytest.mark.parametrize(
    "value",
    [
        "130102196503011234",
        "13010219650301123X",
        "13010219650301123x",
        "130102650301123",
        "subject=130102196503011234",
        "id:130102196503011234:x",
        "id11010119900307803Xend",
        "6222021234567890123",
        "张三",
        "a b",
        "line\n",
        "x" * 257,
        "é",
        5,
        None,
    ],
)
def test_what_could_be_personal_data_or_is_no_code_may_not(value: object) -> None:
    with pytest.raises(UnfitEntryError) as caught:
        check_entry(LedgerEntry("verdict", AT, {"fact": value}))  # type: ignore[dict-item]  # that is the point
    assert caught.value.place.element == "fact"
    assert not str(value) or str(value) not in caught.value.sentence("zh") + caught.value.sentence("en")


@pytest.mark.parametrize(
    "entry",
    [
        LedgerEntry("", AT),
        LedgerEntry("Grant", AT),
        LedgerEntry("结论", AT),
        LedgerEntry("grant", AT.replace(tzinfo=None)),
        LedgerEntry("grant", AT, {f"f{number}": "" for number in range(25)}),
        LedgerEntry("grant", AT, {"Name": "x"}),
        LedgerEntry("grant", AT, {"130102196503011234": "x"}),
    ],
)
def test_a_malformed_entry_is_refused(entry: LedgerEntry) -> None:
    with pytest.raises(UnfitEntryError):
        check_entry(entry)


@given(number=st.binary(min_size=32, max_size=32))
@settings(max_examples=300)
def test_no_digest_is_ever_taken_for_personal_data(number: bytes) -> None:
    check_entry(
        LedgerEntry("look", AT, {"digest": number.hex(), "index": number[:16].hex(), "named": f"sm3:{number.hex()}"})
    )


def test_a_digest_full_of_digits_that_hold_a_right_identity_number_is_still_a_digest() -> None:
    check_entry(LedgerEntry("look", AT, {"digest": "ab" * 23 + "11010119900307803" + "7"}))


def test_a_leaf_holds_codes_and_a_commitment_and_nothing_of_the_content() -> None:
    leaf = make_leaf(LedgerEntry("look", AT, {"element": "name"}), "0" * 32, b"salt" * 8, "张三".encode())
    assert "张三".encode() not in leaf
    assert set(parse_strict(leaf)) == {"format", "entry_id", "kind", "at", "facts", "commitment"}


def test_nobody_guesses_short_content_from_its_commitment_without_the_salt() -> None:
    """The same content never commits to the same value twice, so a list of guesses finds nothing."""
    values = {commitment(secrets.token_bytes(32), b"clear")["sm3"] for _ in range(50)}
    assert len(values) == 50
