"""What can go wrong in the working process of sharing, each with a stable code."""

from typing import ClassVar

from huodang.exchange.errors import ExchangeError
from huodang.standards import Place


class SharingError(ExchangeError):
    """Base of every error of sharing."""

    code: ClassVar[str] = "sharing"


class SharingTermsError(SharingError):
    """The file of terms doesn't hold together; the place names file and element."""

    code: ClassVar[str] = "sharing.terms"


class UnknownMatterError(SharingError):
    """There is no such demand, correction or notice, or who asks may not see it."""

    code: ClassVar[str] = "sharing.unknown"


class SharingNotPermittedError(SharingError):
    """No policy permits the act to this person of this department."""

    code: ClassVar[str] = "sharing.not_permitted"


class IllegalSharingEventError(SharingError):
    """The transition table has no such event in this state."""

    code: ClassVar[str] = "sharing.illegal_event"


class SharingGuardError(SharingError):
    """A condition of the transition doesn't hold; nothing was changed.

    Attributes:
        guard: name of the condition in the transition table.
    """

    code: ClassVar[str] = "sharing.guard"

    def __init__(self, guard: str, chinese: str, english: str, *, advice: tuple[str, str] = ("", "")) -> None:
        super().__init__(
            chinese, english, advice_chinese=advice[0], advice_english=advice[1], place=Place(element=guard)
        )
        self.guard = guard


class DemandError(SharingError):
    """A demand can't be raised as it stands: it names what isn't offered, or too little."""

    code: ClassVar[str] = "sharing.demand"


class TermsDifferError(SharingError):
    """An agreement that was signed isn't the draft that was approved."""

    code: ClassVar[str] = "sharing.terms_differ"


class CorrectionError(SharingError):
    """A correction names what was never delivered, or contradicts itself."""

    code: ClassVar[str] = "sharing.correction"


class StaleActError(SharingError):
    """A signed act was made for another moment of the matter, or came twice with other contents."""

    code: ClassVar[str] = "sharing.stale_act"
