"""From outcomes in PostgreSQL to an integrator's endpoint, and what becomes of deliveries that do not arrive."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web

from common.contracts.webhooks import WebhookEvent, secret_of, shown
from common.db.pool import Database, connect
from notifier.adapters.webhook_posts import HttpPoster
from notifier.adapters.webhook_rows import PostgresOutcomes
from notifier.webhooks.rules import sign
from tests.integration.notifier.conftest import finished_job
from tests.integration.notifier.receiver import Receiver, answers, receiving
from tests.integration.notifier.webhooks_world import KEY, Webhooks
from tests.support.readings import reading

pytestmark = pytest.mark.stack

HOUR = timedelta(hours=1)
Verify = Callable[..., bool]


def documented() -> Verify:
    """The verifier that docs/webhooks.md gives to integrators."""
    page = (Path(__file__).parents[3] / "docs/webhooks.md").read_text(encoding="utf-8")
    code = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[0]
    names: dict[str, Verify] = {}
    exec(code, names)
    return names["verify"]


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def webhooks(database: Database) -> AsyncGenerator[Webhooks]:
    made = Webhooks(database)
    yield made
    await made.poster.close()


async def test_an_outcome_arrives_signed_so_that_the_documented_verifier_takes_it(
    webhooks: Webhooks, receiver: Receiver
) -> None:
    endpoint = await webhooks.endpoint(receiver.url)
    row = await webhooks.invoice("sent")
    before = reading("webhook_deliveries_total", outcome="delivered")
    assert await webhooks.round() == 1
    assert reading("webhook_deliveries_total", outcome="delivered") == before + 1
    headers, body = receiver.seen[0]
    told = json.loads(body)
    assert (told["type"], told["data"]["id"], told["data"]["clearfacts_uuid"]) == ("invoice.sent", str(row), "cf-1")
    secret = shown(secret_of(KEY, endpoint, 1))
    verify = documented()
    assert verify(secret, headers, body)
    assert not verify(secret, headers, body.replace(b"sent", b"held"))
    assert not verify(secret, {**headers, "webhook-id": "evt_other"}, body)
    assert not verify(secret, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 301)}, body)
    assert not verify(shown(secret_of(KEY, endpoint, 2)), headers, body)


async def test_an_old_delivery_is_refused_by_the_documented_verifier_though_its_signature_fits() -> None:
    secret, body = secret_of(KEY, uuid4(), 1), b"{}"
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": "1000",
        "webhook-signature": sign(secret, "evt_1", 1000, body),
    }
    assert not documented()(shown(secret), headers, body)
    assert documented()(shown(secret), headers, body, tolerance=10**10)


async def test_each_outcome_goes_once_to_each_endpoint_that_asked_for_it(
    webhooks: Webhooks, receiver: Receiver
) -> None:
    await webhooks.endpoint(receiver.url, WebhookEvent.INVOICE_FAILED)
    await webhooks.endpoint(receiver.url, WebhookEvent.INVOICE_SENT, WebhookEvent.INVOICE_FAILED)
    row = await webhooks.invoice("failed")
    await webhooks.invoice("held")
    await webhooks.move(row, "sent")  # replayed before anybody looked
    for _ in range(3):
        await webhooks.round()
    assert sorted(json.loads(body)["type"] for _, body in receiver.seen) == ["invoice.failed"] * 2 + ["invoice.sent"]
    assert len(set(receiver.ids)) == 2


async def test_a_finished_job_is_told(webhooks: Webhooks, receiver: Receiver, database: Database) -> None:
    await webhooks.endpoint(receiver.url)
    job = await finished_job(database, ago="0 seconds")
    await webhooks.round()
    told = json.loads(receiver.seen[0][1])
    assert (told["type"], told["data"]["job_id"], told["data"]["results"]["held"]) == ("job.completed", str(job), 1)
    assert "amounts" not in told["data"]["results"]


async def test_what_happened_before_an_endpoint_was_there_is_not_told(webhooks: Webhooks, receiver: Receiver) -> None:
    await webhooks.invoice("sent")
    assert await webhooks.outcomes.collect() == 0
    await webhooks.endpoint(receiver.url)
    await webhooks.invoice("sent")
    assert await webhooks.outcomes.collect() == 1


async def test_a_transaction_that_commits_late_is_not_skipped(
    webhooks: Webhooks, receiver: Receiver, database: Database, database_url: str
) -> None:
    await webhooks.endpoint(receiver.url)
    other = await connect(database_url, application="test", connections=2)
    late = await webhooks.invoice()
    async with other.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("UPDATE invoices SET processed_at = now(), version = 2 WHERE id = $1", late)
        await connection.execute(
            "INSERT INTO invoice_events (invoice_id, version, stage, actor) VALUES ($1, 2, 'sent', 'late')", late
        )
        started = await connection.fetchval("SELECT now()")
        await webhooks.invoice("sent")
        reader = PostgresOutcomes(database, margin=timedelta(0))
        assert await reader.collect() == 1
        assert await database.fetchval("SELECT mark FROM webhook_reader") <= started
        await transaction.commit()
    assert await reader.collect() == 1
    await other.close()


async def test_a_long_backlog_is_read_in_pages(webhooks: Webhooks, receiver: Receiver, database: Database) -> None:
    await webhooks.endpoint(receiver.url)
    for _ in range(5):
        await webhooks.invoice("sent")
    reader = PostgresOutcomes(database, page=2)
    assert [await reader.collect(), await reader.collect()] == [5, 0]


async def test_two_replicas_deliver_once(webhooks: Webhooks, receiver: Receiver) -> None:
    await webhooks.endpoint(receiver.url)
    for _ in range(20):
        await webhooks.invoice("sent")
    await asyncio.gather(webhooks.outcomes.collect(), webhooks.outcomes.collect())
    while await webhooks.outcomes.collect():
        pass
    await asyncio.gather(webhooks.deliver(), webhooks.deliver())
    await webhooks.deliver()
    assert (len(receiver.ids), len(set(receiver.ids))) == (20, 20)


async def test_what_failed_comes_again_with_the_same_id_and_bytes(webhooks: Webhooks, receiver: Receiver) -> None:
    await webhooks.endpoint(receiver.url)
    receiver.answers = [answers(500, "oops \x1b[31m" + "x" * 300)]
    await webhooks.invoice("sent")
    assert await webhooks.round() == 0
    assert await webhooks.deliver() == 0  # not at once
    await webhooks.later(HOUR)
    assert await webhooks.deliver() == 1
    assert (receiver.seen[0][1], receiver.ids[0]) == (receiver.seen[1][1], receiver.ids[1])
    [row] = await webhooks.rows()
    first, second = row["log"]
    assert (first["response_code"], second["response_code"], row["status"]) == (500, 200, "delivered")
    assert (len(first["excerpt"]), "\x1b" in first["excerpt"]) == (200, False)


async def test_a_receiver_that_hangs_resets_or_redirects_is_a_failure_that_is_said(
    webhooks: Webhooks, receiver: Receiver
) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3)
        return web.Response()

    async def reset(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    await webhooks.endpoint(receiver.url)
    await webhooks.invoice("sent")
    receiver.answers = [hang, reset, answers(302, location="http://127.0.0.1:1/elsewhere")]
    for _ in range(3):
        await webhooks.round()
        await webhooks.later(HOUR)
    [row] = await webhooks.rows()
    assert [entry["error"] for entry in row["log"]] == [
        "no answer in time",
        "no answer: ServerDisconnectedError",
        "answered 302: redirects are not followed",
    ]
    assert "in-the-address" not in json.dumps(row["log"])


async def test_an_answer_without_an_end_is_cut_and_counts_by_its_status(webhooks: Webhooks, receiver: Receiver) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"y" * 65_536)

    await webhooks.endpoint(receiver.url)
    await webhooks.invoice("sent")
    receiver.answers = [endless]
    assert await webhooks.round() == 1


async def test_retry_after_is_a_floor_for_the_whole_endpoint(webhooks: Webhooks, receiver: Receiver) -> None:
    await webhooks.endpoint(receiver.url)
    receiver.answers = [answers(429, retry_after="600")]
    await webhooks.invoice("sent")
    await webhooks.round()
    await webhooks.invoice("sent")
    await webhooks.later(timedelta(seconds=590))
    assert await webhooks.round() == 0
    await webhooks.later(timedelta(seconds=11))
    assert await webhooks.round() == 2


async def test_410_disables_the_endpoint_and_says_so(
    webhooks: Webhooks, receiver: Receiver, database: Database
) -> None:
    endpoint = await webhooks.endpoint(receiver.url)
    receiver.answers = [answers(410)]
    await webhooks.invoice("sent")
    await webhooks.round()
    await webhooks.invoice("sent")
    assert await webhooks.outcomes.collect() == 0
    assert [row["status"] for row in await webhooks.rows()] == ["failed"]
    assert await database.fetchval("SELECT subject FROM alerts WHERE kind = 'webhook_stopped'") == str(endpoint)


async def test_an_endpoint_that_only_fails_is_spared_then_paused_and_still_collected_for(
    webhooks: Webhooks, receiver: Receiver, database: Database
) -> None:
    await webhooks.endpoint(receiver.url)
    for _ in range(6):
        await webhooks.invoice("sent")
    receiver.answers = [answers(500)] * 40
    await webhooks.round()
    assert len(receiver.seen) == 6
    for _ in range(16):
        await webhooks.later(2 * HOUR)
        await webhooks.round()
    assert len(receiver.seen) == 6 + 14  # one at a time, and none after the pause
    assert await database.fetchval("SELECT details->>'why' FROM alerts WHERE kind = 'webhook_stopped'")
    await webhooks.invoice("sent")
    assert await webhooks.outcomes.collect() == 1
    await database.execute("UPDATE webhook_endpoints SET enabled_at = now()")
    receiver.answers.clear()
    assert await webhooks.round() == 7


async def test_a_delivery_is_given_up_after_three_days(webhooks: Webhooks, receiver: Receiver) -> None:
    await webhooks.endpoint(receiver.url)
    await webhooks.invoice("sent")
    receiver.answers = [answers(500)] * 2
    await webhooks.round()
    await webhooks.later(timedelta(days=3))
    await webhooks.round()
    [row] = await webhooks.rows()
    assert (row["status"], row["wake_at"]) == ("failed", None)


async def test_while_a_secret_is_replaced_both_sign(webhooks: Webhooks, receiver: Receiver, database: Database) -> None:
    endpoint = await webhooks.endpoint(receiver.url)
    await database.execute("UPDATE webhook_endpoints SET secret_number = 2, previous_until = now() + interval '1 hour'")
    await webhooks.invoice("sent")
    await webhooks.round()
    headers, body = receiver.seen[0]
    assert [documented()(shown(secret_of(KEY, endpoint, n)), headers, body) for n in (1, 2, 3)] == [True, True, False]


async def test_under_another_key_nothing_is_posted(webhooks: Webhooks, receiver: Receiver) -> None:
    await webhooks.endpoint(receiver.url)
    await webhooks.invoice("sent")
    webhooks.key = "another key that has thirty-two letters too"
    assert await webhooks.round() == 0
    assert receiver.seen == []
    assert "WEBHOOK_SIGNING_KEY" in (await webhooks.rows())[0]["log"][0]["error"]


async def test_a_private_address_is_refused_at_connect_time(receiver: Receiver) -> None:
    closed = HttpPoster((), timeout=timedelta(seconds=1))
    for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost").replace("http:", "https:")):
        answer = await closed.post(url, b"{}", {})
        assert getattr(answer, "error", None) == "the address is not allowed"
    assert receiver.seen == []
    await closed.close()


async def test_a_killed_replicas_claims_go_when_the_lease_ends(webhooks: Webhooks, receiver: Receiver) -> None:
    await webhooks.endpoint(receiver.url)
    await webhooks.invoice("sent")
    await webhooks.outcomes.collect()
    [endpoint] = await webhooks.outbox.due()
    [lost] = await webhooks.outbox.claim(endpoint, 16, timedelta(seconds=3))  # and never settled
    assert await webhooks.deliver() == 0
    await webhooks.later(timedelta(seconds=4))
    assert await webhooks.deliver() == 1
    assert receiver.ids == [lost.event_id]


async def test_what_waits_at_a_closed_endpoint_is_given_up_and_what_is_old_is_forgotten_for_good(
    webhooks: Webhooks, receiver: Receiver, database: Database
) -> None:
    await webhooks.endpoint(receiver.url)
    row = await webhooks.invoice("sent")
    await webhooks.outcomes.collect()
    await database.execute("UPDATE webhook_endpoints SET disabled_at = now()")
    await webhooks.later(timedelta(days=3, hours=2))
    await webhooks.outbox.tidy()
    assert [found["status"] for found in await webhooks.rows()] == ["failed"]
    await database.execute("UPDATE webhook_deliveries SET id = uuidv7_floor(now() - interval '32 days')")
    await webhooks.outbox.tidy()
    assert await webhooks.rows() == []
    old = timedelta(days=32)
    await database.execute("UPDATE webhook_endpoints SET disabled_at = NULL, since = now() - $1::interval", 2 * old)
    await database.execute("ALTER TABLE invoice_events DISABLE TRIGGER USER")
    await database.execute("UPDATE invoice_events SET at = at - $2::interval WHERE invoice_id = $1", row, old)
    await webhooks.move(row, "failed")  # looked at again, for its newest outcome
    assert await webhooks.outcomes.collect() == 1


async def test_a_sender_that_is_killed_in_the_middle_leaves_nothing_undelivered(
    webhooks: Webhooks, receiver: Receiver, database_url: str
) -> None:
    await webhooks.endpoint(receiver.url)
    for _ in range(40):
        await webhooks.invoice("sent")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _SENDER, database_url)

    async def kill(_: web.Request) -> web.StreamResponse:
        process.kill()
        return web.Response()

    receiver.answers = [*[answers(200)] * 20, kill]
    assert await process.wait() == -signal.SIGKILL
    rows = await webhooks.rows()
    states = [row["status"] for row in rows]
    assert 0 < states.count("delivered") < 40
    await webhooks.outcomes.collect()
    await webhooks.later(timedelta(minutes=1))
    await webhooks.deliver()
    while await webhooks.deliver():
        pass
    assert {row["status"] for row in await webhooks.rows()} == {"delivered"}
    assert len(set(receiver.ids)) == 40
    assert len(receiver.ids) <= 40 + 16  # what was in hand when it died


_SENDER = """
import asyncio, sys
from common.db.pool import connect
from tests.integration.notifier.webhooks_world import Webhooks

async def main():
    webhooks = Webhooks(await connect(sys.argv[1], application="killed", connections=2))
    await webhooks.outcomes.collect()
    await webhooks.deliverer().run()

asyncio.run(main())
"""
