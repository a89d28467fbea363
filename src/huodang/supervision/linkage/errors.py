"""What can go wrong with a linkage as a whole. Single records that can't be linked are results, not errors."""

from typing import ClassVar

from huodang.standards import BadValue


class LinkageError(BadValue):
    """Two files can't be linked: nothing was written."""

    code: ClassVar[str] = "linkage.invalid"


class NothingSharedError(LinkageError):
    """The files share no column that tells persons apart."""

    code: ClassVar[str] = "linkage.nothing_shared"


class LinkSettingsError(LinkageError):
    """A cost, a threshold or a limit makes no sense."""

    code: ClassVar[str] = "linkage.settings"


class LinkModelError(LinkageError):
    """A saved model can't be read, or was trained for other comparisons."""

    code: ClassVar[str] = "linkage.model"


class LinkOutputError(LinkageError):
    """The links can't be written where they were asked for."""

    code: ClassVar[str] = "linkage.output"
