"""Alembic's environment: the connection is handed in by `server/store/migrate.py`."""

from alembic import context
from sqlmodel import SQLModel

import server.store.tables

assert server.store.tables
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=False,  # the caller's transaction holds it all
)
context.run_migrations()
