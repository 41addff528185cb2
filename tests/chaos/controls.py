"""Negative controls: for each broken variant of a service a script of faults under which the checker must object.

The same script is played to the unbroken service first: there it must find nothing.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from uuid import uuid4

from common.clock import SYSTEM_CLOCK
from common.contracts.events import JobRequested, JobType
from common.contracts.topics import Topic
from common.kafka import Announcer, make_broker
from tests.chaos.checker import Scope, Verdict
from tests.chaos.points import QUICK, Marksman
from tests.chaos.shelf import Shelf
from tests.chaos.world import World, world

FEW = 6
REST = 45.0
SEED = 4


@dataclass(slots=True)
class Stage:
    """Where a script is played: a running system whose destination knows no key, and what the script has put there."""

    world: World
    shelf: Shelf
    marksman: Marksman
    ids: list[str] = field(default_factory=list[str])
    announced: list[str] = field(default_factory=list[str])

    async def put(self, count: int = FEW) -> list[str]:
        """New documents and a job that lists just them."""
        return await self.list_(self.shelf.put(count))

    async def list_(self, ids: list[str]) -> list[str]:
        self.ids += ids
        await self.world.ask(ids)
        return ids

    async def announce(self, jobs: int) -> None:
        """Jobs of which only a record tells, as the schedule asks for them, for a document that is known."""
        broker = make_broker(self.world.infrastructure.kafka_bootstrap, client_id="chaos")
        await broker.start()
        try:
            asked = [
                JobRequested(
                    job_id=uuid4(), job_type=JobType.SCHEDULED, requested_at=SYSTEM_CLOCK.now(), invoice_ids=("none",)
                )
                for _ in range(jobs)
            ]
            await Announcer(broker, source="chaos").announce(Topic.JOBS_REQUESTED, asked)
        finally:
            await broker.stop()
        self.announced += [str(event.job_id) for event in asked]

    async def restart(self, service: str) -> None:
        """Kill -9, and wait for the next process."""
        pid = self.world.pid(service)
        await self.world.infrastructure.kill(service)
        await self.world.replaced(service, pid)


Script = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Control:
    """`breaks` are injections of the variant, `faults` those that both the variant and the sound service meet."""

    name: str
    service: str
    script: Script
    breaks: str
    faults: Sequence[str] = ()
    fast: bool = False


def _empty(folder: Path) -> None:
    """Documents of an earlier run would have their numbers taken."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


@asynccontextmanager
async def stage(data: Path, folder: Path) -> AsyncGenerator[Stage, None]:
    """A system that reads `folder`, with a destination that ignores keys: every second sending shows."""
    await asyncio.to_thread(_empty, folder)
    sandbox = {"SANDBOX_FOLDER": str(folder), "SANDBOX_KEY_LIFE": "0", "SANDBOX_RULES": "[]"}
    env = {**QUICK, "SOURCE_PAGE_SIZE": "5"}
    async with world(data, sandbox=sandbox, env=env, fresh=True) as running:
        yield Stage(running, Shelf(folder, SEED), Marksman(running))


async def play(on: Stage, control: Control, *, broken: bool) -> Verdict:
    """The verdict on what the script brought in, with the service sound or broken."""
    for mark in ("hung", "given-up"):
        (on.world.injected / mark).unlink(missing_ok=True)
    await _become(on, control.service, [*control.faults, *([control.breaks] if broken else [])])
    return await judged(on, control.script)


async def judged(on: Stage, script: Script) -> Verdict:
    """The verdict on what a script brings in, after heal and drain."""
    on.ids, on.announced = [], []
    after, since = on.world.accepted(), datetime.now(UTC)  # noqa: TID251 - compared with the database of this machine
    await script(on)
    await on.world.heal()
    await _until_heard(on)
    await on.world.rest(REST)
    scope = Scope(frozenset(on.ids), after, since, frozenset(on.announced))
    return await on.world.judge(scope)


async def _become(on: Stage, service: str, injections: Sequence[str]) -> None:
    """Have the service run with exactly these injections, and make sure that it does."""
    told = on.world.injected / f"broken-{service}"
    word = on.world.injected / "controls.json"
    word.write_text(json.dumps({service: list(injections)}), encoding="utf-8")
    if told.read_text(encoding="utf-8") != " ".join(injections):
        await on.restart(service)
    if told.read_text(encoding="utf-8") != " ".join(injections):
        raise AssertionError(f"{service} did not become {injections}")


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
    await _until_heard(on, 30.0)


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


async def accepted_after_the_client_has_gone(on: Stage) -> None:
    """The first lookup still finds nothing."""
    await on.world.script("destination", {"effect": "late_accept", "seconds": 2.0, "next": FEW})
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


async def _until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


async def _until_heard(on: Stage, seconds: float = 8.0) -> None:
    """Wait for the rows of announced jobs, not for ever: whether there are all is the checker's question."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while await _missing(on):
                await asyncio.sleep(0.1)


async def _missing(on: Stage) -> bool:
    rows = await on.world.query("SELECT count(*) AS found FROM jobs WHERE id = ANY ($1::uuid[])", on.announced)
    return int(rows[0]["found"]) < len(on.announced)


async def _until_maybe_sent(on: Stage, count: int) -> None:
    sql = "SELECT count(*) AS found FROM invoices WHERE maybe_sent AND invoice_id = ANY ($1::text[])"
    async with asyncio.timeout(20):
        while int((await on.world.query(sql, on.ids))[0]["found"]) < count:
            await asyncio.sleep(0.1)


CONTROLS = (
    Control("commit before work", "fetcher", killed_while_it_waits_for_the_database, "commit-before-work", fast=True),
    Control("bare commit", "fetcher", one_batch_is_left_unacknowledged, "bare-commit", ("give-up-once",)),
    Control("no watchdog", "fetcher", a_consumer_hangs, "no-watchdog", ("hang-once",)),
    Control("lease back to validated", "sender", killed_after_the_destination_has_accepted, "lease-back", fast=True),
    Control("HTTP client retries", "sender", answers_are_lost, "client-retries", fast=True),
    Control("resend after a lookup alone", "sender", accepted_after_the_client_has_gone, "lookup-alone"),
    Control("maybe sent frees its key", "fetcher", another_version_comes_while_the_outcome_is_unknown, "frees-key"),
)


async def caught(on: Stage, control: Control) -> Sequence[str]:
    """What the checker says of the broken variant. Raises AssertionError where it objects to the sound service."""
    sound = await play(on, control, broken=False)
    if sound.violations:
        raise AssertionError(f"{control.name}: the sound service breaks under this script: {sound.violations}")
    return (await play(on, control, broken=True)).violations
