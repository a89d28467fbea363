"""Anomaly scores (异常评分), each explained by its features, and the network of what is shared.

`score` says how rare a person's figures are among people alike, and why in words. A score is never a finding to hold a
payment on: it makes clues of the tier "look".
"""

from huodang.supervision.scores.service import ScoredPerson, Scores, score
from huodang.supervision.scores.settings import ScoreSettings

__all__ = ["ScoreSettings", "ScoredPerson", "Scores", "score"]
