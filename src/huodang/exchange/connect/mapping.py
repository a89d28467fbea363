"""From candidates to one table's mapping: each element one column at most, what is unsure as a question. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from huodang.exchange.connect.facts import ColumnFacts, ColumnKind, TableFacts
from huodang.exchange.connect.naming import code_meaning, is_cursor_name
from huodang.exchange.connect.profile import NATIVE, SERIAL, ColumnProfile, profile_table
from huodang.exchange.connect.said import Said
from huodang.exchange.connect.scoring import USED, Candidate, candidates
from huodang.standards import DataElement

SUBJECT: Final = "identity_number"
_TOO_CLOSE: Final = 0.05
_SURE: Final = 0.8
"""From here on a column isn't torn between two elements that its name fits equally well."""
_SEEN: Final = 0.02
_FEN: Final = 1_000_000


@dataclass(frozen=True)
class ColumnMapping:
    """One column as one element, and how it is read.

    Attributes:
        formats: date formats found, the most frequent first.
        crosswalk: name of the product's crosswalk, or the pairs; None if codes are the standard's own.
        questions: what the steward must look at, though the column is used.
    """

    column: str
    element: DataElement
    confidence: float
    evidence: tuple[Said, ...]
    formats: tuple[str, ...] = ()
    crosswalk: str | Mapping[str, str] | None = None
    unit: str | None = None
    absent_values: tuple[str, ...] = ()
    questions: tuple[Said, ...] = ()

    def spec(self, *, several_formats: bool) -> str | dict[str, Any]:
        """Give the mapping as a gateway's file holds it.

        Args:
            several_formats: whether all formats may be named, as under `tables`, or only the most frequent.
        """
        spec: dict[str, Any] = {"column": self.column}
        if self.crosswalk:
            spec["crosswalk"] = self.crosswalk if isinstance(self.crosswalk, str) else dict(self.crosswalk)
        if self.formats:
            spec["format"] = "|".join(self.formats) if several_formats else self.formats[0]
        if self.unit:
            spec["unit"] = self.unit
        if self.absent_values:
            spec["absent_values"] = list(self.absent_values)
        return spec if len(spec) > 1 else self.column


@dataclass(frozen=True)
class TableMapping:
    """The mapping of one table.

    Attributes:
        used: by element.
        asked: columns that may be an element: proposed as questions, never used by themselves.
        cursor: the column that tells when a row was last written, with its formats.
        unmapped: columns that no element was found for, with what their codes are said to mean.
    """

    facts: TableFacts
    profiles: Mapping[str, ColumnProfile]
    used: Mapping[str, ColumnMapping]
    asked: tuple[ColumnMapping, ...]
    cursor: ColumnMapping | None = None
    unmapped: Mapping[str, Said | None] = field(default_factory=dict)

    @property
    def subject(self) -> ColumnMapping | None:
        """The column of the identity number, if it is plain."""
        return self.used.get(SUBJECT)

    @property
    def newest(self) -> str:
        """The newest day in the cursor's column, ISO; empty if there is none."""
        return self.profiles[self.cursor.column].newest if self.cursor else ""


def map_table(facts: TableFacts, department: str) -> TableMapping:
    """Propose which column is which element.

    Args:
        facts: the table with its sample.
        department: whose crosswalks may be taken.
    """
    profiles = profile_table(facts)
    cursor = _cursor(facts, profiles)
    found: list[Candidate] = []
    for column in facts.columns:
        if cursor is None or column.name != cursor.column:
            found += candidates(column, profiles[column.name], department)
    used, asked = _assigned(found)
    columns = {one.name: one for one in facts.columns}

    def made(candidate: Candidate) -> ColumnMapping:
        return _mapping(candidate, columns[candidate.column], profiles[candidate.column])

    taken = {one.column for one in used.values()} | {one.column for one in asked}
    if cursor is not None:
        taken.add(cursor.column)
    return TableMapping(
        facts,
        profiles,
        {name: made(one) for name, one in used.items()},
        tuple(made(one) for one in asked),
        cursor,
        {one.name: code_meaning(one.name) for one in facts.columns if one.name not in taken},
    )


