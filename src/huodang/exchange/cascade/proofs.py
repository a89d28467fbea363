"""The asking side: what a neighbour answers counts only with the chain behind it, which is kept before it is used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from ssl import SSLContext
from typing import Final

import msgspec
import sqlalchemy as sa

from huodang.exchange.answers import Failure, FailureCode
from huodang.exchange.cascade import records
from huodang.exchange.cascade.chain import ChainFault, Origin, check_chain
from huodang.exchange.cascade.keyring import Keyring
from huodang.exchange.cascade.values import Hop
from huodang.exchange.client import LARGEST_ANSWER, CallFailure, GatewayClient, Patience
from huodang.exchange.errors import MessageError
from huodang.exchange.values import VERDICT, Verdict
from huodang.ledger import Ledger, LedgerEntry
from huodang.standards import HuodangError
from huodang.store import Clock, Database
from huodang.trust import EnvelopeError, FieldSealer, SignedEnvelope

_CHAIN: Final = "relay_chain"
_KEY_CODES: Final = frozenset({"origin_unknown_key", "origin_missing_signature", "keys_not_attested"})


class _Relayed(msgspec.Struct):
    answers: list[msgspec.Raw]
    origins: list[list[Hop]] = []


@dataclass(frozen=True)
class Proof:
    """The chain behind one answer, as it was kept.

    Attributes:
        entry_id: its entry in the ledger of the asking hub.
    """

    grant_id: str
    neighbour: str
    origin_hub: str
    origin: str
    digest: str
    chain: tuple[Hop, ...]
    at: datetime
    entry_id: str


class Proofs:
    """Keeps chains.

    Args:
        database: the hub's.
        ledger: gets a leaf for each chain.
        sealer: seals them, as they name the person.
        clock: the time.
    """

    def __init__(self, database: Database, ledger: Ledger, sealer: FieldSealer, clock: Clock) -> None:
        self._database = database
        self._ledger = ledger
        self._sealer = sealer
        self._clock = clock

    def keep(self, neighbour: str, checked: Sequence[tuple[Verdict, Origin, Sequence[Hop]]]) -> None:
        """Keep chains that hold, each with a leaf in the ledger; one that is known stays as it is."""
        now = self._clock.now()
        table = records.proof
        with self._database.begin() as connection:
            known = set(
                connection.execute(
                    sa.select(table.c.grant_id).where(table.c.grant_id.in_([said.grant_id for said, *_ in checked]))
                ).scalars()
            )
            fresh = [one for one in checked if one[0].grant_id not in known]
            texts = [msgspec.json.encode(list(chain)) for *_, chain in fresh]
            entries = [
                LedgerEntry(
                    "relay_proof",
                    now,
                    {
                        "grant": said.grant_id,
                        "resource": said.resource,
                        "relay": neighbour,
                        "hub": origin.hub,
                        "origin": origin.department,
                        "path": ",".join(origin.path),
                        "digest": origin.digest,
                    },
                )
                for said, origin, _ in fresh
            ]
            ids = self._ledger.record_all(connection, list(zip(entries, texts, strict=True)))
            rows = [
                {
                    "grant_id": said.grant_id,
                    "neighbour": neighbour,
                    "origin_hub": origin.hub,
                    "origin": origin.department,
                    "digest": origin.digest,
                    "chain": self._sealer.seal(_CHAIN, text.decode(), said.grant_id),
                    "at": now,
                    "entry_id": entry_id,
                }
                for (said, origin, _), text, entry_id in zip(fresh, texts, ids, strict=True)
            ]
            if rows:
                connection.execute(sa.insert(table), rows)

    def of(self, grant_id: str) -> Proof | None:
        """Give the chain behind the answer to a grant of this hub; None if it didn't come through a neighbour."""
        table = records.proof
        with self._database.read() as connection:
            row = connection.execute(sa.select(table).where(table.c.grant_id == grant_id)).one_or_none()
        if row is None:
            return None
        chain = msgspec.json.decode(self._sealer.open(_CHAIN, row.chain, row.grant_id), type=tuple[Hop, ...])
        return Proof(row.grant_id, row.neighbour, row.origin_hub, row.origin, row.digest, chain, row.at, row.entry_id)


