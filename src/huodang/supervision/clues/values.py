"""What a clue is made of: findings, the signals of registers, and how it ended. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from huodang.standards import Month


class Stance(StrEnum):
    """Whether a signal speaks for the suspicion or against it."""

    FOR = "for"
    AGAINST = "against"  # such as the police's “alive” against a hospital's death


@dataclass(frozen=True)
class Signal:
    """What one register says of a person.

    Attributes:
        register: whose: `health`, `police`, `civil_affairs`, `justice`, `social_insurance`, `linkage`, `scores` …
        kind: of what: `death`, `custody`, `alive`, `enrolment` … as the register's own error rate is kept by.
        fact: what it says, as codes and dates by name; kept sealed.
        digest: SHA-256 of the record as it came, 64 hexadecimal digits; the same record has the same digest for good.
        confirmed: the register has confirmed it when asked back.
        fuzzy: the person was linked by likeness, not by number: it names a candidate and no more.
        known_at: when the platform knew of it.
        stance: for the suspicion, or against it.
        copy_of: the register that this one copied the record from; a copy is no second witness.
    """

    register: str
    kind: str
    fact: Mapping[str, str]
    digest: str
    confirmed: bool
    fuzzy: bool
    known_at: datetime
    stance: Stance = Stance.FOR
    copy_of: str = ""


@dataclass(frozen=True)
class Finding:
    """A suspected wrong payment or enrolment, out of a check or an event.

    Attributes:
        rule: code of the rule, or of the event, such as `paid_after_death`.
        identity_number: of the person, normalised; of a fuzzy link, of the candidate.
        scheme: code of the scheme (险种) whose payment is in question.
        months: the months in question, none if it begins with the next payment.
        fen: what is at stake, in fen.
        signals: what the registers say.
        run_id: of the check's run, or of the event.
        evidence: the rows as they were, as canonical JSON or any bytes; frozen by hash, kept sealed.
        region: six digits, bounding who may see the clue.
    """

    rule: str
    identity_number: str = field(repr=False)
    scheme: str
    months: tuple[Month, ...]
    fen: int
    signals: tuple[Signal, ...]
    run_id: str
    evidence: bytes = field(repr=False)
    region: str = ""


class Tier(StrEnum):
    """How pressing a clue is (风险等级), the most pressing first."""

    URGENT = "urgent"  # several registers agree, or payment is about to be stopped
    HIGH = "high"  # one register's record about the very person
    NORMAL = "normal"  # the agency's own data alone
    LOOK = "look"  # a likeness or a score: somebody looks, nothing is held


class Outcome(StrEnum):
    """How a clue ended."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"


@dataclass(frozen=True)
class Stake:
    """What is at stake in one scheme.

    Attributes:
        months: the months in question, in order.
        fen: the largest sum that any finding of the clue named.
    """

    scheme: str
    months: tuple[Month, ...]
    fen: int


@dataclass(frozen=True)
class ClueOutcome:
    """How a clue ended, for those who act on it: payment control, recovery, the watch.

    Attributes:
        matter: what it was about: `death`, `custody`, `double_benefit` …
        person_index: blind index of the identity number.
        identity_number: the number itself, for those who must write to the person or record a payment.
        stakes: by scheme.
        reopened: the outcome was taken back; `outcome` is the one that no longer holds.
        proposed_by, decided_by: user ids; of a decision by the joint meeting both are the one who recorded it.
        signals: what the registers said.
        fact_from: first day on which the fact holds (day of death, first day of custody), as decided; empty if none.
    """

    clue_id: str
    matter: str
    person_index: str
    identity_number: str = field(repr=False)
    region: str
    stakes: tuple[Stake, ...]
    outcome: Outcome
    reopened: bool
    proposed_by: str
    decided_by: str
    decided_at: datetime
    signals: tuple[Signal, ...]
    fact_from: str
