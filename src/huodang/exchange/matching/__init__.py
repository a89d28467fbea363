"""Match only (可用不可见): the overlap of two departments' sets, or its size, and nothing else of either.

By hand two files are matched between two machines (`HandServer`, `hand_holder`, `match`). On the platform the hub
matches a set against a department's table under an agreement of the kind `match` (`Matches`, and a gateway's
`matches:`). What it protects against and what it can't is told in `docs/matching.md`.
"""

from huodang.exchange.matching.booking import BetweenQuestion, MatchQuestion
from huodang.exchange.matching.by_hand import (
    Address,
    HandHost,
    HandServer,
    Rules,
    Served,
    find_tls,
    hand_holder,
    read_secret,
)
from huodang.exchange.matching.errors import (
    BudgetError,
    EngineError,
    ListenError,
    MalformedMessageError,
    MalformedPointError,
    MatchFileError,
    MatchingError,
    MatchRefusedError,
    NearIdenticalError,
    NormalisationError,
    NotPermittedToMatchError,
    PeerLostError,
    SetTooLargeError,
    SetTooSmallError,
    VersionError,
)
from huodang.exchange.matching.holding import HoldingSession, Sessions
from huodang.exchange.matching.lanes import Lanes
from huodang.exchange.matching.messages import PROTOCOL, Terms, Welcome
from huodang.exchange.matching.offers import MatchOffer
from huodang.exchange.matching.outcomes import MatchOutcome, MatchRow
from huodang.exchange.matching.querying import Holder, MatchResult, match
from huodang.exchange.matching.reaching import HttpHolder
from huodang.exchange.matching.results import check_out, write_members, write_persons, write_size
from huodang.exchange.matching.service import Matches
from huodang.exchange.matching.spu_side import SpuSide
from huodang.exchange.matching.tables import Table, open_table, read_values
from huodang.exchange.matching.values import Normalisation, Quarantined, ValueSet, collect, identity_values

__all__ = [
    "PROTOCOL",
    "Address",
    "BetweenQuestion",
    "BudgetError",
    "EngineError",
    "HandHost",
    "HandServer",
    "Holder",
    "HoldingSession",
    "HttpHolder",
    "Lanes",
    "ListenError",
    "MalformedMessageError",
    "MalformedPointError",
    "MatchFileError",
    "MatchOffer",
    "MatchOutcome",
    "MatchQuestion",
    "MatchRefusedError",
    "MatchResult",
    "MatchRow",
    "Matches",
    "MatchingError",
    "NearIdenticalError",
    "Normalisation",
    "NormalisationError",
    "NotPermittedToMatchError",
    "PeerLostError",
    "Quarantined",
    "Rules",
    "Served",
    "Sessions",
    "SetTooLargeError",
    "SetTooSmallError",
    "SpuSide",
    "Table",
    "Terms",
    "ValueSet",
    "VersionError",
    "Welcome",
    "check_out",
    "collect",
    "find_tls",
    "hand_holder",
    "identity_values",
    "match",
    "open_table",
    "read_secret",
    "read_values",
    "write_members",
    "write_persons",
    "write_size",
]
