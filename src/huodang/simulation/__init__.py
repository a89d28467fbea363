"""The simulation: a synthetic province with six departments, as real processes.

For demonstrations, tests and benchmarks. Front door: `make_population` makes the people from a seed; `lay_out` a whole
deployment on one machine (`World`); `Processes` starts and ends hub, portal and six gateways; `Journey` takes the due
people through the joint case over HTTP, as users do; `gather` sums up. `Line` and `PoliceTrouble` put departments into
trouble. It imports every room but `web`, which it meets only over HTTP.
"""

from huodang.simulation.business_time import BusinessClock
from huodang.simulation.citizens import PortalRefusedError, Visitor
from huodang.simulation.client import Account, Desk, HubRefusedError
from huodang.simulation.departments import DEPARTMENTS, Department
from huodang.simulation.faults import Line, PoliceTrouble, Trouble, certify_death
from huodang.simulation.figures import Figures, gather
from huodang.simulation.journey import Followed, Journey, Team, form_of
from huodang.simulation.people import Person, Population, Quirk, Standing
from huodang.simulation.population import make_population
from huodang.simulation.processes import Processes, ProcessFailedError
from huodang.simulation.root import DemoError, RootUnusableError, demonstration_root
from huodang.simulation.sharing_scene import open_sharing_matters
from huodang.simulation.statements import Statement, statements
from huodang.simulation.supervision_scene import let_payees_die
from huodang.simulation.world import PortInUseError, World, lay_out, require_free

__all__ = [
    "DEPARTMENTS",
    "Account",
    "BusinessClock",
    "DemoError",
    "Department",
    "Desk",
    "Figures",
    "Followed",
    "HubRefusedError",
    "Journey",
    "Line",
    "Person",
    "PoliceTrouble",
    "Population",
    "PortInUseError",
    "PortalRefusedError",
    "ProcessFailedError",
    "Processes",
    "Quirk",
    "RootUnusableError",
    "Standing",
    "Statement",
    "Team",
    "Trouble",
    "Visitor",
    "World",
    "certify_death",
    "demonstration_root",
    "form_of",
    "gather",
    "lay_out",
    "let_payees_die",
    "make_population",
    "open_sharing_matters",
    "require_free",
    "statements",
]