class RelayClient(GatewayClient):
    """A neighbouring hub, asked as a gateway is. An answer whose chain doesn't hold never gets any further.

    Args:
        holder: the neighbour.
        url: where it answers.
        keyring: knows by which keys those behind it answer.
        proofs: keeps the chains.
        clock: the time.
        tls: this hub's side of mutual TLS; None only for plain HTTP in tests.
        patience: time-outs.
    """

    def __init__(
        self,
        holder: str,
        url: str,
        *,
        keyring: Keyring,
        proofs: Proofs,
        clock: Clock,
        tls: SSLContext | None = None,
        patience: Patience | None = None,
    ) -> None:
        super().__init__(url, tls, patience=patience)
        self._holder = holder
        self._keyring = keyring
        self._proofs = proofs
        self._clock = clock

    def answers(self, grants: Sequence[str]) -> list[bytes]:
        """Send grants, check the chain behind each verdict, keep it, and give the answers.

        Raises:
            CallFailure: as a gateway's; also if one chain doesn't hold: who shows a false one isn't believed in the
                others of the same answer either.
        """
        raw = self.call("POST", "/v1/answers", b'{"grants":[' + b",".join(one.encode() for one in grants) + b"]}")
        if len(raw) > LARGEST_ANSWER:
            raise CallFailure(Failure.of(FailureCode.TOO_LARGE))
        try:
            came = msgspec.json.decode(raw, type=_Relayed)
        except (msgspec.MsgspecError, RecursionError):
            raise CallFailure(Failure.of(FailureCode.GARBAGE, "shape")) from None
        if len(came.answers) != len(grants):
            raise CallFailure(Failure.of(FailureCode.GARBAGE, "count"))
        origins = came.origins or [[] for _ in grants]
        if len(origins) != len(grants):
            raise CallFailure(Failure.of(FailureCode.GARBAGE, "count"))
        answers = [bytes(one) for one in came.answers]
        checked = []
        for grant, answer, chain in zip(grants, answers, origins, strict=True):
            said = _verdict(answer)
            if said is not None:
                checked.append((said, self._check(grant, said, chain), chain))
        if checked:
            self._proofs.keep(self._holder, checked)
        return answers

    def batch(self, grant: str, pages: Sequence[bytes]) -> Iterator[bytes]:
        """Refuse at once: one grant over many persons would hide from each hub on the way who is asked about.

        Raises:
            CallFailure: always; nothing was sent.
        """
        _ = grant, pages
        raise CallFailure(
            Failure(
                FailureCode.REFUSED,
                "batch_not_relayed",
                "批量核验不级联，请逐人核验（一次至多 256 份授权）",
                "a batch isn't passed on: ask person by person, up to 256 grants at once",
            )
        )

    def _check(self, grant: str, said: Verdict, chain: Sequence[Hop]) -> Origin:
        asked = SignedEnvelope.from_json(grant)
        problem = ""
        for anew in (False, True):
            try:
                domains = self._keyring.domains(self._holder, self, anew=anew)
                return check_chain(
                    asked,
                    said,
                    chain,
                    neighbours=self._keyring.neighbours,
                    domains={self._holder: domains},
                    at=self._clock.now(),
                )
            except ChainFault as fault:
                problem = fault.code
                if problem not in _KEY_CODES:
                    break  # else a key may be newer than what the neighbour attested last
            except HuodangError as error:
                problem = error.code
                break
        raise CallFailure(Failure.of(FailureCode.WRONGLY_SIGNED, problem))


def _verdict(answer: bytes) -> Verdict | None:
    """Read what claims to be a verdict; what isn't one is judged, and refused, where every answer is."""
    try:
        envelope = SignedEnvelope.from_json(answer)
        return Verdict.from_payload(envelope.payload) if envelope.kind == VERDICT else None
    except (EnvelopeError, MessageError):
        return None
