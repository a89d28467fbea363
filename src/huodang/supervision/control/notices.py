"""What the person is told (告知书): plain words in both languages, kept as they were told, printable as a letter."""

import html
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import msgspec
import sqlalchemy as sa
import yaml
from sqlalchemy import Connection

from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import Place, add_working_days
from huodang.store import Clock, shanghai_date
from huodang.supervision.control import records
from huodang.supervision.control.errors import NoticeTemplateError
from huodang.trust import FieldSealer, canonical_json

NOTICE: Final = "control_notice"
_NAME: Final = "supervision/control/data/notices.yaml"
PARTS: Final = ("title", "what", "why", "next", "object")
FIELDS: Final = frozenset(
    {
        "scheme",
        "scheme_en",
        "matter",
        "matter_en",
        "month",
        "months",
        "amount",
        "object_by",
        "clue",
        "basis",
        "basis_en",
    }
)
"""What templates may speak of."""


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence in both languages."""

    zh: str
    en: str


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of notice: title, what happened, why, what follows, how to object."""

    title: Words
    what: Words
    why: Words
    next: Words
    object: Words


class Templates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All kinds, and how many working days there are to object."""

    object_days: int
    object_status: Literal["source", "target"]
    object_source: str
    kinds: dict[str, Template]


@dataclass(frozen=True)
class Notice:
    """One notice as it was told.

    Attributes:
        parts: `title`, `what`, `why`, `next`, `object`, each in Chinese and English.
        object_by: last day named for an objection.
    """

    notice_id: str
    kind: str
    person_index: str
    scheme: str
    clue_id: str
    written_at: datetime
    parts: Mapping[str, tuple[str, str]]
    object_by: date
    entry_id: str


@cache
def templates() -> Templates:
    """Give the templates that come with the product.

    Raises:
        NoticeTemplateError: the file doesn't hold together.
    """
    text = files("huodang.supervision.control").joinpath("data", "notices.yaml").read_text(encoding="utf-8")
    return read_templates(text, _NAME)


def read_templates(text: str, name: str) -> Templates:
    """Read templates, and hold every sentence against the fields it may name.

    Raises:
        NoticeTemplateError: not YAML, misshapen, or a sentence names what isn't there.
    """
    try:
        found = msgspec.convert(yaml.safe_load(text), Templates)
        blank = dict.fromkeys(FIELDS, "")
        for template in found.kinds.values():
            for part in PARTS:
                words: Words = getattr(template, part)
                words.zh.format(**blank)
                words.en.format(**blank)
    except (yaml.YAMLError, msgspec.ValidationError, KeyError, IndexError, ValueError) as problem:
        raise NoticeTemplateError(
            f"告知书模板不符合格式：{type(problem).__name__}",
            f"the templates of notices aren't shaped as they must be: {type(problem).__name__}",
            place=Place(file=name),
        ) from None
    return found


class Notices:
    """Writes what a person is told, in the transaction of what it tells of.

    Args:
        ledger: where every notice leaves an entry with its digest.
        sealer: seals the words at rest.
        clock: business time.
    """

    def __init__(self, ledger: Ledger, sealer: FieldSealer, clock: Clock) -> None:
        self._ledger = ledger
        self._sealer = sealer
        self._clock = clock

    def write(
        self,
        connection: Connection,
        kind: str,
        person_index: str,
        *,
        scheme: str,
        clue_id: str,
        values: Mapping[str, str],
    ) -> str:
        """Write a notice; give its id.

        Args:
            connection: the write transaction of what it tells of.
            kind: of the templates.
            person_index: whom.
            scheme: code of the scheme.
            clue_id: what it is about.
            values: what the sentences speak of; see FIELDS.
        """
        found, now = templates(), self._clock.now()
        object_by = add_working_days(shanghai_date(now), found.object_days).day
        filled = {**dict.fromkeys(FIELDS, ""), **values, "object_by": object_by.isoformat(), "clue": clue_id}
        english = {**filled, "scheme": filled["scheme_en"], "matter": filled["matter_en"]}
        template = found.kinds[kind]
        parts: dict[str, list[str]] = {}
        for part in PARTS:
            words: Words = getattr(template, part)
            parts[part] = [words.zh.format(**filled), words.en.format(**english)]
        table = records.notice
        before = sa.select(sa.func.count()).select_from(table).where(table.c.person_index == person_index)
        # Numbered through a person's letters, so that two of one instant keep their order.
        notice_id = f"n{connection.execute(before).scalar_one():05d}{secrets.token_hex(6)}"
        content = canonical_json({"parts": parts, "object_by": object_by.isoformat()})
        facts = {"notice": notice_id, "kind": kind, "clue": clue_id, "scheme": scheme}
        connection.execute(
            sa.insert(table).values(
                notice_id=notice_id,
                person_index=person_index,
                scheme=scheme,
                clue_id=clue_id,
                kind=kind,
                written_at=now,
                told=self._sealer.seal(NOTICE, content.decode(), notice_id),
                entry_id=self._ledger.record(connection, LedgerEntry("notice", now, facts), content),
            )
        )
        return notice_id

    def of_person(self, connection: Connection, person_index: str) -> list[Notice]:
        """List what a person was told, the newest first; who shows it to anybody decides and records the look first."""
        table = records.notice
        rows = connection.execute(
            sa.select(table)
            .where(table.c.person_index == person_index)
            .order_by(table.c.written_at.desc(), table.c.notice_id.desc())
        )
        return [self._read(row) for row in rows]

    def of_clue(self, connection: Connection, clue_id: str) -> list[Notice]:
        """List what was written because of a clue, the oldest first."""
        table = records.notice
        rows = connection.execute(
            sa.select(table).where(table.c.clue_id == clue_id).order_by(table.c.written_at, table.c.notice_id)
        )
        return [self._read(row) for row in rows]

    def _read(self, row: sa.Row[tuple[object, ...]]) -> Notice:
        told = json.loads(self._sealer.open(NOTICE, row.told, row.notice_id))
        return Notice(
            notice_id=row.notice_id,
            kind=row.kind,
            person_index=row.person_index,
            scheme=row.scheme,
            clue_id=row.clue_id,
            written_at=row.written_at,
            parts={part: (chinese, english) for part, (chinese, english) in told["parts"].items()},
            object_by=date.fromisoformat(told["object_by"]),
            entry_id=row.entry_id,
        )


_HEADINGS: Final = {
    "what": ("发生了什么", "What happened"),
    "why": ("为什么", "Why"),
    "next": ("接下来", "What follows"),
    "object": ("如有异议", "If you disagree"),
}


def letter(notice: Notice) -> str:
    """Print a notice as a letter: one HTML page that needs nothing else, Chinese first, large enough for older eyes."""
    sections = "".join(
        f"<section><h2>{html.escape(chinese)}</h2><p>{html.escape(notice.parts[part][0])}</p>"
        f'<p lang="en" class="english"><strong>{html.escape(english)}.</strong> '
        f"{html.escape(notice.parts[part][1])}</p>"
        "</section>"
        for part, (chinese, english) in _HEADINGS.items()
    )
    title = html.escape(notice.parts["title"][0])
    day = shanghai_date(notice.written_at)
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title><style>'
        "body{font:18px/1.8 serif;max-width:42em;margin:2em auto;padding:0 1em;color:#111}h1{text-align:center}"
        "h2{font-size:1.05em;margin:1.2em 0 0}p{margin:.2em 0}.english{font-size:.8em;color:#333}"
        "footer{margin-top:2em;text-align:right}@media print{body{margin:0}}</style></head><body>"
        f'<h1>{title}</h1><p class="english" lang="en" style="text-align:center">'
        f"{html.escape(notice.parts['title'][1])}</p>{sections}"
        f"<footer><p>社会保险经办机构</p><p>{day.year} 年 {day.month} 月 {day.day} 日</p>"
        f"<p>文书编号 {html.escape(notice.notice_id)}</p></footer></body></html>\n"
    )
