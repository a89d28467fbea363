"""Lock-out: five wrong tries in a row shut a name for thirty minutes.

Five tries and thirty minutes are common practice at level 3 of the graded protection (等级保护), not the text of a
clause.
"""

import hashlib
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlalchemy import Connection, delete, insert, select, update

from huodang.standards import HuodangError
from huodang.web.records import sign_in_failures

TRIES: Final = 5
SHUT_FOR: Final = timedelta(minutes=30)


class LockedOutError(HuodangError):
    """Too many wrong tries; the name is shut for a while, even for the right secret."""

    code: ClassVar[str] = "web.sign_in.locked"

    def __init__(self) -> None:
        super().__init__(
            "连续 5 次输入错误，已锁定 30 分钟",
            "Five wrong tries in a row: locked for 30 minutes",
            advice_chinese="请稍后再试，或请安全管理员解锁",
            advice_english="Try again later, or ask the security administrator to unlock it",
        )


def refuse_if_locked(connection: Connection, name: str, now: datetime) -> None:
    """Stop here when the name is shut.

    Raises:
        LockedOutError: the name is shut at this moment.
    """
    locked_until = connection.execute(
        select(sign_in_failures.c.locked_until).where(sign_in_failures.c.name_key == name_key(name))
    ).scalar_one_or_none()
    if locked_until is not None and locked_until > now:
        raise LockedOutError


def count_failure(connection: Connection, name: str, now: datetime) -> None:
    """Count one wrong try; the fifth in a row shuts the name. A lock that has run out starts the count anew."""
    table = sign_in_failures
    row = connection.execute(select(table).where(table.c.name_key == name_key(name))).mappings().one_or_none()
    if row is None:
        connection.execute(insert(table).values(name_key=name_key(name), failures=1, last_at=now, locked_until=None))
        return
    over = row["locked_until"] is not None and row["locked_until"] <= now
    failures = 1 if over else row["failures"] + 1
    connection.execute(
        update(table)
        .where(table.c.name_key == name_key(name))
        .values(failures=failures, last_at=now, locked_until=now + SHUT_FOR if failures >= TRIES else None)
    )


def forget_failures(connection: Connection, name: str) -> None:
    """The right secret was given, or the security administrator unlocked the name: the count is nought again."""
    connection.execute(delete(sign_in_failures).where(sign_in_failures.c.name_key == name_key(name)))


def is_locked(connection: Connection, name: str, now: datetime) -> bool:
    """Whether the name is shut at this moment."""
    try:
        refuse_if_locked(connection, name, now)
    except LockedOutError:
        return True
    return False


def name_key(name: str) -> str:
    """What a typed name is counted under."""
    return hashlib.sha256(name.encode("utf-8")).hexdigest()
