"""Listed people as findings for the clue desk: clues that somebody looks at, and that nothing is held on."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from huodang.standards import IdentityNumber, Month, code_table
from huodang.supervision.clues import Finding, Signal
from huodang.supervision.scores.service import Scores
from huodang.supervision.scores.shown import PreparedWithOriginals
from huodang.supervision.tables import Kind
from huodang.trust import canonical_json

RULE: Final = "score"
_REGION_DIGITS: Final = 6


def findings(scores: Scores, prepared: PreparedWithOriginals, run_id: str, known_at: datetime) -> Iterator[Finding]:
    """Give a finding for each listed person; the clue desk opens a clue of the tier "look" for it.

    The only signal is the score's own, which no register stands behind: the desk never takes it for a witness.

    Args:
        scores: What `score` gave.
        prepared: Where the originals are read.
        run_id: Of this run.
        known_at: When it was made.

    Raises:
        IdentityError: a listed row's number can't be read any more, as its file was changed.
    """
    rows = sorted({one.row for one in scores.rows})
    originals = {one["row"]: one for one in prepared.original(Kind.PAYMENTS, rows).to_pylist()} if rows else {}
    month = int(scores.people.latest.max(initial=0))
    schemes = code_table("scheme").codes
    for one in scores.rows:
        original = originals[one.row]
        evidence = canonical_json(
            {
                "score": f"{one.score:.2f}",
                "found_by": one.found_by,
                "file": original["file"],
                "file_row": str(original["file_row"]),
                "reasons": [
                    {
                        "feature": reason.feature,
                        "points": f"{reason.points:.2f}",
                        "chinese": reason.words.chinese,
                        "english": reason.words.english,
                    }
                    for reason in one.reasons
                ],
            }
        )
        told = {"score": f"{one.score:.2f}", "features": " ".join(reason.feature for reason in one.reasons)}
        yield Finding(
            rule=RULE,
            identity_number=IdentityNumber.parse(original["identity_number"]).text,
            scheme=one.scheme if one.scheme in schemes else "",
            months=(Month(month // 12, month % 12 + 1),),
            fen=one.fen,
            signals=(
                Signal(
                    register="scores",
                    kind="score",
                    fact=told,
                    digest=hashlib.sha256(evidence).hexdigest(),
                    confirmed=False,
                    fuzzy=True,
                    known_at=known_at,
                ),
            ),
            run_id=run_id,
            evidence=evidence,
            region=one.region if len(one.region) == _REGION_DIGITS and one.region.isdecimal() else "",
        )
