"""What can go wrong with payment control and monthly lists, each with a stable code."""

from typing import ClassVar

from huodang.standards import HuodangError, Place


class ControlError(HuodangError):
    """Base of every error of payment control."""

    code: ClassVar[str] = "control"


class UnknownControlError(ControlError):
    """There is no such hold, stop or list, or who asks may not see it."""

    code: ClassVar[str] = "control.unknown"


class ControlNotPermittedError(ControlError):
    """No policy permits the act to this person."""

    code: ClassVar[str] = "control.not_permitted"


class IllegalControlEventError(ControlError):
    """The transition table has no such event in this state."""

    code: ClassVar[str] = "control.illegal_event"


class ControlGuardError(ControlError):
    """A condition of the transition doesn't hold; nothing was changed.

    Attributes:
        guard: name of the condition in the transition table.
    """

    code: ClassVar[str] = "control.guard"

    def __init__(self, guard: str, chinese: str, english: str, *, advice: tuple[str, str] = ("", "")) -> None:
        super().__init__(
            chinese, english, advice_chinese=advice[0], advice_english=advice[1], place=Place(element=guard)
        )
        self.guard = guard


class NoticeTemplateError(ControlError):
    """The file of notices doesn't hold together; the place names file and element."""

    code: ClassVar[str] = "control.notice_template"


class PaylistError(ControlError):
    """A monthly list can't be checked or released as it stands."""

    code: ClassVar[str] = "paylist"


class UnjudgedHoldsError(PaylistError):
    """The list can't be released while holds, stops or proposals stand that nobody has judged.

    Attributes:
        clues: the clues that wait for a person.
    """

    code: ClassVar[str] = "paylist.unjudged"

    def __init__(self, clues: tuple[str, ...]) -> None:
        shown = "、".join(clues[:20]) + (" …" if len(clues) > 20 else "")
        super().__init__(
            f"还有 {len(clues)} 条疑点的暂停、终止或拟认定未经人判断，发放清单不能放行：{shown}",
            f"{len(clues)} clues hold or stop payments on this list, or are proposed, and nobody has judged them",
            advice_chinese="请稽核员或复核员逐条“维持”或“解除”（huodang paylist judge），再重新检查清单。",
            advice_english="Uphold each or let it go (`huodang paylist judge`), then check the list again.",
        )
        self.clues = clues


class StalePaylistError(PaylistError):
    """Holds or stops have changed since the list was checked, or the files aren't those that were checked."""

    code: ClassVar[str] = "paylist.stale"


class SamePersonError(PaylistError):
    """Who checked a list can't release it."""

    code: ClassVar[str] = "paylist.same_person"
