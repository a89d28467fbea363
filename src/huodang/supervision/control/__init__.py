"""Payment control (发放控制): hold, stop, resume, arbitration, back pay, notices, and the gate of the monthly list.

`Paylists` stands in `huodang.supervision.control.paylists`: it alone needs the engine that reads ten million rows.
"""

from huodang.supervision.control.errors import (
    ControlError,
    ControlGuardError,
    ControlNotPermittedError,
    IllegalControlEventError,
    NoticeTemplateError,
    PaylistError,
    SamePersonError,
    StalePaylistError,
    UnjudgedHoldsError,
    UnknownControlError,
)
from huodang.supervision.control.grounds import Basis, Ended, Ground, lawful_stop
from huodang.supervision.control.holding import PaymentControl, PaymentView
from huodang.supervision.control.notices import Notice, Notices, letter, read_templates, templates
from huodang.supervision.control.states import CONTROL, ControlEvent, ControlState

__all__ = [
    "CONTROL",
    "Basis",
    "ControlError",
    "ControlEvent",
    "ControlGuardError",
    "ControlNotPermittedError",
    "ControlState",
    "Ended",
    "Ground",
    "IllegalControlEventError",
    "Notice",
    "NoticeTemplateError",
    "Notices",
    "PaylistError",
    "PaymentControl",
    "PaymentView",
    "SamePersonError",
    "StalePaylistError",
    "UnjudgedHoldsError",
    "UnknownControlError",
    "lawful_stop",
    "letter",
    "read_templates",
    "templates",
]
