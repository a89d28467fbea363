"""Checkpoints as signed notes, the text form that witnesses elsewhere understand.

The note of the SHA-256 tree is signed with Ed25519 (signature type 0x01). The note of the SM3 tree is signed with SM2
under type 0xff, which is free for private use and is followed by an identifier of its own. The two trees have two
origins, as two notes of one origin and size with different roots would look like a fork.

Source: C2SP signed-note and tlog-checkpoint.
"""

import base64
import re
from dataclasses import dataclass

from huodang.ledger.errors import DamagedReceiptError
from huodang.trust import Signer, sha256, suite

_SIGNATURE_TYPES = {"international": b"\x01", "national": b"\xffhuodang-sm2-sm3-1"}
_KEY_ID_BYTES = 4
_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_MAX_LINES = 64


@dataclass(frozen=True)
class NoteText:
    """What a checkpoint says: origin, number of leaves, and root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def tree_origin(origin: str, tree: str) -> str:
    """The origin of one of the twin trees."""
    return origin if tree == "sha256" else f"{origin}/{tree}"


def is_origin(origin: str) -> bool:
    """Say whether this may name a log: a URL without scheme, such as `hebei.example/huodang`."""
    return _ORIGIN.fullmatch(origin) is not None


def key_hash(name: str, suite_name: str, signing: bytes) -> bytes:
    """The four bytes that tell a verifier which key signed a line."""
    return sha256(name.encode() + b"\n" + _SIGNATURE_TYPES[suite_name] + signing)[:_KEY_ID_BYTES]


def sign_note(text: NoteText, signer: Signer) -> str:
    """Sign a checkpoint; the key's name is the origin, as tlog-checkpoint recommends."""
    body = str(text)
    key = key_hash(text.origin, signer.suite, signer.public.signing)
    line = base64.b64encode(key + signer.sign(body.encode())).decode()
    return f"{body}\n— {text.origin} {line}\n"


def read_note(note: str) -> NoteText:
    """Read what a note says, without checking who signed it.

    Raises:
        DamagedReceiptError: It is no checkpoint.
    """
    lines = _split(note)[0].split("\n")
    if len(lines) != 4 or lines[3] or not is_origin(lines[0]) or not _SIZE.fullmatch(lines[1]):
        raise _damaged()
    root = _exact_base64(lines[2])
    if len(root) != 32:
        raise _damaged()
    return NoteText(lines[0], int(lines[1]), root)


def is_signed_by(note: str, suite_name: str, signing: bytes) -> bool:
    """Say whether one of the note's signature lines is a good one of this key. Lines of other keys are ignored.

    Raises:
        DamagedReceiptError: It is no note.
    """
    body, lines = _split(note)
    name = body.split("\n", 1)[0]
    wanted = key_hash(name, suite_name, signing)
    for line in lines:
        if line.startswith(f"— {name} "):
            signature = _exact_base64(line.rsplit(" ", 1)[1])
            if signature[:_KEY_ID_BYTES] == wanted:
                return suite(suite_name).verify(signing, body.encode(), signature[_KEY_ID_BYTES:])
    return False


def _split(note: str) -> tuple[str, list[str]]:
    body, separator, rest = note.rpartition("\n\n")
    lines = rest.split("\n")
    if not separator or lines.pop() or not 1 <= len(lines) <= _MAX_LINES:
        raise _damaged()
    return body + "\n", lines


def _exact_base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _damaged() from error
    if base64.b64encode(data).decode() != text:  # one value, one spelling
        raise _damaged()
    return data


def _damaged() -> DamagedReceiptError:
    return DamagedReceiptError("检查点文本格式有误", "The text of a checkpoint is malformed")
