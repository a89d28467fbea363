"""Accounts of the staff: proposed by one administrator, let in by another, watched by a third (三员分立).

The system administrator (系统管理员) proposes and closes accounts; the security administrator (安全管理员) lets them
in and unlocks them; the audit administrator (审计管理员) reads what both did. No administrator sees a case.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from huodang.exchange import Actor
from huodang.standards import BadValue, HuodangError, Place
from huodang.store import Clock, Database
from huodang.web.lockout import count_failure, forget_failures, is_locked, refuse_if_locked
from huodang.web.passwords import check_new_password, hash_secret, secret_matches
from huodang.web.records import account_events, users
from huodang.web.roles import Role
from huodang.web.sessions import (
    SessionKind,
    end_session,
    end_sessions_of,
    note_use,
    open_session,
    session_holder,
)
from huodang.web.settings import SessionRules

WAITING: Final = "waiting"
ACTIVE: Final = "active"
CLOSED: Final = "closed"
INSTALLATION: Final = "installation"

# Common practice at level 3, not the text of a clause.
PASSWORD_LIFE: Final = timedelta(days=90)

_USER_ID: Final = re.compile(r"[a-z][a-z0-9_.-]{1,63}")
_DEPARTMENT: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_REGION: Final = re.compile(r"[0-9]{6}")


class SignInRefusedError(HuodangError):
    """Account and password don't belong together; which of the two was wrong stays untold."""

    code: ClassVar[str] = "web.sign_in.refused"

    def __init__(self) -> None:
        super().__init__("账号或密码不对", "The account or the password is wrong")


class NoSuchAccountError(HuodangError):
    """An administrator named an account that isn't there or isn't in the state that this act wants."""

    code: ClassVar[str] = "web.account.missing"

    def __init__(self) -> None:
        super().__init__("没有这个账号，或账号状态不允许此操作", "No such account, or its state doesn't allow this")


class NotYoursError(HuodangError):
    """Nobody lets in an account that they proposed themselves."""

    code: ClassVar[str] = "web.account.own"

    def __init__(self) -> None:
        super().__init__("不能启用自己提出的账号", "Nobody lets in an account of their own making")


class OwnAccountError(HuodangError):
    """Nobody closes their own account."""

    code: ClassVar[str] = "web.account.own_close"

    def __init__(self) -> None:
        super().__init__(
            "不能关闭自己的账号",
            "Nobody closes their own account",
            advice_chinese="请由另一名系统管理员关闭。",
            advice_english="Another system administrator closes it.",
        )


@dataclass(frozen=True)
class User:
    """One account, without its password."""

    user_id: str
    name: str
    role: Role
    department: str
    region: str
    employer: str
    state: str
    password_changed_at: datetime
    locked: bool = False

    @property
    def actor(self) -> Actor:
        """The account as the policies know it."""
        return Actor(
            user_id=self.user_id,
            name=self.name,
            role=self.role.value,
            department=self.department,
            region=self.region,
            employer=self.employer,
        )

    def password_is_old(self, now: datetime) -> bool:
        """Whether the password has been in use longer than ninety days."""
        return now - self.password_changed_at > PASSWORD_LIFE


@dataclass(frozen=True)
class AccountEvent:
    """One line of the accounts' history."""

    at: datetime
    user_id: str
    event: str
    by_user: str


