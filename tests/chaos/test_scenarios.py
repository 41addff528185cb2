"""Faults by number (docs/reliability.md has the table), each a script against one running system."""

import asyncio
import shutil
import time
from pathlib import Path
from signal import SIGCONT, SIGSTOP, SIGTERM

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from common.contracts.topics import Topic
from tests.chaos.faults import flush_valkey, freeze_database, thaw_database
from tests.chaos.stage import Stage, judged

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

LOST_WITH_ITS_DISK = ("invoices.", "jobs.", "__consumer_offsets")


async def test_08_a_sender_stopped_beyond_lease_and_settle_while_another_concludes(on: Stage) -> None:
    async def script(on: Stage) -> None:
        await on.world.script("destination", {"effect": "slow", "seconds": 0.5})
        before = on.world.accepted()
        async with on.world.replica("sender") as other:
            await on.put(20)
            await on.world.until_accepted(before + 5)
            on.world.infrastructure.signal("sender", SIGSTOP)
            await asyncio.sleep(8.0)  # lease and settle are 1.6 and 2 s here, and the other looks each second
            on.world.infrastructure.signal("sender", SIGCONT)
            await on.world.rest(40)
            assert on.world.pid(other) is not None

    verdict = await judged(on, script)
    assert verdict.violations == []
    assert verdict.accepted == 20


async def test_10_a_broker_killed_under_load_and_started_again_sends_again_within_seconds(on: Stage) -> None:
    took: list[float] = []

    async def script(on: Stage) -> None:
        await on.world.script("destination", latency=0.1)
        before = on.world.accepted()
        await on.put(200)
        await on.world.until_accepted(before + 20)
        await on.world.infrastructure.kill("kafka")
        await on.world.infrastructure.hold("kafka")
        await asyncio.sleep(3.0)
        stood, began = on.world.accepted(), time.monotonic()
        await on.world.infrastructure.release("kafka")
        took.append(time.monotonic() - began)
        await on.world.until_accepted(stood + 1)
        took.append(time.monotonic() - began)

    verdict = await judged(on, script)
    serves, sends = took
    print(f"the broker serves {serves:.1f} s after its start, the first invoice is sent after {sends:.1f} s")
    assert verdict.violations == []
    assert sends - serves <= 10.0  # the start itself takes 4.5 s on a quiet machine, and what it takes on a busy one


async def test_12_a_broker_that_lost_its_disk_loses_no_invoice(on: Stage) -> None:
    """Announcements, offsets and groups are gone; the rows are not."""

    async def script(on: Stage) -> None:
        on.world.infrastructure.signal("validator", SIGSTOP)
        await on.put(30)
        await asyncio.sleep(2.0)
        await on.world.infrastructure.hold("kafka")
        await asyncio.to_thread(wipe, on.world.infrastructure.data.folder("kafka") / "logs")
        await on.world.infrastructure.release("kafka")
        on.world.infrastructure.signal("validator", SIGCONT)
        await on.world.rest(60)

    verdict = await judged(on, script)
    assert verdict.violations == []
    assert verdict.buckets == {"sent": 30}


def wipe(logs: Path) -> None:
    """Every partition of ours, as an empty new disk; the cluster still knows its topics."""
    for partition in logs.iterdir():
        if partition.is_dir() and partition.name.startswith(LOST_WITH_ITS_DISK):
            shutil.rmtree(partition)
    for checkpoint in logs.glob("*checkpoint*"):
        checkpoint.unlink()


async def test_13_a_database_stopped_and_killed_in_the_middle(on: Stage) -> None:
    async def script(on: Stage) -> None:
        await on.world.script("destination", latency=0.1)
        before = on.world.accepted()
        await on.put(80)
        await on.world.until_accepted(before + 20)
        await freeze_database(on.world, on.world.dice)
        await asyncio.sleep(1.0)
        await thaw_database(on.world, on.world.dice)
        await on.world.infrastructure.kill("postgres")

    assert (await judged(on, script)).violations == []


