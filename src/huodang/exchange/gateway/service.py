"""The gateway itself, without HTTP: envelopes in, signed verdicts and refusals out, in the same order."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from huodang.exchange.errors import SourceError
from huodang.exchange.gateway.actions import ActionResource, check_action, compile_action, perform
from huodang.exchange.gateway.admission import Admitted, Resource, admit, read_grant
from huodang.exchange.gateway.answers import Answer, Finding
from huodang.exchange.gateway.conditions import QuestionFault
from huodang.exchange.gateway.config import GatewayFile, config_error, fill_variables
from huodang.exchange.gateway.conversion import QUARANTINED, UNREACHABLE, CellFault, Row, plain
from huodang.exchange.gateway.database_source import SUPPORTED, DatabaseSource
from huodang.exchange.gateway.file_source import ENCODINGS, FileSource
from huodang.exchange.gateway.mapping import CheckResource, check_columns, columns_of, compile_check, unmapped_codes
from huodang.exchange.gateway.memory import GatewayMemory, LogLine
from huodang.exchange.gateway.refusals import Refused
from huodang.exchange.gateway.shelf import AgreementShelf
from huodang.exchange.gateway.sources import Found, Lookup, Source, Wanted
from huodang.exchange.values import REFUSAL, VERDICT, Grant, Outcome, Refusal, Verdict, to_the_second
from huodang.standards import Place
from huodang.store import Clock, OffsetClock, SystemClock, utc_text
from huodang.trust import (
    EnvelopeError,
    FieldSealer,
    SignedEnvelope,
    Signer,
    TrustedKeys,
    canonical_json,
    sign_envelope,
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


class Gateway:
    """One department's gateway (前置机). Built from its file; refuses to start when the file doesn't fit the source.

    Raises:
        GatewayConfigError: something in the file is wrong; the place names resource and column.
        SourceError: the source can't be read at start-up.
        TrustError: key or list of trusted keys can't be used.
    """

    def __init__(self, file: GatewayFile, environment: Mapping[str, str], clock: Clock | None = None) -> None:
        spec = file.spec
        self.file = file
        self.department = spec.department
        self.source = open_source(file, environment)
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
        self._signer = Signer.load(file.beside(spec.keys), spec.department)
        self._trusted = TrustedKeys.load(file.beside(spec.trust))
        self._marks = FieldSealer.create(file.beside(spec.keys))
        self.shelf = AgreementShelf(file.beside(spec.agreements), spec.department, self._trusted)
        self.memory = GatewayMemory(file.beside(spec.database))
        self._skew = timedelta(seconds=spec.limits.clock_skew_seconds)
        self._answered = 0

    def answer(self, batch: Sequence[bytes | str]) -> list[SignedEnvelope]:
        """Answer many grants at once. One bad grant is refused; the others are answered."""
        now = self.clock.now()
        admitted = [self._admit(raw, now) for raw in batch]
        replies: list[_Reply | None] = [one if isinstance(one, _Reply) else None for one in admitted]
        checks: dict[str, list[tuple[int, Admitted]]] = {}
        for position, one in enumerate(admitted):
            if isinstance(one, _Reply):
                continue
            if isinstance(one.resource, ActionResource):
                replies[position] = self._act(one, one.resource, now)
            else:
                checks.setdefault(one.resource.name, []).append((position, one))
        for name, group in checks.items():
            for (position, one), found in zip(group, self._find(name, [one for _, one in group]), strict=True):
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
                    "kind": "action" if isinstance(resource, ActionResource) else "check",
                    "agreements": sorted(one.agreement_id for one in contents.in_force(name, today)),
                    "ready": reachable and bool(contents.in_force(name, today)),
                }
                for name, resource in self.resources.items()
            ],
        }

    def subject_mark(self, identity_number: str) -> str:
        """Give the mark under which a person's lines stand in the log."""
        return self._marks.blind_index(SUBJECT, identity_number)

    def close(self) -> None:
        """Let go of source and memory."""
        self.source.close()
        self.memory.close()

    def _admit(self, raw: bytes | str, now: datetime) -> "Admitted | _Reply":
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
            shelf=self.shelf.contents(),
            now=now,
            skew=self._skew,
        )
        if isinstance(admitted, Refused):
            return self._refuse(admitted, grant, envelope.digest, now)
        if self.memory.seen([grant.nonce]):
            return self._refuse(Refused("replayed"), grant, envelope.digest, now)
        return admitted

    def _find(self, name: str, group: Sequence[Admitted]) -> list[Found | None]:
        wanted = [Wanted(one.identity, one.grant.claims.get("name", "")) for one in group]
        try:
            return list(self._lookups[name].find(wanted))
        except SourceError:
            return [None] * len(group)

    def _check(self, one: Admitted, found: Found | None, now: datetime) -> _Reply:
        resource = one.resource
        assert isinstance(resource, CheckResource)  # noqa: S101  (actions went their own way)
        if found is None:
            return self._verdict(one, Finding(Answer(Outcome.UNKNOWN, UNREACHABLE), {}), (), now, now)
        fields = frozenset(one.grant.fields) & frozenset(one.agreement.fields) & resource.offers
        try:
            finding = resource.rules.decide(found.rows, one.grant.claims, one.grant.parameters, resource.needs | fields)
        except QuestionFault as fault:
            return self._refuse(Refused(fault.code, fault.name), one.grant, one.digest, now)
        if found.quarantined and finding.answer.outcome not in (Outcome.HIT, Outcome.CONFLICT):
            finding = Finding(Answer(Outcome.UNKNOWN, QUARANTINED), {})
        values = {name: value for name in sorted(fields) if (value := finding.values.get(name)) is not None}
        as_of = resource.as_of.of(finding.row, found, now)
        return self._verdict(one, replace(finding, values=values), found.rows, as_of, now)

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

    def _verdict(self, one: Admitted, finding: Finding, rows: Sequence[Row], as_of: datetime, now: datetime) -> _Reply:
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
        chinese, english = refused.sentences()
        refusal = Refusal(
            grant_id=grant.grant_id if grant else "",
            grant_digest=digest,
            provider=self.department,
            code=refused.code,
            chinese=chinese,
            english=english,
            answered_at=to_the_second(now),
        )
        return _Reply(self._line(grant, digest, REFUSAL, refused.code, now), refusal)

    def _line(self, grant: Grant | None, digest: str, outcome: str, reason: str, now: datetime) -> LogLine:
        return LogLine(
            answered_at=to_the_second(now),
            grant_id=grant.grant_id if grant else "",
            grant_digest=digest,
            consumer=grant.consumer if grant else "",
            purpose=grant.purpose if grant else "",
            case_id=grant.case_id if grant else "",
            resource=grant.resource if grant else "",
            agreement_id=grant.agreement_id if grant else "",
            agreement_version=grant.agreement_version if grant else 0,
            elements=grant.elements if grant else (),
            fields=(),
            subject_mark=self.subject_mark(grant.subject) if grant else "",
            outcome=outcome,
            reason=reason,
        )

    def _sign(self, replies: list[_Reply]) -> list[SignedEnvelope]:
        """Write the lines and then sign: nothing leaves that the log doesn't hold."""
        late = self.memory.write([(one.nonce, one.nonce_until, one.line) for one in replies])
        envelopes: list[SignedEnvelope] = []
        for position, one in enumerate(replies):
            if position in late:
                refused = Refused("replayed")
                chinese, english = refused.sentences()
                payload: Verdict | Refusal = Refusal(
                    grant_id=one.line.grant_id,
                    grant_digest=one.line.grant_digest,
                    provider=self.department,
                    code=refused.code,
                    chinese=chinese,
                    english=english,
                    answered_at=one.line.answered_at,
                )
                self.memory.write(
                    [
                        (
                            None,
                            None,
                            replace(
                                one.line, outcome=REFUSAL, reason=refused.code, fields=(), evidence_hash="", salt=""
                            ),
                        )
                    ]
                )
            else:
                payload = one.payload
            kind = VERDICT if isinstance(payload, Verdict) else REFUSAL
            envelopes.append(sign_envelope(kind, payload.to_payload(), self._signer))
        self._answered += len(replies)
        if self._answered >= _FORGET_EVERY:
            self._answered = 0
            self.memory.forget(self.clock.now())
        return envelopes


