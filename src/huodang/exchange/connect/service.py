"""Inspecting a source: what is there, what it could offer, how good it is, and the files that follow from it."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from huodang.exchange.catalogue import CatalogueEntry, CatalogueFormat, write_catalogue
from huodang.exchange.catalogue.codes import provider_names
from huodang.exchange.connect.coverage import TableQuality, measure
from huodang.exchange.connect.entries import entry_of
from huodang.exchange.connect.errors import ConnectError, OutputExistsError
from huodang.exchange.connect.facts import SourceFacts, TableFacts
from huodang.exchange.connect.folder import read_folder
from huodang.exchange.connect.gateway_yaml import GatewayFrame, write_gateway
from huodang.exchange.connect.mapping import ColumnMapping, TableMapping, map_table
from huodang.exchange.connect.opening import Limits, OpenSource
from huodang.exchange.connect.profile import ColumnProfile
from huodang.exchange.connect.proposal import TableProposal, propose
from huodang.exchange.connect.reading import Progress, read_database
from huodang.exchange.files import FileKind
from huodang.exchange.gateway.config import fill_variables, process_environment
from huodang.exchange.gateway.conversion import plain
from huodang.standards import BadValue, DataElement, Place
from huodang.store import write_whole
from huodang.trust import HIDDEN_TEXT, MaskLevel, mask

_DEPARTMENT: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_FIGURE: Final = re.compile(r"[0-9./-]{1,10}")
_SHOWN_SAMPLES: Final = 3


@dataclass(frozen=True)
class InspectionSettings:
    """What is looked at, and for whom.

    Attributes:
        department: code in front of every resource.
        tables: only these; empty for all.
        schema: of the database, if not the account's own.
        today: for rules and freshness.
    """

    department: str
    today: date
    tables: tuple[str, ...] = ()
    schema: str | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Refuse a department code that no resource's name could begin with."""
        if not _DEPARTMENT.fullmatch(self.department):
            raise ConnectError(
                "部门代码应为小写字母、数字和下划线，字母开头",
                "a department's code is lower-case letters, digits and underscores",
                advice_chinese="例如 police、medical_insurance。",
                advice_english="Such as police or medical_insurance.",
            )


