"""The real Kafka, PostgreSQL and Valkey for tests, started once a session by libs/local.

`database_url` is a fresh, migrated database for each test; `kafka_bootstrap` a broker with fresh topics and no groups.
"""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from common.db.migrate import migrate
from common.db.pool import Database, connect
from common.kafka.provisioning import ensure_topics
from common.settings import Environment
from local.infrastructure import Infrastructure

TEMPLATE = "template_migrated"


@pytest.fixture(scope="session")
async def infrastructure(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Infrastructure, None]:
    data: Path = tmp_path_factory.mktemp("stack")
    async with Infrastructure(data, say=lambda _: None) as running:
        yield running


@pytest.fixture(scope="session")
async def migrated_template(infrastructure: Infrastructure) -> str:
    """The name of a migrated database that others are copied from."""
    url = await infrastructure.create_database(TEMPLATE)
    await asyncio.to_thread(migrate, url)
    return TEMPLATE


@pytest.fixture
async def database_url(infrastructure: Infrastructure, migrated_template: str) -> AsyncGenerator[str, None]:
    name = f"test_{uuid4().hex[:12]}"
    maintenance = await asyncpg.connect(infrastructure.database_url)
    try:
        await maintenance.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_template} STRATEGY FILE_COPY")
        yield infrastructure.database_url.rsplit("/", 1)[0] + f"/{name}"
        await maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await maintenance.close()


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database, None]:
    pool = await connect(database_url, application="test", connections=4)
    yield pool
    await pool.close()


@pytest.fixture
async def kafka_bootstrap(infrastructure: Infrastructure) -> str:
    """The broker, with all topics empty; a group's offsets go with their topic."""
    bootstrap = infrastructure.kafka_bootstrap
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        topics = [topic for topic in await admin.list_topics() if not topic.startswith("_")]
        if topics:
            await admin.delete_topics(topics)
            while set(topics) & set(await admin.list_topics()):
                await asyncio.sleep(0.05)
    finally:
        await admin.close()
    await ensure_topics(bootstrap, Environment.LOCAL)
    return bootstrap
