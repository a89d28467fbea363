"""Supervision: facts with two clocks, recoveries, certifications."""

import sqlalchemy as sa
from alembic import op

revision = "0016_timeline"
down_revision = "0015_clues"
branch_labels = None
depends_on = None


def _number() -> sa.Column[int]:
    return sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _date(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Date, nullable=nullable)


def _string(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _boolean(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _fen(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "supervision_fact",
        _number(),
        _string("person_index", 32),
        _string("element", 64),
        _text("value"),
        _date("valid_from", nullable=True),
        _date("valid_to", nullable=True),
        _instant("known_at"),
        _instant("recorded_at"),
        _string("source", 128),
        _string("evidence", 128),
        _integer("replaces"),
        _string("entry_id", 32),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_fact"),
    )
    op.create_index("ix_supervision_fact_person", "supervision_fact", ["person_index", "element", "recorded_at"])
    op.create_index("ix_supervision_fact_replaces", "supervision_fact", ["replaces"])
    op.create_table(
        "supervision_statement",
        _number(),
        _string("person_index", 32),
        _string("scheme", 8),
        _string("digest", 64),
        _text("envelope"),
        _instant("made_at"),
        _string("entry_id", 32),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_statement"),
        sa.UniqueConstraint("digest", name="uq_supervision_statement_digest"),
    )
    op.create_index("ix_supervision_statement_person_index", "supervision_statement", ["person_index"])
    op.create_table(
        "supervision_recovery",
        _string("recovery_id", 32),
        _string("matter", 128),
        _string("person_index", 32),
        _text("identity"),
        _string("scheme", 8),
        _string("region", 6),
        _string("cause", 24),
        _string("debtor", 8),
        _string("bank", 64),
        _text("account"),
        _string("statement", 64),
        _fen("debt"),
        _fen("recovered"),
        _fen("written_off"),
        _fen("outstanding"),
        _instant("opened_at"),
        _string("opened_by", 128),
        _string("proposed_by", 128),
        _string("state", 24),
        _integer("sequence"),
        _date("step_since"),
        _date("due_on", nullable=True),
        _boolean("due_provisional"),
        _integer("days_used"),
        _string("stopped_state", 24),
        _boolean("overdue"),
        _date("closed_on", nullable=True),
        sa.PrimaryKeyConstraint("recovery_id", name="pk_supervision_recovery"),
        sa.CheckConstraint("debt = recovered + written_off + outstanding", name="ck_supervision_recovery_reconciled"),
        sa.CheckConstraint(
            "recovered >= 0 AND written_off >= 0 AND outstanding >= 0", name="ck_supervision_recovery_sums"
        ),
        sa.UniqueConstraint("matter", name="uq_supervision_recovery_matter"),
    )
    op.create_index("ix_supervision_recovery_due_on", "supervision_recovery", ["due_on"])
    op.create_index("ix_supervision_recovery_person_index", "supervision_recovery", ["person_index"])
    op.create_index("ix_supervision_recovery_state", "supervision_recovery", ["state"])
    op.create_table(
        "supervision_overpaid_month",
        _string("recovery_id", 32),
        _integer("revision"),
        _string("month", 6),
        _fen("paid"),
        _fen("due"),
        _string("code", 8),
        _text("law"),
        sa.PrimaryKeyConstraint("recovery_id", "revision", "month", name="pk_supervision_overpaid_month"),
        sa.ForeignKeyConstraint(
            ["recovery_id"], ["supervision_recovery.recovery_id"], name="fk_supervision_overpaid_month_debt"
        ),
    )
    op.create_table(
        "supervision_recovery_movement",
        _number(),
        _string("recovery_id", 32),
        _string("means", 24),
        _fen("amount"),
        _date("moved_on"),
        _string("reference", 128),
        _string("by", 128),
        _instant("at"),
        _string("entry_id", 32),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_recovery_movement"),
        sa.UniqueConstraint(
            "recovery_id", "means", "reference", name="uq_supervision_recovery_movement_recovery_id_means_reference"
        ),
        sa.ForeignKeyConstraint(
            ["recovery_id"], ["supervision_recovery.recovery_id"], name="fk_supervision_recovery_movement_debt"
        ),
    )
    op.create_table(
        "supervision_recovery_plan",
        _string("recovery_id", 32),
        _integer("revision"),
        _integer("line"),
        _string("month", 6),
        _string("means", 24),
        _fen("amount"),
        sa.PrimaryKeyConstraint("recovery_id", "revision", "line", name="pk_supervision_recovery_plan"),
        sa.ForeignKeyConstraint(
            ["recovery_id"], ["supervision_recovery.recovery_id"], name="fk_supervision_recovery_plan_debt"
        ),
    )
    op.create_table(
        "supervision_recovery_history",
        _number(),
        _string("recovery_id", 32),
        _integer("sequence"),
        _instant("at"),
        _string("from_state", 24),
        _string("event", 24),
        _string("to_state", 24),
        _string("by", 128),
        _string("role", 64),
        _string("policy", 256),
        _text("note"),
        _string("entry_id", 32),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_recovery_history"),
        sa.UniqueConstraint("recovery_id", "sequence", name="uq_supervision_recovery_history_recovery_id_sequence"),
        sa.ForeignKeyConstraint(
            ["recovery_id"], ["supervision_recovery.recovery_id"], name="fk_supervision_recovery_history_debt"
        ),
    )
    op.create_table(
        "supervision_claw_back",
        _string("batch_id", 32),
        _string("bank", 64),
        _integer("lines"),
        _fen("amount"),
        _instant("issued_at"),
        _string("issued_by", 128),
        _string("entry_id", 32),
        _string("answer_digest", 64),
        _instant("answered_at", nullable=True),
        sa.PrimaryKeyConstraint("batch_id", name="pk_supervision_claw_back"),
    )
    op.create_table(
        "supervision_claw_back_line",
        _string("batch_id", 32),
        _integer("line"),
        _string("recovery_id", 32),
        _fen("asked"),
        _fen("returned", nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "line", name="pk_supervision_claw_back_line"),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["supervision_claw_back.batch_id"], name="fk_supervision_claw_back_line_batch"
        ),
        sa.ForeignKeyConstraint(
            ["recovery_id"], ["supervision_recovery.recovery_id"], name="fk_supervision_claw_back_line_debt"
        ),
    )
    op.create_index("ix_supervision_claw_back_line_recovery_id", "supervision_claw_back_line", ["recovery_id"])
    op.create_table(
        "supervision_certification",
        _string("person_index", 32),
        _text("identity"),
        _string("region", 6),
        _string("state", 16),
        _integer("sequence"),
        _date("since"),
        _date("proved_on"),
        _string("proved_by", 32),
        _date("due_on"),
        _date("next_step_on", nullable=True),
        _integer("reminders"),
        sa.PrimaryKeyConstraint("person_index", name="pk_supervision_certification"),
    )
    op.create_index("ix_supervision_certification_step", "supervision_certification", ["state", "next_step_on"])
    op.create_table(
        "supervision_proof",
        _number(),
        _string("person_index", 32),
        _date("proved_on"),
        _integer("day"),
        _string("means", 32),
        _string("source", 128),
        _string("digest", 64),
        _string("standing", 12),
        _instant("recorded_at"),
        _string("run_id", 64),
        _integer("part"),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_proof"),
        sa.UniqueConstraint("person_index", "means", "proved_on", name="uq_supervision_proof_said_once"),
    )
    op.create_index("ix_supervision_proof_run", "supervision_proof", ["run_id", "part", "standing", "proved_on"])
    op.create_table(
        "supervision_certification_history",
        _number(),
        _string("person_index", 32),
        _integer("sequence"),
        _instant("at"),
        _string("from_state", 16),
        _string("event", 16),
        _string("to_state", 16),
        _string("by", 128),
        _string("run_id", 64),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_certification_history"),
        sa.UniqueConstraint("person_index", "sequence", name="uq_supervision_certification_history_sequence"),
    )
    op.create_table(
        "supervision_certification_run",
        _string("run_id", 64),
        _string("kind", 16),
        _string("means", 32),
        _string("digest", 64),
        _integer("rows_done"),
        _text("counts"),
        _instant("begun_at"),
        _instant("ended_at", nullable=True),
        _string("by", 128),
        _string("entry_id", 32),
        sa.PrimaryKeyConstraint("run_id", name="pk_supervision_certification_run"),
    )


def downgrade() -> None:
    """Take them away."""
    for name in (
        "supervision_certification_run",
        "supervision_certification_history",
        "supervision_proof",
        "supervision_certification",
        "supervision_claw_back_line",
        "supervision_claw_back",
        "supervision_recovery_history",
        "supervision_recovery_plan",
        "supervision_recovery_movement",
        "supervision_overpaid_month",
        "supervision_recovery",
        "supervision_statement",
        "supervision_fact",
    ):
        op.drop_table(name)
