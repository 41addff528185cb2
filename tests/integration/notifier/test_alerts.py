"""From rows of `alerts` and of moved invoices to the sandbox's Slack."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from common.db.alerts import close_alert, open_alert
from common.db.corrections import note_corrections
from common.db.pool import Database
from notifier.adapters.postgres import PostgresNotifications
from notifier.adapters.postgres_jobs import PostgresJobReports
from notifier.adapters.slack import SlackMessenger
from notifier.domain.report import Counts
from notifier.use_cases import RecordAlerts
from tests.integration.notifier.conftest import SlackFace, finished_job
from tests.integration.notifier.test_rows import teller

pytestmark = pytest.mark.stack


class Watch:
    """The notifier's stories about alerts, on real rows."""

    def __init__(self, database: Database, slack: SlackFace) -> None:
        self.database = database
        self.slack = slack
        self.record = RecordAlerts(PostgresNotifications(database))
        self.tell = teller(database, SlackMessenger(slack.url, timeout=timedelta(seconds=5)))

    async def open(self, subject: str, kind: str = "amnesia") -> None:
        async with self.database.connection() as connection:
            await open_alert(connection, kind, subject, "critical", {"why": "test"})

    async def close(self, subject: str, kind: str = "amnesia") -> None:
        async with self.database.connection() as connection:
            await close_alert(connection, kind, subject)

    async def told(self) -> list[str]:
        """All headlines so far, after a look and a round of posts."""
        await self.record()
        await self.tell()
        return [text.splitlines()[0] for text in self.slack.texts()]

    async def later(self, minutes: int) -> None:
        """Let that much time pass."""
        for table, columns in (
            ("alerts", ("opened_at", "closed_at")),
            ("notifications", ("wake_at", "sent_at", "created_at")),
        ):
            shifted = ", ".join(f"{column} = {column} - $1::interval" for column in columns)
            await self.database.execute(f"UPDATE {table} SET {shifted}", timedelta(minutes=minutes))
        await self.database.execute(
            """UPDATE notifications SET window_key = (window_key::timestamptz - $1::interval)::text
               WHERE kind = 'alert_digest'""",
            timedelta(minutes=minutes),
        )


@pytest.fixture
def watch(database: Database, slack: SlackFace) -> Watch:
    return Watch(database, slack)


async def test_an_alert_is_told_when_it_opens_and_when_it_closes_and_never_again(watch: Watch) -> None:
    await watch.open("postgres")
    await watch.open("postgres")
    assert len(await watch.told()) == 1
    assert len(await watch.told()) == 1
    await watch.close("postgres")
    headlines = await watch.told()
    assert [headline.split(": ")[0] for headline in headlines] == ["❌ Act now", "✅ Over"]
    assert len(await watch.told()) == 2


async def test_one_that_was_over_before_it_was_told_is_one_message(watch: Watch) -> None:
    await watch.open("postgres")
    await watch.close("postgres")
    assert [headline.split(": ")[0] for headline in await watch.told()] == ["✅ Over"]
    assert len(await watch.told()) == 1


async def test_one_that_opens_again_and_again_speaks_once_in_ten_minutes(watch: Watch) -> None:
    for _ in range(2):
        await watch.open("postgres")
        await watch.told()
        await watch.close("postgres")
        await watch.told()
    assert len(await watch.told()) == 2
    await watch.later(11)
    assert len(await watch.told()) == 3


async def test_the_first_three_of_a_kind_are_told_at_once_and_the_others_together(watch: Watch) -> None:
    for number in range(8):
        await watch.open(f"row-{number}", "duplicate_suspected")
    await watch.open("postgres")
    assert len(await watch.told()) == 4
    for number in range(8, 12):
        await watch.open(f"row-{number}", "duplicate_suspected")
    assert len(await watch.told()) == 4
    await watch.later(10)
    headlines = await watch.told()
    assert headlines[4:] == ["❌ 9 more alerts: Clearfacts may have the same invoice twice"]
    assert "About row-3, row-4, row-5, row-6, row-7 and 4 more" in watch.slack.texts()[-1]


async def test_two_notifiers_tell_each_alert_once(watch: Watch, database: Database, slack: SlackFace) -> None:
    for kind in ("amnesia", "paused", "breaker_open"):
        for number in range(3):
            await watch.open(f"about-{number}", kind)
    await asyncio.gather(watch.told(), Watch(database, slack).told())
    assert len(slack.texts()) == 9


async def stands(database: Database, job: UUID, status: str, count: int) -> list[UUID]:
    rows = await database.fetch(
        """INSERT INTO invoices (job_id, invoice_id, ubl_data, status, stage, raw_sha256, currency, amount)
           SELECT $1, 'INV', '', $2::text, $2::text, '', 'EUR', 10
           FROM generate_series(1, $3::int) RETURNING id""",
        job,
        status,
        count,
    )
    return [row["id"] for row in rows]


async def note(database: Database, rows: list[UUID]) -> None:
    async with database.transaction() as connection:
        await note_corrections(connection, rows)


async def test_the_new_numbers_of_a_job_are_told_once_for_all_that_moved(watch: Watch, database: Database) -> None:
    job = await finished_job(database)  # of 9: 4 sent, 3 failed, 1 duplicate, 1 held
    moved = await stands(database, job, "sent", 6)
    await stands(database, job, "failed", 2)
    for row in moved[:3]:
        await note(database, [row])
    assert await watch.told() == []
    await watch.later(11)
    assert await watch.told() == ["⚠️ Invoice run corrected: now 6 sent, 2 failed"]
    text = watch.slack.texts()[0]
    assert "Sent 6 (EUR 60.00), was 4" in text
    assert "Held 0, was 1" in text
    assert "Duplicates 1," in text
    assert len(await watch.told()) == 1


async def test_a_job_that_runs_needs_no_correction(database: Database) -> None:
    job: UUID = await database.fetchval("INSERT INTO jobs (job_type, status) VALUES ('manual', 'running') RETURNING id")
    await note(database, await stands(database, job, "sent", 1))
    assert await database.fetchval("SELECT count(*) FROM notifications") == 0


async def test_a_job_that_was_never_counted_is_counted_from_its_rows(database: Database) -> None:
    job = await finished_job(database, status="failed")
    await stands(database, job, "sent", 2)
    await stands(database, job, "duplicate", 1)
    correction = await PostgresJobReports(database).read_correction(job)
    assert correction is not None
    assert (correction.before, correction.now.counts) == (None, Counts(total=3, sent=2, duplicates=1))
