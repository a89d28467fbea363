"""Values of the rooms as JSON can hold them: money in fen, months as YYYYMM, instants in UTC, labels as they are."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any, Final

from huodang.standards import IdentityNumber, Money, Month, PersonName
from huodang.store import utc_text

# Most values are one of these; looked up first, as a case holds some hundreds.
_PLAIN: Final = frozenset({str, int, bool})


@cache
def _field_names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def plain(value: object) -> Any:  # noqa: ANN401  # whatever JSON can hold
    """Turn a value of any room into what JSON can hold.

    Raises:
        TypeError: no rule says how; better an error in a test than a representation nobody agreed on.
    """
    if value is None or type(value) in _PLAIN:
        return value
    result: Any
    match value:
        case Enum():
            result = value.value
        case None | bool() | int() | str():
            result = value
        case Money():
            result = value.fen
        case Month() | Decimal() | Fraction():
            result = str(value)
        case IdentityNumber() | PersonName():
            result = value.text
        case datetime():
            result = utc_text(value)
        case date():
            result = value.isoformat()
        case Mapping():
            result = {str(plain(key)): plain(one) for key, one in value.items()}
        case list() | tuple():
            result = [plain(one) for one in value]
        case set() | frozenset():
            result = sorted(plain(one) for one in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            result = {name: plain(getattr(value, name)) for name in _field_names(type(value))}
        case _:
            raise TypeError(f"no plain form of {type(value).__qualname__}")
    return result
