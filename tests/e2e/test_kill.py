"""kill -9 of each service in the middle of a job of 2,000 invoices: nothing lost, nothing sent twice."""

import random
from pathlib import Path

import pytest

from local.system import SERVICES
from tests.support.system import running_system

INVOICES = 2_000
SEED = 20261124


@pytest.mark.timeout(180)
@pytest.mark.parametrize("victim", SERVICES)
async def test_killing_a_service_in_the_middle_of_a_job_loses_nothing_and_sends_nothing_twice(
    victim: str, tmp_path: Path
) -> None:
    dice = random.Random(f"{SEED}-{victim}")
    after = dice.randrange(100, 900)
    print(f"seed {SEED}: {victim} is killed after {after} acceptances")
    sandbox = {
        "SANDBOX_SEED": str(dice.randrange(10**6)),
        "SANDBOX_COUNT": str(INVOICES),
        "SANDBOX_LATENCY": "0.02",
        "SANDBOX_DUPLICATES": "40",
        "SANDBOX_MALFORMED": "20",
        "SANDBOX_REFUSED": "20",
    }
    async with running_system(tmp_path, sandbox=sandbox) as running:
        job_id = await running.start_job()
        await running.until_sent(job_id, after)
        await running.infrastructure.kill(victim)
        job = await running.finish(job_id)
        proof = await running.prove()
        restarts = {part.name: part.restarts for part in running.infrastructure.supervisor.status()}
    assert restarts[victim] == 1
    assert (job.status, job.error) == ("completed", None)
    assert proof.contradictions == []
    assert proof.listed == INVOICES
    assert job.results.total_invoices == INVOICES
    in_buckets = job.results.processed + job.results.failed + job.results.duplicates + job.results.held
    assert in_buckets == INVOICES
