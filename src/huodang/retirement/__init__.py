"""The joint case (退休一件事): one application, data instead of papers, two reviews, the first payment.

Front door: `RetirementOffice` for what people do and for the jobs that do the rest; `ApplicationForm` for the form;
`TRANSITIONS`, `mermaid_text` and `diagram_svg` for the table that moves a case; `register` for the papers that were
asked for until now. The pure parts (`form`, `checks`, `determination`, `entitlement`, `clocks`, `materials`) know no
database.
"""

from huodang.retirement.case_view import (
    CaseReceipt,
    CaseView,
    CheckView,
    ClockView,
    EventChoice,
    HistoryView,
    ItemView,
    Label,
    MessageView,
    NoticeView,
    PartyDays,
    QueueRow,
    ReasonView,
)
from huodang.retirement.checks import CHECKS, CheckResult, CheckStatus
from huodang.retirement.clocks import terms
from huodang.retirement.desk import RetirementSettings
from huodang.retirement.determination import Branch, Circumstances, Determination, determine
from huodang.retirement.diagram import diagram_svg, mermaid_text
from huodang.retirement.due import DuePerson, DueUnansweredError
from huodang.retirement.entitlement import Proposal
from huodang.retirement.errors import (
    AnotherCaseError,
    FieldProblem,
    FormError,
    GuardError,
    IllegalEventError,
    NotAllowedError,
    RegisterError,
    RetirementError,
    UnknownCaseError,
)
from huodang.retirement.form import ApplicationForm
from huodang.retirement.intake import KnownValue, Prefill
from huodang.retirement.joint_items import ITEMS, ItemStatus
from huodang.retirement.materials import MaterialsList, NotBrought, Paper, register
from huodang.retirement.office import RetirementOffice
from huodang.retirement.reasons import Reason
from huodang.retirement.states import EVENT_LABELS, STATE_LABELS, Event, State
from huodang.retirement.transitions import TRANSITIONS, Transition

__all__ = [
    "CHECKS",
    "EVENT_LABELS",
    "ITEMS",
    "STATE_LABELS",
    "TRANSITIONS",
    "AnotherCaseError",
    "ApplicationForm",
    "Branch",
    "CaseReceipt",
    "CaseView",
    "CheckResult",
    "CheckStatus",
    "CheckView",
    "Circumstances",
    "ClockView",
    "Determination",
    "DuePerson",
    "DueUnansweredError",
    "Event",
    "EventChoice",
    "FieldProblem",
    "FormError",
    "GuardError",
    "HistoryView",
    "IllegalEventError",
    "ItemStatus",
    "ItemView",
    "KnownValue",
    "Label",
    "MaterialsList",
    "MessageView",
    "NotAllowedError",
    "NotBrought",
    "NoticeView",
    "Paper",
    "PartyDays",
    "Prefill",
    "Proposal",
    "QueueRow",
    "Reason",
    "ReasonView",
    "RegisterError",
    "RetirementError",
    "RetirementOffice",
    "RetirementSettings",
    "State",
    "Transition",
    "UnknownCaseError",
    "determine",
    "diagram_svg",
    "mermaid_text",
    "register",
    "terms",
]
