"""How a name sounds (读音): the syllables of its characters without tones, so that homophones agree.

A character that is read in several ways has the reading that stands first: what matters is that both records are read
alike. Traditional and simplified forms of a character sound alike, too.
"""

from functools import cache

from pypinyin import Style, lazy_pinyin


@cache
def syllable(character: str) -> str:
    """Give the syllable of one character; what has none stands for itself."""
    return "".join(lazy_pinyin(character, style=Style.NORMAL)).lower()


def sound_of(name: str) -> str | None:
    """Give the syllables of a name, parted by spaces."""
    return " ".join(map(syllable, name)) or None
