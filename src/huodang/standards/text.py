"""Text at the border: full-width forms and the bytes that departments deliver."""

from typing import ClassVar, Literal

from huodang.standards.errors import BadValue

# Full-width ASCII (U+FF01 to U+FF5E) and the ideographic space, as input methods and old systems write them.
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}

# Characters that GB 18030-2022 gives their own code points, where Python's codec (the mapping of 2005) still gives
# private ones. The glyphs are the same; without this, a rare name would look like one system's own character.
_ENCODED_SINCE = {
    0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC, 0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7,
    0xE831: 0x215D7, 0xE832: 0x9FB8, 0xE83B: 0x2298F, 0xE843: 0x9FB9, 0xE854: 0x9FBA, 0xE855: 0x241FE, 0xE864: 0x9FBB,
}  # fmt: skip

TextEncoding = Literal["utf-8", "gb18030"]


class TextError(BadValue):
    """Bytes can't be read as text without losing or guessing a character."""

    code: ClassVar[str] = "text.encoding"


class AmbiguousTextError(TextError):
    """Bytes can be read in two ways, and nothing in them says which is meant."""

    code: ClassVar[str] = "text.ambiguous"


def to_half_width(text: str) -> str:
    """Turn full-width ASCII characters and spaces into ordinary ones; leave everything else alone."""
    return text.translate(_HALF_WIDTH)


def decode_text(data: bytes, encoding: TextEncoding | None = None) -> str:
    """Read bytes as UTF-8 (with or without byte order mark) or GB 18030, whole or not at all.

    Args:
        data: The bytes of one file or field.
        encoding: What the sender has declared; without it UTF-8 is tried first, then GB 18030.

    Raises:
        TextError: the bytes are neither; the sentence names the offset of the first wrong byte.
        AmbiguousTextError: the bytes are both, and every character outside ASCII would differ.
            Bytes C2 B7, say, are the middle dot in UTF-8 and 路 in GB 18030.

    Source: GB 18030-2022 (four-byte characters included; the text of the standard was not read, see docs/standards.md).
    """
    if data.startswith(b"\xef\xbb\xbf"):
        return _decode(data[3:], "utf-8", skipped=3)
    if encoding is not None:
        return _decode(data, encoding)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode(data, "gb18030")
    # A Han character takes three or four bytes in UTF-8. A text that is beyond ASCII and holds none of them
    # may as well be GB 18030, whose every Han pair can look like one two-byte character of UTF-8.
    if not text.isascii() and max(text) < "\u0800" and _is_gb18030(data):
        raise AmbiguousTextError(
            "文本既可按 UTF-8 也可按 GB 18030 读出，结果不同",
            "the text can be read as UTF-8 and as GB 18030, with different results",
            advice_chinese="请声明文件的编码，或在文件开头加上 UTF-8 字节顺序标记。",
            advice_english="Declare the encoding of the file, or start it with a UTF-8 byte order mark.",
        )
    return text


def _is_gb18030(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _decode(data: bytes, encoding: TextEncoding, skipped: int = 0) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        # Only the offset is told: the bytes around it may be somebody's name.
        raise TextError(
            f"字节偏移 {error.start + skipped} 处不是有效的 {encoding.upper()} 字符",
            f"the byte at offset {error.start + skipped} isn't valid {encoding.upper()}",
            advice_chinese="请用 UTF-8 或 GB 18030 重新导出该文件，不要用其他编码。",
            advice_english="Export the file again as UTF-8 or GB 18030.",
        ) from None
    return text.translate(_ENCODED_SINCE) if encoding == "gb18030" else text
