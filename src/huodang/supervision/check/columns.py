"""Which columns of which tables some rules read: only those are loaded from the files."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from huodang.supervision.rules import Rule, RuleSettings, Tables
from huodang.supervision.tables import SCHEMAS, Kind

_MONTHS = frozenset({"row", "month"})
"""Columns of the payments that the check itself asks for."""

_Needs = dict[ops.Relation, set[str]]
_Asked = Iterator[tuple[ops.Relation, Iterable[str]]]


def columns_read(rules: Iterable[Rule], settings: RuleSettings, kinds: Iterable[Kind]) -> dict[Kind, frozenset[str]]:
    """Tell the columns that rules read, by kind.

    A rule that can't even be written down is passed over here: it fails by itself when it is run.
    """
    given = tuple(kinds)
    tables = Tables.of({kind: ibis.table(ibis.schema(SCHEMAS[kind]), name=kind.value) for kind in given})
    read: dict[Kind, set[str]] = {kind: {"row"} for kind in given}
    if Kind.PAYMENTS in read:
        read[Kind.PAYMENTS] |= _MONTHS
    for rule in rules:
        if not rule.needs <= set(given):
            continue
        try:
            asked = [rule.find(tables, settings), rule.unknown(tables, settings)]
        except Exception:  # noqa: BLE001, S112  (it stops that rule alone, and is told when it is run)
            continue
        for expression in asked:
            if expression is not None:
                for name, columns in _columns(expression).items():
                    read[Kind(name)] |= columns
    return {kind: frozenset(columns) for kind, columns in read.items()}


def _columns(expression: ir.Table) -> dict[str, set[str]]:
    """Walk from the result down to the tables, keeping of each step the columns that the steps above it ask for."""
    needs: _Needs = defaultdict(set)
    top = expression.op()
    steps: list[tuple[ops.Relation, Iterable[str]]] = [(top, top.schema.names)]
    while steps:
        relation, names = steps.pop()
        known = relation in needs
        more = set(names) - needs[relation]
        needs[relation] |= more
        if more or not known:
            steps += _asked(relation, needs[relation])
    return {one.name: columns for one, columns in needs.items() if isinstance(one, ops.UnboundTable)}


def _asked(relation: ops.Relation, names: set[str]) -> _Asked:
    """Give what a step asks of the steps below it for some of its columns."""
    match relation:
        case ops.UnboundTable() | ops.InMemoryTable():
            return
        case ops.Project():
            yield relation.parent, ()
            yield from _fields(relation.values[name] for name in names)
        case ops.Filter():
            yield relation.parent, names
            yield from _fields(relation.predicates)
        case ops.Reference():
            yield relation.parent, names
        case ops.Aggregate():
            yield relation.parent, ()
            yield from _fields(relation.groups.values())
            yield from _fields(relation.metrics[name] for name in names & set(relation.metrics))
        case ops.JoinChain():
            yield relation.first, ()
            for link in relation.rest:
                yield link.table, ()
                yield from _fields(link.predicates)
            yield from _fields(relation.values[name] for name in names)
        case ops.Union(distinct=False):
            yield relation.left, names
            yield relation.right, names
        case ops.Set():
            yield relation.left, relation.schema.names
            yield relation.right, relation.schema.names
        case ops.Distinct():
            yield relation.parent, relation.schema.names
        case _:
            for below in relation.find(ops.Relation):
                yield below, below.schema.names


def _fields(values: Iterable[ops.Value]) -> _Asked:
    for value in values:
        for found in value.find((ops.Field, ops.Subquery), filter=ops.Value):
            if isinstance(found, ops.Field):
                yield found.rel, (found.name,)
            else:
                yield found.rel, found.rel.schema.names
