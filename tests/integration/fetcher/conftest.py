import pytest

from common.db.pool import Database
from tests.integration.fetcher.world import World


@pytest.fixture
def world(database: Database) -> World:
    return World(database)
