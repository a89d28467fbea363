"""The hub's way to a gateway for one lot: signed requests out, checked answers in. Nothing unchecked gets past here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from huodang.exchange.answers import Failure, FailureCode
from huodang.exchange.client import CallFailure, GatewayClient
from huodang.exchange.lots.errors import PullError
from huodang.exchange.lots.pages import Page
from huodang.exchange.lots.values import LOT_OFFER, LOT_REQUEST, LotOffer, LotRequest, Put, Removal
from huodang.exchange.quality import RowMarks
from huodang.exchange.values import REFUSAL, Agreement, Refusal, to_the_second
from huodang.standards import HuodangError, check_identity_numbers
from huodang.store import Clock
from huodang.trust import EnvelopeError, SignedEnvelope, Signer, TrustedKeys, open_envelope, sha256, sign_envelope

SUBJECT: Final = "identity_number"
LARGEST_OFFER: Final = 16 * 1024 * 1024
_PAGE_SECONDS: Final = 60.0
# The lot is gone at the gateway, or will never be ready: another one is to be opened.
GONE: Final = frozenset({"lot_unknown", "lot_over", "page_unknown"})


@dataclass(frozen=True)
class GatewayLine:
    """Speaks with one gateway about lots under one agreement."""

    client: GatewayClient
    agreement: Agreement
    signer: Signer
    trusted: TrustedKeys
    clock: Clock

    def open(self, grant: SignedEnvelope, salt: bytes, buckets: Mapping[int, str]) -> dict[str, Any]:
        """Open a lot, or join the one at work.

        Raises:
            PullError: the gateway can't be reached, refuses, or answers with what can't be used.
        """
        named = {f"{bucket:02x}": value for bucket, value in buckets.items()}
        request = self._request("open", salt=salt.hex(), buckets=named)
        return self._call("/v1/lots", b'{"grant":' + grant.to_json().encode() + b',"request":' + request + b"}")

    def look(self, remote: str) -> dict[str, Any]:
        """Ask how far a lot is. Raises: as `open`."""
        return self._call(f"/v1/lots/{remote}", b'{"request":' + self._request("look", lot=remote) + b"}")

    def offer(self, told: Mapping[str, Any], remote: str) -> LotOffer:
        """Open the signed offer of a lot that is ready. Raises: as `open`."""
        envelope = envelope_of(told.get("offer"))
        try:
            payload = open_envelope(
                envelope, LOT_OFFER, self.trusted, signer=self.agreement.provider, limit=LARGEST_OFFER
            )
            offer = LotOffer.from_payload(payload)
        except HuodangError:
            raise wrong("offer_wrong") from None
        agreement = self.agreement
        cited = (offer.lot, offer.resource, offer.agreement_id, offer.agreement_version, offer.provider)
        meant = (remote, agreement.resource, agreement.agreement_id, agreement.version, agreement.provider)
        if cited != meant or not set(offer.elements) <= set(agreement.fields):
            raise wrong("offer_wrong")
        return offer

    def page(self, offer: LotOffer, number: int, marks: RowMarks) -> list[Put | Removal]:
        """Fetch one page; it must be the one of the signed offer, to the byte. Raises: as `open`."""
        body = b'{"request":' + self._request("page", lot=offer.lot, page=number) + b"}"
        raw = self._send(f"/v1/lots/{offer.lot}/pages/{number}", body, _PAGE_SECONDS)
        if sha256(raw).hex() != offer.pages[number]:
            self._refused(raw)
            raise wrong("page_altered")
        try:
            page = msgspec.json.decode(raw, type=Page)
            if len(page.marks) != len(page.rows):
                raise wrong("page_wrong")
            permitted = frozenset(offer.elements)
            changes: list[Put | Removal] = []
            subjects: list[str] = []
            for mark, row in zip(page.marks, page.rows, strict=True):
                content = bytes(row)
                values = msgspec.json.decode(content, type=dict[str, str])
                if not permitted.issuperset(values):
                    raise wrong("page_wrong")
                subject = values.get(SUBJECT, "")
                subjects.append(subject)
                changes.append(Put(_mark(mark), content, marks.digest(content), subject))
        except (msgspec.MsgspecError, RecursionError):
            raise wrong("page_wrong") from None
        _check_subjects(subjects)
        return [*changes, *(Removal(_mark(mark)) for mark in page.removed)]

    def close(self, remote: str, reconciliation: str = "") -> dict[str, Any]:
        """Ask for the statement; with the hub's reconciliation, for the provider's signature. Raises: as `open`."""
        request = self._request("close", lot=remote)
        more = b',"reconciliation":' + reconciliation.encode() if reconciliation else b""
        return self._call(f"/v1/lots/{remote}/close", b'{"request":' + request + more + b"}")

    def _request(self, step: str, **parts: Any) -> bytes:  # noqa: ANN401  (fields of the request)
        request = msgspec.convert(
            {
                "step": step,
                "agreement_id": self.agreement.agreement_id,
                "issued_at": to_the_second(self.clock.now()),
                **parts,
            },
            LotRequest,
        )
        return sign_envelope(LOT_REQUEST, request.to_payload(), self.signer).to_json().encode()

    def _call(self, path: str, body: bytes) -> dict[str, Any]:
        raw = self._send(path, body, None)
        self._refused(raw)
        try:
            told = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, RecursionError):
            raise wrong("answer_wrong") from None
        return {name: bytes(value) for name, value in told.items()}

    def _send(self, path: str, body: bytes, seconds: float | None) -> bytes:
        """Send one request, once more if the connection was closed meanwhile.

        Landing a page may take longer than a gateway keeps an idle connection. Every step of a lot may be asked for
        twice; opening one takes another grant.
        """
        again = path != "/v1/lots"
        while True:
            try:
                return self.client.call("POST", path, body, seconds=seconds)
            except CallFailure as problem:
                failure = problem.failure
                if not again or failure.code is not FailureCode.UNREACHABLE:
                    raise PullError(failure.code, failure.chinese, failure.english, retryable=True) from None
                again = False

    def _refused(self, raw: bytes) -> None:
        """Raise what the gateway refuses with, if it does and has signed it."""
        try:
            told = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
            if "refusal" not in told:
                return
            payload = open_envelope(
                SignedEnvelope.from_json(bytes(told["refusal"])), REFUSAL, self.trusted, signer=self.agreement.provider
            )
            refusal = Refusal.from_payload(payload)
        except (msgspec.MsgspecError, RecursionError):
            return
        except HuodangError:
            raise wrong("answer_wrong") from None
        # What the provider's steward must mend first isn't asked for again and again.
        raise PullError(refusal.code, refusal.chinese, refusal.english, retryable=refusal.code in _PASSING)


_PASSING: Final = GONE | {"lot_not_ready", "exchange_source", "lot_failed"}
_WRONG: Final = {
    "offer_wrong": ("前置机给出的批次清单不可信", "the gateway's offer of the lot can't be trusted"),
    "page_altered": ("收到的页与签名清单不符，可能在途中被改动", "a page isn't the one of the signed offer"),
    "page_wrong": ("页的内容不符合格式或超出协议", "a page isn't shaped as it must be, or goes beyond the agreement"),
    "answer_wrong": ("前置机的答复无法使用", "the gateway's answer can't be used"),
}


def wrong(reason: str) -> PullError:
    """Make the error of an answer that can't be used."""
    return PullError(reason, *_WRONG[reason], retryable=True)