def evidence_hash(salt: str, rows: Sequence[Row]) -> str:
    """Hash the rows read, with a salt that stays at the department; empty rows are evidence, too."""
    texts = [{column: plain(value) for column, value in row.items()} for row in rows]
    return sm3(bytes.fromhex(salt) + canonical_json(texts)).hex()


def open_source(file: GatewayFile, environment: Mapping[str, str]) -> DatabaseSource | FileSource:
    """Open the source that a gateway's file names.

    Raises:
        GatewayConfigError: the URL can't be read, its kind isn't supported, or the folder isn't there.
    """
    place = Place(file=str(file.path), element="source")
    spec = file.spec.source
    if (spec.url is None) is (spec.files is None):
        raise config_error("source 应为 url 或 files 之一", "`source` is either url or files", place)
    if spec.files is not None:
        folder = file.beside(spec.files.folder)
        if not folder.is_dir():
            raise config_error("文件夹不存在", "there is no such folder", Place(file=str(folder)).within(place))
        if spec.files.encoding not in ENCODINGS:
            raise config_error("encoding 应为 gb18030、utf-8 或 auto", "`encoding` is gb18030, utf-8 or auto", place)
        return FileSource(folder, encoding=spec.files.encoding, delimiter=spec.files.delimiter)
    try:
        url = sa.make_url(fill_variables(spec.url or "", environment, place))
    except (sa.exc.ArgumentError, ValueError):
        raise config_error("数据库地址无法识别", "this is no database URL", place) from None
    if url.get_backend_name() not in SUPPORTED:
        raise config_error(
            f"不支持的数据库类型 {url.get_backend_name()}",
            f"databases of the kind {url.get_backend_name()} aren't supported",
            place,
        )
    if url.get_backend_name() == "sqlite":
        path = file.beside(url.database or "")
        if not path.is_file():
            raise config_error(
                "数据库文件不存在", "there is no such database file", Place(file=str(path)).within(place)
            )
        url = url.set(database=str(path))
    return DatabaseSource(url)


