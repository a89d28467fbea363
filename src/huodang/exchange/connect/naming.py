"""What a column's name and comment say about the element it holds, by the knowledge in `data/naming.yaml`. Pure.

A name alone proves nothing: codes such as AAC001 mean different things at different vendors, and initials of pinyin
are ambiguous. So each hint carries a strength below one, and `scoring.py` holds it against the values.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from huodang.exchange.connect.said import Said
from huodang.standards import elements

_PIECES: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_CODE: Final = re.compile(r"[A-Z]{2,3}[A-Z0-9]?[0-9]{2,3}[A-Z]?")
_COMMENT_END: Final = re.compile(r"[\s:：,，;；(（【\[/|]")

_EXACT_CHINESE: Final = 0.9
_EXACT_ENGLISH: Final = 0.85
_PINYIN: Final = 0.75
_SHORT_PINYIN: Final = 0.6
_OWN_CODE: Final = 0.7
_CODE_MEANING: Final = 0.62
_OTHER_MEANING: Final = 0.42
_PART: Final = 0.55
_ANOTHER: Final = 0.6
"""What remains of a hint if the name speaks of another person or thing."""
_SHORT: Final = 2


@dataclass(frozen=True)
class Hint:
    """What a name says: how strongly, from 0 to 1, and why."""

    strength: float
    why: Said


@dataclass(frozen=True)
class _Names:
    chinese: tuple[str, ...]
    pinyin: tuple[str, ...]
    english: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class _Knowledge:
    elements: dict[str, _Names]
    words: dict[str, tuple[str, ...]]
    others_chinese: tuple[str, ...]
    others_words: frozenset[str]
    cursors: _Names
    cursor_codes: frozenset[str]
    surnames: frozenset[str]


@cache
def _knowledge() -> _Knowledge:
    raw: dict[str, Any] = yaml.safe_load(_data("naming.yaml"))
    words = {short: tuple(full.split()) for short, full in raw["words"].items()}

    def names(spec: dict[str, list[str]]) -> _Names:
        return _Names(
            tuple(spec.get("chinese", ())),
            tuple(spec.get("pinyin", ())),
            tuple(_spelled(one.split(), words) for one in spec.get("english", ())),
        )

    known = {identifier: names(spec) for identifier, spec in raw["elements"].items()}
    others = raw["others"]
    return _Knowledge(
        {name: known[name] for name in known if name in elements()},
        words,
        tuple(others["chinese"]),
        frozenset(others["pinyin"]) | frozenset(others["english"]),
        names(raw["cursors"]),
        frozenset(raw["cursors"]["codes"]),
        frozenset("".join(raw["surnames"].split())),
    )


@cache
def field_codes() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Give the public social-insurance field codes: the main meaning, and others seen at other vendors."""
    rows = csv.DictReader(io.StringIO(_data("field_codes.csv")))
    return {
        row["code"]: (row["meaning"], tuple(one.strip() for one in row["other_meanings"].split("|") if one.strip()))
        for row in rows
    }


def surnames() -> frozenset[str]:
    """Give common surnames of one character."""
    return _knowledge().surnames


def name_hints(column: str, comment: str = "") -> dict[str, Hint]:
    """Say which elements a column's name and comment point at.

    Args:
        column: its name, in Chinese, pinyin, English or as a code.
        comment: what the database says of it.

    Returns:
        By element the strongest hint.
    """
    found: dict[str, Hint] = {}

    def add(identifier: str, strength: float, chinese: str, english: str) -> None:
        if strength > 0 and (identifier not in found or found[identifier].strength < strength):
            found[identifier] = Hint(round(strength, 3), Said(chinese, english))

    tokens = _tokens(column)
    known = _knowledge()
    for identifier, names in known.elements.items():
        add(identifier, _latin(tokens, names, known), "列名与常见写法相符", "the name is one commonly used")
        if strength := _chinese(column, (elements()[identifier].chinese, *names.chinese), known):
            add(identifier, strength, "中文列名相符", "the Chinese name fits")
        first = _COMMENT_END.split(comment.strip(), maxsplit=1)[0]
        if first and (strength := _chinese(first, (elements()[identifier].chinese, *names.chinese), known)):
            add(identifier, strength, "数据库注释相符", "the comment in the database fits")
    _add_codes(column, known, add)
    return found


