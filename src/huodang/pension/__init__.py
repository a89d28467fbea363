"""The rules: retirement age, entitlement, amounts, stops, refunds.

Pure functions over dated parameters (`parameters/*.yaml`, each with validity, law, source and status), with a scalar
face in exact arithmetic and a vectorised one (`vectorised`) that gives the same fen. A parameter that isn't known is an
error that names it. Front door: `retirement_age`, `check_route`, `employee_pension`, `recompute`, `parameters`, and the
rules of stops, refunds, survivors, residents and schemes; `retirement_age_table` and `pension_table` work on CSV files.
"""

from huodang.pension import vectorised
from huodang.pension.ages import (
    Category,
    LawReference,
    RetirementAge,
    category_of,
    minimum_contribution_months,
    original_age_months,
    payout_months,
    retirement_age,
)
from huodang.pension.employee import (
    EmployeeFacts,
    PensionDecision,
    Recomputation,
    TraceLine,
    employee_pension,
    recompute,
)
from huodang.pension.errors import BadFacts, FactMissing, FiguresTooLarge, ParameterFileError, ParameterMissing
from huodang.pension.parameter_files import (
    Parameter,
    ProvinceParameters,
    Status,
    national,
    parameters,
    provinces,
    read_parameter_file,
)
from huodang.pension.payments import (
    Custody,
    PaymentAction,
    PaymentEffect,
    payment_effect_of_custody,
    payment_effect_of_death,
)
from huodang.pension.pension_table import pension_table
from huodang.pension.refunds import RefundLine, RefundMeans, RefundPlan, refund_plan
from huodang.pension.residents import ResidentsDecision, residents_pension
from huodang.pension.retirement_age_table import month_like, retirement_age_table
from huodang.pension.routes import Reason, Route, RouteDecision, SpecialTrade, check_route
from huodang.pension.schemes import (
    DuplicateBenefits,
    DuplicateRefund,
    EmployeeDuplicates,
    ResidentsPayment,
    Scheme,
    SchemeSwitch,
    duplicate_benefits,
    duplicate_contributions,
    duplicate_employee_benefits,
    switch_scheme,
)
from huodang.pension.service_years import ServiceSplit, credited_years, split_service
from huodang.pension.survivors import SurvivorGrants, funeral_and_survivor, survivor_grant_months
from huodang.pension.tables import ComputedTable, Table, TableError, read_table

__all__ = [
    "BadFacts",
    "Category",
    "ComputedTable",
    "Custody",
    "DuplicateBenefits",
    "DuplicateRefund",
    "EmployeeDuplicates",
    "EmployeeFacts",
    "FactMissing",
    "FiguresTooLarge",
    "LawReference",
    "Parameter",
    "ParameterFileError",
    "ParameterMissing",
    "PaymentAction",
    "PaymentEffect",
    "PensionDecision",
    "ProvinceParameters",
    "Reason",
    "Recomputation",
    "RefundLine",
    "RefundMeans",
    "RefundPlan",
    "ResidentsDecision",
    "ResidentsPayment",
    "RetirementAge",
    "Route",
    "RouteDecision",
    "Scheme",
    "SchemeSwitch",
    "ServiceSplit",
    "SpecialTrade",
    "Status",
    "SurvivorGrants",
    "Table",
    "TableError",
    "TraceLine",
    "category_of",
    "check_route",
    "credited_years",
    "duplicate_benefits",
    "duplicate_contributions",
    "duplicate_employee_benefits",
    "employee_pension",
    "funeral_and_survivor",
    "minimum_contribution_months",
    "month_like",
    "national",
    "original_age_months",
    "parameters",
    "payment_effect_of_custody",
    "payment_effect_of_death",
    "payout_months",
    "pension_table",
    "provinces",
    "read_parameter_file",
    "read_table",
    "recompute",
    "refund_plan",
    "residents_pension",
    "retirement_age",
    "retirement_age_table",
    "split_service",
    "survivor_grant_months",
    "switch_scheme",
    "vectorised",
]
