"""Identity numbers, one at a time: parsed once at the border, 18 characters inside.

Kinds: citizens (GB 11643, with the 15-digit form of before 1999), residents of Hong Kong, Macao and Taiwan with a
residence permit (81, 82, 83 followed by 0000), foreigners with permanent residence (new 18-character and old
15-character number). The six digits of the region don't have to stand in any table: a retiree's may be abolished.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from huodang.standards.identity_faults import IdentityError, IdentityFault, identity_error
from huodang.standards.text import to_half_width

# Source: GB 11643 (weights and check characters as in its published table).
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
# Sequence numbers that the 15-digit form kept for people who had reached a hundred: born in the 1800s.
CENTENARIAN_SEQUENCES = range(996, 1000)
# The old permanent residence card was issued from 2004 to 2023: a later pair of digits can only be 19xx.
_OLD_CARD_LAST_YEAR = 23

_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
_FIFTEEN = re.compile(r"[0-9]{15}")
_OLD_CARD = re.compile(r"[A-Z]{3}[0-9]{12}")
_SPREADSHEET = re.compile(r"[=+@'\"].*|[0-9]+(\.[0-9]*)?E[+-]?[0-9]+|[0-9]+\.[0-9]*", re.DOTALL)


class IdentityKind(StrEnum):
    """Whose number it is."""

    CITIZEN = "citizen"
    RESIDENCE_PERMIT = "residence_permit"
    PERMANENT_RESIDENT = "permanent_resident"
    OLD_PERMANENT_RESIDENT = "old_permanent_resident"


@dataclass(frozen=True, order=True)
class IdentityNumber:
    """A checked identity number. Its text is personal data: `repr` shows none of it.

    Make one with `IdentityNumber.parse`, which is the only way that checks.
    """

    text: str

    @classmethod
    def parse(cls, text: str, on: date | None = None) -> "IdentityNumber":
        """Normalise and check a number: full width, lower case, white space around it, 15 digits.

        Args:
            text: As written by people or departments.
            on: The day of the check; a birth date after it is refused. None checks the calendar only.

        Raises:
            IdentityError: its code names what failed.

        Source: GB 11643.
        """
        normal, fault = normalise(text, on)
        if fault is not IdentityFault.VALID:
            raise identity_error(fault)
        return cls(normal)

    @property
    def kind(self) -> IdentityKind:
        """Tell whose number it is."""
        if len(self.text) == 15:
            return IdentityKind.OLD_PERMANENT_RESIDENT
        if self.text[0] == "9":
            return IdentityKind.PERMANENT_RESIDENT
        if self.text[:6] in {"810000", "820000", "830000"}:
            return IdentityKind.RESIDENCE_PERMIT
        return IdentityKind.CITIZEN

    @property
    def region_code(self) -> str:
        """Give the six digits of the region where the number was made; empty for foreigners' cards."""
        return self.text[:6] if self.kind in {IdentityKind.CITIZEN, IdentityKind.RESIDENCE_PERMIT} else ""

    @property
    def birth_date(self) -> date:
        """Give the birth date that the number tells, which isn't proof of it."""
        if self.kind is IdentityKind.OLD_PERMANENT_RESIDENT:
            return _date("19" + self.text[7:13])
        return _date(self.text[6:14])

    @property
    def sex(self) -> str:
        """Give the sex by GB/T 2261.1: 1 male, 2 female, 0 where the number doesn't tell."""
        if self.kind is IdentityKind.OLD_PERMANENT_RESIDENT:
            return "0"
        return "1" if int(self.text[16]) % 2 else "2"

    @property
    def fifteen(self) -> str | None:
        """Give the 15-digit form that older papers may carry; None where there can't be one."""
        if self.kind is not IdentityKind.CITIZEN:
            return None
        # What `extend` would make of it is this number if the century is the one it would put in.
        century = "18" if int(self.text[14:17]) in CENTENARIAN_SEQUENCES else "19"
        return self.text[:6] + self.text[8:17] if self.text[6:8] == century else None

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<IdentityNumber {self.kind.value}>"


def check_character(seventeen: str) -> str:
    """Compute the last character from the 17 digits before it.

    Source: GB 11643 (ISO 7064 MOD 11-2).
    """
    return CHECK_CHARACTERS[
        sum(int(digit) * weight for digit, weight in zip(seventeen, WEIGHTS, strict=True)) % len(CHECK_CHARACTERS)
    ]


def extend(fifteen: str) -> str:
    """Turn the 15-digit form into 18 characters.

    Source: GB 11643: 19 after the first six digits, 18 for the sequence numbers 996 to 999; then the check character.
    """
    century = "18" if int(fifteen[12:]) in CENTENARIAN_SEQUENCES else "19"
    seventeen = fifteen[:6] + century + fifteen[6:]
    return seventeen + check_character(seventeen)


def identity_fault(text: str, on: date | None = None) -> IdentityFault:
    """Check one number without raising: the scalar twin of `check_identity_numbers`."""
    return normalise(text, on)[1]


def normalise(text: str, on: date | None = None) -> tuple[str, IdentityFault]:
    """Give the number in its one written form, and what is wrong with it."""
    normal = to_half_width(text).strip().upper()
    if not normal:
        return "", IdentityFault.EMPTY
    if _SPREADSHEET.fullmatch(normal):
        return normal, IdentityFault.SPREADSHEET
    if len(normal) not in {15, 18}:
        return normal, IdentityFault.LENGTH
    if len(normal) == 15 and _OLD_CARD.fullmatch(normal):
        return normal, _old_card_fault(normal, on)
    if not (_EIGHTEEN if len(normal) == 18 else _FIFTEEN).fullmatch(normal):
        return normal, IdentityFault.CHARACTERS
    if len(normal) == 15:
        normal = extend(normal)
    fault = _birth_fault(normal[6:14], on)
    if fault is IdentityFault.VALID and check_character(normal[:17]) != normal[17]:
        fault = IdentityFault.CHECK_DIGIT
    return normal, fault


def _old_card_fault(normal: str, on: date | None) -> IdentityFault:
    # Three letters of nationality, four digits of region, YYMMDD, two more digits. How the last one is computed
    # isn't public knowledge that we could verify, so it isn't checked.
    if int(normal[7:9]) <= _OLD_CARD_LAST_YEAR:
        return IdentityFault.CENTURY
    return _birth_fault("19" + normal[7:13], on)


def _birth_fault(digits: str, on: date | None) -> IdentityFault:
    try:
        born = _date(digits)
    except ValueError:
        return IdentityFault.BIRTH_DATE
    if born.year < 1800:
        return IdentityFault.BIRTH_DATE
    return IdentityFault.BIRTH_FUTURE if on is not None and born > on else IdentityFault.VALID


def _date(digits: str) -> date:
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))


__all__ = [
    "IdentityError",
    "IdentityFault",
    "IdentityKind",
    "IdentityNumber",
    "check_character",
    "extend",
    "identity_fault",
    "normalise",
]
