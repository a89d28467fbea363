"""What the quality of a table would be if delivered as proposed: measured with the delivery's own standardiser."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from huodang.exchange.connect.facts import TableFacts
from huodang.exchange.connect.mapping import SUBJECT, TableMapping
from huodang.exchange.connect.proposal import TableProposal
from huodang.exchange.errors import GatewayConfigError
from huodang.exchange.gateway.shapes import ElementSpec
from huodang.exchange.quality import QualityReport, SourceRow, Standardiser, compile_plan
from huodang.standards import Place


@dataclass(frozen=True)
class ElementQuality:
    """How good one element would be, as shares of the sampled rows.

    Attributes:
        coverage: 完整性, in how many rows something stands.
        validity: 有效性, of those, how many can be read as the element.
        unique: 唯一性, of those, how many differ from each other.
        faults: by reason, how many cells would put their row into quarantine.
    """

    column: str
    coverage: float
    validity: float
    unique: float
    faults: Mapping[str, int]


@dataclass(frozen=True)
class TableQuality:
    """The quality of a sample, as proposed.

    Attributes:
        newest: newest day in the cursor's column: 及时性; empty if there is none.
        days_old: how long ago that is; None if it isn't known.
    """

    rows: int
    quarantined: int
    report: QualityReport
    elements: Mapping[str, ElementQuality]
    newest: str
    days_old: int | None

    @property
    def taken_share(self) -> float:
        """The share of the sampled rows that would be delivered."""
        return (self.rows - self.quarantined) / self.rows if self.rows else 1.0


@dataclass(frozen=True)
class _Beside:
    folder: Path

    def beside(self, relative: str) -> Path:
        return self.folder / relative


def measure(proposal: TableProposal, today: date) -> TableQuality | None:
    """Measure the sample of a table against its proposal; None if nothing is proposed for it.

    Args:
        proposal: what is proposed.
        today: for rules and for how old the newest row is.
    """
    mapping = proposal.mapping
    if not proposal.offers or not mapping.facts.sample:
        return None
    specs = {
        name: msgspec.convert(spec, str | ElementSpec)
        for name, one in mapping.used.items()
        for spec in (one.spec(several_formats=True),)
    }
    return measure_rows(mapping.facts, specs, proposal.key or (SUBJECT,), mapping, today)


def measure_rows(
    facts: TableFacts, specs: Mapping[str, Any], key: tuple[str, ...], mapping: TableMapping, today: date
) -> TableQuality | None:
    """Measure a sample against the mapping of a gateway's file; None if the mapping can't be compiled.

    Args:
        facts: the table with its sample.
        specs: by element, as in the file.
        key: the elements that name a row.
        mapping: the table's profile.
        today: for rules and freshness.
    """
    try:
        plan = compile_plan("connect.sample", key, specs, beside=_Beside(Path()), place=Place(), required=[SUBJECT])
    except GatewayConfigError:
        return None
    standardiser = Standardiser(plan, today=today)
    for number, row in enumerate(facts.sample, start=1):
        standardiser.row(SourceRow(Place(file=facts.name, row=number), row))
    report = standardiser.report()
    faults: dict[str, dict[str, int]] = {}
    for text, count in report.by_reason.items():
        reason, name, _ = text.split("|", 2)
        faults.setdefault(name, {})[reason] = count
    measured = {}
    for source in plan.elements:
        name = source.element.identifier
        profile = mapping.profiles.get(source.column)
        if profile is None:
            continue
        wrong = sum(count for reason, count in faults.get(name, {}).items() if not reason.endswith("_missing"))
        measured[name] = ElementQuality(
            source.column,
            profile.coverage,
            (profile.filled - wrong) / profile.filled if profile.filled else 1.0,
            profile.distinct / profile.filled if profile.filled else 1.0,
            faults.get(name, {}),
        )
    newest = mapping.newest
    days = (today - date.fromisoformat(newest)).days if newest else None
    return TableQuality(report.rows, report.quarantined, report, measured, newest, days)
