"""What goes wrong with rules: settings that can't be, and a county's own rule that is refused."""

from typing import ClassVar

from huodang.standards import HuodangError


class RuleError(HuodangError):
    """Something about the rules of a check; never carries personal data."""

    code: ClassVar[str] = "rules"


class SettingsError(RuleError):
    """A setting or table of a check can't be used."""

    code: ClassVar[str] = "rules.settings"


class UnknownRuleError(RuleError):
    """No rule has this code."""

    code: ClassVar[str] = "rules.unknown"


class RuleFileError(RuleError):
    """A file of a county's own rules can't be read, or holds no rule."""

    code: ClassVar[str] = "rules.file"


class RuleNotProvenError(RuleError):
    """An own rule doesn't find exactly the cases that its own file plants."""

    code: ClassVar[str] = "rules.not_proven"
