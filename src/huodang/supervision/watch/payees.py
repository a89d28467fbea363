"""The online store of payees (待遇领取人员): is this person paid anywhere, how much, since when; in milliseconds.

Each list (the province's, or one a county or scheme; `payer` names it) is loaded month after month; of a month only
what differs is written, so the store also tells what a person was paid in which months. A first payment that the joint
case recorded, and that no list holds yet, counts as well.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.archive import PaymentKind, PaymentRecord
from huodang.standards import Month
from huodang.store import Clock, Database
from huodang.supervision.watch.payee_lines import PayLine, ReadyList
from huodang.supervision.watch.payee_loading import Loaded, load_list
from huodang.supervision.watch.records import payee, payee_list
from huodang.trust import FieldSealer

WHOLE: Final = ""
"""Name of the list that holds every payment of the province."""

_IN_FORCE: Final = sa.and_(
    payee.c.payer == payee_list.c.payer,
    payee.c.generation <= payee_list.c.generation,
)
_LIVE: Final = sa.or_(payee.c.ended.is_(None), payee.c.ended > payee_list.c.generation)
_COLUMNS: Final = (
    payee.c.scheme,
    payee.c.payer,
    payee.c.since,
    payee.c.first,
    payee.c.fen,
    payee.c.region,
    payee.c.account,
    payee_list.c.month,
)
_PAID: Final = (
    sa.select(*_COLUMNS)
    .where(payee.c.person_index == sa.bindparam("person"), _IN_FORCE, _LIVE)
    .order_by(payee.c.scheme, payee.c.payer)
)
_SPANS: Final = (
    sa.select(
        payee.c.person_index,
        payee.c.scheme,
        payee.c.payer,
        payee.c.first,
        sa.case((_LIVE, payee_list.c.month), else_=payee.c.last).label("last"),
        payee.c.fen,
    )
    .where(payee.c.person_index.in_(sa.bindparam("persons", expanding=True)), _IN_FORCE)
    .order_by(payee.c.person_index, payee.c.scheme, payee.c.payer, payee.c.generation)
)
_CHUNK: Final = 500


@dataclass(frozen=True)
class Payee:
    """What one person is paid in one scheme.

    Attributes:
        scheme: code of the scheme, or its name as the list gives it.
        since: first month of being paid without a gap, as far as lists were loaded.
        last: latest month that was loaded; the person is paid in it.
        fen: what is paid for a month, in fen.
        region: of the agency that pays; may be empty.
        account: blind index of the bank account; may be empty.
        payer: name of the list.
    """

    scheme: str
    since: Month
    last: Month
    fen: int
    region: str
    account: str = ""
    payer: str = WHOLE


@dataclass(frozen=True)
class PaidSpan:
    """Months in which a person was paid the same sum in a scheme."""

    scheme: str
    payer: str
    first: Month
    last: Month
    fen: int

    def paid_in(self, month: Month) -> int:
        """Give what was paid for a month, in fen."""
        return self.fen if self.first <= month <= self.last else 0


def _quietly(_done: int, _of: int) -> None:
    """Take no notice of progress."""


class Payees:
    """The store.

    Args:
        database: the hub's.
        sealer: makes the blind indexes.
        clock: the time.
        batch: about how many lines of a list are written in one transaction.
    """

    def __init__(self, database: Database, sealer: FieldSealer, clock: Clock, *, batch: int = 40_000) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock
        self._batch = batch

    def load(
        self,
        lines: Iterable[PayLine],
        month: Month,
        *,
        payer: str = WHOLE,
        folder: Path | None = None,
        memory: str = "1GB",
        indexed: Callable[[int], None] = lambda _: None,
        progress: Callable[[int, int], None] = _quietly,
    ) -> Loaded:
        """Take a month's list. It shows as a whole, once all of it is in; the same list again changes nothing.

        Args:
            lines: the list's rows; their identity numbers are normalised and valid.
            month: which month it pays.
            payer: name of the list; a list says nothing about who is paid by another.
            folder: where what doesn't fit in memory waits; a temporary folder unless told.
            memory: how much of it sorting may take.
            indexed: told how many rows have been taken in.
            progress: told how many slices of how many are written.

        Raises:
            ListError: it holds no row.
            LateListError: a later month of this list stands.
            ListBusyError: another process is loading it.
        """
        with TemporaryDirectory(prefix="huodang-payees-", dir=folder) as work:
            ready = ReadyList(Path(work), memory)
            try:
                for taken in ready.take(lines, self._sealer):
                    indexed(taken)
                ready.sort()
                return load_list(
                    self._database, self._clock, ready, payer=payer, month=month, progress=progress, batch=self._batch
                )
            finally:
                ready.close()

    def person_index(self, identity_number: str) -> str:
        """Give the blind index under which a normalised identity number stands."""
        return self._sealer.blind_index("identity_number", identity_number)

    def paid(self, connection: Connection, person_index: str, recorded: Sequence[PaymentRecord] = ()) -> list[Payee]:
        """Tell where a person is paid now.

        Reading it is reading personal data: the caller decides and records the look.

        Args:
            connection: of the caller's transaction or snapshot.
            person_index: blind index of the identity number.
            recorded: what the archive recorded for the person (`PaymentRecords.of_person`).
        """
        found = [
            Payee(
                row.scheme, Month.parse(row.since), Month.parse(row.month), row.fen, row.region, row.account, row.payer
            )
            for row in connection.execute(_PAID, {"person": person_index})
        ]
        latest = self.latest(connection) if recorded else None
        schemes = {one.scheme for one in found}
        for record in recorded:
            # A list of that month or a later one would hold the person if the person were still paid.
            fresh = latest is None or record.month >= latest
            if record.kind is PaymentKind.FIRST and fresh and record.scheme not in schemes:
                found.append(Payee(record.scheme, record.month, record.month, record.amount.fen, ""))
        return found

    def spans(self, connection: Connection, persons: Sequence[str]) -> dict[str, list[PaidSpan]]:
        """Tell what each of many persons was paid in which months, as far as lists were loaded."""
        found: dict[str, list[PaidSpan]] = {one: [] for one in persons}
        for at in range(0, len(persons), _CHUNK):
            for row in connection.execute(_SPANS, {"persons": list(persons[at : at + _CHUNK])}):
                if row.last >= row.first:  # a row that a corrected list took back has none
                    found[row.person_index].append(
                        PaidSpan(row.scheme, row.payer, _month(row.first), _month(row.last), row.fen)
                    )
        return found

    def latest(self, connection: Connection) -> Month | None:
        """Tell the latest month of any list; None if none was loaded."""
        month = connection.execute(sa.select(sa.func.max(payee_list.c.month))).scalar()
        return _month(month) if month else None


def _month(text: str) -> Month:
    """Read a stored month; `Month.parse` takes what people write, too, and has to look longer."""
    return Month(int(text[:4]), int(text[4:]))
