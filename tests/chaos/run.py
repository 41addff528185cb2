"""`./run chaos`: breaks a running system for a while, heals it, and proves what became of every invoice."""

import argparse
import asyncio
import json
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from local.errors import LocalError
from local.foreground import make_say, run
from local.supervisor import Say
from local.system import SERVICES
from tests.chaos.controls import CONTROLS, caught
from tests.chaos.faults import all_faults
from tests.chaos.feeding import Feeder
from tests.chaos.hangs import WITHIN, hang
from tests.chaos.hunt import hunt
from tests.chaos.nemesis import Nemesis
from tests.chaos.report import Findings, Run, recoveries
from tests.chaos.stage import stage
from tests.chaos.world import LINES, World, world

DATA = Path(".clearfacts/chaos")
IN_FLIGHT = 8
TWICE = ("fetcher", "validator", "sender")
"""Services of which a second process runs: work changes hands whenever one of them is killed or stopped."""
DRAIN = 300.0
AT_FIRST = 400
_LATE = 4.0
"""The longest that a document is accepted after its client has gone."""


def main(arguments: Sequence[str]) -> int:
    """0, or 1 where an invoice was lost or sent twice, a balance broke, or a control was not caught."""
    options = _parser().parse_args(arguments)
    return run(lambda: _all(options))


async def _all(options: argparse.Namespace) -> int:
    say = make_say()
    if options.points:
        return await _points(options, say)
    if options.hangs:
        return await _hangs(options, say)
    findings = Findings()
    if not options.controls:
        for seed in options.seed:
            findings.runs.append(await torment(options, seed, options.minutes * 60 / len(options.seed), say=say))
    if options.controls or not options.no_controls:
        findings.controls = await _controls(options.data, say)
    print("\n".join(findings.lines()), flush=True)
    if options.json:
        print(json.dumps(findings.as_json()), flush=True)
    return 1 if findings.violations else 0


async def _points(options: argparse.Namespace, say: Say) -> int:
    progress = await hunt(options.data, options.minutes, say)
    for line in progress.broken:
        print(f"BROKEN {line}", flush=True)
    if options.json:
        told = {"strikes": len(progress.played), "killed": progress.killed, "broken": len(progress.broken)}
        print(json.dumps(told), flush=True)
    return 1 if progress.broken else 0


async def _hangs(options: argparse.Namespace, say: Say) -> int:
    async with stage(options.data / "hangs", options.data / "hangs-documents") as on:
        took = await hang(on, options.hangs, say)
    late = sum(seconds > WITHIN for seconds in took)
    if options.json:
        print(json.dumps({"hangs": len(took), "late": late, "longest_s": max(took)}), flush=True)
    return 1 if late else 0


async def _controls(data: Path, say: Say) -> dict[str, bool]:
    """Whether each broken variant was caught."""
    found: dict[str, bool] = {}
    async with stage(data / "controls", data / "controls-documents") as on:
        for control in CONTROLS:
            try:
                violations = await caught(on, control)
            except (AssertionError, TimeoutError) as error:
                say(f"control {control.name}: {error!r}")
                violations = []
            found[control.name] = bool(violations)
            say(f"control {control.name}: {violations or 'not caught'}")
    return found


async def torment(options: argparse.Namespace, seed: int, seconds: float, *, say: Say) -> Run:
    """One seed: feed and break for `seconds`, heal, drain, judge."""
    dice = random.Random(seed)
    say(f"seed {seed}: starting")
    sandbox = {
        "SANDBOX_SEED": str(seed),
        "SANDBOX_COUNT": str(AT_FIRST),
        "SANDBOX_DUPLICATES": "0.05",
        "SANDBOX_CHANGED": "0.02",
        "SANDBOX_MALFORMED": "0.02",
        "SANDBOX_REFUSED": "0.02",
    }
    env = {"SEND_CONCURRENCY": str(IN_FLIGHT), "CHAOS_WAKE": "20"}
    folder = options.data / f"seed-{seed}"
    async with world(folder, sandbox=sandbox, env=env, dice=dice, fresh=True) as running, AsyncExitStack() as stack:
        further = [await stack.enter_async_context(running.replica(name)) for name in TWICE]
        faults = all_faults((*SERVICES, *further), LINES)
        nemesis = Nemesis(running, faults, dice, lambda text: say(f"seed {seed}: {text}"))
        began = time.monotonic()
        await _feed_and_break(running, nemesis, options, seconds)
        lasted = time.monotonic() - began
        drained_in = await _drain(running, say)
        verdict = await running.judge()
        recovered = recoveries(nemesis.done)
    say(f"seed {seed}: {verdict.listed} invoices, {len(nemesis.done)} faults, {len(verdict.violations)} violations")
    return Run(seed, lasted, nemesis.counted(), recovered, verdict, drained_in)


async def _feed_and_break(running: World, nemesis: Nemesis, options: argparse.Namespace, seconds: float) -> None:
    running.latency = IN_FLIGHT / options.rate if options.rate else 0.0
    await running.script("destination", latency=running.latency)
    await running.ask()
    feeder = Feeder(running, per_job=options.per_job, least=options.per_job // 2)
    feeding = asyncio.ensure_future(feeder.run())
    try:
        await running.until_accepted(20)
        await nemesis.run(seconds)
    finally:
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding


async def _drain(running: World, say: Say) -> float:
    """Seconds until nothing was open; one last job takes what a failed listing left."""
    began = time.monotonic()
    say("healing")
    await running.heal()
    await running.ask()
    if not await running.rest(DRAIN):
        say(f"not at rest after {DRAIN:.0f} s")
    took = time.monotonic() - began
    await asyncio.sleep(_LATE)
    return took


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run chaos", description="Prove the promises (docs/reliability.md).")
    add = parser.add_argument
    add("--minutes", type=float, default=5.0, help="of faults, shared by the seeds (default %(default)s)")
    add("--seed", type=_numbers, default=(1,), metavar="S,S", help="one run each (default 1)")
    add("--rate", type=float, default=40.0, help="invoices a second; 0: as many as can be (default %(default)s)")
    add("--per-job", type=int, default=500, help="new invoices a job (default %(default)s)")
    add("--data", type=Path, default=DATA, help="holds a data directory for each seed, wiped first")
    add("--points", action="store_true", help="kill at every distinct point, for at most --minutes; goes on next time")
    add("--hangs", type=int, default=0, metavar="N", help="only: a consumer hangs N times and is replaced each time")
    add("--controls", action="store_true", help="only the negative controls")
    add("--no-controls", action="store_true", help="no negative controls after the runs")
    add("--json", action="store_true", help="print the findings as the last line")
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise LocalError(f"{text!r}: whole numbers, with commas between") from None
