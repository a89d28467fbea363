"""Departments that stand in at the gateways' door: real grants come in, really signed verdicts go out.

What they say is set by each test. They can be late, dead, talk garbage, leave out or forge signatures, or contradict
themselves. Actions are kept in a small database of their own by idempotency key, so that a test can count effects.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from huodang.exchange import (
    AGREEMENT,
    GRANT,
    VERDICT,
    Agreement,
    FailureCode,
    GatewayClient,
    Grant,
    Kind,
    Outcome,
    Verdict,
)
from huodang.exchange.answers import Failure
from huodang.exchange.client import CallFailure
from huodang.retirement import CHECKS, ITEMS
from huodang.store import Clock
from huodang.trust import SignedEnvelope, Signer, TrustedKeys, cosign_envelope, open_envelope, sign_envelope

DEPARTMENTS = ("police", "health", "justice", "housing_fund", "medical_insurance", "social_insurance")
SUITE = "international"

FIELDS: dict[str, tuple[str, ...]] = {
    "police.household": ("former_name", "household_region"),
    "police.alive": ("death_date",),
    "health.death": ("death_date",),
    "justice.custody": ("sentence_type", "custody_to"),
    "social_insurance.enrolment": ("scheme", "enrolment_status"),
    "social_insurance.benefits": ("scheme", "benefit_status", "benefit_from"),
    "social_insurance.contributions": (
        "archive_birth_date",
        "archive_name",
        "archive_sex",
        "work_category",
        "employment_kind",
        "employer",
        "employer_code",
        "contribution_months",
        "deemed_months",
        "pre_account_months",
        "credited_years",
        "credited_pre_account_years",
        "average_index",
        "indexed_wage",
        "account_amount",
        "special_trade_months",
        "first_contribution_month",
        "decided_as_of",
    ),
    "medical_insurance.years": ("medical_months",),
    "housing_fund.account": ("account_status", "arrears_months"),
}
DUE = "social_insurance.due"
FIELDS[DUE] = ("identity_number", "name", "sex", "birth_date", "work_category", "employment_kind", "employer")
ELEMENTS = {"police.household": ("name", "sex", "birth_date")}


@dataclass
class Said:
    """What a department says to one question."""

    outcome: Outcome
    reason: str
    fields: dict[str, str] = field(default_factory=dict)


CLEAR: dict[str, Said] = {
    "police.household": Said(Outcome.CLEAR, "matches"),
    "police.alive": Said(Outcome.CLEAR, "alive"),
    "health.death": Said(Outcome.CLEAR, "no_record"),
    "justice.custody": Said(Outcome.CLEAR, "no_record"),
    "social_insurance.enrolment": Said(Outcome.CLEAR, "no_record"),
    "social_insurance.benefits": Said(Outcome.CLEAR, "no_record"),
    "social_insurance.contributions": Said(
        Outcome.CLEAR,
        "matches",
        {
            "contribution_months": "360",
            "deemed_months": "0",
            "pre_account_months": "0",
            "average_index": "0.8",
            "account_amount": "8000000",
            "employer": "冀中机械厂",
            "employer_code": "E1",
            "employment_kind": "employed",
        },
    ),
    "medical_insurance.years": Said(Outcome.CLEAR, "matches", {"medical_months": "320"}),
    "housing_fund.account": Said(Outcome.CLEAR, "matches", {"account_status": "01"}),
}


class Departments:
    """All six departments behind one seam.

    Attributes:
        said: by identity number and resource; "" as number is what is said of everybody else.
        trouble: by department: what a call to it meets (`dead`, `late`, `garbage`, `unsigned`, `forged`, `half`).
        refusing: actions that are refused, with the reason.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.clock = clock
        self.signers = {name: _signer(folder / "keys", name) for name in (*DEPARTMENTS, "hub")}
        self.said: dict[tuple[str, str], Said] = {}
        self.trouble: dict[str, str] = {}
        self.refusing: dict[str, str] = {}
        self.people: list[dict[str, str]] = []
        self.asked: list[tuple[str, str]] = []
        self.calls = 0
        self.before_answer: Callable[[str], None] = lambda _department: None
        self.path = folder / "departments.db"
        with self._open() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS done (key TEXT PRIMARY KEY, resource TEXT, parameters TEXT)")

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=30)

    def say(self, resource: str, outcome: Outcome, reason: str, number: str = "", **fields: str) -> None:
        """Set what is said to one question, of everybody or of one person."""
        self.said[(number, resource)] = Said(outcome, reason, fields)

    def record(self, number: str = "", **fields: str) -> None:
        """Change fields of the contribution record; an empty value takes the field away."""
        merged = {**self._answer("social_insurance.contributions", number).fields, **fields}
        kept = {name: value for name, value in merged.items() if value}
        self.said[(number, "social_insurance.contributions")] = Said(Outcome.CLEAR, "matches", kept)

    def _answer(self, resource: str, number: str) -> Said:
        clear = CLEAR.get(resource, Said(Outcome.CLEAR, "listed"))
        return self.said.get((number, resource)) or self.said.get(("", resource)) or clear

    def done(self, resource: str | None = None) -> list[str]:
        """List the keys of the actions that were carried out."""
        with self._open() as connection:
            rows = connection.execute("SELECT key, resource FROM done ORDER BY rowid").fetchall()
        return [key for key, what in rows if resource in {None, what}]

    def parameters_of(self, key: str) -> str:
        """Give the parameters with which an action was carried out."""
        with self._open() as connection:
            return str(connection.execute("SELECT parameters FROM done WHERE key = ?", (key,)).fetchone()[0])

    def agreements(self) -> list[Any]:
        """Make the agreements of every resource, signed by both sides."""
        made = []
        for resource, kind in (
            *((check.resource, Kind.CHECK) for check in CHECKS),
            *((item.resource, Kind.ACTION) for item in ITEMS),
            (DUE, Kind.LIST),
        ):
            provider = resource.partition(".")[0]
            agreement = Agreement(
                agreement_id=f"test-{resource}",
                provider=provider,
                consumer="social_insurance",
                resource=resource,
                kind=kind,
                purposes=("retirement", "retirement_prefill", "retirement_due"),
                legal_basis="测试用协议",
                elements=ELEMENTS.get(resource, ("name",)),
                fields=FIELDS.get(resource, ()),
                valid_from=date(2020, 1, 1),
            )
            envelope = sign_envelope(AGREEMENT, agreement.to_payload(), self.signers[provider])
            if provider != "social_insurance":
                envelope = cosign_envelope(envelope, self.signers["social_insurance"])
            made.append(envelope)
        return made

    def answer(self, department: str, grants: Sequence[str]) -> list[bytes]:
        """Answer a batch of grants, as the gateway of one department."""
        self.calls += 1
        self.before_answer(department)
        trouble = self.trouble.get(department, "")
        if trouble == "dead":
            raise CallFailure(Failure.of(FailureCode.UNREACHABLE))
        if trouble == "late":
            raise CallFailure(Failure.of(FailureCode.TIMEOUT))
        if trouble == "garbage":
            return [b"<html>502</html>" for _ in grants]
        answers = [self._sign(department, text, trouble) for text in grants]
        if trouble == "half":
            raise CallFailure(Failure.of(FailureCode.TIMEOUT))  # it acted, but the answer was lost on the way
        return answers

    def _sign(self, department: str, text: str, trouble: str) -> bytes:
        hub = self.signers["hub"]
        trusted = TrustedKeys((hub.public,))
        envelope = SignedEnvelope.from_json(text)
        grant = Grant.from_payload(open_envelope(envelope, GRANT, trusted))
        rows = self._list(grant) if grant.kind is Kind.LIST else ()
        said = self._act(grant) if grant.kind is Kind.ACTION else self._answer(grant.resource, grant.subject)
        self.asked.append((grant.resource, grant.case_id))
        now = self.clock.now().astimezone(UTC).replace(microsecond=0)
        verdict = Verdict(
            grant_id=grant.grant_id,
            grant_digest=envelope.digest,
            resource=grant.resource,
            provider=department,
            outcome=said.outcome,
            reason=said.reason,
            as_of=datetime(2025, 3, 1, tzinfo=UTC),
            evidence_hash="0" * 64,
            answered_at=now,
            fields={name: value for name, value in said.fields.items() if name in grant.fields},
            rows=rows,
        )
        signer = self.signers["health" if trouble == "forged" and department != "health" else department]
        signed = sign_envelope(VERDICT, verdict.to_payload(), signer).to_json()
        if trouble == "unsigned":
            members = json.loads(signed)
            members["signatures"] = []
            signed = json.dumps(members)
        return signed.encode()

    def _list(self, grant: Grant) -> tuple[dict[str, str], ...]:
        first, last = grant.parameters["birth_from"], grant.parameters["birth_to"]
        return tuple(row for row in self.people if first <= row["birth_date"] <= last)

    def _act(self, grant: Grant) -> Said:
        if grant.resource in self.refusing:
            return Said(Outcome.REFUSED, self.refusing[grant.resource])
        key = grant.parameters["idempotency_key"]
        with self._open() as connection:
            connection.execute(
                "INSERT INTO done VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (key, grant.resource, str(grant.parameters))
            )
        return Said(Outcome.DONE, "done")


def _signer(folder: Path, holder: str) -> Signer:
    """Load a key, or make it: a process that is started anew signs as the one before it did."""
    if not list(folder.glob(f"{holder}*")):
        Signer.generate(holder, SUITE).save(folder)
    return Signer.load(folder, holder, SUITE)


class StandInClient(GatewayClient):
    """The hub's way to a department that stands in."""

    def __init__(self, department: str, departments: Departments) -> None:
        super().__init__("http://127.0.0.1:9", None)
        self._department = department
        self._departments = departments

    def answers(self, grants: Sequence[str]) -> list[bytes]:
        """Ask."""
        return self._departments.answer(self._department, grants)

    def conformance(self) -> dict[str, Any]:
        """Tell what the department can answer."""
        if self._departments.trouble.get(self._department) == "dead":
            raise CallFailure(Failure.of(FailureCode.UNREACHABLE))
        resources = [DUE, *(check.resource for check in CHECKS), *(item.resource for item in ITEMS)]
        own = [one for one in resources if one.startswith(f"{self._department}.")]
        return {"resources": [{"resource": one, "ready": True} for one in own]}
