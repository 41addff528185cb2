"""A real notifier process on the real Kafka and PostgreSQL, and the sandbox's Slack."""

from pathlib import Path
from uuid import UUID

import pytest

from common.clock import SYSTEM_CLOCK
from common.contracts.events import JobEvent, JobEventKind
from common.contracts.topics import Topic
from common.contracts.webhooks import secret_of, shown
from common.db.pool import Database
from common.kafka import Announcer, make_broker
from sandbox.faults import Behaviour, Effect, Rule
from sandbox.mail import Mail
from tests.integration.notifier.conftest import SlackFace, finished_job, notifier, until
from tests.integration.notifier.receiver import receiving
from tests.integration.notifier.webhooks_world import KEY, Webhooks

pytestmark = pytest.mark.stack


async def announce(kafka: str, job: UUID, *kinds: JobEventKind) -> None:
    async with make_broker(kafka, client_id="test") as broker:
        now = SYSTEM_CLOCK.now()
        events = [JobEvent(job_id=job, version=number, kind=kind, at=now) for number, kind in enumerate(kinds, 1)]
        await Announcer(broker, source="test").announce(Topic.JOBS_EVENTS, events)


async def test_each_finished_job_is_one_message_with_its_numbers(
    database: Database, database_url: str, kafka_bootstrap: str, slack: SlackFace, tmp_path: Path
) -> None:
    done, failed = await finished_job(database), await finished_job(database, status="failed")
    await announce(kafka_bootstrap, done, JobEventKind.STARTED, JobEventKind.SETTLING, JobEventKind.COMPLETED)
    await announce(kafka_bootstrap, failed, JobEventKind.STARTED, JobEventKind.FAILED, JobEventKind.FAILED)

    async def told() -> bool:
        return slack.about(done) > 0 and slack.about(failed) > 0

    async with notifier(database_url, kafka_bootstrap, slack.url, tmp_path / "log", PUBLIC_URL="http://people"):
        await until(told)
    assert (slack.about(done), slack.about(failed)) == (1, 1)
    texts = "\n".join(slack.texts())
    assert "Listed 9, Sent 4 (EUR 1,234.50), Duplicates 1, Failed 3 (EUR 10.00), Held 1" in texts
    assert "Reason: EXTERNAL_API_ERROR: the source answered 503" in texts
    assert f"http://people/jobs/{failed}" in texts
    assert b"secret" not in (tmp_path / "log").read_bytes()


async def test_killed_between_claim_and_post_the_message_is_sent_after_the_lease(
    database: Database, database_url: str, kafka_bootstrap: str, slack: SlackFace, tmp_path: Path
) -> None:
    job = await finished_job(database)
    slack.face.player.play(Behaviour(rules=(Rule(effect=Effect.HANG_BEFORE),)))

    async def claimed() -> bool:
        return bool(await database.fetchval("SELECT count(*) FROM notifications WHERE lease_token IS NOT NULL"))

    async def told() -> bool:
        return slack.about(job) > 0

    start = (database_url, kafka_bootstrap, slack.url, tmp_path / "log")
    async with notifier(*start, SLACK_TIMEOUT="2") as process:
        await until(claimed)
        process.kill()
        await process.wait()
    lease_ends_in = (await database.fetchval("SELECT wake_at - now() FROM notifications")).total_seconds()
    assert 3 < lease_ends_in <= 6
    assert not slack.texts()
    slack.face.player.play(Behaviour())
    async with notifier(*start, SLACK_TIMEOUT="2"):
        waited = await until(told)
    assert waited > lease_ends_in - 1
    assert slack.about(job) == 1


async def test_a_slack_that_is_down_slows_nothing_and_gets_its_message_when_it_is_back(
    database: Database, database_url: str, kafka_bootstrap: str, slack: SlackFace, tmp_path: Path
) -> None:
    slack.down()
    jobs = [await finished_job(database) for _ in range(3)]

    async def tried() -> bool:
        query = "SELECT count(*) FROM notifications WHERE attempts > 0 AND error LIKE 'no answer%'"
        return await database.fetchval(query) == len(jobs)

    async def told() -> bool:
        return len(slack.texts()) >= len(jobs)

    async with notifier(database_url, kafka_bootstrap, slack.url, tmp_path / "log"):
        for job in jobs:
            await announce(kafka_bootstrap, job, JobEventKind.COMPLETED)
        await until(tried)
        await slack.up()
        await until(told, seconds=40)
    assert [slack.about(job) for job in jobs] == [1, 1, 1]


async def test_a_notifier_delivers_outcomes_to_endpoints_and_logs_neither_address_nor_secret(
    database: Database, database_url: str, kafka_bootstrap: str, tmp_path: Path
) -> None:
    webhooks = Webhooks(database)
    async with receiving() as receiver:
        endpoint = await webhooks.endpoint(receiver.url)

        async def told() -> bool:
            return bool(receiver.seen)

        settings = {"WEBHOOK_SIGNING_KEY": KEY, "WEBHOOK_NETWORKS": '["127.0.0.0/8"]'}
        async with notifier(database_url, kafka_bootstrap, None, tmp_path / "log", **settings):
            await webhooks.invoice("sent")
            await until(told)
    log = (tmp_path / "log").read_bytes()
    for secret in (KEY, shown(secret_of(KEY, endpoint, 1)), "in-the-address"):
        assert secret.encode() not in log


async def test_a_mail_server_that_hangs_slows_neither_slack_nor_webhooks_and_mail_comes_when_it_is_back(
    database: Database, database_url: str, kafka_bootstrap: str, slack: SlackFace, tmp_path: Path
) -> None:
    mail = Mail(tmp_path / "mail.jsonl", behaviour=Behaviour(rules=(Rule(effect=Effect.HANG_BEFORE),)))
    server = await mail.serve()
    jobs = [await finished_job(database) for _ in range(3)]

    async def told() -> bool:
        return all(slack.about(job) for job in jobs)

    async def mailed() -> bool:
        return len({stored["message_id"] for stored in mail.messages()}) == len(jobs)

    settings = {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(server.sockets[0].getsockname()[1]),
        "SMTP_SECURITY": "none",
        "SMTP_TIMEOUT": "3",
        "EMAIL_FROM": "us@example.test",
        "EMAIL_RECIPIENTS": '{"ann": {"address": "ann@people.test", "language": "nl"}}',
    }
    async with notifier(database_url, kafka_bootstrap, slack.url, tmp_path / "log", **settings):
        await announce(kafka_bootstrap, jobs[0], JobEventKind.COMPLETED)
        await until(told)
        assert not await mailed()
        mail.player.play(Behaviour())
        await until(mailed)
    assert {stored["subject"] for stored in mail.messages()} == {
        "Factuurverwerking klaar: 4 verzonden, 3 mislukt, 1 wacht op een beslissing"
    }
    assert b"people.test" not in (tmp_path / "log").read_bytes()
    server.close()
    mail.close()
