"""kill -9 of one service after the other in the middle of a job of 4,000 invoices: nothing lost, nothing sent twice."""

import random
from pathlib import Path

import pytest

from local.system import SERVICES
from tests.support.system import running_system

INVOICES = 4_000
BETWEEN = 700
"""Acceptances from one kill to the next, less what chance takes: the job is in its middle at each."""
SEED = 20261124


@pytest.mark.timeout(240)
async def test_killing_each_service_in_the_middle_of_a_job_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path,
) -> None:
    dice = random.Random(SEED)
    kills = [(place * BETWEEN + dice.randrange(100, BETWEEN - 100), one) for place, one in enumerate(_mixed(dice))]
    print(f"seed {SEED}: killed after so many acceptances: {kills}")
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
        for after, victim in kills:
            await running.until_sent(job_id, after)
            await running.infrastructure.kill(victim)
        job = await running.finish(job_id)
        proof = await running.prove()
        restarts = {part.name: part.restarts for part in running.infrastructure.supervisor.status()}
    assert {victim: restarts[victim] for victim in SERVICES} == dict.fromkeys(SERVICES, 1)
    assert (job.status, job.error) == ("completed", None)
    assert proof.contradictions == []
    assert proof.listed == INVOICES
    assert job.results.total_invoices == INVOICES
    in_buckets = job.results.processed + job.results.failed + job.results.duplicates + job.results.held
    assert in_buckets == INVOICES


def _mixed(dice: random.Random) -> list[str]:
    return dice.sample(SERVICES, len(SERVICES))
