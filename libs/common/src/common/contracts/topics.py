"""Every topic, once. Provisioning, publishers, subscribers and the documentation are generated from `TOPICS`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Topic(StrEnum):
    JOBS_REQUESTED = "jobs.requested.v1"
    JOBS_EVENTS = "jobs.events.v1"
    INVOICES_FETCHED = "invoices.fetched.v1"
    INVOICES_VALIDATED = "invoices.validated.v1"
    INVOICES_OUTCOMES = "invoices.outcomes.v1"


class Group(StrEnum):
    """Consumer groups: the name of the service that owns one."""

    FETCHER = "fetcher"
    VALIDATOR = "validator"
    SENDER = "sender"
    NOTIFIER = "notifier"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    name: str
    key: str
    retention: timedelta
    partitions: int
    """On production; locally and in development `LOCAL_PARTITIONS` at most."""
    writers: tuple[str, ...]
    readers: tuple[str, ...]


LOCAL_PARTITIONS = 6
MAX_RECORD_BYTES = 1_048_576

TOPICS: Mapping[Topic, TopicSpec] = {
    spec_topic: TopicSpec(spec_topic.value, key, timedelta(days=days), partitions, writers, readers)
    for spec_topic, key, days, partitions, writers, readers in (
        (Topic.JOBS_REQUESTED, "job id", 14, 3, ("gateway", "orchestration"), (Group.FETCHER,)),
        (Topic.INVOICES_FETCHED, "invoice row id", 14, 12, ("fetcher", "gateway"), (Group.VALIDATOR,)),
        (Topic.INVOICES_VALIDATED, "invoice row id", 14, 12, ("gateway", "validator", "sender"), (Group.SENDER,)),
        (
            Topic.INVOICES_OUTCOMES,
            "invoice row id",
            30,
            12,
            ("fetcher", "gateway", "validator", "sender"),
            ("integrators",),
        ),
        (Topic.JOBS_EVENTS, "job id", 30, 3, ("fetcher",), (Group.NOTIFIER,)),
    )
}


def dead_letter_topic(group: Group) -> str:
    return f"{group}.dlq.v1"


DEAD_LETTERS: Mapping[Group, TopicSpec] = {
    group: TopicSpec(dead_letter_topic(group), "original key", timedelta(days=90), 3, (group,), ("operators",))
    for group in Group
}


def all_topics() -> tuple[TopicSpec, ...]:
    return (*TOPICS.values(), *DEAD_LETTERS.values())
