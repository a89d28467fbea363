"""The protocol of matching: what each side learns, and what it refuses."""

import hashlib
import threading
import unicodedata
from collections.abc import Iterator

import numpy as np
import pytest
import rbcl
from hypothesis import given, settings
from hypothesis import strategies as st
from matching_sides import InProcess, numbers, texts, waited

from huodang.exchange.matching import (
    BudgetError,
    HoldingSession,
    Lanes,
    MalformedMessageError,
    MalformedPointError,
    Normalisation,
    NormalisationError,
    PeerLostError,
    Sessions,
    SetTooLargeError,
    SetTooSmallError,
    Terms,
    VersionError,
    Welcome,
    collect,
    identity_values,
    match,
)
from huodang.exchange.matching.messages import CHUNK, PROTOCOL, SUITE, check_terms
from huodang.exchange.matching.oblivious import blind, commitment, inverse, multiply, output, random_scalar, scalar_of
from huodang.exchange.matching.sketches import likeness, nearly_identical, sketch


@pytest.fixture(scope="module")
def workers() -> Iterator[Lanes]:
    lanes = Lanes(2)
    yield lanes
    lanes.close()


def terms(size: int = 1, **changes: object) -> Terms:
    told = {
        "version": PROTOCOL,
        "suite": SUITE,
        "normalisation": "text",
        "size": size,
        "size_only": False,
        "nonce": "0" * 32,
    }
    return Terms(**(told | changes))  # type: ignore[arg-type]


def points(count: int) -> bytes:
    return b"".join(rbcl.crypto_core_ristretto255_random() for _ in range(count))


@pytest.mark.parametrize(
    ("value", "blinded", "evaluated", "result"),
    [
        (
            "00",
            "609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c",
            "7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e",
            (
                "527759c3d9366f277d8c6020418d96bb393ba2afb20ff90df23fb7708264e2f3"
                "ab9135e3bd69955851de4b1f9fe8a0973396719b7912ba9ee8aa7d0b5e24bcf6"
            ),
        ),
        (
            "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
            "da27ef466870f5f15296299850aa088629945a17d1f5b7f5ff043f76b3c06418",
            "b4cbf5a4f1eeda5a63ce7b77c7d23f461db3fcab0dd28e4e17cecb5c90d02c25",
            (
                "f4a74c9c592497375e796aa837e907b1a045d34306a749db9f34221f7e750cb4"
                "f2a6413a6bf6fa5e19ba6348eb673934a722a7ede2e7621306d18951e7cf2c73"
            ),
        ),
    ],
)
def test_function_gives_the_vectors_of_rfc_9497(value: str, blinded: str, evaluated: str, result: str) -> None:
    key = bytes.fromhex("5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e")
    secret = bytes.fromhex("64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706")
    sent = blind(secret, bytes.fromhex(value))
    assert sent.hex() == blinded
    assert multiply(key, sent).hex() == evaluated
    assert output(bytes.fromhex(value), multiply(inverse(secret), multiply(key, sent))).hex() == result


@settings(max_examples=25)
@given(st.sets(st.text(max_size=4)), st.sets(st.text(max_size=4)), st.booleans())
def test_match_finds_what_plain_intersection_finds(
    workers: Lanes, own: set[str], theirs: set[str], size_only: bool
) -> None:
    ours, held = texts(*sorted(own)), texts(*sorted(theirs))
    result = match(ours, InProcess(held, workers), workers, size_only=size_only, smallest_held=0)
    plain = _normal(own) & _normal(theirs)
    assert (result.overlap, result.queried, result.held) == (len(plain), len(_normal(own)), len(_normal(theirs)))
    if size_only:
        assert result.members is None
    else:
        assert result.members is not None
        listed = sorted(own)
        assert _normal({listed[row] for row in ours.rows[result.members]}) == plain


