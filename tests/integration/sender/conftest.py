"""The sender's rows on the real database."""

from collections.abc import AsyncGenerator

import pytest

from common.db.pool import Database
from local.infrastructure import Infrastructure
from sender.adapters.postgres import PostgresClaims
from sender.adapters.postgres_unknowns import PostgresUnknowns
from tests.integration.common.rows import own_database
from tests.integration.sender.rows import RULES, Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database, PostgresClaims(database, RULES), PostgresUnknowns(database))


@pytest.fixture
async def database_url(infrastructure: Infrastructure, migrated_template: str) -> AsyncGenerator[str]:
    async with own_database(infrastructure, migrated_template) as url:
        yield url
