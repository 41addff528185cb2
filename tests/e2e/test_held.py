"""What a job would do, does, and what people decide of it: real processes, the public API's face as the destination."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest

from client import ApiError, HeldSummary, Job
from sandbox.oracle import Oracle
from tests.support.system import SHORT_CLOCKS, Running, running_system
from tests.support.telemetry import missing_metrics
from tests.support.telemetry import told as story_of

STEPS = (
    "gateway publish jobs.requested.v1",
    "fetcher process jobs.requested.v1",
    "fetcher list the source",
    "fetcher GET source",
    "fetcher invoice",
    "validator process invoices.fetched.v1",
    "validator invoice validated",
    "sender process invoices.validated.v1",
    "sender send",
    "sender uploadFile clearfacts",
    "sender invoice unknown",
    "sender invoice sent",
    "fetcher job completed",
    "notifier process jobs.events.v1",
    "notifier tell people: job_finished",
    "notifier POST slack",
)
SANDBOX = {"SANDBOX_COUNT": "60", "SANDBOX_UNKNOWN": "3", "SANDBOX_CHANGED": "2"}


async def all_held(running: Running) -> list[HeldSummary]:
    return (await asyncio.to_thread(running.client.held)).items


async def decide(running: Running, row: HeldSummary, resolution: str, uuid: str | None = None) -> str:
    resolved = await asyncio.to_thread(
        running.client.resolve_held, row.id, resolution, reason="the test looked", uuid=uuid
    )
    return resolved.stage


async def dry_run(running: Running, *, killing: Sequence[str] = ()) -> Job:
    """Followed to its end, through kill -9 of some services on its way; nothing must have come of it."""
    before = await asyncio.to_thread(running.client.jobs)
    started = await asyncio.to_thread(running.client.start, dry_run=True)
    for victim in killing:
        await running.infrastructure.kill(victim)
    job = await running.finish(str(started.job_id))
    assert (job.status, job.error, job.results.processed) == ("completed", None, 0)
    assert await asyncio.to_thread(running.client.jobs) == before
    return job


def compare(foretold: Job, job: Job) -> None:
    """What a dry run said and what the job did: only the destination's own answers are not known before."""
    said, did = foretold.preview, job.results
    assert said is not None
    assert (said.would_fail, said.duplicates + said.known) == (did.failed, did.duplicates)
    assert said.would_go + said.would_wait == did.processed + did.held
    assert foretold.results.total_invoices == did.total_invoices


async def until(running: Running, row: HeldSummary, *standing: str) -> None:
    """Wait until its status, reason and error say all of `standing`."""
    async with asyncio.timeout(30):
        while True:
            found = await asyncio.to_thread(running.client.invoice, row.id)
            if all(word in f"{found.status} {found.reason} {found.error}" for word in standing):
                return
            await asyncio.sleep(0.1)


@pytest.mark.timeout(180)
async def test_what_is_held_ends_by_what_a_person_decides_and_nothing_is_sent_twice(tmp_path: Path) -> None:
    env = {**SHORT_CLOCKS, "DESTINATION_TRANSPORT": "graphql"}  # it cannot be looked up: what is unclear is held
    async with running_system(tmp_path, sandbox=SANDBOX, env=env, traces=1.0) as running:
        foretold = await dry_run(running, killing=("fetcher", "validator"))
        job = await running.finish(await running.start_job())
        compare(foretold, job)
        unknown = [row for row in await all_held(running) if row.reason == "unknown_outcome"]
        changed = [row for row in await all_held(running) if row.reason == "changed_after_sent"]
        assert (len(unknown), len(changed), job.results.held) == (3, 2, 5)
        accepted = Oracle(running.system.oracle / "oracle.jsonl").accepted()
        uuids = {document.reference: document.uuid for document in accepted}

        detail = await asyncio.to_thread(running.client.held_invoice, changed[0].id)
        assert detail.other is not None
        assert detail.difference is not None
        assert (detail.other.status, bool(detail.difference.changes)) == ("sent", True)
        with pytest.raises(ApiError, match="never sent"):
            await decide(running, changed[0], "not_there")
        assert await decide(running, changed[0], "abandon") == "failed"

        right, wrong, late = unknown
        known = uuids[str((await asyncio.to_thread(running.client.held_invoice, right.id)).reference)]
        assert await decide(running, right, "found", known) == "held"
        await until(running, right, "sent")
        assert await decide(running, wrong, "found", "00000000-0000-4000-8000-000000000000") == "held"
        await until(running, wrong, "held", "unknown_outcome", "which a person gave as its uuid")

        assert (await dry_run(running)).results.total_invoices == 0  # as for the next job: nothing is new
        proof = await running.prove()
        assert proof.contradictions == []
        assert await decide(running, late, "abandon") == "failed"
        told = await asyncio.to_thread(running.client.invoice, right.id)
        assert told.clearfacts_response is not None
        assert told.clearfacts_response["read_back"].startswith("confirmed")
        assert (await asyncio.to_thread(running.client.alerts)).items == []
        await one_trace(running, job, told.id)
        assert await missing_metrics(running) == set()


async def one_trace(running: Running, job: Job, row: UUID) -> None:
    """From the click through a lost answer and a person's word to the message: one tree, nothing beside it."""
    found = await story_of(running, str(job.job_id), str(row), *STEPS)
    assert [root.span["name"] for root in found.roots] == ["POST /api/v1/invoices/process"]
    assert found.orphans == []
    errors = [span["error"] for span in found.own if span["name"] == "send"]
    assert [error.split(":")[0] for error in errors] == ["unknown"]


@pytest.mark.timeout(180)
async def test_what_a_person_did_not_find_is_sent_again_after_lease_and_settle(tmp_path: Path) -> None:
    rules = '[{"effect": "reset_before", "next": 1}]'
    env = {**SHORT_CLOCKS, "DESTINATION_TRANSPORT": "graphql"}
    async with running_system(tmp_path, sandbox={"SANDBOX_COUNT": "20", "SANDBOX_RULES": rules}, env=env) as running:
        await running.finish(await running.start_job())
        [row] = await all_held(running)
        with pytest.raises(ApiError, match="may still arrive") as refused:
            await decide(running, row, "not_there")
        assert "not_before" in refused.value.details
        async with asyncio.timeout(30):
            while not (await asyncio.to_thread(running.client.held_invoice, row.id)).choices[1].allowed:
                await asyncio.sleep(0.2)
        assert await decide(running, row, "not_there") == "validated"
        await until(running, row, "sent")
        proof = await running.prove()
    assert (proof.contradictions, proof.accepted, proof.buckets["sent"]) == ([], 20, 20)
