"""Matching as a part of the gateway: sessions under a signed grant, with budgets, and a line for each in the log."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from litestar.types import ControllerRouterHandler

from huodang.exchange.gateway.admission import admit_delivery, read_grant
from huodang.exchange.gateway.config import config_error
from huodang.exchange.gateway.database_source import DatabaseSource, typed
from huodang.exchange.gateway.file_source import FileSource
from huodang.exchange.gateway.memory import LogLine
from huodang.exchange.gateway.refusals import Refused
from huodang.exchange.gateway.service import Gateway
from huodang.exchange.matching.agreed import (
    MATCH_ANSWER,
    MATCH_OPENED,
    MatchAnswered,
    MatchOpened,
    MatchParameters,
    OpeningRequest,
)
from huodang.exchange.matching.config import MatchesSection, MatchSpec
from huodang.exchange.matching.door import match_routes
from huodang.exchange.matching.errors import MatchingError, NotPermittedToMatchError, SetTooSmallError
from huodang.exchange.matching.holding import HoldingSession, Sessions
from huodang.exchange.matching.lanes import Lanes
from huodang.exchange.matching.messages import PROTOCOL, Terms, check_size, check_terms, malformed
from huodang.exchange.matching.oblivious import scalar_of
from huodang.exchange.matching.probes import Budget, Probe, ProbeMemory
from huodang.exchange.matching.sketches import sketch
from huodang.exchange.matching.values import Normalisation, ValueSet, collect
from huodang.exchange.values import REFUSAL, Agreement, Grant, Kind, to_the_second
from huodang.standards import HuodangError, Place, element
from huodang.trust import EnvelopeError, SignedEnvelope, sign_envelope

_BATCH: Final = 20_000
_OUTCOME: Final = "match"


@dataclass
class _Open:
    """A session with what it rests on."""

    grant: Grant
    digest: str
    agreement: Agreement
    parameters: MatchParameters
    spec: MatchSpec


class MatchesPart:
    """The matches of one gateway.

    Args:
        gateway: whose source, keys and agreements count.
        section: of the gateway's file.

    Raises:
        GatewayConfigError: an entry doesn't fit the source or the standard.
        SourceError: the source can't be read at start-up.
    """

    def __init__(self, gateway: Gateway, section: MatchesSection) -> None:
        self._gateway = gateway
        self._specs = {one.resource: one for one in section.offer}
        self._check(section)
        self.sessions = Sessions(most=section.sessions)
        self.memory = ProbeMemory(gateway.file.beside(section.database))
        self._workers = Lanes()
        self._open: dict[str, _Open] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def routes(self) -> Sequence[ControllerRouterHandler]:
        """Give the handlers under `/v1/matches`."""
        return [match_routes(self)]

    def offers(self) -> Sequence[dict[str, Any]]:
        """Tell what can be matched against, and how."""
        contents, today = self._gateway.shelf.contents(), self._gateway.clock.today()
        reachable = self._gateway.source.reachable()
        return [
            {
                "resource": name,
                "kind": Kind.MATCH.value,
                "agreements": sorted(one.agreement_id for one in contents.in_force(name, today)),
                "ready": reachable and bool(contents.in_force(name, today)),
                "size_only": spec.size_only,
                "minimum_set": spec.minimum_set,
                "probes_per_day": spec.probes_per_day,
            }
            for name, spec in self._specs.items()
        ]

    def start(self) -> None:
        """Do nothing: a match begins when it is asked for."""

    def stop(self) -> None:
        """Drop the open sessions and close the memory."""
        if not self._stopped:
            self._stopped = True
            self.sessions.close()
            self._workers.close()
            self.memory.close()

    def open(self, body: bytes, _proof: str) -> tuple[bytes, str]:
        """Begin a session for a grant."""
        now = self._gateway.clock.now()
        try:
            request = msgspec.json.decode(body, type=OpeningRequest)
            envelope = SignedEnvelope.from_json(bytes(request.grant))
        except (msgspec.MsgspecError, EnvelopeError, RecursionError):
            raise malformed("开始会话的报文不符合格式", "the message that opens a session isn't shaped right") from None
        terms = Terms.from_json(bytes(request.terms))
        grant = read_grant(envelope, self._gateway.trusted, now)
        if isinstance(grant, Refused):
            raise self._refused(grant, None, envelope.digest, now)
        one = self._admitted(envelope, grant, now)
        try:
            session, held = self._session(one, terms, now)
        except HuodangError as problem:
            self._write(one, REFUSAL, problem.code, now)
            raise
        if self._gateway.memory.seen([grant.nonce]) or self._write(one, _OUTCOME, "opened", now, take=True):
            session.drop()
            raise self._refused(Refused("replayed"), grant, envelope.digest, now)
        name = self.sessions.add(session)
        with self._lock:
            # Sessions that fell silent were dropped; what they rested on goes with them.
            present = self.sessions.names()
            self._open = {known: held_for for known, held_for in self._open.items() if known in present} | {name: one}
        opened = MatchOpened(
            version=PROTOCOL,
            match_id=one.parameters.match_id,
            grant_digest=one.digest,
            provider=self._gateway.department,
            session=name,
            held=held,
            answered_at=to_the_second(now),
        )
        return sign_envelope(MATCH_OPENED, opened.to_payload(), self._gateway.signer).to_json().encode(), ""

    def close(self, name: str) -> tuple[str, str]:
        """End the taking of values: count the match, look whether it repeats another, then let it be answered."""
        session = self.sessions.get(name)
        with self._lock:
            one = self._open[name]
        now = self._gateway.clock.now()
        admitted = False

        def release(points: bytes) -> None:
            nonlocal admitted
            admitted = self.memory.admit(self._probe(one, points, now), _budget(one.spec))

        try:
            received = session.close(release)
        except HuodangError as problem:
            self._write(one, REFUSAL, problem.code, now)
            self.ended(name)
            raise
        self._write(one, _OUTCOME, "answered" if admitted else "answered_again", now)
        answered = MatchAnswered(
            match_id=one.parameters.match_id,
            grant_digest=one.digest,
            provider=self._gateway.department,
            received=received,
            queried=session.terms.size,
            held=session.held,
            size_only=session.terms.size_only,
            answered_at=to_the_second(now),
        )
        return received, sign_envelope(MATCH_ANSWER, answered.to_payload(), self._gateway.signer).to_json()

    def ended(self, name: str) -> None:
        """Forget a session."""
        self.sessions.end(name)
        with self._lock:
            self._open.pop(name, None)

    def _admitted(self, envelope: SignedEnvelope, grant: Grant, now: datetime) -> _Open:
        agreement = admit_delivery(
            envelope,
            grant,
            department=self._gateway.department,
            kind=Kind.MATCH,
            resources=self._specs.keys(),
            shelf=self._gateway.shelf.contents(),
            now=now,
            skew=self._gateway.skew,
        )
        if isinstance(agreement, Refused):
            raise self._refused(agreement, grant, envelope.digest, now)
        spec = self._specs[grant.resource]
        if spec.element not in grant.elements:
            raise self._refused(Refused("elements_insufficient", spec.element), grant, envelope.digest, now)
        try:
            parameters = MatchParameters.of(grant)
        except MatchingError:
            raise self._refused(Refused("parameter_invalid"), grant, envelope.digest, now) from None
        return _Open(grant, envelope.digest, agreement, parameters, spec)

    def _session(self, one: _Open, terms: Terms, now: datetime) -> tuple[HoldingSession, int]:
        spec, asked = one.spec, one.parameters
        if (terms.size, terms.size_only, terms.normalisation) != (asked.size, asked.size_only, asked.normalisation):
            raise malformed("会话与授权所述不同", "the session differs from what the grant says")
        check_terms(
            terms,
            _normalisation(spec),
            smallest=spec.minimum_set,
            largest=spec.maximum_set,
            only_size=spec.size_only,
        )
        self.memory.check(one.agreement.agreement_id, asked.match_id, now, _budget(spec))
        values = self._values(spec)
        try:
            check_size(values.size, smallest=spec.minimum_set, largest=10**9)
        except SetTooSmallError:
            # How many there are is no business of whoever asks.
            raise SetTooSmallError(
                "提供方的集合太小，不予比对",
                "the provider's set is too small to be matched",
                advice_chinese="集合过小会暴露个别人。",
                advice_english="A small set would tell about single persons.",
            ) from None
        # The same key when an interrupted match is taken up again: it then tells nothing that it didn't before.
        key = scalar_of(self._derived("match_key", asked.match_id))
        return HoldingSession(terms, values.digests, self._workers, key=key), values.size

    def _values(self, spec: MatchSpec) -> ValueSet:
        return collect(self._cells(spec), _normalisation(spec))

    def _cells(self, spec: MatchSpec) -> Iterator[object]:
        source = self._gateway.source
        only = {name: (one,) if isinstance(one, str) else one for name, one in spec.only.items()}
        if isinstance(source, DatabaseSource):
            table = source.table(spec.table or "")
            statement = sa.select(table.c[spec.column])
            for name, values in only.items():
                column = table.c[name]
                statement = statement.where(column.in_([typed(value, column.type) for value in values]))
            with source.reading() as connection:
                yield from connection.execution_options(yield_per=_BATCH).scalars(statement)
            return
        for path in source.files(spec.file or "", take_all=spec.take == "all"):
            yield from _cells_of(source, path, spec.column, only)

    def _probe(self, one: _Open, points: bytes, now: datetime) -> Probe:
        return Probe(
            match_id=one.parameters.match_id,
            agreement_id=one.agreement.agreement_id,
            agreement_version=one.agreement.version,
            resource=one.spec.resource,
            at=now,
            queried=one.parameters.size,
            size_only=one.parameters.size_only,
            blinding=one.parameters.blinding,
            received=hashlib.sha256(points).hexdigest(),
            sketch=sketch(points, self._derived("match_sketch", one.agreement.agreement_id)),
        )

    def _derived(self, use: str, what: str) -> bytes:
        marks = (self._gateway.secret.blind_index(f"{use}_{number}", what) for number in range(4))
        return bytes.fromhex("".join(marks))

    def _write(self, one: _Open, outcome: str, reason: str, now: datetime, *, take: bool = False) -> bool:
        """Append a line, and take the grant's nonce if told; say whether it was taken already."""
        grant = one.grant
        line = _line(grant, one.digest, outcome, reason.removeprefix("matching.").replace(".", "_"), now)
        until = grant.expires_at + 2 * self._gateway.skew
        nonce = (grant.nonce, until) if take else (None, None)
        return bool(self._gateway.memory.write([(*nonce, line)]))

    def _refused(self, refused: Refused, grant: Grant | None, digest: str, now: datetime) -> NotPermittedToMatchError:
        line = _line(grant, digest, REFUSAL, refused.code, now)
        self._gateway.memory.write([(None, None, line)])
        chinese, english = refused.sentences()
        return NotPermittedToMatchError(chinese, english)

    def _check(self, section: MatchesSection) -> None:
        gateway = self._gateway
        if len(self._specs) != len(section.offer) or self._specs.keys() & gateway.resources.keys():
            raise config_error("资源重名", "two resources have one name", self._place("matches"))
        for name, spec in self._specs.items():
            place = self._place(name)
            if not name.startswith(f"{gateway.department}."):
                raise config_error("资源名应以部门代码开头", "a resource's name starts with the department", place)
            element(spec.element)
            of_files = isinstance(gateway.source, FileSource)
            if (spec.file if of_files else spec.table) is None or (spec.table if of_files else spec.file) is not None:
                raise config_error(
                    "数据库来源应写 table，文件来源应写 file", "a database takes `table`, files take `file`", place
                )
            if spec.take not in {None, "latest", "all"} or (spec.take and not of_files):
                raise config_error("take 只能是 latest 或 all", "`take` is latest or all, for files", place)
            present = gateway.source.columns(spec.file or spec.table or "")
            for column in (spec.column, *spec.only):
                if column not in present:
                    raise config_error("没有这一列", "there is no such column", replace(place, column=column))

    def _place(self, name: str) -> Place:
        return Place(file=str(self._gateway.file.path), element=name)


def _cells_of(source: FileSource, path: Path, column: str, only: dict[str, tuple[str, ...]]) -> Iterator[object]:
    lines = source.lines(path)
    heading = next(lines)[1]
    at = heading.index(column)
    conditions = [(heading.index(name), values) for name, values in only.items()]
    for _number, cells, _text in lines:
        if len(cells) == len(heading) and all(cells[position].strip() in values for position, values in conditions):
            yield cells[at]


def _normalisation(spec: MatchSpec) -> Normalisation:
    return Normalisation.IDENTITY_NUMBER if spec.element == "identity_number" else Normalisation.TEXT


def _budget(spec: MatchSpec) -> Budget:
    return Budget(spec.probes_per_day, spec.similarity_percent, spec.similarity_days)


def _line(grant: Grant | None, digest: str, outcome: str, reason: str, now: datetime) -> LogLine:
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
        subject_mark="",
        outcome=outcome,
        reason=reason,
    )
