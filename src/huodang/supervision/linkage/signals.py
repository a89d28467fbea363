"""What a clue may be told of a link: who the candidate is and how likely, never that it is certain."""

from dataclasses import dataclass

from huodang.supervision.linkage.explaining import Explained
from huodang.trust import canonical_json, sha256


@dataclass(frozen=True)
class SignalFields:
    """The fields of a signal of `clues`, whose register is `linkage`.

    Attributes:
        fuzzy: the person was found by likeness or by a repaired number; such a signal never holds or stops a payment by
            itself.
    """

    register: str
    kind: str
    fact: dict[str, str]
    digest: str
    confirmed: bool
    fuzzy: bool


def signal_of(pair: Explained, kind: str = "death", facts: dict[str, str] | None = None) -> SignalFields:
    """Make of a link what a signal says.

    Args:
        pair: a link.
        kind: of what the right file tells: `death`, `custody` …
        facts: what the right record tells, as codes and dates by name.

    Returns:
        Fields of `huodang.supervision.clues.Signal`; the one who opens the clue adds when it was known.
    """
    fact = {
        **(facts or {}),
        "way": pair.way,
        "probability": f"{pair.probability:.6f}",
        "left_row": str(pair.left_row),
        "right_row": str(pair.right_row),
    }
    digest = sha256(canonical_json({"kind": kind, "fact": fact})).hex()
    return SignalFields("linkage", kind, fact, digest, confirmed=False, fuzzy=pair.way != "number")
