"""The few functions of the system's libcrypto 3 that SM2 needs, bound with ctypes.

`cryptography` offers SM3 and SM4 but no SM2; OpenSSL 3 offers it through its EVP interface. This module finds the
library, declares the functions once and turns their failures into errors. It knows nothing of keys or formats.
"""

import ctypes
import ctypes.util
import os
from functools import cache

from huodang.trust.errors import CipherUnavailableError

LIBRARY_VARIABLE = "HUODANG_LIBCRYPTO"
"""Environment variable that names the library file, for systems where it stands in an unusual place."""

_CANDIDATES = (
    "libcrypto.so.3",
    "libcrypto.3.dylib",
    "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
    "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
    "libcrypto-3-x64.dll",
)
_OPENSSL_3 = 0x30000000

_pointer = ctypes.c_void_p
_size = ctypes.c_size_t
_FUNCTIONS: dict[str, tuple[object, list[object]]] = {
    "OpenSSL_version_num": (ctypes.c_ulong, []),
    "ERR_clear_error": (None, []),
    "CRYPTO_free": (None, [_pointer, ctypes.c_char_p, ctypes.c_int]),
    "d2i_AutoPrivateKey": (_pointer, [_pointer, _pointer, ctypes.c_long]),
    "d2i_PUBKEY": (_pointer, [_pointer, _pointer, ctypes.c_long]),
    "i2d_PUBKEY": (ctypes.c_int, [_pointer, _pointer]),
    "EVP_PKEY_free": (None, [_pointer]),
    "EVP_PKEY_CTX_new_from_name": (_pointer, [_pointer, ctypes.c_char_p, ctypes.c_char_p]),
    "EVP_PKEY_CTX_new_from_pkey": (_pointer, [_pointer, _pointer, ctypes.c_char_p]),
    "EVP_PKEY_CTX_free": (None, [_pointer]),
    "EVP_PKEY_sign_init": (ctypes.c_int, [_pointer]),
    "EVP_PKEY_sign": (ctypes.c_int, [_pointer, ctypes.c_char_p, _pointer, ctypes.c_char_p, _size]),
    "EVP_PKEY_verify_init": (ctypes.c_int, [_pointer]),
    "EVP_PKEY_verify": (ctypes.c_int, [_pointer, ctypes.c_char_p, _size, ctypes.c_char_p, _size]),
    "EVP_PKEY_encrypt_init": (ctypes.c_int, [_pointer]),
    "EVP_PKEY_encrypt": (ctypes.c_int, [_pointer, ctypes.c_char_p, _pointer, ctypes.c_char_p, _size]),
    "EVP_PKEY_decrypt_init": (ctypes.c_int, [_pointer]),
    "EVP_PKEY_decrypt": (ctypes.c_int, [_pointer, ctypes.c_char_p, _pointer, ctypes.c_char_p, _size]),
}


def _unavailable(what_chinese: str, what_english: str) -> CipherUnavailableError:
    return CipherUnavailableError(
        f"本机不能使用国密 SM2:{what_chinese}",
        f"SM2 is not available on this machine: {what_english}",
        advice_chinese=f"请安装带 SM2 的 OpenSSL 3（或用环境变量 {LIBRARY_VARIABLE} 指出 libcrypto 的位置）;"
        "不要求国密时可选用国际套件 international。",
        advice_english=f"Install OpenSSL 3 with SM2 (or name its libcrypto in {LIBRARY_VARIABLE}); "
        "where national ciphers are not required, choose the suite `international`.",
    )


@cache
def library() -> ctypes.CDLL:
    """Find and declare libcrypto 3.

    Returns:
        The loaded library. Its calls release the interpreter lock.

    Raises:
        CipherUnavailableError: No libcrypto of version 3 or later is there, or it was built without SM2.
    """
    named = os.environ.get(LIBRARY_VARIABLE)
    loaded = _load((named,)) if named else _load(_CANDIDATES) or _load((ctypes.util.find_library("crypto"),))
    if loaded is None:
        raise _unavailable("找不到 libcrypto 3", "libcrypto 3 was not found")
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(loaded, name)
        function.restype = result
        function.argtypes = arguments
    context = loaded.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
    if not context:
        loaded.ERR_clear_error()
        raise _unavailable("libcrypto 编译时未包含 SM2", "libcrypto was built without SM2")
    loaded.EVP_PKEY_CTX_free(context)
    return loaded


def _load(names: tuple[str | None, ...]) -> ctypes.CDLL | None:
    """Load the first of these libraries that exists and is OpenSSL 3 or later."""
    for name in names:
        if not name:
            continue
        try:
            candidate = ctypes.CDLL(name)
            candidate.OpenSSL_version_num.restype = ctypes.c_ulong
            if candidate.OpenSSL_version_num() >= _OPENSSL_3:
                return candidate
        except (OSError, AttributeError):
            continue
    return None
