"""The exchange (数据共享): catalogue, agreements, grants, verdicts, decisions, looks, the gateway, the ferry.

A hub asks departments through `Exchange`: it finds the agreement, decides by policy, signs a grant, records grant and
look in the ledger, and only then asks. A department answers through its gateway (`build_gateway`), which checks it all
itself. What may be seen is decided by `decide`; who looked is told by `Looks`; the portal is reached over the `Ferry`.
"""

from huodang.exchange.agreements import (
    AGREEMENT_TRANSITIONS,
    AgreementEvent,
    AgreementRecord,
    Agreements,
    AgreementState,
    revoke_envelope,
)
from huodang.exchange.answers import Answer, AnswerRecord, Failure, FailureCode, PreparedGrant
from huodang.exchange.call_desk import CallDesk
from huodang.exchange.calls.batch_results import BatchResult
from huodang.exchange.calls.proofs import LineProof
from huodang.exchange.calls.rolls import Roll
from huodang.exchange.cascade.service import Cascade
from huodang.exchange.catalogue import (
    Catalogue,
    CatalogueEntry,
    CatalogueFormat,
    ImportPlan,
    MandatoryStanding,
    Publisher,
    Sharing,
    Wanted,
    joint_case_catalogue,
    product_catalogue,
    read_catalogue,
    write_catalogue,
)
from huodang.exchange.client import GatewayClient, GatewayDirectory, Patience
from huodang.exchange.decisions import (
    ROLES,
    Action,
    Actor,
    Decision,
    DecisionRequest,
    check_policies,
    decide,
    policy_ids,
)
from huodang.exchange.errors import (
    AgreementError,
    ExchangeError,
    FerryError,
    GatewayConfigError,
    MessageError,
    SourceError,
    TransitionError,
)
from huodang.exchange.events.intake import AlarmCode
from huodang.exchange.events.messages import Change
from huodang.exchange.events.office import AlarmRow, EventEvidence, EventOffice, EventRow, HeldRow, StreamRow
from huodang.exchange.events.steward import EventSteward
from huodang.exchange.events.subscriptions import Handle, ReceivedEvent, Subscriptions
from huodang.exchange.evidence import EvidenceEntry, evidence_of_case, verdict_counts
from huodang.exchange.ferry import Crossing, Ferry
from huodang.exchange.files import DropDesk, DropOutcome, DropSettings, FileDelivery
from huodang.exchange.gateway.application import build_gateway, gateway_application
from huodang.exchange.gateway.config import GatewayFile, read_gateway_file
from huodang.exchange.gateway.memory import LogLine
from huodang.exchange.gateway.parts import GatewayPart, build_parts
from huodang.exchange.gateway.service import Gateway
from huodang.exchange.gateway.steward import ShelvedAgreement, Steward
from huodang.exchange.looks import Look, LookEntry, Looks
from huodang.exchange.lots.errors import LotBusyError, LotContentError, LotError, LotStateError, UnknownLotError
from huodang.exchange.lots.freshness import Freshness, Light
from huodang.exchange.lots.office import LotOffice, LotRules
from huodang.exchange.lots.puller import Hub as LotHub
from huodang.exchange.lots.puller import LotPuller
from huodang.exchange.lots.service import Lots
from huodang.exchange.lots.steward import LotSteward
from huodang.exchange.lots.values import Holding, Lot, LotState, LotStatement, Put, Reconciliation, Removal, Staged
from huodang.exchange.questions import Question
from huodang.exchange.service import Exchange
from huodang.exchange.values import (
    AGREEMENT,
    AGREEMENT_REVOCATION,
    GRANT,
    IDEMPOTENCY_KEY,
    REFUSAL,
    VERDICT,
    Agreement,
    Grant,
    Kind,
    Outcome,
    Refusal,
    Revocation,
    Verdict,
)

__all__ = [
    "AGREEMENT",
    "AGREEMENT_REVOCATION",
    "AGREEMENT_TRANSITIONS",
    "GRANT",
    "IDEMPOTENCY_KEY",
    "REFUSAL",
    "ROLES",
    "VERDICT",
    "Action",
    "Actor",
    "Agreement",
    "AgreementError",
    "AgreementEvent",
    "AgreementRecord",
    "AgreementState",
    "Agreements",
    "AlarmCode",
    "AlarmRow",
    "Answer",
    "AnswerRecord",
    "BatchResult",
    "CallDesk",
    "Cascade",
    "Catalogue",
    "CatalogueEntry",
    "CatalogueFormat",
    "Change",
    "Crossing",
    "Decision",
    "DecisionRequest",
    "DropDesk",
    "DropOutcome",
    "DropSettings",
    "EventEvidence",
    "EventOffice",
    "EventRow",
    "EventSteward",
    "EvidenceEntry",
    "Exchange",
    "ExchangeError",
    "Failure",
    "FailureCode",
    "Ferry",
    "FerryError",
    "FileDelivery",
    "Freshness",
    "Gateway",
    "GatewayClient",
    "GatewayConfigError",
    "GatewayDirectory",
    "GatewayFile",
    "GatewayPart",
    "Grant",
    "Handle",
    "HeldRow",
    "Holding",
    "ImportPlan",
    "Kind",
    "Light",
    "LineProof",
    "LogLine",
    "Look",
    "LookEntry",
    "Looks",
    "Lot",
    "LotBusyError",
    "LotContentError",
    "LotError",
    "LotHub",
    "LotOffice",
    "LotPuller",
    "LotRules",
    "LotState",
    "LotStateError",
    "LotStatement",
    "LotSteward",
    "Lots",
    "MandatoryStanding",
    "MessageError",
    "Outcome",
    "Patience",
    "PreparedGrant",
    "Publisher",
    "Put",
    "Question",
    "ReceivedEvent",
    "Reconciliation",
    "Refusal",
    "Removal",
    "Revocation",
    "Roll",
    "Sharing",
    "ShelvedAgreement",
    "SourceError",
    "Staged",
    "Steward",
    "StreamRow",
    "Subscriptions",
    "TransitionError",
    "UnknownLotError",
    "Verdict",
    "Wanted",
    "build_gateway",
    "build_parts",
    "check_policies",
    "decide",
    "evidence_of_case",
    "gateway_application",
    "joint_case_catalogue",
    "policy_ids",
    "product_catalogue",
    "read_catalogue",
    "read_gateway_file",
    "revoke_envelope",
    "verdict_counts",
    "write_catalogue",
]
