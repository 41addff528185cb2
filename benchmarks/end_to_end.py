"""The loads side by side: the limit, the sequential design, our system, the limit again."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from benchmarks import meter
from benchmarks.child import Done, run_child
from benchmarks.figures import Run
from benchmarks.rig import Rig, Workload, rig
from client import Job
from local.errors import LocalError
from local.supervisor import Say
from sandbox.oracle import Accepted

LIMIT_ROUNDS = 100
"""Calls of each slot of the bare loop: five seconds at a latency of 50 ms."""

Result = TypeVar("Result")


class _Meters:
    """Runs pieces of work between two readings, and remembers how quiet it was."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.others = 0.0

    async def around(self, work: Callable[[], Awaitable[Result]]) -> tuple[Result, meter.Spent]:
        before = await asyncio.to_thread(meter.read, self._rig.pids())
        result = await work()
        after = await asyncio.to_thread(meter.read, self._rig.pids())
        spent = meter.spent(before, after, cores=os.cpu_count() or 1)
        self.others = max(self.others, spent.others)
        return result, spent


async def measure(data: Path, workload: Workload, *, in_flight: int, samples: Path | None, say: Say) -> Run:
    """Everything with `in_flight` calls in flight, on a fresh system. `samples`: where memory is written to."""
    async with rig(data, workload, in_flight=in_flight, say=say) as running, _sampling(running, samples):
        say(f"{in_flight} in flight: warm-up with {workload.warmup} invoices")
        _check(await running.process_all(), workload.warmup)
        await running.grow(workload.count)
        return await _side_by_side(running, workload, in_flight, say)


async def _side_by_side(running: Rig, workload: Workload, in_flight: int, say: Say) -> Run:
    meters = _Meters(running)
    before = await _limit(running, meters, in_flight, say)
    sequential = await _sequential(running, meters, workload.sequential, say)
    warm = meter.memory(running.pids())
    began = time.time()
    job, spent = await meters.around(running.process_all)
    seconds = _seconds_to_last(began, running.accepted(), workload)
    grown = meter.memory(running.pids())
    say(f"{in_flight} in flight: system {workload.count / seconds:.1f}/s, others {spent.others:.0%}")
    after = await _limit(running, meters, in_flight, say)
    proof = await running.prove()
    return Run(
        in_flight=in_flight,
        count=workload.count,
        per_second=workload.count / seconds,
        limits=(before.per_second, after.per_second),
        limit_cpu_ms=(before.cpu_ms + after.cpu_ms) / 2,
        sequential=sequential.per_second,
        cpu=spent.cpu,
        memory={part: (warm[part], grown[part]) for part in grown},
        others=meters.others,
        lost=len(proof.lost),
        twice=proof.twice,
        contradictions=(*_troubles(running, job, workload.count), *proof.contradictions),
    )


async def _limit(running: Rig, meters: _Meters, in_flight: int, say: Say) -> Done:
    work = running.work(count=in_flight * LIMIT_ROUNDS, in_flight=in_flight)
    done, spent = await meters.around(lambda: run_child("benchmarks.limit", work, running.folder))
    say(f"{in_flight} in flight: limit {done.per_second:.1f}/s, others {spent.others:.0%}")
    return done


async def _sequential(running: Rig, meters: _Meters, count: int, say: Say) -> Done:
    work = running.work(count=count)
    done, spent = await meters.around(lambda: run_child("benchmarks.sequential", work, running.folder))
    say(f"sequential {done.per_second:.1f}/s, others {spent.others:.0%}")
    return done


def _seconds_to_last(began: float, accepted: Sequence[Accepted], workload: Workload) -> float:
    """From the request of the job to the answer of its last acceptance, which is logged a latency before."""
    if len(accepted) <= workload.warmup:
        raise LocalError("nothing was accepted: see the logs of the sender in the data directory")
    return datetime.fromisoformat(accepted[-1].accepted_at).timestamp() + workload.latency - began


def _check(job: Job, count: int) -> None:
    if job.status != "completed" or job.results.processed != count:
        raise LocalError(f"the warm-up job is {job.status} with {job.results.processed} of {count} invoices sent")


def _troubles(running: Rig, job: Job, count: int) -> list[str]:
    sent = job.results.processed
    return [
        *([f"the job is {job.status}: {job.error.message if job.error else ''}"] if job.status != "completed" else []),
        *([f"sent {sent} of {count}"] if sent != count else []),
        *(f"{part} was restarted {times} times" for part, times in running.restarts().items()),
    ]


@asynccontextmanager
async def _sampling(running: Rig, file: Path | None) -> AsyncGenerator[None, None]:
    if file is None:
        yield
        return
    async with asyncio.TaskGroup() as tasks:
        sampling = tasks.create_task(meter.sample_memory(running.pids, file))
        yield
        sampling.cancel()
