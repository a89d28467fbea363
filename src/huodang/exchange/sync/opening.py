"""Opening a side, and turning what drivers raise into errors that say what to do and hold no data."""

import errno
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import psycopg
import pymysql
import sqlalchemy as sa

from huodang.exchange.sync.addresses import Address
from huodang.exchange.sync.columns import Engine
from huodang.exchange.sync.errors import AddressError, ApplyError, ConnectError, SourceLostError, SpaceError, SyncError
from huodang.exchange.sync.mariadb import MariadbSide
from huodang.exchange.sync.other import OtherSide
from huodang.exchange.sync.postgresql import PostgresqlSide
from huodang.exchange.sync.side import Side
from huodang.exchange.sync.sqlite import SqliteSide

Role = Literal["source", "target"]
_ROLES: Final = {"source": "来源库", "target": "目标库"}
DRIVER_ERRORS: Final = (psycopg.Error, pymysql.MySQLError, sqlite3.Error, sa.exc.SQLAlchemyError)
_UNIQUE: Final = ("23505", "1062", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE")
_FULL: Final = ("53100", "1021", "1114", "SQLITE_FULL")
_DENIED: Final = ("42501", "1142", "1044", "1143", "SQLITE_READONLY", "SQLITE_PERM")
_BUSY: Final = ("55P03", "1205", "40P01", "1213", "SQLITE_BUSY", "SQLITE_LOCKED")


def open_side(address: Address, role: Role, other: Address) -> Side:
    """Connect to a database.

    Raises:
        ConnectError: it doesn't let us in.
        AddressError: its driver isn't installed.
    """
    shown = f"{_ROLES[role]} {address.shown}"
    try:
        match address.engine:
            case Engine.POSTGRESQL:
                return PostgresqlSide(address)
            case Engine.MARIADB:
                return MariadbSide(address)
            case Engine.SQLITE:
                _require_file(address, role)
                dynamic = other.engine is Engine.SQLITE
                return SqliteSide(address, reading=role == "source", dynamic=dynamic)
        return OtherSide(address)
    except (ModuleNotFoundError, sa.exc.NoSuchModuleError) as problem:
        name = problem.name if isinstance(problem, ModuleNotFoundError) else address.url.drivername
        raise AddressError(
            f"没有连接 {address.url.drivername} 的驱动（缺 {name}）",
            f"no driver for {address.url.drivername} is installed ({name} is missing)",
            advice_chinese="请在同一 Python 环境中安装该数据库的 SQLAlchemy 方言和驱动；见 docs/sync.md。",
            advice_english="Install its SQLAlchemy dialect and driver in the same environment; see docs/sync.md.",
        ) from None
    except DRIVER_ERRORS as problem:
        chinese, english = _why_not(problem)
        raise ConnectError(
            f"连不上{shown}：{chinese}",
            f"can't connect to the {role} {address.shown}: {english}",
            advice_chinese="请核对主机、端口、库名、用户名和密码，以及对方是否允许本机连接。",
            advice_english="Check host, port, database, user and password, and whether it admits this machine.",
        ) from None


def _require_file(address: Address, role: Role) -> None:
    if role == "source" and not address.path.is_file():
        raise ConnectError(
            f"来源文件不存在：{address.path}",
            f"the source file doesn't exist: {address.path}",
            advice_chinese="请核对路径；sqlite:///a.db 是相对路径，sqlite:////data/a.db 是绝对路径。",
            advice_english="Check the path; sqlite:///a.db is relative, sqlite:////data/a.db absolute.",
        )
    if role == "target" and not address.path.absolute().parent.is_dir():
        raise ConnectError(
            f"目标文件所在目录不存在：{address.path.parent}",
            f"the target file's folder doesn't exist: {address.path.parent}",
            advice_chinese="请先建好目录。",
            advice_english="Make the folder first.",
        )


def _why_not(problem: Exception) -> tuple[str, str]:
    text = str(problem).lower()
    causes = (
        (r"password authentication|access denied|no password supplied", "用户名或密码不对，或无权访问",
         "wrong user or password, or no permission"),
        (r"does not exist|unknown database", "库或用户不存在", "no such database or user"),
        (r"connection refused|can't connect|errno 111", "没有数据库在该地址监听", "nothing listens there"),
        (r"timeout|timed out", "超时无应答", "no answer in time"),
        (r"resolve host|translate host|name or service|getaddrinfo", "主机名解析不了", "the host name isn't known"),
        (r"not a database|malformed|encrypted", "不是 SQLite 数据库文件", "not a SQLite database file"),
        (r"unable to open|permission denied|readonly", "文件打不开，或没有权限",
         "the file can't be opened, or isn't permitted"),
        (r"too many (connections|clients)", "对方连接数已满", "it has too many connections"),
    )  # fmt: skip
    for pattern, chinese, english in causes:
        if re.search(pattern, text):
            return chinese, english
    return f"错误代码 {code_of(problem)}", f"error code {code_of(problem)}"


def code_of(problem: BaseException) -> str:
    """Give a driver's error code: texts may hold values, codes don't."""
    if isinstance(problem, psycopg.Error):
        return problem.sqlstate or type(problem).__name__
    if isinstance(problem, pymysql.MySQLError) and problem.args:
        return str(problem.args[0])
    if isinstance(problem, sqlite3.Error):
        return getattr(problem, "sqlite_errorname", type(problem).__name__)
    if isinstance(problem, sa.exc.DBAPIError) and problem.orig is not None:
        return type(problem.orig).__name__
    return type(problem).__name__


@contextmanager
def reading(role: Role, address: Address) -> Iterator[None]:
    """Turn what goes wrong while a side is read into one clear error."""
    try:
        yield
    except SyncError:
        raise
    except DRIVER_ERRORS as problem:
        raise _common(problem, role, address) or SourceLostError(
            f"读取{_ROLES[role]} {address.shown} 时中断（{code_of(problem)}）；未写入任何数据",
            f"the {role} {address.shown} stopped answering while it was read ({code_of(problem)}); nothing was applied",
            advice_chinese="请确认该库正常后重新运行；重新运行会补齐，不会重复。",
            advice_english="Run it again when the database is well; nothing is lost or doubled.",
        ) from None
    except OSError as problem:
        raise _disk(problem) from None


@contextmanager
def applying(address: Address) -> Iterator[None]:
    """Turn what goes wrong while the target is written into one clear error."""
    try:
        yield
    except SyncError:
        raise
    except DRIVER_ERRORS as problem:
        raise _common(problem, "target", address) or ApplyError(
            f"目标库 {address.shown} 拒绝了本批次（{code_of(problem)}{_constraint(problem)}）；本批次已整体撤回",
            f"the target {address.shown} refused the lot ({code_of(problem)}{_constraint(problem)}); "
            "the lot was taken back whole",
            advice_chinese="请检查目标表的唯一、外键、检查约束和触发器。",
            advice_english="Look at the target's unique, foreign-key and check constraints and its triggers.",
        ) from None
    except OSError as problem:
        raise _disk(problem) from None


def _constraint(problem: BaseException) -> str:
    name = problem.diag.constraint_name if isinstance(problem, psycopg.Error) else None
    return f", {name}" if name else ""


def _common(problem: Exception, role: Role, address: Address) -> SyncError | None:
    code = code_of(problem)
    if code in _FULL:
        return SpaceError(
            f"{_ROLES[role]} {address.shown} 所在磁盘已满",
            f"the disk of the {role} {address.shown} is full",
            advice_chinese="请腾出空间后重新运行；目标表没有改动。",
            advice_english="Make room and run again; the target is unchanged.",
        )
    if code in _DENIED:
        return ConnectError(
            f"在{_ROLES[role]} {address.shown} 没有所需的权限（{code}）",
            f"permission is missing at the {role} {address.shown} ({code})",
            advice_chinese="来源库需要查询权限；目标库还需要建表、写入和删除的权限。",
            advice_english="The source needs SELECT; the target needs CREATE, INSERT, UPDATE and DELETE, too.",
        )
    if code in _BUSY:
        return ApplyError(
            f"{_ROLES[role]} {address.shown} 被别的事务占用（{code}）",
            f"another transaction holds the {role} {address.shown} ({code})",
            advice_chinese="请稍后重新运行；目标表没有改动。",
            advice_english="Run again later; the target is unchanged.",
        )
    if code in _UNIQUE and role == "target":
        return ApplyError(
            f"目标表有一条唯一约束不允许本批次（{code}{_constraint(problem)}）；本批次已整体撤回",
            f"a unique constraint of the target doesn't allow the lot ({code}{_constraint(problem)}); "
            "the lot was taken back whole",
            advice_chinese="常见原因：目标列不区分大小写或尾部空格，或目标表另有唯一列。请改用区分大小写的排序规则，或由系统新建目标表。",
            advice_english="Often the target's column ignores case or trailing spaces, or another column is unique: "
            "use a binary collation, or have the table made.",
        )
    return None


def _disk(problem: OSError) -> SyncError:
    if problem.errno in {errno.ENOSPC, errno.EDQUOT}:
        return SpaceError(
            "工作目录所在磁盘已满",
            "the disk of the work folder is full",
            advice_chinese="请腾出空间，或用 --work-folder 换到空间更大的磁盘；目标表没有改动。",
            advice_english="Make room, or name a larger disk by --work-folder; the target is unchanged.",
        )
    return SpaceError(
        f"工作目录读写出错（{errno.errorcode.get(problem.errno or 0, '?')}）",
        f"the work folder can't be read or written ({errno.errorcode.get(problem.errno or 0, '?')})",
        advice_chinese="请检查磁盘，或用 --work-folder 换一个目录。",
        advice_english="Check the disk, or name another folder by --work-folder.",
    )