@dataclass(frozen=True)
class Inspection:
    """What was found in a source and what is proposed. Shows no value of a row but masked ones.

    Attributes:
        quality: by table, what was measured over its sample.
        url: of a database; holds the password, so it is never shown.
        variable: environment variable that the password came from.
    """

    source: SourceFacts
    settings: InspectionSettings
    proposals: tuple[TableProposal, ...]
    quality: Mapping[str, TableQuality]
    url: sa.URL | None = field(default=None, repr=False)
    folder: Path | None = None
    variable: str = ""

    @property
    def entries(self) -> tuple[CatalogueEntry, ...]:
        """The catalogue entries proposed, by resource."""
        return tuple(entry_of(offer, one) for one in self.proposals for offer in one.offers)

    def gateway_text(self, beside: Path) -> str:
        """Write the gateway's file as it would stand at a path."""
        department = self.settings.department
        provider = provider_names().get(department)
        frame = GatewayFrame(
            department,
            provider.chinese if provider else department,
            provider.english if provider else department,
            self._source(beside),
        )
        return write_gateway(frame, self.proposals, self.quality, self.source.remarks)

    def entries_text(self) -> bytes:
        """Write the entries as JSON of the catalogue."""
        return write_catalogue(list(self.entries), CatalogueFormat.JSON)

    def samples(self, mapping: TableMapping, column: str) -> list[str]:
        """Show the first values of a column, masked by the rule of its element; of no element, hidden."""
        named = {one.column: one.element for one in (*mapping.asked, *mapping.used.values())}
        shown: list[str] = []
        for row in mapping.facts.sample:
            try:
                text = plain(row.get(column))
            except (BadValue, ValueError):
                text = None
            if text:
                shown.append(_masked(text, named.get(column), mapping.profiles[column]))
            if len(shown) == _SHOWN_SAMPLES:
                break
        return shown

    def to_payload(self) -> dict[str, Any]:
        """Give all of it as JSON."""
        return {
            "source": self.source.shown,
            "kind": self.source.kind,
            "department": self.settings.department,
            "clock_skew_seconds": self.source.clock_skew_seconds,
            "remarks": [one.to_payload() for one in self.source.remarks],
            "tables": [self._table(one) for one in self.proposals],
            "entries": [one.to_payload() for one in self.entries],
        }

    def _table(self, proposal: TableProposal) -> dict[str, Any]:
        mapping, facts = proposal.mapping, proposal.mapping.facts
        quality = self.quality.get(facts.name)
        return {
            "table": facts.name,
            "view": facts.is_view,
            "comment": facts.comment,
            "rows": facts.rows,
            "rows_exact": facts.exact,
            "sampled": len(facts.sample),
            "primary_key": list(facts.primary_key),
            "unique": [list(one) for one in facts.unique],
            "cursor": mapping.cursor.column if mapping.cursor else None,
            "newest": mapping.newest or None,
            "problem": facts.problem.to_payload() if facts.problem else None,
            "remarks": [one.to_payload() for one in facts.remarks],
            "why_not": proposal.why_not.to_payload() if proposal.why_not else None,
            "mapping": [self._mapped(mapping, one, asked=False) for one in mapping.used.values()],
            "questions": [self._mapped(mapping, one, asked=True) for one in mapping.asked],
            "unmapped": {name: told.to_payload() if told else None for name, told in mapping.unmapped.items()},
            "resources": [
                {"resource": one.resource, "kind": one.kind.value, "known": one.known, "elements": list(one.elements)}
                for one in proposal.offers
            ],
            "quality": _quality(quality),
        }

    def _mapped(self, mapping: TableMapping, one: ColumnMapping, *, asked: bool) -> dict[str, Any]:
        profile = mapping.profiles[one.column]
        return {
            "column": one.column,
            "element": one.element.identifier,
            "chinese": one.element.chinese,
            "used": not asked,
            "confidence": one.confidence,
            "evidence": [said.to_payload() for said in one.evidence],
            "questions": [said.to_payload() for said in one.questions],
            "spec": one.spec(several_formats=True),
            "coverage": _share(profile),
            "samples": self.samples(mapping, one.column),
        }

    def _source(self, beside: Path) -> dict[str, Any]:
        if self.folder is not None:
            read = [one.mapping.facts.file_format for one in self.proposals if one.offers]
            formats = [one for one in read if one is not None and one.kind is FileKind.CSV]
            encodings = {one.encoding for one in formats if one.encoding}
            delimiters = {one.delimiter for one in formats if one.delimiter}
            where = os.path.relpath(self.folder.resolve(), beside.resolve().parent)
            files: dict[str, Any] = {"folder": where}
            files["encoding"] = encodings.pop() if len(encodings) == 1 else "auto"
            if len(delimiters) == 1 and delimiters != {","}:
                files["delimiter"] = delimiters.pop()
            return {"files": files}
        url = self.url or sa.make_url("sqlite://")
        if url.get_backend_name() == "sqlite":
            where = os.path.relpath(Path(url.database or "").resolve(), beside.resolve().parent)
            return {"url": f"sqlite:///{where}"}
        variable = f"${{{self.variable or self.settings.department.upper() + '_PASSWORD'}}}"
        if not url.password:
            return {"url": url.render_as_string(hide_password=False)}
        # Rendered with a mark that needs no escaping, so that the variable stands as it is.
        marked = url.set(password="HUODANGPASSWORDHERE").render_as_string(hide_password=False)  # noqa: S106  (a mark, no secret)
        return {"url": marked.replace("HUODANGPASSWORDHERE", variable)}


