"""A database that outlives an outage."""

from collections.abc import AsyncGenerator

import pytest

from local.infrastructure import Infrastructure
from tests.integration.common.rows import own_database


@pytest.fixture
async def database_url(infrastructure: Infrastructure, migrated_template: str) -> AsyncGenerator[str]:
    async with own_database(infrastructure, migrated_template) as url:
        yield url