def compile_resources(file: GatewayFile) -> dict[str, Resource]:
    """Understand all resources and actions of a file.

    Raises:
        GatewayConfigError: one is wrong, or two have one name, or an action stands before files.
    """
    place = Place(file=str(file.path))
    if file.spec.actions and file.spec.source.files is not None:
        raise config_error("文件来源不能办理业务", "files can't take actions", place)
    compiled: list[Resource] = [compile_check(one, file) for one in file.spec.resources]
    compiled += [compile_action(one, file) for one in file.spec.actions]
    resources = {one.name: one for one in compiled}
    if len(resources) != len(compiled) or not compiled:
        raise config_error("资源为空或重名", "there is no resource, or two have one name", place)
    for name in resources:
        if not name.startswith(f"{file.spec.department}."):
            raise config_error(
                "资源名应以部门代码开头",
                "a resource's name starts with the department",
                Place(element=name).within(place),
            )
    return resources


def check_resources(resources: Mapping[str, Resource], source: Source, file: GatewayFile) -> tuple[str, ...]:
    """Hold every resource against the source; give warnings about codes without crosswalk.

    Raises:
        GatewayConfigError: a table or column isn't there.
        SourceError: the source can't be read.
    """
    warnings: list[str] = []
    for one in resources.values():
        if isinstance(one, CheckResource):
            place = Place(file=str(file.path), element=one.name)
            check_columns(one.selection.table, columns_of(one), source, place)
            warnings += unmapped_codes(one, source)
        elif isinstance(source, DatabaseSource):
            check_action(one, source, file)
    return tuple(warnings)
