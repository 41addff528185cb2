"""How the system is, on the real PostgreSQL, Kafka and Valkey."""

from datetime import timedelta

import pytest

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database, connect
from common.db.reachability import ReachabilityWatch, Reached
from common.errors import InfrastructureError
from common.kafka.lag import lags
from gateway.adapters.limits_throttle import LimitsThrottle
from gateway.adapters.postgres_status import PostgresStatus
from gateway.domain.status import sentence
from tests.integration.gateway.world import NO_BROKER, RealWorld, insert_job

pytestmark = pytest.mark.stack


async def test_a_service_is_up_as_long_as_it_has_a_connection(database: Database, database_url: str) -> None:
    status = PostgresStatus(database)
    assert {one.service: one.state for one in await status.services()} == dict.fromkeys(
        ("fetcher", "gateway", "notifier", "sender", "validator"), "down"
    )
    sender = await connect(database_url, application="sender", connections=1)
    await sender.fetchval("SELECT 1")
    (seen,) = [one for one in await status.services() if one.state == "up"]
    assert (seen.service, seen.connections, seen.last_seen_at is not None) == ("sender", 1, True)
    await sender.close()


async def test_an_open_breaker_says_why_and_a_closed_one_does_not(database: Database) -> None:
    await database.execute(
        """INSERT INTO destinations (destination, token, open, why, opened_at)
           VALUES ('https://a.test', 'x', true, 'down', now()), ('https://b.test', 'x', false, 'was down', now())"""
    )
    breakers = await PostgresStatus(database).breakers()
    assert [(one.open, one.why, one.opened_at is None) for one in breakers] == [
        (True, "down", False),
        (False, None, True),
    ]


async def test_last_night_is_the_newest_scheduled_job(database: Database) -> None:
    status = PostgresStatus(database)
    assert await status.night_job() is None
    await insert_job(database, job_type="scheduled", status="failed", error={"message": "the source was away"})
    await insert_job(database)
    assert "failed: the source was away; 0 found" in sentence(await status.night_job())


async def test_what_is_outside_stands_as_it_was_last_seen(database: Database) -> None:
    found = [Reached("source", ok=False, why="answered 503")]

    async def look() -> list[Reached]:
        return found

    watch = ReachabilityWatch(database, "fetcher", look, every=timedelta(minutes=5))
    await watch.once()
    found[:] = [Reached("source", ok=True), Reached("administrations", ok=None, why="cannot be asked")]
    await watch.once()
    seen = {one.name: (one.ok, one.why, one.service) for one in await PostgresStatus(database).outside()}
    assert seen == {"source": (True, None, "fetcher"), "administrations": (None, "cannot be asked", "fetcher")}


async def test_the_whole_answer(database: Database) -> None:
    http = await RealWorld(database).signed_in()
    data = (await http.get("/api/v1/system/status")).json()["data"]
    assert [one["name"] for one in data["dependencies"]] == ["postgres"]
    assert (data["state"], data["breakers"], data["paused"], data["stages"]) == ("degraded", [], [], [])
    ui = (await http.get("/api/v1/ui-config")).json()["data"]
    assert ui["limits"]["page_size"] == 200


async def test_lag_without_a_broker_is_an_error_within_seconds() -> None:
    with pytest.raises(InfrastructureError):
        await lags(NO_BROKER)


async def test_valkey_that_is_away_does_not_answer() -> None:
    throttle = LimitsThrottle("redis://127.0.0.1:9/0", clock=SYSTEM_CLOCK)
    assert (throttle.is_shared, await throttle.answers()) == (True, False)
    await throttle.close()
