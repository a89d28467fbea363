"""The pension chain on OpenFisca-core: run by its own interpreter with arguments INPUT OUTPUT REPEATS.

INPUT holds the columns that ours takes; OUTPUT gets the total in fen. Prints JSON with the best times. The formulas are
as plain as they can be: figures of law stand in them as constants, so no time goes into looking parameters up.
"""

import json
import resource
import sys
import time

import numpy as np
from openfisca_core.entities import build_entity
from openfisca_core.periods import DateUnit
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

PERIOD = "2025-01"
Person = build_entity(key="person", plural="persons", label="A person", is_person=True)
FIRST_BIRTH = np.array([1965 * 12, 1970 * 12, 1975 * 12])
STEP, MOST, ORIGINAL = np.array([4, 4, 2]), np.array([36, 36, 60]), np.array([720, 660, 600])


def variable(name, value_type, formula=None):
    """Make a monthly variable of a person."""
    members = {"value_type": value_type, "entity": Person, "definition_period": DateUnit.MONTH, "label": name}
    if formula is not None:
        members["formula"] = formula
    return type(name, (Variable,), members)


def delay(person, period):
    category = person("category", period)
    elapsed = person("birth", period) - FIRST_BIRTH[category]
    return np.where(elapsed < 0, 0, np.minimum(elapsed // STEP[category] + 1, MOST[category]))


def age(person, period):
    return ORIGINAL[person("category", period)] + person("delay", period)


def retirement(person, period):
    return person("birth", period) + person("age", period)


def minimum_months(person, period):
    return np.clip(180 + 6 * (person("retirement", period) // 12 - 2029), 180, 240)


def payout_months(person, period):
    return PAYOUT[person("age", period)]


def wage(person, period):
    return person("base", period) * person("average_index", period)


def basic(person, period):
    both = person("base", period) + person("wage", period)
    return np.floor(both / 2 * person("years", period) * 0.01 * 100 + 0.5) / 100


def account_part(person, period):
    return np.floor(person("account", period) / person("payout_months", period) * 100 + 0.5) / 100


def transitional(person, period):
    return np.floor(person("wage", period) * person("years_before", period) * 0.013 * 100 + 0.5) / 100


def total(person, period):
    return person("basic", period) + person("account_part", period) + person("transitional", period)


def system():
    """Lay out the variables: inputs, retirement age, pension."""
    made = TaxBenefitSystem([Person])
    inputs = [("category", int), ("birth", int), ("base", float), ("average_index", float), ("years", float)]
    for name, kind in [*inputs, ("years_before", float), ("account", float)]:
        made.add_variable(variable(name, kind))
    for formula in (delay, age, retirement, minimum_months):
        made.add_variable(variable(formula.__name__, int, formula))
    for formula in (payout_months, wage, basic, account_part, transitional, total):
        made.add_variable(variable(formula.__name__, float, formula))
    return made


def main(source, target, repeats):
    """Measure: inputs set and outputs calculated, and the calculation alone."""
    global PAYOUT  # noqa: PLW0603  (a table that formulas read)
    columns = np.load(source)
    PAYOUT = columns["payout_tenths_by_age"] / 10
    inputs = {name: columns[name] for name in ("category", "birth")}
    inputs |= {name: columns[name] / 100 for name in ("base", "years", "years_before", "account")}
    inputs["average_index"] = columns["average_index"] / 1_000_000
    rules = system()
    best = {"wall": float("inf"), "cpu": float("inf"), "calculation_wall": float("inf")}
    found = None
    for _ in range(repeats):
        simulation = SimulationBuilder().build_default_simulation(rules, count=inputs["birth"].size)
        wall, cpu = time.perf_counter(), time.process_time()
        for name, values in inputs.items():
            simulation.set_input(name, PERIOD, values)
        calculated = time.perf_counter()
        simulation.calculate("minimum_months", PERIOD)
        found = simulation.calculate("total", PERIOD)
        best["calculation_wall"] = min(best["calculation_wall"], time.perf_counter() - calculated)
        best["wall"] = min(best["wall"], time.perf_counter() - wall)
        best["cpu"] = min(best["cpu"], time.process_time() - cpu)
    np.save(target, np.rint(found.astype(np.float64) * 100).astype(np.int64))
    best["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    best["value_type"] = str(found.dtype)
    print(json.dumps(best))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
