"""What a department's data steward (数据管理员) does at the gateway: look at agreements, sign, revoke, read the log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from huodang.exchange.agreements import revoke_envelope
from huodang.exchange.errors import AgreementError
from huodang.exchange.gateway.config import GatewayFile
from huodang.exchange.gateway.memory import GatewayMemory, LogLine
from huodang.exchange.gateway.refusals import Refused
from huodang.exchange.gateway.service import SUBJECT, department_signer
from huodang.exchange.gateway.shelf import AgreementShelf
from huodang.exchange.sharing.acts import What, write_act
from huodang.exchange.sharing.notices import CORRECTION_NOTICE, CorrectionNotice, open_notice
from huodang.exchange.values import AGREEMENT, Agreement
from huodang.standards import IdentityNumber, Place
from huodang.store import OffsetClock, SystemClock, write_whole
from huodang.trust import FieldSealer, SignedEnvelope, TrustedKeys, cosign_envelope, open_envelope, sign_envelope

HUB: Final = "hub"
"""Holder of the key under which the hub speaks."""


@dataclass(frozen=True)
class ShelvedAgreement:
    """An agreement in the gateway's folder, and whether it counts today."""

    agreement: Agreement
    in_force: bool
    reason: str


class Steward:
    """Works on the gateway's own folder; the gateway may run meanwhile and sees every change at once."""

    def __init__(self, file: GatewayFile) -> None:
        spec = file.spec
        self.department = spec.department
        self._folder = file.beside(spec.agreements)
        self._keys = file.beside(spec.keys)
        self._database = file.beside(spec.database)
        self._signer = department_signer(file)
        self._trusted = TrustedKeys.load(file.beside(spec.trust))
        self._clock = OffsetClock(file.beside(spec.clock_offset_file)) if spec.clock_offset_file else SystemClock()
        self._shelf = AgreementShelf(self._folder, spec.department, self._trusted)

    def agreements(self) -> list[ShelvedAgreement]:
        """List the newest version of each agreement, and whether it counts today."""
        contents = self._shelf.contents()
        today = self._clock.today()
        listed: list[ShelvedAgreement] = []
        for agreement in contents.newest.values():
            found = contents.find(agreement.agreement_id, agreement.version, today)
            refused = found.code if isinstance(found, Refused) else ""
            listed.append(ShelvedAgreement(agreement, not refused, refused))
        return listed

    def problems(self) -> tuple[str, ...]:
        """Name the files that don't count, with why."""
        return self._shelf.contents().problems

    def read(self, text: str | bytes) -> tuple[Agreement, frozenset[str]]:
        """Read an agreement that is offered for signing: its terms, and who has signed it so far.

        Raises:
            EnvelopeError: a signature on it is wrong.
            MessageError: it is no agreement.
            AgreementError: this department isn't a side of it.
        """
        envelope = SignedEnvelope.from_json(text)
        agreement = Agreement.from_payload(open_envelope(envelope, AGREEMENT, self._trusted, at=self._clock.now()))
        self._require_side(agreement)
        return agreement, frozenset(one.holder for one in envelope.signatures)

    def draw_up(self, agreement: Agreement) -> SignedEnvelope:
        """Write an agreement and sign it for this department.

        Raises:
            AgreementError: this department isn't a side of it.
        """
        self._require_side(agreement)
        return sign_envelope(AGREEMENT, agreement.to_payload(), self._signer)

    def sign(self, text: str | bytes) -> tuple[SignedEnvelope, Path | None]:
        """Add this department's signature; with both there, and this department providing, lay it into the folder.

        Returns:
            The envelope as it is now, and where it was laid; None if a signature is missing or it belongs elsewhere.

        Raises:
            EnvelopeError, MessageError, AgreementError: as `read`.
        """
        agreement, signed = self.read(text)
        envelope = SignedEnvelope.from_json(text)
        if self.department not in signed:
            envelope = cosign_envelope(envelope, self._signer)
        holders = {one.holder for one in envelope.signatures}
        if agreement.provider != self.department or not {agreement.provider, agreement.consumer} <= holders:
            return envelope, None
        path = self._folder / f"{agreement.agreement_id}.v{agreement.version}.json"
        write_whole(path, envelope.to_json().encode())
        return envelope, path

    def revoke(self, agreement_id: str, reason: str) -> Path:
        """End an agreement at once: from the next request on the gateway refuses. The file also goes to the hub.

        Raises:
            AgreementError: no such agreement stands in the folder.
        """
        agreement = self._shelf.contents().newest.get(agreement_id)
        if agreement is None:
            raise AgreementError(
                "文件夹中没有这份协议",
                "no such agreement stands in the folder",
                advice_chinese="用 huodang steward show 查看协议编号。",
                advice_english="See the ids with `huodang steward show`.",
                place=Place(element=agreement_id),
            )
        path = self._folder / f"{agreement_id}.v{agreement.version}.revoked.json"
        write_whole(path, revoke_envelope(agreement, reason, self._signer, self._clock).to_json().encode())
        return path

    def revoke_signed(self, text: str | bytes, reason: str) -> SignedEnvelope:
        """End an agreement whose signed text this department holds, as its consumer does; the file is for the hub.

        Raises:
            EnvelopeError, MessageError, AgreementError: as `read`.
        """
        agreement, _ = self.read(text)
        return revoke_envelope(agreement, reason, self._signer, self._clock)

    def act(
        self,
        what: What,
        matter: str = "",
        *,
        note: str = "",
        data: Mapping[str, Any] | None = None,
        sealed: Mapping[str, str] | None = None,
    ) -> SignedEnvelope:
        """Write a signed act about demands or corrections for the hub; what names a person is sealed for it.

        Raises:
            AgreementError: the hub's key isn't among the trusted ones.
        """
        hub = [
            one for one in self._trusted.of_holder(HUB) if one.revoked_at is None and one.suite == self._signer.suite
        ]
        if sealed and not hub:
            raise AgreementError("信任清单中没有枢纽的公钥", "the hub's key isn't among the trusted ones")
        key = hub[-1] if sealed else None
        return write_act(self._signer, self._clock, what, matter, note, data, sealed=sealed, hub=key)

    def open_notice(self, text: str | bytes) -> tuple[CorrectionNotice, dict[str, str]]:
        """Check and open a correction notice that was written for this department.

        Raises:
            EnvelopeError: the hub didn't sign it.
            BrokenSealError: it was sealed for another department.
        """
        notice = CorrectionNotice.from_payload(open_envelope(text, CORRECTION_NOTICE, self._trusted, signer=HUB))
        return notice, open_notice(notice, self._signer)

    def log(self, *, limit: int = 50, identity_number: str | None = None, resource: str | None = None) -> list[LogLine]:
        """Give the newest lines of the gateway's log, of one person or resource if asked.

        Raises:
            IdentityError: the number isn't one.
        """
        mark = None
        if identity_number is not None:
            marks = FieldSealer.create(self._keys)
            mark = marks.blind_index(SUBJECT, IdentityNumber.parse(identity_number).text)
        memory = GatewayMemory(self._database)
        try:
            return memory.lines(limit=limit, subject_mark=mark, resource=resource)
        finally:
            memory.close()

    def today(self) -> date:
        """Give the present day."""
        return self._clock.today()

    def _require_side(self, agreement: Agreement) -> None:
        if self.department not in (agreement.provider, agreement.consumer):
            raise AgreementError(
                "本部门不是该协议的一方",
                "this department isn't a side of the agreement",
                place=Place(element=agreement.agreement_id),
            )
