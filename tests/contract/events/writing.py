"""Records as today's code writes them. `python -m tests.contract.events.writing` adds golden files that are missing."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from common.clock import Clock
from common.contracts.describe import EVENTS
from common.contracts.events import (
    Event,
    InvoiceFetched,
    InvoiceOutcome,
    InvoiceValidated,
    JobEvent,
    JobEventKind,
    JobRequested,
    JobType,
)
from common.contracts.topics import TOPICS, Topic
from common.kafka.announcing import Announcer
from common.kafka.broker import make_broker
from common.observability.tracing import correlation_id

GOLDEN = Path(__file__).parent / "golden"
HASHES = Path(__file__).parent / "golden.sha256"
SHAPES: Mapping[str, int] = {event.__name__: 1 for event in EVENTS.values()}
"""The newest shape of each event. An event that gets a field gets a number, and golden files, of its own."""

_AT = datetime(2026, 11, 24, 1, 0, 5, 250000, tzinfo=UTC)
_JOB, _ROW, _RECORD, _USER = (UUID(f"0192f0c1-2f00-7000-8000-{n:012}") for n in range(1, 5))
_REFERENCE = UUID("054e69d4-1cf9-5355-9068-5d9810b25768")
_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _outcome(stage: Any, **more: Any) -> InvoiceOutcome:
    known: dict[str, Any] = {
        "id": _ROW,
        "version": 4,
        "stage": stage,
        "job_id": _JOB,
        "source_id": "7-000000001",
        "dossier": "0123456749",
        "dedupe_key": "0123456749|SALE|0123456749|0161173715|380|vkf-2026-7-0000001|2026",
        "content_sha256": "332e21244edd90c909dcb55535594211349f17a59c8cb4deede6fdd7cd1fe491",
    }
    return InvoiceOutcome(**known | more)


CASES: Mapping[str, tuple[Topic, Event]] = {
    "JobRequested.scheduled": (
        Topic.JOBS_REQUESTED,
        JobRequested(job_id=_JOB, job_type=JobType.SCHEDULED, requested_at=_AT),
    ),
    "JobRequested.forced": (
        Topic.JOBS_REQUESTED,
        JobRequested(
            job_id=_JOB,
            job_type=JobType.MANUAL,
            requested_at=_AT,
            triggered_by=_USER,
            invoice_ids=("7-000000001", "7-000000003"),
            force_processing=True,
            reason="klant vraagt opnieuw, é",
            correlation_id="golden-0001",
        ),
    ),
    "InvoiceFetched": (Topic.INVOICES_FETCHED, InvoiceFetched(id=_ROW, version=1)),
    "InvoiceValidated": (Topic.INVOICES_VALIDATED, InvoiceValidated(id=_ROW, version=2)),
    "InvoiceOutcome.claimed": (
        Topic.INVOICES_OUTCOMES,
        _outcome("claimed", version=3, reference=_REFERENCE, attempt=7),
    ),
    "InvoiceOutcome.sent": (
        Topic.INVOICES_OUTCOMES,
        _outcome("sent", reference=_REFERENCE, attempt=7, uuid="6f1f5d7e-2f4f-4f0e-9a59-52f7ad6b2f11"),
    ),
    "InvoiceOutcome.failed": (Topic.INVOICES_OUTCOMES, _outcome("failed", reason="invalid")),
    "InvoiceOutcome.duplicate": (Topic.INVOICES_OUTCOMES, _outcome("duplicate", version=1)),
    "InvoiceOutcome.held": (
        Topic.INVOICES_OUTCOMES,
        _outcome("held", reason="unknown_outcome", reference=_REFERENCE, attempt=7, generation=1),
    ),
    "InvoiceOutcome.unread": (
        Topic.INVOICES_OUTCOMES,
        InvoiceOutcome(id=_ROW, version=1, stage="failed", reason="invalid", source_id="7-000000012"),
    ),
    **{
        f"JobEvent.{kind}": (Topic.JOBS_EVENTS, JobEvent(job_id=_JOB, version=version, kind=kind, at=_AT))
        for version, kind in enumerate(JobEventKind, start=2)
    },
}


def name(case: str) -> str:
    """`InvoiceOutcome.sent` is in `InvoiceOutcome.1.sent.json`."""
    event, _, variant = case.partition(".")
    return ".".join(filter(None, (event, str(SHAPES[event]), variant, "json")))


async def written(topic: Topic, event: Event) -> dict[str, Any]:
    """The record that the announcer would send, with an id, a time and a trace that do not change."""
    records: list[dict[str, Any]] = []

    async def send(topic: str, key: bytes | None, value: bytes, headers: Any) -> "asyncio.Future[None]":
        shown = {header: text.decode() for header, text in headers} | {"traceparent": _TRACE}
        records.append({"topic": topic, "key": (key or b"").decode(), "headers": shown, "value": json.loads(value)})
        ack: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ack.set_result(None)
        return ack

    clock = Clock(now=lambda: _AT, new_id=lambda: _RECORD)
    correlation_id.set("golden-0001")
    broker = make_broker("nowhere:1", client_id="golden")
    source = TOPICS[topic].writers[0]
    await Announcer(broker, source=source, clock=clock, send=send).announce(topic, [event])
    return records[0]


def rendered(record: Mapping[str, Any]) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def add_missing() -> None:
    """Never writes over a file: what was once on a topic stays readable for as long as there is this project."""
    for case, (topic, event) in CASES.items():
        path = GOLDEN / name(case)
        if not path.exists():
            path.write_text(rendered(asyncio.run(written(topic, event))), encoding="utf-8")
            with HASHES.open("a", encoding="utf-8") as hashes:
                hashes.write(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")


if __name__ == "__main__":
    add_missing()
