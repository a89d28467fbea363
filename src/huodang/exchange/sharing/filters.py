"""Row and element filters (行级, 列级过滤): what of many rows somebody may see, derived from policy and agreements.

The policy stays the only rule: a filter asks `decide` once for every way in which a row can stand to the actor (own or
not, in the region or not, …) and turns the answers into a condition. Nothing of a policy is written down here again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import Final

import sqlalchemy as sa

from huodang.exchange.decisions import Action, Actor, Decision, DecisionRequest, decide
from huodang.exchange.errors import ExchangeError
from huodang.exchange.values import Agreement
from huodang.standards import Place
from huodang.trust import HIDDEN_TEXT

_ATOMS: Final = ("owner", "employer", "department", "region", "assigned")
_SOMEBODY_ELSE: Final = "\x00another"
_ABROAD: Final = ""
_SIX: Final = 6

Standing = tuple[bool, bool, bool, bool, bool]
"""How a row stands to the actor, in the order of the atoms: own, own employer, own department, in region, assigned."""
Cube = tuple[bool | None, ...]
"""A standing of which None says: either."""


@dataclass(frozen=True)
class RowFacts:
    """What policies and agreements look at in one row.

    Attributes:
        owner: user id of the citizen whom the row is about.
        employer: number of that person's employer.
        department: department of the matter.
        region: region of the row.
        assigned: the row's matter is given to the actor.
        elements: values by standard element, as agreements' row filters name them.
    """

    owner: str = ""
    employer: str = ""
    department: str = ""
    region: str = ""
    assigned: bool = False
    elements: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RowColumns:
    """Where a table holds those facts; what it doesn't hold counts as empty."""

    owner: sa.ColumnElement[str] | None = None
    employer: sa.ColumnElement[str] | None = None
    department: sa.ColumnElement[str] | None = None
    region: sa.ColumnElement[str] | None = None
    assigned: sa.ColumnElement[bool] | None = None
    elements: Mapping[str, sa.ColumnElement[str]] = field(default_factory=dict)


def covers_row(agreement: Agreement, elements: Mapping[str, str]) -> bool:
    """Say whether an agreement's row filter covers a row; an element that the row doesn't hold covers nothing."""
    return all(
        name in elements and any(_fits(elements[name], wanted) for wanted in values)
        for name, values in agreement.rows.items()
    )


def _fits(value: str, wanted: str) -> bool:
    return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted


@dataclass(frozen=True)
class RowFilter:
    """What one actor may see of many rows, for one purpose.

    Attributes:
        asked: the elements asked for.
        decisions: the policy's answer by standing.
        agreements: those that hand over rows of the resource for the purpose; None where no agreement is concerned.
    """

    actor: Actor
    asked: tuple[str, ...]
    decisions: Mapping[Standing, Decision]
    agreements: tuple[Agreement, ...] | None = None

    def decision(self, row: RowFacts) -> Decision:
        """Give the policy's decision on a row; agreements aren't weighed in it."""
        return self.decisions[_standing(self.actor, row)]

    def permits(self, row: RowFacts) -> bool:
        """Say whether anything of a row may be seen."""
        return bool(self.elements_of(row)) if self.asked else self.decision(row).permitted and self._covered(row)

    def elements_of(self, row: RowFacts) -> tuple[str, ...]:
        """Give the elements of a row that may be seen, in the order asked for."""
        permitted = self.decision(row).elements
        if self.agreements is None:
            return permitted
        handed = {name for one in self.agreements if covers_row(one, row.elements) for name in one.fields}
        return tuple(name for name in permitted if name in handed)

    def show(self, row: RowFacts, values: Mapping[str, str]) -> dict[str, str]:
        """Give a row's values as they may be shown: whole, masked or hidden."""
        decision, seen = self.decision(row), set(self.elements_of(row))
        return {
            name: decision.show(name, values[name]) if name in seen else HIDDEN_TEXT
            for name in self.asked
            if name in values
        }

    def condition(self, columns: RowColumns, element: str | None = None) -> sa.ColumnElement[bool]:
        """Give the same filter as an SQL condition.

        Args:
            columns: where the table holds what the filter looks at.
            element: rows of which this element may be seen; None for rows of which anything may.

        Raises:
            ExchangeError: an agreement filters rows by an element that the table doesn't hold.
        """
        if element is None and self.asked:
            return sa.or_(sa.false(), *(self.condition(columns, name) for name in self.asked))
        standings = [
            standing
            for standing, one in self.decisions.items()
            if (one.permitted if element is None else element in one.elements)
        ]
        atoms = _atoms(self.actor, columns)
        by_policy = sa.or_(sa.false(), *(_conjunction(cube, atoms) for cube in _merged(standings)))
        if self.agreements is None:
            return by_policy
        handing = [one for one in self.agreements if element is None or element in one.fields]
        return sa.and_(by_policy, sa.or_(sa.false(), *(_row_condition(one, columns) for one in handing)))

    def _covered(self, row: RowFacts) -> bool:
        return self.agreements is None or any(covers_row(one, row.elements) for one in self.agreements)


