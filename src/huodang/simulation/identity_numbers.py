"""Made-up identity numbers with a right check digit, for regions in force and regions abolished long ago."""

from datetime import date
from typing import Final

import numpy as np

from huodang.simulation.data_files import data_mapping, words

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK: Final = "10X98765432"


def counties(*, abolished: bool = False) -> tuple[str, ...]:
    """Give codes of counties in Hebei, those in force or those abolished long ago."""
    return words(data_mapping("places.yaml")["abolished" if abolished else "counties"])


def county_of(province: str) -> str:
    """Give the code of one county of a province."""
    return str(data_mapping("places.yaml")["county_of_province"][province])


def check_character(first_seventeen: str) -> str:
    """Compute the eighteenth character.

    Source: GB 11643, ISO 7064 MOD 11-2.
    """
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True)) % 11]


class NumberMaker:
    """Hands out identity numbers, never the same twice."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._used: set[str] = set()

    def make(self, region_code: str, born: date, sex: str) -> str:
        """Make a number of eighteen characters.

        Args:
            region_code: six digits, in force or abolished.
            born: birth date as the register holds it.
            sex: "1" or "2"; odd sequence numbers are men's.
        """
        while True:
            sequence = int(self._generator.integers(0, 400)) * 2 + (1 if sex == "1" else 2)
            first = f"{region_code}{born:%Y%m%d}{sequence:03d}"
            number = first + check_character(first)
            if number not in self._used:
                self._used.add(number)
                return number


def fifteen_digits(number: str) -> str:
    """Write a number the way it was written before 1999: without century and check character."""
    return number[:6] + number[8:17]
