"""What can go wrong with the watch, each with a stable code."""

from typing import ClassVar

from huodang.standards import HuodangError


class WatchError(HuodangError):
    """The watch can't do what is asked."""

    code: ClassVar[str] = "watch"


class ListError(WatchError):
    """A month's list can't be taken: it is empty, or holds no row that names a person."""

    code: ClassVar[str] = "watch.list"


class LateListError(WatchError):
    """The list is of a month before the one that stands; history isn't rewritten."""

    code: ClassVar[str] = "watch.list_late"


class ListBusyError(WatchError):
    """The same list is being loaded by another process at this moment."""

    code: ClassVar[str] = "watch.list_busy"


class NotPermittedToLookError(WatchError):
    """The policies don't let this person look for payees, or not for this purpose."""

    code: ClassVar[str] = "watch.not_permitted"


class RunError(WatchError):
    """A check's run can't be compared: it isn't complete, or holds nothing that can be."""

    code: ClassVar[str] = "watch.run"


class CaptureError(WatchError):
    """Nothing can be estimated from these counts: too few registers, or they have nobody in common."""

    code: ClassVar[str] = "watch.capture"
