"""The notifier's rows on a real PostgreSQL: one contract for the fake and the real store, and what a job says."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from common.errors import PermanentError
from notifier.adapters.postgres import PostgresNotifications
from notifier.adapters.postgres_alerts import PostgresAlertReports
from notifier.adapters.postgres_jobs import PostgresJobReports
from notifier.adapters.slack import NoMessenger, SlackMessenger
from notifier.composing import Compose
from notifier.domain.digests import Told
from notifier.domain.notification import Claim, Kind
from notifier.domain.report import Cause, Counts
from notifier.domain.wording import Message, Tone
from notifier.ports import Messenger, Notifications
from notifier.telling import TellPeople
from notifier.use_cases import RecordFinishedJobs
from sandbox.faults import Behaviour
from tests.integration.notifier.conftest import SlackFace, finished_job
from tests.unit.notifier.fakes import BRUSSELS, NOON, FakeNotifications, OwnedTime

pytestmark = pytest.mark.stack

LEASE = timedelta(seconds=30)
CLAIM = Claim(uuid4(), uuid4(), Kind.JOB_FINISHED, "subject", 1, SYSTEM_CLOCK.now())
MESSAGE = Message(Tone.GOOD, "done", (), (), "http://gateway/jobs/1", None)
Forward = Callable[[float], Awaitable[None]]


@pytest.fixture(params=["fake", "postgres"])
async def store(request: pytest.FixtureRequest, database: Database) -> AsyncGenerator[tuple[Notifications, Forward]]:
    time = OwnedTime()

    async def fake_forward(seconds: float) -> None:
        time.seconds += seconds

    async def real_forward(seconds: float) -> None:
        await database.execute("UPDATE notifications SET wake_at = wake_at - $1::interval", timedelta(seconds=seconds))

    if request.param == "fake":
        yield FakeNotifications(time), fake_forward
    else:
        yield PostgresNotifications(database), real_forward


async def test_a_job_has_one_row_however_often_it_is_recorded(store: tuple[Notifications, Forward]) -> None:
    notifications, _ = store
    job = uuid4()
    await notifications.record([job, job])
    await notifications.record([job])
    claims = [await notifications.claim(LEASE), await notifications.claim(LEASE)]
    assert [claim.subject if claim else None for claim in claims] == [str(job), None]


async def test_a_claim_is_nobody_elses_until_its_lease_ends(store: tuple[Notifications, Forward]) -> None:
    notifications, forward = store
    await notifications.record([uuid4()])
    first = await notifications.claim(LEASE)
    await forward(29)
    assert await notifications.claim(LEASE) is None
    await forward(2)
    second = await notifications.claim(LEASE)
    assert first
    assert second
    assert (second.id, second.attempt) == (first.id, 2)


async def test_a_claim_that_somebody_took_over_changes_nothing(store: tuple[Notifications, Forward]) -> None:
    notifications, forward = store
    await notifications.record([uuid4()])
    late = await notifications.claim(LEASE)
    await forward(31)
    current = await notifications.claim(LEASE)
    assert late
    assert current
    await notifications.abandon(late, "too late")
    await notifications.postpone(late, timedelta(0), "too late")
    assert await notifications.claim(LEASE) is None
    await notifications.postpone(current, timedelta(0), "503")
    assert await notifications.claim(LEASE) is not None


async def test_what_is_sent_or_abandoned_is_never_due_again(store: tuple[Notifications, Forward]) -> None:
    notifications, forward = store
    await notifications.record([uuid4(), uuid4()])
    first, second = await notifications.claim(LEASE), await notifications.claim(LEASE)
    assert first
    assert second
    await notifications.mark_sent(first, MESSAGE)
    await notifications.abandon(second, "no")
    await forward(1e6)
    assert await notifications.claim(LEASE) is None


async def test_the_sweep_finds_finished_jobs_of_the_last_days_once(database: Database) -> None:
    fresh = {await finished_job(database), await finished_job(database, status="failed")}
    await finished_job(database, ago="4 days")
    await database.execute("INSERT INTO jobs (job_type, status) VALUES ('manual', 'running')")
    record = RecordFinishedJobs(PostgresNotifications(database))
    assert [await record.sweep(), await record.sweep()] == [True, False]
    rows = await database.fetch("SELECT subject FROM notifications")
    assert {UUID(row["subject"]) for row in rows} == fresh


async def test_a_report_has_the_jobs_numbers_and_the_reasons_of_its_invoices(database: Database) -> None:
    job = await finished_job(database)
    await database.execute(
        """INSERT INTO invoices (job_id, invoice_id, ubl_data, status, stage, reason, raw_sha256, findings,
                                 clearfacts_response)
           SELECT $1, 'INV', '', stage, stage, reason, ''::bytea, findings::jsonb, answer::jsonb
           FROM (VALUES ('failed', 'invalid',
                         '[{"rule": "W", "severity": "warning"}, {"rule": "LOCAL-TOTAL-01", "severity": "fatal"}]',
                         NULL),
                        ('failed', 'invalid', '[{"rule": "LOCAL-TOTAL-01", "severity": "fatal"}]', NULL),
                        ('failed', 'refused', NULL, '{"error": {"code": "Jan Peeters is not known"}}'),
                        ('held', 'unknown_outcome', NULL, NULL),
                        ('sent', NULL, NULL, NULL)) AS t(stage, reason, findings, answer)""",
        job,
    )
    report = await PostgresJobReports(database).read(job)
    assert report
    assert report.counts == Counts(total=9, sent=4, failed=3, duplicates=1, held=1)
    assert report.amounts["sent"] == {"EUR": Decimal("1234.50")}
    assert set(report.causes) == {
        Cause("failed", "invalid", "LOCAL-TOTAL-01", 2),
        Cause("failed", "refused", None, 1),  # what is no code is not passed on
        Cause("held", "unknown_outcome", None, 1),
    }


async def test_a_job_without_a_row_is_none_and_one_that_makes_no_sense_is_a_permanent_error(database: Database) -> None:
    reports = PostgresJobReports(database)
    assert await reports.read(uuid4()) is None
    job = await finished_job(database)
    await database.execute("UPDATE jobs SET results = $2 WHERE id = $1", job, {"amounts": {"sent": {"EUR": "many"}}})
    with pytest.raises(PermanentError):
        await reports.read(job)


def teller(database: Database, messenger: Messenger) -> TellPeople:
    return TellPeople(
        PostgresNotifications(database),
        Compose(
            PostgresJobReports(database), PostgresAlertReports(database), public_url="http://gateway", zone=BRUSSELS
        ),
        messenger,
        lease=LEASE,
        post_timeout=timedelta(seconds=5),
    )


async def test_two_notifiers_at_once_post_each_message_once(database: Database, slack: SlackFace) -> None:
    jobs = [await finished_job(database) for _ in range(30)]
    await PostgresNotifications(database).record(jobs)
    slack.face.player.play(Behaviour(latency=0.005, jitter=0.02))
    both = [teller(database, SlackMessenger(slack.url, timeout=timedelta(seconds=5))) for _ in range(2)]
    await asyncio.gather(*(tell() for tell in both))
    assert sorted(slack.about(job) for job in jobs) == [1] * 30


async def test_a_message_that_went_out_is_kept_as_it_was_said(database: Database, slack: SlackFace) -> None:
    await PostgresNotifications(database).record([await finished_job(database)])
    await teller(database, SlackMessenger(slack.url, timeout=timedelta(seconds=5)))()
    row = await database.fetchrow("SELECT * FROM notifications")
    assert row
    assert (row["status"], row["wake_at"], row["lease_token"]) == ("sent", None, None)
    assert row["body"]["headline"] in slack.texts()[0]


async def test_without_a_webhook_the_row_says_not_configured(database: Database) -> None:
    await PostgresNotifications(database).record([await finished_job(database)])
    await teller(database, NoMessenger())()
    row = await database.fetchrow("SELECT status, error FROM notifications")
    assert row
    assert tuple(row) == ("abandoned", "not configured: SLACK_WEBHOOK_URL is not set")


async def test_what_is_held_comes_with_its_digest_and_not_by_itself(store: tuple[Notifications, Forward]) -> None:
    notifications, forward = store
    start = NOON if isinstance(notifications, FakeNotifications) else SYSTEM_CLOCK.now()
    await notifications.record([uuid4(), uuid4()])
    for _ in range(2):
        claim = await notifications.claim(LEASE)
        assert claim
        await notifications.hold(claim, "quiet", start + timedelta(hours=1))
    assert await notifications.claim(LEASE) is None
    await forward(3601)
    digest = await notifications.claim(LEASE)
    assert digest
    assert (digest.kind, digest.subject, digest.attempt) == (Kind.DIGEST, "quiet", 1)
    held = await notifications.held(digest)
    assert [one.attempt for one in held] == [0, 0]
    await notifications.mark_digest(digest, Told(MESSAGE, [(held[0].id, MESSAGE)], [(held[1].id, "nothing")]))
    assert await notifications.held(digest) == []
    await forward(1e6)
    assert await notifications.claim(LEASE) is None
    assert await notifications.record_left_over() == 0
