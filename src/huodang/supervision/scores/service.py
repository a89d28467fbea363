"""`score`: all scores over the prepared tables, the people with the highest, and why."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from huodang.supervision.scores.ages import below_minimum, early, is_early
from huodang.supervision.scores.amounts import contribution_months, entitlement, peers, short_years
from huodang.supervision.scores.approvals import concentrations, overrides
from huodang.supervision.scores.combine import Combined, combine, ranked, reasons, stake
from huodang.supervision.scores.contributions import spike
from huodang.supervision.scores.features import Feature, Words
from huodang.supervision.scores.generic import generic_scores, load_forest
from huodang.supervision.scores.life import life_unseen
from huodang.supervision.scores.lumps import lump
from huodang.supervision.scores.people import Names, People, gather, unjudged
from huodang.supervision.scores.rarity import Values
from huodang.supervision.scores.settings import ScoreSettings
from huodang.supervision.scores.sharing import shared_account, shared_address
from huodang.supervision.scores.sources import PreparedTables, open_sources

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Reason:
    """One reason of a score: which feature, how many points it gave, and the words."""

    feature: str
    points: float
    words: Words


@dataclass(frozen=True)
class ScoredPerson:
    """One listed person.

    Attributes:
        person: The packed number.
        row: The row of the payments that stands for the person.
        score: The points of all reasons together; of what the forest alone found, 0.
        reasons: The weightiest first; none where the forest alone found it.
        fen: The most fen that a reason speaks of; what is at stake, not what is owed.
        found_by: `scores`, or `generic` for what the forest alone found.
    """

    person: int = field(repr=False)
    row: int
    scheme: str
    region: str
    score: float
    reasons: tuple[Reason, ...]
    fen: int
    found_by: str


@dataclass(frozen=True)
class Scores:
    """What a run gives.

    Attributes:
        rows: The listed people, highest first; then those that the generic detector alone finds odd.
        people: What was known of everybody; `scores` and `generic` are in its order.
        features: Every score over everybody.
        combined: How they were put together.
        generic: The forest's figure, or None when it didn't run.
        unjudged: Payments without a readable person, month or amount: no score was made for them.
    """

    rows: tuple[ScoredPerson, ...]
    people: People = field(repr=False)
    names: Names = field(repr=False)
    features: tuple[Feature, ...] = field(repr=False)
    combined: Combined = field(repr=False)
    generic: Values | None = field(repr=False)
    unjudged: int

    @property
    def scores(self) -> Values:
        """Everybody's score, in the order of `people`."""
        return self.combined.scores


def score(prepared: PreparedTables, settings: ScoreSettings, progress: Progress | None = None) -> Scores:
    """Score everybody who is paid.

    A score says how rare a person's figures are among those alike, and why. It is never a finding to hold a payment on:
    it makes clues of the tier "look".

    Args:
        prepared: The prepared tables; only payments are needed, every other table lets one score more judge.
        settings: How to score.
        progress: Told the step, how many are done and how many there are.

    Raises:
        GenericMissing: the forest is asked for and scikit-learn isn't installed.
    """
    tell = progress or _silent
    forest_class = load_forest() if settings.generic else None
    steps = 4 if settings.generic else 3
    tell("gather", 0, steps)
    with open_sources(prepared, settings.memory, settings.threads, settings.work) as sources:
        people, names = gather(sources)
        left = unjudged(sources)
    tell("score", 1, steps)
    features = features_of(people, names)
    combined = combine(features, len(people))
    generic = None
    if forest_class is not None and len(people):
        tell("generic", 2, steps)
        generic = generic_scores(people, forest_class)
    tell("explain", steps - 1, steps)
    found = Scores((), people, names, features, combined, generic, left)
    listed = replace(found, rows=tuple(_list(found, settings.top)))
    tell("explain", steps, steps)
    return listed


def features_of(people: People, names: Names) -> tuple[Feature, ...]:
    """Make every score over everybody; the order is the order in which families name their strongest."""
    months = contribution_months(people)
    early_feature = early(people)
    return (
        entitlement(people),
        peers(people, months),
        short_years(people, months),
        below_minimum(people, months),
        lump(people),
        life_unseen(people),
        early_feature,
        spike(people),
        *concentrations(people, names, is_early(people, early_feature)),
        *overrides(people, names),
        shared_account(people),
        shared_address(people),
    )


def _list(found: "Scores", top: int) -> list[ScoredPerson]:
    person = found.people.person
    listed = [_explained(found, int(at), "scores") for at in ranked(found.scores, person, top)]
    if found.generic is None:
        return listed
    # A tenth as many again, of those in whom the scores see nothing.
    unseen = np.where(found.scores > 0, 0, found.generic).astype(np.float32)
    return listed + [_explained(found, int(at), "generic") for at in ranked(unseen, person, top // 10)]


def _explained(found: "Scores", at: int, found_by: str) -> ScoredPerson:
    people, names = found.people, found.names
    why = reasons(found.combined, found.features, at)
    region = int(people.region[at])
    return ScoredPerson(
        person=int(people.person[at]),
        row=int(people.row[at]),
        scheme=names.scheme[int(people.scheme[at])],
        region=names.region[region] if region >= 0 else "",
        score=float(found.scores[at]),
        reasons=tuple(Reason(feature.name, points, feature.tell(at)) for feature, points in why),
        fen=stake(why, at),
        found_by=found_by,
    )


def _silent(_step: str, _done: int, _whole: int) -> None:
    return None
