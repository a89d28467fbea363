"""Sealing for a recipient and sealing fields of the database."""

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.trust import BrokenSealError, FieldSealer, Signer, UnusableKeyError, open_sealed, seal_for

SIGNERS = [Signer.generate("hub", "national"), Signer.generate("hub", "international")]


@given(signer=st.sampled_from(SIGNERS), data=st.binary(max_size=300), aad=st.binary(max_size=20))
@settings(max_examples=50, deadline=None)
def test_what_is_sealed_for_someone_opens_for_that_one_only(signer: Signer, data: bytes, aad: bytes) -> None:
    sealed = seal_for(signer.public, data, aad)
    assert open_sealed(signer, sealed, aad) == data
    with pytest.raises(BrokenSealError):
        open_sealed(signer, sealed, aad + b"x")
    for other in (*(one for one in SIGNERS if one is not signer), Signer.generate("portal", signer.suite)):
        with pytest.raises(BrokenSealError):
            open_sealed(other, sealed, aad)


@given(signer=st.sampled_from(SIGNERS), at=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_no_flipped_bit_of_sealed_data_opens(signer: Signer, at: int, bit: int) -> None:
    sealed = bytearray(seal_for(signer.public, b"the content", b""))
    sealed[at % len(sealed)] ^= 1 << bit
    with pytest.raises(BrokenSealError):
        open_sealed(signer, bytes(sealed), b"")


@given(signer=st.sampled_from(SIGNERS), length=st.integers(min_value=0))
@settings(max_examples=50, deadline=None)
def test_sealed_data_cut_anywhere_do_not_open(signer: Signer, length: int) -> None:
    sealed = seal_for(signer.public, b"the content", b"")
    with pytest.raises(BrokenSealError):
        open_sealed(signer, sealed[: length % len(sealed)], b"")


@pytest.fixture(params=["national", "international"])
def sealer(request: pytest.FixtureRequest, tmp_path: Path) -> FieldSealer:
    return FieldSealer.create(tmp_path, request.param)


@given(text=st.text(max_size=40))
@settings(max_examples=30, deadline=None)
def test_a_field_opens_as_it_was_sealed(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "one-secret"
    sealer = FieldSealer.create(folder)
    sealed = sealer.seal("name", text, "17")
    assert sealed.isascii()
    assert FieldSealer(folder).open("name", sealed, "17") == text


def test_a_sealed_field_cannot_be_moved_to_another_row_or_column(sealer: FieldSealer) -> None:
    sealed = sealer.seal("name", "张三", "17")
    for element, row in (("name", "18"), ("former_name", "17"), ("nam", "e17")):
        with pytest.raises(BrokenSealError) as caught:
            sealer.open(element, sealed, row)
        assert caught.value.place.element == element


def test_a_spoilt_field_does_not_open(sealer: FieldSealer) -> None:
    sealed = sealer.seal("name", "张三", "17")
    for spoilt in ("", "hd1.", "hd1.!!!", sealed[:-4], sealed[:10] + ("A" if sealed[10] != "A" else "B") + sealed[11:]):
        with pytest.raises(BrokenSealError):
            sealer.open("name", spoilt, "17")


def test_sealing_the_same_value_twice_shows_nothing_of_it(sealer: FieldSealer) -> None:
    assert sealer.seal("sex", "1", "17") != sealer.seal("sex", "1", "17")


def test_the_blind_index_finds_equal_values_of_one_element_only(sealer: FieldSealer) -> None:
    index = sealer.blind_index("identity_number", "13010219650301123X")
    assert index == sealer.blind_index("identity_number", "13010219650301123X")
    assert index != sealer.blind_index("agent_identity_number", "13010219650301123X")
    assert index != sealer.blind_index("identity_number", "130102196503011231")
    assert len(index) == 32
    assert set(index) <= set("0123456789abcdef")


def test_another_secret_gives_another_index_and_opens_nothing(tmp_path: Path) -> None:
    one, two = FieldSealer.create(tmp_path / "one"), FieldSealer.create(tmp_path / "two")
    assert one.blind_index("name", "张三") != two.blind_index("name", "张三")
    with pytest.raises(BrokenSealError):
        two.open("name", one.seal("name", "张三", "1"), "1")


def test_the_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    index = FieldSealer.create(tmp_path).blind_index("name", "张三")
    assert FieldSealer.create(tmp_path).blind_index("name", "张三") == index
    secret = tmp_path / "field.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    secret.chmod(0o640)
    with pytest.raises(UnusableKeyError):
        FieldSealer(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"format":"huodang-field-secret-1","suite":"national","secret":"00"}']
)
def test_a_broken_secret_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "field.secret").write_bytes(content)
    (tmp_path / "field.secret").chmod(0o600)
    with pytest.raises(UnusableKeyError):
        FieldSealer(tmp_path)
    with pytest.raises(UnusableKeyError):
        FieldSealer(tmp_path / "nowhere")
