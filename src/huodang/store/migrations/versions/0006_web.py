"""Accounts, sessions, citizens' access codes and the ferry desk."""

import sqlalchemy as sa
from alembic import op

revision = "0006_web"
down_revision = "0005_retirement"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "web_user",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("employer", sa.String(100), nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_web_user"),
    )
    op.create_table(
        "web_account_event",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("by_user", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_web_account_event"),
    )
    op.create_index("ix_web_account_event_at", "web_account_event", ["at"])
    op.create_table(
        "web_sign_in_failure",
        sa.Column("name_key", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("name_key", name="pk_web_sign_in_failure"),
    )
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_web_session"),
    )
    op.create_index("ix_web_session_holder", "web_session", ["holder"])
    op.create_table(
        "web_access_code",
        sa.Column("subject_index", sa.String(128), primary_key=True),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.String(64), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_index", name="pk_web_access_code"),
    )
    op.create_table(
        "web_ferry_request",
        sa.Column("request_id", sa.String(64), primary_key=True),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.String(60)),
        sa.PrimaryKeyConstraint("request_id", name="pk_web_ferry_request"),
    )


def downgrade() -> None:
    """Take the tables away again."""
    for table in (
        "web_ferry_request",
        "web_access_code",
        "web_session",
        "web_sign_in_failure",
        "web_account_event",
        "web_user",
    ):
        op.drop_table(table)
