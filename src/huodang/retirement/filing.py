"""Filing the volume: what was asked, answered, decided and done, put together as items and filed once."""

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from huodang.archive import ItemDraft, VolumeDraft
from huodang.retirement import records
from huodang.retirement.cases import (
    FINAL,
    NOTE_ELEMENT,
    CaseRecord,
    checks_of,
    clock_of,
    decision_values,
    form_of,
    load_many,
    notices_of,
)
from huodang.retirement.desk import Desk
from huodang.retirement.engine import Engine
from huodang.retirement.item_effects import SCHEME
from huodang.retirement.materials import after_answers
from huodang.retirement.states import Event, State
from huodang.standards import IdentityNumber, PersonName
from huodang.store import Job, LeaseLost, jobs, shanghai_date, utc_text

_REVIEWS = frozenset({Event.WINDOW_PASS.value, Event.FILING_PASS.value, Event.FILING_SEND_BACK.value})


class FilingHandler:
    """Files the volumes of a batch of cases and completes them."""

    def __init__(self, desk: Desk, engine: Engine) -> None:
        self._desk = desk
        self._engine = engine

    def __call__(self, batch: list[Job]) -> None:
        """Put the volumes together and write their items aside, then file them and complete the cases at one stroke."""
        desk = self._desk
        with desk.database.read() as connection:
            cases = load_many(connection, [job.payload["case"] for job in batch])
            drafts = {
                case.case_id: volume_of(connection, desk, case) for case in cases.values() if case.state is State.FILING
            }
        staged = {case_id: desk.volumes.stage(draft) for case_id, draft in drafts.items()}
        with desk.database.begin() as connection:
            locked = load_many(connection, list(cases), lock=True)
            for job in batch:
                try:
                    jobs.complete(connection, job)
                except LeaseLost:
                    continue
                case_id = job.payload["case"]
                case = locked.get(case_id)
                if case is None or case.state is not State.FILING or case_id not in staged:
                    continue
                record = desk.volumes.file(connection, staged[case_id])
                self._engine.apply(
                    connection,
                    case_id,
                    Event.VOLUME_FILED,
                    desk.system,
                    data={"volume_id": record.archival_code},
                    case=case,
                )


def volume_of(connection: Connection, desk: Desk, case: CaseRecord) -> VolumeDraft:
    """Put a case's volume together."""
    form = form_of(desk.sealer, case)
    checks = checks_of(connection, desk.sealer, [case.case_id])[case.case_id]
    today = desk.clock.today()
    items = [_item("application", form.to_values(), case.submitted_at or case.created_at)]
    for resource, result in checks.items():
        envelopes = desk.exchange.verdicts_of(connection, result.grant_id) if result.grant_id else []
        items += [
            ItemDraft("verdict", one.to_json().encode(), label=resource, made_on=_day(result.answered_at, today))
            for one in envelopes
        ]
        if result.accepted_evidence is not None:
            kept = {"check": resource, "evidence": result.accepted_evidence, "by": result.accepted_by}
            items.append(_item("review", kept, result.accepted_at or case.created_at, label=resource))
    decision = decision_values(connection, desk.sealer, case)
    if decision is not None:
        stage, values = decision
        trace = {"trace": values["trace"], "laws": values["laws"]}
        items.append(_item("decision", {**values, "trace": [], "stage": stage}, case.state_since))
        items.append(_item("trace", trace, case.state_since))
    history = _history(connection, desk, case)
    items += [_item("review", row, row["at"], label=row["event"]) for row in history if row["event"] in _REVIEWS]
    items += [_item("notice", asdict(notice), case.state_since) for notice in notices_of(connection, case.case_id)]
    items += [_item("joint_item", row, row["settled_at"], label=row["resource"]) for row in _items(connection, case)]
    materials = after_answers(form, checks)
    listed = {
        "must_bring": [paper.identifier for paper in materials.must_bring],
        "not_brought": [
            {"paper": one.paper.identifier, "source": one.source_chinese, "as_of": one.as_of}
            for one in materials.not_brought
        ],
    }
    items.append(_item("materials", listed, case.state_since))
    clock = [asdict(entry) for entry in clock_of(connection, case.case_id)]
    items.append(_item("work_record", {"history": history, "clock": clock}, case.state_since))
    return VolumeDraft(
        case_id=case.case_id,
        identity_number=IdentityNumber.parse(form.identity_number),
        name=PersonName.parse(form.name),
        scheme=SCHEME,
        items=tuple(items),
        part=_part(connection, case),
    )


def _part(connection: Connection, case: CaseRecord) -> int:
    """Say which volume of the case this is: each final decision has its own, an appeal's beside the first."""
    table = records.decision
    final = select(func.count()).where(table.c.case_id == case.case_id, table.c.stage == FINAL)
    return max(1, connection.execute(final).scalar_one())


def _item(kind: str, content: object, made: datetime | None, label: str = "") -> ItemDraft:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1, default=_plain)
    return ItemDraft(kind, text.encode(), label=label, made_on=None if made is None else shanghai_date(made))


def _plain(value: object) -> str:
    return utc_text(value) if isinstance(value, datetime) else str(value)


def _day(instant: datetime | None, today: date) -> date:
    return today if instant is None else shanghai_date(instant)


def _history(connection: Connection, desk: Desk, case: CaseRecord) -> list[dict[str, Any]]:
    table = records.history
    rows = connection.execute(select(table).where(table.c.case_id == case.case_id).order_by(table.c.sequence))
    return [
        {
            "sequence": row.sequence,
            "event": row.event,
            "from": row.from_state,
            "to": row.to_state,
            "by": row.actor_id,
            "role": row.actor_role,
            "at": row.at,
            "codes": row.codes,
            "note": ""
            if row.note_sealed is None
            else desk.sealer.open(NOTE_ELEMENT, row.note_sealed, f"{case.case_id}:{row.sequence}"),
        }
        for row in rows
    ]


def _items(connection: Connection, case: CaseRecord) -> list[dict[str, Any]]:
    table = records.item
    rows = connection.execute(select(table).where(table.c.case_id == case.case_id).order_by(table.c.resource))
    return [
        {
            "resource": row.resource,
            "status": row.status,
            "reason": row.reason,
            "key": row.idempotency_key,
            "settled_at": row.settled_at,
            "settled_by": row.settled_by,
            "evidence": row.evidence,
        }
        for row in rows
    ]
