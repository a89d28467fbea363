"""Clerks of the departments, at work all the while: certificates, deaths, moves, custody, rows of a register.

What each writes is such that what must come out is known exactly: a row changes a second time only once the hub holds
the event of the first, as a gateway publishes the last state of a row, not each.
"""

import csv
import io
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from huodang.simulation.departments.health import death_certificate
from huodang.simulation.departments.justice import HEADER, PRISON
from huodang.simulation.people import Person, Population
from huodang.simulation.world import World
from huodang.standards import HuodangError

_BUSY_SECONDS: Final = 60.0
_CREATED, _WITHDRAWN = "created", "withdrawn"


@dataclass
class Clerks:
    """Write changes at random until told to stop.

    Args:
        world: whose departments.
        people: about whom nothing else happens: events about every other one, rows of the register about the rest.
        index: gives a person's blind index at the hub.
        stored: tells what the hub has stored of a resource about a person.
        seed: of what is drawn.
        pause: seconds between two changes, at most.

    Attributes:
        written: resource, person (blind index) and change, in the order in which they were written.
        rows_changed: rows of the register inserted, updated or deleted, beyond those changes.
    """

    world: World
    people: Sequence[Person]
    today: date
    index: Callable[[str], str]
    stored: Callable[[str, str], Sequence[str]]
    seed: int
    pause: float = 0.6
    written: list[tuple[str, str, str]] = field(default_factory=list)
    rows_changed: int = 0
    failure: BaseException | None = None
    _open: list[tuple[str, Person]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _deliveries: int = 0

    def start(self) -> None:
        """Begin, in a thread."""
        self._custody = self._latest_custody()
        self._thread = threading.Thread(target=self._work, name="clerks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the change at hand.

        Raises:
            HuodangError: what a clerk ran into, if anything.
        """
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _work(self) -> None:
        chance, fresh = random.Random(self.seed), iter(self.people[::2])
        try:
            while not self._stop.wait(chance.uniform(0, self.pause)):
                self._register(chance)
                if self._open and chance.random() < 0.4:
                    self._take_back()
                elif (person := next(fresh, None)) is not None:
                    self._write(chance.choice(("health", "police", "moved", "justice")), person)
        except (sqlite3.Error, OSError, HuodangError) as problem:
            self.failure = problem

    def _write(self, kind: str, person: Person) -> None:
        if kind == "health":
            row = death_certificate(person, f"{self.today} 04:30:00", f"{self.today} 10:00:00")
            self._do("health", 'INSERT INTO "DEATH_CERT" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', *row)
            self._told("health.death_registered", person, _CREATED)
            self._open.append((kind, person))
        elif kind == "justice":
            born, began = f"{person.registered_birth:%Y%m%d}", f"{self.today:%Y%m%d}"
            sex = "男" if person.sex == "1" else "女"
            self._custody.append((person.number, person.name, sex, born, PRISON, began, "20300101", "演示监狱", began))
            self._deliver()
            self._told("justice.custody_changed", person, _CREATED)
            self._open.append((kind, person))
        else:
            state, died = ("1", f"{self.today:%Y%m%d}") if kind == "police" else ("2", None)
            statement = 'UPDATE "T_CZRK_JBXX" SET "HKZT" = ?, "SWRQ" = COALESCE(?, "SWRQ"), "GXSJ" = ? WHERE "RYBH" = ?'
            if self._do("police", statement, state, died, self._now(), f"R{person.serial:09d}"):
                self._told("police.death_registered" if kind == "police" else "police.moved", person, _CREATED)

    def _take_back(self) -> None:
        """Annul the oldest certificate, or end the oldest term, once the hub holds the event that it began."""
        kind, person = self._open[0]
        resource = {"health": "health.death_registered", "justice": "justice.custody_changed"}[kind]
        if not self.stored(resource, self.index(person.number)):
            return
        self._open.pop(0)
        if kind == "health":
            self._do(
                "health", 'UPDATE "DEATH_CERT" SET "VALID_FLAG" = ? WHERE "DECEDENT_ID_NO" = ?', "0", person.number
            )
        else:
            self._custody = [term for term in self._custody if term[0] != person.number]
            self._deliver()
        self._told(resource, person, _WITHDRAWN)

    def _register(self, chance: random.Random) -> None:
        """Change rows of the population register that no event is about."""
        serial = chance.randrange(10**6)
        number = chance.choice(self.people[1::2]).number
        match chance.randrange(4):
            case 0:
                done = self._do("police", _COPY, f"E{serial:09d}", number)
            case 1:
                done = self._do(
                    "police",
                    """DELETE FROM "T_CZRK_JBXX" WHERE "RYBH" = (
                    SELECT "RYBH" FROM "T_CZRK_JBXX" WHERE "RYBH" LIKE 'E%' ORDER BY random() LIMIT 1)""",
                )
            case 2:  # without its cursor: no look at the cursor finds it
                done = self._do("police", """UPDATE "T_CZRK_JBXX" SET "HKSZD" = '130102' WHERE "GMSFHM" = ?""", number)
            case _:
                done = self._do(
                    "police", 'UPDATE "T_CZRK_JBXX" SET "XM" = ? WHERE "GMSFHM" = ?', _NAMES[serial % 4], number
                )
        self.rows_changed += done

    def _do(self, department: str, statement: str, *values: object) -> int:
        file = self.world.folder(department) / f"{department}.db"
        with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as connection, connection:
            return connection.execute(statement, values).rowcount

    def _told(self, resource: str, person: Person, change: str) -> None:
        self.written.append((resource, self.index(person.number), change))

    def _latest_custody(self) -> list[tuple[str, ...]]:
        file = max((self.world.folder("justice") / "files").glob("custody_*.csv"))
        lines = list(csv.reader(io.StringIO(file.read_bytes().decode("gb18030"))))
        return [tuple(line) for line in lines[1:]]

    def _deliver(self) -> None:
        """Deliver the whole list anew, as justice does; a file is there whole or not at all."""
        self._deliveries += 1
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(HEADER)
        writer.writerows(self._custody)
        folder = self.world.folder("justice") / "files"
        fresh = folder / ".delivery"
        fresh.write_bytes(text.getvalue().encode("gb18030"))
        fresh.rename(folder / f"custody_{self.today:%Y%m%d}_{self._deliveries:05d}.csv")

    def _now(self) -> str:
        return f"{self.today:%Y%m%d}{time.strftime('%H%M%S')}"


_COPY: Final = """INSERT OR IGNORE INTO "T_CZRK_JBXX"
    SELECT ?, "GMSFHM", "XM", "CYM", "XB", "CSRQ", "MZ", "HKSZD", "HKSZDXZ", "HKZT", "SWRQ", "GXSJ"
    FROM "T_CZRK_JBXX" WHERE "GMSFHM" = ? LIMIT 1"""
_NAMES: Final = ("王建军", "李秀兰", "张桂英", "刘志强")


def bystanders(population: Population, apart_from: Sequence[Person]) -> list[Person]:
    """Choose people about whom nothing is written yet, and nothing else happens."""
    busy = {person.number for person in apart_from} | {person.number for person in population.due}
    return [
        person
        for person in population.people
        if person.number not in busy and person.died is None and not person.quirks and person.serial % 90
    ]
