"""Anomaly scores (异常评分), each explained by its features, and the network of what is shared.

`score` says how rare a person's figures are among people alike, and why in words; `network` finds who hangs together by
accounts, addresses and employers; `write_report` leaves both behind; `findings` is what the clue desk takes. A score is
never a finding to hold a payment on: it makes clues of the tier "look".
"""

from huodang.supervision.scores.drift import Drift, Shares
from huodang.supervision.scores.features import Feature, Words
from huodang.supervision.scores.findings import findings
from huodang.supervision.scores.generic import GenericMissing, plain_figures
from huodang.supervision.scores.network import Component, Link, Network, network
from huodang.supervision.scores.people import People
from huodang.supervision.scores.report import (
    SUMMARY,
    PreviousRunError,
    Written,
    read_previous,
    reasons_text,
    write_report,
)
from huodang.supervision.scores.service import Reason, ScoredPerson, Scores, score
from huodang.supervision.scores.settings import ScoreSettings

__all__ = [
    "SUMMARY",
    "Component",
    "Drift",
    "Feature",
    "GenericMissing",
    "Link",
    "Network",
    "People",
    "PreviousRunError",
    "Reason",
    "ScoreSettings",
    "ScoredPerson",
    "Scores",
    "Shares",
    "Words",
    "Written",
    "findings",
    "network",
    "plain_figures",
    "read_previous",
    "reasons_text",
    "score",
    "write_report",
]
