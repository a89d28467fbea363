"""What a demonstration has to show for itself, gathered over HTTP from the hub once nothing moves any more."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from statistics import fmean, median
from typing import Any

from huodang.simulation.client import Desk
from huodang.simulation.journey import ENDED, Followed
from huodang.simulation.statements import Statement
from huodang.standards import Money, working_days_between
from huodang.store import shanghai_date

# facts/README.md: with nothing rounded before the last step all statements agree within 0.05 yuan.
STATEMENT_TOLERANCE = Money(5)
_BANDS = (2000, 3000, 4000, 5000, 6000)  # yuan a month
_AT_ONCE = 4


@dataclass(frozen=True)
class StatementFigures:
    """One issued pension, and what came out of the same case here; in fen."""

    case: str
    province: str
    month: str
    issued_basic: int
    computed_basic: int | None
    issued_account: int
    computed_account: int | None
    within: bool


@dataclass(frozen=True)
class ExceptionFigures:
    """One case that a person had to handle. Names nobody."""

    case: str
    reason: str
    reasons: tuple[str, ...]
    chinese: str
    english: str
    done: tuple[str, ...]
    state: str
    open: bool
    statement: bool


@dataclass(frozen=True)
class ElapsedFigures:
    """Working days from application to the end, over all completed cases; and whose they were, on average."""

    mean: float
    median: float
    most: int
    by_party: dict[str, float]


@dataclass(frozen=True)
class Figures:
    """Everything the summary shows. Money is in fen."""

    people: int
    cases: int
    straight_through: int
    straight_through_share: float
    home_cases: int  # of the demonstration's own province: without the statements of others
    home_straight_through: int
    papers_before: int
    papers_after_median: float
    papers_after: dict[int, int]
    exceptions: tuple[ExceptionFigures, ...]
    verdicts: dict[str, dict[str, int]]
    states: dict[str, int]
    came_by: dict[str, int]
    prepared: int  # forms that stood ready before anybody applied (免申即享)
    payments: int  # people whose first payment stands
    payment_records: int  # the same with every month of back pay
    payments_fen: int
    pension_bands: dict[str, int]
    statements: tuple[StatementFigures, ...]
    elapsed_working_days: ElapsedFigures
    ledger_leaves: int
    days: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Give the figures as JSON can hold them."""
        return asdict(self)


def gather(
    cases: Sequence[Followed], reader: Desk, *, people: int, prepared: int, days: int, seconds: float
) -> Figures:
    """Ask the hub for every case and for its own summary.

    Args:
        cases: all applications, at rest.
        reader: somebody who may read cases and figures.
        people: how many people the province has.
        prepared: forms that stood ready before anybody applied.
        days: working days that the journey took.
        seconds: seconds that everything took.
    """
    with ThreadPoolExecutor(_AT_ONCE) as together:
        views = list(together.map(lambda one: reader.get(f"/api/v1/cases/{one.case_id}"), cases))
    summary = reader.get("/api/v1/summary")
    pairs = list(zip(cases, views, strict=True))
    straight = [one for one, view in pairs if view["state"] == "completed" and not one.obstacles]
    home = [one for one in cases if one.person.province == "hebei"]
    papers = [_papers(view) for view in views]
    after = [here for _, here in papers]
    return Figures(
        people=people,
        cases=len(cases),
        straight_through=len(straight),
        straight_through_share=round(len(straight) / len(cases), 4),
        home_cases=len(home),
        home_straight_through=sum(one.person.province == "hebei" for one in straight),
        papers_before=max(before for before, _ in papers),
        papers_after_median=median(after),
        papers_after=dict(sorted(Counter(after).items())),
        exceptions=tuple(_exception(one, view) for one, view in pairs if one.obstacles),
        verdicts=summary["verdicts"],
        states=summary["cases"],
        prepared=prepared,
        came_by=dict(Counter(one.came_by for one in cases)),
        payments=summary["first_payments"],
        payment_records=summary["payments"],
        payments_fen=summary["payments_fen"],
        pension_bands=_bands(view for view in views if view["decision_stage"] == "final"),
        statements=tuple(
            _statement(one.person.statement, view) for one, view in pairs if one.person.statement is not None
        ),
        elapsed_working_days=_elapsed([view for view in views if view["state"] == "completed"]),
        ledger_leaves=summary["ledger_leaves"],
        days=days,
        seconds=round(seconds, 1),
    )


def _papers(view: Mapping[str, Any]) -> tuple[int, int]:
    materials = view["materials"]
    return sum(len(papers) for papers in materials.values()), len(materials["must_bring"])


def _exception(one: Followed, view: Mapping[str, Any]) -> ExceptionFigures:
    return ExceptionFigures(
        case=one.case_id,
        reason=one.obstacles[0].code,
        reasons=tuple(obstacle.code for obstacle in one.obstacles),
        chinese=";".join(obstacle.chinese for obstacle in one.obstacles),
        english="; ".join(obstacle.english for obstacle in one.obstacles),
        done=tuple(obstacle.done for obstacle in one.obstacles if obstacle.done),
        state=str(view["state"]),
        open=str(view["state"]) not in ENDED,
        statement=one.person.statement is not None,
    )


def _statement(statement: Statement, view: Mapping[str, Any]) -> StatementFigures:
    decision = view["decision"] or {"basic": None, "account": None}
    basic, account = decision["basic"], decision["account"]
    parts = ((basic, statement.issued_basic), (account, statement.issued_account))
    return StatementFigures(
        case=statement.case,
        province=statement.province,
        month=str(statement.retired),
        issued_basic=statement.issued_basic.fen,
        computed_basic=basic,
        issued_account=statement.issued_account.fen,
        computed_account=account,
        within=all(
            computed is not None and abs(computed - issued.fen) <= STATEMENT_TOLERANCE.fen for computed, issued in parts
        ),
    )


def _bands(views: Any) -> dict[str, int]:  # noqa: ANN401  (JSON)
    found = Counter[str]()
    for view in views:
        yuan = int(view["decision"]["payable"]) // 100
        low = max((edge for edge in _BANDS if edge <= yuan), default=0)
        high = min((edge for edge in _BANDS if edge > yuan), default=None)
        found[f"{low}-{high}" if high else f"{low}+"] += 1
    return dict(sorted(found.items(), key=lambda band: int(band[0].split("-")[0].rstrip("+"))))


def _elapsed(views: Sequence[Mapping[str, Any]]) -> ElapsedFigures:
    days = [
        working_days_between(
            *(shanghai_date(datetime.fromisoformat(view[moment])) for moment in ("submitted_at", "ended_at"))
        )
        for view in views
    ]
    if not days:
        return ElapsedFigures(0.0, 0.0, 0, {})
    whose = Counter[str]()
    for view in views:
        for party in view["clock"]["parties"]:
            whose[str(party["party"])] += int(party["days"])
    return ElapsedFigures(
        mean=round(fmean(days), 2),
        median=median(days),
        most=max(days),
        by_party={party: round(total / len(days), 2) for party, total in whose.most_common()},
    )
