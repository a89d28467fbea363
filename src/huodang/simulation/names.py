"""Made-up names as a register of people over forty holds them.

Common ones, minority names with a middle dot, characters beyond the Basic Multilingual Plane (`data/names.yaml`).
"""

from collections.abc import Sequence

import numpy as np

from huodang.simulation.data_files import data_mapping, words

_DOTTED, _COMPOUND, _RARE, _OTHER_NATIONALITY = 0.012, 0.005, 0.008, 0.043  # shares of names


def _pick(generator: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(generator.integers(len(choices)))]


def make_name(generator: np.random.Generator, sex: str) -> tuple[str, str]:
    """Make one name and the nationality code that goes with it.

    Args:
        generator: the one source of chance.
        sex: "1" or "2" (GB/T 2261.1).

    Returns:
        The name as it is written, and a code of GB/T 3304.
    """
    parts = data_mapping("names.yaml")
    given = "male" if sex == "1" else "female"
    if generator.random() < _DOTTED:
        nationality = _pick(generator, tuple(parts["minorities"]))
        own = parts["minorities"][nationality]
        return f"{_pick(generator, words(own[given]))}·{_pick(generator, words(own['fathers']))}", nationality
    surnames = parts["surnames"]
    # Common surnames come first in the list: a squared draw makes them common here too.
    surname = surnames[int(len(surnames) * generator.random() ** 2)]
    if generator.random() < _COMPOUND:
        surname = _pick(generator, words(parts["compound_surnames"]))
    name = _pick(generator, words(parts["rare_characters" if generator.random() < _RARE else given]))
    is_other = generator.random() < _OTHER_NATIONALITY
    return surname + name, _pick(generator, words(parts["without_dot"])) if is_other else "01"


def renamed(generator: np.random.Generator, name: str) -> str:
    """Give the same person another given name: the surname, or the father's name behind the dot, stays."""
    parts = data_mapping("names.yaml")
    father = name.partition("·")[2]
    if father:
        others = [
            f"{given}·{father}"
            for own in parts["minorities"].values()
            if father in words(own["fathers"])
            for given in words(own["other"])
        ]
    else:
        surname = name[:2] if name[:2] in words(parts["compound_surnames"]) else name[0]
        others = [surname + given for given in (*words(parts["male"]), *words(parts["female"]))]
    return _pick(generator, [other for other in others if other != name])