def _normal(values: set[str]) -> set[str]:
    return {text for one in values if (text := unicodedata.normalize("NFKC", one).strip())}


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 40))
def test_sets_of_persons_overlap_where_they_do(workers: Lanes, own: int, theirs: int, start: int) -> None:
    ours, held = numbers(0, own), numbers(start, theirs)
    result = match(identity_values(ours), InProcess(identity_values(held), workers), workers)
    assert result.members is not None
    assert [ours[row] for row in result.members] == [one for one in ours if one in held]


def test_old_and_new_cards_and_lower_case_are_one_person(workers: Lanes) -> None:
    person = next(one for one in numbers(0, 50) if one.text.endswith("X") and one.fifteen)
    held = collect([person.fifteen, person.text.lower(), f" {person.text} "], Normalisation.IDENTITY_NUMBER)
    assert (held.size, held.duplicates) == (1, 2)
    assert match(identity_values([person]), InProcess(held, workers), workers).overlap == 1


def test_several_messages_carry_a_set_larger_than_one(workers: Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("messages", "querying", "holding"):
        monkeypatch.setattr(f"huodang.exchange.matching.{module}.CHUNK", 7)
    own, held = texts(*map(str, range(40))), texts(*map(str, range(30, 75)))
    for size_only in (False, True):
        holder = InProcess(held, workers)
        result = match(own, holder, workers, size_only=size_only)
        assert (result.overlap, len(holder.sent), len(holder.tagged)) == (10, 6, 7)


def test_holder_sees_only_random_elements_that_differ_each_time(workers: Lanes) -> None:
    own, held = texts("a", "b"), texts("b", "c")
    first, second = InProcess(held, workers), InProcess(held, workers)
    match(own, first, workers)
    match(own, second, workers)
    assert set(_parts(first.sent)).isdisjoint(_parts(second.sent))
    assert set(_parts(first.tagged, 12)).isdisjoint(_parts(second.tagged, 12))


def test_size_only_tells_nobody_which(workers: Lanes) -> None:
    """What comes back is in another order than what was sent, and its tags need no value."""
    own, held = texts(*map(str, range(64))), texts(*map(str, range(32, 96)))
    keys: list[bytes] = []

    def make(asked: Terms, values: bytes, lanes: Lanes) -> HoldingSession:
        keys.append(random_scalar())
        return HoldingSession(asked, values, lanes, key=keys[-1])

    orders = set()
    for _ in range(3):
        holder = InProcess(held, workers, make)
        assert match(own, holder, workers, size_only=True).overlap == 32
        sent, answered = _parts(holder.sent), _parts(holder.answered)
        in_order = [multiply(keys[-1], one) for one in sent]
        assert sorted(in_order) == sorted(answered)
        assert in_order != answered
        orders.add(tuple(in_order.index(one) for one in answered))
    assert len(orders) == 3


def test_size_only_tags_do_not_fit_the_tags_of_members(workers: Lanes) -> None:
    key = random_scalar()
    own = texts("a", "b", "c")

    def make(asked: Terms, values: bytes, lanes: Lanes) -> HoldingSession:
        return HoldingSession(asked, values, lanes, key=key)

    members, sizes = InProcess(own, workers, make), InProcess(own, workers, make)
    match(own, members, workers)
    match(own, sizes, workers, size_only=True)
    assert set(_parts(members.tagged, 12)).isdisjoint(_parts(sizes.tagged, 12))


def _parts(messages: list[bytes], width: int = 32) -> list[bytes]:
    whole = b"".join(messages)
    return [whole[start : start + width] for start in range(0, len(whole), width)]


@pytest.mark.parametrize(
    "element",
    [
        bytes(32),  # the neutral element
        b"\xff" * 32,  # beyond the field
        b"\x01" + bytes(31),  # negative, by its lowest bit
        bytes.fromhex("26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"),  # no square
    ],
)
def test_bytes_that_are_no_element_are_refused(workers: Lanes, element: bytes) -> None:
    with pytest.raises(MalformedPointError):
        multiply(random_scalar(), element)
    session = HoldingSession(terms(2), texts("a").digests, workers)
    session.take(0, points(1) + element)
    session.close()
    with pytest.raises(MalformedPointError):
        waited(lambda: session.answers(0))


@pytest.mark.parametrize("cut", [0, 31, 32, 63, 65])
def test_messages_cut_short_or_too_long_are_refused(workers: Lanes, cut: int) -> None:
    session = HoldingSession(terms(2), texts("a").digests, workers)
    with pytest.raises(MalformedMessageError):
        session.take(0, (points(3))[:cut])


def test_holder_answers_nothing_before_all_is_in(workers: Lanes) -> None:
    session = HoldingSession(terms(2), texts("a").digests, workers)
    with pytest.raises(MalformedMessageError):
        session.close()
    session.take(0, points(2))
    for ask in (session.answers, session.tags):
        with pytest.raises(MalformedMessageError):
            ask(0)
    session.close()
    for late in (lambda: session.take(0, points(2)), lambda: session.answers(1), lambda: session.tags(7)):
        with pytest.raises(MalformedMessageError):
            late()


def test_value_sent_twice_is_refused(workers: Lanes) -> None:
    session = HoldingSession(terms(2, size_only=True), texts("a").digests, workers)
    session.take(0, points(1) * 2)
    with pytest.raises(MalformedMessageError):
        session.close()


def test_message_repeated_changes_nothing_and_another_in_its_place_is_refused(workers: Lanes) -> None:
    session = HoldingSession(terms(1), texts("a").digests, workers)
    sent = points(1)
    session.take(0, sent)
    session.take(0, sent)
    with pytest.raises(MalformedMessageError):
        session.take(0, points(1))
    assert session.close() == hashlib.sha256(sent).hexdigest() == session.close()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"suite": "P-256"}, VersionError),
        ({"normalisation": "identity_number"}, NormalisationError),
        ({"normalisation": "130102196503010015"}, NormalisationError),
        ({"size": 4}, SetTooSmallError),
        ({"size": 101}, SetTooLargeError),
    ],
)
def test_terms_that_do_not_fit_are_refused_without_repeating_them(
    changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        check_terms(terms(**({"size": 50} | changes)), Normalisation.TEXT, smallest=5, largest=100, only_size=False)  # type: ignore[arg-type]
    assert "130102196503010015" not in raised.value.sentence("zh")  # type: ignore[attr-defined]


def test_holder_that_tells_sizes_only_tells_no_members() -> None:
    with pytest.raises(MalformedMessageError):
        check_terms(terms(5), Normalisation.TEXT, smallest=1, largest=9, only_size=True)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"version": "1"}', b"\xff", b'{"version": 1, "size": -1}', b"[" * 9999]
)
def test_opening_that_is_no_opening_is_refused(data: bytes) -> None:
    for shape in (Terms, Welcome):
        with pytest.raises(MalformedMessageError):
            shape.from_json(data)


