"""The ledger's tables."""

from sqlalchemy import BigInteger, Column, LargeBinary, SmallInteger, String, Table, Text

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
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", String(32), nullable=False, unique=True),
    Column("leaf", Text, nullable=False),
    Column("salt", LargeBinary),
)

# Every complete subtree of both trees: node_index counts the subtrees of 2^level leaves from the left.
node = Table(
    "ledger_node",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("node_index", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("sm3", LargeBinary, nullable=False),
)

# One row a batch; the size as key lets no two checkpoints of one size exist.
checkpoint = Table(
    "ledger_checkpoint",
    metadata,
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("sha256_note", Text, nullable=False),
    Column("sm3_note", Text, nullable=False),
)
