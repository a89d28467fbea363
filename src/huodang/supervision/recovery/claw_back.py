"""Claw-back (银行扣回): files that ask a bank to take money back, and its answers, each booked once."""

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from huodang.exchange import Actor, DecisionRequest, LookEntry, Looks, decide
from huodang.exchange.files import FileFormat, FileKind, write_rows
from huodang.exchange.sharing import SYSTEM
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import Money, Place
from huodang.store import Clock, Database, shanghai_date
from huodang.supervision.recovery import records
from huodang.supervision.recovery.bank_answers import AnswerLine, read_answer
from huodang.supervision.recovery.bank_layouts import layout_of
from huodang.supervision.recovery.errors import BankFileError, RecoveryNotPermittedError
from huodang.supervision.recovery.matters import ACCOUNT, DebtMatter, seat
from huodang.supervision.recovery.service import Recoveries
from huodang.supervision.recovery.states import RecoveryEvent, RecoveryState
from huodang.supervision.recovery.values import PURPOSE, Means
from huodang.trust import FieldSealer, canonical_json

_KINDS: Final = {".csv": FileKind.CSV, ".xlsx": FileKind.XLSX}


@dataclass(frozen=True)
class ClawBackFile:
    """A batch that a bank is asked about; an empty id where it was only tried."""

    batch_id: str
    bank: str
    lines: int
    amount: Money


@dataclass(frozen=True)
class ClawBackAnswer:
    """What a bank's answer came to.

    Attributes:
        booked: what was taken against debts.
        excess: what the bank took beyond what was still owed when the answer came; it goes back to the account.
        short: lines on which something is still owed.
        again: this very file was booked before, and nothing happened now.
    """

    batch_id: str
    booked: Money
    excess: Money
    short: int
    again: bool


