"""What replicas share about a destination, on the real PostgreSQL; pauses and a breaker in real processes."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from common.db import switches
from common.db.pool import Database
from sandbox.destination import Destination as SandboxDestination
from sandbox.faults import Behaviour, Effect, Rule
from sandbox.ledger import Ledger
from sandbox.web import listening
from sender.adapters.postgres_destinations import PostgresDestinations, fingerprint, place
from sender.domain.flow import Standing, close_after, trip
from sender.ports import Shared
from tests.integration.sender.test_process import TOKEN, buckets, clearfacts, environment, fill, sender
from tests.unit.sender.flow.contract import CHECKS

pytestmark = pytest.mark.stack

URL = "https://{}:{}@api.example.test:8443/v1/?key=secret".format("user", "pass")


async def alerts(database: Database) -> list[tuple[str, str, bool]]:
    rows = await database.fetch("SELECT kind, subject, closed_at IS NULL AS open FROM alerts ORDER BY opened_at")
    return [(row["kind"], row["subject"], row["open"]) for row in rows]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_shared(database: Database, check: Callable[[Shared], Awaitable[None]]) -> None:
    await check(PostgresDestinations(database, URL, TOKEN))


async def test_another_token_is_another_breaker(database: Database) -> None:
    one, other = (PostgresDestinations(database, URL, token) for token in ("one", "other"))
    await one.change(await one.read(), trip(Standing(version=1), "401"))
    assert (await one.read()).open
    assert not (await other.read()).open


async def test_neither_token_nor_what_is_secret_in_an_address_is_kept(database: Database) -> None:
    await PostgresDestinations(database, URL, TOKEN).read()
    row = await database.fetchrow("SELECT destination, token FROM destinations")
    assert row is not None
    assert tuple(row) == ("https://api.example.test:8443/v1", fingerprint(TOKEN))
    assert place("http://127.0.0.1:9/") == "http://127.0.0.1:9"


async def test_an_open_breaker_is_an_open_alert(database: Database) -> None:
    shared = PostgresDestinations(database, URL, TOKEN)
    opened = await shared.change(await shared.read(), trip(Standing(version=1), "could not connect"))
    subject = f"https://api.example.test:8443/v1 {fingerprint(TOKEN)}"
    assert await alerts(database) == [("breaker_open", subject, True)]
    assert opened
    await shared.change(opened, close_after(opened))
    assert await alerts(database) == [("breaker_open", subject, False)]


async def test_the_bucket_is_one_for_all_who_lease_at_once(database: Database) -> None:
    shared = PostgresDestinations(database, URL, TOKEN)
    await shared.read()
    await database.execute("UPDATE destinations SET tokens = 25, refilled_at = now()")
    taken = await asyncio.gather(*(shared.lease(0.001, 10) for _ in range(4)))
    assert sorted(taken) == [0, 0, 0, 10], "it holds no more than one second's worth"


async def test_a_pause_is_a_row_with_an_alert_and_happens_once(database: Database) -> None:
    async with database.transaction() as connection:
        assert await switches.pause(connection, "sender", "0123456749", reason="why", actor="ann")
        assert await switches.pause(connection, "sender", "0123456749", reason="again", actor="bob") is None
        assert await switches.pause(connection, "sender", "*", reason="all", actor="ann")
    assert await switches.paused(database, "sender") == {"*", "0123456749"}
    assert await alerts(database) == [("paused", "sender 0123456749", True), ("paused", "sender", True)]
    async with database.transaction() as connection:
        assert await switches.resume(connection, "sender", "*")
        assert await switches.resume(connection, "sender", "*") is None
    (left,) = await switches.every_switch(database)
    assert (left.scope, left.reason, left.actor) == ("0123456749", "why", "ann")
    assert [still for *_, still in await alerts(database)] == [True, False]


async def flip(database: Database, scope: str, *, on: bool) -> None:
    async with database.transaction() as connection:
        if on:
            await switches.pause(connection, "sender", scope, reason="test", actor="test")
        else:
            await switches.resume(connection, "sender", scope)


@pytest.fixture
def parts(database_url: str, kafka_bootstrap: str) -> dict[str, str | None]:
    return {"DATABASE_URL": database_url, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap, "STARTUP_TIMEOUT": "30"}


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(120)
async def test_two_replicas_heed_a_pause_within_two_seconds_and_also_at_their_start(
    parts: dict[str, str | None], database: Database, tmp_path: Path
) -> None:
    await fill(database, 300)
    await flip(database, "*", on=True)
    async with clearfacts(tmp_path, Behaviour(latency=0.1)) as (url, ledger):
        envs = [environment(**parts, DESTINATION_URL=url, SEND_CONCURRENCY="2") for _ in range(2)]
        async with sender(tmp_path, envs[0]), sender(tmp_path, envs[1]):
            await asyncio.sleep(2)
            assert ledger.summary()["accepted"] == 0, "a pause outlives a restart"
            await flip(database, "0123456740", on=True)
            await flip(database, "*", on=False)
            async with asyncio.timeout(10):
                while ledger.summary()["accepted"] < 20:
                    await asyncio.sleep(0.02)
            await flip(database, "*", on=True)
            await asyncio.sleep(2)
            accepted = ledger.summary()["accepted"]
            await asyncio.sleep(1)
            assert ledger.summary()["accepted"] == accepted
            assert set(await buckets(database)) == {"sent", "validated"}, "what had not left went back"
            await flip(database, "*", on=False)
            async with asyncio.timeout(60):
                while (await buckets(database)).get("sent", 0) < 200:
                    await asyncio.sleep(0.1)
            of_the_paused = "SELECT count(*) FROM invoices WHERE stage = 'sent' AND dossier = '0123456740'"
            assert await database.fetchval(of_the_paused) == 0
            await flip(database, "0123456740", on=False)
            async with asyncio.timeout(30):
                while (await buckets(database)) != {"sent": 300}:
                    await asyncio.sleep(0.1)
    assert ledger.summary()["duplicates"] == 0


async def configure(database: Database, key: str, value: str) -> None:
    await database.execute(
        "INSERT INTO configuration (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2", key, value
    )


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(120)
async def test_two_replicas_heed_a_rate_and_a_concurrency_that_change_while_they_run(
    parts: dict[str, str | None], database: Database, tmp_path: Path
) -> None:
    await fill(database, 200)
    async with clearfacts(tmp_path, Behaviour(latency=0.2)) as (url, ledger):
        envs = [environment(**parts, DESTINATION_URL=url, SEND_CONCURRENCY="2") for _ in range(2)]
        async with sender(tmp_path, envs[0]), sender(tmp_path, envs[1]):
            async with asyncio.timeout(20):
                while ledger.summary()["accepted"] < 10:
                    await asyncio.sleep(0.02)
            await configure(database, "send_rate", "1")
            await asyncio.sleep(4)  # each looks within three
            accepted = ledger.summary()["accepted"]
            assert accepted < 190, "there is still something to send"
            await asyncio.sleep(5)
            assert 2 <= ledger.summary()["accepted"] - accepted <= 7, "one a second, of both together"
            await configure(database, "send_concurrency", "32")
            await configure(database, "send_rate", '"unlimited"')
            async with asyncio.timeout(30):
                while (await buckets(database)) != {"sent": 200}:
                    await asyncio.sleep(0.1)
    assert ledger.summary()["duplicates"] == 0


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(120)
async def test_two_replicas_leave_a_failing_destination_alone_and_come_back(
    parts: dict[str, str | None], database: Database, tmp_path: Path
) -> None:
    await fill(database, 200)
    away = Behaviour(rules=(Rule(effect=Effect.UNAUTHORIZED), Rule(effect=Effect.UNAUTHORIZED, on="get")))
    async with api(tmp_path, away) as (url, sandbox, ledger):
        envs = [environment(**parts, DESTINATION_URL=url, SEND_CONCURRENCY="8") for _ in range(2)]
        async with sender(tmp_path, envs[0]), sender(tmp_path, envs[1]):
            async with asyncio.timeout(10):
                while not await alerts(database):
                    await asyncio.sleep(0.05)
            await asyncio.sleep(2)
            posts, probes = sandbox.counts["posts"], sandbox.counts["lookups"]
            await asyncio.sleep(5)
            assert sandbox.counts["posts"] == posts <= 2 * (4 + 4), "nothing leaves while it is open"
            assert sandbox.counts["lookups"] - probes <= 5, "one probe for both, and ever fewer"
            async with asyncio.timeout(30):  # the longest pause between two
                while sandbox.counts["lookups"] == probes:
                    await asyncio.sleep(0.1)
            assert await database.fetchval("SELECT sum(failures) FROM invoices") == 0
            assert set(await buckets(database)) == {"validated"}
            sandbox.player.play(Behaviour())
            async with asyncio.timeout(40):
                while (await buckets(database)) != {"sent": 200}:
                    await asyncio.sleep(0.1)
    assert ledger.summary()["duplicates"] == 0
    assert [still for *_, still in await alerts(database)] == [False]


@asynccontextmanager
async def api(folder: Path, behaviour: Behaviour) -> AsyncGenerator[tuple[str, SandboxDestination, Ledger]]:
    """A Clearfacts whose calls can be counted and whose behaviour can be changed."""
    ledger = Ledger(folder / "oracle.jsonl")
    sandbox = SandboxDestination(ledger, token=TOKEN, behaviour=behaviour)
    try:
        async with listening(sandbox.routes()) as url:
            yield url, sandbox, ledger
    finally:
        ledger.close()