def test_another_version_is_told_from_garbage() -> None:
    for shape in (Terms, Welcome):
        with pytest.raises(VersionError):
            shape.from_json(b'{"version": 2, "whatever": "else"}')


def test_querier_refuses_a_holder_with_too_few_values_and_sends_it_nothing(workers: Lanes) -> None:
    holder = InProcess(texts("a"), workers)
    with pytest.raises(SetTooSmallError):
        match(texts("a", "b"), holder, workers, smallest_held=2)
    assert holder.sent == []


def test_querier_refuses_answers_of_a_wrong_length_or_to_other_data(workers: Lanes) -> None:
    class Cut(InProcess):
        def tags(self, index: int) -> bytes:
            return super().tags(index)[:-1]

    class Other(InProcess):
        def close(self) -> str:
            return "0" * 64

    for kind in (Cut, Other):
        with pytest.raises(MalformedMessageError):
            match(texts("a"), kind(texts("a"), workers), workers)


def test_sessions_are_few_and_forgotten_when_they_fall_silent(workers: Lanes) -> None:
    sessions = Sessions(most=1, idle=0.05)
    first = sessions.add(HoldingSession(terms(1), b"", workers))
    with pytest.raises(BudgetError):
        sessions.add(HoldingSession(terms(1), b"", workers))
    threading.Event().wait(0.1)
    second = sessions.add(HoldingSession(terms(1), b"", workers))
    assert second != first
    with pytest.raises(PeerLostError):
        sessions.get(first)


