"""The gateway itself, without HTTP: envelopes in, signed verdicts and refusals out, in the same order."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from huodang.exchange.errors import SourceError
from huodang.exchange.gateway.actions import ActionResource, perform
from huodang.exchange.gateway.admission import Admitted, AdmittedList, admit, kind_of_resource, read_grant
from huodang.exchange.gateway.answers import Answer, Finding
from huodang.exchange.gateway.assembly import check_listening, check_resources, compile_resources, open_source
from huodang.exchange.gateway.conditions import QuestionFault
from huodang.exchange.gateway.config import GatewayFile, process_environment
from huodang.exchange.gateway.conversion import UNREACHABLE, CellFault, Row, plain
from huodang.exchange.gateway.database_source import DatabaseSource
from huodang.exchange.gateway.lists import read_list
from huodang.exchange.gateway.mapping import CheckResource
from huodang.exchange.gateway.memory import GatewayMemory, LogLine
from huodang.exchange.gateway.refusals import Refused, rate_limited
from huodang.exchange.gateway.shelf import AgreementShelf, ShelfContents
from huodang.exchange.gateway.sources import Found, Lookup, Wanted
from huodang.exchange.values import REFUSAL, VERDICT, Agreement, Grant, Outcome, Refusal, Verdict, to_the_second
from huodang.store import Clock, OffsetClock, SystemClock, utc_text
from huodang.trust import (
    EnvelopeError,
    FieldSealer,
    SignedEnvelope,
    Signer,
    TrustedKeys,
    canonical_json,
    sign_envelopes,
    sm3,
)

SUBJECT: Final = "identity_number"
_FORGET_EVERY: Final = 512


@dataclass(frozen=True)
class _Reply:
    """An answer before it is signed, and what the log says of it."""

    line: LogLine
    payload: Verdict | Refusal
    nonce: str | None = None
    nonce_until: datetime | None = None


_Judged = Admitted | AdmittedList | _Reply


class Gateway:
    """One department's gateway (前置机). Built from its file; refuses to start when the file doesn't fit the source."""

    def __init__(self, file: GatewayFile, environment: Mapping[str, str], clock: Clock | None = None) -> None:
        spec = file.spec
        check_listening(file)
        self.file = file
        self.department = spec.department
        self.source = open_source(file, environment)
        try:
            self._prepare(file, clock)
        except BaseException:
            self.source.close()
            raise

    def _prepare(self, file: GatewayFile, clock: Clock | None) -> None:
        spec = file.spec
        self.resources = compile_resources(file)
        self.warnings = check_resources(self.resources, self.source, file)
        self._lookups: dict[str, Lookup] = {
            one.name: self.source.lookup(one.selection)
            for one in self.resources.values()
            if isinstance(one, CheckResource)
        }
        self.clock = clock or (
            OffsetClock(file.beside(spec.clock_offset_file)) if spec.clock_offset_file else SystemClock()
        )
        self._signer = department_signer(file)
        self._trusted = TrustedKeys.load(file.beside(spec.trust))
        self._marks = FieldSealer.create(file.beside(spec.keys))
        self.shelf = AgreementShelf(file.beside(spec.agreements), spec.department, self._trusted)
        self.memory = GatewayMemory(file.beside(spec.database))
        self._skew = timedelta(seconds=spec.limits.clock_skew_seconds)
        self._answered = 0

    @classmethod
    def open(
        cls, file: GatewayFile, *, environment: Mapping[str, str] | None = None, clock: Clock | None = None
    ) -> "Gateway":
        """Open the gateway of a file.

        Args:
            file: the file as `read_gateway_file` gives it.
            environment: where `${NAME}` of the source's URL comes from; None for that of this process.
            clock: the time; None for the machine's, moved by `clock_offset_file` if the file names one.

        Raises:
            GatewayConfigError: something in the file is wrong; the place names resource and column.
            SourceError: the source can't be read at start-up.
            TrustError: key or list of trusted keys can't be used.
        """
        return cls(file, process_environment() if environment is None else environment, clock)

    def answer(self, batch: Sequence[bytes | str]) -> list[SignedEnvelope]:
        """Answer many grants at once. One bad grant is refused; the others are answered."""
        now = self.clock.now()
        shelf = self.shelf.contents()
        admitted = self._without_replays([self._admit(raw, shelf, now) for raw in batch], now)
        admitted = self._within_limits(admitted, now)
        replies: list[_Reply | None] = [one if isinstance(one, _Reply) else None for one in admitted]
        checks: dict[str, list[tuple[int, Admitted]]] = {}
        for position, one in enumerate(admitted):
            if isinstance(one, _Reply):
                continue
            if isinstance(one, AdmittedList):
                replies[position] = self._list(one, now)
            elif isinstance(one.resource, ActionResource):
                replies[position] = self._act(one, one.resource, now)
            else:
                checks.setdefault(one.resource.name, []).append((position, one))
        for name, group in checks.items():
            wanted = [Wanted(one.identity, one.grant.claims.get("name", "")) for _, one in group]
            for (position, one), found in zip(group, self.find(name, wanted), strict=True):
                replies[position] = self._check(one, found, now)
        return self._sign([reply for reply in replies if reply is not None])

    def conformance(self) -> dict[str, Any]:
        """Tell what this gateway offers, under which agreements, and how its source is."""
        contents = self.shelf.contents()
        today = self.clock.today()
        reachable = self.source.reachable()
        return {
            "department": self.department,
            "name": {"chinese": self.file.spec.name.chinese, "english": self.file.spec.name.english},
            "now": utc_text(to_the_second(self.clock.now())),
            "source_reachable": reachable,
            "warnings": list(self.warnings),
            "quarantine": list(self.source.quarantine()),
            "agreement_problems": list(contents.problems),
            "resources": [
                {
                    "resource": name,
                    "kind": kind_of_resource(resource).value,
                    "agreements": sorted(one.agreement_id for one in contents.in_force(name, today)),
                    "ready": reachable and bool(contents.in_force(name, today)),
                }
                for name, resource in self.resources.items()
            ],
        }

    def subject_mark(self, identity_number: str) -> str:
        """Give the mark under which a person's lines stand in the log."""
        return self._marks.blind_index(SUBJECT, identity_number)

    @property
    def signer(self) -> Signer:
        """Give the department's key."""
        return self._signer

    @property
    def trusted(self) -> TrustedKeys:
        """Give the public keys that count here."""
        return self._trusted

    @property
    def secret(self) -> FieldSealer:
        """Give what seals and marks in the gateway's own records."""
        return self._marks

    @property
    def skew(self) -> timedelta:
        """Give how far the clocks of hub and department may differ."""
        return self._skew

    def close(self) -> None:
        """Let go of source and memory."""
        self.source.close()
        self.memory.close()

    def _without_replays(self, admitted: list[_Judged], now: datetime) -> list[_Judged]:
        nonces = [one.grant.nonce for one in admitted if not isinstance(one, _Reply)]
        seen = self.memory.seen(nonces)
        return [
            one
            if isinstance(one, _Reply) or one.grant.nonce not in seen
            else self._refuse(Refused("replayed"), one.grant, one.digest, now)
            for one in admitted
        ]

    def _admit(self, raw: bytes | str, shelf: ShelfContents, now: datetime) -> _Judged:
        try:
            envelope = SignedEnvelope.from_json(raw)
        except EnvelopeError:
            return self._refuse(Refused("malformed"), None, "", now)
        grant = read_grant(envelope, self._trusted, now)
        if isinstance(grant, Refused):
            return self._refuse(grant, None, envelope.digest, now)
        admitted = admit(
            envelope,
            grant,
            department=self.department,
            resources=self.resources,
            shelf=shelf,
            now=now,
            skew=self._skew,
        )
        if isinstance(admitted, Refused):
            return self._refuse(admitted, grant, envelope.digest, now)
        return admitted

    def find(self, name: str, wanted: Sequence[Wanted]) -> list[Found | None]:
        """Find persons' rows for a check; None for each if the source can't be read at this moment."""
        try:
            return list(self._lookups[name].find(wanted))
        except SourceError:
            return [None] * len(wanted)

    def _within_limits(self, admitted: list[_Judged], now: datetime) -> list[_Judged]:
        """Spend the limits of agreements (每分钟限额), in the order of asking; refuse what goes beyond."""
        return [one if isinstance(one, _Reply) else self._spend(one, now) for one in admitted]

    def _spend(self, one: Admitted | AdmittedList, now: datetime) -> _Judged:
        refused = self.over_limit(one.agreement, 1, now)
        return one if refused is None else self._refuse(refused, one.grant, one.digest, now)

    def over_limit(self, agreement: Agreement, subjects: int, now: datetime) -> Refused | None:
        """Spend so much of an agreement's limit, durably; or say until when nothing more is answered under it."""
        if agreement.calls_per_minute is None:
            return None
        wait = self.memory.spend(agreement.agreement_id, subjects, agreement.calls_per_minute, now)
        if wait == 0:
            return None
        return Refused("batch_over_limit") if wait is None else rate_limited(now, wait)

    def _check(self, one: Admitted, found: Found | None, now: datetime) -> _Reply:
        resource = one.resource
        assert isinstance(resource, CheckResource)  # noqa: S101  (actions went their own way)
        fields = frozenset(one.grant.fields) & frozenset(one.agreement.fields) & resource.offers
        try:
            finding, as_of = resource.answer(found, one.grant.claims, one.grant.parameters, fields, now)
        except QuestionFault as fault:
            return self._refuse(Refused(fault.code, fault.name), one.grant, one.digest, now)
        return self._verdict(one, finding, found.rows if found is not None else (), as_of, now)

    def _list(self, one: AdmittedList, now: datetime) -> _Reply:
        assert isinstance(self.source, DatabaseSource)  # noqa: S101  (start-up refuses lists from files)
        fields = frozenset(one.grant.fields) & frozenset(one.agreement.fields) & one.resource.offers
        try:
            listed = read_list(one.resource, self.source, one.grant.parameters, fields)
        except QuestionFault as fault:
            return self._refuse(Refused(fault.code, fault.name), one.grant, one.digest, now)
        except SourceError:
            return self._verdict(one, Finding(Answer(Outcome.UNKNOWN, UNREACHABLE), {}), (), now, now)
        reply = self._verdict(one, Finding(listed.answer, {}), listed.evidence, now, now)
        assert isinstance(reply.payload, Verdict)  # noqa: S101  (_verdict makes no other)
        payload = msgspec.structs.replace(reply.payload, rows=listed.rows)
        return replace(reply, payload=payload, line=replace(reply.line, fields=tuple(sorted(fields))))

    def _act(self, one: Admitted, action: ActionResource, now: datetime) -> _Reply:
        assert isinstance(self.source, DatabaseSource)  # noqa: S101  (start-up refuses actions on files)
        grant = one.grant
        texts = {
            **grant.claims,
            **grant.parameters,
            "identity_number": one.identity.text,
            "case_id": grant.case_id,
            "grant_id": grant.grant_id,
            "purpose": grant.purpose,
            "today": self.clock.today().isoformat(),
            "now": utc_text(to_the_second(now)),
        }
        try:
            performed = perform(action, self.source, one.identity, texts)
        except QuestionFault as fault:
            return self._refuse(Refused(fault.code, fault.name), grant, one.digest, now)
        except SourceError:
            return self._verdict(one, Finding(Answer(Outcome.UNKNOWN, UNREACHABLE), {}), (), now, now)
        record = performed.record
        permitted = frozenset(grant.fields) & frozenset(one.agreement.fields)
        values: dict[str, str | None] = {}
        for source in action.fields if record is not None else ():
            if source.element.identifier in permitted and record is not None:
                try:
                    values[source.element.identifier] = source.read(record)
                except CellFault:
                    continue
        finding = Finding(Answer(performed.outcome, performed.reason), values)
        return self._verdict(one, finding, (record,) if record is not None else (), now, now)

    def _verdict(
        self, one: Admitted | AdmittedList, finding: Finding, rows: Sequence[Row], as_of: datetime, now: datetime
    ) -> _Reply:
        salt = secrets.token_hex(16)
        evidence = evidence_hash(salt, rows)
        fields = {name: value for name, value in finding.values.items() if value is not None}
        verdict = Verdict(
            grant_id=one.grant.grant_id,
            grant_digest=one.digest,
            resource=one.grant.resource,
            provider=self.department,
            outcome=finding.answer.outcome,
            reason=finding.answer.reason,
            as_of=to_the_second(as_of),
            evidence_hash=evidence,
            answered_at=to_the_second(now),
            fields=fields,
        )
        line = replace(
            self._line(one.grant, one.digest, verdict.outcome, verdict.reason, now),
            fields=tuple(sorted(fields)),
            evidence_hash=evidence,
            salt=salt,
        )
        return _Reply(line, verdict, one.grant.nonce, one.grant.expires_at + 2 * self._skew)

    def _refuse(self, refused: Refused, grant: Grant | None, digest: str, now: datetime) -> _Reply:
        line = self._line(grant, digest, REFUSAL, refused.code, now)
        return _Reply(line, self._refusal(refused, line))

    def _refusal(self, refused: Refused, line: LogLine) -> Refusal:
        chinese, english = refused.sentences()
        return Refusal(
            grant_id=line.grant_id,
            grant_digest=line.grant_digest,
            provider=self.department,
            code=refused.code,
            chinese=chinese,
            english=english,
            answered_at=line.answered_at,
            detail=refused.detail,
        )

    def _line(self, grant: Grant | None, digest: str, outcome: str, reason: str, now: datetime) -> LogLine:
        mark = self.subject_mark(grant.subject) if grant and grant.subject else ""
        return LogLine.of_grant(grant, digest, outcome, reason, now, subject_mark=mark)

    def _sign(self, replies: list[_Reply]) -> list[SignedEnvelope]:
        """Write the lines and then sign: nothing leaves that the log doesn't hold."""
        late = self.memory.write([(one.nonce, one.nonce_until, one.line) for one in replies])
        replayed = Refused("replayed")
        for position in late:
            line = replace(
                replies[position].line, outcome=REFUSAL, reason=replayed.code, fields=(), evidence_hash="", salt=""
            )
            self.memory.write([(None, None, line)])
            replies[position] = _Reply(line, self._refusal(replayed, line))
        envelopes: dict[int, SignedEnvelope] = {}
        for kind, shape in ((VERDICT, Verdict), (REFUSAL, Refusal)):
            of_kind = [position for position, one in enumerate(replies) if isinstance(one.payload, shape)]
            signed = sign_envelopes(
                kind, [replies[position].payload.to_payload() for position in of_kind], self._signer
            )
            envelopes |= zip(of_kind, signed, strict=True)
        self._answered += len(replies)
        if self._answered >= _FORGET_EVERY:
            self._answered = 0
            self.memory.forget(self.clock.now())
        return [envelopes[position] for position in range(len(replies))]


def department_signer(file: GatewayFile) -> Signer:
    """Load the department's key; the national suite's if there are both.

    Raises:
        UnusableKeyError: there is none, or others may read it.
    """
    folder, holder = file.beside(file.spec.keys), file.spec.department
    suite = "international" if (folder / f"{holder}.international.key").exists() else "national"
    return Signer.load(folder, holder, "national" if (folder / f"{holder}.national.key").exists() else suite)


def evidence_hash(salt: str, rows: Sequence[Row]) -> str:
    """Hash the rows read, with a salt that stays at the department; empty rows are evidence, too."""
    texts = [{column: plain(value) for column, value in row.items()} for row in rows]
    return sm3(bytes.fromhex(salt) + canonical_json(texts)).hex()
