"""What is still open, from real rows to the sandbox's Slack."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from common.clock import SYSTEM_CLOCK, Clock
from common.db.pool import Database
from notifier.adapters.postgres import PostgresNotifications
from notifier.adapters.slack import SlackMessenger
from notifier.use_cases import RecordOpenJobs
from tests.integration.notifier.conftest import SlackFace
from tests.integration.notifier.test_rows import teller

pytestmark = pytest.mark.stack


async def running_job(database: Database, *, listed: str | None, started: str = "3 hours", open_: int = 2) -> UUID:
    """A running job with `open_` invoices on their way and one that is held."""
    job: UUID = await database.fetchval(
        """WITH job AS (
               INSERT INTO jobs (job_type, status, started_at, listed_at)
               VALUES ('manual', 'running', now() - $1::text::interval, now() - $2::text::interval) RETURNING id
           ), made AS (
               INSERT INTO invoices (job_id, invoice_id, ubl_data, status, stage, reason, raw_sha256, wake_at)
               SELECT job.id, 'INV', '', CASE WHEN n = 0 THEN 'held' ELSE 'pending' END,
                   CASE WHEN n = 0 THEN 'held' ELSE 'validated' END, CASE WHEN n = 1 THEN 'not_accepted' END,
                   '', now() + interval '2 h'
               FROM job, generate_series(0, $3::int) AS n
           )
           SELECT id FROM job""",
        started,
        listed,
        open_,
    )
    return job


def at_eight(days: int) -> Clock:
    """Half an hour after the report of the morning in `days`, in UTC."""
    day = SYSTEM_CLOCK.now().date() + timedelta(days=days)
    return Clock(now=lambda: datetime(day.year, day.month, day.day, 8, tzinfo=UTC))


async def test_a_late_job_is_told_once_and_what_is_open_once_a_morning(database: Database, slack: SlackFace) -> None:
    late = await running_job(database, listed="61 minutes")
    in_time = await running_job(database, listed="59 minutes", open_=3)
    still_listing = await running_job(database, listed=None, open_=1)
    done = await running_job(database, listed="61 minutes", open_=0)
    tell = teller(database, SlackMessenger(slack.url, timeout=timedelta(seconds=5)))
    before_they_started, tomorrow = at_eight(-1), at_eight(1)
    for clock in (before_they_started, before_they_started, tomorrow, tomorrow):
        await RecordOpenJobs(PostgresNotifications(database), zone=ZoneInfo("UTC"), clock=clock)()
        await tell()
    told, morning = slack.texts()
    assert f"jobs/{late}" in told
    assert "2 still open, because 1 not accepted by Clearfacts, 1 not sent yet; next attempt at" in told
    assert "6 still open, because 3 not accepted by Clearfacts, 3 not sent yet; next attempt at" in morning
    assert not any(str(job) in "".join(slack.texts()) for job in (in_time, still_listing, done))
