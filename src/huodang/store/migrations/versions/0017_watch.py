"""Supervision: payees, lag, what the events missed."""

import sqlalchemy as sa
from alembic import op

revision = "0017_watch"
down_revision = "0016_timeline"
branch_labels = None
depends_on = None


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _count(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _day(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Date, nullable=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "supervision_payee",
        _text("person_index", 32),
        _text("scheme", 64),
        _text("payer", 64),
        _count("generation"),
        _text("since", 6),
        _text("first", 6),
        _text("last", 6, nullable=True),
        _number("fen"),
        _text("region", 12),
        _text("account", 16),
        _count("ended", nullable=True),
        sa.PrimaryKeyConstraint("person_index", "scheme", "payer", "generation", name="pk_supervision_payee"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "supervision_payee_list",
        _text("payer", 64),
        _count("generation"),
        _text("month", 6),
        sa.PrimaryKeyConstraint("payer", name="pk_supervision_payee_list"),
    )
    op.create_table(
        "supervision_payee_load",
        _text("payer", 64),
        _count("generation"),
        _text("month", 6),
        _text("digest", 64),
        _text("state", 8),
        _count("slices"),
        _number("rows"),
        _number("fen"),
        _number("added"),
        _number("changed"),
        _number("gone"),
        _instant("begun_at"),
        _instant("taken_at", nullable=True),
        sa.PrimaryKeyConstraint("payer", "generation", name="pk_supervision_payee_load"),
    )
    op.create_table(
        "supervision_watched_event",
        _text("event_id", 160),
        _text("person_index", 64),
        _text("kind", 24),
        _text("change", 12),
        _text("department", 64),
        _text("row", 64),
        _text("digest", 64),
        _number("fact"),
        _day("happened_from"),
        _day("happened_to"),
        _instant("recorded_at"),
        _instant("received_at"),
        _instant("handled_at"),
        _count("payees"),
        _text("clue_id", 64),
        _text("measure", 16),
        _instant("withdrawn_at", nullable=True),
        sa.PrimaryKeyConstraint("event_id", name="pk_supervision_watched_event"),
    )
    op.create_index("ix_supervision_watched_event_person", "supervision_watched_event", ["person_index", "kind"])
    op.create_index("ix_supervision_watched_event_received", "supervision_watched_event", ["kind", "received_at"])
    op.create_index("ix_supervision_watched_event_row", "supervision_watched_event", ["row"])
    op.create_table(
        "supervision_watched_hold",
        _text("clue_id", 64),
        _text("person_index", 64),
        _instant("held_at"),
        sa.PrimaryKeyConstraint("clue_id", name="pk_supervision_watched_hold"),
    )
    op.create_index("ix_supervision_watched_hold_person", "supervision_watched_hold", ["person_index"])
    op.create_table(
        "supervision_watch_confirmation",
        _text("run_id", 64),
        _instant("compared_at"),
        sa.Column("lines", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_supervision_watch_confirmation"),
    )
    op.create_table(
        "supervision_watch_missed",
        _text("run_id", 64),
        _text("rule", 64),
        _text("person_index", 64),
        _text("scheme", 64),
        _number("fen"),
        _text("reason", 24),
        _text("clue_id", 64),
        sa.PrimaryKeyConstraint("run_id", "rule", "person_index", "scheme", name="pk_supervision_watch_missed"),
    )


def downgrade() -> None:
    """Take them away."""
    for name in (
        "watch_missed",
        "watch_confirmation",
        "watched_hold",
        "watched_event",
        "payee_load",
        "payee_list",
        "payee",
    ):
        op.drop_table(f"supervision_{name}")
