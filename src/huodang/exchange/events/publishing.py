"""From changed rows to what is kept and published: one transaction over state, events and position."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from huodang.exchange.events.changes import Known, Seen, Step, Told, gone, plan, tell
from huodang.exchange.events.event_log import EventLog, StoredBatch
from huodang.exchange.events.messages import (
    EVENT_BATCH,
    LARGEST_BATCH,
    EventBatch,
    EventHead,
    event_id,
    write_event,
)
from huodang.exchange.events.watched import SUBJECT, Watched
from huodang.exchange.gateway.shelf import ShelfContents
from huodang.exchange.values import Agreement, Kind, to_the_second
from huodang.store import shanghai_date, utc_text
from huodang.trust import (
    FieldSealer,
    PublicKey,
    Signer,
    TrustedKeys,
    canonical_json,
    seal_for,
    sign_envelope,
    sm3,
    suite,
)

_STATE: Final = "event_state"


@dataclass(frozen=True)
class Keys:
    """What a publisher signs and seals with."""

    signer: Signer
    trusted: TrustedKeys
    secret: FieldSealer


@dataclass(frozen=True)
class Terms:
    """What an agreement lets out, kept with what was made under it."""

    fields: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]

    def write(self) -> str:
        """Write the terms."""
        return json.dumps({"fields": self.fields, "rows": self.rows}, ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> "Terms":
        """Read what `write` wrote."""
        found = json.loads(text)
        return cls(tuple(found["fields"]), {name: tuple(values) for name, values in found["rows"].items()})


class NoRecipientKeyError(Exception):
    """A subscriber has no key to which its events could be sealed; carries the holder's name."""


def agreements_by_consumer(shelf: ShelfContents, resource: str, now: datetime) -> dict[str, Agreement]:
    """Give for each subscriber of a resource the agreement that counts: of several in force the one that began last."""
    found: dict[str, Agreement] = {}
    for one in shelf.in_force(resource, shanghai_date(now)):
        other = found.get(one.consumer)
        if one.kind is Kind.EVENT and (
            other is None or (one.valid_from, one.agreement_id) > (other.valid_from, other.agreement_id)
        ):
            found[one.consumer] = one
    return found


