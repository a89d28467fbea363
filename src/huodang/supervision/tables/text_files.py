"""Text files in other encodings than UTF-8, turned into UTF-8 block by block; what is no character becomes U+FFFD."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from huodang.standards import TextError, decode_text

_BLOCK: Final = 8 * 1024 * 1024
_HEAD: Final = 256 * 1024
_UTF16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def utf16_of(path: Path) -> str | None:
    """Name the kind of UTF-16 that a file's byte order mark tells; None for every other file."""
    try:
        with path.open("rb") as file:
            return _UTF16.get(file.read(2))
    except OSError:
        return None


@contextmanager
def head_in_utf8(path: Path) -> Iterator[Path | None]:
    """Give the first lines of a UTF-16 file as a file in UTF-8 of the same name; None for every other file."""
    kind = utf16_of(path)
    if kind is None:
        yield None
        return
    with path.open("rb") as file:
        text = file.read(_HEAD)[2:].decode(kind, errors="replace")
    with tempfile.TemporaryDirectory(prefix="huodang-head-") as folder:
        head = Path(folder) / path.name
        whole = len(text) * 2 < _HEAD - 4
        head.write_bytes(b"\xef\xbb\xbf" + (text if whole else text.rpartition("\n")[0] + "\n").encode())
        yield head


def write_utf8(path: Path, target: Path, encoding: str, progress: Callable[[int], None]) -> None:
    """Write a text file anew in UTF-8.

    Args:
        path: the file.
        target: the file written.
        encoding: `utf-8` (to replace wrong bytes), `utf-16` or `gb18030`.
        progress: told the bytes read so far.
    """
    done = 0
    wide = utf16_of(path) if encoding == "utf-16" else None
    end = b"\n" if wide is None else "\n".encode(wide)
    with path.open("rb") as source, target.open("wb") as written:
        if wide:
            source.read(2)
        elif source.read(3) != b"\xef\xbb\xbf":
            source.seek(0)
        rest = b""
        while block := source.read(_BLOCK):
            done += len(block)
            block = rest + block
            cut = _last_line_end(block, end, len(end))
            block, rest = block[:cut], block[cut:]
            written.write(_decoded(block, wide or encoding).encode())
            progress(done)
        written.write(_decoded(rest, wide or encoding).encode())


def _last_line_end(block: bytes, end: bytes, width: int) -> int:
    at = block.rfind(end)
    while at >= 0 and at % width:
        at = block.rfind(end, 0, at + width - 1)
    return at + width if at >= 0 else 0


def _decoded(block: bytes, encoding: str) -> str:
    if encoding.startswith("utf-16"):
        return block.decode(encoding, errors="replace")
    if encoding == "utf-8":
        return block.decode("utf-8", errors="replace")
    try:
        return decode_text(block, "gb18030")
    except TextError:
        return "".join(_line(line) for line in block.splitlines(keepends=True))


def _line(line: bytes) -> str:
    try:
        return decode_text(line, "gb18030")
    except TextError:
        return line.decode("gb18030", errors="replace")
