"""The cipher suites: published vectors, an independent implementation as oracle, and what must never pass."""

import contextlib
import hashlib
import subprocess
import sys
import threading

import gmssl_pyx
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.trust import (
    BrokenSealError,
    CipherSuite,
    PrivateKey,
    Signer,
    TrustedKeys,
    UnknownSuiteError,
    UnusableKeyError,
    open_envelope,
    provide_suite,
    sha256,
    sign_envelope,
    sm3,
    suite,
)
from huodang.trust.hashes import _sm3_of_cryptography, _sm3_of_hashlib
from huodang.trust.national import NationalPrivateKey, NationalSuite
from huodang.trust.sm2 import Sm2PrivateKey, Sm2PublicKey, user_digest

SUITES = ("national", "international")
KEYS = {name: suite(name).generate() for name in SUITES}
OTHER_KEYS = {name: suite(name).generate() for name in SUITES}


def scalar_of(key: Sm2PrivateKey) -> bytes:
    """The secret number of a key made here: it stands at a fixed place of its PKCS#8 form."""
    return key._der[key._der.index(b"\x02\x01\x01\x04\x20") + 5 :][:32]


def test_sm3_of_abc_is_the_value_published_in_gb_t_32905() -> None:
    published = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3(b"abc").hex() == published
    assert _sm3_of_hashlib(b"abc").hex() == published
    assert _sm3_of_cryptography(b"abc").hex() == published


