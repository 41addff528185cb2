"""What travels between services."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from common.contracts.dead_letters import Unreadable
from common.contracts.events import (
    Event,
    InvoiceFetched,
    InvoiceOutcome,
    JobEvent,
    JobEventKind,
    JobRequested,
    JobType,
)
from common.contracts.topics import (
    DEAD_LETTERS,
    MAX_RECORD_BYTES,
    TOPICS,
    Group,
    Topic,
    all_topics,
    dead_letter_topic,
)
from common.kafka.provisioning import new_topic
from common.settings import Environment

ID = UUID("0192f0c1-2f00-7000-8000-000000000001")
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_every_event_round_trips_and_is_keyed_by_its_subject() -> None:
    events: list[Event] = [
        JobRequested(job_id=ID, job_type=JobType.MANUAL, requested_at=NOW, invoice_ids=("a",)),
        InvoiceFetched(id=ID, version=1),
        InvoiceOutcome(id=ID, version=3, stage="claimed", source_id="INV-1", attempt=7),
        JobEvent(job_id=ID, version=2, kind=JobEventKind.SETTLING, at=NOW),
    ]
    for event in events:
        assert type(event).model_validate_json(event.model_dump_json()) == event
        assert event.key == str(ID).encode()


def test_an_event_without_a_key_is_a_programming_error() -> None:
    with pytest.raises(NotImplementedError):
        _ = Event().key


def test_fields_of_a_newer_version_are_ignored() -> None:
    assert InvoiceFetched.model_validate({"id": str(ID), "version": 1, "colour": "blue"}) == InvoiceFetched(
        id=ID, version=1
    )


@pytest.mark.parametrize("version", [0, -1, 2**31, 10**30])
def test_a_version_that_no_row_can_have_cannot_be_read(version: int) -> None:
    with pytest.raises(ValidationError):
        InvoiceFetched(id=ID, version=version)
    with pytest.raises(ValidationError):
        JobEvent(job_id=ID, version=version, kind=JobEventKind.STARTED, at=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"requested_at": "2026-11-24T00:00:00"},
        {"reason": "nul \x00"},
        {"correlation_id": "nul \x00"},
        {"invoice_ids": ["nul \x00"]},
    ],
)
def test_a_request_that_the_database_cannot_hold_cannot_be_read(wrong: dict[str, Any]) -> None:
    good = {"job_id": ID, "job_type": "manual", "requested_at": NOW}
    JobRequested.model_validate(good)
    with pytest.raises(ValidationError):
        JobRequested.model_validate(good | wrong)


def test_an_unreadable_record_knows_its_hash() -> None:
    record = Unreadable("t", 0, 1, None, b"raw", {}, "cause")
    assert record.sha256 == hashlib.sha256(b"raw").digest()


def test_the_topics_are_those_of_the_design() -> None:
    days = {spec.name: spec.retention // timedelta(days=1) for spec in all_topics()}
    assert days == {
        "jobs.requested.v1": 14,
        "invoices.fetched.v1": 14,
        "invoices.validated.v1": 14,
        "invoices.outcomes.v1": 30,
        "jobs.events.v1": 30,
        "fetcher.dlq.v1": 90,
        "validator.dlq.v1": 90,
        "sender.dlq.v1": 90,
        "notifier.dlq.v1": 90,
    }
    assert {TOPICS[topic].name for topic in Topic} == {topic.value for topic in Topic}
    assert {DEAD_LETTERS[group].name for group in Group} == {dead_letter_topic(group) for group in Group}


@pytest.mark.parametrize(
    ("environment", "partitions", "replicas", "in_sync"),
    [
        (Environment.LOCAL, 6, 1, "1"),
        (Environment.DEVELOPMENT, 6, 1, "1"),
        (Environment.STAGING, 12, 3, "2"),
        (Environment.PRODUCTION, 12, 3, "2"),
    ],
)
def test_a_topic_is_made_for_its_environment(
    environment: Environment, partitions: int, replicas: int, in_sync: str
) -> None:
    made = new_topic(TOPICS[Topic.INVOICES_FETCHED], environment)
    assert (made.num_partitions, made.replication_factor) == (partitions, replicas)
    assert made.topic_configs == {
        "retention.ms": str(14 * 86_400_000),
        "min.insync.replicas": in_sync,
        "unclean.leader.election.enable": "false",
        "max.message.bytes": str(MAX_RECORD_BYTES),
    }
    assert new_topic(TOPICS[Topic.JOBS_REQUESTED], environment).num_partitions == 3


def test_row_ids_are_keys_that_spread() -> None:
    keys = {InvoiceFetched(id=uuid4(), version=1).key for _ in range(100)}
    assert len(keys) == 100