def unreachable() -> PullError:
    """Make the error of a department without gateway."""
    failure = Failure.of(FailureCode.UNREACHABLE, "no_gateway")
    return PullError(failure.code, failure.chinese, failure.english, retryable=True)


def text_of(told: Mapping[str, Any], name: str) -> str:
    """Read a text of an answer; empty if there is none."""
    try:
        return str(msgspec.json.decode(told[name], type=str)) if name in told else ""
    except msgspec.MsgspecError:
        raise wrong("answer_wrong") from None


def envelope_of(raw: object) -> SignedEnvelope:
    """Read an envelope of an answer; its signature is checked by who opens it."""
    if not isinstance(raw, bytes):
        raise wrong("answer_wrong")
    try:
        return SignedEnvelope.from_json(raw)
    except EnvelopeError:
        raise wrong("answer_wrong") from None


def _mark(text: str) -> str:
    if len(text) != _MARK_LENGTH or not _HEXADECIMAL.issuperset(text):
        raise wrong("page_wrong")
    return text


_MARK_LENGTH: Final = 32
# 18 characters; 15 are those of old foreigners' cards.
_WRITTEN_LENGTHS: Final = (18, 15)
_HEXADECIMAL: Final = frozenset("0123456789abcdef")


def _check_subjects(subjects: Sequence[str]) -> None:
    """Let only right identity numbers in, in their one written form: the blind index of another would differ."""
    numbers = [one for one in subjects if one]
    if numbers and (check_identity_numbers(numbers).any() or any(one != one.strip().upper() for one in numbers)):
        raise wrong("page_wrong")
    if any(len(one) not in _WRITTEN_LENGTHS for one in numbers):
        raise wrong("page_wrong")
