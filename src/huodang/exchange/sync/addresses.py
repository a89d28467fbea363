"""Database URLs, in all the spellings that people use."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from huodang.exchange.sync.columns import Engine
from huodang.exchange.sync.errors import AddressError

_POSTGRESQL: Final = frozenset({"postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"})
_MARIADB: Final = frozenset({"mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"})
_FILES: Final = (".db", ".sqlite", ".sqlite3", ".db3")


@dataclass(frozen=True)
class Address:
    """A database: its product, its URL, and the URL as it may be shown (no password)."""

    engine: Engine
    url: URL
    shown: str

    @property
    def path(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.url.database or "")

    @property
    def same_place(self) -> tuple[object, ...]:
        """What two addresses of one database share."""
        if self.engine is Engine.SQLITE:
            return (self.engine, self.path.resolve())
        host = "127.0.0.1" if self.url.host in {None, "", "localhost", "::1"} else self.url.host
        return (self.engine, host, self.url.port, self.url.database)


def parse_address(text: str) -> Address:
    """Understand a database URL or the path of a SQLite file.

    Raises:
        AddressError: it is neither.
    """
    bare = text.strip()
    if "://" not in bare:
        if bare and (Path(bare).suffix.lower() in _FILES or Path(bare).is_file()):
            return _sqlite(Path(bare))
        raise AddressError(
            "数据库地址无法识别",
            "the database address isn't understood",
            advice_chinese="请写成 postgresql://用户@主机/库、mysql://用户@主机/库、sqlite:///路径，或 SQLite 文件。",
            advice_english="Write postgresql://user@host/db, mysql://user@host/db, sqlite:///path, or a SQLite file.",
        )
    try:
        url = make_url(bare)
    except (ArgumentError, ValueError):
        raise AddressError(
            "数据库地址的写法不对",
            "the database address is misspelt",
            advice_chinese="用户名或密码里的特殊字符要写成百分号编码，如 @ 写 %40。",
            advice_english="Write special characters of user or password percent-encoded, @ as %40.",
        ) from None
    if url.drivername in _POSTGRESQL:
        return Address(Engine.POSTGRESQL, url.set(drivername="postgresql+psycopg"), _shown(url, "postgresql"))
    if url.drivername in _MARIADB:
        if not url.database:
            raise AddressError(
                "地址里没有库名",
                "the address names no database",
                advice_chinese="请在主机后写上 /库名。",
                advice_english="Write /database after the host.",
            )
        return Address(Engine.MARIADB, url.set(drivername="mysql+pymysql"), _shown(url, "mysql"))
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise AddressError(
                "SQLite 地址里没有文件",
                "the SQLite address names no file",
                advice_chinese="相对路径写 sqlite:///a.db，绝对路径写 sqlite:////data/a.db。",
                advice_english="Write sqlite:///a.db for a relative path, sqlite:////data/a.db for an absolute one.",
            )
        return _sqlite(Path(url.database))
    return Address(Engine.OTHER, url, url.render_as_string(hide_password=True))


def _sqlite(path: Path) -> Address:
    url = URL.create("sqlite", database=str(path))
    return Address(Engine.SQLITE, url, f"sqlite:///{path}")


def _shown(url: URL, name: str) -> str:
    return url.set(drivername=name, query={}).render_as_string(hide_password=True)
