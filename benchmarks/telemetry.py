"""What telemetry costs: the same job with it and without, in turns on one system, in CPU seconds of its parts.

With: spans of a tenth are told to the sandbox's receiver, every service is scraped each 15 seconds, each line is
logged. Without: no spans, nobody scrapes, only errors are logged. Counting itself cannot be switched off.
"""

import argparse
import asyncio
import contextlib
import json
import os
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx

from benchmarks import meter
from benchmarks.figures import MOST_OTHERS
from benchmarks.rig import PRODUCT, Rig, Workload, rig
from local.errors import LocalError
from local.foreground import make_say
from local.system import OTLP_ENDPOINT, SERVICES

DATA = Path(".clearfacts/bench-telemetry")
GOAL = 0.05
SCRAPE_EVERY = 15.0


@dataclass(frozen=True, slots=True)
class Pair:
    """CPU seconds for 1,000 invoices, with telemetry and without; `others`: of the machine, by what is not ours."""

    with_it: float
    without: float
    others: float

    @property
    def more(self) -> float:
        return self.with_it / self.without - 1


def figures(pairs: Sequence[Pair]) -> dict[str, Any]:
    """`more`: what telemetry adds, as a part of the cost without it; `spread`: the quartiles of the pairs."""
    found = sorted(pair.more for pair in pairs)
    low, _, high = quantiles(found, n=4, method="inclusive") if len(found) > 1 else (found[0],) * 3
    return {
        "pairs": len(pairs),
        "cpu_seconds_per_1000_with": round(median(pair.with_it for pair in pairs), 4),
        "cpu_seconds_per_1000_without": round(median(pair.without for pair in pairs), 4),
        "more": {
            "median": round(median(found), 4),
            "spread": [round(low, 4), round(high, 4)],
            "all": [round(one, 4) for one in found],
        },
        "goal": GOAL,
        "others": round(max(pair.others for pair in pairs), 4),
        "quiet": all(pair.others <= MOST_OTHERS for pair in pairs),
    }


async def telemetry(options: argparse.Namespace) -> int:
    """0, 3 where the machine was not quiet, 4 where the goal was missed."""
    say, count = make_say(), int(options.count)
    workload = Workload(count, warmup=options.warmup, latency=options.latency, seed=options.seed, sequential=0)
    pairs: list[Pair] = []
    async with rig(options.data, workload, in_flight=options.in_flight, say=say) as running:
        await running.process_all()
        for number in range(options.pairs):
            pairs.append(await _pair(running, workload, number))
            say(f"pair {number + 1}: {pairs[-1].with_it:.3f} with, {pairs[-1].without:.3f} without")
    found = figures(pairs)
    more = found["more"]
    say(f"telemetry adds {more['median']:.1%} (quartiles {more['spread'][0]:.1%} to {more['spread'][1]:.1%})")
    if options.json:
        print(json.dumps(found), flush=True)
    if options.noisy:
        return 0
    return 3 if not found["quiet"] else 4 if more["median"] > GOAL else 0


async def _pair(running: Rig, workload: Workload, number: int) -> Pair:
    """Each is first in every other pair: what a system that grows costs more falls on both."""
    spent: dict[bool, meter.Spent] = {}
    for on in (True, False) if number % 2 else (False, True):
        spent[on] = await _half(running, workload, on=on)
    cpu = {on: sum(half.cpu[part] for part in PRODUCT) * 1000 / workload.count for on, half in spent.items()}
    return Pair(cpu[True], cpu[False], max(half.others for half in spent.values()))


async def _half(running: Rig, workload: Workload, *, on: bool) -> meter.Spent:
    receiver = running.url_of("sandbox-traces")
    await running.restart_services({OTLP_ENDPOINT: receiver if on else "", "LOG_LEVEL": "info" if on else "error"})
    await _process(running, workload.warmup)  # so that what starts once is not measured
    await running.grow(workload.count)
    async with _scraped(running) if on else contextlib.nullcontext():
        before = await asyncio.to_thread(meter.read, running.pids())
        await _process(running, 0)
        after = await asyncio.to_thread(meter.read, running.pids())
    return meter.spent(before, after, cores=os.cpu_count() or 1)


async def _process(running: Rig, grown: int) -> None:
    if grown:
        await running.grow(grown)
    job = await running.process_all()
    if job.status != "completed" or job.results.failed or job.results.held:
        raise LocalError(f"a job is {job.status} with {job.results.failed} failed and {job.results.held} held")


@contextlib.asynccontextmanager
async def _scraped(running: Rig) -> AsyncGenerator[None, None]:
    async def scrape(http: httpx.AsyncClient) -> None:
        while True:
            for service in SERVICES:
                await http.get(f"{running.url_of(service)}/metrics")
            await asyncio.sleep(SCRAPE_EVERY)

    async with httpx.AsyncClient(timeout=10.0, trust_env=False) as http, asyncio.TaskGroup() as tasks:
        scraping = tasks.create_task(scrape(http))
        yield
        scraping.cancel()
