"""From a department's rows to standard rows, or to quarantined rows with every reason named. Streams; holds no rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Final

import msgspec

from huodang.exchange.quality import reasons
from huodang.exchange.quality.marks import RowMarks
from huodang.exchange.quality.plan import RowPlan
from huodang.exchange.quality.readers import Reader, Unfit, reader_of, sound_numbers
from huodang.exchange.quality.report import QualityCount, QualityReport
from huodang.exchange.quality.values import BadRow, Fault, SourceRow, StandardRow

IDENTITY: Final = "identity_number"
_AHEAD: Final = 1_000
_encode: Final = msgspec.json.Encoder().encode


class Standardiser:
    """Standardises the rows of one delivery and counts their quality.

    Args:
        plan: how rows are read.
        today: the day of the delivery, for rules.
        salt: of the agreement; marks and digests are made with it.
        hand_over: the elements that the agreement hands over; None for all of the plan.
        only: row filter (行过滤): by element the values that the agreement covers; a value that ends in `*` is a
            beginning. Rows outside are passed over in silence: they are nobody's business.

    Attributes:
        outside: rows passed over so far.
        count: counts so far; whoever finds twins of a key later counts them in there.
    """

    def __init__(
        self,
        plan: RowPlan,
        *,
        today: date,
        salt: bytes = b"",
        hand_over: Iterable[str] | None = None,
        only: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.plan = plan
        self.marks = RowMarks(salt)
        self.count = QualityCount()
        self.outside = 0
        self._today = today
        self._only = [(name, _matcher(values)) for name, values in (only or {}).items()]
        handed = plan.offers if hand_over is None else frozenset(hand_over) & plan.offers
        needed = handed | set(plan.key) | plan.required | {name for name, _ in self._only}
        needed |= {
            name for rule in plan.rules for name in (rule.element, rule.not_before_element, rule.not_after_element)
        }
        # What is neither handed over nor looked at isn't even read.
        self._sound: set[str] = set()
        self._readers: list[tuple[str, str, Reader]] = [
            (name, source.column, reader_of(source, plan.formats.get(name, ()), self._sound))
            for source in plan.elements
            if (name := source.element.identifier) in needed
        ]
        self._identities = [column for name, column, _ in self._readers if name == IDENTITY and column]
        self._handed = handed
        self._hands_all = handed >= {name for name, *_ in self._readers}

    def rows(self, source: Iterable[SourceRow]) -> Iterator[StandardRow | BadRow]:
        """Standardise rows in their order; nothing is dropped but what the agreement doesn't cover."""
        rows = iter(source)
        while portion := list(islice(rows, _AHEAD)):
            self.look_ahead(portion)
            for row in portion:
                made = self.row(row)
                if made is not None:
                    yield made

    def look_ahead(self, portion: Sequence[SourceRow]) -> None:
        """Check the identity numbers of rows that come next, all at once: that is many times cheaper."""
        self._sound.clear()
        for column in self._identities:
            self._sound.update(sound_numbers(row.cells.get(column) for row in portion))

    def row(self, row: SourceRow) -> StandardRow | BadRow | None:
        """Standardise one row; None if the agreement doesn't cover it."""
        values: dict[str, str] = {}
        faults: list[Fault] = []
        cells = row.cells
        for name, column, read in self._readers:
            try:
                value = read(cells.get(column) if column else None)
            except Unfit as unfit:
                faults.append(Fault(column, name, unfit.reason))
            else:
                if value is not None:
                    values[name] = value
        if self._only and not self._covered(values, faults):
            self.outside += 1
            return None
        plan = self.plan
        try:
            key: str | None = (
                values[plan.key[0]] if len(plan.key) == 1 else _encode([values[name] for name in plan.key]).decode()
            )
        except KeyError:
            key = None
        if not faults and key is not None and all(name in values for name in plan.required):
            broken = [rule for rule in plan.rules if not rule.holds(values, self._today)]
            if not broken:
                return self._good(row, key, values)
            faults = [Fault(self._column(rule.element), rule.element, rule.name) for rule in broken]
        else:
            unread = {fault.element for fault in faults}
            for name in sorted(plan.required - values.keys() - unread):
                missing = reasons.KEY_MISSING if name in plan.key else reasons.REQUIRED_MISSING
                faults.append(Fault(self._column(name), name, missing))
        bad = BadRow(row.place, key, tuple(faults), cells)
        self.count.bad(bad)
        return bad

    def report(self, *, late: int = 0, changed: int = 0) -> QualityReport:
        """Give the quality of all rows that have gone by."""
        return self.count.report(late=late, changed=changed)

    def _good(self, row: SourceRow, key: str, values: dict[str, str]) -> StandardRow:
        if not self._hands_all:
            values = {name: value for name, value in values.items() if name in self._handed}
        self.count.good(values)
        # Values stand in the order of their names, so the JSON is canonical.
        content = _encode(values)
        return StandardRow(key, self.marks.mark(key), values, content, self.marks.digest(content), row.place)

    def _covered(self, values: Mapping[str, str], faults: Iterable[Fault]) -> bool:
        """Hold a row against the filter; one whose filtered element can't be read is the provider's to look at."""
        unread = {fault.element for fault in faults}
        return all(name in unread or (name in values and matches(values[name])) for name, matches in self._only)

    def _column(self, element: str) -> str:
        return next((column for name, column, _ in self._readers if name == element), "")


class _matcher:  # noqa: N801  (a function that remembers its values)
    def __init__(self, values: tuple[str, ...]) -> None:
        self._whole = frozenset(value for value in values if not value.endswith("*"))
        self._beginnings = tuple(value[:-1] for value in values if value.endswith("*"))

    def __call__(self, value: str) -> bool:
        return value in self._whole or (bool(self._beginnings) and value.startswith(self._beginnings))