@dataclass(frozen=True)
class NewAccount:
    """An account that doesn't exist yet.

    Attributes:
        region: six digits of GB/T 2260; covers what lies in it.
        employer: number of the employer; only for the role of employer's clerk, and needed there.
    """

    user_id: str
    password: str
    name: str
    role: str
    department: str
    region: str
    employer: str = ""

    def check(self) -> None:
        """Check every field.

        Raises:
            BadValue: one is empty, too long or of no known kind; the place names it.
            WeakPasswordError: the password is too simple.
        """
        for element, fits, chinese, english in (
            (
                "user_id",
                _USER_ID.fullmatch(self.user_id),
                "账号须以小写字母开头，由小写字母、数字、点、横线组成",
                "An account's name starts with a lower-case letter, then lower-case letters, digits, dots, hyphens",
            ),
            (
                "name",
                0 < len(self.name) <= 100 and self.name.isprintable(),
                "姓名为空、过长或含控制字符",
                "The name is empty, too long or holds control characters",
            ),
            ("role", self.role in set(Role), "没有这个角色", "There is no such role"),
            ("department", _DEPARTMENT.fullmatch(self.department), "部门代码不对", "The department's code is wrong"),
            ("region", _REGION.fullmatch(self.region), "行政区划代码须是 6 位数字", "A region's code has six digits"),
            (
                "employer",
                (self.role == Role.EMPLOYER_CLERK) == bool(self.employer) and len(self.employer) <= 100,
                "单位编号只由单位经办人填写，且必填",
                "The employer's number belongs to an employer's clerk, who needs it",
            ),
        ):
            if not fits:
                raise BadValue(chinese, english, place=Place(element=element))
        check_new_password(self.password, self.user_id)


