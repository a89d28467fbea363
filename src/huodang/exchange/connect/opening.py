"""Opening a source database for looking only: sessions that the database itself holds read-only, bounded in time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from huodang.exchange.connect.errors import ConnectError
from huodang.exchange.sync import parse_address
from huodang.standards import BadValue, decode_text

_TESTED: Final = frozenset({"sqlite", "mysql", "postgresql"})
_CONNECT_SECONDS: Final = 8
_STEPS: Final = 10_000
_SELF_TOLD: Final = {
    "NoSuchModuleError": (
        "没有安装这种数据库的驱动",
        "the driver of this kind of database isn't installed",
        "请把厂商的 SQLAlchemy 方言与驱动装进同一环境（Oracle、达梦、人大金仓等未在此测试）。",
        "Install the vendor's SQLAlchemy dialect and driver (Oracle, Dameng, Kingbase and others are untested here).",
    ),
}


@dataclass
class Limits:
    """How long looking may take.

    Attributes:
        statement_seconds: of one statement; one that takes longer is given up, and what it asked stays unknown.
        total_seconds: of the whole; tables beyond it are named as not looked at.
    """

    statement_seconds: float = 10.0
    total_seconds: float = 300.0


class OpenSource:
    """A source database, open for looking.

    Args:
        address: URL, or the path of a SQLite file.
        limits: of time.

    Raises:
        ConnectError: the address isn't understood, or its driver is missing.
    """

    def __init__(self, address: str, limits: Limits) -> None:
        found = parse_address(address)
        self.url = found.url
        self.shown = found.shown
        self.kind = found.url.get_backend_name()
        self.limits = limits
        self.tested = self.kind in _TESTED
        if self.kind == "sqlite" and not found.path.is_file():
            raise ConnectError(
                "数据库文件不存在",
                "there is no such database file",
                advice_chinese="请核对路径；这里不会新建数据库。",
                advice_english="Check the path; nothing is made here.",
            )
        try:
            self.engine = self._engine()
        except (SQLAlchemyError, ImportError) as problem:
            told = _SELF_TOLD["NoSuchModuleError"]
            raise ConnectError(told[0], told[1], advice_chinese=told[2], advice_english=told[3]) from problem
        self._until = 0.0

    def _engine(self) -> sa.Engine:
        arguments: dict[str, Any] = {}
        seconds = max(1, int(self.limits.statement_seconds))
        url = self.url
        if self.kind == "sqlite":
            url = sa.URL.create("sqlite", database=f"file:{_quoted(url.database or '')}?mode=ro", query={"uri": "true"})
            arguments = {"timeout": 5, "check_same_thread": False}
        elif self.kind == "mysql":
            arguments = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": 2 * seconds + 5}
        elif self.kind == "postgresql":
            options = f"-c statement_timeout={seconds * 1000} -c default_transaction_read_only=on"
            arguments = {"connect_timeout": _CONNECT_SECONDS, "options": options}
        engine = sa.create_engine(url, connect_args=arguments, hide_parameters=True, pool_size=1, max_overflow=1)

        @sa.event.listens_for(engine, "connect")
        def greet(raw: Any, _record: object) -> None:  # noqa: ANN401  (each driver has its own kind of connection)
            if self.kind == "sqlite":
                raw.text_factory = _tolerant
                raw.execute("PRAGMA query_only = ON")
                raw.set_progress_handler(self._too_late, _STEPS)
            elif self.kind == "mysql":
                cursor = raw.cursor()
                cursor.execute("SET SESSION TRANSACTION READ ONLY")
                # MariaDB and MySQL name the same bound differently.
                for bound in (f"max_statement_time = {seconds}", f"max_execution_time = {seconds * 1000}"):
                    try:
                        cursor.execute(f"SET SESSION {bound}")
                        break
                    except Exception:  # noqa: BLE001, S112  (each driver has its own error; the other name is tried)
                        continue
                cursor.close()

        return engine

    def _too_late(self) -> int:
        return int(bool(self._until) and time.monotonic() > self._until)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a read-only connection.

        Raises:
            ConnectError: the database can't be reached, or the account isn't let in.
        """
        try:
            connection = self.engine.connect()
        except (SQLAlchemyError, OSError, UnicodeError) as problem:
            raise unreachable(problem) from None
        try:
            yield connection
        finally:
            connection.close()

    def scalar(self, connection: sa.Connection, statement: sa.Executable) -> Any:  # noqa: ANN401  (as the driver gives it)
        """Ask for one value, within the bound on one statement; None if it takes longer or can't be asked."""
        try:
            with self.bounded():
                return connection.execute(statement).scalar()
        except (DBAPIError, UnicodeError) as problem:
            if is_gone(problem):
                raise
            connection.rollback()
            return None

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Bound the statements inside; only SQLite needs it, servers bound them themselves."""
        self._until = time.monotonic() + self.limits.statement_seconds
        try:
            yield
        finally:
            self._until = 0.0

    def close(self) -> None:
        """Let go of the connection."""
        self.engine.dispose()


def unreachable(problem: BaseException) -> ConnectError:
    """Make the error of a database that can't be reached. The driver's own text may hold the address: it isn't told."""
    original = getattr(problem, "orig", None) or problem
    kind = type(original).__name__
    text = str(original).lower()
    if any(one in text for one in ("password", "access denied", "authentication")):
        chinese, english = (
            "账号或口令不对，或该账号不能从本机连接",
            "user or password is wrong, or may not come from here",
        )
    elif "unknown database" in text or "does not exist" in text:
        chinese, english = "没有这个数据库或账号", "there is no such database or user"
    elif "not a database" in text:
        chinese, english = (
            "该文件不是 SQLite 数据库，或已加密、损坏",
            "the file is no SQLite database, or it is damaged",
        )
    else:
        chinese, english = "数据库连不上，或中途断开", "the database can't be reached, or went away"
    return ConnectError(
        f"{chinese}（{kind}）",
        f"{english} ({kind})",
        advice_chinese="请核对地址、端口、库名、账号与防火墙，然后重试；口令可写作 ${变量名}。",
        advice_english="Check address, port, database, user and firewall; the password can be given as ${VARIABLE}.",
    )


def is_gone(problem: BaseException) -> bool:
    """Say whether an error means that the database went away."""
    return isinstance(problem, DBAPIError) and problem.connection_invalidated


def _tolerant(data: bytes) -> str:
    """Read SQLite's text: UTF-8, else GB 18030 as old tools write it; what is neither shows as broken."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    try:
        # Marked, so that nobody takes it for sound: the gateway reads UTF-8 only.
        return decode_text(data, "gb18030") + "\ufffd"
    except BadValue:
        return data.decode(errors="replace")


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