def test_sm3_of_sixteen_times_abcd_is_the_value_published_in_gb_t_32905() -> None:
    assert sm3(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_sm4_block_is_the_one_published_in_gb_t_32907() -> None:
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    cipher = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()  # noqa: S305  (the standard's vector is one block)
    assert cipher.update(key).hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm4_gcm_is_the_one_published_in_rfc_8998() -> None:
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    nonce = bytes.fromhex("00001234567800000000abcd")
    aad = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = bytes.fromhex(
        "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
        "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa"
    )
    sealed = bytes.fromhex(
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    )
    tag = bytes.fromhex("83de3541e4c2b58177e065a9bf7b62ec")
    assert suite("national").open(key, nonce + sealed + tag, aad) == plain


def test_z_of_sm2_is_the_one_that_an_independent_signature_proves() -> None:
    """Z enters only the digest that is signed, so a foreign signature over digest(Z, message) pins it."""
    public, secret = reversed_pair(gmssl_pyx.sm2_key_generate())
    digest = sm3(user_digest(b"\x04" + public) + b"message")
    assert gmssl_pyx.sm2_verify(public, b"message", gmssl_pyx.sm2_sign_sm3_digest(secret, digest))


def reversed_pair(pair: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Public key without its leading 04, and secret, in that order."""
    public, secret = pair
    return public[-64:], secret


@given(message=st.binary(max_size=300))
@settings(max_examples=25, deadline=None)
def test_sm2_signatures_pass_between_us_and_the_oracle_in_both_directions(message: bytes) -> None:
    ours = Sm2PrivateKey.generate()
    assert gmssl_pyx.sm2_verify(ours.point[1:], message, ours.sign(message))
    public, secret = reversed_pair(gmssl_pyx.sm2_key_generate())
    theirs = gmssl_pyx.sm2_sign(secret, public, message)
    assert Sm2PublicKey(b"\x04" + public).verify(message, theirs)


@given(secret_text=st.binary(min_size=1, max_size=200))
@settings(max_examples=25, deadline=None)
def test_sm2_encryption_passes_between_us_and_the_oracle_in_both_directions(secret_text: bytes) -> None:
    ours = Sm2PrivateKey.generate()
    assert ours.decrypt(gmssl_pyx.sm2_encrypt(ours.point[1:], secret_text)) == secret_text
    sealed = Sm2PublicKey(ours.point).encrypt(secret_text)
    assert gmssl_pyx.sm2_decrypt(scalar_of(ours), sealed) == secret_text


@given(data=st.binary(max_size=2000), key=st.binary(min_size=1, max_size=100))
@settings(max_examples=50, deadline=None)
def test_sm3_and_its_hmac_agree_with_the_oracle(data: bytes, key: bytes) -> None:
    assert sm3(data) == gmssl_pyx.sm3_hash(data)
    assert suite("national").mac(key, data) == gmssl_pyx.sm3_hmac(key, data)


def test_international_digest_is_sha_256() -> None:
    assert suite("international").digest(b"abc") == hashlib.sha256(b"abc").digest() == sha256(b"abc")


@pytest.mark.parametrize("name", SUITES)
@given(message=st.binary(max_size=200), at=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=40, deadline=None)
def test_a_signature_fits_its_message_only_and_no_altered_signature_fits(
    name: str, message: bytes, at: int, bit: int
) -> None:
    cipher, key = suite(name), KEYS[name]
    signature = key.sign(message)
    assert cipher.verify(key.signing_public, message, signature)
    assert not cipher.verify(key.signing_public, message + b"x", signature)
    assert not cipher.verify(OTHER_KEYS[name].signing_public, message, signature)
    altered = bytearray(signature)
    altered[at % len(altered)] ^= 1 << bit
    assert not cipher.verify(key.signing_public, message, bytes(altered))


@pytest.mark.parametrize("name", SUITES)
@pytest.mark.parametrize("signature", [b"", b"\x30", b"\x00" * 64, b"\xff" * 200])
def test_what_is_no_signature_is_refused_without_a_crash(name: str, signature: bytes) -> None:
    assert not suite(name).verify(KEYS[name].signing_public, b"message", signature)


@pytest.mark.parametrize("name", SUITES)
@given(data=st.binary(max_size=200), aad=st.binary(max_size=20), at=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=40, deadline=None)
def test_sealed_data_open_with_the_same_key_and_aad_only(name: str, data: bytes, aad: bytes, at: int, bit: int) -> None:
    cipher = suite(name)
    key = bytes(cipher.key_bytes)
    sealed = cipher.seal(key, data, aad)
    assert cipher.open(key, sealed, aad) == data
    altered = bytearray(sealed)
    altered[at % len(altered)] ^= 1 << bit
    for wrong in (
        (key, bytes(altered), aad),
        (key, sealed, aad + b"x"),
        (b"\x01" * cipher.key_bytes, sealed, aad),
        (key, sealed[:-1], aad),
        (key, b"", aad),
    ):
        with pytest.raises(BrokenSealError):
            cipher.open(*wrong)


@pytest.mark.parametrize("name", SUITES)
def test_a_wrapped_key_is_unwrapped_by_its_recipient_only(name: str) -> None:
    key, wrapped = suite(name).wrap(KEYS[name].sealing_public)
    assert KEYS[name].unwrap(wrapped) == key
    with contextlib.suppress(BrokenSealError):  # SM2 notices at once; X25519 agrees on another key, and the seal fails
        assert OTHER_KEYS[name].unwrap(wrapped) != key
    with pytest.raises(BrokenSealError):
        KEYS[name].unwrap(b"\x00" * 32)


@pytest.mark.parametrize("name", SUITES)
def test_derived_keys_differ_by_purpose_and_secret(name: str) -> None:
    cipher = suite(name)
    keys = {cipher.derive(secret * 32, purpose) for secret in (b"a", b"b") for purpose in (b"1", b"2")}
    assert len(keys) == 4
    assert {len(key) for key in keys} == {cipher.key_bytes}


@pytest.mark.parametrize("name", SUITES)
def test_a_private_key_survives_its_pem_form(name: str) -> None:
    loaded = suite(name).load(KEYS[name].to_pem())
    assert loaded.signing_public == KEYS[name].signing_public
    assert loaded.sealing_public == KEYS[name].sealing_public
    assert suite(name).verify(KEYS[name].signing_public, b"m", loaded.sign(b"m"))


@pytest.mark.parametrize("name", SUITES)
@pytest.mark.parametrize("pem", ["", "hello", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" * 2])
def test_what_is_no_key_file_is_refused(name: str, pem: str) -> None:
    with pytest.raises(UnusableKeyError):
        suite(name).load(pem)


def test_a_key_of_the_other_suite_is_refused() -> None:
    with pytest.raises(UnusableKeyError):
        suite("national").load(KEYS["international"].to_pem())
    with pytest.raises(UnusableKeyError):
        suite("international").load(KEYS["national"].to_pem())


@pytest.mark.parametrize("point", [b"", b"\x04" + bytes(64), b"\x04" + b"\xff" * 64, b"\x02" + bytes(32)])
def test_what_is_no_point_of_the_curve_is_no_sm2_key(point: bytes) -> None:
    with pytest.raises(UnusableKeyError):
        Sm2PublicKey(point)


def test_openssl_reads_our_sm2_key_file(tmp_path) -> None:
    key = Sm2PrivateKey.generate()
    (tmp_path / "key.pem").write_text(key.to_pem())
    printed = subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "key.pem", "-pubout", "-outform", "DER"], capture_output=True, check=True
    )
    assert printed.stdout[-65:] == key.point


def test_many_threads_share_one_sm2_key() -> None:
    key = Sm2PrivateKey.generate()
    public = Sm2PublicKey(key.point)
    wrong: list[bytes] = []

    def work(number: int) -> None:
        for turn in range(30):
            message = f"{number} {turn}".encode()
            if not public.verify(message, key.sign(message)) or public.verify(b"other", key.sign(message)):
                wrong.append(message)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_unknown_suite_is_an_error_that_names_the_choices() -> None:
    with pytest.raises(UnknownSuiteError) as caught:
        suite("roman")
    assert "international" in caught.value.sentence("en")


def test_a_private_key_never_prints_its_secret() -> None:
    key = Sm2PrivateKey.generate()
    assert scalar_of(key).hex() not in repr(key)
    assert "BEGIN" not in repr(Signer("hub", NationalPrivateKey(key, key)))


def test_without_libcrypto_the_error_names_the_international_suite_as_the_choice() -> None:
    program = (
        "from huodang.trust import Signer, CipherUnavailableError\n"
        "assert Signer.generate('hub', 'international').sign(b'x')\n"
        "try:\n"
        "    Signer.generate('hub', 'national')\n"
        "except CipherUnavailableError as error:\n"
        "    print(error.code, error.sentence('en'))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={"HUODANG_LIBCRYPTO": "/nowhere/libcrypto.so"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.startswith("trust.cipher_unavailable")
    assert "`international`" in told.stdout


class OraclePrivateKey:
    """A key that lives in a foreign module: it signs without handing out its secret."""

    suite = "national"

    def __init__(self) -> None:
        public, self._secret = reversed_pair(gmssl_pyx.sm2_key_generate())
        self.signing_public = self.sealing_public = b"\x04" + public

    def sign(self, message: bytes) -> bytes:
        return gmssl_pyx.sm2_sign(self._secret, self.signing_public[1:], message)

    def unwrap(self, wrapped: bytes) -> bytes:
        return gmssl_pyx.sm2_decrypt(self._secret, wrapped)

    def to_pem(self) -> str:
        raise UnusableKeyError("密钥不可导出", "the key may not leave its module")


class OracleSuite(NationalSuite):
    """The national suite as another module would offer it."""

    def generate(self) -> PrivateKey:
        return OraclePrivateKey()

    def verify(self, signing: bytes, message: bytes, signature: bytes) -> bool:
        try:
            return gmssl_pyx.sm2_verify(signing[1:], message, signature)
        except gmssl_pyx.GmsslInnerError:
            return False


def test_another_module_takes_the_national_suites_place_and_both_understand_each_other() -> None:
    ours = Signer.generate("police")
    previous: CipherSuite = provide_suite(OracleSuite())
    try:
        theirs = Signer.generate("health")
        assert isinstance(theirs.key, OraclePrivateKey)
        trusted = TrustedKeys((ours.public, theirs.public))
        from_ours = sign_envelope("grant", {"a": "1"}, ours)
        assert open_envelope(from_ours, "grant", trusted) == {"a": "1"}  # verified by the other module
        from_theirs = sign_envelope("grant", {"a": "2"}, theirs)
    finally:
        provide_suite(previous)
    assert open_envelope(from_theirs, "grant", trusted) == {"a": "2"}  # verified by our own
