"""What can go wrong in the rules: a parameter that isn't known, a fact that can't be, a figure too large."""

from typing import ClassVar

from huodang.standards import BadValue, HuodangError, Month


class ParameterMissing(HuodangError):  # noqa: N818  (the name that every room's contract uses)
    """A parameter of law isn't known for a province and month; no older value stands in for it.

    Attributes:
        province: Code or name of the province as asked for.
        parameter: Name of the parameter, as in the parameter files.
        month: The month it was asked for, or None where the parameter isn't dated.
    """

    code: ClassVar[str] = "pension.parameter_missing"

    def __init__(
        self,
        province: str,
        parameter: str,
        month: Month | None = None,
        *,
        province_name: str = "",
        label: str = "",
        reason: tuple[str, str] | None = None,
    ) -> None:
        when_chinese = f"，{month.iso}" if month else ""
        when_english = f", {month.iso}" if month else ""
        where_chinese = f"{province_name}（{province}）" if province_name else province
        label_chinese = f"{label}（{parameter}）" if label else parameter
        why_chinese, why_english = reason or ("没有可用的参数", "no parameter known")
        super().__init__(
            f"{why_chinese}：省份 {where_chinese}，参数 {label_chinese}{when_chinese}",
            f"{why_english}: province {province}, parameter {parameter}{when_english}",
            advice_chinese="请在 pension/parameters 下补充该参数，写明生效月份、依据和来源。",
            advice_english="Add it to the files in pension/parameters with its validity, law and source.",
        )
        self.province = province
        self.parameter = parameter
        self.month = month


class ParameterFileError(HuodangError):
    """A parameter file contradicts itself or lacks what every parameter must have."""

    code: ClassVar[str] = "pension.parameter_file"


class BadFacts(BadValue):
    """A fact of a person or case can't be, so nothing is computed from it."""

    code: ClassVar[str] = "pension.bad_facts"


class FactMissing(BadFacts):
    """A fact that the rule needs is unknown.

    Attributes:
        fact: Name of the fact in the caller's record.
    """

    code: ClassVar[str] = "pension.fact_missing"

    def __init__(self, fact: str, chinese: str, english: str) -> None:
        super().__init__(
            f"缺少{chinese}（{fact}）",
            f"{english} ({fact}) is missing",
            advice_chinese="请补充后重新计算。",
            advice_english="Supply it and compute again.",
        )
        self.fact = fact


class FiguresTooLarge(BadFacts):
    """Figures exceed what 64 bits hold; the vectorised face refuses them rather than wrap around."""

    code: ClassVar[str] = "pension.figures_too_large"
