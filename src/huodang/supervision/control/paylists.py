"""The gate of the monthly list (发放清单): checked by one person, released by another, whole or not at all.

A list can't be released while a hold, a stop or a proposal on it waits for a person: what the platform held or stopped
by itself, somebody has upheld or let go before it counts.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Action, Actor, DecisionRequest, decide
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import Month, Place
from huodang.store import Clock, Database, serialise, write_whole
from huodang.supervision.clues import ClueState
from huodang.supervision.clues import records as clue_records
from huodang.supervision.control import records
from huodang.supervision.control.engine import IDENTITY, PURPOSE
from huodang.supervision.control.errors import (
    ControlNotPermittedError,
    PaylistError,
    SamePersonError,
    StalePaylistError,
    UnjudgedHoldsError,
    UnknownControlError,
)
from huodang.supervision.control.grounds import standing_grounds
from huodang.supervision.control.paylist_file import CLEAN, WITHHELD, Told, opened
from huodang.supervision.control.paylist_values import (
    Against,
    Hit,
    Paylist,
    controls_digest,
    paylist_of,
    told_of,
    unjudged_of,
)
from huodang.supervision.tables import digest_of
from huodang.trust import FieldSealer, canonical_json, sha256

CHECKED: Final = "checked"
RELEASED: Final = "released"


def _quiet(_step: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""


class Paylists:
    """Checks and releases monthly lists.

    Args:
        database: the hub's.
        ledger: where checks and releases leave an entry with the list's digest.
        sealer: opens the numbers of the persons under control, in memory.
        clock: business time.
    """

    def __init__(self, database: Database, ledger: Ledger, sealer: FieldSealer, clock: Clock) -> None:
        self._database = database
        self._ledger = ledger
        self._sealer = sealer
        self._clock = clock

    def check(
        self,
        actor: Actor,
        path: Path,
        month: Month,
        out: Path,
        *,
        scheme: str = "",
        dry_run: bool = False,
        memory: str = "4GB",
        told: Told = _quiet,
    ) -> Paylist:
        """Compare a list with holds, stops and proposals; write the clean and the withheld list.

        Args:
            actor: who checks; may not release it.
            path: the list.
            month: for which month it is paid.
            out: where `clean.csv`, `withheld.csv` and `totals.json` go.
            scheme: of all rows, for a list without a column of it.
            dry_run: compare only; nothing is kept of it in the hub.
            memory: what the comparison may use.
            told: told each step.

        Raises:
            ControlNotPermittedError: no policy permits it to the actor.
            PaylistError: the list can't be taken whole, or was released already.
        """
        _require(actor, Action.CHECK_PAYLIST)
        against = self._against(month)
        with opened(path, out / "work", scheme=scheme, memory=memory, told=told) as file:
            list_id = f"p{sha256(f'{file.digest}:{month}'.encode()).hex()[:20]}"
            self._refuse_released(list_id, file.digest)
            hits = file.hits(against)
            totals = file.write(out, hits, month)
            digest = file.digest
        now = self._clock.now()
        values = {
            "month": month,
            "state": CHECKED,
            "digest": digest,
            "controls": controls_digest(against),
            "clean_digest": digest_of(out / CLEAN),
            "withheld_digest": digest_of(out / WITHHELD),
            "totals": json.dumps(asdict(totals)),
            "checked_by": actor.user_id,
            "checked_at": now,
            "released_by": "",
            "released_at": None,
        }
        if not dry_run:
            with self._database.begin() as connection:
                serialise(connection, f"paylist:{list_id}")
                values["entry_id"] = self._record(connection, "check", list_id, values, actor)
                self._keep(connection, list_id, values, hits)
        result = paylist_of({"list_id": list_id, "entry_id": "", **values}, unjudged_of(hits))
        write_whole(out / "totals.json", json.dumps(told_of(result), ensure_ascii=False, indent=2).encode())
        return result

    def release(self, actor: Actor, list_id: str, out: Path) -> Paylist:
        """Release a checked list, whole or not at all; what it withholds is booked to the fen.

        Args:
            actor: who releases; not the one who checked.
            list_id: which.
            out: the folder with the files of the check, which must be as they were.

        Raises:
            UnknownControlError: there is no such list.
            ControlNotPermittedError: no policy permits it to the actor.
            SamePersonError: the actor checked it.
            UnjudgedHoldsError: something on it waits for a person.
            StalePaylistError: holds, stops or files have changed since the check.
            PaylistError: it was released already.
        """
        _require(actor, Action.RELEASE_PAYLIST)
        with self._database.begin() as connection:
            serialise(connection, f"paylist:{list_id}")
            row = self._row(connection, list_id)
            if row["state"] == RELEASED:
                raise _released_already(list_id)
            if row["checked_by"] == actor.user_id:
                raise SamePersonError(
                    "检查人与放行人不能是同一人",
                    "who checked a list can't release it",
                    advice_chinese="请由另一名复核员放行。",
                    advice_english="Have another reviewer release it.",
                    place=Place(element=list_id),
                )
            if controls_digest(self._against(row["month"], connection)) != row["controls"]:
                raise _stale("检查之后暂停、终止有变化", "holds or stops have changed since the check", list_id)
            for name, column in ((CLEAN, "clean_digest"), (WITHHELD, "withheld_digest")):
                if not (out / name).is_file() or digest_of(out / name) != row[column]:
                    raise _stale(f"{name} 不是检查时的文件", f"{name} isn't the file that was checked", list_id)
            if waiting := self._waiting(connection, list_id):
                raise UnjudgedHoldsError(waiting)
            now = self._clock.now()
            self._book(connection, list_id, row["month"], now)
            released = {**row, "state": RELEASED, "released_by": actor.user_id, "released_at": now}
            released["entry_id"] = self._record(connection, "release", list_id, released, actor)
            table = records.paylist
            changed = ("state", "released_by", "released_at", "entry_id")
            connection.execute(
                sa.update(table).where(table.c.list_id == list_id).values(**{name: released[name] for name in changed})
            )
        result = paylist_of(released, ())
        write_whole(out / "release.json", json.dumps(told_of(result), ensure_ascii=False, indent=2).encode())
        return result

    def show(self, actor: Actor, list_id: str) -> Paylist:
        """Show a list as it stands.

        Raises:
            UnknownControlError: there is no such list.
            ControlNotPermittedError: no policy permits it to the actor.
        """
        _require(actor, Action.CHECK_PAYLIST)
        with self._database.read() as connection:
            row = self._row(connection, list_id)
            return paylist_of(row, self._waiting(connection, list_id) if row["state"] == CHECKED else ())

    def lists(self, actor: Actor, *, limit: int = 100) -> list[Paylist]:
        """List the lists, the newest first.

        Raises:
            ControlNotPermittedError: no policy permits it to the actor.
        """
        _require(actor, Action.CHECK_PAYLIST)
        table = records.paylist
        with self._database.read() as connection:
            newest = connection.execute(sa.select(table).order_by(table.c.checked_at.desc()).limit(limit))
            rows = [{str(name): value for name, value in row.items()} for row in newest.mappings()]
            return [
                paylist_of(row, self._waiting(connection, row["list_id"]) if row["state"] == CHECKED else ())
                for row in rows
            ]

    def _against(self, month: Month, connection: Connection | None = None) -> list[Against]:
        """Gather all that stands against payments of a month; numbers are opened in memory only."""
        if connection is None:
            with self._database.read() as fresh:
                return self._against(month, fresh)
        table, clue = records.payment, clue_records.clue
        numbers = {
            (row.person_index, row.scheme): self._sealer.open(
                IDENTITY, row.identity, f"{row.person_index}:{row.scheme}"
            )
            for row in connection.execute(sa.select(table).where(table.c.state != "paying"))
        }
        found = [
            Against(
                _packed(numbers[one.person_index, one.scheme]),
                one.person_index,
                one.scheme,
                one.clue_id,
                one.kind,
                judged=bool(one.judged_by),
            )
            for one in standing_grounds(connection)
            if one.covers(month)
        ]
        finding = clue_records.finding
        proposed = connection.execute(
            sa.select(clue.c.clue_id, clue.c.person_index, clue.c.identity, finding.c.scheme)
            .join(finding, finding.c.clue_id == clue.c.clue_id)
            .where(clue.c.state == ClueState.PROPOSED, finding.c.scheme != "")
            .distinct()
        )
        for row in proposed:
            number = self._sealer.open(IDENTITY, row.identity, row.clue_id)
            found.append(Against(_packed(number), row.person_index, row.scheme, row.clue_id, "proposed", judged=False))
        return sorted(found, key=lambda one: (one.person_index, one.scheme, one.clue_id, one.why))

    def _keep(self, connection: Connection, list_id: str, values: dict[str, Any], hits: Sequence[Hit]) -> None:
        """Keep a check; an earlier check of the same list gives way."""
        line, table = records.paylist_line, records.paylist
        connection.execute(sa.delete(line).where(line.c.list_id == list_id))
        if connection.execute(sa.update(table).where(table.c.list_id == list_id).values(**values)).rowcount == 0:
            connection.execute(sa.insert(table).values(list_id=list_id, **values))
        for hit in hits:
            connection.execute(
                sa.insert(line).values(
                    list_id=list_id,
                    row=hit.row,
                    person_index=hit.against.person_index,
                    scheme=hit.against.scheme,
                    fen=hit.fen,
                    clue_id=hit.against.clue_id,
                    why=hit.against.why,
                )
            )

    @staticmethod
    def _book(connection: Connection, list_id: str, month: Month, now: datetime) -> None:
        """Book what the list withholds, so that it can be paid back to the fen."""
        line = records.paylist_line
        rows = connection.execute(
            sa.select(line).where(line.c.list_id == list_id, line.c.why != "proposed").order_by(line.c.row)
        ).all()
        for row in rows:
            connection.execute(
                sa.insert(records.withheld).values(
                    list_id=list_id,
                    row=row.row,
                    person_index=row.person_index,
                    scheme=row.scheme,
                    month=month,
                    fen=row.fen,
                    clue_id=row.clue_id,
                    withheld_at=now,
                )
            )

    @staticmethod
    def _waiting(connection: Connection, list_id: str) -> tuple[str, ...]:
        """List the clues behind a list's lines that nobody has judged, as things stand now."""
        line, ground, clue = records.paylist_line, records.ground, clue_records.clue
        of_list = sa.select(line.c.clue_id).where(line.c.list_id == list_id)
        unjudged = sa.select(ground.c.clue_id).where(
            ground.c.clue_id.in_(of_list), ground.c.ended_at.is_(None), ground.c.judged_by == ""
        )
        proposed = sa.select(clue.c.clue_id).where(clue.c.clue_id.in_(of_list), clue.c.state == ClueState.PROPOSED)
        found = {row[0] for query in (unjudged, proposed) for row in connection.execute(query)}
        return tuple(sorted(found))

    def _refuse_released(self, list_id: str, digest: str) -> None:
        table = records.paylist
        with self._database.read() as connection:
            statement = sa.select(table.c.list_id).where(table.c.digest == digest, table.c.state == RELEASED)
            if connection.execute(statement).first() is not None:
                raise _released_already(list_id)

    @staticmethod
    def _row(connection: Connection, list_id: str) -> dict[str, Any]:
        table = records.paylist
        row = connection.execute(sa.select(table).where(table.c.list_id == list_id)).mappings().one_or_none()
        if row is None:
            raise UnknownControlError("没有这份发放清单", "there is no such list", place=Place(element=list_id[:64]))
        return {str(name): value for name, value in row.items()}

    def _record(self, connection: Connection, event: str, list_id: str, values: dict[str, Any], actor: Actor) -> str:
        facts = {
            "list": list_id,
            "event": event,
            "month": str(values["month"]),
            "digest": values["digest"],
            "clean": values["clean_digest"],
            "withheld": values["withheld_digest"],
            "role": actor.role,
        }
        content = canonical_json({**facts, "by": actor.user_id, "totals": values["totals"]})
        return self._ledger.record(connection, LedgerEntry("paylist", self._clock.now(), facts), content)


def _require(actor: Actor, action: str) -> None:
    if not decide(DecisionRequest(actor, action, PURPOSE, region=actor.region)).permitted:
        raise ControlNotPermittedError(
            "检查发放清单由稽核员或复核员办理，放行由复核员办理",
            "investigators and reviewers check lists; reviewers release them",
        )


def _packed(number: str) -> int:
    return int(number[:17])


def _stale(chinese: str, english: str, list_id: str) -> StalePaylistError:
    return StalePaylistError(
        chinese,
        english,
        advice_chinese="请重新检查清单（huodang paylist check）。",
        advice_english="Check the list again (`huodang paylist check`).",
        place=Place(element=list_id),
    )


def _released_already(list_id: str) -> PaylistError:
    return PaylistError(
        "这份清单已经放行，不能再次检查或放行",
        "this list was released already: it can't be checked or released again",
        place=Place(element=list_id),
    )
