"""Supervision: clues, payment control, notices, monthly lists."""

import sqlalchemy as sa
from alembic import op

revision = "0015_clues"
down_revision = "0014_sharing"
branch_labels = None
depends_on = None


def _number() -> sa.Column[int]:
    return sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _string(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _month(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(6), nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _boolean(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _date(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Date, nullable=nullable)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "supervision_clue",
        _string("clue_id", 64),
        _string("matter", 64),
        _string("rule", 64),
        _string("person_index", 64),
        _text("identity"),
        _string("region", 6),
        _string("state", 16),
        _integer("sequence"),
        _integer("tier"),
        _string("measure", 16),
        _string("reason", 32),
        _big("fen"),
        _boolean("candidate"),
        _instant("opened_at"),
        _date("step_since"),
        _date("due_on", nullable=True),
        _boolean("due_provisional"),
        _boolean("overdue"),
        _string("assigned_to", 128),
        _string("locked_by", 128),
        _string("proposed_by", 128),
        _string("decided_by", 128),
        _instant("decided_at", nullable=True),
        _string("outcome", 16),
        _string("fact_from", 10),
        _text("law"),
        _string("merged_into", 64),
        _string("live_key", 160, nullable=True),
        sa.PrimaryKeyConstraint("clue_id", name="pk_supervision_clue"),
        sa.UniqueConstraint("live_key", name="uq_supervision_clue_live_key"),
    )
    op.create_index("ix_supervision_clue_due", "supervision_clue", ["due_on"])
    op.create_index("ix_supervision_clue_person", "supervision_clue", ["person_index", "matter"])
    op.create_index("ix_supervision_clue_queue", "supervision_clue", ["state", "tier", "fen", "due_on"])
    op.create_table(
        "supervision_clue_signal",
        _number(),
        _string("clue_id", 64),
        _string("register", 64),
        _string("kind", 64),
        _string("stance", 8),
        _string("digest", 64),
        _string("copy_of", 64),
        _boolean("confirmed"),
        _boolean("fuzzy"),
        _text("fact"),
        _instant("known_at"),
        _instant("added_at"),
        _instant("withdrawn_at", nullable=True),
        _string("counted", 8),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_clue_signal"),
        sa.ForeignKeyConstraint(
            ["clue_id"], ["supervision_clue.clue_id"], name="fk_supervision_clue_signal_clue_id_supervision_clue"
        ),
        sa.UniqueConstraint("clue_id", "digest", name="uq_supervision_clue_signal_clue_id_digest"),
    )
    op.create_index("ix_supervision_clue_signal_digest", "supervision_clue_signal", ["digest"])
    op.create_table(
        "supervision_clue_finding",
        _number(),
        _string("clue_id", 64),
        _string("run_id", 128),
        _string("rule", 64),
        _string("scheme", 8),
        _text("months"),
        _big("fen"),
        _string("evidence", 64),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_clue_finding"),
        sa.ForeignKeyConstraint(
            ["clue_id"], ["supervision_clue.clue_id"], name="fk_supervision_clue_finding_clue_id_supervision_clue"
        ),
        sa.UniqueConstraint("clue_id", "run_id", "rule", "scheme", "evidence", name="uq_supervision_clue_finding_once"),
    )
    op.create_table(
        "supervision_clue_evidence",
        _string("clue_id", 64),
        _string("digest", 64),
        _text("sealed"),
        _string("run_id", 128),
        _instant("frozen_at"),
        _string("entry_id", 32),
        sa.PrimaryKeyConstraint("clue_id", "digest", name="pk_supervision_clue_evidence"),
        sa.ForeignKeyConstraint(
            ["clue_id"], ["supervision_clue.clue_id"], name="fk_supervision_clue_evidence_clue_id_supervision_clue"
        ),
    )
    op.create_table(
        "supervision_clue_opinion",
        _number(),
        _string("clue_id", 64),
        _string("department", 64),
        _string("asked_by", 128),
        _instant("asked_at"),
        _date("due_on"),
        _string("answer", 8),
        _string("answered_by", 128),
        _instant("answered_at", nullable=True),
        _string("evidence", 64),
        _text("note"),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_clue_opinion"),
        sa.ForeignKeyConstraint(
            ["clue_id"], ["supervision_clue.clue_id"], name="fk_supervision_clue_opinion_clue_id_supervision_clue"
        ),
    )
    op.create_index("ix_supervision_clue_opinion_clue_id", "supervision_clue_opinion", ["clue_id"])
    op.create_table(
        "supervision_clue_history",
        _number(),
        _string("clue_id", 64),
        _integer("sequence"),
        _instant("at"),
        _string("from_state", 16),
        _string("event", 24),
        _string("to_state", 16),
        _string("by", 128),
        _string("role", 64),
        _string("department", 64),
        _string("policy", 256),
        _text("note"),
        _text("law"),
        _string("entry_id", 32),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_clue_history"),
        sa.ForeignKeyConstraint(
            ["clue_id"], ["supervision_clue.clue_id"], name="fk_supervision_clue_history_clue_id_supervision_clue"
        ),
        sa.UniqueConstraint("clue_id", "sequence", name="uq_supervision_clue_history_clue_id_sequence"),
    )
    op.create_table(
        "supervision_register_record",
        _string("register", 64),
        _string("kind", 64),
        _integer("right"),
        _integer("wrong"),
        sa.PrimaryKeyConstraint("register", "kind", name="pk_supervision_register_record"),
    )
    op.create_table(
        "supervision_clue_run",
        _string("run_id", 128),
        _instant("taken_at"),
        _string("taken_by", 128),
        _integer("findings"),
        _integer("clues"),
        sa.PrimaryKeyConstraint("run_id", name="pk_supervision_clue_run"),
    )
    op.create_table(
        "supervision_payment",
        _string("person_index", 64),
        _string("scheme", 8),
        _text("identity"),
        _string("region", 6),
        _string("state", 16),
        _integer("sequence"),
        _instant("since"),
        sa.PrimaryKeyConstraint("person_index", "scheme", name="pk_supervision_payment"),
    )
    op.create_index("ix_supervision_payment_state", "supervision_payment", ["state"])
    op.create_table(
        "supervision_ground",
        _number(),
        _string("clue_id", 64),
        _string("person_index", 64),
        _string("scheme", 8),
        _string("kind", 8),
        _string("basis", 16),
        _month("from_month"),
        _month("until_month", nullable=True),
        _instant("begun_at"),
        _string("judged_by", 128),
        _instant("judged_at", nullable=True),
        _instant("ended_at", nullable=True),
        _string("ended_why", 16),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_ground"),
        sa.ForeignKeyConstraint(
            ["clue_id"], ["supervision_clue.clue_id"], name="fk_supervision_ground_clue_id_supervision_clue"
        ),
    )
    op.create_index("ix_supervision_ground_clue_id", "supervision_ground", ["clue_id"])
    op.create_index("ix_supervision_ground_payment", "supervision_ground", ["person_index", "scheme"])
    op.create_index(
        "uq_supervision_ground_hold",
        "supervision_ground",
        ["clue_id", "scheme"],
        unique=True,
        sqlite_where=sa.text("kind = 'hold'"),
        postgresql_where=sa.text("kind = 'hold'"),
    )
    op.create_table(
        "supervision_payment_history",
        _number(),
        _string("person_index", 64),
        _string("scheme", 8),
        _integer("sequence"),
        _instant("at"),
        _string("from_state", 16),
        _string("event", 16),
        _string("to_state", 16),
        _string("clue_id", 64),
        _string("by", 128),
        _string("role", 64),
        _string("policy", 256),
        _text("note"),
        _string("notice_id", 64),
        _string("entry_id", 32),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_payment_history"),
        sa.UniqueConstraint(
            "person_index", "scheme", "sequence", name="uq_supervision_payment_history_person_index_scheme_sequence"
        ),
    )
    op.create_table(
        "supervision_withheld",
        _number(),
        _string("list_id", 64),
        _big("row"),
        _string("person_index", 64),
        _string("scheme", 8),
        _month("month"),
        _big("fen"),
        _string("clue_id", 64),
        _instant("withheld_at"),
        _instant("paid_back_at", nullable=True),
        _big("payment_id", nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_supervision_withheld"),
        sa.UniqueConstraint("list_id", "row", name="uq_supervision_withheld_list_id_row"),
    )
    op.create_index("ix_supervision_withheld_payment", "supervision_withheld", ["person_index", "scheme"])
    op.create_table(
        "supervision_notice",
        _string("notice_id", 64),
        _string("person_index", 64),
        _string("scheme", 8),
        _string("clue_id", 64),
        _string("kind", 32),
        _instant("written_at"),
        _text("told"),
        _string("entry_id", 32),
        sa.PrimaryKeyConstraint("notice_id", name="pk_supervision_notice"),
    )
    op.create_index("ix_supervision_notice_clue_id", "supervision_notice", ["clue_id"])
    op.create_index("ix_supervision_notice_person_index", "supervision_notice", ["person_index"])
    op.create_table(
        "supervision_paylist",
        _string("list_id", 64),
        _month("month"),
        _string("state", 16),
        _string("digest", 64),
        _string("controls", 64),
        _string("clean_digest", 64),
        _string("withheld_digest", 64),
        _text("totals"),
        _string("checked_by", 128),
        _instant("checked_at"),
        _string("released_by", 128),
        _instant("released_at", nullable=True),
        _string("entry_id", 32),
        sa.PrimaryKeyConstraint("list_id", name="pk_supervision_paylist"),
    )
    op.create_index(
        "uq_supervision_paylist_released",
        "supervision_paylist",
        ["digest"],
        unique=True,
        sqlite_where=sa.text("state = 'released'"),
        postgresql_where=sa.text("state = 'released'"),
    )
    op.create_table(
        "supervision_paylist_line",
        _string("list_id", 64),
        _big("row"),
        _string("person_index", 64),
        _string("scheme", 8),
        _big("fen"),
        _string("clue_id", 64),
        _string("why", 16),
        sa.PrimaryKeyConstraint("list_id", "row", name="pk_supervision_paylist_line"),
        sa.ForeignKeyConstraint(
            ["list_id"], ["supervision_paylist.list_id"], name="fk_supervision_paylist_line_list_id_supervision_paylist"
        ),
    )


def downgrade() -> None:
    """Take them away."""
    for name in (
        "supervision_paylist_line",
        "supervision_paylist",
        "supervision_notice",
        "supervision_withheld",
        "supervision_payment_history",
        "supervision_ground",
        "supervision_payment",
        "supervision_clue_run",
        "supervision_register_record",
        "supervision_clue_history",
        "supervision_clue_opinion",
        "supervision_clue_evidence",
        "supervision_clue_finding",
        "supervision_clue_signal",
        "supervision_clue",
    ):
        op.drop_table(name)
