"""What a person decides about held invoices, to the end: real processes, the public API's face as the destination."""

import asyncio
from pathlib import Path

import pytest

from client import ApiError, HeldSummary
from sandbox.oracle import Oracle
from tests.support.system import SHORT_CLOCKS, Running, running_system

SANDBOX = {"SANDBOX_COUNT": "60", "SANDBOX_UNKNOWN": "3", "SANDBOX_CHANGED": "2"}


async def all_held(running: Running) -> list[HeldSummary]:
    return (await asyncio.to_thread(running.client.held)).items


async def decide(running: Running, row: HeldSummary, resolution: str, uuid: str | None = None) -> str:
    resolved = await asyncio.to_thread(
        running.client.resolve_held, row.id, resolution, reason="the test looked", uuid=uuid
    )
    return resolved.stage


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
    async with running_system(tmp_path, sandbox=SANDBOX, env=env) as running:
        job = await running.finish(await running.start_job())
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

        proof = await running.prove()
        assert proof.contradictions == []
        assert await decide(running, late, "abandon") == "failed"
        told = await asyncio.to_thread(running.client.invoice, right.id)
        assert told.clearfacts_response is not None
        assert told.clearfacts_response["read_back"].startswith("confirmed")
        assert (await asyncio.to_thread(running.client.alerts)).items == []


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
