"""One database: SQLite in a file or PostgreSQL, with whole transactions and checked tables."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DatabaseError, OperationalError

from huodang.store import schema
from huodang.store.engine import ACCESS, make_engine, read_url
from huodang.store.errors import DatabaseBusyError, DatabaseUnreachableError, NestedTransactionError

BUSY_SECONDS = 30
"""How long a writer waits for another before it gives up."""

_WAKE = "huodang.jobs_enqueued"


def to_json(value: object) -> str:
    """Print a JSON column's value: Chinese stays readable, keys are sorted."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


class Database:
    """A database that knows its tables' version, writes whole transactions, and serves many threads and processes.

    On SQLite there is one writer at a time: threads of this process queue for it, other processes wait up to
    `BUSY_SECONDS`. On PostgreSQL writers run side by side (READ COMMITTED), so what must not be done twice needs a
    unique constraint, a locked row or `serialise()`. Reads see one snapshot on both.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = threading.local()
        self._writer = threading.Lock()
        self._checked = False
        self._wake = threading.Condition()
        self._wakes = 0

    @classmethod
    def open(cls, url: str, *, pool_size: int = 20) -> "Database":
        """Open the database behind a URL; nothing is read or made until the first use.

        Args:
            url: `sqlite:///relative/or//absolute/path.db`, or `postgresql://user@host:port/name`.
            pool_size: connections kept open; beyond it a burst opens as many again.

        Raises:
            DatabaseUrlError: the URL is none of these.
        """
        return cls(make_engine(read_url(url), pool_size=pool_size, busy_seconds=BUSY_SECONDS, to_json=to_json))

    @property
    def dialect(self) -> str:
        """Which kind of database it is: `sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, for the tests of migrations and for tools; services use `begin()` and `read()`."""
        return self._engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Run one write transaction: it commits when the block ends, and rolls back whole when the block raises.

        Raises:
            DatabaseNotMigratedError, DatabaseTooNewError: the tables do not fit the code.
            DatabaseBusyError: another writer held the database for too long.
            NestedTransactionError: this thread is already within one.
        """
        self._check()
        with self._my_turn(), self._connect("write") as connection:
            try:
                transaction = connection.begin()
            except OperationalError as error:
                raise _busy() from error
            try:
                with transaction:
                    yield connection
            finally:
                enqueued = connection.info.pop(_WAKE, False)
        if enqueued:
            self._notify()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Read one snapshot; the database itself refuses a write in here.

        Raises:
            DatabaseNotMigratedError, DatabaseTooNewError: the tables do not fit the code.
        """
        self._check()
        with self._connect("read") as connection, connection.begin() as transaction:
            yield connection
            transaction.rollback()

    def migrate(self) -> None:
        """Bring the tables up to what this release needs, in one transaction; does nothing when they already are.

        Raises:
            DatabaseTooNewError: they were made by a newer release.
        """
        with self._altering() as connection:
            schema.upgrade(connection)

    def downgrade(self, revision: str = "base") -> None:
        """Take the tables back to a revision. Whatever stood in the dropped tables is lost."""
        with self._altering() as connection:
            schema.downgrade(connection, revision)

    def version(self) -> str | None:
        """Tell the revision of the tables, or None when there are none."""
        with self._connect("read") as connection:
            return schema.current(connection)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def wait_for_jobs(self, seen: int, timeout: float) -> int:
        """Wait until this process has enqueued a job since the count was `seen`, and give the present count."""
        with self._wake:
            self._wake.wait_for(lambda: self._wakes != seen, timeout)
            return self._wakes

    def wake_workers(self) -> None:
        """Let every waiting worker of this process look again, as when it is to stop."""
        self._notify()

    def _notify(self) -> None:
        with self._wake:
            self._wakes += 1
            self._wake.notify_all()

    @contextmanager
    def _connect(self, access: str) -> Iterator[Connection]:
        try:
            connection = self._engine.connect()
        except DatabaseError as error:
            place = self._engine.url.render_as_string(hide_password=True)
            raise DatabaseUnreachableError(
                f"无法连接数据库 {place}",
                f"The database {place} cannot be reached",
                advice_chinese="请检查数据库服务是否已启动、地址与账号是否正确、文件夹是否可写。",
                advice_english="Check that the server runs, the address and account are right, the folder is writable.",
            ) from error
        with connection:
            yield connection.execution_options(**{ACCESS: access})

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        """Let one thread write at a time on SQLite: a queue in memory is fairer and quicker than its busy polling."""
        if getattr(self._thread, "writes", False):
            raise NestedTransactionError(
                "同一线程在写事务中又开启了写事务",
                "This thread opened a write transaction within another",
                advice_chinese="请把已有的连接传给被调用的函数，使全部效果在同一事务内完成。",
                advice_english="Hand the connection on to the function called: all effects belong in one transaction.",
            )
        alone = self.dialect == "sqlite"
        if alone and not self._writer.acquire(timeout=BUSY_SECONDS):
            raise _busy()
        self._thread.writes = True
        try:
            yield
        finally:
            self._thread.writes = False
            if alone:
                self._writer.release()

    @contextmanager
    def _altering(self) -> Iterator[Connection]:
        self._checked = False
        with self._my_turn(), self._connect("schema") as connection:
            yield connection

    def _check(self) -> None:
        if not self._checked:
            with self._connect("read") as connection:
                schema.require_current(connection)
            self._checked = True


def note_enqueued(connection: Connection) -> None:
    """Remember that this transaction enqueued a job, so that workers of this process wake up once it has committed."""
    connection.info[_WAKE] = True


def serialise(connection: Connection, name: str) -> None:
    """Let one transaction at a time pass this point for this name; released when the transaction ends.

    On SQLite a write transaction is already alone; on PostgreSQL an advisory lock is taken.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _busy() -> DatabaseBusyError:
    return DatabaseBusyError(
        f"数据库正被其他进程写入，等待 {BUSY_SECONDS} 秒后仍未轮到",
        f"Another process was writing to the database for more than {BUSY_SECONDS} seconds",
        advice_chinese="请稍后重试；如经常发生，请改用 PostgreSQL。",
        advice_english="Try again later; when it happens often, move to PostgreSQL.",
    )
