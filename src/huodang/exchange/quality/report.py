"""What the quality of a delivery was, counted: 完整性, 有效性, 唯一性, 及时性. Holds no value of any row."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from huodang.exchange.quality.reasons import Aspect, aspect_of
from huodang.exchange.quality.values import BadRow

_FOUR_DECIMALS = 4


@dataclass(frozen=True)
class QualityReport:
    """The quality of one delivery.

    Attributes:
        rows: rows read that the agreement covers.
        taken: rows handed over or found unchanged.
        quarantined: rows kept back.
        by_reason: faults by reason, element and column: `reason|element|column` → number.
        filled: by element, in how many of the taken rows it stands.
        duplicates: rows kept back for a key that stands more than once.
        invalid: rows kept back for another reason of validity.
        late: rows that came after the time at which the provider should have delivered them.
        changed: rows inserted or updated, against which `late` is counted.
    """

    rows: int = 0
    taken: int = 0
    quarantined: int = 0
    by_reason: Mapping[str, int] = field(default_factory=dict)
    filled: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    invalid: int = 0
    late: int = 0
    changed: int = 0

    @property
    def completeness(self) -> dict[str, float]:
        """完整性: by element, the share of taken rows in which it stands."""
        return {name: _share(number, self.taken) for name, number in sorted(self.filled.items())}

    @property
    def validity(self) -> float:
        """有效性: the share of rows without an invalid value."""
        return _share(self.rows - self.invalid, self.rows)

    @property
    def uniqueness(self) -> float:
        """唯一性: the share of rows whose key stands once."""
        return _share(self.rows - self.duplicates, self.rows)

    @property
    def timeliness(self) -> float:
        """及时性: the share of changed rows that didn't come late."""
        return _share(self.changed - self.late, self.changed)

    def to_payload(self) -> dict[str, Any]:
        """Give it as whole numbers and text, for the database and for statements; shares are made again from these."""
        return {
            "rows": self.rows,
            "taken": self.taken,
            "quarantined": self.quarantined,
            "by_reason": dict(self.by_reason),
            "filled": dict(self.filled),
            "duplicates": self.duplicates,
            "invalid": self.invalid,
            "late": self.late,
            "changed": self.changed,
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "QualityReport":
        """Read what `to_payload` wrote."""
        return cls(**payload)


class QualityCount:
    """Counts while rows go by."""

    def __init__(self) -> None:
        self.rows = 0
        self.taken = 0
        self.quarantined = 0
        self.duplicates = 0
        self.invalid = 0
        self._reasons: Counter[str] = Counter()
        self._shapes: Counter[tuple[str, ...]] = Counter()

    def good(self, elements: Iterable[str]) -> None:
        """Count a row that fits, by the elements that stand in it."""
        self.rows += 1
        self.taken += 1
        # Rows of one table have few different sets of elements: counting those is one step a row.
        self._shapes[tuple(elements)] += 1

    def bad(self, row: BadRow, *, counted: Iterable[str] | None = None) -> None:
        """Count a row that is kept back.

        Args:
            row: which.
            counted: the elements of a row that had been counted as good before its twin was found.
        """
        if counted is None:
            self.rows += 1
        else:
            self.taken -= 1
            self._shapes[tuple(counted)] -= 1
        self.quarantined += 1
        aspects = {aspect_of(fault.reason) for fault in row.faults}
        self.duplicates += Aspect.UNIQUENESS in aspects
        self.invalid += Aspect.VALIDITY in aspects
        self._reasons.update(f"{fault.reason}|{fault.element}|{fault.column}" for fault in row.faults)

    def report(self, *, late: int = 0, changed: int = 0) -> QualityReport:
        """Give the report of what has gone by so far."""
        filled: Counter[str] = Counter()
        for elements, number in self._shapes.items():
            for name in elements:
                filled[name] += number
        return QualityReport(
            rows=self.rows,
            taken=self.taken,
            quarantined=self.quarantined,
            by_reason=dict(sorted(self._reasons.items())),
            filled=dict(sorted(filled.items())),
            duplicates=self.duplicates,
            invalid=self.invalid,
            late=late,
            changed=changed,
        )


def _share(part: int, whole: int) -> float:
    return round(part / whole, _FOUR_DECIMALS) if whole else 1.0
