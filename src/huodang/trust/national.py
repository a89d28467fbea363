"""The national suite: SM2, SM3 and SM4-GCM.

Source: GB/T 32918 (SM2), GB/T 32905 (SM3), GB/T 32907 (SM4).
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from huodang.trust import sm2
from huodang.trust.hashes import sm3
from huodang.trust.suite_parts import NONCE_BYTES, TAG_BYTES, broken_seal, hmac, split_pem


class NationalPrivateKey:
    """Two SM2 keys of one holder: one signs, the other opens what was sealed to the holder."""

    suite = "national"

    def __init__(self, signing: sm2.Sm2PrivateKey, sealing: sm2.Sm2PrivateKey) -> None:
        self._signing = signing
        self._sealing = sealing
        self.signing_public = signing.point
        self.sealing_public = sealing.point

    def sign(self, message: bytes) -> bytes:
        """Sign with SM2 over SM3."""
        return self._signing.sign(message)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt the SM4 key."""
        key = self._sealing.decrypt(wrapped)
        if len(key) != NationalSuite.key_bytes:
            raise broken_seal()
        return key

    def to_pem(self) -> str:
        """Two PKCS#8 blocks."""
        return self._signing.to_pem() + self._sealing.to_pem()


class NationalSuite:
    """SM2, SM3 and SM4-GCM."""

    name = "national"
    key_bytes = 16

    digest = staticmethod(sm3)

    def mac(self, key: bytes, data: bytes) -> bytes:
        """HMAC with SM3."""
        return hmac(hashes.SM3, key, data)

    def derive(self, secret: bytes, purpose: bytes) -> bytes:
        """HKDF with SM3."""
        return HKDF(hashes.SM3(), self.key_bytes, None, purpose).derive(secret)

    def seal(self, key: bytes, data: bytes, aad: bytes) -> bytes:
        """SM4-GCM with a random nonce."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        cipher = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
        cipher.authenticate_additional_data(aad)
        return nonce + cipher.update(data) + cipher.finalize() + cipher.tag

    def open(self, key: bytes, sealed: bytes, aad: bytes) -> bytes:
        """Undo `seal`."""
        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise broken_seal()
        mode = modes.GCM(sealed[:NONCE_BYTES], sealed[-TAG_BYTES:])
        try:
            cipher = Cipher(algorithms.SM4(key), mode).decryptor()
            cipher.authenticate_additional_data(aad)
            return cipher.update(sealed[NONCE_BYTES:-TAG_BYTES]) + cipher.finalize()
        except (InvalidTag, ValueError) as error:
            raise broken_seal() from error

    def generate(self) -> NationalPrivateKey:
        """Two fresh SM2 keys."""
        return NationalPrivateKey(sm2.Sm2PrivateKey.generate(), sm2.Sm2PrivateKey.generate())

    def load(self, pem: str) -> NationalPrivateKey:
        """Read two PKCS#8 blocks."""
        signing, sealing = split_pem(pem, self.name)
        return NationalPrivateKey(sm2.Sm2PrivateKey.from_pem(signing), sm2.Sm2PrivateKey.from_pem(sealing))

    def check_public(self, signing: bytes, sealing: bytes) -> None:
        """Both must be points of the curve."""
        sm2.public_key(signing)
        sm2.public_key(sealing)

    def verify(self, signing: bytes, message: bytes, signature: bytes) -> bool:
        """Verify SM2 over SM3."""
        return sm2.public_key(signing).verify(message, signature)

    def wrap(self, sealing: bytes) -> tuple[bytes, bytes]:
        """A random SM4 key under SM2 encryption."""
        key = secrets.token_bytes(self.key_bytes)
        return key, sm2.public_key(sealing).encrypt(key)
