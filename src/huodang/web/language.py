"""The message catalogue: Chinese is the source language, `messages/<language>.yaml` says the same otherwise.

What the pages of exchange and supervision say stands in `messages/<language>_<area>.yaml`.
`_` marks and translates where a language is known; `mark` only marks a sentence that is translated later, when it is
shown. A test walks templates and code and fails on a sentence without an English one.
"""

from functools import cache
from importlib import resources
from typing import Final

import yaml

SOURCE: Final = "zh"
LANGUAGES: Final = ("zh", "en")
_AREAS: Final = ("exchange", "supervision")


def mark(chinese: str) -> str:
    """Mark a Chinese sentence for the catalogue and hand it back as it is."""
    return chinese


@cache
def catalogue(language: str) -> dict[str, str]:
    """All sentences of one language, keyed by their Chinese source; empty for Chinese itself."""
    if language == SOURCE:
        return {}
    folder = resources.files("huodang.web").joinpath("messages")
    texts = [
        folder.joinpath(f"{name}.yaml").read_text("utf-8")
        for name in (language, *(f"{language}_{area}" for area in _AREAS))
    ]
    return {str(key): str(value) for text in texts for key, value in yaml.safe_load(text).items()}


def translate(chinese: str, language: str, **values: object) -> str:
    """Say a Chinese sentence in the given language, with `{placeholders}` filled in.

    A sentence that the catalogue lacks is said in Chinese: better the source language than a code.
    """
    sentence = catalogue(language).get(chinese, chinese)
    return sentence.format(**values) if values else sentence


def known_language(wanted: str | None) -> str:
    """The wanted language if there is one of that name, else Chinese."""
    return wanted if wanted in LANGUAGES else SOURCE
