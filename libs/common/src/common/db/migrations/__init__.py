"""Alembic migrations; `python -m common.db.migrate` brings a database to the newest."""