def inspect_database(address: str, settings: InspectionSettings, progress: Progress | None = None) -> Inspection:
    """Inspect a database: only reads, in read-only sessions, in bounded time.

    Args:
        address: URL, or the path of a SQLite file.
        settings: what is looked at, and for whom.
        progress: told the table, how many are done, how many there are.

    Raises:
        ConnectError: it can't be reached, goes away, or has no such table.
    """
    filled = fill_variables(address, process_environment(), Place(element="--database"))
    source = OpenSource(filled, settings.limits)
    named = _VARIABLE.search(address)
    try:
        facts = read_database(
            source, tables=settings.tables, schema=settings.schema, progress=progress or (lambda *_: None)
        )
        return _inspected(facts, settings, url=source.url, variable=named[1] if named else "")
    finally:
        source.close()


def inspect_files(folder: Path, settings: InspectionSettings, progress: Progress | None = None) -> Inspection:
    """Inspect a folder of files.

    Raises:
        ConnectError: there is no such folder, or nothing in it can be read.
    """
    facts = read_folder(folder, only=settings.tables, progress=progress or (lambda *_: None))
    return _inspected(facts, settings, folder=folder)


def write_outputs(outputs: Mapping[Path, bytes], *, force: bool) -> None:
    """Write files whole; none of them if one is there already.

    Raises:
        OutputExistsError: a file is there and `force` isn't set.
    """
    if not force:
        for path in outputs:
            if path.exists():
                raise OutputExistsError(
                    "文件已存在，没有写任何文件",
                    "the file exists already; nothing was written",
                    advice_chinese="换一个文件名，或加 --force 覆盖。",
                    advice_english="Take another name, or --force to replace it.",
                    place=Place(file=path.name),
                )
    for path, content in outputs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)


def inspection_json(inspection: Inspection) -> bytes:
    """Write what was found as JSON."""
    return (json.dumps(inspection.to_payload(), ensure_ascii=False, indent=2) + "\n").encode()


def _inspected(
    facts: SourceFacts,
    settings: InspectionSettings,
    *,
    url: sa.URL | None = None,
    folder: Path | None = None,
    variable: str = "",
) -> Inspection:
    department = settings.department
    mappings = [map_table(one, department) if one.problem is None else _unread(one) for one in facts.tables]
    of_files = folder is not None
    served = [one if _answerable(one.facts) else _unread(one.facts) for one in mappings]
    proposals = propose(served, department, of_files=of_files)
    proposals = tuple(
        one if _answerable(one.mapping.facts) else replace(one, why_not=one.mapping.facts.remarks[0])
        for one in proposals
    )
    quality = {}
    for one in proposals:
        measured = measure(one, settings.today)
        if measured is not None:
            quality[one.mapping.facts.name] = measured
    return Inspection(facts, settings, proposals, quality, url, folder, variable)


def _masked(text: str, described: DataElement | None, profile: ColumnProfile) -> str:
    """Mask a value; what its element lets through is shown only if it can't be somebody's."""
    if described is None:
        return HIDDEN_TEXT
    shown = mask(described.identifier, text, MaskLevel.PARTIAL)
    if shown != text or text in profile.shown_codes or _FIGURE.fullmatch(text):
        return shown
    return HIDDEN_TEXT


def _answerable(facts: TableFacts) -> bool:
    """Whether a gateway can answer from it: databases, and of files CSV."""
    return facts.file_format is None or facts.file_format.kind is FileKind.CSV


def _unread(facts: TableFacts) -> TableMapping:
    return TableMapping(facts, {}, {}, ())


def _share(profile: ColumnProfile) -> float:
    return round(profile.coverage, 4)


def _quality(quality: TableQuality | None) -> dict[str, Any] | None:
    if quality is None:
        return None
    return {
        "rows": quality.rows,
        "quarantined": quality.quarantined,
        "validity": quality.report.validity,
        "reasons": dict(quality.report.by_reason),
        "newest": quality.newest or None,
        "days_old": quality.days_old,
        "elements": {
            name: {
                "column": one.column,
                "coverage": round(one.coverage, 4),
                "validity": round(one.validity, 4),
                "unique": round(one.unique, 4),
                "faults": dict(one.faults),
            }
            for name, one in quality.elements.items()
        },
    }