def readable(
    actor: Actor,
    purpose: str,
    resource: str,
    elements: Sequence[str],
    *,
    agreements: Iterable[Agreement] | None = None,
    action: Action = Action.READ_DELIVERED,
) -> RowFilter:
    """Make the filter of what somebody may see of a resource's rows.

    Args:
        actor: who wants to see them.
        purpose: code of the purpose; agreements that don't name it cover nothing.
        resource: whose rows.
        elements: elements asked for; empty where the rows hold nothing about a person.
        agreements: those in force; None for tables of the hub's own, which no agreement concerns.
        action: what is to be done with the rows.

    Raises:
        UnknownElement: an element isn't in the standard.
    """
    asked = tuple(dict.fromkeys(elements))
    fitting = (
        None
        if agreements is None
        else tuple(one for one in agreements if one.resource == resource and purpose in one.purposes)
    )
    return RowFilter(actor, asked, _decisions(actor, str(action), purpose, asked), fitting)


@lru_cache(maxsize=512)
def _decisions(actor: Actor, action: str, purpose: str, elements: tuple[str, ...]) -> Mapping[Standing, Decision]:
    """Ask the policy about every way in which a row can stand to the actor."""
    found: dict[Standing, Decision] = {}
    # A region that can't be covered by the actor's: decisions see no more of a region than whether it is.
    inside = actor.region
    for standing in product((False, True), repeat=len(_ATOMS)):
        own, employer, department, region, assigned = standing
        request = DecisionRequest(
            actor=actor,
            action=action,
            purpose=purpose,
            elements=elements,
            owner=actor.user_id if own else _SOMEBODY_ELSE,
            employer=actor.employer if employer else _SOMEBODY_ELSE,
            department=actor.department if department else _SOMEBODY_ELSE,
            region=inside if region else _ABROAD,
            assigned=assigned,
        )
        found[own, employer, department, region, assigned] = decide(request)
    return found


def _standing(actor: Actor, row: RowFacts) -> Standing:
    return (
        row.owner == actor.user_id,
        row.employer == actor.employer,
        row.department == actor.department,
        _lies_in(actor.region, row.region),
        row.assigned,
    )


def _prefix(region: str) -> str | None:
    """Give what the codes of all regions within a region begin with; None if it is no region and covers nothing."""
    if len(region) != _SIX:
        return None
    pairs = [region[at : at + 2] for at in range(0, _SIX, 2)]
    return "".join(pairs[: pairs.index("00")] if "00" in pairs else pairs)


def _lies_in(outer: str, inner: str) -> bool:
    prefix = _prefix(outer)
    return prefix is not None and len(inner) == _SIX and inner.startswith(prefix)


def _atoms(actor: Actor, columns: RowColumns) -> tuple[sa.ColumnElement[bool], ...]:
    prefix = _prefix(actor.region)
    region = sa.func.coalesce(columns.region if columns.region is not None else sa.literal(""), "")
    in_region = (
        sa.false()
        if prefix is None
        else sa.and_(sa.func.length(region) == _SIX, sa.func.substr(region, 1, len(prefix)) == prefix)
    )
    return (
        _equal(columns.owner, actor.user_id),
        _equal(columns.employer, actor.employer),
        _equal(columns.department, actor.department),
        in_region,
        sa.false() if columns.assigned is None else sa.func.coalesce(columns.assigned, sa.false()),
    )


def _equal(column: sa.ColumnElement[str] | None, mine: str) -> sa.ColumnElement[bool]:
    return sa.func.coalesce(column if column is not None else sa.literal(""), "") == mine


def _conjunction(cube: Cube, atoms: Sequence[sa.ColumnElement[bool]]) -> sa.ColumnElement[bool]:
    return sa.and_(
        sa.true(),
        *(atom if wanted else sa.not_(atom) for wanted, atom in zip(cube, atoms, strict=True) if wanted is not None),
    )


def _merged(standings: Iterable[Standing]) -> list[Cube]:
    """Join standings that differ in what doesn't matter, so that the condition stays short (Quine–McCluskey)."""
    cubes: set[Cube] = set(standings)
    primes: set[Cube] = set()
    while cubes:
        joined: set[Cube] = set()
        used: set[Cube] = set()
        for one in cubes:
            for at, value in enumerate(one):
                if value is None:
                    continue
                other = (*one[:at], not value, *one[at + 1 :])
                if other in cubes:
                    joined.add((*one[:at], None, *one[at + 1 :]))
                    used |= {one, other}
        primes |= cubes - used
        cubes = joined
    return sorted(primes, key=repr)


def _row_condition(agreement: Agreement, columns: RowColumns) -> sa.ColumnElement[bool]:
    tests: list[sa.ColumnElement[bool]] = [sa.true()]
    for name, values in agreement.rows.items():
        if name not in columns.elements:
            raise ExchangeError(
                "协议按该数据元限定了行，但表中没有这一列",
                "the agreement limits rows by an element that the table doesn't hold",
                advice_chinese="请把该数据元存入表中，或逐行判断。",
                advice_english="Keep the element in the table, or judge row by row.",
                place=Place(element=name),
            )
        column = columns.elements[name]
        tests.append(sa.or_(*(_value_condition(column, wanted) for wanted in values)))
    return sa.and_(*tests)


def _value_condition(column: sa.ColumnElement[str], wanted: str) -> sa.ColumnElement[bool]:
    if not wanted.endswith("*"):
        return column == wanted
    # Not LIKE: it ignores the case of letters on SQLite.
    beginning = wanted[:-1]
    return sa.and_(column.is_not(None), sa.func.substr(column, 1, len(beginning)) == beginning)
