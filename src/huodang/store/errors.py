"""What goes wrong in the store, said so that an operator can mend it."""

from huodang.standards import HuodangError, Place


class StoreError(HuodangError):
    """Something about the database, the jobs or the objects; never carries personal data."""

    code = "store"


class DatabaseUrlError(StoreError):
    """The database URL names something that cannot be opened."""

    code = "store.url"


class DatabaseUnreachableError(StoreError):
    """The database server does not answer, or the file cannot be opened."""

    code = "store.unreachable"


class DatabaseBusyError(StoreError):
    """Another writer held the database longer than the busy timeout."""

    code = "store.busy"


class DatabaseNotMigratedError(StoreError):
    """The tables are older than the code, or were never made."""

    code = "store.not_migrated"


class DatabaseTooNewError(StoreError):
    """The tables were made by a newer release than this one."""

    code = "store.too_new"


class DatabaseInconsistentError(StoreError):
    """A migration left rows that point at nothing; it was rolled back whole."""

    code = "store.inconsistent"


class NestedTransactionError(StoreError):
    """A thread asked for a second write transaction while it holds one: two effects that should be one."""

    code = "store.nested_transaction"


class LeaseLost(StoreError):  # noqa: N818  # the name that every room knows
    """Another worker has taken the job since; whatever this one did must be rolled back."""

    code = "jobs.lease_lost"

    def __init__(self, job_id: int, token: int) -> None:
        super().__init__(
            f"任务 {job_id} 的租约（令牌 {token}）已失效，本次处理全部回滚",
            f"The lease on job {job_id} (token {token}) is lost; what was done under it is rolled back",
            advice_chinese="无需操作：任务已由其他工作线程接手。",
            advice_english="Nothing to do: another worker has taken the job.",
        )


class ObjectMissingError(StoreError):
    """No object has this digest."""

    code = "objects.missing"

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"找不到对象 {digest}",
            f"Object {digest} is not there",
            advice_chinese="请从备份恢复对象目录中的该文件。",
            advice_english="Restore this file of the objects folder from the backup.",
            place=Place(file=digest),
        )


class ObjectAlteredError(StoreError):
    """The stored bytes no longer have the digest that names them."""

    code = "objects.altered"

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"对象 {digest} 的内容已被改动，与其摘要不符",
            f"Object {digest} was altered: its bytes no longer match its digest",
            advice_chinese="请保留现场以备查证，再从备份恢复该文件。",
            advice_english="Keep the altered file as evidence, then restore it from the backup.",
            place=Place(file=digest),
        )
