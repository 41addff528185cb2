"""Scripts of faults under which a broken variant of a service shows, and a sound one does not."""

import asyncio
import time
from collections.abc import Callable
from signal import SIGCONT, SIGSTOP

from client import GatewayClient
from local.service_settings import ADMIN
from tests.chaos.points import Strike
from tests.chaos.stage import FEW, REST, Stage, until_heard


async def killed_while_it_waits_for_the_database(on: Stage) -> None:
    on.world.lines["database"].down()
    await on.announce(3)
    await asyncio.sleep(2.5)  # the records are in the fetcher's hands, which has nowhere to put them
    await on.world.infrastructure.kill("fetcher")
    on.world.lines["database"].clear()


async def one_batch_is_left_unacknowledged(on: Stage) -> None:
    """Several partitions in one poll: all of them have to come again."""
    number = on.world.pid("fetcher")
    on.world.infrastructure.signal("fetcher", SIGSTOP)
    await on.announce(12)
    on.world.infrastructure.signal("fetcher", SIGCONT)
    await _until((on.world.injected / "given-up").exists)
    await on.announce(1)
    await asyncio.sleep(3.0)
    if on.world.pid("fetcher") != number:
        raise AssertionError("the fetcher ended")


async def a_consumer_hangs(on: Stage) -> None:
    await on.announce(3)
    await _until((on.world.injected / "hung").exists)
    await on.announce(3)
    await until_heard(on, 30.0)


async def killed_after_the_destination_has_accepted(on: Stage) -> None:
    await on.world.script("destination", {"effect": "hang_after", "next": FEW})
    before = on.world.accepted()
    await on.put()
    await on.world.until_accepted(before + FEW)
    await on.restart("sender")
    await on.world.script("destination")


async def answers_are_lost(on: Stage) -> None:
    await on.world.script("destination", {"effect": "reset_after", "next": FEW})
    await on.put()
    await on.world.rest(REST)


async def a_lookup_that_lags(on: Stage) -> None:
    """The destination has accepted, the answer is lost, and the first lookup of each still finds nothing."""
    await on.world.script(
        "destination",
        {"effect": "reset_after", "next": FEW},
        {"effect": "absent", "on": "get", "times": 1},
    )
    await on.put()
    await on.world.rest(REST)


async def another_version_comes_while_the_outcome_is_unknown(on: Stage) -> None:
    await on.world.script(
        "destination", {"effect": "reset_after", "next": FEW}, {"effect": "server_error", "on": "get"}
    )
    before = on.world.accepted()
    first = await on.put()
    await on.world.until_accepted(before + FEW)
    await _until_maybe_sent(on, FEW)
    await on.list_([on.shelf.change(name) for name in first])
    await asyncio.sleep(2.0)
    await on.world.script("destination")


async def another_replica_is_faster(on: Stage) -> None:
    """A validator is stopped between its look at some rows and their move; others have moved and sent them since."""
    await on.marksman.record("validator")
    await on.put(2)
    await on.world.rest(REST)
    await asyncio.sleep(0.5)  # what was seen is written down five times a second
    point = next(p for p in on.marksman.seen("validator") if "adapters/workers.py" in p.where and p.phase == "suspend")
    shot = await on.marksman.arm(Strike(point, 1), SIGSTOP)
    await on.put()
    if not await on.marksman.until_struck(shot, 20):
        raise AssertionError("the validator was not stopped")
    async with on.world.replica("validator"):
        await on.world.rest(REST)
        on.world.infrastructure.signal("validator", SIGCONT)
        await asyncio.sleep(2.0)


async def two_replays_of_the_same(on: Stage) -> None:
    """Both lists are frozen while every row is still failed; each takes its rows one after the other."""
    await on.world.script("destination", {"effect": "refuse", "next": FEW})
    await on.put()
    await on.world.rest(REST)
    sql = "SELECT id::text FROM invoices WHERE status = 'failed' AND invoice_id = ANY ($1::text[])"
    failed = [row["id"] for row in await on.world.query(sql, on.ids)]
    if len(failed) != FEW:
        raise AssertionError(f"{len(failed)} failed instead of {FEW}")

    def replay(reason: str) -> None:
        with GatewayClient(on.world.system.gateway_url, credentials=(ADMIN, on.world.system.admin_password)) as client:
            terms = {"canary": 0, "rate": 2.0}
            started = client.start_replay({"selection": {"ids": failed}}, reason=reason, terms=terms)
            while client.replay(started.replay_id).state == "running":
                time.sleep(0.2)

    await asyncio.gather(*(asyncio.to_thread(replay, f"chaos {number}") for number in (1, 2)))
    await on.world.rest(REST)


async def _until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


async def _until_maybe_sent(on: Stage, count: int) -> None:
    sql = "SELECT count(*) AS found FROM invoices WHERE maybe_sent AND invoice_id = ANY ($1::text[])"
    async with asyncio.timeout(20):
        while int((await on.world.query(sql, on.ids))[0]["found"]) < count:
            await asyncio.sleep(0.1)
