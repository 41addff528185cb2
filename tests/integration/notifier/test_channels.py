"""Several channels on a real PostgreSQL: each has rows of its own; what is held is told in one digest."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from common.clock import SYSTEM_CLOCK
from common.db.alerts import open_alert
from common.db.corrections import note_job
from common.db.pool import Database
from notifier.adapters.postgres import PostgresNotifications
from notifier.adapters.postgres_alerts import PostgresAlertReports
from notifier.adapters.postgres_jobs import PostgresJobReports
from notifier.composing import Compose
from notifier.domain.channels import AtOnce, Decision, Hold
from notifier.domain.message import Message
from notifier.domain.notification import Claim, Kind
from notifier.domain.owners import Owner, Owners
from notifier.telling import TellPeople
from tests.integration.notifier.conftest import finished_job
from tests.unit.notifier.fakes import BRUSSELS, FakeMessenger

pytestmark = pytest.mark.stack

ANN, BOB = "email:ann", "email:bob"
DAY = timedelta(days=1)
OWNERS = Owners([Owner("Accounting", ("LOCAL-",), (ANN,))])


class Desk:
    """Slack and two recipients; what is held, is held for an hour from the start of the test."""

    def __init__(self, database: Database, *names: str) -> None:
        self.database = database
        self.messenger = FakeMessenger()
        self.notifications = PostgresNotifications(database, names, owners=[ANN] if ANN in names else [])
        self.until = SYSTEM_CLOCK.now() + timedelta(hours=1)
        self.hold = False
        compose = Compose(
            PostgresJobReports(database), PostgresAlertReports(database), public_url="http://g", zone=BRUSSELS,
            owners=OWNERS, held=self.notifications.held,
        )  # fmt: skip
        self.tell = TellPeople(
            self.notifications, compose, self.messenger, lease=timedelta(seconds=30),
            post_timeout=timedelta(seconds=5), decide=self.decide,
        )  # fmt: skip

    async def decide(self, claim: Claim, message: Message) -> Decision:
        return Hold("quiet", self.until) if self.hold and claim.kind is not Kind.DIGEST else AtOnce()

    async def told(self) -> Sequence[str]:
        await self.tell()
        return sorted(message.headline for message in self.messenger.posted)

    async def later(self) -> None:
        """The hour is over."""
        await self.database.execute("UPDATE notifications SET wake_at = now() WHERE kind = 'digest'")

    async def rows(self) -> Sequence[tuple[str, ...]]:
        rows = await self.database.fetch("SELECT channel, kind, status FROM notifications ORDER BY 1, 2, 3")
        return [tuple(row) for row in rows]


async def test_each_channel_has_its_own_row_of_a_job_an_alert_and_a_correction(database: Database) -> None:
    job = await finished_job(database)
    desk = Desk(database, "slack", ANN)
    async with database.connection() as connection:
        await open_alert(connection, "amnesia", "postgres", "critical", {})
        await note_job(connection, job)
    for _ in range(2):
        await desk.notifications.record_missing(DAY)
        await desk.notifications.record_alerts(DAY)
        await desk.notifications.record_corrections(DAY)
    assert await desk.rows() == [
        (ANN, "alert_opened", "waiting"),
        (ANN, "job_causes", "waiting"),
        (ANN, "job_corrected", "waiting"),
        (ANN, "job_finished", "waiting"),
        ("slack", "alert_opened", "waiting"),
        ("slack", "job_corrected", "waiting"),
        ("slack", "job_finished", "waiting"),
    ]


async def test_a_channel_claims_its_own_rows_only(database: Database) -> None:
    await Desk(database, "slack", ANN, BOB).notifications.record([uuid4()])
    mail = PostgresNotifications(database, (ANN, BOB))
    claims = [await mail.claim(timedelta(seconds=30)) for _ in range(4)]
    found = sorted((claim.channel, claim.kind) for claim in claims if claim)
    assert found == [(ANN, Kind.JOB_CAUSES), (ANN, Kind.JOB_FINISHED), (BOB, Kind.JOB_FINISHED)]


async def test_what_is_held_is_told_in_one_digest_for_each_channel(database: Database) -> None:
    desk = Desk(database, "slack", BOB)
    await desk.notifications.record([await finished_job(database) for _ in range(3)])
    desk.hold = True
    assert await desk.told() == []
    waits = await database.fetch("SELECT attempts, wake_at FROM notifications WHERE kind = 'job_finished'")
    assert {tuple(row) for row in waits} == {(0, None)}
    assert await desk.told() == [], "the digest is not due yet"
    await desk.later()
    assert await desk.told() == ["3 messages from the quiet hours"] * 2
    assert {status for _, _, status in await desk.rows()} == {"sent"}
    bodies = await database.fetch("SELECT body->>'tone' AS tone FROM notifications WHERE kind = 'job_finished'")
    assert {row["tone"] for row in bodies} == {"attention"}


async def test_a_row_that_missed_its_digest_makes_it_due_again(database: Database) -> None:
    desk = Desk(database, "slack")
    desk.hold = True
    for _ in range(2):
        await desk.notifications.record([await finished_job(database)])
        await desk.told()
        await desk.later()
        await desk.notifications.record_left_over()
        await desk.told()
    assert len(desk.messenger.posted) == 2
    assert await desk.notifications.record_left_over() == 0


async def test_a_digest_without_anything_to_say_ends_and_so_does_what_it_held(database: Database) -> None:
    desk = Desk(database, "slack")
    async with database.connection() as connection:
        await open_alert(connection, "paused", "sender", "warning", {})
    await desk.notifications.record_alerts(DAY)
    desk.hold = True
    await desk.told()
    await database.execute("DELETE FROM alerts")
    await desk.later()
    assert await desk.told() == []
    assert {status for _, _, status in await desk.rows()} == {"abandoned"}


async def test_a_digest_that_is_given_up_gives_up_what_it_held(database: Database) -> None:
    desk = Desk(database, "slack")
    await desk.notifications.record([await finished_job(database)])
    desk.hold = True
    await desk.told()
    await desk.later()
    claim = await desk.notifications.claim(timedelta(seconds=30))
    assert claim
    assert claim.kind is Kind.DIGEST
    assert abs(claim.created_at - desk.until) < timedelta(milliseconds=1), "it is as old as its hour"
    await desk.notifications.abandon(claim, "550")
    assert await desk.rows() == [("slack", "digest", "abandoned"), ("slack", "job_finished", "abandoned")]


async def failed(database: Database, job: UUID, count: int, error: str) -> None:
    await database.execute(
        """INSERT INTO invoices (job_id, invoice_id, ubl_data, status, stage, reason, error_message, findings,
               raw_sha256)
           SELECT $1, 'INV', '', 'failed', 'failed', 'invalid', $2::text || n, $3::jsonb, ''
           FROM generate_series(1, $4::int) AS n""",
        job, error, [{"severity": "fatal", "rule": error.partition(":")[0]}], count,
    )  # fmt: skip


async def test_one_alert_for_each_cause_goes_to_its_owner_once_a_day(database: Database) -> None:
    desk = Desk(database, "slack", ANN)
    for _ in range(2):
        job = await finished_job(database)
        await failed(database, job, 3, "LOCAL-TOTAL-01: the sum is not ")
        await failed(database, job, 2, "LOCAL-ADMIN-01: no administration ")
        await failed(database, job, 1, "BR-CO-15: the total is not ")
        await desk.notifications.record([job])
        await desk.told()
    causes = [message for message in desk.messenger.posted if message.channels]
    assert sorted(message.headline for message in causes) == [
        "2 invoices failed: not valid (LOCAL-ADMIN-01)",
        "3 invoices failed: not valid (LOCAL-TOTAL-01)",
    ]
    assert (ANN, "job_causes", "sent") in await desk.rows()
    assert "For Accounting." in causes[0].paragraphs


async def dry_run(database: Database, reason: str, status: str = "completed") -> UUID:
    user: UUID = await database.fetchval(
        """INSERT INTO users (username, email, password_hash, role)
           VALUES ($1::text, $1::text || '@x.test', '', 'admin') RETURNING id""",
        f"u{uuid4()}",
    )
    run: UUID = await database.fetchval(
        """INSERT INTO dry_runs (id, status, triggered_by, fingerprint, force_processing, reason, estimated_completion,
               created_at, expires_at, completed_at)
           VALUES ($1, $2, $3, '', FALSE, $4, now(), now(), now() + interval '1 day', now()) RETURNING id""",
        uuid4(), status, user, reason,
    )  # fmt: skip
    await database.execute(
        """INSERT INTO dry_run_items (dry_run_id, id, source_id, sha256, outcome, reason, error, currency, amount)
           SELECT $1, gen_random_uuid(), 'S' || n || o, '', o, r, e, 'EUR', 10
           FROM generate_series(1, 2) AS n, (VALUES
               ('would_go', NULL, NULL), ('would_fail', 'invalid', 'LOCAL-TOTAL-01: ' || 'x'),
               ('duplicate', NULL, NULL), ('known', NULL, NULL)) AS t(o, r, e)""",
        run,
    )
    return run


async def test_a_scheduled_dry_run_that_ended_is_told_once_to_each_channel(database: Database) -> None:
    desk = Desk(database, "slack", BOB)
    told = await dry_run(database, "preview:2026-11-24")
    await dry_run(database, "preview:2026-11-24", "running")
    await dry_run(database, "what would it do?")
    assert [await desk.notifications.record_previews(DAY) for _ in range(2)] == [2, 0]
    assert await desk.told() == ["Tonight: 2 would go, 2 would fail, 2 look like duplicates"] * 2
    message = desk.messenger.posted[0]
    assert message.figures[0] == ("Would go", "2 (EUR 20.00)")
    assert message.paragraphs[:2] == (
        "2 would fail: 2 not valid (LOCAL-TOTAL-01, Accounting).",
        "2 were listed before and would not go again.",
    )
    assert message.url == f"http://g/jobs/{told}"


async def test_a_preview_that_has_expired_is_not_told(database: Database) -> None:
    desk = Desk(database, "slack")
    await dry_run(database, "preview:2026-11-24")
    await desk.notifications.record_previews(DAY)
    await database.execute("UPDATE dry_runs SET expires_at = now()")
    assert await desk.told() == []
    assert await desk.rows() == [("slack", "preview", "abandoned")]
