"""The watch (监测): who is paid, arriving events, what they missed, and what the lag costs.

`Payees` answers at once whether a person is paid anywhere; `PayeeDesk` does so for people, decided and recorded.
`Watch` takes the departments' events. `lag` tells what each department's delay took and cost; `Confirmation` compares a
full check with the events; `estimate` tells how many no register saw.
"""

from huodang.supervision.watch.chapman import TwoListEstimate, TwoLists, chapman
from huodang.supervision.watch.confirmation import REASONS, WATCHED, Confirmation, ConfirmedLine
from huodang.supervision.watch.errors import (
    CaptureError,
    LateListError,
    ListBusyError,
    ListError,
    NotPermittedToLookError,
    RunError,
    WatchError,
)
from huodang.supervision.watch.estimates import Captures, Estimate, PairEstimate, estimate
from huodang.supervision.watch.estimates import label as register_label
from huodang.supervision.watch.lag import lag
from huodang.supervision.watch.lag_report import department_label, lag_report_html, lag_table_html, lag_workbook
from huodang.supervision.watch.loglinear import Model, ThreeListEstimate, three_lists
from huodang.supervision.watch.look_up import PaidRow, PayeeAnswer, PayeeDesk
from huodang.supervision.watch.payee_lines import PayLine
from huodang.supervision.watch.payee_loading import Loaded
from huodang.supervision.watch.payee_source import MonthList, month_list
from huodang.supervision.watch.payees import PaidSpan, Payee, Payees
from huodang.supervision.watch.run_captures import captures_of_runs, register_of
from huodang.supervision.watch.spans import SPAN_LABELS, Days, LagLine, Span, Way, overpaid_months, shares
from huodang.supervision.watch.terms import Payday, default_payday
from huodang.supervision.watch.watch import Parts, Watch

__all__ = [
    "REASONS",
    "SPAN_LABELS",
    "WATCHED",
    "CaptureError",
    "Captures",
    "Confirmation",
    "ConfirmedLine",
    "Days",
    "Estimate",
    "LagLine",
    "LateListError",
    "ListBusyError",
    "ListError",
    "Loaded",
    "Model",
    "MonthList",
    "NotPermittedToLookError",
    "PaidRow",
    "PaidSpan",
    "PairEstimate",
    "Parts",
    "PayLine",
    "Payday",
    "Payee",
    "PayeeAnswer",
    "PayeeDesk",
    "Payees",
    "RunError",
    "Span",
    "ThreeListEstimate",
    "TwoListEstimate",
    "TwoLists",
    "Watch",
    "WatchError",
    "Way",
    "captures_of_runs",
    "chapman",
    "default_payday",
    "department_label",
    "estimate",
    "lag",
    "lag_report_html",
    "lag_table_html",
    "lag_workbook",
    "month_list",
    "overpaid_months",
    "register_label",
    "register_of",
    "shares",
    "three_lists",
]
