"""Dagster's job against the running system: it announces, the fetcher makes the row, the run follows it to its end."""

import asyncio
import sys
from pathlib import Path

import pytest

from local.service_settings import ADMIN
from local.surroundings import inherited_environment
from tests.support.system import running_system


@pytest.mark.timeout(150)
async def test_the_daily_run_asks_for_a_job_and_ends_with_it(tmp_path: Path) -> None:
    async with running_system(tmp_path / "system", sandbox={"SANDBOX_COUNT": "50"}) as running:
        (tmp_path / "dagster").mkdir()
        env = {
            "DAGSTER_HOME": str(tmp_path / "dagster"),
            "KAFKA_BOOTSTRAP_SERVERS": running.infrastructure.kafka_bootstrap,
            "GATEWAY_URL": running.system.gateway_url,
            "GATEWAY_USERNAME": ADMIN,
            "GATEWAY_PASSWORD": running.system.admin_password,
        }
        command = [sys.executable, "-m", "dagster", "job", "execute", "-m", "orchestration.definitions"]
        process = await asyncio.create_subprocess_exec(
            *command,
            "--job",
            "daily_processing",
            env=inherited_environment(env),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        jobs = await asyncio.to_thread(running.client.jobs)
    assert process.returncode == 0, output.decode()[-3000:]
    assert [(job.status, job.results.processed) for job in jobs.items] == [("completed", 50)]
