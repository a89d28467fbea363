"""A sentence in both languages, as findings and questions carry it. Holds no value of any row."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """One thing said to the steward."""

    chinese: str
    english: str

    def to_payload(self) -> dict[str, str]:
        """Give it as JSON."""
        return {"chinese": self.chinese, "english": self.english}

    def __str__(self) -> str:
        """Give both, Chinese first."""
        return f"{self.chinese} / {self.english}"
