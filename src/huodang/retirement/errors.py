"""What can go wrong in the joint case, each with a stable code and what to do about it."""

from dataclasses import dataclass
from typing import ClassVar

from huodang.standards import BadValue, HuodangError, Place


class RetirementError(HuodangError):
    """Base of every error of this room."""

    code: ClassVar[str] = "retirement"


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field of the form; holds no value of it."""

    field: str
    code: str
    chinese: str
    english: str


class FormError(BadValue):
    """A form is refused whole: `problems` names every field that fails. Nothing was stored."""

    code: ClassVar[str] = "retirement.form"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        self.problems = problems
        super().__init__(
            "申请表未被受理：" + "；".join(f"{problem.field}：{problem.chinese}" for problem in problems),
            "the form was refused: " + "; ".join(f"{problem.field}: {problem.english}" for problem in problems),
            advice_chinese="请改正所列各项后重新提交，未保存任何内容。",
            advice_english="Correct the fields named and submit again; nothing was stored.",
            place=Place(column=problems[0].field),
        )


class UnknownCaseError(RetirementError):
    """There is no such case, or it isn't this person's: the two are not told apart on purpose."""

    code: ClassVar[str] = "retirement.unknown_case"

    def __init__(self) -> None:
        super().__init__(
            "没有找到该联办件",
            "there is no such case",
            advice_chinese="请核对联办件编号。",
            advice_english="Check the number of the case.",
        )


class IllegalEventError(RetirementError):
    """The table has no row for this event in this state and role; nothing was changed."""

    code: ClassVar[str] = "retirement.illegal_event"


class GuardError(RetirementError):
    """The event is in the table, but a condition for it doesn't hold; nothing was changed."""

    code: ClassVar[str] = "retirement.guard"

    def __init__(
        self, guard: str, chinese: str, english: str, advice_chinese: str = "", advice_english: str = ""
    ) -> None:
        self.guard = guard
        super().__init__(chinese, english, advice_chinese=advice_chinese, advice_english=advice_english)


class AnotherCaseError(RetirementError):
    """The person already has a case under way or completed."""

    code: ClassVar[str] = "retirement.another_case"

    def __init__(self) -> None:
        super().__init__(
            "该人员已有在办或已办结的退休联办件",
            "this person already has a case under way or completed",
            advice_chinese="请查看原联办件的进度；对已办结的结果有异议可提出申诉。",
            advice_english="Look at the progress of that case; a completed one can be appealed.",
        )


class NotAllowedError(RetirementError):
    """The policies do not permit this person to do or see this."""

    code: ClassVar[str] = "retirement.not_allowed"


class RegisterError(RetirementError):
    """A data file of this room (materials, clocks, reasons) doesn't hold together."""

    code: ClassVar[str] = "retirement.data_file"
