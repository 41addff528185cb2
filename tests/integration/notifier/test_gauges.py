"""What the notifier reads of the database and the broker for Prometheus."""

from collections.abc import Mapping

import pytest
from prometheus_client import REGISTRY

from common.contracts.topics import Group, Topic
from common.db.alerts import close_alert, open_alert
from common.db.pool import Database
from common.db.switches import EVERYTHING, pause
from common.errors import InfrastructureError
from notifier.adapters.gauges import Gauges
from tests.integration.notifier.conftest import finished_job
from tests.integration.notifier.test_still_open import running_job

pytestmark = pytest.mark.stack

LETTER = """
INSERT INTO dead_letters (cluster, topic, partition, record_offset, consumer_group, sha256, value, cause, status)
VALUES ('c', 't', 0, $1, 'g', '', '', $2, $3)
"""
MESSAGE = """
INSERT INTO notifications (channel, kind, subject, window_key, attempts, wake_at, created_at)
VALUES ($4, $5, $1, 'w', $2, now() + $3::text::interval, now() - interval '1 hour')
"""


async def no_lags() -> Mapping[tuple[Group, Topic], int]:
    return {}


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_what_waits_is_counted_and_what_is_over_is_zero(database: Database) -> None:
    gauges = Gauges(database, no_lags)
    await running_job(database, listed="1 minute", open_=3)
    await database.execute("UPDATE invoices SET updated_at = now() - interval '90 seconds', reason = 'stated'")
    await gauges.read()
    assert (value("open_invoices", stage="validated"), value("open_invoices", stage="unknown")) == (3.0, 0.0)
    assert value("held_invoices", reason="stated") == 1.0
    for age in (
        value("open_invoices_oldest_seconds", stage="validated"),
        value("held_invoices_oldest_seconds", reason="stated"),
    ):
        assert age is not None
        assert 90 <= age < 120
    await database.execute("UPDATE invoices SET status = 'sent', stage = 'sent'")
    await gauges.read()
    assert (value("open_invoices", stage="validated"), value("held_invoices", reason="stated")) == (0.0, 0.0)
    assert value("held_invoices_oldest_seconds", reason="stated") == 0.0


async def test_the_night_is_the_last_scheduled_job(database: Database) -> None:
    gauges = Gauges(database, no_lags)
    await gauges.read()
    assert value("last_scheduled_job_completed_timestamp_seconds") == 0.0
    await finished_job(database, ago="2 hours")
    await finished_job(database, status="failed", ago="1 minute")
    await gauges.read()
    now = await database.fetchval("SELECT extract(epoch FROM now())::float8")
    assert now - (value("last_scheduled_job_completed_timestamp_seconds") or 0) == pytest.approx(7200, abs=60)
    assert now - (value("last_scheduled_job_started_timestamp_seconds") or 0) == pytest.approx(180, abs=60)


async def test_a_pause_and_a_memory_that_is_gone_are_one_while_they_last(database: Database) -> None:
    async with database.connection() as connection:
        await pause(connection, "sender", EVERYTHING, reason="r", actor="a")
        await pause(connection, "sender", "0123456749", reason="r", actor="a")
        await open_alert(connection, "amnesia", "database", "critical")
        gauges = Gauges(database, no_lags)
        await gauges.read()
        assert (value("sending_paused"), value("sending_paused_administrations")) == (1.0, 1.0)
        assert value("amnesia_suspected") == 1.0
        await close_alert(connection, "amnesia", "database")
        await connection.execute("DELETE FROM switches")
    await gauges.read()
    assert (value("sending_paused"), value("amnesia_suspected")) == (0.0, 0.0)


async def test_letters_are_told_by_code_and_messages_by_what_is_due(database: Database) -> None:
    for offset, (cause, status) in enumerate(
        [("json_invalid: x: Ann", "dead"), ("json_invalid: y", "archived"), ("Ann's letter", "dead")]
    ):
        await database.execute(LETTER, offset, cause, status)
    await database.execute(MESSAGE, "later on purpose", 0, "1 hour", "slack", "k")
    await database.execute(MESSAGE, "after the night", 1, "1 hour", "slack", "digest")
    await Gauges(database, no_lags).read()
    assert (value("dead_letters_open", cause="json_invalid"), value("dead_letters_open", cause="other")) == (1.0, 1.0)
    assert not value("notifications_waiting_oldest_seconds", channel="slack")
    await database.execute(MESSAGE, "tried in vain", 3, "1 minute", "email:ann", "k")
    await database.execute(MESSAGE, "overdue", 0, "-2 minutes", "slack", "k")
    await Gauges(database, no_lags).read()
    assert value("notifications_waiting_oldest_seconds", channel="email") == pytest.approx(3600, abs=60)
    assert value("notifications_waiting_oldest_seconds", channel="slack") == pytest.approx(120, abs=60)


async def test_a_broker_that_is_away_keeps_the_rows_from_nobody(database: Database) -> None:
    async def nobody() -> Mapping[tuple[Group, Topic], int]:
        raise InfrastructureError("kafka: away")

    await running_job(database, listed=None, open_=5)
    with pytest.raises(InfrastructureError):
        await Gauges(database, nobody).read()
    assert value("open_invoices", stage="validated") == 5.0
    assert value("database_gauges_read_timestamp_seconds")
