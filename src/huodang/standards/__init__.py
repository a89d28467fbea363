"""What things are called: errors, months, money, identity numbers, names, data elements, code tables, working days.

The ground floor: it imports no other room. Everything that other rooms may use is exported here.
"""

from huodang.standards.code_tables import CodeTable, UnknownCode, UnknownCodeTable, code_table, code_tables
from huodang.standards.crosswalks import (
    Crosswalk,
    CrosswalkInvalid,
    CrosswalkMissing,
    crosswalk,
    crosswalk_names,
    load_crosswalk,
)
from huodang.standards.elements import DataElement, UnknownElement, element, elements
from huodang.standards.errors import NOWHERE, BadValue, HuodangError, Language, Place
from huodang.standards.identity import IdentityKind, IdentityNumber, check_character, identity_fault
from huodang.standards.identity_columns import check_identity_numbers
from huodang.standards.identity_faults import IdentityError, IdentityFault, identity_error
from huodang.standards.money import Money, MoneyError
from huodang.standards.month import Month, MonthError
from huodang.standards.names import NameError_, PersonName, same_name
from huodang.standards.regions import Region, UnknownRegion, current_region, is_region_known, region, region_history
from huodang.standards.text import AmbiguousTextError, TextEncoding, TextError, decode_text, to_half_width
from huodang.standards.working_days import (
    Deadline,
    add_working_days,
    is_calendar_published,
    is_working_day,
    working_days_between,
)

__all__ = [
    "NOWHERE",
    "AmbiguousTextError",
    "BadValue",
    "CodeTable",
    "Crosswalk",
    "CrosswalkInvalid",
    "CrosswalkMissing",
    "DataElement",
    "Deadline",
    "HuodangError",
    "IdentityError",
    "IdentityFault",
    "IdentityKind",
    "IdentityNumber",
    "Language",
    "Money",
    "MoneyError",
    "Month",
    "MonthError",
    "NameError_",
    "PersonName",
    "Place",
    "Region",
    "TextEncoding",
    "TextError",
    "UnknownCode",
    "UnknownCodeTable",
    "UnknownElement",
    "UnknownRegion",
    "add_working_days",
    "check_character",
    "check_identity_numbers",
    "code_table",
    "code_tables",
    "crosswalk",
    "crosswalk_names",
    "current_region",
    "decode_text",
    "element",
    "elements",
    "identity_error",
    "identity_fault",
    "is_calendar_published",
    "is_region_known",
    "is_working_day",
    "load_crosswalk",
    "region",
    "region_history",
    "same_name",
    "to_half_width",
    "working_days_between",
]
