"""The working process of sharing (供需对接, 校核纠错): demands and their agreements' life, corrections, row filters.

A steward raises a demand with `SharingDesk.raise_demand`; every later step is an event of one transition table, `act`.
Whoever used a value that seems wrong marks it with `Corrections.raise_correction`; every copy delivered is told of what
comes of it. `readable` says what somebody may see of many rows, derived from the policies themselves.
"""

from huodang.exchange.sharing.acts import SHARING_ACT, ActDesk, SharingAct, TakenAct, seal_claim, write_act
from huodang.exchange.sharing.assembly import SharingServices, build_sharing
from huodang.exchange.sharing.claims import Announcement, CorrectionClaim, check_claim
from huodang.exchange.sharing.copies import BatchCopies, Copy, CopyKeeper, EventCopies, LotCopies, VerdictCopies
from huodang.exchange.sharing.correction_states import CORRECTION, CorrectionEvent, CorrectionState
from huodang.exchange.sharing.correction_views import CorrectionRow, CorrectionView
from huodang.exchange.sharing.corrections import Corrections
from huodang.exchange.sharing.demand_states import DEMAND, DemandEvent, DemandState
from huodang.exchange.sharing.demand_terms import FREQUENCY_LABELS, DemandTerms
from huodang.exchange.sharing.demand_views import DemandRow, DemandView
from huodang.exchange.sharing.doubts import Doubts
from huodang.exchange.sharing.errors import (
    CorrectionError,
    DemandError,
    IllegalSharingEventError,
    SharingError,
    SharingGuardError,
    SharingNotPermittedError,
    SharingTermsError,
    StaleActError,
    TermsDifferError,
    UnknownMatterError,
)
from huodang.exchange.sharing.filters import RowColumns, RowFacts, RowFilter, covers_row, readable
from huodang.exchange.sharing.gateway_post import GatewayPost
from huodang.exchange.sharing.matters import SYSTEM, Desk
from huodang.exchange.sharing.notices import CORRECTION_NOTICE, CorrectionNotice, NoticeBook, NoticeRow, open_notice
from huodang.exchange.sharing.process import SIDE_LABELS, Process, Side, Transition
from huodang.exchange.sharing.service import SharingDesk
from huodang.exchange.sharing.terms import LIGHT_LABELS, Light, SharingTerms, product_terms, read_terms
from huodang.exchange.sharing.views import EventChoice, HistoryLine, OverdueLine, Standing

__all__ = [
    "CORRECTION",
    "CORRECTION_NOTICE",
    "DEMAND",
    "FREQUENCY_LABELS",
    "LIGHT_LABELS",
    "SHARING_ACT",
    "SIDE_LABELS",
    "SYSTEM",
    "ActDesk",
    "Announcement",
    "BatchCopies",
    "Copy",
    "CopyKeeper",
    "CorrectionClaim",
    "CorrectionError",
    "CorrectionEvent",
    "CorrectionNotice",
    "CorrectionRow",
    "CorrectionState",
    "CorrectionView",
    "Corrections",
    "DemandError",
    "DemandEvent",
    "DemandRow",
    "DemandState",
    "DemandTerms",
    "DemandView",
    "Desk",
    "Doubts",
    "EventChoice",
    "EventCopies",
    "GatewayPost",
    "HistoryLine",
    "IllegalSharingEventError",
    "Light",
    "LotCopies",
    "NoticeBook",
    "NoticeRow",
    "OverdueLine",
    "Process",
    "RowColumns",
    "RowFacts",
    "RowFilter",
    "SharingAct",
    "SharingDesk",
    "SharingError",
    "SharingGuardError",
    "SharingNotPermittedError",
    "SharingServices",
    "SharingTerms",
    "SharingTermsError",
    "Side",
    "StaleActError",
    "Standing",
    "TakenAct",
    "TermsDifferError",
    "Transition",
    "UnknownMatterError",
    "VerdictCopies",
    "build_sharing",
    "check_claim",
    "covers_row",
    "open_notice",
    "product_terms",
    "read_terms",
    "readable",
    "seal_claim",
    "write_act",
]
