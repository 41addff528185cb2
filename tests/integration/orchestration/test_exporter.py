"""The exporter as a process, over a home with files: it answers while it reads, and ends when told."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from dagster import DagsterInstance
from dagster._core.test_utils import create_run_for_test  # private: Dagster is locked

from orchestration.home import write_home

COMMAND = (sys.executable, "-m", "orchestration.exporter")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """With one run that was killed before it began."""
    write_home(tmp_path, code_server_port=1, postgres=False)
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        instance.report_run_failed(create_run_for_test(instance, job_name="daily_processing"))
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER", "HTTP"))}  # noqa: TID251
    return {**own, **more}


def test_it_serves_what_the_storage_says_until_it_is_told_to_end(home: Path) -> None:
    env = environment(DAGSTER_HOME=str(home), EXPORTER_REFRESH="0.2")
    with subprocess.Popen(COMMAND, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            started = process.stdout.readline()
            port = re.search(r'"(?:\w+\.)?port": ?(\d+)', started)
            assert port, started
            with httpx.Client(base_url=f"http://127.0.0.1:{port[1]}", trust_env=False) as client:
                until_ready(client)
                page = client.get("/metrics")
                assert client.get("/health/live").json() == {"status": "ok", "parts": {"loop": "up"}}
        finally:
            process.terminate()
        assert process.wait(10) == 0
    assert page.headers["content-type"].startswith("text/plain")
    assert 'dagster_job_runs_total{job="daily_processing",status="failure"} 1.0' in page.text


def until_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if client.get("/health/ready").is_success:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.05)
