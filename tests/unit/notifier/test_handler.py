"""The handler stores, rings and acknowledges; it posts nothing."""

from uuid import uuid4

import pytest

from common.contracts.events import JobEvent, JobEventKind
from common.kafka import Batch
from notifier.handlers import make_handler
from notifier.settings import NotifierSettings
from notifier.use_cases import RecordFinishedJobs
from tests.unit.notifier.fakes import NOON, FakeNotifications, OwnedTime


class Heard(Batch[JobEvent]):
    """A batch without a broker that notes its acknowledgement."""

    async def acknowledge(self) -> None:
        self.acknowledged = True


def heard(*kinds: JobEventKind) -> Heard:
    return Heard([JobEvent(job_id=uuid4(), version=2, kind=kind, at=NOON) for kind in kinds], None, ())


async def test_finished_jobs_become_rows_the_bell_rings_and_the_batch_is_acknowledged() -> None:
    notifications, rings = FakeNotifications(OwnedTime()), list[int]()
    batch = heard(JobEventKind.STARTED, JobEventKind.COMPLETED, JobEventKind.FAILED)
    await make_handler(RecordFinishedJobs(notifications), lambda: rings.append(1))(batch)
    assert [row.about for row in notifications.rows] == [event.job_id for event in batch.events[1:]]
    assert (rings, batch.acknowledged) == ([1], True)


async def test_other_events_are_acknowledged_without_a_row_or_a_ring() -> None:
    notifications, rings = FakeNotifications(OwnedTime()), list[int]()
    batch = heard(JobEventKind.STARTED, JobEventKind.SETTLING)
    await make_handler(RecordFinishedJobs(notifications), lambda: rings.append(1))(batch)
    assert (notifications.rows, rings, batch.acknowledged) == ([], [], True)


async def test_a_row_that_cannot_be_stored_leaves_the_batch_unacknowledged() -> None:
    class Broken(FakeNotifications):
        async def record(self, job_ids: object) -> None:
            raise ConnectionError

    batch = heard(JobEventKind.FAILED)
    with pytest.raises(ConnectionError):
        await make_handler(RecordFinishedJobs(Broken(OwnedTime())), lambda: None)(batch)
    assert not batch.acknowledged


def test_a_webhook_that_is_no_address_is_refused_at_the_start_without_being_shown() -> None:
    with pytest.raises(ValueError, match="incoming webhook") as refused:
        NotifierSettings(
            database_url="postgresql://x",  # pyright: ignore[reportArgumentType]
            kafka_bootstrap_servers="x:1",
            slack_webhook_url="T0/B0/secret",  # pyright: ignore[reportArgumentType]
        )
    assert "T0/B0" not in str(refused.value)