class ClawBacks:
    """Files to and from banks.

    The file holds account numbers in full, which no member of staff sees: the hub itself writes it, on the order of
    one who may work on the recoveries in it, and that look is recorded of every person.
    """

    def __init__(  # noqa: PLR0917  (one place builds it)
        self,
        database: Database,
        recoveries: Recoveries,
        ledger: Ledger,
        sealer: FieldSealer,
        looks: Looks,
        clock: Clock,
    ) -> None:
        self._database = database
        self._recoveries = recoveries
        self._ledger = ledger
        self._sealer = sealer
        self._looks = looks
        self._clock = clock

    def issue(self, actor: Actor, bank: str, path: Path, *, dry_run: bool = False) -> ClawBackFile:
        """Ask a bank for everything that is notified, not arranged otherwise, and was paid to an account there.

        Args:
            actor: on whose order.
            bank: as recoveries name it.
            path: `.csv` or `.xlsx`; written once the batch stands, and again by `write_again` at any time.
            dry_run: only count.

        Raises:
            BankFileError: nothing is to be asked of this bank, or the file's kind isn't written.
        """
        file_kind(path)
        batch_id = secrets.token_hex(16)
        with self._database.begin() as connection:
            found = self._to_ask(connection, actor, bank)
            amount = sum((one.outstanding for one in found), Money.zero())
            if not found:
                raise BankFileError(
                    f"没有须向“{bank[:40]}”扣回的款项",
                    "there is nothing to be asked of this bank",
                    advice_chinese="只有通知已送达、没有其他还款安排、且登记了该行账号的追回才会列入。",
                    advice_english="Listed is what was notified, isn't arranged otherwise, and has an account there.",
                    place=Place(element="bank"),
                )
            if dry_run:
                return ClawBackFile("", bank, len(found), amount)
            now = self._clock.now()
            facts = {"batch": batch_id, "lines": str(len(found)), "event": "issued"}
            content = canonical_json({**facts, "by": actor.user_id, "amount": str(amount.fen)})
            connection.execute(
                sa.insert(records.claw_back).values(
                    batch_id=batch_id,
                    bank=bank,
                    lines=len(found),
                    amount=amount,
                    issued_at=now,
                    issued_by=actor.user_id,
                    entry_id=self._ledger.record(connection, LedgerEntry("claw_back", now, facts), content),
                    answer_digest="",
                )
            )
            for line, matter in enumerate(found, start=1):
                connection.execute(
                    sa.insert(records.claw_back_line).values(
                        batch_id=batch_id, line=line, recovery_id=matter.recovery_id, asked=matter.outstanding
                    )
                )
                self._recoveries.move(connection, actor, matter.recovery_id, RecoveryEvent.ISSUE_CLAW_BACK)
        return self._write(batch_id, path)

    def write_again(self, actor: Actor, batch_id: str, path: Path) -> ClawBackFile:
        """Write the file of a batch once more, the same each time, on the order of who may work on all in it.

        Raises:
            BankFileError: there is no such batch, or the file's kind isn't written.
            RecoveryNotPermittedError: a recovery in it isn't the actor's to work on.
        """
        with self._database.read() as connection:
            self._batch(connection, batch_id)
            self._check_all(connection, actor, batch_id)
        return self._write(batch_id, path)

    def _write(self, batch_id: str, path: Path) -> ClawBackFile:
        kind = file_kind(path)
        with self._database.begin() as connection:
            batch = self._batch(connection, batch_id)
            rows = self._lines(connection, batch_id)
            layout = layout_of(batch.bank).sent
            request = DecisionRequest(SYSTEM, "act_on_recovery", PURPOSE, (ACCOUNT,), case_id=batch_id)
            decision = decide(request)
            self._looks.record_all(
                connection,
                [
                    LookEntry(SYSTEM, PURPOSE, batch_id, row.person_index, (ACCOUNT,), decision, "claw_back_file")
                    for row in rows
                ],
            )
            cells = [
                (
                    batch_id,
                    str(row.line),
                    decision.show(ACCOUNT, self._sealer.open(ACCOUNT, row.account, seat(row.recovery_id, ACCOUNT))),
                    row.asked.text,
                    row.recovery_id[:12],
                )
                for row in rows
            ]
        write_rows(path, FileFormat(kind=kind, encoding="utf-8", columns=layout.columns), cells)
        return ClawBackFile(batch_id, batch.bank, batch.lines, batch.amount)

    def take_answer(self, actor: Actor, batch_id: str, path: Path, *, dry_run: bool = False) -> ClawBackAnswer:
        """Take a bank's answer: all of it in one transaction, or nothing.

        Raises:
            BankFileError: there is no such batch, it was answered by another file, or the file isn't a whole answer.
        """
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with self._database.begin() as connection:
            batch = self._batch(connection, batch_id, lock=True)
            self._check_all(connection, actor, batch_id)
            rows = {row.line: row for row in self._lines(connection, batch_id)}
            if batch.answer_digest:
                if batch.answer_digest != digest:
                    raise BankFileError(
                        "该批次已按另一份回盘入账",
                        "another answer to this batch was booked before",
                        advice_chinese="请与银行核对两份回盘的差异；本次未入账。",
                        advice_english="Compare both answers with the bank; nothing was booked now.",
                        place=Place(file=path.name),
                    )
                return ClawBackAnswer(batch_id, Money.zero(), Money.zero(), 0, again=True)
            asked = {line: row.asked for line, row in rows.items()}
            issued_on = shanghai_date(batch.issued_at)
            answer = read_answer(path, layout_of(batch.bank), batch_id, asked, issued_on, self._clock.today())
            booked, short = Money.zero(), 0
            for one in answer:
                taken, owed = self._book(connection, rows[one.line], one, dry_run=dry_run)
                booked, short = booked + taken, short + owed
            excess = sum((one.returned for one in answer), Money.zero()) - booked
            if not dry_run:
                self._close(connection, actor, batch_id, digest, booked, excess)
        return ClawBackAnswer(batch_id, booked, excess, short, again=False)

    def _check_all(self, connection: Connection, actor: Actor, batch_id: str) -> None:
        """Let only those touch a batch who may work on every recovery in it."""
        for region in {row.region for row in self._lines(connection, batch_id)}:
            request = DecisionRequest(actor, "act_on_recovery", PURPOSE, (), region=region)
            if not decide(request).permitted:
                raise RecoveryNotPermittedError(
                    "批次中有不归您办理的追回",
                    "a recovery in this batch isn't yours to work on",
                    advice_chinese="请由发盘地区的稽核员办理。",
                    advice_english="Have it done by an investigator of the region that sent it.",
                    place=Place(element=batch_id[:64]),
                )

    def _to_ask(self, connection: Connection, actor: Actor, bank: str) -> list[DebtMatter]:
        table = records.recovery
        rows = connection.execute(
            sa.select(table)
            .where(table.c.state == RecoveryState.NOTICED, table.c.bank == bank, table.c.account != "")
            .order_by(table.c.opened_at, table.c.recovery_id)
            .with_for_update()
        ).mappings()
        found = (DebtMatter.of(row) for row in rows)
        return [
            one
            for one in found
            if decide(DecisionRequest(actor, "act_on_recovery", PURPOSE, (), region=one.region)).permitted
        ]

    def _book(
        self, connection: Connection, row: sa.Row[Any], answer: AnswerLine, *, dry_run: bool
    ) -> tuple[Money, int]:
        """Book what the bank took, as far as it is still owed; give that, and whether something is still owed then."""
        taken = min(answer.returned, row.outstanding)
        left = row.outstanding - taken
        if dry_run:
            return taken, int(bool(left))
        where = (records.claw_back_line.c.batch_id == row.batch_id, records.claw_back_line.c.line == row.line)
        connection.execute(sa.update(records.claw_back_line).where(*where).values(returned=answer.returned))
        if taken:
            data = {
                "means": Means.CLAW_BACK.value,
                "amount": taken,
                "moved_on": answer.on,
                "reference": f"{row.batch_id}:{row.line}",
            }
            self._recoveries.move(connection, SYSTEM, row.recovery_id, RecoveryEvent.RECEIVE, data=data)
        table = records.recovery
        if left and row.state == RecoveryState.CLAWING_BACK:
            self._recoveries.move(connection, SYSTEM, row.recovery_id, RecoveryEvent.END_CLAW_BACK)
        elif row.state == RecoveryState.OBJECTED and row.stopped_state == RecoveryState.CLAWING_BACK:
            # Nothing is asked of the bank any more: where the objection fails, it goes on as notified.
            connection.execute(
                sa.update(table)
                .where(table.c.recovery_id == row.recovery_id)
                .values(stopped_state=RecoveryState.NOTICED.value)
            )
        return taken, int(bool(left))

    def _close(  # noqa: PLR0917  (an answer has so many sides)
        self, connection: Connection, actor: Actor, batch_id: str, digest: str, booked: Money, excess: Money
    ) -> None:
        now, table = self._clock.now(), records.claw_back
        facts = {"batch": batch_id, "event": "answered", "digest": digest}
        content = canonical_json({**facts, "by": actor.user_id, "booked": str(booked.fen), "excess": str(excess.fen)})
        connection.execute(
            sa.update(table)
            .where(table.c.batch_id == batch_id)
            .values(
                answer_digest=digest,
                answered_at=now,
                entry_id=self._ledger.record(connection, LedgerEntry("claw_back", now, facts), content),
            )
        )

    @staticmethod
    def _batch(connection: Connection, batch_id: str, *, lock: bool = False) -> sa.Row[Any]:
        table = records.claw_back
        statement = sa.select(table).where(table.c.batch_id == batch_id)
        row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
        if row is None:
            raise BankFileError("没有这个批次", "there is no such batch", place=Place(element=batch_id[:64]))
        return row

    @staticmethod
    def _lines(connection: Connection, batch_id: str) -> list[sa.Row[Any]]:
        line, debt = records.claw_back_line, records.recovery
        columns = (
            debt.c.person_index,
            debt.c.region,
            debt.c.account,
            debt.c.outstanding,
            debt.c.state,
            debt.c.stopped_state,
        )
        statement = (
            sa.select(line, *columns)
            .join(debt, debt.c.recovery_id == line.c.recovery_id)
            .where(line.c.batch_id == batch_id)
            .order_by(line.c.line)
        )
        return list(connection.execute(statement))


def file_kind(path: Path) -> FileKind:
    """Tell from a file's ending how it is written.

    Raises:
        BankFileError: neither `.csv` nor `.xlsx`.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise BankFileError(
            "文件须以 .csv 或 .xlsx 结尾", "the file ends with .csv or .xlsx", place=Place(file=path.name)
        )
    return kind