def test_column_of_numbers_is_compared_as_such_and_bad_ones_are_quarantined() -> None:
    people = [one.text for one in numbers(0, 3)]
    values = collect(
        [*people, people[0][:-1] + "0", 1.30102e17, "", None, people[1]], Normalisation.IDENTITY_NUMBER, first_row=2
    )
    assert (values.size, values.duplicates, values.empty) == (3, 1, 2)
    assert values.quarantined >= 1
    assert [one.row for one in values.quarantine][-1] == 6
    assert values.quarantine[-1].fault == "spreadsheet"
    assert people[0] not in repr(values.quarantine)


def test_text_is_compared_however_wide_it_is_written() -> None:
    assert texts("ＡＢＣ１", " ABC1 ", "ABC1").size == 1
    assert texts("ABC1").digests == collect(["ABC1"], Normalisation.TEXT).digests
    assert collect([12.0, 12, "12"], Normalisation.TEXT).size == 1


def test_number_as_text_never_meets_the_number() -> None:
    person = numbers(0, 1)[0]
    assert texts(person.text).digests != identity_values([person]).digests


def test_same_material_gives_the_same_secret_and_zero_gives_none() -> None:
    assert scalar_of(b"\x07" * 64) == scalar_of(b"\x07" * 64)
    for material in (bytes(64), b"short"):
        with pytest.raises(ValueError, match="scalar"):
            scalar_of(material)
    secret = random_scalar()
    assert commitment(secret) == commitment(secret) != commitment(random_scalar())


def _blinded(secret: bytes, start: int, count: int) -> bytes:
    # Random elements stand in for hashed values: sketches see no difference, and the test is quicker.
    return b"".join(hashlib.sha256(secret + n.to_bytes(4, "big")).digest() for n in range(start, start + count))


@settings(max_examples=40)
@given(st.integers(100, 12_000), st.integers(0, 100))
def test_provider_tells_near_identical_probes_under_one_secret(count: int, percent: int) -> None:
    """Two sets of equal size that share a part: likeness is shared / (2·size − shared)."""
    key, secret = b"k" * 64, b"s"
    moved = count - count * percent // 100
    one, other = (sketch(_blinded(secret, start, count), key) for start in (0, moved))
    likely = (count - moved) / (count + moved)
    assert likeness(one, other) == pytest.approx(likely, abs=0.05)
    if likely >= 0.95:
        assert nearly_identical(one, other, 95)
    if likely < 0.93:
        assert not nearly_identical(one, other, 95)


@settings(max_examples=10)
@given(st.integers(5, 9_000), st.integers(1, 4))
def test_one_person_more_or_less_is_always_recognised(count: int, changed: int) -> None:
    key, secret = b"k" * 64, b"s"
    whole, without = sketch(_blinded(secret, 0, count), key), sketch(_blinded(secret, 0, count - changed), key)
    assert nearly_identical(whole, without, 95) is ((count - changed) / count >= 0.95 or count - changed >= 4096)


def test_under_another_secret_no_probe_is_recognised() -> None:
    """Why an agreement asks its consumer to keep one secret: with a fresh one each time nothing can be compared."""
    key = b"k" * 64
    same = [sketch(_blinded(secret, 0, 3000), key) for secret in (b"s", b"t")]
    assert likeness(*same) == 0.0
    assert likeness(np.array([], dtype=np.uint64), np.array([], dtype=np.uint64)) == 1.0


def test_message_holds_as_many_values_as_the_protocol_says() -> None:
    assert CHUNK * 32 == 2**20
