"""The signed recomputation (逐月重算书): its payload, and how anybody checks it offline.

The payload carries the facts and the months as they were paid, so that whoever holds it recomputes every line; the
person is named by a salted digest, which only one who knows the identity number can confirm.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from huodang.standards import HuodangError, IdentityNumber, Money, Month
from huodang.store import parse_instant, utc_text
from huodang.supervision.timeline.dues import PaidMonth
from huodang.supervision.timeline.errors import StatementError
from huodang.supervision.timeline.facts import KnownFact
from huodang.supervision.timeline.recomputation import RecomputedMonth, Totals, recompute
from huodang.trust import EnvelopeError, JsonObject, SignedEnvelope, TrustedKeys, open_envelope, sm3

KIND: Final = "recomputation"
FORMAT: Final = "huodang-recomputation-1"


@dataclass(frozen=True)
class StatementCheck:
    """One thing that was checked."""

    code: str
    passed: bool
    chinese: str
    english: str


@dataclass(frozen=True)
class StatementReport:
    """What a check of a statement found.

    Attributes:
        valid: every check passed.
        lines: the months as recomputed here from the facts in the statement; empty if that wasn't possible.
    """

    checks: tuple[StatementCheck, ...]
    scheme: str
    as_of: str
    lines: tuple[RecomputedMonth, ...]
    totals: Totals | None

    @property
    def valid(self) -> bool:
        """Tell whether every check passed."""
        return all(check.passed for check in self.checks)


def make_payload(
    identity: IdentityNumber,
    scheme: str,
    months: Sequence[PaidMonth],
    history: Sequence[KnownFact],
    at: datetime,
) -> JsonObject:
    """Write the payload of a statement.

    Raises:
        StatementError: there is no month, or one stands twice.
    """
    if not months or len({one.month for one in months}) != len(months):
        raise StatementError(
            "没有可重算的月份，或同一月份出现两次", "there is no month to recompute, or one stands twice"
        )
    lines, totals = recompute(months, history, at)
    salt = secrets.token_hex(16)
    return {
        "format": FORMAT,
        "person": {"salt": salt, "digest": person_digest(identity, salt)},
        "scheme": scheme,
        "as_of": utc_text(at),
        "facts": [_fact_members(one) for one in history if one.recorded_at <= at],
        "months": [_month_members(one) for one in sorted(months, key=lambda one: one.month)],
        "lines": [line_members(one) for one in lines],
        "totals": total_members(totals),
    }


def person_digest(identity: IdentityNumber, salt: str) -> str:
    """Name a person so that only one who knows the identity number can confirm it."""
    return sm3(f"{FORMAT}\0{salt}\0{identity.text}".encode()).hex()


def verify_statement(
    data: str | bytes, trusted: TrustedKeys, *, holder: str = "hub", identity: IdentityNumber | None = None
) -> StatementReport:
    """Check a statement offline: who signed it, whether every line follows from its facts, and whom it is about.

    Args:
        data: the file.
        trusted: public keys.
        holder: who must have signed it.
        identity: whom it is said to be about; None leaves that open.
    """
    checks: list[StatementCheck] = []
    try:
        payload = open_envelope(SignedEnvelope.from_json(data), KIND, trusted, signer=holder)
    except EnvelopeError as problem:
        checks.append(StatementCheck("signature", False, problem.sentence("zh"), problem.sentence("en")))  # noqa: FBT003  (fields of the record, in order)
        return StatementReport(tuple(checks), "", "", (), None)
    checks.append(_check("signature", "签名有效，由经办机构的密钥签署", "signed with the agency's key", passed=True))
    try:
        lines, totals = _recomputed(payload)
        said = [dict(one) for one in payload["lines"]]
        same = said == [line_members(one) for one in lines] and dict(payload["totals"]) == total_members(totals)
        person = payload["person"]
        named = identity is None or person["digest"] == person_digest(identity, person["salt"])
    except (KeyError, TypeError, ValueError, HuodangError):
        checks.append(_check("shape", "内容是逐月重算书", "the content is a recomputation", passed=False))
        return StatementReport(tuple(checks), "", "", (), None)
    checks.append(
        _check(
            "arithmetic",
            "按所列事实重新计算，逐月与合计一致",
            "recomputed from its facts, every month and sum agrees",
            passed=same,
        )
    )
    if identity is not None:
        checks.append(
            _check("person", "确为该证件号码的本人", "it is about the person of this identity number", passed=named)
        )
    return StatementReport(tuple(checks), str(payload["scheme"]), str(payload["as_of"]), lines, totals)


def _recomputed(payload: Mapping[str, Any]) -> tuple[tuple[RecomputedMonth, ...], Totals]:
    months = [
        PaidMonth(
            month=Month.parse(one["month"]),
            entitled=Money(int(one["entitled"])),
            paid=Money(int(one["paid"])),
            payday=parse_instant(one["payday"]),
            old_rate=None if one["old_rate"] == "" else Money(int(one["old_rate"])),
        )
        for one in payload["months"]
    ]
    history = [
        KnownFact(
            number=int(one["number"]),
            person_index="",
            element=one["element"],
            value=one["value"],
            valid_from=_day(one["valid_from"]),
            valid_to=_day(one["valid_to"]),
            known_at=parse_instant(one["known_at"]),
            recorded_at=parse_instant(one["recorded_at"]),
            source=one["source"],
            digest=one["digest"],
            replaces=int(one["replaces"]),
            entry_id=one["entry_id"],
        )
        for one in payload["facts"]
    ]
    return recompute(months, history, parse_instant(payload["as_of"]))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _check(code: str, chinese: str, english: str, *, passed: bool) -> StatementCheck:
    if passed:
        return StatementCheck(code, passed, chinese, english)
    return StatementCheck(code, passed, f"不成立：{chinese}", f"NOT so: {english}")


def _fact_members(fact: KnownFact) -> JsonObject:
    return {
        "number": str(fact.number),
        "element": fact.element,
        "value": fact.value,
        "valid_from": "" if fact.valid_from is None else fact.valid_from.isoformat(),
        "valid_to": "" if fact.valid_to is None else fact.valid_to.isoformat(),
        "known_at": utc_text(fact.known_at),
        "recorded_at": utc_text(fact.recorded_at),
        "source": fact.source,
        "digest": fact.digest,
        "replaces": str(fact.replaces),
        "entry_id": fact.entry_id,
    }


def _month_members(paid: PaidMonth) -> JsonObject:
    return {
        "month": str(paid.month),
        "entitled": str(paid.entitled.fen),
        "paid": str(paid.paid.fen),
        "payday": utc_text(paid.payday),
        "old_rate": "" if paid.old_rate is None else str(paid.old_rate.fen),
    }


def line_members(line: RecomputedMonth) -> JsonObject:
    """Write one line; amounts are fen as text."""
    return {
        "month": str(line.month),
        "paid": str(line.paid.fen),
        "due_then": str(line.due_then.fen),
        "due_now": str(line.due_now.fen),
        "difference": str(line.difference.fen),
        "known_then": str(line.known_then.fen),
        "reasons": list(line.reasons),
        "laws": list(line.laws),
    }


def total_members(totals: Totals) -> JsonObject:
    """Write the sums; amounts are fen as text."""
    return {
        "paid": str(totals.paid.fen),
        "due_then": str(totals.due_then.fen),
        "due_now": str(totals.due_now.fen),
        "overpaid": str(totals.overpaid.fen),
        "owed": str(totals.owed.fen),
        "known_then": str(totals.known_then.fen),
    }
