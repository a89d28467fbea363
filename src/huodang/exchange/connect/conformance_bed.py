"""The bed of a conformance test: the gateway of a file over its own source, with keys and agreements of the test alone.

Keys, trust, agreements, log and the modes' own databases stand in a temporary folder. The real shelf isn't touched, and
nothing is written to the source: only checks and lists are asked, about a person who doesn't exist.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from huodang.exchange.agreements import revoke_envelope
from huodang.exchange.gateway.admission import Resource, kind_of_resource
from huodang.exchange.gateway.config import GatewayFile, Listen, TlsFiles
from huodang.exchange.gateway.lists import ListResource
from huodang.exchange.gateway.mapping import CheckResource
from huodang.exchange.gateway.service import Gateway
from huodang.exchange.values import (
    AGREEMENT,
    GRANT,
    REFUSAL,
    Agreement,
    Grant,
    Kind,
    Refusal,
    Verdict,
    new_identifier,
    new_nonce,
    to_the_second,
)
from huodang.standards import check_character, element
from huodang.trust import Provisioner, SignedEnvelope, Signer, TlsPair, cosign_envelope, open_envelope, sign_envelope

CONSUMER: Final = "conformance_consumer"
PURPOSE: Final = "conformance_test"
OTHER_PURPOSE: Final = "something_else"
# A day on which nobody alive was born, and a running number that is given to nobody.
_SEVENTEEN: Final = "11010119000101000"
NOBODY: Final = _SEVENTEEN + check_character(_SEVENTEEN)
_OLD_DAY: Final = "1800-01-01"
_MOST_NAMES: Final = 64


class TestBed:
    """A gateway that answers test grants in this process.

    Args:
        file: the gateway's real file.
        folder: an empty folder for everything that the test makes.
        environment: where `${NAME}` of the source's URL comes from.

    Raises:
        GatewayConfigError: something in the file is wrong.
        SourceError: the source can't be read.
    """

    __test__ = False  # no test of its own, whatever its name begins with

    def __init__(self, file: GatewayFile, folder: Path, environment: Any) -> None:  # noqa: ANN401  (a mapping)
        self.department = file.spec.department
        self._keys = Provisioner(folder)
        self._keys.init()
        for name in ("hub", CONSUMER, self.department):
            self._keys.issue(name)
        self._shelf = folder / "departments" / self.department / "agreements"
        self._shelf.mkdir(parents=True, exist_ok=True)
        self.file = _moved(file, folder, self._keys)
        self.gateway = Gateway.open(self.file, environment=environment)
        self._stranger = Signer.generate("hub")
        self.agreements = {name: self._agreement(name, one) for name, one in self.gateway.resources.items()}
        for section, kind in _deliveries(file):
            self.agreements[section.resource] = self._delivery(section.resource, kind, section)
        for agreement in self.agreements.values():
            self._lay(agreement)

    @property
    def asked(self) -> list[str]:
        """The resources that are asked: checks and lists, never actions."""
        return [name for name, one in self.gateway.resources.items() if isinstance(one, CheckResource | ListResource)]

    @property
    def actions(self) -> list[str]:
        """The resources that aren't asked, since they would change the source."""
        return [name for name in self.gateway.resources if name not in self.asked]

    def tls(self, name: str) -> TlsPair:
        """Give the test's own certificate of a party."""
        return TlsPair.of(self._keys.tls_folder, name)

    def grant(self, name: str, **changes: Any) -> Grant:  # noqa: ANN401  (fields of a grant)
        """Make a grant about nobody, as a hub would."""
        resource = self.gateway.resources[name]
        agreement = self.agreements[name]
        now = to_the_second(self.gateway.clock.now())
        terms: dict[str, Any] = {
            "grant_id": new_identifier("g", now),
            "resource": name,
            "agreement_id": agreement.agreement_id,
            "agreement_version": agreement.version,
            "provider": self.department,
            "consumer": CONSUMER,
            "purpose": PURPOSE,
            "legal_basis": agreement.legal_basis,
            "case_id": "conformance",
            "subject": NOBODY,
            "issued_at": now,
            "expires_at": now + timedelta(minutes=5),
            "nonce": new_nonce(),
            "kind": agreement.kind,
            "elements": agreement.elements,
            "fields": agreement.fields,
        }
        if isinstance(resource, ListResource):
            terms |= {"subject": "", "parameters": {resource.lower: _OLD_DAY, resource.upper: _OLD_DAY}}
        elif isinstance(resource, CheckResource):
            terms["parameters"] = {one: _parameter(one) for one in resource.parameters}
            terms["claims"] = {one: _claim(one) for one in resource.required_claims}
        return Grant(**{**terms, **changes})

    def sign(self, grant: Grant, *, forged: bool = False) -> str:
        """Sign a grant as the test's hub, or with a key that nobody trusts."""
        signer = self._stranger if forged else self._signer("hub")
        return sign_envelope(GRANT, grant.to_payload(), signer).to_json()

    def read(self, envelope: SignedEnvelope) -> Verdict | Refusal:
        """Open an answer, checking that the department signed it."""
        payload = open_envelope(envelope, envelope.kind, self._keys.trusted(), signer=self.department)
        return Refusal.from_payload(payload) if envelope.kind == REFUSAL else Verdict.from_payload(payload)

    def ask(self, grant: Grant, *, forged: bool = False) -> Verdict | Refusal:
        """Ask the gateway one grant."""
        return self.read(self.gateway.answer([self.sign(grant, forged=forged)])[0])

    def revoke(self, name: str) -> None:
        """Lay a revocation of a test agreement on the test's shelf."""
        envelope = revoke_envelope(self.agreements[name], "conformance", self._signer(CONSUMER), self.gateway.clock)
        agreement = self.agreements[name]
        path = self._shelf / f"{agreement.agreement_id}.v{agreement.version}.revoked.json"
        path.write_text(envelope.to_json(), encoding="utf-8")

    def now(self) -> datetime:
        """Give the gateway's present instant."""
        return self.gateway.clock.now()

    def close(self) -> None:
        """Let go of source and memory."""
        self.gateway.close()

    def _signer(self, holder: str) -> Signer:
        return Signer.load(self._keys.keys_folder(holder), holder)

    def _agreement(self, name: str, resource: Resource) -> Agreement:
        if isinstance(resource, CheckResource):
            elements = sorted((resource.offers | resource.needs | resource.required_claims) - {"identity_number"})
            fields = sorted(resource.offers - {"identity_number"})
        elif isinstance(resource, ListResource):
            elements = sorted(resource.offers)
            fields = elements
        else:
            elements, fields = ["name"], []
        return self._terms(name, kind_of_resource(resource), elements, fields)

    def _delivery(self, name: str, kind: Kind, section: Any) -> Agreement:  # noqa: ANN401  (a section of the file)
        elements = sorted(getattr(section, "elements", {"identity_number": ""}))
        return self._terms(name, kind, elements, elements)

    def _terms(self, name: str, kind: Kind, elements: list[str], fields: list[str]) -> Agreement:
        return Agreement(
            agreement_id=f"TEST-{name.replace('.', '-')}",
            provider=self.department,
            consumer=CONSUMER,
            resource=name,
            kind=kind,
            purposes=(PURPOSE,),
            legal_basis="conformance test",
            elements=tuple(elements[:_MOST_NAMES]),
            fields=tuple(fields[:_MOST_NAMES]),
            valid_from=self.gateway.clock.today() - timedelta(days=1),
        )

    def _lay(self, agreement: Agreement) -> None:
        envelope = sign_envelope(AGREEMENT, agreement.to_payload(), self._signer(CONSUMER))
        envelope = cosign_envelope(envelope, self._signer(self.department))
        path = self._shelf / f"{agreement.agreement_id}.v{agreement.version}.json"
        path.write_text(envelope.to_json(), encoding="utf-8")


