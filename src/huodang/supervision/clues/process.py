"""What a state machine of supervision is made of: one table of transitions, from which engine and diagram are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass

from huodang.exchange import Action

Label = tuple[str, str]
"""Chinese and English."""

SYSTEM_ROLE = "system"

ROLE_LABELS: Mapping[str, Label] = {
    "investigator": ("稽核员", "investigator"),
    "reviewer": ("复核员", "reviewer"),
    "leader": ("联席会议", "joint meeting"),
    "corrector": ("部门校核员", "the department's corrector"),
    "window_clerk": ("窗口", "window clerk"),
    "citizen": ("本人", "the person"),
    SYSTEM_ROLE: ("平台", "the platform"),
}


@dataclass(frozen=True)
class Transition:
    """One row of a table.

    Attributes:
        roles: who may bring it about; the policies are asked about each.
        action: what the policy is asked about.
        guards: names of conditions, all of which must hold.
        effects: names of what is done in the same transaction, in order.
    """

    state: str
    event: str
    target: str
    roles: tuple[str, ...]
    action: Action
    guards: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Process:
    """One process: its table and the words for it.

    Attributes:
        name: also the kind of its ledger entries.
        first: the state in which a matter begins.
    """

    name: str
    table: tuple[Transition, ...]
    states: Mapping[str, Label]
    events: Mapping[str, Label]
    first: str

    def rows(self, state: str, event: str) -> list[Transition]:
        """Give the rows for an event in a state, in the order in which they are tried."""
        return [row for row in self.table if row.state == state and row.event == event]

    def rows_from(self, state: str) -> list[Transition]:
        """Give every row that leads on from a state."""
        return [row for row in self.table if row.state == state]

    def mermaid_text(self) -> str:
        """Draw the table as a Mermaid state diagram; every row of the table is one line of it."""
        lines = ["stateDiagram-v2"]
        lines += [f"    {state}: {chinese} {english}" for state, (chinese, english) in self.states.items()]
        lines.append(f"    [*] --> {self.first}")
        for row in self.table:
            guards = f" [{' & '.join(row.guards)}]" if row.guards else ""
            who = "、".join(ROLE_LABELS[role][0] for role in row.roles)
            lines.append(f"    {row.state} --> {row.target}: {who}·{self.events[row.event][0]} {row.event}{guards}")
        return "\n".join(lines) + "\n"
