"""Signed envelopes: what passes, and everything that must not."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.trust import (
    EnvelopeError,
    EnvelopeSignature,
    EnvelopeTooLargeError,
    ExpiredKeyError,
    ForgedEnvelopeError,
    MalformedEnvelopeError,
    MissingSignatureError,
    NotCanonicalError,
    PublicKey,
    RevokedKeyError,
    SignedEnvelope,
    Signer,
    TrustedKeys,
    UnknownKeyError,
    WrongKindError,
    canonical_json,
    cosign_envelope,
    open_envelope,
    parse_strict,
    sign_envelope,
)

HUB = Signer.generate("hub", "national")
POLICE = Signer.generate("police", "international")
HEALTH = Signer.generate("health", "national")
TRUSTED = TrustedKeys((HUB.public, POLICE.public, HEALTH.public))
NOW = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
payloads = st.dictionaries(st.text(max_size=8), values, max_size=5)
signers = st.sampled_from([HUB, POLICE])


@given(payload=payloads, signer=signers)
@settings(max_examples=60, deadline=None)
def test_what_was_signed_is_what_is_opened(payload: dict, signer: Signer) -> None:
    envelope = sign_envelope("grant", payload, signer)
    assert open_envelope(envelope.to_json(), "grant", TRUSTED, signer=signer.holder) == payload
    assert open_envelope(envelope.to_json().encode(), "grant", TRUSTED) == payload
    assert SignedEnvelope.from_json(envelope.to_json()) == envelope


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53) + 1, 2**53 - 1)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
        max_leaves=12,
    )
)
def test_canonical_json_is_what_json_writes_with_sorted_keys_and_no_spaces(value: object) -> None:
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    assert canonical_json(value) == written.encode()


@given(payload=payloads)
@settings(max_examples=60)
def test_canonical_json_has_one_form_whatever_the_order_of_the_keys(payload: dict) -> None:
    backwards = dict(reversed(list(payload.items())))
    assert canonical_json(payload) == canonical_json(backwards)
    assert parse_strict(canonical_json(payload)) == payload


@given(at=st.integers(min_value=0), bit=st.integers(0, 7), signer=signers)
@settings(max_examples=150, deadline=None)
def test_no_flipped_bit_of_an_envelope_passes(at: int, bit: int, signer: Signer) -> None:
    data = bytearray(sign_envelope("grant", {"subject": "abc", "elements": ["name"]}, signer).to_json().encode())
    data[at % len(data)] ^= 1 << bit
    with pytest.raises(EnvelopeError):
        open_envelope(bytes(data), "grant", TRUSTED)


def test_a_grant_never_passes_as_a_verdict() -> None:
    envelope = sign_envelope("grant", {"outcome": "clear"}, HUB)
    with pytest.raises(WrongKindError):
        open_envelope(envelope, "verdict", TRUSTED)
    renamed = SignedEnvelope("verdict", envelope.payload_text, envelope.signatures)
    with pytest.raises(ForgedEnvelopeError):
        open_envelope(renamed, "verdict", TRUSTED)


def test_one_holders_words_never_pass_as_anothers_even_with_the_same_key() -> None:
    twin = PublicKey("health", HUB.suite, HUB.public.signing, HUB.public.sealing)
    envelope = sign_envelope("grant", {"a": "1"}, HUB)
    members = json.loads(envelope.to_json())
    members["signatures"][0]["holder"] = "health"
    with pytest.raises(ForgedEnvelopeError):
        open_envelope(json.dumps(members), "grant", TrustedKeys((HUB.public, twin)))


def test_an_agreement_carries_two_signatures_and_both_are_checked() -> None:
    agreement = cosign_envelope(sign_envelope("agreement", {"id": "A-1"}, POLICE), HUB)
    assert open_envelope(agreement.to_json(), "agreement", TRUSTED, signer=("hub", "police")) == {"id": "A-1"}
    assert [one.holder for one in agreement.signatures] == ["police", "hub"]
    broken = SignedEnvelope(
        agreement.kind, agreement.payload_text, (agreement.signatures[0], HEALTH_SIGNATURE_OF_OTHER_WORDS)
    )
    with pytest.raises(ForgedEnvelopeError):
        open_envelope(broken, "agreement", TRUSTED)


HEALTH_SIGNATURE_OF_OTHER_WORDS = sign_envelope("agreement", {"id": "A-2"}, HEALTH).signatures[0]


def test_a_required_signer_who_has_not_signed_is_missed() -> None:
    envelope = sign_envelope("agreement", {"id": "A-1"}, POLICE)
    with pytest.raises(MissingSignatureError):
        open_envelope(envelope, "agreement", TRUSTED, signer=("hub", "police"))


def test_nobody_signs_twice() -> None:
    with pytest.raises(MalformedEnvelopeError):
        cosign_envelope(sign_envelope("agreement", {}, HUB), HUB)


def test_a_second_signature_changes_neither_digest_nor_payload() -> None:
    once = sign_envelope("agreement", {"id": "A-1"}, POLICE)
    twice = cosign_envelope(once, HUB)
    assert once.digest == twice.digest
    assert once.digest != sign_envelope("grant", {"id": "A-1"}, POLICE).digest
    assert len(once.digest) == 64


def test_an_untrusted_key_is_unknown_even_under_a_trusted_name() -> None:
    impostor = Signer.generate("hub", "national")
    with pytest.raises(UnknownKeyError):
        open_envelope(sign_envelope("grant", {}, impostor), "grant", TRUSTED)


def test_a_revoked_key_counts_until_its_revocation_and_not_after() -> None:
    trusted = TrustedKeys((HUB.public,))
    trusted.revoke("hub", HUB.key_id, NOW)
    envelope = sign_envelope("grant", {}, HUB)
    assert open_envelope(envelope, "grant", trusted, at=NOW - timedelta(seconds=1)) == {}
    for moment in (NOW, NOW + timedelta(days=1), None):
        with pytest.raises(RevokedKeyError):
            open_envelope(envelope, "grant", trusted, at=moment)


def test_a_key_counts_only_within_its_validity() -> None:
    key = PublicKey(
        "hub", HUB.suite, HUB.public.signing, HUB.public.sealing, valid_from=NOW, valid_to=NOW + timedelta(days=1)
    )
    trusted = TrustedKeys((key,))
    envelope = sign_envelope("grant", {}, HUB)
    assert open_envelope(envelope, "grant", trusted, at=NOW + timedelta(hours=1)) == {}
    for moment in (NOW - timedelta(seconds=1), NOW + timedelta(days=2), None):
        with pytest.raises(ExpiredKeyError):
            open_envelope(envelope, "grant", trusted, at=moment)


def test_what_a_replaced_key_signed_before_its_end_still_counts() -> None:
    trusted = TrustedKeys((HUB.public,))
    trusted.retire("hub", HUB.key_id, NOW)
    envelope = sign_envelope("grant", {}, HUB)
    assert open_envelope(envelope, "grant", trusted, at=NOW - timedelta(seconds=1)) == {}
    with pytest.raises(ExpiredKeyError):
        open_envelope(envelope, "grant", trusted, at=NOW + timedelta(seconds=1))


GOOD = json.loads(sign_envelope("grant", {"a": "1"}, HUB).to_json())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"format":"huodang-envelope-1","format":"huodang-envelope-1"}',
        b"[" * 100_000,
        b'{"a":' * 5_000,
        json.dumps({**GOOD, "more": 1}).encode(),
        json.dumps({**GOOD, "kind": 1}).encode(),
        json.dumps({**GOOD, "kind": "Grant\0"}).encode(),
        json.dumps({**GOOD, "payload": {"a": "1"}}).encode(),
        json.dumps({**GOOD, "format": "huodang-envelope-2"}).encode(),
        json.dumps({**GOOD, "signatures": []}).encode(),
        json.dumps({**GOOD, "signatures": None}).encode(),
        json.dumps({**GOOD, "signatures": GOOD["signatures"] * 2}).encode(),
        json.dumps({**GOOD, "signatures": [{**GOOD["signatures"][0], "signature": "?"}]}).encode(),
        json.dumps({**GOOD, "signatures": [{**GOOD["signatures"][0], "signature": 5}]}).encode(),
        json.dumps({**GOOD, "signatures": [{**GOOD["signatures"][0], "extra": "x"}]}).encode(),
        json.dumps({**GOOD, "signatures": ["hub"]}).encode(),
        json.dumps({**GOOD, "number": 1.5}).encode(),
        json.dumps({**GOOD, "payload": "\ud800"}).encode(),
    ],
)
def test_what_is_no_envelope_is_malformed_whatever_it_is(data: bytes) -> None:
    with pytest.raises(MalformedEnvelopeError):
        open_envelope(data, "grant", TRUSTED)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', '{"a":1.0}', '{"a":1e3}', '{"a":NaN}', '{"a":9007199254740992}', "[]", '{"a":"\\ud800"}']
)
def test_a_signed_payload_that_readers_could_take_differently_is_malformed(text: str) -> None:
    signature = HUB.sign(f"huodang-envelope-1\0grant\0hub\0{text}".encode())
    signed = SignedEnvelope("grant", text, (EnvelopeSignature("hub", HUB.suite, HUB.key_id, signature),))
    with pytest.raises(MalformedEnvelopeError):
        open_envelope(signed, "grant", TRUSTED)


@pytest.mark.parametrize("value", [1.0, float("nan"), {1: "a"}, b"x", NOW, 2**53, "\ud800", {"a": {"b": {1.5}}}])
def test_what_has_no_canonical_form_is_not_signed(value: object) -> None:
    with pytest.raises(NotCanonicalError):
        sign_envelope("grant", {"value": value}, HUB)


def test_nesting_beyond_sixteen_levels_is_refused_both_ways() -> None:
    deep: dict = {}
    for _ in range(16):
        deep = {"a": deep}
    with pytest.raises(NotCanonicalError):
        canonical_json(deep)
    with pytest.raises(NotCanonicalError):
        parse_strict(json.dumps(deep))
    assert parse_strict(canonical_json(deep["a"])) == deep["a"]


def test_an_envelope_beyond_the_bound_is_refused_before_it_is_read() -> None:
    with pytest.raises(EnvelopeTooLargeError):
        open_envelope(b"x" * (1024 * 1024 + 1), "grant", TRUSTED)
    with pytest.raises(EnvelopeTooLargeError):
        sign_envelope("grant", {"a": "x" * (1024 * 1024 + 1)}, HUB)
    envelope = sign_envelope("grant", {"a": "x" * 500}, HUB).to_json()
    with pytest.raises(EnvelopeTooLargeError):
        open_envelope(envelope, "grant", TRUSTED, limit=400)


def test_every_refusal_has_its_own_code_and_speaks_chinese_and_english() -> None:
    errors = [EnvelopeTooLargeError, MalformedEnvelopeError, WrongKindError, UnknownKeyError, ForgedEnvelopeError]
    errors += [RevokedKeyError, ExpiredKeyError, MissingSignatureError]
    assert len({error.code for error in errors}) == len(errors)
    with pytest.raises(WrongKindError) as caught:
        open_envelope(sign_envelope("grant", {}, HUB), "verdict", TRUSTED)
    assert "信封种类不符" in caught.value.sentence("zh")
    assert "another kind" in caught.value.sentence("en")
