"""What can go wrong when one table is synced, each with a stable code and what to do about it."""

from typing import TYPE_CHECKING, ClassVar

from huodang.exchange.errors import ExchangeError

if TYPE_CHECKING:
    from huodang.exchange.sync.values import SyncReport


class SyncError(ExchangeError):
    """Base of every error of the table sync; nothing was half applied when one is raised."""

    code: ClassVar[str] = "exchange.sync"


class AddressError(SyncError):
    """A database URL can't be understood, or names a database that we have no driver for."""

    code: ClassVar[str] = "exchange.sync.address"


class ConnectError(SyncError):
    """A database doesn't let us in: no answer, wrong password, no such database."""

    code: ClassVar[str] = "exchange.sync.connect"


class TableError(SyncError):
    """A table or a column that was named isn't there, or can't serve as what it was named for."""

    code: ClassVar[str] = "exchange.sync.table"


class ColumnsError(SyncError):
    """The target's columns don't fit the source's."""

    code: ClassVar[str] = "exchange.sync.columns"


class DriftError(SyncError):
    """The source's columns changed since the last lot."""

    code: ClassVar[str] = "exchange.sync.drift"


class BusyError(SyncError):
    """Another sync of the same target table is running."""

    code: ClassVar[str] = "exchange.sync.busy"


class MassDeleteError(SyncError):
    """The lot would delete so much of the target that a broken source is the likelier cause."""

    code: ClassVar[str] = "exchange.sync.mass_delete"


class SourceLostError(SyncError):
    """The source stopped answering while it was read; the lot was not applied."""

    code: ClassVar[str] = "exchange.sync.source_lost"


class ApplyError(SyncError):
    """The target refused the lot; it stands as before."""

    code: ClassVar[str] = "exchange.sync.apply"


class ProofError(SyncError):
    """The target, read back, differs from the source; the lot was taken back.

    Attributes:
        report: what the lot would have done, with the proof that names the buckets.
    """

    code: ClassVar[str] = "exchange.sync.proof"
    report: "SyncReport | None" = None


class SpaceError(SyncError):
    """No room is left on a disk."""

    code: ClassVar[str] = "exchange.sync.space"


class CheckError(SyncError):
    """A check that was asked for can't be made."""

    code: ClassVar[str] = "exchange.sync.check"
