"""What has changed, and for whom: pure. A row is held against what was known of it, and against each agreement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from huodang.exchange.events.messages import Change
from huodang.exchange.values import Agreement

Values = Mapping[str, str]
"""A row in standard elements; what is absent isn't there."""


@dataclass(frozen=True)
class RowFault:
    """Why a row can't be read: a code and the names concerned, never a value."""

    reason: str
    element: str = ""
    column: str = ""


@dataclass(frozen=True)
class Seen:
    """A row as it stands now.

    Attributes:
        mark: names the row; keyed, so that it tells nothing to who doesn't hold the gateway's secret.
        digest: of what is watched of it; keyed, too.
        values: standard elements; None if the row doesn't count or can't be read.
        fault: why it can't be read.
    """

    mark: str
    digest: str
    values: Values | None
    fault: RowFault | None = None


@dataclass(frozen=True)
class Known:
    """What was known of a row.

    Attributes:
        values: what was last published of it; None if nothing was.
    """

    digest: str
    values: Values | None


@dataclass(frozen=True)
class Step:
    """What is to be done about one row, in the one transaction that also moves the watch on.

    Attributes:
        before: what subscribers were told of the row; None if nothing.
        after: what is true now; None if it is gone, counts no more, or can't be read.
        digest: to be remembered; empty if the row is to be forgotten.
        fault: to be told to the steward; subscribers are told nothing.
    """

    mark: str
    before: Values | None
    after: Values | None
    digest: str
    fault: RowFault | None = None


def plan(seen: Sequence[Seen], digests: Mapping[str, str], known: Callable[[str], Known]) -> list[Step]:
    """Say what to do about rows that were looked at.

    A row that can't be read keeps what was said of it before: it is told to the steward and nobody else, once for each
    state it is in, until it can be read again.

    Args:
        seen: rows in the order in which they changed, each mark once.
        digests: what is remembered, by mark.
        known: gives what was known of a remembered mark; asked only when the row differs.
    """
    steps: list[Step] = []
    for row in seen:
        remembered = digests.get(row.mark)
        if remembered == row.digest or (remembered is None and row.values is None and row.fault is None):
            continue
        before = known(row.mark).values if remembered is not None else None
        if row.fault is not None:
            steps.append(Step(row.mark, before, before, row.digest, row.fault))
        else:
            steps.append(Step(row.mark, before, row.values, row.digest if row.values is not None else ""))
    return steps


def gone(mark: str, known: Known) -> Step:
    """Say what to do about a row that isn't in the source any more."""
    return Step(mark, known.values, None, "")


def covers_row(agreement: Agreement, values: Values) -> bool:
    """Say whether an agreement covers a row: each element it names has one of its values; `*` ends a beginning."""
    return all(
        any(
            values.get(name, "").startswith(value[:-1]) if value.endswith("*") else values.get(name) == value
            for value in permitted
        )
        for name, permitted in agreement.rows.items()
    )


def handed_over(agreement: Agreement, values: Values | None) -> dict[str, str] | None:
    """Give what an agreement lets out of a row; None if it covers the row in no way."""
    if values is None or not covers_row(agreement, values):
        return None
    return {name: value for name, value in values.items() if name in agreement.fields}


@dataclass(frozen=True)
class Told:
    """What one subscriber is told about one row; `values` are those before if it was withdrawn."""

    mark: str
    change: Change
    values: dict[str, str]
    person: str


def tell(agreement: Agreement, steps: Sequence[Step]) -> list[Told]:
    """Say what one subscriber is told.

    A row that comes into what the agreement covers is new to the subscriber, one that leaves it is withdrawn, and one
    that changed in nothing that the agreement hands over isn't told at all. When a row passes to another person, it is
    withdrawn from the one and new for the other.
    """
    told: list[Told] = []
    for step in steps:
        if step.fault is not None:
            continue
        before, after = handed_over(agreement, step.before), handed_over(agreement, step.after)
        person_before = (step.before or {}).get("identity_number", "")
        person_after = (step.after or {}).get("identity_number", "")
        if before is not None and (after is None or person_before != person_after):
            told.append(Told(step.mark, Change.WITHDRAWN, before, person_before))
            before = None
        if after is not None and before is None:
            told.append(Told(step.mark, Change.CREATED, after, person_after))
        elif after is not None and before != after:
            told.append(Told(step.mark, Change.CHANGED, after, person_after))
    return told
