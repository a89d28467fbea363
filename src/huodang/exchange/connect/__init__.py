"""The steward's tools (接入): inspect a source, propose entry and mapping, measure coverage, test conformance.

`inspect_database` and `inspect_files` look at a source that may have any schema, and propose; they only read, and show
no value of a row but masked. `Inspection.gateway_text` is the gateway's file that follows.
"""

from huodang.exchange.connect.conformance import check_conformance
from huodang.exchange.connect.conformance_report import conformance_report
from huodang.exchange.connect.conformance_values import Check, ConformanceResult, State
from huodang.exchange.connect.coverage import ElementQuality, TableQuality
from huodang.exchange.connect.errors import ConnectError, OutputExistsError
from huodang.exchange.connect.facts import ColumnFacts, ColumnKind, SourceFacts, TableFacts
from huodang.exchange.connect.mapping import ColumnMapping, TableMapping
from huodang.exchange.connect.naming import Hint, name_hints
from huodang.exchange.connect.opening import Limits
from huodang.exchange.connect.proposal import Offer, TableProposal
from huodang.exchange.connect.reading import Progress
from huodang.exchange.connect.said import Said
from huodang.exchange.connect.service import (
    Inspection,
    InspectionSettings,
    inspect_database,
    inspect_files,
    inspection_json,
    write_outputs,
)

__all__ = [
    "Check",
    "ColumnFacts",
    "ColumnKind",
    "ColumnMapping",
    "ConformanceResult",
    "ConnectError",
    "ElementQuality",
    "Hint",
    "Inspection",
    "InspectionSettings",
    "Limits",
    "Offer",
    "OutputExistsError",
    "Progress",
    "Said",
    "SourceFacts",
    "State",
    "TableFacts",
    "TableMapping",
    "TableProposal",
    "TableQuality",
    "check_conformance",
    "conformance_report",
    "inspect_database",
    "inspect_files",
    "inspection_json",
    "name_hints",
    "write_outputs",
]
