"""What demands, agreements and corrections look like on the JSON API."""

from typing import Annotated, Any

import msgspec

from huodang.exchange import Agreement, AgreementState
from huodang.exchange.sharing import CorrectionRow, DemandRow, DemandTerms, NoticeRow, OverdueLine

Note = Annotated[str, msgspec.Meta(max_length=2000)]
Word = Annotated[str, msgspec.Meta(max_length=500)]


class DemandRaised(msgspec.Struct, forbid_unknown_fields=True):
    """A demand, with a note on why."""

    terms: DemandTerms
    note: Note = ""


class MatterEvent(msgspec.Struct, forbid_unknown_fields=True):
    """One event of the transition table; `may` of the matter tells which are open and what each needs in `data`."""

    event: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    note: Note = ""
    data: dict[str, Any] = {}


class ClaimRaised(msgspec.Struct, forbid_unknown_fields=True):
    """A value that was received and seems wrong; see docs/sharing.md."""

    resource: Word
    identity_number: Word
    element: Word
    believed: Word
    origin: Word
    reference: Word
    received: Word = ""
    evidence: Word = ""
    note: Note = ""


class AnnouncementRaised(msgspec.Struct, forbid_unknown_fields=True):
    """A provider's own correction of a value that it delivered."""

    resource: Word
    identity_number: Word
    element: Word
    received: Word
    corrected: Word
    in_force_from: Word
    evidence: Word = ""
    note: Note = ""


class RecallRaised(msgspec.Struct, forbid_unknown_fields=True):
    """A whole delivery that its provider recalls."""

    resource: Word
    origin: Word
    reference: Word
    reason: Note


class EnvelopeSent(msgspec.Struct, forbid_unknown_fields=True):
    """A signed envelope as text, just as the department's own tool wrote it."""

    envelope: Annotated[str, msgspec.Meta(max_length=200_000)]


class Demands(msgspec.Struct):
    """Demands, the newest first."""

    demands: list[DemandRow]


class Overdue(msgspec.Struct):
    """What is overdue, and whose turn it is."""

    overdue: list[OverdueLine]


class Corrections(msgspec.Struct):
    """Corrections, the newest first; they name nobody."""

    corrections: list[CorrectionRow]


class Notices(msgspec.Struct):
    """What one's department was told, the newest first."""

    notices: list[NoticeRow]


class AgreementShown(msgspec.Struct):
    """One version of an agreement."""

    agreement: Agreement
    state: AgreementState
    signed_by: list[str]


class Agreements(msgspec.Struct):
    """Agreements of departments that one may oversee."""

    agreements: list[AgreementShown]


class AgreementStep(msgspec.Struct):
    """One step in an agreement's life."""

    from_state: str
    event: str
    to_state: str
    by: str


class AgreementLife(msgspec.Struct):
    """Every version of an agreement, and what happened to them."""

    versions: list[AgreementShown]
    history: list[AgreementStep]


class MatterMoved(msgspec.Struct):
    """Where a matter stands after an event."""

    state: str
