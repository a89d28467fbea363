"""What the clue desk hands out: plain values with their words, for pages, the command line and JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from huodang.exchange.sharing import Light
from huodang.supervision.clues.process import Label
from huodang.supervision.clues.values import Stake, Tier

TIER_LABELS: Mapping[Tier, Label] = {
    Tier.URGENT: ("紧急", "urgent"),
    Tier.HIGH: ("高", "high"),
    Tier.NORMAL: ("一般", "normal"),
    Tier.LOOK: ("待看", "look"),
}


@dataclass(frozen=True)
class EventChoice:
    """Something that the one who looks may do now.

    Attributes:
        needs: names of what has to come with it.
    """

    event: str
    label: Label
    needs: tuple[str, ...]


@dataclass(frozen=True)
class ClueRow:
    """A clue in a list; it names nobody.

    Attributes:
        fen: at stake, over all schemes.
        candidate: the person was linked by likeness only.
        light: 红黄灯; None where nothing is due.
        days_late: working days past the due day.
    """

    clue_id: str
    matter: str
    matter_label: Label
    rule: str
    region: str
    state: str
    state_label: Label
    tier: Tier
    tier_label: Label
    measure: str
    measure_label: Label
    fen: int
    candidate: bool
    opened_at: datetime
    due_on: date | None
    due_provisional: bool
    light: Light | None
    light_label: Label
    days_late: int
    overdue: bool
    assigned_to: str
    locked_by: str
    outcome: str


@dataclass(frozen=True)
class AskedRow:
    """A question about a clue that waits for a department's answer; it names nobody.

    Attributes:
        days_late: working days past the due day.
    """

    clue_id: str
    matter: str
    matter_label: Label
    region: str
    asked_at: datetime
    due_on: date
    light: Light
    light_label: Label
    days_late: int


@dataclass(frozen=True)
class SignalLine:
    """What one register says, in a view.

    Attributes:
        mille_wrong: how often that register's records of this kind are wrong, per mille, as believed now.
        fact: what it says, as the policy lets the onlooker see it.
    """

    register: str
    kind: str
    stance: str
    fact: Mapping[str, str]
    digest: str
    confirmed: bool
    fuzzy: bool
    copy_of: str
    known_at: datetime
    mille_wrong: int


@dataclass(frozen=True)
class OpinionLine:
    """What a department was asked, and what it answered."""

    department: str
    asked_at: datetime
    due_on: date
    light: Light | None
    answer: str
    answered_at: datetime | None
    answered_by: str
    note: str


@dataclass(frozen=True)
class EvidenceLine:
    """One piece of frozen evidence: its digest and the ledger entry that holds it."""

    digest: str
    run_id: str
    frozen_at: datetime
    entry_id: str


@dataclass(frozen=True)
class HistoryLine:
    """One event in the life of a clue."""

    sequence: int
    at: datetime
    from_state: str
    event: str
    event_label: Label
    to_state: str
    by: str
    role: str
    department: str
    note: str
    law: str
    policy: str
    entry_id: str


@dataclass(frozen=True)
class ClueView:
    """A clue as one who works on it sees it.

    Attributes:
        identity: the number, masked as the policy says.
        reason: why the measure is what it is; see `Judgement`.
        mille_wrong: the chance that the suspicion is wrong, per mille.
        may: what the one who looks may do now.
    """

    row: ClueRow
    identity: str
    stakes: tuple[Stake, ...]
    signals: tuple[SignalLine, ...]
    witnesses: tuple[str, ...]
    reason: str
    mille_wrong: int
    opinions: tuple[OpinionLine, ...]
    evidence: tuple[EvidenceLine, ...]
    proposed_by: str
    decided_by: str
    fact_from: str
    law: str
    merged_into: str
    history: tuple[HistoryLine, ...]
    may: tuple[EventChoice, ...]


@dataclass(frozen=True)
class Evidence:
    """Frozen evidence that fits its digest, opened for one who may see it.

    Attributes:
        shown: names and values, personal ones masked as the policy says, what no element names hidden.
    """

    digest: str
    run_id: str
    frozen_at: datetime
    shown: Mapping[str, str]


@dataclass(frozen=True)
class Counts:
    """How many clues stand where, and how much is at stake, in what the actor may see."""

    by_state: Mapping[str, int]
    by_tier: Mapping[str, int]
    overdue: int
    fen: int
