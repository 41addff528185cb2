"""A real sender process towards the public API: no key, no lookup, so what is not known waits for a person at once."""

import asyncio
from pathlib import Path

import pytest

from common.db.pool import Database
from sandbox.faults import Behaviour, Effect, Rule
from sandbox.oracle import Oracle
from tests.integration.sender.test_process import buckets, clearfacts, environment, fill, sender

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.mark.timeout(120)
async def test_what_is_sent_refused_and_not_known_by_the_public_api(
    database: Database, database_url: str, kafka_bootstrap: str, tmp_path: Path
) -> None:
    await fill(database, 20)
    rules = (
        Rule(effect=Effect.REFUSE, next=2),
        Rule(effect=Effect.SERVER_ERROR, next=1),
        Rule(effect=Effect.NULL_DATA, next=1),
        Rule(effect=Effect.RESET_AFTER, next=1),
    )
    async with clearfacts(tmp_path, Behaviour(rules=rules)) as (url, ledger):
        env = environment(
            DATABASE_URL=database_url,
            KAFKA_BOOTSTRAP_SERVERS=kafka_bootstrap,
            DESTINATION_URL=url,
            DESTINATION_TRANSPORT="graphql",
            SEND_CONCURRENCY="4",
            SEND_DEADLINE="1",
            SEND_LEASE="2",
            SEND_SETTLE="3",
            STARTUP_TIMEOUT="30",
        )
        async with sender(tmp_path, env):
            async with asyncio.timeout(60):
                while (await buckets(database)) != {"sent": 15, "failed": 2, "held": 3}:
                    await asyncio.sleep(0.1)
            await asyncio.sleep(2.0)  # nobody comes back to them
        assert await buckets(database) == {"sent": 15, "failed": 2, "held": 3}
        assert (ledger.summary()["accepted"], ledger.summary()["duplicates"]) == (17, 0)
    references = {str(row["reference"]) for row in await database.fetch("SELECT reference FROM invoices")}
    assert {accepted.reference for accepted in Oracle(tmp_path / "oracle.jsonl").accepted()} <= references
    uuids = await database.fetch("SELECT clearfacts_response->>'uuid' AS uuid FROM invoices WHERE stage = 'sent'")
    assert all(row["uuid"].isupper() or row["uuid"].isdigit() for row in uuids), "as the destination spells it"
