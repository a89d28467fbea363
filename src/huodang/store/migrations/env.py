"""What Alembic runs: the revisions, on the connection that `Database` hands over.

It imports no room: the revisions say in full what they make, so a room above need not be there to migrate.
"""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=None,
    render_as_batch=connection.dialect.name == "sqlite",
    # SQLite does roll back DDL; our connections begin by themselves, so the driver's quirk does not apply.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
