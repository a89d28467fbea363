"""Canonical JSON: one byte form for one value, and a strict reader that takes nothing ambiguous.

Keys are sorted by code point, there is no white space, text is UTF-8 unescaped. Floats are refused:
money is text in fen.
"""

import json
from typing import Any, NoReturn

import msgspec

from huodang.trust.errors import NotCanonicalError

MAX_DEPTH = 16
_LARGEST_INTEGER = 2**53 - 1  # what every JSON reader keeps exactly

# Writes the same bytes as `json` with sorted keys and no spaces, at a fifth of its cost; a test holds them equal.
_WRITER = msgspec.json.Encoder(order="deterministic")

JsonObject = dict[str, Any]
"""A parsed JSON object: values are text, whole numbers, booleans, null, lists and objects."""


def canonical_json(value: object) -> bytes:
    """Write a value as canonical JSON.

    Args:
        value: Text, int (at most 2^53-1 in size), bool, None, and lists, tuples or dicts with text keys of these.

    Returns:
        UTF-8 bytes: the same for equal values.

    Raises:
        NotCanonicalError: A float, another type, a key that is not text, a lone surrogate, or more than 16 levels.
    """
    _check(value, 1)
    try:
        return _WRITER.encode(value)
    except UnicodeEncodeError as error:
        raise _not_canonical("文本含有不成对的代理字符", "The text holds a lone surrogate") from error
    except TypeError as error:  # a kind of text or number of somebody's own
        raise _not_canonical("类型没有规范形式", "A type has no canonical form") from error


def written(value: object) -> bytes:
    """Write a value that is known to have a canonical form: our own texts and numbers, checked before or made here."""
    return _WRITER.encode(value)


def parse_strict(data: bytes | str) -> JsonObject:
    """Read one JSON object, refusing all that two readers could understand differently.

    Raises:
        NotCanonicalError: Not UTF-8, not JSON, not an object, a repeated key, a float, NaN, a number beyond 2^53-1,
            or more than 16 levels.
    """
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        value = json.loads(
            text, object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float, parse_int=_exact_integer
        )
        if "\\u" in text:  # an escape may spell half a character, which no UTF-8 text can carry
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (UnicodeError, RecursionError, ValueError) as error:
        raise _not_canonical("不是规范的 JSON", "This is not strict JSON") from error
    if not isinstance(value, dict):
        raise _not_canonical("JSON 的最外层必须是对象", "The outermost JSON value must be an object")
    if text.count("{") + text.count("[") > MAX_DEPTH:  # fewer brackets than that cannot nest too deep
        _check(value, 1)
    return value


def _check(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _not_canonical(f"嵌套超过 {MAX_DEPTH} 层", f"Nested more than {MAX_DEPTH} levels deep")
    kind = type(value)
    if kind is str or value is None or kind is bool or isinstance(value, str):
        return
    if isinstance(value, int):
        if abs(value) > _LARGEST_INTEGER:
            raise _not_canonical("整数过大，请用文本表示", "The integer is too large: write it as text")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise _not_canonical("键必须是文本", "A key must be text")
            # Most values are plain text: they need no look of their own, as long as they aren't too deep.
            if type(inner) is not str or depth == MAX_DEPTH:
                _check(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth + 1)
    else:
        raise _not_canonical(
            f"类型 {type(value).__name__} 没有规范形式（金额用分的文本，日期用文本）",
            f"Type {type(value).__name__} has no canonical form (money is fen as text, dates are text)",
        )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("repeated key")
    return found


def _no_float(_text: str) -> NoReturn:
    raise ValueError("float")


def _exact_integer(text: str) -> int:
    if len(text) > 17 or abs(value := int(text)) > _LARGEST_INTEGER:
        raise ValueError("integer too large")
    return value


def _not_canonical(chinese: str, english: str) -> NotCanonicalError:
    return NotCanonicalError(chinese, english)
