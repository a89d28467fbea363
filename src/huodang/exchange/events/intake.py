"""What a gateway's page of events is worth: pure. Signature, addressee, order, gaps, seals and elements, in this order.

Whatever is wrong becomes an alarm and ends the taking there: what came before it is good, and what follows is asked for
again. So nothing is skipped unseen, and nothing counts twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from huodang.exchange.errors import MessageError
from huodang.exchange.events.messages import EVENT_BATCH, EventBatch, EventFault, OpenedEvent, event_key, read_event
from huodang.exchange.events.publishing import key_place
from huodang.exchange.values import REFUSAL, Agreement, Refusal
from huodang.trust import (
    BrokenSealError,
    EnvelopeError,
    SignedEnvelope,
    Signer,
    TrustedKeys,
    open_envelope,
    open_sealed,
)

LARGEST_PAGE_BYTES: Final = 16 * 1024 * 1024


class AlarmCode(StrEnum):
    """What can go wrong on the way of events."""

    REFUSED = "refused"  # 前置机拒绝
    UNREACHABLE = "unreachable"  # 前置机无法连接
    GARBAGE = "garbage"  # 答复无法识别
    FORGED = "forged"  # 签名无效
    MISADDRESSED = "misaddressed"  # 不是给本订阅方的
    GAP = "gap"  # 序号不连续
    HISTORY_LOST = "history_lost"  # 前置机已不再保存
    LOG_RESTARTED = "log_restarted"  # 前置机的事件库丢失或从备份恢复过
    WITHHELD = "withheld"  # 现行协议不再覆盖
    BEYOND_AGREEMENT = "beyond_agreement"  # 数据超出协议
    BROKEN_EVENT = "broken_event"  # 事件无法读取
    CONFLICT = "conflict"  # 同一编号两种内容
    DEAD_LETTER = "dead_letter"  # 处理多次失败


@dataclass(frozen=True)
class Alarm:
    """Something that an administrator should look at; codes only."""

    code: AlarmCode
    detail: str = ""


@dataclass(frozen=True)
class StreamPosition:
    """How far the events of a resource have been taken."""

    resource: str
    epoch: str = ""
    cursor: int = 0


@dataclass(frozen=True)
class OpenedBatch:
    """A batch whose signature and events have been checked; no events if they were withheld or taken before."""

    batch: EventBatch
    envelope: SignedEnvelope
    events: tuple[OpenedEvent, ...]
    content_key: bytes
    suite: str

    def key_of(self, event: OpenedEvent) -> str:
        """Give the key of one event's data, which opens no other."""
        return event_key(self.content_key, event.head.event_id, self.suite).hex()


