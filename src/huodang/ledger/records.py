"""The ledger's tables."""

from sqlalchemy import Column, LargeBinary, String, Table, Text

from huodang.store import Instant, RowNumber, metadata

# What was recorded but not yet sequenced: written in the transaction of the effect it is evidence of.
pending = Table(
    "ledger_pending",
    metadata,
    Column("position", RowNumber, primary_key=True),
    Column("entry_id", String(32), nullable=False, unique=True),
    Column("leaf", Text, nullable=False),
    Column("salt", LargeBinary),
)

# The log itself. Only the salt may ever change: it may be destroyed, and the proof still stands.
leaf = Table(
    "ledger_leaf",
    metadata,
    Column("leaf_index", RowNumber, primary_key=True, autoincrement=False),
    Column("entry_id", String(32), nullable=False, unique=True),
    Column("leaf", Text, nullable=False),
    Column("salt", LargeBinary),
)

# Every complete subtree of both trees, under its number in a walk from left to right (`merkle.number`): a key of one
# column, as databases find a list of those quickly and a list of pairs not always.
node = Table(
    "ledger_node",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("sm3", LargeBinary, nullable=False),
)

# One row a batch; the size as key lets no two checkpoints of one size exist.
checkpoint = Table(
    "ledger_checkpoint",
    metadata,
    Column("tree_size", RowNumber, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("sha256_note", Text, nullable=False),
    Column("sm3_note", Text, nullable=False),
)
