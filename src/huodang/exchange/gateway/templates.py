"""Values that an action writes: `{idempotency_key}`, `{on_date:yyyymmdd}`, `{amount:yuan}`, `{row.GRZH}`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from huodang.exchange.gateway.conditions import QuestionFault
from huodang.exchange.gateway.conversion import Row, plain
from huodang.exchange.gateway.formats import FormatFault, MomentFormat
from huodang.standards import BadValue, Money, Month
from huodang.store import SHANGHAI

_PIECE: Final = re.compile(r"\{\{|\}\}|\{(row\.)?([^{}:]+)(?::([^{}]+))?\}|[{}]")
BUILT_IN: Final = frozenset({"idempotency_key", "identity_number", "case_id", "grant_id", "purpose", "today", "now"})
"""Placeholders that every action has."""
YUAN: Final = "yuan"


class TemplateFault(ValueError):  # noqa: N818  (becomes an error of the gateway's file, with its place)
    """A template isn't written as it must be."""


@dataclass(frozen=True)
class Placeholder:
    """One `{…}`: a name or a column of the person's row, and another form to give it."""

    name: str
    of_row: bool
    form: MomentFormat | None
    yuan: bool

    def value(self, texts: Mapping[str, str], row: Row) -> object:
        """Give the value; a column without another form keeps its type.

        Raises:
            QuestionFault: the grant lacks it, or it can't take the form.
        """
        if self.of_row:
            raw = row[self.name]
            return raw if self.form is None and not self.yuan else self._formed(plain(raw) or "")
        if self.name not in texts:
            raise QuestionFault("parameter_missing", self.name)
        return self._formed(texts[self.name])

    def _formed(self, text: str) -> str:
        try:
            if self.yuan:
                return Money(int(text)).text
            if self.form is not None:
                return self.form.write(_moment(text))
        except (ValueError, BadValue):
            raise QuestionFault("parameter_invalid", self.name) from None
        return text


@dataclass(frozen=True)
class Template:
    """A text with placeholders, understood once at start-up."""

    parts: tuple[str | Placeholder, ...]

    @classmethod
    def compile(cls, text: str) -> "Template":
        """Understand a template.

        Raises:
            TemplateFault: a brace stands alone, or a form isn't known.
        """
        parts: list[str | Placeholder] = []
        position = 0
        for match in _PIECE.finditer(text):
            parts.append(text[position : match.start()])
            position = match.end()
            if match.group() in ("{{", "}}"):
                parts.append(match.group()[0])
            elif match[2] is None:
                raise TemplateFault(text)
            else:
                parts.append(_placeholder(match))
        parts.append(text[position:])
        return cls(tuple(part for part in parts if part != ""))

    @property
    def columns(self) -> frozenset[str]:
        """Columns of the person's row that it uses."""
        return frozenset(part.name for part in self.parts if isinstance(part, Placeholder) and part.of_row)

    @property
    def names(self) -> frozenset[str]:
        """Names that the grant must carry as parameters or claims."""
        names = {part.name for part in self.parts if isinstance(part, Placeholder) and not part.of_row}
        return frozenset(names - BUILT_IN)

    def fill(self, texts: Mapping[str, str], row: Row) -> object:
        """Give the value: of one placeholder alone the value itself, else text.

        Raises:
            QuestionFault: the grant lacks a value, or it can't take the form.
        """
        if len(self.parts) == 1 and isinstance(only := self.parts[0], Placeholder):
            return only.value(texts, row)
        return "".join(part if isinstance(part, str) else (plain(part.value(texts, row)) or "") for part in self.parts)


def _placeholder(match: re.Match[str]) -> Placeholder:
    form = match[3]
    try:
        moment = MomentFormat.compile(form) if form is not None and form != YUAN else None
    except FormatFault:
        raise TemplateFault(match.string) from None
    return Placeholder(match[2].strip(), match[1] is not None, moment, form == YUAN)


def _moment(text: str) -> date:
    """Read what a date form can be made of: an instant, a date, or a month (its first day)."""
    if "T" in text:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(SHANGHAI) if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
    if "-" in text and len(text) == len("yyyy-mm-dd"):
        return date.fromisoformat(text)
    return Month.parse(text).first_day()
