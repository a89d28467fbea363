"""The agreements that a gateway holds, as files: read again whenever one changes, each signature checked here."""

import threading
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from huodang.exchange.errors import MessageError
from huodang.exchange.gateway.refusals import Refused
from huodang.exchange.values import AGREEMENT, AGREEMENT_REVOCATION, Agreement, Revocation
from huodang.standards import HuodangError
from huodang.store import write_whole
from huodang.trust import EnvelopeError, SignedEnvelope, TrustedKeys, open_envelope


@dataclass(frozen=True)
class ShelfContents:
    """What stands on the shelf at one moment.

    Attributes:
        newest: by agreement id, the version that counts.
        revoked: by agreement id, the highest revoked version.
        problems: files that don't count, with the reason.
    """

    newest: dict[str, Agreement] = field(default_factory=dict)
    revoked: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def find(self, agreement_id: str, version: int, day: date) -> Agreement | Refused:
        """Give the agreement that a grant cites, or why it doesn't count on this day."""
        if self.revoked.get(agreement_id, 0) >= version:
            return Refused("agreement_revoked")
        agreement = self.newest.get(agreement_id)
        if agreement is None or agreement.version < version:
            return Refused("no_agreement")
        if agreement.version > version:
            return Refused("agreement_superseded")
        return agreement if agreement.covers(day) else Refused("agreement_not_in_force")

    def in_force(self, resource: str, day: date) -> list[Agreement]:
        """List the agreements that hold for a resource on a day."""
        return [
            agreement
            for agreement in self.newest.values()
            if agreement.resource == resource and agreement == self.find(agreement.agreement_id, agreement.version, day)
        ]


class AgreementShelf:
    """A folder of `*.json` envelopes: agreements with both signatures, and revocations with one.

    Only envelopes of this department count; a file that doesn't hold is named and left aside.
    """

    def __init__(self, folder: Path, department: str, trusted: TrustedKeys) -> None:
        self._folder = folder
        self._department = department
        self._trusted = trusted
        self._stamp: tuple[tuple[str, int, int], ...] | None = None
        self._contents = ShelfContents()
        self._lock = threading.Lock()

    def contents(self) -> ShelfContents:
        """Give what counts now; looks at the folder each time, so that a revocation holds at once."""
        with self._lock:
            paths = sorted(self._folder.glob("*.json"))
            stamp = tuple((path.name, (status := path.stat()).st_mtime_ns, status.st_size) for path in paths)
            if stamp != self._stamp:
                self._contents = self._read(paths)
                self._stamp = stamp
            return self._contents

    def lay_agreement(self, envelope: SignedEnvelope) -> str:
        """Lay an agreement that both sides have signed on the shelf; give the file's name. The same again is no news.

        Raises:
            EnvelopeError: a signature is missing, wrong or of an untrusted key.
            MessageError: it is no agreement, or another department's.
        """
        agreement = self._agreement(envelope)
        name = f"{agreement.agreement_id}.v{agreement.version}.json"
        self._lay(name, envelope)
        return name

    def lay_revocation(self, envelope: SignedEnvelope) -> str:
        """Lay a side's revocation on the shelf: it holds from the next request on; give the file's name.

        Raises:
            EnvelopeError: the signature is wrong or of an untrusted key.
            MessageError: it is no revocation, of an agreement that isn't here, or of someone who isn't a side.
        """
        revocation = Revocation.from_payload(open_envelope(envelope, AGREEMENT_REVOCATION, self._trusted))
        agreement = self.contents().newest.get(revocation.agreement_id)
        if agreement is None or envelope.signer not in {agreement.provider, agreement.consumer}:
            raise MessageError(
                "这里没有该协议，或撤销者不是协议的一方",
                "there is no such agreement here, or who revokes isn't a side of it",
            )
        name = f"{revocation.agreement_id}.v{revocation.version}.revoked.json"
        self._lay(name, envelope)
        return name

    def revocations(self) -> list[SignedEnvelope]:
        """Give every revocation on the shelf that counts, as it was signed."""
        revoked = self.contents().revoked
        found: list[SignedEnvelope] = []
        for path in sorted(self._folder.glob("*.revoked.json")):
            try:
                envelope = SignedEnvelope.from_json(path.read_bytes())
                if Revocation.from_payload(envelope.payload).agreement_id in revoked:
                    found.append(envelope)
            except (HuodangError, OSError):
                continue  # `contents` has named it among the problems
        return found

    def _lay(self, name: str, envelope: SignedEnvelope) -> None:
        path = self._folder / name
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, envelope.to_json().encode())

    def _read(self, paths: list[Path]) -> ShelfContents:
        newest: dict[str, Agreement] = {}
        revoked: dict[str, int] = {}
        problems: list[str] = []
        revocations: list[tuple[SignedEnvelope, str]] = []
        known: dict[str, set[str]] = {}
        for path in paths:
            try:
                envelope = SignedEnvelope.from_json(path.read_bytes())
                if envelope.kind == AGREEMENT_REVOCATION:
                    revocations.append((envelope, path.name))
                    continue
                agreement = self._agreement(envelope)
                known.setdefault(agreement.agreement_id, set()).update((agreement.provider, agreement.consumer))
                present = newest.get(agreement.agreement_id)
                if present is None or present.version < agreement.version:
                    newest[agreement.agreement_id] = agreement
            except (HuodangError, OSError) as problem:
                problems.append(_named(path.name, problem))
        for envelope, name in revocations:
            try:
                revocation = Revocation.from_payload(open_envelope(envelope, AGREEMENT_REVOCATION, self._trusted))
                if envelope.signer not in known.get(revocation.agreement_id, ()):
                    raise MessageError("撤销者不是协议的一方", "who revokes isn't a side of the agreement")
                revoked[revocation.agreement_id] = max(revocation.version, revoked.get(revocation.agreement_id, 0))
            except HuodangError as problem:
                problems.append(_named(name, problem))
        return ShelfContents(newest, revoked, tuple(problems))

    def _agreement(self, envelope: SignedEnvelope) -> Agreement:
        agreement = open_agreement(envelope, self._trusted)
        if agreement.provider != self._department:
            raise MessageError("协议的提供方不是本部门", "the agreement's provider is another department")
        return agreement


def open_agreement(envelope: SignedEnvelope | str | bytes, trusted: TrustedKeys) -> Agreement:
    """Read an agreement that both sides have signed.

    Raises:
        EnvelopeError: a signature is missing, wrong or of an untrusted key.
        MessageError: the contents aren't an agreement.
    """
    opened = envelope if isinstance(envelope, SignedEnvelope) else SignedEnvelope.from_json(envelope)
    draft = Agreement.from_payload(opened.payload)
    sides = {draft.provider, draft.consumer}
    return Agreement.from_payload(open_envelope(opened, AGREEMENT, trusted, signer=sides))


def _named(name: str, problem: Exception) -> str:
    told = problem.sentence("zh") if isinstance(problem, HuodangError) else type(problem).__name__
    kind = "签名" if isinstance(problem, EnvelopeError) else "内容"
    return f"{name}：{kind}：{told}"
