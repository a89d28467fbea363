"""The materials register (材料清单): which papers were asked for, and which a person must still bring.

Pure. What must be brought is never a fixed list: it follows from what the departments answered for this case, or can
answer at this moment, and each paper that needn't be brought names its source and time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, Final

import yaml

from huodang.exchange import Outcome
from huodang.pension import Route
from huodang.retirement.checks import CHECK_OF, CheckResult, CheckStatus
from huodang.retirement.errors import RegisterError
from huodang.retirement.form import ApplicationForm
from huodang.standards import Place

FORM: Final = "form"
PLATFORM: Final = "platform"
NOBODY: Final = "none"
_PLACE: Final = Place(file="retirement/data/materials.yaml")
_CONDITIONS: Final = frozenset({"always", "employed", "flexible", "special_early", "deemed", "one_child", "housing"})
_FLEXIBLE: Final = frozenset({Route.FLEXIBLE_EARLY, Route.FLEXIBLE_LATE})
# Resources that tell what there is rather than whether something stands in the way: a hit is an answer, too.
_TELLING: Final = frozenset({"social_insurance.contributions", "medical_insurance.years", "housing_fund.account"})
OWN_SOURCES: Final[dict[str, tuple[str, str]]] = {
    FORM: ("已并入一张表", "Merged into the one form"),
    PLATFORM: ("平台自有记录", "Known to the platform"),
}


@dataclass(frozen=True)
class Paper:
    """One paper of the register.

    Attributes:
        item: the joint item that asks for it, as (Chinese, English).
        replaced_by: a resource, `form`, `platform`, or `none` when the person still brings it.
        when: to whom it applies.
        law: what asks for it, with `law_status` official or unverified.
    """

    identifier: str
    chinese: str
    english: str
    item: tuple[str, str]
    law: str
    law_status: str
    replaced_by: str
    when: str


@dataclass(frozen=True)
class NotBrought:
    """A paper that the person needn't bring, with what took its place and as of when."""

    paper: Paper
    source_chinese: str
    source_english: str
    as_of: datetime | None


@dataclass(frozen=True)
class MaterialsList:
    """What a person must still bring, and what not.

    Attributes:
        must_bring: what only the person has, or a department couldn't answer.
        not_brought: "the papers you did not bring", each with source and time.
        awaiting: papers whose department is still being asked.
        not_applicable: papers of the register that this kind of application never needed.
    """

    must_bring: tuple[Paper, ...]
    not_brought: tuple[NotBrought, ...]
    awaiting: tuple[Paper, ...]
    not_applicable: tuple[Paper, ...]

    @property
    def papers_before(self) -> int:
        """How many papers the joint items asked for until now: the whole register."""
        return len(register())

    @property
    def papers_after(self) -> int:
        """How many the person must bring now."""
        return len(self.must_bring)


@cache
def register() -> tuple[Paper, ...]:
    """Read the register.

    Raises:
        RegisterError: an entry names a resource, law, item or condition that isn't there, or an identifier twice.
    """
    raw: Any = yaml.safe_load(resources.files("huodang.retirement").joinpath("data/materials.yaml").read_text("utf-8"))
    papers = tuple(_paper(entry, raw) for entry in raw["papers"])
    identifiers = [paper.identifier for paper in papers]
    if len(set(identifiers)) != len(identifiers):
        raise RegisterError("材料编号重复", "a paper's identifier stands twice", place=_PLACE)
    return papers


def _paper(entry: Mapping[str, str], raw: Mapping[str, Any]) -> Paper:
    try:
        law = raw["laws"][entry["law"]]
        chinese, english = raw["items"][entry["item"]]
        paper = Paper(
            identifier=entry["id"],
            chinese=entry["chinese"],
            english=entry["english"],
            item=(chinese, english),
            law=law["law"],
            law_status=law["status"],
            replaced_by=entry["replaced_by"],
            when=entry["when"],
        )
    except KeyError as missing:
        raise RegisterError(f"材料缺少 {missing}", f"a paper lacks {missing}", place=_PLACE) from None
    if paper.replaced_by not in {FORM, PLATFORM, NOBODY, *CHECK_OF} or paper.when not in _CONDITIONS:
        raise RegisterError(
            f"材料 {paper.identifier} 的替代来源或适用条件未知",
            f"the paper {paper.identifier} names an unknown source or condition",
            place=_PLACE,
        )
    return paper


def conditions_of(form: ApplicationForm, results: Mapping[str, CheckResult]) -> frozenset[str]:
    """Say which kinds of papers apply to this application, as far as form and answers tell."""
    held = {"always"}
    if form.employer:
        held.add("employed")
    if form.route in _FLEXIBLE:
        held.add("flexible")
    if form.route is Route.SPECIAL_EARLY:
        held.add("special_early")
    if form.one_child:
        held.add("one_child")
    contributions = results.get("social_insurance.contributions")
    if contributions is not None and contributions.fields.get("deemed_months", "0").strip("0"):
        held.add("deemed")
    housing = results.get("housing_fund.account")
    if housing is None or has_housing_account(housing):
        held.add("housing")
    return frozenset(held)


def has_housing_account(result: CheckResult) -> bool:
    """Say whether there is, or may be, a housing-fund account: only the fund's own word rules it out."""
    return not (result.status is CheckStatus.ANSWERED and result.reason in {"no_account", "no_row"})


def after_answers(form: ApplicationForm, results: Mapping[str, CheckResult]) -> MaterialsList:
    """Compute the list from what the departments answered for this case."""
    held = conditions_of(form, results)
    must: list[Paper] = []
    spared: list[NotBrought] = []
    awaiting: list[Paper] = []
    idle: list[Paper] = []
    for paper in register():
        result = results.get(paper.replaced_by)
        if paper.when not in held:
            idle.append(paper)
        elif paper.replaced_by in OWN_SOURCES:
            spared.append(NotBrought(paper, *OWN_SOURCES[paper.replaced_by], None))
        elif result is None:
            must.append(paper)
        elif result.accepted_evidence is None and result.status is CheckStatus.WAITING:
            awaiting.append(paper)
        elif result.accepted_evidence is None and _answers(result):
            check = CHECK_OF[paper.replaced_by]
            spared.append(NotBrought(paper, check.chinese, check.english, result.as_of))
        else:
            must.append(paper)
    return MaterialsList(tuple(must), tuple(spared), tuple(awaiting), tuple(idle))


def _answers(result: CheckResult) -> bool:
    if result.resource in _TELLING:
        return result.status is CheckStatus.ANSWERED and result.outcome in {Outcome.CLEAR, Outcome.HIT}
    return result.clear


def before_submission(form: ApplicationForm, availability: Mapping[str, bool], now: datetime) -> MaterialsList:
    """Compute the list before anything was asked, from what the departments can answer at this moment."""
    held = conditions_of(form, {})
    must: list[Paper] = []
    spared: list[NotBrought] = []
    idle: list[Paper] = []
    for paper in register():
        if paper.when not in held:
            idle.append(paper)
        elif paper.replaced_by in OWN_SOURCES:
            spared.append(NotBrought(paper, *OWN_SOURCES[paper.replaced_by], None))
        elif availability.get(paper.replaced_by, False):
            check = CHECK_OF[paper.replaced_by]
            spared.append(NotBrought(paper, check.chinese, check.english, now))
        else:
            must.append(paper)
    return MaterialsList(tuple(must), tuple(spared), (), tuple(idle))
