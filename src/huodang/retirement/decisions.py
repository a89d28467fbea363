"""The decision on the pension: proposed when the checks are settled, final when the filing review passes."""

import hashlib
import json

from sqlalchemy import insert, update

from huodang.ledger import LedgerEntry
from huodang.retirement import records
from huodang.retirement.cases import DECISION_ELEMENT, FINAL, PROPOSED, decision_values
from huodang.retirement.engine import Change
from huodang.retirement.entitlement import Proposal
from huodang.trust import canonical_json


def propose(change: Change, proposal: Proposal) -> None:
    """Keep a proposal in place of an earlier one; a final decision is never overwritten."""
    case = change.case
    table = records.decision
    text = json.dumps(proposal.to_values(), ensure_ascii=False, sort_keys=True)
    values = {
        "stage": PROPOSED,
        "provisional": proposal.provisional,
        "decision_sealed": change.desk.sealer.seal(DECISION_ELEMENT, text, f"{case.case_id}:{case.decision_number}"),
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "proposed_at": change.now,
    }
    changed = change.connection.execute(
        update(table)
        .where(table.c.case_id == case.case_id, table.c.number == case.decision_number, table.c.stage == PROPOSED)
        .values(**values)
    )
    if changed.rowcount == 0:
        change.connection.execute(insert(table).values(case_id=case.case_id, number=case.decision_number, **values))


def finalise_decision(change: Change) -> None:
    """Make the proposed decision final, with who answers for it, and put it into the ledger."""
    case = change.case
    table = records.decision
    approved = case.provisional_approved_by is not None
    stands = table.c.case_id == case.case_id, table.c.number == case.decision_number
    found = decision_values(change.connection, change.desk.sealer, case)
    values = found[1] if found is not None else {}
    change.connection.execute(
        update(table)
        .where(*stands)
        .values(
            stage=FINAL,
            final_at=change.now,
            final_by=change.actor.user_id,
            provisional=bool(values.get("provisional")) or approved,
        )
    )
    change.updates["decided_by"] = change.actor.user_id
    facts = {
        "case": case.case_id,
        "number": str(case.decision_number),
        "window": case.window_reviewer or "",
        "filing": change.actor.user_id,
    }
    change.desk.ledger.record(
        change.connection, LedgerEntry("decision", change.now, facts), canonical_json({**facts, "decision": values})
    )


def reopen_decision(change: Change) -> None:
    """An appeal stands: what was decided stays on record, and a new decision begins beside it."""
    found = decision_values(change.connection, change.desk.sealer, change.case)
    if found is not None and found[0] == FINAL:
        change.updates["decision_number"] = change.case.decision_number + 1
    change.updates |= {
        "came_from": None,
        "reasons": [],
        "findings": {},
        "provisional_approved_by": None,
        "window_reviewer": None,
        "decided_by": None,
    }


def load_proposal(change: Change) -> Proposal | None:
    """Give the present decision's figures."""
    found = decision_values(change.connection, change.desk.sealer, change.case)
    return None if found is None else Proposal.from_values(found[1])
