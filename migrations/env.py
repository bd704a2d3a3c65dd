"""Runs the migrations on the connection it is handed, or on the database that the settings name."""

import sqlalchemy as sa
from alembic import context

from service.storage.migrations import migration_engine
from service.storage.tables import VERSION_TABLE, metadata


def run(connection: sa.Connection) -> None:
    """Migrate within one transaction; SQLite has few ALTERs, so tables are rebuilt there."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    url = context.config.get_main_option("sqlalchemy.url") or ""
    with migration_engine(url).begin() as own:
        run(own)
