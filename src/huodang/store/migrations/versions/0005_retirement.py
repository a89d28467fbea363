"""The joint case: cases with history, clock, checks, decisions, public notices, joint items and notices told."""

import sqlalchemy as sa
from alembic import op

from huodang.store.columns import Instant, MonthType, RowNumber

revision = "0005_retirement"
down_revision = "0004_archive"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "retirement_case",
        sa.Column("case_id", sa.String(40), nullable=False),
        sa.Column("person_index", sa.String(64), nullable=False),
        sa.Column("live_index", sa.String(64)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("state_since", Instant(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("form_sealed", sa.Text(), nullable=False),
        sa.Column("applicant_kind", sa.String(20), nullable=False),
        sa.Column("applicant_user", sa.String(64), nullable=False),
        sa.Column("employer", sa.String(64), nullable=False),
        sa.Column("category", sa.String(10), nullable=False),
        sa.Column("route", sa.String(20), nullable=False),
        sa.Column("province", sa.String(20), nullable=False),
        sa.Column("region", sa.String(12), nullable=False),
        sa.Column("retirement_month", MonthType()),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("papers_asked", sa.JSON(), nullable=False),
        sa.Column("came_from", sa.String(20)),
        sa.Column("notice_required", sa.Boolean(), nullable=False),
        sa.Column("provisional_approved_by", sa.String(64)),
        sa.Column("window_reviewer", sa.String(64)),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("decision_number", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("submitted_at", Instant()),
        sa.Column("ended_at", Instant()),
        sa.Column("volume_id", sa.String(100)),
        sa.Column("papers_after", sa.Integer()),
        sa.PrimaryKeyConstraint("case_id", name="pk_retirement_case"),
        sa.UniqueConstraint("live_index", name="uq_retirement_case_live_index"),
    )
    op.create_index("ix_retirement_case_person_index", "retirement_case", ["person_index"])
    op.create_index("ix_retirement_case_state", "retirement_case", ["state"])
    op.create_table(
        "retirement_history",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("case_id", sa.String(40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(30), nullable=False),
        sa.Column("from_state", sa.String(20)),
        sa.Column("to_state", sa.String(20), nullable=False),
        sa.Column("actor_id", sa.String(64), nullable=False),
        sa.Column("actor_role", sa.String(30), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("note_sealed", sa.Text()),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.Column("ledger_entry", sa.String(80)),
        sa.PrimaryKeyConstraint("id", name="pk_retirement_history"),
        sa.UniqueConstraint("case_id", "sequence", name="uq_retirement_history_case_id_sequence"),
        _of_case("retirement_history"),
    )
    op.create_index("ix_retirement_history_case_id", "retirement_history", ["case_id"])
    op.create_table(
        "retirement_clock",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("case_id", sa.String(40), nullable=False),
        sa.Column("track", sa.String(130), nullable=False),
        sa.Column("party", sa.String(40), nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_retirement_clock"),
        _of_case("retirement_clock"),
    )
    op.create_index("ix_retirement_clock_case_id", "retirement_clock", ["case_id"])
    op.create_table(
        "retirement_check",
        sa.Column("case_id", sa.String(40), nullable=False),
        sa.Column("resource", sa.String(130), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("as_of", Instant()),
        sa.Column("asked_at", Instant()),
        sa.Column("answered_at", Instant()),
        sa.Column("fields_sealed", sa.Text()),
        sa.Column("grant_id", sa.String(128)),
        sa.Column("accepted_evidence", sa.String(100)),
        sa.Column("accepted_by", sa.String(64)),
        sa.Column("accepted_at", Instant()),
        sa.PrimaryKeyConstraint("case_id", "resource", name="pk_retirement_check"),
        _of_case("retirement_check"),
    )
    op.create_table(
        "retirement_decision",
        sa.Column("case_id", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(10), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("decision_sealed", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("final_at", Instant()),
        sa.Column("final_by", sa.String(64)),
        sa.PrimaryKeyConstraint("case_id", "number", name="pk_retirement_decision"),
        _of_case("retirement_decision"),
    )
    op.create_table(
        "retirement_public_notice",
        sa.Column("case_id", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("grounds", sa.JSON(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("objections", sa.Integer(), nullable=False),
        sa.Column("closed_at", Instant()),
        sa.PrimaryKeyConstraint("case_id", "number", name="pk_retirement_public_notice"),
        _of_case("retirement_public_notice"),
    )
    op.create_table(
        "retirement_item",
        sa.Column("case_id", sa.String(40), nullable=False),
        sa.Column("resource", sa.String(130), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("idempotency_key", sa.String(120), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant()),
        sa.Column("settled_at", Instant()),
        sa.Column("settled_by", sa.String(64)),
        sa.Column("evidence", sa.String(100)),
        sa.Column("grant_id", sa.String(128)),
        sa.PrimaryKeyConstraint("case_id", "resource", name="pk_retirement_item"),
        sa.UniqueConstraint("idempotency_key", name="uq_retirement_item_idempotency_key"),
        _of_case("retirement_item"),
    )
    op.create_table(
        "retirement_notice",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("case_id", sa.String(40), nullable=False),
        sa.Column("recipient", sa.String(10), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("occasion", sa.Integer(), nullable=False),
        sa.Column("chinese_sealed", sa.Text(), nullable=False),
        sa.Column("english_sealed", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_retirement_notice"),
        sa.UniqueConstraint(
            "case_id",
            "recipient",
            "kind",
            "occasion",
            name="uq_retirement_notice_case_id_recipient_kind_occasion",
        ),
        _of_case("retirement_notice"),
    )
    op.create_index("ix_retirement_notice_case_id", "retirement_notice", ["case_id"])


def downgrade() -> None:
    """Take the tables away again."""
    for table in (
        "retirement_notice",
        "retirement_item",
        "retirement_public_notice",
        "retirement_decision",
        "retirement_check",
        "retirement_clock",
        "retirement_history",
        "retirement_case",
    ):
        op.drop_table(table)


def _of_case(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["case_id"], ["retirement_case.case_id"], name=f"fk_{table}_case_id_retirement_case")
