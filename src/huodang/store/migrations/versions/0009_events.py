"""Events from the departments and who has taken them."""

import sqlalchemy as sa
from alembic import op

revision = "0009_events"
down_revision = "0008_lots"
branch_labels = None
depends_on = None


def _row_number() -> sa.Column[int]:
    return sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "exchange_event_stream",
        _text("resource", 129),
        _text("provider", 64),
        _text("epoch", 128),
        _number("cursor"),
        _number("latest"),
        _instant("answered_at", nullable=True),
        _text("alarm", 64),
        _instant("alarm_at", nullable=True),
        sa.PrimaryKeyConstraint("resource", name="pk_exchange_event_stream"),
    )
    op.create_table(
        "exchange_event_batch",
        _text("resource", 129),
        _text("epoch", 128),
        _number("first"),
        _number("last"),
        sa.Column("envelope", sa.Text, nullable=False),
        _text("grant_id", 128),
        _instant("received_at"),
        _text("entry_id", 32),
        sa.PrimaryKeyConstraint("resource", "epoch", "first", name="pk_exchange_event_batch"),
    )
    op.create_table(
        "exchange_event",
        _row_number(),
        _text("event_id", 160),
        _text("resource", 129),
        _text("provider", 64),
        _text("epoch", 128),
        _number("sequence"),
        _text("type", 128),
        _text("change", 16),
        _text("person", 32),
        _text("row", 32),
        _instant("noticed_at"),
        _instant("received_at"),
        _text("digest", 64),
        sa.Column("text", sa.Text, nullable=False),
        _text("suite", 16),
        _text("key", 200),
        _number("batch_first"),
        sa.PrimaryKeyConstraint("number", name="pk_exchange_event"),
        sa.UniqueConstraint("resource", "epoch", "sequence", name="uq_exchange_event_resource_epoch_sequence"),
        sa.UniqueConstraint("event_id", name="uq_exchange_event_event_id"),
    )
    op.create_index("ix_exchange_event_person", "exchange_event", ["person"])
    op.create_table(
        "exchange_event_handler",
        _text("name", 64),
        _number("position"),
        sa.PrimaryKeyConstraint("name", name="pk_exchange_event_handler"),
    )
    op.create_table(
        "exchange_event_held",
        _text("handler", 64),
        _number("number"),
        _text("person", 32),
        _text("state", 16),
        sa.Column("attempt", sa.Integer, nullable=False),
        _instant("run_at"),
        _text("error", 100),
        _instant("changed_at"),
        sa.PrimaryKeyConstraint("handler", "number", name="pk_exchange_event_held"),
        sa.ForeignKeyConstraint(
            ["number"], ["exchange_event.number"], name="fk_exchange_event_held_number_exchange_event"
        ),
    )
    op.create_index("ix_exchange_event_held_person", "exchange_event_held", ["handler", "person", "number"])
    op.create_index("ix_exchange_event_held_state", "exchange_event_held", ["handler", "state", "run_at"])
    op.create_table(
        "exchange_event_alarm",
        _row_number(),
        _instant("at"),
        _text("resource", 129),
        _text("code", 64),
        _text("detail", 128),
        sa.PrimaryKeyConstraint("number", name="pk_exchange_event_alarm"),
    )


def downgrade() -> None:
    """Take them away."""
    for name in ("alarm", "held", "handler"):
        op.drop_table(f"exchange_event_{name}")
    op.drop_table("exchange_event")
    for name in ("batch", "stream"):
        op.drop_table(f"exchange_event_{name}")
