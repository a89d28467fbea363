"""What certification takes and hands out. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from huodang.standards import IdentityNumber
from huodang.supervision.clues.process import Label


@dataclass(frozen=True)
class Proof:
    """What speaks for a person being alive.

    Attributes:
        on: the day it speaks of.
        means: of the ladder, such as `hospital_stay` or `visit`.
        source: where it came from, such as `medical_insurance.settlements`.
        digest: SHA-256 of the evidence, 64 hexadecimal digits; empty if there is none on file.
    """

    identity_number: IdentityNumber = field(repr=False)
    on: date
    means: str
    source: str
    digest: str = ""


@dataclass(frozen=True)
class Payee:
    """Somebody who is paid, to be enrolled; `proved_on` is the last certification, None if not known."""

    identity_number: IdentityNumber = field(repr=False)
    region: str
    proved_on: date | None = None


@dataclass(frozen=True)
class Taken:
    """What became of proofs that came in together.

    Attributes:
        counted: they prove.
        waiting: weak ones that stand alone so far.
        stale: too old to count.
        contradicted: the person's death stands before them: kept, told, not applied.
        stranger: of persons who aren't paid here.
        repeated: said before.
        quarantined: rows of a file that could not be read as a proof.
        again: this very file was taken before, and nothing happened now.
    """

    run_id: str
    counted: int = 0
    waiting: int = 0
    stale: int = 0
    contradicted: int = 0
    stranger: int = 0
    repeated: int = 0
    quarantined: int = 0
    again: bool = False


def taken_of(run_id: str, standings: Mapping[str, int], *, repeated: int, quarantined: int = 0) -> Taken:
    """Say what became of a run's proofs, counted by how they stand."""
    return Taken(
        run_id,
        counted=standings.get("counted", 0),
        waiting=standings.get("waiting", 0),
        stale=standings.get("stale", 0),
        contradicted=standings.get("contradicted", 0),
        stranger=standings.get("stranger", 0),
        repeated=repeated,
        quarantined=quarantined,
    )


@dataclass(frozen=True)
class Suspicion:
    """What certification can't settle and hands on: nobody's pension is touched by it.

    Attributes:
        rule: `certification_overdue` (a visit could not confirm) or `proof_after_death` (data speak for life after a
            death that stands recorded).
        note: what the visitor found.
    """

    rule: str
    identity_number: IdentityNumber = field(repr=False)
    region: str
    on: date
    means: str
    digest: str
    known_at: datetime
    note: str = field(default="", repr=False)


@dataclass(frozen=True)
class ProofLine:
    """One proof as the person sees it: by what, when, and whether it counted."""

    on: date
    means: str
    means_label: Label
    source: str
    standing: str
    standing_label: Label
    recorded_at: datetime


@dataclass(frozen=True)
class CertificationLine:
    """One event in the life of a certification."""

    sequence: int
    at: datetime
    from_state: str
    event: str
    event_label: Label
    to_state: str
    by: str


@dataclass(frozen=True)
class CertificationChoice:
    """Something that the one who looks may do now."""

    event: str
    label: Label
    needs: tuple[str, ...]


@dataclass(frozen=True)
class DueRow:
    """One person in the list of those whose proof is due; the number as the policy shows it."""

    person_index: str
    identity_number: str
    region: str
    state: str
    state_label: Label
    due_on: date
    proved_on: date
    proved_by: str
    reminders: int


@dataclass(frozen=True)
class CertificationView:
    """All of one person's certification: what proved it, until when it holds, what follows, in plain words."""

    row: DueRow
    words: Label
    proofs: tuple[ProofLine, ...]
    history: tuple[CertificationLine, ...]
    may: tuple[CertificationChoice, ...]


@dataclass(frozen=True)
class Walked:
    """How many persons one walk of the ladder moved, by event."""

    run_id: str
    moved: dict[str, int]
