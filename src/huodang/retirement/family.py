"""What the family is offered when the applicant has died: figures where the parameters exist, else what is missing."""

from datetime import date

from huodang.pension import ParameterMissing, funeral_and_survivor
from huodang.retirement.cases import checks_of, form_of
from huodang.retirement.determination import CONTRIBUTIONS, Determination
from huodang.retirement.engine import Change
from huodang.retirement.texts import fill, tell
from huodang.retirement.work_record import RecordFault, WorkRecord
from huodang.standards import HuodangError, Month

_UNKNOWN = ("待核定", "to be determined")


def offer_family_benefits(change: Change) -> None:
    """Tell the family what it may claim.

    Source: rules R-DTH-02 and R-DTH-03 by way of the pension room.
    """
    desk, case = change.desk, change.case
    form = form_of(desk.sealer, case)
    determination: Determination | None = change.data.get("determination")
    died_on = determination.died_on if determination is not None else _day(change.data.get("died_on"))
    funeral, survivor = _grants(change, form.province, died_on or desk.clock.today())
    shared = {"name": form.name, "case": case.case_id}
    texts = fill(
        "family_benefits",
        {**shared, "funeral": funeral[0], "survivor": survivor[0]},
        {**shared, "funeral": funeral[1], "survivor": survivor[1]},
    )
    tell(
        change.connection,
        desk.sealer,
        case.case_id,
        recipient="person",
        kind="family_benefits",
        occasion=change.sequence,
        texts=texts,
        now=change.now,
    )


def _grants(change: Change, province: str, died_on: date) -> tuple[tuple[str, str], tuple[str, str]]:
    """Work out both grants, each as a Chinese and an English text."""
    checks = checks_of(change.connection, change.desk.sealer, [change.case.case_id])[change.case.case_id]
    answered = checks.get(CONTRIBUTIONS)
    try:
        if answered is None or not answered.fields:
            return _UNKNOWN, _UNKNOWN
        record = WorkRecord.parse(answered.fields)
        grants = funeral_and_survivor(
            record.province or province, Month.of(died_on), record.total_months, retired=False
        )
    except ParameterMissing as missing:
        text = (f"待核定（缺少参数 {missing.parameter}）", f"to be determined (parameter {missing.parameter} missing)")
        return text, text
    except (RecordFault, HuodangError):
        return _UNKNOWN, _UNKNOWN
    months = grants.survivor_months
    return (
        (f"{grants.funeral.text} 元", f"{grants.funeral.text} yuan"),
        (f"{grants.survivor.text} 元（{months} 个月）", f"{grants.survivor.text} yuan ({months} months)"),
    )


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
