"""How a citizen proves to be the one: an access code (查询码) handed out at the window, then a ticket for the visit.

This is the seam for the province's unified identity (统一身份认证): a deployment that has it puts its own check behind
`CitizenDoor.sign_in` and keeps the tickets. A citizen is known here by the blind index of the identity number alone.
"""

from datetime import timedelta
from typing import ClassVar, Final

from sqlalchemy import delete, insert, select

from huodang.standards import HuodangError
from huodang.store import Clock, Database
from huodang.web.lockout import count_failure, forget_failures, refuse_if_locked
from huodang.web.passwords import hash_secret, new_access_code, normal_access_code, secret_matches
from huodang.web.records import access_codes
from huodang.web.sessions import SessionKind, end_session, note_use, open_session, session_holder
from huodang.web.settings import SessionRules

CODE_LIFE: Final = timedelta(days=365)


class CitizenRefusedError(HuodangError):
    """Number, name and access code don't belong together; which one was wrong stays untold."""

    code: ClassVar[str] = "web.citizen.refused"

    def __init__(self) -> None:
        super().__init__(
            "身份证号、姓名或查询码不对",
            "The identity number, the name or the access code is wrong",
            advice_chinese="查询码印在窗口给您的回执上；遗失可持身份证到窗口补领",
            advice_english="The code is on the slip from the window; for a new one bring your identity card",
        )


class TicketEndedError(HuodangError):
    """The visit has ended: too long without a request, or too long altogether."""

    code: ClassVar[str] = "web.citizen.ended"

    def __init__(self) -> None:
        super().__init__("登录已过期，请重新登录", "Your visit has ended, please sign in again")


class CitizenDoor:
    """Access codes and visits of citizens. Owns its transactions."""

    def __init__(self, database: Database, clock: Clock, rules: SessionRules) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules

    def issue_code(self, subject_index: str, *, by: str) -> str:
        """Make a fresh access code for a person; an older one stops working. It is shown once and kept as a hash."""
        code = new_access_code()
        hashed = hash_secret(code)
        now = self._clock.now()
        with self._database.begin() as connection:
            connection.execute(delete(access_codes).where(access_codes.c.subject_index == subject_index))
            connection.execute(
                insert(access_codes).values(
                    subject_index=subject_index,
                    code_hash=hashed,
                    issued_at=now,
                    issued_by=by,
                    valid_until=now + CODE_LIFE,
                )
            )
            forget_failures(connection, subject_index)
        return code

    def sign_in(self, subject_index: str, code: str) -> str:
        """Check an access code and hand out a ticket for the visit.

        Raises:
            LockedOutError: five wrong tries have shut this person's door for thirty minutes.
            CitizenRefusedError: the code is wrong or has run out.
        """
        now = self._clock.now()
        with self._database.read() as connection:
            refuse_if_locked(connection, subject_index, now)
            row = (
                connection.execute(select(access_codes).where(access_codes.c.subject_index == subject_index))
                .mappings()
                .one_or_none()
            )
        right = secret_matches(normal_access_code(code), row["code_hash"] if row else None)
        if row is None or not right or row["valid_until"] <= now:
            with self._database.begin() as connection:
                count_failure(connection, subject_index, now)
            raise CitizenRefusedError
        with self._database.begin() as connection:
            forget_failures(connection, subject_index)
            return open_session(connection, SessionKind.CITIZEN, subject_index, self._rules, now)

    def check_ticket(self, ticket: str, subject_index: str) -> None:
        """Make sure that a ticket is live and belongs to this person.

        Raises:
            TicketEndedError: it is neither.
        """
        now = self._clock.now()
        with self._database.read() as connection:
            holder, note = session_holder(connection, SessionKind.CITIZEN, ticket, self._rules, now)
        if holder is None or holder != subject_index:
            raise TicketEndedError
        if note:
            with self._database.begin() as connection:
                note_use(connection, ticket, now)

    def sign_out(self, ticket: str) -> None:
        """End a visit."""
        with self._database.begin() as connection:
            end_session(connection, ticket)