class Accounts:
    """What people do with accounts and their sessions. Owns its transactions."""

    def __init__(self, database: Database, clock: Clock, rules: SessionRules) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules

    def propose(self, account: NewAccount, *, by: str) -> None:
        """Propose an account; it can't sign in before the security administrator lets it in.

        Raises:
            BadValue: a field is empty, too long or of no known kind, or the account exists.
            WeakPasswordError: the password is too simple.
        """
        self._add(account, WAITING, "proposed", by)

    def install(self, account: NewAccount) -> None:
        """Make an account that may sign in at once: for those who install a hub, before there are administrators.

        Raises:
            BadValue: a field is empty, too long or of no known kind, or the account exists.
            WeakPasswordError: the password is too simple.
        """
        self._add(account, ACTIVE, "installed", INSTALLATION)

    def _add(self, account: NewAccount, state: str, event: str, by: str) -> None:
        account.check()
        hashed = hash_secret(account.password)
        now = self._clock.now()
        with self._database.begin() as connection:
            if self._row(connection, account.user_id) is not None:
                raise BadValue("已有这个账号", "There is such an account already", place=Place(element="user_id"))
            connection.execute(
                insert(users).values(
                    user_id=account.user_id,
                    name=account.name,
                    role=account.role,
                    department=account.department,
                    region=account.region,
                    employer=account.employer,
                    password_hash=hashed,
                    state=state,
                    password_changed_at=now,
                    created_at=now,
                    created_by=by,
                )
            )
            self._note(connection, account.user_id, event, by)

    def let_in(self, user_id: str, *, by: str) -> None:
        """Let a proposed account in.

        Raises:
            NoSuchAccountError: no account waits under this name.
            NotYoursError: the one who proposed it wants to let it in.
        """
        with self._database.begin() as connection:
            row = self._row(connection, user_id)
            if row is None or row["state"] != WAITING:
                raise NoSuchAccountError
            if row["created_by"] == by:
                raise NotYoursError
            connection.execute(update(users).where(users.c.user_id == user_id).values(state=ACTIVE))
            self._note(connection, user_id, "let_in", by)

    def close(self, user_id: str, *, by: str) -> None:
        """Close an account for good and end its sessions. Its name is never given out again.

        Raises:
            NoSuchAccountError: there is no open account of this name.
            OwnAccountError: it is one's own; with the last administrator gone nobody could be let in again.
        """
        if user_id == by:
            raise OwnAccountError
        with self._database.begin() as connection:
            row = self._row(connection, user_id)
            if row is None or row["state"] == CLOSED:
                raise NoSuchAccountError
            connection.execute(update(users).where(users.c.user_id == user_id).values(state=CLOSED))
            end_sessions_of(connection, user_id)
            self._note(connection, user_id, "closed", by)

    def unlock(self, user_id: str, *, by: str) -> None:
        """Open a name that too many wrong tries have shut.

        Raises:
            NoSuchAccountError: there is no account of this name.
        """
        with self._database.begin() as connection:
            if self._row(connection, user_id) is None:
                raise NoSuchAccountError
            forget_failures(connection, user_id)
            self._note(connection, user_id, "unlocked", by)

    def sign_in(self, user_id: str, password: str, kind: SessionKind) -> tuple[str, User]:
        """Check a password and open a session; hands out its token.

        Raises:
            LockedOutError: five wrong tries have shut the name.
            SignInRefusedError: account, password or the account's state is wrong.
        """
        now = self._clock.now()
        with self._database.read() as connection:
            refuse_if_locked(connection, user_id, now)
            row = self._row(connection, user_id)
        # Hashing takes some 50 ms on purpose: it stays outside any transaction.
        right = secret_matches(password, row["password_hash"] if row else None)
        if row is None or not right or row["state"] != ACTIVE:
            with self._database.begin() as connection:
                count_failure(connection, user_id, now)
                if row is not None:
                    self._note(connection, user_id, "sign_in_refused", user_id)
            raise SignInRefusedError
        with self._database.begin() as connection:
            forget_failures(connection, user_id)
            token = open_session(connection, kind, user_id, self._rules, now)
            self._note(connection, user_id, "signed_in", user_id)
        return token, _user(row)

    def user_of(self, token: str, kind: SessionKind) -> User | None:
        """Whose live session this is; `None` when it has ended, was never there, or the account was closed."""
        now = self._clock.now()
        with self._database.read() as connection:
            holder, note = session_holder(connection, kind, token, self._rules, now)
            row = self._row(connection, holder) if holder is not None else None
        if row is None or row["state"] != ACTIVE:
            return None
        if note:
            with self._database.begin() as connection:
                note_use(connection, token, now)
        return _user(row)

    def sign_out(self, token: str) -> None:
        """End one session."""
        with self._database.begin() as connection:
            end_session(connection, token)

    def change_password(self, user: User, old: str, new: str) -> None:
        """Give an account a new password and end all its sessions.

        Raises:
            LockedOutError: five wrong tries have shut the name.
            SignInRefusedError: the old password is wrong.
            WeakPasswordError: the new password is too simple.
        """
        now = self._clock.now()
        with self._database.read() as connection:
            refuse_if_locked(connection, user.user_id, now)
            row = self._row(connection, user.user_id)
        if row is None or not secret_matches(old, row["password_hash"]):
            with self._database.begin() as connection:
                count_failure(connection, user.user_id, now)
            raise SignInRefusedError
        check_new_password(new, user.user_id)
        hashed = hash_secret(new)
        with self._database.begin() as connection:
            connection.execute(
                update(users)
                .where(users.c.user_id == user.user_id)
                .values(password_hash=hashed, password_changed_at=now)
            )
            end_sessions_of(connection, user.user_id)
            self._note(connection, user.user_id, "password_changed", user.user_id)

    def all_users(self) -> list[User]:
        """Every account, by name."""
        now = self._clock.now()
        with self._database.read() as connection:
            rows = connection.execute(select(users).order_by(users.c.user_id)).mappings().all()
            return [_user(row, locked=is_locked(connection, row["user_id"], now)) for row in rows]

    def history(self, limit: int = 200) -> list[AccountEvent]:
        """The newest events of all accounts: who did what to which account, and who signed in."""
        table = account_events
        with self._database.read() as connection:
            rows = connection.execute(select(table).order_by(table.c.event_id.desc()).limit(limit)).mappings()
            return [AccountEvent(row["at"], row["user_id"], row["event"], row["by_user"]) for row in rows]

    def _note(self, connection: Connection, user_id: str, event: str, by: str) -> None:
        connection.execute(
            insert(account_events).values(at=self._clock.now(), user_id=user_id, event=event, by_user=by)
        )

    @staticmethod
    def _row(connection: Connection, user_id: str) -> RowMapping | None:
        return connection.execute(select(users).where(users.c.user_id == user_id)).mappings().one_or_none()


def _user(row: RowMapping, *, locked: bool = False) -> User:
    return User(
        user_id=row["user_id"],
        name=row["name"],
        role=Role(row["role"]),
        department=row["department"],
        region=row["region"],
        employer=row["employer"],
        state=row["state"],
        password_changed_at=row["password_changed_at"],
        locked=locked,
    )
