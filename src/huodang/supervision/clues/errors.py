"""What can go wrong with clues, each with a stable code."""

from typing import ClassVar

from huodang.standards import HuodangError, Place


class ClueError(HuodangError):
    """Base of every error of clues."""

    code: ClassVar[str] = "clue"


class UnknownClueError(ClueError):
    """There is no such clue, or who asks may not see it."""

    code: ClassVar[str] = "clue.unknown"


class ClueNotPermittedError(ClueError):
    """No policy permits the act to this person."""

    code: ClassVar[str] = "clue.not_permitted"


class IllegalClueEventError(ClueError):
    """The transition table has no such event in this state."""

    code: ClassVar[str] = "clue.illegal_event"


class ClueGuardError(ClueError):
    """A condition of the transition doesn't hold; nothing was changed.

    Attributes:
        guard: name of the condition in the transition table.
    """

    code: ClassVar[str] = "clue.guard"

    def __init__(self, guard: str, chinese: str, english: str, *, advice: tuple[str, str] = ("", "")) -> None:
        super().__init__(
            chinese, english, advice_chinese=advice[0], advice_english=advice[1], place=Place(element=guard)
        )
        self.guard = guard


class ClueDataError(ClueError):
    """A data file of clues (terms, registers) doesn't hold together; the place names file and element."""

    code: ClassVar[str] = "clue.data_file"


class FindingError(ClueError):
    """A finding can't become a clue as it stands; nothing of its run was taken."""

    code: ClassVar[str] = "clue.finding"


class EvidenceAlteredError(ClueError):
    """Frozen evidence doesn't fit its digest any more."""

    code: ClassVar[str] = "clue.evidence_altered"