@dataclass(frozen=True)
class Judged:
    """What may be taken of a page.

    Attributes:
        position: after taking it.
        latest: the last sequence number that the gateway has, as it says.
        duplicates: batches that had been taken before.
    """

    position: StreamPosition
    latest: int = 0
    batches: tuple[OpenedBatch, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    duplicates: int = 0


class Page(msgspec.Struct):
    """One page as it came: of one grant."""

    resource: str = ""
    latest: int = 0
    oldest: int = 0
    batches: list["PageBatch"] = []
    refusal: msgspec.Raw = msgspec.Raw(b"")


class PageBatch(msgspec.Struct):
    """A signed batch and its events; None if they are withheld."""

    envelope: msgspec.Raw
    events: list[str] | None


class Pages(msgspec.Struct):
    """A whole answer."""

    pages: list[Page]


@dataclass
class _Taking:
    """What has been taken so far."""

    epoch: str
    cursor: int
    batches: list[OpenedBatch] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    duplicates: int = 0


class _StopError(Exception):
    """Nothing more of this page can be taken; carries the alarm."""

    def __init__(self, code: AlarmCode, detail: str = "") -> None:
        super().__init__(code)
        self.alarm = Alarm(code, detail)


@dataclass(frozen=True)
class Judge:
    """Judges pages of one subscription.

    Attributes:
        agreement: under which was asked.
        signers: the subscriber's own keys, one a suite.
        trusted: the keys of all.
    """

    agreement: Agreement
    signers: Sequence[Signer]
    trusted: TrustedKeys

    def judge(self, page: Page, position: StreamPosition, now: datetime) -> Judged:
        """Say what may be taken of a page. Never raises: whatever is wrong becomes an alarm."""
        taking = _Taking(position.epoch, position.cursor)
        if bytes(page.refusal):
            taking.alarms.append(Alarm(AlarmCode.REFUSED, self._refusal(bytes(page.refusal), now)))
        try:
            for one in page.batches:
                self._take(one, page.oldest, taking, now)
        except _StopError as stop:
            taking.alarms.append(stop.alarm)
        return Judged(
            StreamPosition(position.resource, taking.epoch, taking.cursor),
            page.latest,
            tuple(taking.batches),
            tuple(taking.alarms),
            taking.duplicates,
        )

    def _take(self, one: PageBatch, oldest: int, taking: _Taking, now: datetime) -> None:
        envelope, batch = self._open(bytes(one.envelope), now)
        if batch.epoch != taking.epoch:
            # A new run of the gateway; it says where the one before it ended, which is where we should stand.
            if taking.epoch and batch.first == 1 and batch.previous != f"{taking.epoch}:{taking.cursor}":
                taking.alarms.append(Alarm(AlarmCode.LOG_RESTARTED, f"{taking.cursor}"))
            taking.epoch, taking.cursor = batch.epoch, 0
        if batch.last <= taking.cursor:
            taking.duplicates += 1
            return
        if batch.first > taking.cursor + 1:
            missing = f"{taking.cursor + 1}-{batch.first - 1}"
            if oldest != batch.first:
                raise _StopError(AlarmCode.GAP, missing)
            taking.alarms.append(Alarm(AlarmCode.HISTORY_LOST, missing))
            taking.cursor = batch.first - 1
        if one.events is None:
            taking.alarms.append(Alarm(AlarmCode.WITHHELD, f"{batch.first}-{batch.last}"))
            taking.batches.append(OpenedBatch(batch, envelope, (), b"", ""))
        else:
            taking.batches.append(self._events(batch, envelope, one.events, taking.cursor))
        taking.cursor = batch.last

    def _open(self, raw: bytes, now: datetime) -> tuple[SignedEnvelope, EventBatch]:
        try:
            envelope = SignedEnvelope.from_json(raw)
            batch = EventBatch.from_payload(
                open_envelope(envelope, EVENT_BATCH, self.trusted, signer=self.agreement.provider, at=now)
            )
        except EnvelopeError as problem:
            raise _StopError(AlarmCode.FORGED, problem.code) from None
        except MessageError as problem:
            raise _StopError(AlarmCode.GARBAGE, problem.code) from None
        named = (batch.provider, batch.consumer, batch.resource)
        if named != (self.agreement.provider, self.agreement.consumer, self.agreement.resource):
            raise _StopError(AlarmCode.MISADDRESSED)
        return envelope, batch

    def _events(self, batch: EventBatch, envelope: SignedEnvelope, texts: Sequence[str], cursor: int) -> OpenedBatch:
        if len(texts) != len(batch.digests):
            raise _StopError(AlarmCode.BROKEN_EVENT, "count")
        content_key, suite_name = self._content_key(batch)
        permitted = set(self.agreement.fields)
        events: list[OpenedEvent] = []
        for position, text in enumerate(texts):
            if batch.first + position <= cursor:
                continue
            try:
                event = read_event(text, batch, position, content_key, suite_name)
            except EventFault as fault:
                raise _StopError(AlarmCode.BROKEN_EVENT, fault.code) from None
            if not event.data.keys() <= permitted:
                raise _StopError(AlarmCode.BEYOND_AGREEMENT, str(batch.first + position))
            events.append(event)
        return OpenedBatch(batch, envelope, tuple(events), content_key, suite_name)

    def _content_key(self, batch: EventBatch) -> tuple[bytes, str]:
        for signer in self.signers:
            try:
                sealed = bytes.fromhex(batch.key)
                return open_sealed(signer, sealed, key_place(batch.epoch, batch.first)), signer.suite
            except (BrokenSealError, ValueError):
                continue
        raise _StopError(AlarmCode.BROKEN_EVENT, "seal_broken")

    def _refusal(self, raw: bytes, now: datetime) -> str:
        try:
            payload = open_envelope(raw, REFUSAL, self.trusted, signer=self.agreement.provider, at=now)
            return Refusal.from_payload(payload).code
        except EnvelopeError as problem:
            return problem.code
        except MessageError:
            return "misshaped"
