"""What a running system tells of itself: its metrics, and the spans that the sandbox received."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from cli.spans import Story, story
from client.traces import read_trace
from common.observability.metrics import CATALOGUE, DAGSTER
from local.system import SERVICES
from tests.support.system import Running

ELSEWHERE: Mapping[str, str] = {
    "dead_letters_open": "tests/integration/notifier/test_gauges.py",
    "held_invoices": "tests/integration/notifier/test_gauges.py",
    "held_invoices_oldest_seconds": "tests/integration/notifier/test_gauges.py",
    "notifications_waiting_oldest_seconds": "tests/integration/notifier/test_gauges.py",
    "destination_probes_total": "tests/unit/sender/flow/test_gatekeeper.py",
    "invoice_retries_total": "tests/integration/common/test_outcomes.py",
    "swept_rows_total": "tests/integration/common/test_sweeper.py",
    "webhook_deliveries_total": "tests/integration/notifier/test_webhooks.py",
}
"""Metrics that a quiet system may have no sample of, and the test that makes one."""

PATIENCE = 20.0
_ROOT = Path(__file__).parents[2]


async def missing_metrics(running: Running) -> set[str]:
    """Of the list in the code, what no service emits and no other test names."""
    emitted: set[str] = set()
    async with httpx.AsyncClient(trust_env=False) as http:
        for service in SERVICES:
            text = (await http.get(f"{running.system.url_of(service)}/metrics")).text
            emitted |= {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    wanted = {metric.name for metric in CATALOGUE if metric.by != DAGSTER}
    found = {name for name in wanted if {name, f"{name}_bucket"} & emitted}
    return wanted - found - {name for name, path in ELSEWHERE.items() if name in (_ROOT / path).read_text()}


async def told(running: Running, job_id: str, invoice_id: str, *names: str) -> Story:
    """The spans of an invoice and its job, once those called `names` have come."""
    job = await asyncio.to_thread(running.client.job, job_id)
    assert job.trace_id is not None
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        spans: Sequence[Mapping[str, Any]] = await asyncio.to_thread(
            read_trace, running.system.url_of("sandbox-traces"), job.trace_id
        )
        found = story(spans, invoice_id)
        if not (missing := set(names) - called(found)):
            return found
        assert asyncio.get_running_loop().time() < deadline, f"not told: {sorted(missing)}"
        await asyncio.sleep(0.2)


def called(found: Story) -> set[str]:
    """`service name` of each span."""
    return {f"{span['service']} {span['name']}" for span in found.spans}
