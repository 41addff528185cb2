"""Bring a database to the newest schema: `python -m common.db.migrate` (DATABASE_URL or DATABASE_URL_FILE)."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from pydantic import SecretStr

from common.db.pool import connect
from common.errors import ConfigurationError, InfrastructureError
from common.settings import Settings, exit_with, load_settings


class MigrationSettings(Settings):
    database_url: SecretStr


def migrate(database_url: str, revision: str = "head") -> None:
    """Upgrade to `revision`. Must not be called from inside a running event loop.

    Raises ConfigurationError, one line, when the database cannot be reached or the URL cannot work.
    """
    asyncio.run(_check(database_url))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["database_url"] = database_url
    command.upgrade(config, revision)


async def _check(database_url: str) -> None:
    try:
        database = await connect(database_url, application="migrate", connections=1)
    except InfrastructureError as error:
        raise ConfigurationError(f"the database cannot be reached ({error}); start it or check DATABASE_URL") from None
    await database.close()


def main() -> None:
    try:
        migrate(load_settings(MigrationSettings).database_url.get_secret_value())
    except ConfigurationError as error:
        exit_with(error)


if __name__ == "__main__":
    main()
