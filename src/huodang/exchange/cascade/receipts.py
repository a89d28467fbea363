"""A receipt over hubs: what was asked, what every hub and the department signed, and the asker's ledger. Offline."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from huodang.exchange.cascade.chain import ChainFault, Origin, check_chain
from huodang.exchange.cascade.values import HUB_KEYS, Hop, HubKeys, read_domains
from huodang.exchange.values import GRANT, VERDICT, Grant, Verdict
from huodang.ledger import Receipt, verify_receipt
from huodang.standards import HuodangError
from huodang.trust import SignedEnvelope, TrustedKeys, open_envelope

FORMAT = "huodang-chain-receipt-1"


class _Receipt(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    grant: str
    verdict: str
    chain: tuple[Hop, ...]
    attestation: str
    ledger: str


@dataclass(frozen=True)
class ChainReport:
    """What checking a receipt brought.

    Attributes:
        checks: by name, whether it holds: `form`, `grant`, `verdict`, `attestation`, `chain`, `ledger`.
        fault: code of the first that doesn't; empty if all do.
        origin: who answered in the end; None unless the chain holds.
        verdict: what was answered; None unless it holds.
    """

    checks: dict[str, bool] = field(default_factory=dict)
    fault: str = ""
    origin: Origin | None = None
    verdict: Verdict | None = None

    @property
    def valid(self) -> bool:
        """All holds."""
        return not self.fault and all(self.checks.values()) and self.origin is not None


def write_chain_receipt(
    grant: SignedEnvelope, verdict: SignedEnvelope, chain: Sequence[Hop], attestation: str, ledger: Receipt
) -> str:
    """Write a receipt; it holds all that is needed but the keys that the reader trusts."""
    members = {
        "format": FORMAT,
        "grant": grant.to_json(),
        "verdict": verdict.to_json(),
        "chain": [{"grant": json.loads(bytes(hop.grant)), "verdict": json.loads(bytes(hop.verdict))} for hop in chain],
        "attestation": attestation,
        "ledger": ledger.to_json(),
    }
    return json.dumps(members, ensure_ascii=False)


def verify_chain_receipt(text: str | bytes, own: TrustedKeys, neighbours: TrustedKeys) -> ChainReport:
    """Check a receipt without network or database. Never raises for what is wrong in it.

    Args:
        text: the receipt.
        own: keys of the asking deployment, its hub's among them.
        neighbours: keys of the hubs that it knows; the key lists as they were handed over.
    """
    checks: dict[str, bool] = {}
    try:
        read = msgspec.json.decode(text, type=_Receipt)
        grant, answer = SignedEnvelope.from_json(read.grant), SignedEnvelope.from_json(read.verdict)
        checks["form"] = read.format == FORMAT
        asked = Grant.from_payload(open_envelope(grant, GRANT, own, signer=grant.signer, at=_at(answer)))
        checks["grant"] = asked.consumer == grant.signer
        at = _at(answer)
        verdict = Verdict.from_payload(open_envelope(answer, VERDICT, neighbours, signer=asked.provider, at=at))
        answered = (verdict.grant_id, verdict.grant_digest, verdict.resource)
        checks["verdict"] = answered == (asked.grant_id, grant.digest, asked.resource)
        attested = HubKeys.from_payload(
            open_envelope(read.attestation, HUB_KEYS, neighbours, signer=asked.provider, at=at)
        )
        checks["attestation"] = attested.hub == asked.provider
        origin = check_chain(
            grant,
            verdict,
            read.chain,
            neighbours=neighbours,
            domains={asked.provider: read_domains(attested)},
            at=at,
        )
        checks["chain"] = True
        report = verify_receipt(read.ledger, own, operator=grant.signer)
        entry = report.entry
        checks["ledger"] = report.valid and entry is not None and entry.facts.get("digest") == origin.digest
    except ChainFault as fault:
        return ChainReport({**checks, "chain": False}, fault.code)
    except HuodangError as problem:
        return ChainReport(checks, problem.code)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ChainReport({**checks, "form": False}, "malformed")
    failed = next((name for name, holds in checks.items() if not holds), "")
    return ChainReport(checks, failed, origin, verdict)


def _at(answer: SignedEnvelope) -> datetime:
    """Keys must have been valid when it was answered."""
    return Verdict.from_payload(answer.payload).answered_at
