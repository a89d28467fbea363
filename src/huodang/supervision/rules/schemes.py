"""What a scheme's code or name, as a file gives it, says about pension insurance."""

from typing import Final

import ibis
import ibis.expr.types as ir

from huodang.supervision.rules.expressions import surely

# Codes of AAE140 in `standards.code_table("scheme")`, and the words of `pension.Scheme`.
_PENSIONS: Final = ["110", "120", "170", "employee", "residents"]
_RESIDENTS: Final = ["170", "residents"]
PENSION: Final = "pension"


def branch(scheme: ir.StringValue) -> ir.StringValue:
    """Give `pension` for every pension scheme, else the scheme itself: a person may pay into one of each branch.

    A scheme that isn't told is taken for a pension.
    """
    plain = scheme.strip().lower()
    pension = plain.isin(_PENSIONS) | plain.contains("养老") | (plain == "")
    return ibis.ifelse(scheme.isnull() | pension, PENSION, plain)


def is_residents(scheme: ir.StringValue) -> ir.BooleanValue:
    """Tell the residents' scheme (城乡居民), to which the lawful ages of employees don't apply."""
    plain = scheme.strip().lower()
    named = plain.isin(_RESIDENTS) | plain.contains("居民") | plain.contains("居保")
    return surely(named)
