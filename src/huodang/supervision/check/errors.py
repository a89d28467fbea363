"""What stops a check, each with what to do."""

from typing import ClassVar

from huodang.standards import HuodangError


class CheckError(HuodangError):
    """A check can't be run as asked."""

    code: ClassVar[str] = "supervision.check"


class OutputTakenError(CheckError):
    """The folder for the results holds another run's work."""

    code: ClassVar[str] = "supervision.check_output_taken"


class EngineError(CheckError):
    """The engine isn't known, not installed or not reachable."""

    code: ClassVar[str] = "supervision.check_engine"
