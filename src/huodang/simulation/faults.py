"""Departments in trouble, on demand: late, silent, cut off, dead, duplicated, contradictory, stale.

The gateway and its database stay real. Trouble on the way is made by a line (a TCP relay) between hub and gateway,
trouble in the data by changing the department's own rows, as careless clerks and half-finished transfers do.
"""

import contextlib
import socket
import threading
import time
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

from sqlalchemy import UpdateBase, create_engine, delete, insert, select, update

from huodang.simulation.departments import health, police
from huodang.simulation.departments.rows import compact, stamp
from huodang.simulation.people import Person

_LOOPBACK: Final = "127.0.0.1"
_CHUNK: Final = 65536


class Trouble(StrEnum):
    """What happens on the line."""

    NONE = "none"
    LATE = "late"  # the answer comes after a delay
    SILENT = "silent"  # the connection stands and nothing comes
    CUT = "cut"  # the connection breaks as soon as the gateway begins to answer
    DEAD = "dead"  # nobody takes the connection


class Line:
    """Relays connections to a gateway, and troubles them when told to. Use as a context manager.

    Attributes:
        port: where the hub calls.
        gateway_port: where the gateway listens; set once that is known.
    """

    def __init__(self) -> None:
        self.gateway_port = 0
        self._trouble = Trouble.NONE
        self._delay = 0.0
        self._listener = socket.create_server((_LOOPBACK, 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._accept, name=f"line-{self.port}", daemon=True)

    def trouble(self, kind: Trouble, *, delay: float = 0.0) -> None:
        """Change what happens from now on; connections that stand are cut, so that the next request feels it.

        Args:
            kind: the trouble; `Trouble.NONE` ends it.
            delay: seconds by which an answer is late.
        """
        self._trouble, self._delay = kind, delay
        self._cut_all()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut_all()
        self._thread.join(2)

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            if self._trouble is Trouble.DEAD:
                caller.close()
                continue
            try:
                gateway = socket.create_connection((_LOOPBACK, self.gateway_port), timeout=5)
            except OSError:
                caller.close()
                continue
            gateway.settimeout(None)
            with self._lock:
                self._open |= {caller, gateway}
            for source, target, answers in ((caller, gateway, False), (gateway, caller, True)):
                threading.Thread(target=self._relay, args=(source, target, answers), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket, answers: bool) -> None:  # noqa: FBT001  (a thread's target)
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if answers and self._trouble is Trouble.CUT:
                    break
                if answers and self._trouble is Trouble.SILENT:
                    continue
                if answers and self._trouble is Trouble.LATE:
                    time.sleep(self._delay)
                target.sendall(data)
        for one in (source, target):
            self._close(one)

    def _cut_all(self) -> None:
        with self._lock:
            standing = tuple(self._open)
        for one in standing:
            self._close(one)

    def _close(self, one: socket.socket) -> None:
        with self._lock:
            self._open.discard(one)
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@dataclass(frozen=True)
class PoliceTrouble:
    """Wrong rows in the population register."""

    url: str

    def duplicated(self, person: Person) -> None:
        """Lay the person's row in a second time, under another internal number, as a failed transfer does."""
        self._copy(person)

    def contradictory(self, person: Person) -> None:
        """Lay in a second row for the same number that says another birth date."""
        other = person.registered_birth + timedelta(days=400)
        self._copy(person, CSRQ=compact(other))

    def stale(self, person: Person, today: date, *, days: int) -> None:
        """Let the row be last touched long ago."""
        table = police.REGISTER
        self._do(update(table).where(table.c["GMSFHM"] == person.number).values(GXSJ=stamp(today, days_ago=days)))

    def died(self, person: Person, day: date) -> None:
        """Cancel the household registration by death."""
        table = police.REGISTER
        self._do(update(table).where(table.c["GMSFHM"] == person.number).values(SWRQ=compact(day), HKZT="1"))

    def put_right(self, person: Person, today: date) -> None:
        """Write what is true, as the register's keepers do once they have been told."""
        table = police.REGISTER
        row = police.register_row(person, today, died=person.died)
        self._do(
            delete(table).where(table.c["GMSFHM"] == person.number),
            insert(table).values(dict(zip((column.name for column in table.columns), row, strict=True))),
        )

    def _copy(self, person: Person, **changes: str | None) -> None:
        table = police.REGISTER
        engine = create_engine(self.url)
        try:
            with engine.begin() as connection:
                row = connection.execute(select(table).where(table.c["GMSFHM"] == person.number)).mappings().first()
                if row is not None:
                    again = {**row, **changes, "RYBH": f"D{person.serial:09d}"}
                    connection.execute(insert(table).values(again))
        finally:
            engine.dispose()

    def _do(self, *statements: UpdateBase) -> None:
        engine = create_engine(self.url)
        try:
            with engine.begin() as connection:
                for statement in statements:
                    connection.execute(statement)
        finally:
            engine.dispose()


def certify_death(url: str, person: Person, day: date) -> None:
    """Have a hospital write a death certificate into health's register."""
    engine = create_engine(url)
    certificate = death_certificate_row(person, day)
    try:
        with engine.begin() as connection:
            connection.execute(insert(health.DEATHS).values(certificate))
    finally:
        engine.dispose()


def death_certificate_row(person: Person, day: date) -> dict[str, object]:
    """Give the certificate's row by column."""
    values = health.death_certificate(person, f"{day} 04:30:00", f"{day} 15:00:00")
    return dict(zip((column.name for column in health.DEATHS.columns), values, strict=True))
