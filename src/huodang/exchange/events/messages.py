"""What travels: CloudEvents whose data are sealed, and the signed batch that names each by its digest.

One signature covers many events: the batch holds the digest of each, so every event is proved by itself with the batch
beside it. The data of an event are sealed under a key of their own, derived from the batch's content key, which in turn
is sealed to the subscriber: showing one event to a court shows no other.

Source: CloudEvents 1.0, JSON event format; its documented extensions `sequence` and `partitioning`.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

from huodang.exchange.values import Identifier, Instant, Message, Reference, ResourceName, Token
from huodang.trust import BrokenSealError, NotCanonicalError, canonical_json, parse_strict, sm3, suite

EVENT_BATCH: Final = "event_batch"
"""Kind of the envelope that signs events."""
CURSOR: Final = "cursor"
"""The grant's parameter: the sequence number of the last event taken; events after it are asked for."""
EPOCH: Final = "epoch"
"""The grant's parameter: the run of the provider's gateway that the cursor counts in; empty the first time."""
LARGEST_BATCH: Final = 512
"""Events under one signature at most."""

_SPECIFICATION: Final = "1.0"
_SEALED_TYPE: Final = "application/vnd.huodang.sealed+json"
_REQUIRED: Final = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema")

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Sealed = Annotated[str, msgspec.Meta(max_length=4096)]


class Change(StrEnum):
    """What happened to the row."""

    CREATED = "created"  # 新增: it wasn't there, or didn't count, before
    CHANGED = "changed"  # 变更: what is watched of it reads otherwise than before
    WITHDRAWN = "withdrawn"  # 撤回: it is gone, or counts no longer


class EventBatch(Message, frozen=True, kw_only=True):
    """Which events a provider made for a subscriber, in their order.

    Attributes:
        epoch: one run of the provider's gateway; its numbers begin at 1.
        previous: in the first batch of an epoch, the epoch before it and its last number; empty if there was none.
        first: sequence number of the first event; the others follow without gap.
        digests: SM3 of each event's text, in order.
        key: the content key, sealed to the holder that signs the subscriber's grants; base64.
    """

    provider: Identifier
    consumer: Identifier
    resource: ResourceName
    epoch: Token
    previous: Reference = ""
    first: Annotated[int, msgspec.Meta(ge=1)]
    digests: Annotated[tuple[Digest, ...], msgspec.Meta(min_length=1, max_length=LARGEST_BATCH)]
    agreement_id: Token
    agreement_version: int
    made_at: Instant
    key: Sealed

    @property
    def last(self) -> int:
        """Give the sequence number of the last event."""
        return self.first + len(self.digests) - 1


@dataclass(frozen=True)
class EventHead:
    """What stands around an event's data, readable for who carries it; no personal data.

    Attributes:
        subject: a pseudonym of the person that only this subscriber gets from only this provider.
        time: when the change was noticed.
        row: a pseudonym of the row, so that a correction or withdrawal finds what it is about.
    """

    event_id: str
    provider: str
    resource: str
    type: str
    change: Change
    subject: str
    time: str
    sequence: int
    row: str


def event_id(epoch: str, sequence: int) -> str:
    """Name an event for good: the same change of the same log always has the same id."""
    return f"{epoch}-{sequence}"


def write_event(head: EventHead, data: Mapping[str, str], content_key: bytes, suite_name: str) -> str:
    """Write a CloudEvent, its data sealed.

    Args:
        head: what stands around the data.
        data: standard elements.
        content_key: of the batch.
        suite_name: whose cipher seals.
    """
    key = event_key(content_key, head.event_id, suite_name)
    sealed = suite(suite_name).seal(key, canonical_json(dict(data)), head.event_id.encode())
    attributes = {
        "specversion": _SPECIFICATION,
        "id": head.event_id,
        "source": f"/huodang/{head.provider}/{head.resource}",
        "type": head.type,
        "subject": head.subject,
        "time": head.time,
        "datacontenttype": _SEALED_TYPE,
        "dataschema": f"urn:huodang:resource:{head.resource}",
        "data_base64": base64.b64encode(sealed).decode(),
        "sequence": f"{head.sequence:020d}",
        "partitionkey": head.subject,
        "change": head.change.value,
        "row": head.row,
    }
    # Nothing in it but ASCII identifiers: the plain writer gives the canonical form, several times faster.
    return json.dumps(attributes, sort_keys=True, separators=(",", ":"))


class EventFault(Exception):  # noqa: N818  (becomes the code of an alarm)
    """What came can't be taken as it is. Carries a code only."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def event_key(content_key: bytes, name: str, suite_name: str) -> bytes:
    """Derive the key of one event's data from its batch's content key; from it no other can be derived."""
    return suite(suite_name).derive(content_key, name.encode())


def open_data(attributes: Mapping[str, Any], key: bytes, suite_name: str) -> dict[str, str]:
    """Open an event's data.

    Raises:
        BrokenSealError: the key or the text is another.
        EventFault: what was sealed isn't a mapping of texts.
    """
    sealed = base64.b64decode(attributes["data_base64"], validate=True)
    data = parse_strict(suite(suite_name).open(key, sealed, attributes["id"].encode()))
    if not all(isinstance(value, str) for value in data.values()):
        raise EventFault("event_misshaped")
    return data


def read_event(text: str, batch: EventBatch, position: int, content_key: bytes, suite_name: str) -> "OpenedEvent":
    """Read a CloudEvent, hold it against its batch, and open its data.

    Args:
        text: as it came.
        batch: the signed batch.
        position: its place in the batch, from 0.
        content_key: of the batch.
        suite_name: whose cipher sealed.

    Raises:
        EventFault: it isn't the event that was signed, or isn't shaped as an event.
    """
    if sm3(text.encode()).hex() != batch.digests[position]:
        raise EventFault("digest_differs")
    try:
        attributes: dict[str, Any] = msgspec.json.decode(text)
        sequence = batch.first + position
        head = EventHead(
            event_id=attributes["id"],
            provider=batch.provider,
            resource=batch.resource,
            type=attributes["type"],
            change=Change(attributes["change"]),
            subject=attributes["subject"],
            time=attributes["time"],
            sequence=sequence,
            row=attributes["row"],
        )
        named = (attributes["specversion"], head.event_id, int(attributes["sequence"]), attributes["source"])
        source = f"/huodang/{batch.provider}/{batch.resource}"
        if named != (_SPECIFICATION, event_id(batch.epoch, sequence), sequence, source):
            raise EventFault("event_misnamed")
        if not all(isinstance(attributes[name], str) and attributes[name] for name in _REQUIRED):
            raise EventFault("event_misshaped")
        datetime.fromisoformat(head.time)
        data = open_data(attributes, event_key(content_key, head.event_id, suite_name), suite_name)
    except BrokenSealError:
        raise EventFault("seal_broken") from None
    except (msgspec.MsgspecError, NotCanonicalError, KeyError, TypeError, ValueError):
        raise EventFault("event_misshaped") from None
    return OpenedEvent(head, data, text, batch.digests[position])


@dataclass(frozen=True)
class OpenedEvent:
    """An event whose signature, place and seal have been checked."""

    head: EventHead
    data: Mapping[str, str]
    text: str
    digest: str