class Publisher:
    """Publishes the changes of one resource.

    Args:
        watched: the resource.
        log: where state and events are kept.
        keys: of the gateway.
        shelf: gives the agreements that count now.
    """

    def __init__(self, watched: Watched, log: EventLog, keys: Keys, shelf: Callable[[], ShelfContents]) -> None:
        self._watched = watched
        self._log = log
        self._keys = keys
        self._shelf = shelf

    def take(self, seen: Sequence[Seen], now: datetime, position: Mapping[str, Any], *, silently: bool = False) -> int:
        """Take rows as they stand now; give the number of events made.

        Args:
            seen: rows in the order in which they changed, each once.
            now: the present instant.
            position: how far the watch has come with these rows.
            silently: only remember them, as at the beginning of a watch.
        """
        resource = self._watched.resource
        digests = self._log.digests(resource, [one.mark for one in seen])
        return self._write(plan(seen, digests, self._known), now, position, silently=silently)

    def withdraw(self, marks: Sequence[str], now: datetime, position: Mapping[str, Any]) -> int:
        """Take it that rows are gone from the source; give the number of events made."""
        return self._write([gone(mark, self._known(mark)) for mark in marks], now, position, silently=False)

    def last_values(self, mark: str) -> Mapping[str, str] | None:
        """Give what was last said of a row."""
        return self._known(mark).values

    def _known(self, mark: str) -> Known:
        found = self._log.known(self._watched.resource, mark)
        if found is None:
            return Known("", None)
        digest, sealed = found
        if not sealed:
            return Known(digest, None)
        opened: dict[str, str] = json.loads(self._keys.secret.open(_STATE, sealed, f"{self._watched.resource}:{mark}"))
        return Known(digest, opened)

    def _write(self, steps: Sequence[Step], now: datetime, position: Mapping[str, Any], *, silently: bool) -> int:
        resource = self._watched.resource
        stay = [(one.mark, one.digest, self._seal(one)) for one in steps if one.digest]
        agreements = {} if silently or not steps else agreements_by_consumer(self._shelf(), resource, now)
        told = {consumer: tell(agreement, steps) for consumer, agreement in agreements.items()}
        if self._log.position(resource) == position and not steps:
            return 0
        made = 0
        with self._log.writing():
            for consumer, agreement in agreements.items():
                if told[consumer]:
                    self._publish(agreement, told[consumer], now)
                    made += len(told[consumer])
            self._log.remember(resource, stay)
            self._log.forget(resource, [one.mark for one in steps if not one.digest])
            self._log.mend(resource, [one.mark for one in steps], now)
            self._log.quarantine(
                resource,
                [
                    (one.mark, one.fault.reason, one.fault.element, one.fault.column)
                    for one in steps
                    if one.fault is not None
                ],
                now,
            )
            self._log.set_position(resource, dict(position))
        return made

    def _seal(self, step: Step) -> str:
        if step.after is None:
            return ""
        text = json.dumps(dict(step.after), ensure_ascii=False)
        return self._keys.secret.seal(_STATE, text, f"{self._watched.resource}:{step.mark}")

    def _publish(self, agreement: Agreement, told: Sequence[Told], now: datetime) -> None:
        resource, consumer = agreement.resource, agreement.consumer
        epoch, last, previous = self._log.open_stream(resource, consumer)
        recipient = self._recipient(agreement.grant_signer, now)
        batches = [
            self._batch(
                agreement,
                told[start : start + LARGEST_BATCH],
                epoch=epoch,
                previous=previous if last + start == 0 else "",
                first=last + 1 + start,
                recipient=recipient,
                now=now,
            )
            for start in range(0, len(told), LARGEST_BATCH)
        ]
        self._log.append(resource, consumer, epoch, batches, now)

    def _batch(
        self,
        agreement: Agreement,
        told: Sequence[Told],
        *,
        epoch: str,
        previous: str,
        first: int,
        recipient: PublicKey,
        now: datetime,
    ) -> StoredBatch:
        content_key = secrets.token_bytes(suite(recipient.suite).key_bytes)
        time = utc_text(to_the_second(now))
        texts = [
            write_event(self._head(agreement, one, epoch, first + at, time), one.values, content_key, recipient.suite)
            for at, one in enumerate(told)
        ]
        batch = EventBatch(
            provider=agreement.provider,
            consumer=agreement.consumer,
            resource=agreement.resource,
            epoch=epoch,
            previous=previous,
            first=first,
            digests=tuple(sm3(text.encode()).hex() for text in texts),
            agreement_id=agreement.agreement_id,
            agreement_version=agreement.version,
            made_at=to_the_second(now),
            key=seal_key(content_key, recipient, epoch, first),
        )
        envelope = sign_envelope(EVENT_BATCH, batch.to_payload(), self._keys.signer)
        return StoredBatch(
            first=first,
            last=batch.last,
            agreement_id=agreement.agreement_id,
            agreement_version=agreement.version,
            terms=Terms(agreement.fields, agreement.rows).write(),
            envelope=envelope.to_json(),
            events=json.dumps(texts),
        )

    def _head(self, agreement: Agreement, told: Told, epoch: str, sequence: int, time: str) -> EventHead:
        return EventHead(
            event_id=event_id(epoch, sequence),
            provider=agreement.provider,
            resource=agreement.resource,
            type=self._watched.type_of(told.change),
            change=told.change,
            subject=self._pseudonym(agreement.consumer, SUBJECT, told.person),
            time=time,
            sequence=sequence,
            row=self._pseudonym(agreement.consumer, "event_row", told.mark),
        )

    def _pseudonym(self, consumer: str, what: str, text: str) -> str:
        """Name a person or row for one subscriber: two subscribers can't find out that they speak of the same."""
        return self._keys.secret.blind_index(f"event:{consumer}:{what}", text)

    def _recipient(self, holder: str, now: datetime) -> PublicKey:
        usable = [
            key
            for key in self._keys.trusted.of_holder(holder)
            if (key.revoked_at is None or key.revoked_at > now)
            and (key.valid_from is None or key.valid_from <= now)
            and (key.valid_to is None or key.valid_to >= now)
        ]
        if not usable:
            raise NoRecipientKeyError(holder)
        # The department's own suite if the subscriber has it, and of several keys the newest.
        return max(
            usable,
            key=lambda key: (key.suite == self._keys.signer.suite, key.valid_from is not None, str(key.valid_from)),
        )


def seal_key(content_key: bytes, recipient: PublicKey, epoch: str, first: int) -> str:
    """Seal a batch's content key to its subscriber, bound to its place."""
    return seal_for(recipient, content_key, key_place(epoch, first)).hex()


def key_place(epoch: str, first: int) -> bytes:
    """Give what a batch's content key is bound to."""
    return canonical_json(["event_batch", epoch, first])
