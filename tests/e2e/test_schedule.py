"""Dagster's runs against the running system: they announce, the fetcher makes the row, they follow it to its end."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from local.service_settings import ADMIN
from local.surroundings import inherited_environment
from orchestration.adapters.gateway import ClientGateway
from orchestration.domain.trigger import TRIGGER_TAG, Order, job_id_of
from tests.support.system import Running, running_system
from tests.support.telemetry import told as spans_of

NIGHT = "daily:2026-11-24"
STEPS = (
    "orchestration publish jobs.requested.v1",
    "fetcher process jobs.requested.v1",
    "fetcher list the source",
    "fetcher invoice",
    "sender send",
    "sender invoice sent",
    "notifier tell people: job_finished",
    "notifier POST slack",
)


@pytest.mark.timeout(200)
async def test_two_daemons_that_start_one_night_at_once_make_one_job_and_both_runs_end_with_it(tmp_path: Path) -> None:
    homes = [tmp_path / "one", tmp_path / "two"]
    for home in homes:
        home.mkdir()
    async with running_system(tmp_path / "system", sandbox={"SANDBOX_COUNT": "50"}, traces=1.0) as running:
        ended = await asyncio.gather(*(run_the_night(running, home) for home in homes))
        jobs = await asyncio.to_thread(running.client.jobs)
        told = await asyncio.to_thread(running.client.notifications, job_id_of(NIGHT))
        assert (await running.prove()).contradictions == []
        await asyncio.to_thread(the_gateway_answers_all_that_the_schedule_asks, running)
        [row] = (await asyncio.to_thread(running.client.invoices, limit=1)).items
        story = await spans_of(running, str(job_id_of(NIGHT)), str(row.id), *STEPS)
    for code, output in ended:
        assert code == 0, output[-3000:]
    assert [(job.job_id, job.job_type, job.status, job.results.processed) for job in jobs.items] == [
        (job_id_of(NIGHT), "scheduled", "completed", 50)
    ]
    assert [root.span["name"] for root in story.roots] == ["Dagster run: scheduled"]
    assert story.orphans == []
    assert {(one.kind, one.status) for one in told} == {("job_finished", "sent")}


def the_gateway_answers_all_that_the_schedule_asks(running: Running) -> None:
    """What the unit tests' fake answers, from the real one."""
    gateway, job_id = ClientGateway(running.client), job_id_of(NIGHT)
    state, whole = gateway.progress(job_id), gateway.job(job_id)
    assert state
    assert whole
    assert (state.finished, state.listed, state.counts) == (True, True, whole.counts)
    assert whole.amounts["sent"]
    assert gateway.progress(job_id_of("another")) is None
    assert [job.job_id for job in gateway.jobs(scheduled=True, limit=5)] == [job_id]
    assert {one.reaches_somebody for one in gateway.told(job_id)} == {True}
    rehearsal = gateway.dry_run(Order(reason="preview:2026-11-25", dry_run=True), "preview:2026-11-25")
    assert gateway.dry_run(Order(reason="preview:2026-11-25", dry_run=True), "preview:2026-11-25") == rehearsal
    assert gateway.standing().broken == {}
    for _ in range(2):
        gateway.open_alert("night_missing", NIGHT, severity="critical", why="it was killed", do="start it")
    assert [(one.kind, one.subject) for one in running.client.alerts().items] == [("night_missing", NIGHT)]
    gateway.close_alerts("night_missing", [NIGHT, "daily:2026-11-23"], reason="a job has finished")
    assert running.client.alerts().items == []


async def run_the_night(running: Running, home: Path) -> tuple[int | None, str]:
    """One run of that night under a Dagster of its own: what two daemons on one tick come to."""
    env = {
        "DAGSTER_HOME": str(home),
        "KAFKA_BOOTSTRAP_SERVERS": running.infrastructure.kafka_bootstrap,
        "GATEWAY_URL": running.system.gateway_url,
        "GATEWAY_USERNAME": ADMIN,
        "GATEWAY_PASSWORD": running.system.admin_password,
        "OTEL_EXPORTER_OTLP_ENDPOINT": running.system.url_of("sandbox-traces"),
    }
    command = ["-m", "dagster", "job", "execute", "-m", "orchestration.definitions", "--job", "daily_processing"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        "--tags",
        json.dumps({TRIGGER_TAG: NIGHT}),
        env=inherited_environment(env),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()