def _assigned(found: list[Candidate]) -> tuple[dict[str, Candidate], list[Candidate]]:
    """Give each element to its best column and each column to its best element; what is too close is asked."""
    ranked = sorted(found, key=lambda one: (-one.confidence, one.column, one.element.identifier))
    used: dict[str, Candidate] = {}
    asked: dict[str, Candidate] = {}
    columns: set[str] = set()
    for one in ranked:
        name = one.element.identifier
        if one.column in columns:
            continue
        columns.add(one.column)
        rival = used.get(name)
        torn = one.confidence < _SURE and any(
            other.column == one.column and other is not one and one.confidence - other.confidence < _TOO_CLOSE
            for other in ranked
        )
        if one.confidence < USED or rival is not None or torn:
            asked[one.column] = one
            if rival is not None and rival.confidence - one.confidence < _TOO_CLOSE and name != SUBJECT:
                # Two columns say it equally well: which one is right can't be told from here.
                asked[rival.column] = rival
            continue
        used[name] = one
    return {name: one for name, one in used.items() if one.column not in asked}, list(asked.values())


def _mapping(candidate: Candidate, column: ColumnFacts, profile: ColumnProfile) -> ColumnMapping:
    described = candidate.element
    questions: list[Said] = []
    formats: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unit = None
    if described.type in ("date", "month"):
        formats = _formats(described, profile, questions)
        absent = tuple(one for one in profile.sentinels)
    if described.type == "money":
        unit = _unit(column, profile, questions)
    crosswalk: str | Mapping[str, str] | None = None
    fit = candidate.fit
    if fit is not None:
        crosswalk = fit.named or dict(fit.pairs) or None
        if fit.unmapped:
            shown = [code for code in fit.unmapped_codes if code in profile.shown_codes][:10]
            named = f"（{'、'.join(shown)}）" if shown else ""
            questions.append(
                Said(
                    f"{len(fit.unmapped_codes)} 个代码、{fit.unmapped} 行没有对照{named}：请补充含义",
                    f"{len(fit.unmapped_codes)} codes in {fit.unmapped} sampled rows have no crosswalk",
                )
            )
    if profile.broken:
        questions.append(
            Said(f"{profile.broken} 个值编码已损坏或不是 UTF-8", f"the encoding of {profile.broken} values is broken")
        )
    return ColumnMapping(
        candidate.column,
        described,
        candidate.confidence,
        candidate.evidence,
        formats,
        crosswalk,
        unit,
        absent,
        tuple(questions),
    )


def _formats(described: DataElement, profile: ColumnProfile, questions: list[Said]) -> tuple[str, ...]:
    texts = [one for one in profile.formats if one not in (NATIVE, SERIAL)]
    if described.type == "date":
        texts = [one for one in texts if "dd" in one]
    seen = [one for one in texts if profile.formats[one] >= _SEEN * profile.filled] or texts[:1]
    if len(seen) > 1:
        questions.append(
            Said(
                f"日期有 {len(seen)} 种写法：{'、'.join(seen)}；核验只按第一种读，库表交付按所列各种读",
                f"dates are written in {len(seen)} ways: checks read the first only, tables read all of them",
            )
        )
    if serial := profile.formats.get(SERIAL, 0):
        questions.append(
            Said(
                f"{serial} 个值是电子表格序列数，会被隔离",
                f"{serial} values are spreadsheet serials: to be quarantined",
            )
        )
    if seen == ["yyyy-mm-dd"] and described.type == "date":
        return ()
    return tuple(seen)


def _unit(column: ColumnFacts, profile: ColumnProfile, questions: list[Said]) -> str:
    if profile.whole < 1 or (column.scale or 0) > 0:
        return "yuan"
    asked = Said("金额是元还是分？样本全是整数，暂按元", "yuan or fen? The sample is all whole numbers; taken as yuan")
    if profile.largest > _FEN:
        asked = Said("金额是元还是分？数值较大，暂按元，请确认", "yuan or fen? The values are large; taken as yuan")
    questions.append(asked)
    return "yuan"


def _cursor(facts: TableFacts, profiles: Mapping[str, ColumnProfile]) -> ColumnMapping | None:
    """Find the column that tells when a row was last written."""
    for column in facts.columns:
        profile = profiles[column.name]
        if not is_cursor_name(column.name, column.comment):
            continue
        formats = tuple(one for one in profile.formats if one not in (NATIVE, SERIAL) and "dd" in one)
        if column.kind in (ColumnKind.DATE, ColumnKind.INSTANT) or (profile.filled and profile.dates >= 0.8):
            why = Said("列名像更新时间，值是日期时间", "the name says when a row was written, the values are instants")
            return ColumnMapping(
                column.name, _ANY, 0.9, (why,), () if formats == ("yyyy-mm-dd hh:mm:ss",) else formats[:1]
            )
    return None


_ANY: Final = DataElement("", "", "", "", "text", 40, "", "", 1, "hidden")
