"""The room's tables. Personal values stand sealed; codes, days and digests stand open.

A case is one row that moves; everything that happened to it is a row that is only ever added (`retirement_history`).
"""

from sqlalchemy import JSON, Boolean, Column, Date, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from huodang.store import Instant, MonthType, RowNumber, metadata


def _case_column() -> Column[str]:
    return Column("case_id", String(40), ForeignKey("retirement_case.case_id"), nullable=False, index=True)


case = Table(
    "retirement_case",
    metadata,
    Column("case_id", String(40), primary_key=True),
    # Blind index of the identity number; `live_index` is the same while the case holds the person, and unique.
    Column("person_index", String(64), nullable=False, index=True),
    Column("live_index", String(64), unique=True),
    Column("state", String(20), nullable=False, index=True),
    Column("state_since", Instant, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("form_sealed", Text, nullable=False),
    Column("applicant_kind", String(20), nullable=False),
    Column("applicant_user", String(64), nullable=False),
    # Number of the employer whose clerk filed it; "" otherwise.
    Column("employer", String(64), nullable=False),
    Column("category", String(10), nullable=False),
    Column("route", String(20), nullable=False),
    Column("province", String(20), nullable=False),
    Column("region", String(12), nullable=False),
    Column("retirement_month", MonthType),
    Column("reasons", JSON, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("papers_asked", JSON, nullable=False),
    # The state from which papers were asked for or against which the appeal is.
    Column("came_from", String(20)),
    Column("notice_required", Boolean, nullable=False),
    Column("provisional_approved_by", String(64)),
    Column("window_reviewer", String(64)),
    Column("decided_by", String(64)),
    # Counts up when an appeal reopens a decision, so that its actions are new ones.
    Column("decision_number", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("submitted_at", Instant),
    Column("ended_at", Instant),
    Column("volume_id", String(100)),
    Column("papers_after", Integer),
)

history = Table(
    "retirement_history",
    metadata,
    Column("id", RowNumber, primary_key=True),
    _case_column(),
    Column("sequence", Integer, nullable=False),
    Column("event", String(30), nullable=False),
    Column("from_state", String(20)),
    Column("to_state", String(20), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_role", String(30), nullable=False),
    Column("at", Instant, nullable=False),
    Column("note_sealed", Text),
    Column("codes", JSON, nullable=False),
    Column("ledger_entry", String(80)),
    UniqueConstraint("case_id", "sequence"),
)

clock_entry = Table(
    "retirement_clock",
    metadata,
    Column("id", RowNumber, primary_key=True),
    _case_column(),
    # `case` for the case's own track; the resource for a department's track beside it.
    Column("track", String(130), nullable=False),
    Column("party", String(40), nullable=False),
    Column("step", String(20), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
)

check = Table(
    "retirement_check",
    metadata,
    Column("case_id", String(40), ForeignKey("retirement_case.case_id"), primary_key=True),
    Column("resource", String(130), primary_key=True),
    Column("provider", String(64), nullable=False),
    # Counts up when a check is asked anew, so that a late answer to an older question changes nothing.
    Column("round", Integer, nullable=False),
    Column("status", String(12), nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("as_of", Instant),
    Column("asked_at", Instant),
    Column("answered_at", Instant),
    Column("fields_sealed", Text),
    Column("grant_id", String(128)),
    Column("accepted_evidence", String(100)),
    Column("accepted_by", String(64)),
    Column("accepted_at", Instant),
)

decision = Table(
    "retirement_decision",
    metadata,
    Column("case_id", String(40), ForeignKey("retirement_case.case_id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("stage", String(10), nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("decision_sealed", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("final_at", Instant),
    Column("final_by", String(64)),
)

public_notice = Table(
    "retirement_public_notice",
    metadata,
    Column("case_id", String(40), ForeignKey("retirement_case.case_id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("grounds", JSON, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("objections", Integer, nullable=False),
    Column("closed_at", Instant),
)

item = Table(
    "retirement_item",
    metadata,
    Column("case_id", String(40), ForeignKey("retirement_case.case_id"), primary_key=True),
    Column("resource", String(130), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("idempotency_key", String(120), nullable=False, unique=True),
    Column("status", String(12), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", Instant),
    Column("settled_at", Instant),
    Column("settled_by", String(64)),
    Column("evidence", String(100)),
    Column("grant_id", String(128)),
)

message = Table(
    "retirement_notice",
    metadata,
    Column("id", RowNumber, primary_key=True),
    _case_column(),
    Column("recipient", String(10), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("occasion", Integer, nullable=False),
    Column("chinese_sealed", Text, nullable=False),
    Column("english_sealed", Text, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("case_id", "recipient", "kind", "occasion"),
)
