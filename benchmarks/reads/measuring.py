"""The measurements, one after the other, on one stage."""

import asyncio
import os
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from benchmarks import meter
from benchmarks.reads.load import Asked, Orders, Turns
from benchmarks.reads.questions import Question, questions, sample
from benchmarks.reads.stage import RATE, Stage, stage
from benchmarks.reads.watching import Watched, watch
from common.clock import SYSTEM_CLOCK
from local.errors import LocalError
from local.supervisor import Say

PER_SECOND = 100.0
"""Requests by the clock."""
TOLD = 11.0
"""Seconds after which PostgreSQL counts what a session did that has fallen idle since (it tells within ten)."""
MARGIN = 20
"""Seconds of work that the job has beyond those that are measured."""


@dataclass(frozen=True, slots=True)
class Plan:
    rows: int
    seconds: float
    seed: int
    slices: int


@dataclass
class Found:
    """`idle` and `busy`: milliseconds by question. `job`: what was sent a second beside the busy load."""

    plan: Plan
    filled: float
    asked: Sequence[Question]
    idle: Mapping[str, list[float]] = field(default_factory=dict[str, list[float]])
    busy: Mapping[str, list[float]] = field(default_factory=dict[str, list[float]])
    refused: Mapping[str, int] = field(default_factory=dict[str, int])
    turns: Mapping[str, Turns] = field(default_factory=dict[str, Turns])
    job: float = 0.0
    others: float = 0.0
    watched: Watched | None = None


async def measure(data: Path, plan: Plan, *, say: Say) -> Found:
    documents = round(RATE * (plan.seconds + MARGIN))
    async with stage(data, rows=plan.rows, seed=plan.seed, documents=documents, say=say) as there:
        chance = random.Random(plan.seed)
        asked = questions(await sample(there.database, plan.rows, chance), there.cursors(), chance)
        found = Found(plan, there.filled, asked)
        before = await asyncio.to_thread(meter.read, there.running)
        say(f"filled in {there.filled} s; idle: {PER_SECOND:g} requests a second for {plan.seconds:g} s")
        found.idle = await _by_the_clock(there, found)
        say(f"{plan.slices} slices of {len(_compared(asked))} questions in turns with bare FastAPI")
        orders = _orders(there, found, _compared(asked))
        told = await there.load(orders.model_copy(update={"slices": plan.slices, "pids": there.pids}))
        found.turns = told.turns
        say("browsers that watch one job")
        async with there.alone():
            port, _ = there.ports
            await asyncio.sleep(min(TOLD, plan.seconds))
            found.watched = await watch(there.database, port, there.token, seconds=min(15.0, plan.seconds))
        say(f"beside a job at {RATE} invoices a second")
        async with _beside_a_job(there, found):
            found.busy = await _by_the_clock(there, found)
        after = await asyncio.to_thread(meter.read, there.running)
        found.others = meter.spent(before, after, cores=os.cpu_count() or 1).others
        return found


def _compared(asked: Sequence[Question]) -> list[Question]:
    return [question for question in asked if question.bare]


def _orders(there: Stage, found: Found, asked: Sequence[Question]) -> Orders:
    port, bare_port = there.ports
    return Orders(
        questions=[Asked(name=one.name, share=one.share, paths=one.paths, bare=one.bare) for one in asked],
        token=there.token,
        seed=found.plan.seed,
        port=port,
        bare_port=bare_port,
    )


async def _by_the_clock(there: Stage, found: Found) -> Mapping[str, list[float]]:
    orders = _orders(there, found, found.asked)
    told = await there.load(orders.model_copy(update={"rate": PER_SECOND, "seconds": found.plan.seconds}))
    found.refused = {**found.refused, **told.refused}
    return told.took


@asynccontextmanager
async def _beside_a_job(there: Stage, found: Found) -> AsyncGenerator[None, None]:
    """A job that fetches, checks and sends all the while; what it had listed in a burst is not waited for."""
    started = await asyncio.to_thread(there.client.start)
    began = await _until_sending(there, started.job_id)
    at = SYSTEM_CLOCK.monotonic()
    yield
    found.job = (await _sent(there, started.job_id) - began) / (SYSTEM_CLOCK.monotonic() - at)
    job = await asyncio.to_thread(there.client.job, started.job_id)
    if job.status != "running":
        raise LocalError(f"the job was {job.status} before the measurement beside it was over")


async def _until_sending(there: Stage, job_id: UUID) -> int:
    for _ in range(120):
        if sent := await _sent(there, job_id):
            return sent
        await asyncio.sleep(0.5)
    raise LocalError("the job sent nothing in a minute: see the logs in the data directory")


async def _sent(there: Stage, job_id: UUID) -> int:
    sql = "SELECT count(*) FROM invoices WHERE job_id = $1 AND status = 'sent'"
    return int(await there.database.fetchval(sql, job_id))