async def test_29_valkey_killed_and_flushed_changes_the_fate_of_no_invoice(on: Stage) -> None:
    async def script(on: Stage) -> None:
        await on.world.script("destination", latency=0.05)
        before = on.world.accepted()
        await on.put(60)
        await on.world.until_accepted(before + 5)
        await flush_valkey(on.world, on.world.dice)
        await on.world.infrastructure.kill("valkey")

    verdict = await judged(on, script)
    assert verdict.violations == []
    assert verdict.buckets == {"sent": 60}


async def test_32_a_rolling_restart_under_load_leaves_no_outcome_unknown(on: Stage) -> None:
    async def script(on: Stage) -> None:
        await on.world.script("destination", latency=0.2)
        before = on.world.accepted()
        await on.put(240)
        await on.world.until_accepted(before + 20)
        for service in on.world.system.options.services:
            pid = on.world.pid(service)
            on.world.infrastructure.signal(service, SIGTERM)
            await on.world.replaced(service, pid)

    verdict = await judged(on, script)
    assert verdict.violations == []
    assert verdict.buckets == {"sent": 240}
    assert verdict.resolved == 0, "an outcome was unknown for a time"


async def test_35_records_that_are_gone_before_they_were_read_are_noticed_and_their_rows_worked(on: Stage) -> None:
    async def script(on: Stage) -> None:
        await on.put(6)  # the group has a place to come back to
        await on.world.rest(30)
        await on.world.infrastructure.hold("validator")
        await on.put(30)
        await until_listed(on)
        await forget_records(on.world.infrastructure.kafka_bootstrap, Topic.INVOICES_FETCHED)
        await on.world.infrastructure.release("validator")
        await on.put(20)  # a gap is seen with the first record behind it

    verdict = await judged(on, script)
    assert verdict.violations == []
    assert verdict.buckets == {"sent": 56}
    alerts = await on.world.query("SELECT subject FROM alerts WHERE kind = 'retention_gap'")
    assert {alert["subject"] for alert in alerts} == {"validator:invoices.fetched.v1"}


async def until_listed(on: Stage) -> None:
    sql = "SELECT count(*) AS open FROM jobs WHERE listed_at IS NULL AND status IN ('pending', 'running')"
    async with asyncio.timeout(30):
        while (await on.world.query(sql))[0]["open"]:
            await asyncio.sleep(0.1)


async def forget_records(bootstrap: str, topic: str) -> None:
    """What retention does: everything of the topic up to now is gone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (described,) = await admin.describe_topics([topic])
        partitions = [TopicPartition(topic, partition["partition"]) for partition in described["partitions"]]
        await admin.delete_records({partition: RecordsToDelete(before_offset=-1) for partition in partitions})
    finally:
        await admin.close()


async def test_33_pages_that_shift_leave_no_gap_and_count_nothing_twice(on: Stage) -> None:
    async def script(on: Stage) -> None:
        await on.world.script("source", {"effect": "shift", "shift": -2, "every": 2})
        await on.put(30)
        await on.world.rest(30)

    verdict = await judged(on, script)
    assert verdict.violations == []
    assert verdict.buckets == {"sent": 30}


async def test_33_two_fetchers_on_one_job_of_which_one_is_stopped_in_the_middle(on: Stage) -> None:
    async def script(on: Stage) -> None:
        await on.world.script("source", {"effect": "slow", "seconds": 0.2})
        before = on.world.accepted()
        async with on.world.replica("fetcher"):
            await on.put(60)
            await on.world.until_accepted(before + 10)
            on.world.infrastructure.signal("fetcher", SIGSTOP)
            await asyncio.sleep(4.0)  # the lease of a job is 1.5 s here
            on.world.infrastructure.signal("fetcher", SIGCONT)
            await on.world.rest(40)

    verdict = await judged(on, script)
    assert verdict.violations == []
    assert verdict.buckets == {"sent": 60}
