"""The cascade (级联): a hub is a member of another hub, above and below: county, city, province, nation.

To its neighbours a hub looks like a department's gateway: it checks their grants as a gateway would, asks by a grant of
its own that is never wider, and answers with the signed chain behind the answer. Front door: `Cascade`, put behind HTTP
by `cascade_application`; what is configured is a `CascadeSettings` of `Neighbour`s.
"""

from huodang.exchange.cascade import records
from huodang.exchange.cascade.application import cascade_application
from huodang.exchange.cascade.chain import ChainFault, Origin, check_chain
from huodang.exchange.cascade.demand_words import DemandStanding
from huodang.exchange.cascade.demands import DemandAbove
from huodang.exchange.cascade.errors import CascadeError, DemandRefusedError, NeighbourError
from huodang.exchange.cascade.neighbours import CascadeSettings, Neighbour, neighbour_keys, server_context
from huodang.exchange.cascade.offers import ProxiedEntry, Refreshed
from huodang.exchange.cascade.proofs import Proof
from huodang.exchange.cascade.receipts import ChainReport, verify_chain_receipt
from huodang.exchange.cascade.service import Cascade
from huodang.exchange.cascade.values import Hop, HubKeys, HubOffers, Offer

__all__ = [
    "Cascade",
    "CascadeError",
    "CascadeSettings",
    "ChainFault",
    "ChainReport",
    "DemandAbove",
    "DemandRefusedError",
    "DemandStanding",
    "Hop",
    "HubKeys",
    "HubOffers",
    "Neighbour",
    "NeighbourError",
    "Offer",
    "Origin",
    "Proof",
    "ProxiedEntry",
    "Refreshed",
    "cascade_application",
    "check_chain",
    "neighbour_keys",
    "records",
    "server_context",
    "verify_chain_receipt",
]
