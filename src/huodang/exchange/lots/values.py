"""What walks between gateway and hub in a lot, and what a lot is at the hub. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from huodang.exchange.quality import QualityReport, StandardRow
from huodang.exchange.values import Identifier, Instant, Message, Reference, ResourceName, Token

LOT_REQUEST: Final = "lot_request"
LOT_OFFER: Final = "lot_offer"
LOT_STATEMENT: Final = "lot_statement"
LOT_RECONCILIATION: Final = "lot_reconciliation"

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
MaybeDigest = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?\Z")]
Bucket = Annotated[int, msgspec.Meta(ge=0, le=255)]
BucketName = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{2}\Z")]
Buckets = Annotated[dict[BucketName, Digest], msgspec.Meta(max_length=256)]
Counts = Annotated[dict[Annotated[str, msgspec.Meta(max_length=400)], Count], msgspec.Meta(max_length=2000)]
Warnings = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=400)], ...], msgspec.Meta(max_length=100)]
Mode = Literal["table", "file"]
Content = Literal["changes", "full"]


class LotState(StrEnum):
    """Where a lot stands at the hub."""

    OPEN = "open"  # 接收中
    TAKEN = "taken"  # 已入库，对账一致，待提供方确认
    CLOSED = "closed"  # 双方已确认
    REFUSED = "refused"  # 对账不一致或内容不符，整批未入库
    ABANDONED = "abandoned"  # 已放弃


class LotStatement(Message, frozen=True, kw_only=True):
    """What a provider says it has delivered (交付声明), signed by it.

    Attributes:
        lot: the lot's name at the provider.
        sent: changes sent: rows put and removed.
        rows: rows of the whole copy after the lot; None where the provider sends a file and doesn't say.
        late: rows that came after a later one had been delivered.
        quarantined: rows that the provider's own gateway kept back.
        pages: number of pages.
        buckets: hash of every bucket that isn't empty; empty where the provider makes no hashes.
        root: over all buckets; empty as well.
        as_of: when the snapshot was taken.
        quality: counts of the quality report.
        warnings: what the provider's steward should look at; codes and column names.
    """

    lot: Token
    resource: ResourceName
    agreement_id: Token
    agreement_version: int
    provider: Identifier
    sent: Count
    pages: Count
    as_of: Instant
    rows: Count | None = None
    inserted: Count = 0
    updated: Count = 0
    deleted: Count = 0
    late: Count = 0
    quarantined: Count = 0
    buckets: Buckets = {}
    root: MaybeDigest = ""
    quality: Annotated[dict[Identifier, Count | Counts], msgspec.Meta(max_length=20)] = {}
    warnings: Warnings = ()


class Reconciliation(Message, frozen=True, kw_only=True):
    """The two-sided proof (对账): what both sides hold after a lot, signed by the hub and cosigned by the provider.

    Attributes:
        lot: the lot's name at the hub.
        statement: digest of the provider's statement.
        equal: nothing differs.
        differing: the buckets that differ.
        provider_root, hub_root: over the buckets of either side; the provider's is empty where it makes no hashes.
    """

    lot: Token
    statement: MaybeDigest
    resource: ResourceName
    agreement_id: Token
    agreement_version: int
    provider: Identifier
    equal: bool
    provider_rows: Count | None
    hub_rows: Count
    provider_root: MaybeDigest
    hub_root: Digest
    inserted: Count
    updated: Count
    deleted: Count
    late: Count
    quarantined: Count
    as_of: Instant
    made_at: Instant
    differing: Annotated[tuple[Bucket, ...], msgspec.Meta(max_length=256)] = ()


class LotRequest(Message, frozen=True, kw_only=True):
    """One step of a lot that the hub asks a gateway for, signed by it.

    Attributes:
        step: what is asked.
        lot: the lot's name at the gateway; empty to open one.
        page: number of the page, from 0.
        salt: of marks and digests, hexadecimal; to open.
        buckets: what the hub holds; to open.
    """

    step: Literal["open", "look", "page", "close"]
    agreement_id: Token
    issued_at: Instant
    lot: Reference = ""
    page: Count = 0
    salt: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32})?\Z")] = ""
    buckets: Buckets = {}


class LotOffer(Message, frozen=True, kw_only=True):
    """What a gateway has to hand over (批次清单), signed by it.

    Attributes:
        replaces: buckets that are sent whole, as the two sides differed there.
        pages: SHA-256 of every page, in their order.
        elements: what rows may hold.
    """

    lot: Token
    resource: ResourceName
    agreement_id: Token
    agreement_version: int
    provider: Identifier
    pages: Annotated[tuple[Digest, ...], msgspec.Meta(max_length=200_000)]
    elements: Annotated[tuple[Identifier, ...], msgspec.Meta(max_length=64)]
    as_of: Instant
    replaces: Annotated[tuple[Bucket, ...], msgspec.Meta(max_length=256)] = ()


@dataclass(frozen=True, slots=True)
class Put:
    """A row as it arrives from a gateway.

    Attributes:
        subject: identity number of the person, empty if the row names none.
    """

    mark: str
    content: bytes
    digest: bytes
    subject: str


@dataclass(frozen=True, slots=True)
class Removal:
    """A row that the provider no longer has."""

    mark: str


Change = StandardRow | Put | Removal


@dataclass(frozen=True)
class Staged:
    """What a page changed.

    Attributes:
        twins: rows of the page whose key the lot had named before; neither they nor the first are taken.
    """

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    twins: tuple[StandardRow | Put, ...] = ()


@dataclass(frozen=True)
class Lot:
    """One delivery as the hub keeps it. Holds no personal data.

    Attributes:
        content: `changes` since the last lot, or the `full` copy.
        replaces: buckets that the lot replaces whole.
        source: where it came from, such as the gateway or a manifest's digest.
        remote: the lot's name at the gateway.
        rows: of the copy after the lot.
        reason: why it wasn't taken.
    """

    lot_id: str
    resource: str
    provider: str
    agreement_id: str
    agreement_version: int
    holding: int
    generation: int
    mode: str
    content: str
    replaces: tuple[int, ...]
    source: str
    remote: str
    state: LotState
    opened_at: datetime
    ended_at: datetime | None = None
    as_of: datetime | None = None
    rows: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    late: int = 0
    quarantined: int = 0
    root: str = ""
    reason: str = ""
    quality: QualityReport | None = None
    statement: str = ""
    reconciliation: str = ""
    entry_id: str = ""


@dataclass(frozen=True)
class Holding:
    """The up-to-date copy (持有副本) of a resource under an agreement.

    Attributes:
        lot_id: the lot that brought it to where it is; empty if none has been taken yet.
        root: over all rows, equal on both sides.
    """

    number: int
    resource: str
    provider: str
    agreement_id: str
    rows: int
    root: str
    lot_id: str
    open_lot: str
    as_of: datetime | None
    taken_at: datetime | None
    buckets: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FaultCount:
    """How many rows of a lot were kept back for one reason."""

    reason: str
    element: str
    column: str
    rows: int
    chinese: str
    english: str


@dataclass(frozen=True)
class Delivery:
    """One version of a row that was delivered; of an ended one only key and digest are left."""

    lot_id: str
    resource: str
    agreement_id: str
    key_index: str
    subject_index: str
    digest: str
    delivered_at: datetime
    ended_by: str
    recalled_at: datetime | None
