"""What things are called: errors, months, money, identity numbers, names, data elements, code tables, working days.

The ground floor: it imports no other room. Everything that other rooms may use is exported here.
"""

from huodang.standards.code_tables import CodeTable, UnknownCode, UnknownCodeTable, code_table, code_tables
from huodang.standards.elements import DataElement, UnknownElement, element, elements
from huodang.standards.errors import NOWHERE, BadValue, HuodangError, Language, Place
from huodang.standards.identity import IdentityKind, IdentityNumber, identity_fault
from huodang.standards.identity_faults import IdentityError, IdentityFault, identity_error
from huodang.standards.money import Money, MoneyError
from huodang.standards.month import Month, MonthError
from huodang.standards.names import NameError_, PersonName, same_name
from huodang.standards.text import AmbiguousTextError, TextEncoding, TextError, decode_text, to_half_width

__all__ = [
    "NOWHERE",
    "AmbiguousTextError",
    "BadValue",
    "CodeTable",
    "DataElement",
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
    "TextEncoding",
    "TextError",
    "UnknownCode",
    "UnknownCodeTable",
    "UnknownElement",
    "code_table",
    "code_tables",
    "decode_text",
    "element",
    "elements",
    "identity_error",
    "identity_fault",
    "same_name",
    "to_half_width",
]
