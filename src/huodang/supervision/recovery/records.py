"""The tables of recovery; persons stand in them as blind indexes, identity and account numbers are sealed."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from huodang.store import Instant, MoneyType, MonthType, RowNumber, metadata

# One row a debt. The three sums and what is still open always come to the debt; the table itself holds them to it.
recovery = Table(
    "supervision_recovery",
    metadata,
    Column("recovery_id", String(32), primary_key=True),
    Column("matter", String(128), nullable=False, unique=True),
    Column("person_index", String(32), nullable=False, index=True),
    Column("identity", Text, nullable=False),
    Column("scheme", String(8), nullable=False),
    Column("region", String(6), nullable=False),
    Column("cause", String(24), nullable=False),
    Column("debtor", String(8), nullable=False),
    Column("bank", String(64), nullable=False),
    Column("account", Text, nullable=False),
    Column("statement", String(64), nullable=False),
    Column("debt", MoneyType, nullable=False),
    Column("recovered", MoneyType, nullable=False),
    Column("written_off", MoneyType, nullable=False),
    Column("outstanding", MoneyType, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("opened_by", String(128), nullable=False),
    Column("proposed_by", String(128), nullable=False),
    Column("state", String(24), nullable=False, index=True),
    Column("sequence", Integer, nullable=False),
    Column("step_since", Date, nullable=False),
    Column("due_on", Date, index=True),
    Column("due_provisional", Boolean, nullable=False),
    Column("days_used", Integer, nullable=False),
    Column("stopped_state", String(24), nullable=False),
    Column("overdue", Boolean, nullable=False),
    Column("closed_on", Date),
    CheckConstraint("debt = recovered + written_off + outstanding", name="reconciled"),
    CheckConstraint("recovered >= 0 AND written_off >= 0 AND outstanding >= 0", name="sums"),
)

# The months of a debt: what was paid, what was due, by which code and law.
overpaid_month = Table(
    "supervision_overpaid_month",
    metadata,
    Column(
        "recovery_id",
        String(32),
        ForeignKey("supervision_recovery.recovery_id", name="fk_supervision_overpaid_month_debt"),
        primary_key=True,
    ),
    Column("revision", Integer, primary_key=True),
    Column("month", MonthType, primary_key=True),
    Column("paid", MoneyType, nullable=False),
    Column("due", MoneyType, nullable=False),
    Column("code", String(8), nullable=False),
    Column("law", Text, nullable=False),
)

# Every fen that moved; `reference` names the receipt, bank line or decision, and counts once.
movement = Table(
    "supervision_recovery_movement",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column(
        "recovery_id",
        String(32),
        ForeignKey("supervision_recovery.recovery_id", name="fk_supervision_recovery_movement_debt"),
        nullable=False,
    ),
    Column("means", String(24), nullable=False),
    Column("amount", MoneyType, nullable=False),
    Column("moved_on", Date, nullable=False),
    Column("reference", String(128), nullable=False),
    Column("by", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Column("entry_id", String(32), nullable=False),
    UniqueConstraint("recovery_id", "means", "reference"),
)

# What was agreed: one row a month; a later agreement has a higher revision.
plan_line = Table(
    "supervision_recovery_plan",
    metadata,
    Column(
        "recovery_id",
        String(32),
        ForeignKey("supervision_recovery.recovery_id", name="fk_supervision_recovery_plan_debt"),
        primary_key=True,
    ),
    Column("revision", Integer, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("month", MonthType, nullable=False),
    Column("means", String(24), nullable=False),
    Column("amount", MoneyType, nullable=False),
)

# Every event, none ever changed.
recovery_history = Table(
    "supervision_recovery_history",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column(
        "recovery_id",
        String(32),
        ForeignKey("supervision_recovery.recovery_id", name="fk_supervision_recovery_history_debt"),
        nullable=False,
    ),
    Column("sequence", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("from_state", String(24), nullable=False),
    Column("event", String(24), nullable=False),
    Column("to_state", String(24), nullable=False),
    Column("by", String(128), nullable=False),
    Column("role", String(64), nullable=False),
    Column("policy", String(256), nullable=False),
    Column("note", Text, nullable=False),
    Column("entry_id", String(32), nullable=False),
    UniqueConstraint("recovery_id", "sequence"),
)

# A file that asks a bank to take money back, and its answer.
claw_back = Table(
    "supervision_claw_back",
    metadata,
    Column("batch_id", String(32), primary_key=True),
    Column("bank", String(64), nullable=False),
    Column("lines", Integer, nullable=False),
    Column("amount", MoneyType, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("issued_by", String(128), nullable=False),
    Column("entry_id", String(32), nullable=False),
    Column("answer_digest", String(64), nullable=False),
    Column("answered_at", Instant),
)
claw_back_line = Table(
    "supervision_claw_back_line",
    metadata,
    Column(
        "batch_id",
        String(32),
        ForeignKey("supervision_claw_back.batch_id", name="fk_supervision_claw_back_line_batch"),
        primary_key=True,
    ),
    Column("line", Integer, primary_key=True),
    Column(
        "recovery_id",
        String(32),
        ForeignKey("supervision_recovery.recovery_id", name="fk_supervision_claw_back_line_debt"),
        nullable=False,
        index=True,
    ),
    Column("asked", MoneyType, nullable=False),
    Column("returned", MoneyType),
)