def is_cursor_name(column: str, comment: str = "") -> bool:
    """Say whether a column's name tells when a row was last written."""
    known = _knowledge()
    if column.upper() in known.cursor_codes or _latin(_tokens(column), known.cursors, known) >= _PINYIN:
        return True
    told = (column, _COMMENT_END.split(comment.strip(), maxsplit=1)[0])
    return any(_chinese(one, known.cursors.chinese, known) >= _PINYIN for one in told if one)


def code_meaning(column: str) -> Said | None:
    """Tell what a social-insurance field code means, and that its meaning drifts if it does."""
    meaning = field_codes().get(column.upper())
    if meaning is None:
        return None
    main, others = meaning
    drift = f"；其他系统中也作：{'、'.join(others[:3])}" if others else ""
    return Said(f"公开资料中 {column.upper()} 为“{main}”{drift}", f"{column.upper()} is {main} in public sources")


def _add_codes(column: str, known: _Knowledge, add: Any) -> None:  # noqa: ANN401  (the caller's own collector)
    code = column.upper()
    if not _CODE.fullmatch(code):
        return
    for identifier, described in elements().items():
        if described.code == code:
            add(identifier, _OWN_CODE, f"字段代码 {code}", f"the field code {code}")
    meaning = field_codes().get(code)
    if meaning is None:
        return
    for strength, texts in ((_CODE_MEANING, (meaning[0],)), (_OTHER_MEANING, meaning[1])):
        for text in texts:
            for identifier, names in known.elements.items():
                fits = _chinese(text, (elements()[identifier].chinese, *names.chinese), known)
                add(
                    identifier,
                    strength * fits,
                    f"字段代码 {code} 的一种含义（各系统不一）",
                    f"one meaning of the field code {code}, which drifts between vendors",
                )


def _chinese(text: str, names: Sequence[str], known: _Knowledge) -> float:
    """Hold a Chinese text against names: whole, or a name as its part."""
    text = re.sub(r"[\s_\-—:：]", "", unicodedata.normalize("NFKC", text))
    if not _HAN.search(text):
        return 0.0
    best = 0.0
    for name in names:
        if text == name:
            return _EXACT_CHINESE
        if len(name) >= _SHORT and name in text:
            strength = _EXACT_CHINESE * (_PART + (1 - _PART) * len(name) / len(text))
            rest = text.replace(name, "", 1)
            best = max(best, strength * (_ANOTHER if any(one in rest for one in known.others_chinese) else 1))
    return best


def _latin(tokens: tuple[str, ...], names: _Names, known: _Knowledge) -> float:
    """Hold a name of Latin letters against pinyin and English words."""
    if not tokens:
        return 0.0
    joined = "".join(tokens)
    best = 0.0
    for pinyin in names.pinyin:
        full = _SHORT_PINYIN if len(pinyin) <= _SHORT else _PINYIN
        if joined == pinyin:
            best = max(best, full)
        elif pinyin in tokens:
            best = max(best, full * 0.85 * _of_others(tokens, (pinyin,), known))
        elif len(pinyin) > _SHORT + 1 and joined.endswith(pinyin):
            best = max(best, full * 0.75)
    spelled = _spelled(tokens, known.words)
    for words in names.english:
        if spelled == words or joined == "".join(words):
            best = max(best, _EXACT_ENGLISH)
        elif _within(words, spelled):
            share = len(words) / len(spelled)
            strength = _EXACT_ENGLISH * (_PART + (1 - _PART) * share)
            best = max(best, strength * _of_others(spelled, words, known))
    return best


def _of_others(tokens: Iterable[str], alias: Sequence[str], known: _Knowledge) -> float:
    return _ANOTHER if (set(tokens) - set(alias)) & known.others_words else 1.0


def _within(words: tuple[str, ...], tokens: tuple[str, ...]) -> bool:
    return any(tokens[start : start + len(words)] == words for start in range(len(tokens) - len(words) + 1))


def _tokens(column: str) -> tuple[str, ...]:
    text = unicodedata.normalize("NFKC", column)
    if _HAN.search(text):
        return ()
    return tuple(piece.lower() for piece in _PIECES.findall(text) if not piece.isdigit())


def _spelled(tokens: Sequence[str], words: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(word for token in tokens for word in words.get(token.lower(), (token.lower(),)))


def _data(file: str) -> str:
    return files("huodang.exchange.connect").joinpath("data", file).read_text(encoding="utf-8")
