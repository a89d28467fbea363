"""What a process of sharing is made of: one table of transitions, from which the engine and every diagram is drawn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from huodang.exchange.decisions import Action


class Side(StrEnum):
    """Whose act a transition is. The policy is asked whether the actor may act for that side."""

    CONSUMER = "consumer"  # 使用部门
    PROVIDER = "provider"  # 提供部门
    EITHER = "either"  # 任一方
    MEETING = "meeting"  # 联席会议
    SYSTEM = "system"  # 平台


SIDE_LABELS = {
    Side.CONSUMER: ("使用部门", "consumer"),
    Side.PROVIDER: ("提供部门", "provider"),
    Side.EITHER: ("任一方", "either side"),
    Side.MEETING: ("联席会议", "joint meeting"),
    Side.SYSTEM: ("平台", "the platform"),
}

Label = tuple[str, str]
"""Chinese and English."""


@dataclass(frozen=True)
class Transition:
    """One row of a table.

    Attributes:
        side: whose act it is.
        action: what the policy is asked about.
        waits_for: whose turn it is afterwards; None at an end.
        guards: names of conditions, all of which must hold.
        effects: names of what is done in the same transaction, in order.
    """

    state: str
    event: str
    target: str
    side: Side
    action: Action
    waits_for: Side | None
    guards: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Process:
    """One process: its table and the words for it.

    Attributes:
        name: `demand` or `correction`; also the kind of its ledger entries.
        ways_in: event and first state of every way in which a matter begins.
    """

    name: str
    table: tuple[Transition, ...]
    states: Mapping[str, Label]
    events: Mapping[str, Label]
    ways_in: tuple[tuple[str, str], ...]

    def rows(self, state: str, event: str) -> list[Transition]:
        """Give the rows for an event in a state, in the order in which they are tried."""
        return [row for row in self.table if row.state == state and row.event == event]

    def rows_from(self, state: str) -> list[Transition]:
        """Give every row that leads on from a state."""
        return [row for row in self.table if row.state == state]

    def ends(self) -> list[str]:
        """Give the states that nothing leads on from."""
        return [state for state in self.states if not self.rows_from(state)]

    def waits_for(self, state: str) -> Side | None:
        """Say whose turn it is in a state."""
        return next((row.waits_for for row in self.table if row.target == state), None)

    def mermaid_text(self) -> str:
        """Draw the table as a Mermaid state diagram; every row of the table is one line of it."""
        lines = ["stateDiagram-v2"]
        lines += [f"    {state}: {chinese} {english}" for state, (chinese, english) in self.states.items()]
        lines += [f"    [*] --> {state}: {self.events[event][0]} {event}" for event, state in self.ways_in]
        for row in self.table:
            guards = f" [{' & '.join(row.guards)}]" if row.guards else ""
            who = SIDE_LABELS[row.side][0]
            lines.append(f"    {row.state} --> {row.target}: {who}·{self.events[row.event][0]} {row.event}{guards}")
        lines += [f"    {state} --> [*]" for state in self.ends()]
        return "\n".join(lines) + "\n"


def names(rows: Iterable[Transition], attribute: str) -> Sequence[str]:
    """List the names of all guards or effects of some rows."""
    return sorted({name for row in rows for name in getattr(row, attribute)})
