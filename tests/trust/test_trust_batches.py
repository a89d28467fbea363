"""One signature for many envelopes: each is proved by itself, and nothing passes that was not signed."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.trust import (
    EnvelopeError,
    ForgedEnvelopeError,
    MalformedEnvelopeError,
    SignedEnvelope,
    Signer,
    TrustedKeys,
    cosign_envelope,
    open_envelope,
    sign_envelope,
    sign_envelopes,
)

HUB = Signer.generate("hub", "national")
POLICE = Signer.generate("police", "international")
TRUSTED = TrustedKeys((HUB.public, POLICE.public))
signers = st.sampled_from([HUB, POLICE])


def payloads(count: int) -> list[dict[str, int]]:
    return [{"n": number} for number in range(count)]


@given(count=st.integers(0, 40), signer=signers)
@settings(max_examples=40, deadline=None)
def test_each_envelope_of_a_batch_opens_by_itself(count: int, signer: Signer) -> None:
    envelopes = sign_envelopes("grant", payloads(count), signer)
    assert [open_envelope(one.to_json(), "grant", TRUSTED, signer=signer.holder) for one in envelopes] == payloads(
        count
    )
    assert [SignedEnvelope.from_json(one.to_json()) for one in envelopes] == envelopes


def test_one_alone_is_signed_as_ever() -> None:
    (envelope,) = sign_envelopes("grant", payloads(1), HUB)
    assert envelope.signatures[0].batch is None
    assert "batch" not in envelope.to_json()


def test_a_batch_has_one_signature_and_its_digests_are_those_of_single_envelopes() -> None:
    envelopes = sign_envelopes("grant", payloads(5), POLICE)
    assert len({one.signatures[0].signature for one in envelopes}) == 1
    assert [one.digest for one in envelopes] == [sign_envelope("grant", one, POLICE).digest for one in payloads(5)]


@given(
    count=st.integers(2, 20),
    data=st.data(),
    signer=signers,
)
@settings(max_examples=60, deadline=None)
def test_nothing_that_is_changed_passes(count: int, data: st.DataObject, signer: Signer) -> None:
    envelopes = sign_envelopes("grant", payloads(count), signer)
    envelope = envelopes[data.draw(st.integers(0, count - 1))]
    signature = envelope.signatures[0]
    where = signature.batch
    assert where is not None
    change = data.draw(st.sampled_from(["text", "kind", "index", "size", "digest", "longer", "shorter", "alone"]))
    broken = {
        "text": lambda: replace(envelope, payload_text='{"n":99}'),
        "kind": lambda: replace(envelope, kind="verdict"),
        "index": lambda: placed(envelope, index=(where.index + 1) % count),
        "size": lambda: placed(envelope, size=count + data.draw(st.integers(1, 50))),
        "digest": lambda: placed(envelope, path=(bytes(32), *where.path[1:])),
        "longer": lambda: placed(envelope, path=(*where.path, bytes(32))),
        "shorter": lambda: placed(envelope, path=where.path[:-1]),
        "alone": lambda: replace(envelope, signatures=(replace(signature, batch=None),)),
    }[change]()
    with pytest.raises(EnvelopeError):
        open_envelope(broken, broken.kind, TRUSTED)


def placed(envelope: SignedEnvelope, **changes: object) -> SignedEnvelope:
    signature = envelope.signatures[0]
    assert signature.batch is not None
    return replace(envelope, signatures=(replace(signature, batch=replace(signature.batch, **changes)),))


def test_a_text_can_not_borrow_the_place_of_another() -> None:
    first, second = sign_envelopes("grant", payloads(2), HUB)
    with pytest.raises(ForgedEnvelopeError):
        open_envelope(replace(first, signatures=second.signatures), "grant", TRUSTED)


def test_an_inner_node_is_no_leaf() -> None:
    """The digests of two neighbours, put together as a text, are not what was signed."""
    envelopes = sign_envelopes("grant", payloads(4), HUB)
    where = envelopes[0].signatures[0].batch
    assert where is not None
    forged = placed(envelopes[0], index=0, size=2, path=where.path[1:])
    with pytest.raises(ForgedEnvelopeError):
        open_envelope(forged, "grant", TRUSTED)


def test_another_party_may_cosign_an_envelope_of_a_batch() -> None:
    first, _ = sign_envelopes("agreement", payloads(2), HUB)
    both = cosign_envelope(first, POLICE)
    assert open_envelope(both.to_json(), "agreement", TRUSTED, signer=("hub", "police")) == {"n": 0}


@pytest.mark.parametrize(
    "batch",
    [
        1,
        {},
        {"index": 0, "size": 2},
        {"index": "0", "size": 2, "path": []},
        {"index": True, "size": 2, "path": []},
        {"index": 0, "size": 2, "path": ["zz"]},
        {"index": 0, "size": 2, "path": ["00" * 31]},
        {"index": 0, "size": 2, "path": ["00" * 32] * 13},
        {"index": 0, "size": 2, "path": [], "more": 1},
    ],
)
def test_a_malformed_place_is_refused(batch: object) -> None:
    members = json.loads(sign_envelope("grant", {"n": 1}, HUB).to_json())
    members["signatures"][0]["batch"] = batch
    with pytest.raises(MalformedEnvelopeError):
        SignedEnvelope.from_json(json.dumps(members))


@pytest.mark.parametrize(("index", "size"), [(0, 1), (-1, 2), (2, 2), (0, 0), (0, 5000), (0, -2)])
def test_an_impossible_place_is_forged(index: int, size: int) -> None:
    first, _ = sign_envelopes("grant", payloads(2), HUB)
    with pytest.raises(ForgedEnvelopeError):
        open_envelope(placed(first, index=index, size=size), "grant", TRUSTED)