def _moved(file: GatewayFile, folder: Path, keys: Provisioner) -> GatewayFile:
    """Put everything that the gateway writes or trusts into the test's folder; the source stays where it is."""
    spec = file.spec
    department = spec.department
    pair = TlsPair.of(keys.tls_folder, department)
    changes: dict[str, Any] = {
        "database": str(folder / "gateway.db"),
        "keys": str(keys.keys_folder(department)),
        "trust": str(keys.trust_file),
        "agreements": str(folder / "departments" / department / "agreements"),
        "listen": Listen(host="127.0.0.1", port=0),
        "tls": TlsFiles(certificate=str(pair.certificate), key=str(pair.key), authority=str(pair.authority)),
    }
    for section in ("tables", "events", "matches"):
        present = getattr(spec, section)
        if present is not None:
            changes[section] = msgspec.structs.replace(present, database=str(folder / f"{section}.db"))
    return GatewayFile(path=file.path.resolve(), spec=msgspec.structs.replace(spec, **changes))


def _deliveries(file: GatewayFile) -> list[tuple[Any, Kind]]:
    spec = file.spec
    found: list[tuple[Any, Kind]] = []
    found += [(one, Kind.TABLE) for one in (spec.tables.deliver if spec.tables else ())]
    found += [(one, Kind.EVENT) for one in (spec.events.publish if spec.events else ())]
    found += [(one, Kind.MATCH) for one in (spec.matches.offer if spec.matches else ())]
    return found


def _parameter(name: str) -> str:
    """Make up a parameter: its name tells whether it is a day or a number."""
    return "2000-01-01" if any(one in name for one in ("date", "day", "from", "_to", "until")) else "1"


def _claim(name: str) -> str:
    described = element(name)
    if described.type == "date":
        return "1900-01-01"
    if described.type == "month":
        return "190001"
    return "1" if described.type in ("code", "integer", "money", "decimal", "flag") else "无此人"
