"""`./run bench`: `end-to-end` proves that nothing is lost or sent twice; `reads` asks the API; `telemetry` its cost."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from rich.console import Console

from benchmarks.end_to_end import measure
from benchmarks.figures import Run, exit_code, figures
from benchmarks.reads.command import DATA as READS_DATA
from benchmarks.reads.command import reads
from benchmarks.report import report
from benchmarks.rig import PRODUCT, Workload
from benchmarks.telemetry import DATA as TELEMETRY_DATA
from benchmarks.telemetry import telemetry
from local.foreground import make_say, run
from local.system import SERVICES

DATA = Path(".clearfacts/bench")

# It has no other name.
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def main(arguments: Sequence[str]) -> int:
    """0, or 1 where something was lost or sent twice, 3 where the machine was not quiet, 4 where a goal was missed."""
    options = _parser().parse_args(arguments)
    return run(lambda: options.measure(options))


async def _end_to_end(options: argparse.Namespace) -> int:
    workload = Workload(
        count=options.count,
        warmup=options.warmup,
        latency=options.latency,
        seed=options.seed,
        sequential=options.sequential,
    )
    say = make_say()
    runs: list[Run] = []
    for in_flight in options.in_flight:
        options.data.mkdir(parents=True, exist_ok=True)
        samples = options.data / f"memory-{in_flight}.csv" if options.memory else None
        folder = options.data / str(in_flight)
        runs.append(await measure(folder, workload, in_flight=in_flight, samples=samples, say=say))
    report(Console(), runs, services=SERVICES, product=PRODUCT)
    if options.json:
        found = figures(runs, services=SERVICES, product=PRODUCT)
        asked = {"warmup": options.warmup, "latency": options.latency, "seed": options.seed}
        print(json.dumps({**found, **asked}), flush=True)
    return exit_code(runs, noisy=options.noisy)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run bench", description="Measure (docs/performance.md).")
    verbs = parser.add_subparsers(required=True, metavar="end-to-end|reads|telemetry")
    _add_end_to_end(verbs)
    _add_reads(verbs)
    _add_telemetry(verbs)
    return parser


def _add_end_to_end(verbs: Verbs) -> None:
    verb = verbs.add_parser("end-to-end", help="the whole system beside its limit and the sequential design")
    add = verb.add_argument
    add("--count", type=_positive, default=20_000, help="invoices of the measured job (default %(default)s)")
    add("--warmup", type=_positive, default=1_000, help="invoices of the job before it (default %(default)s)")
    add("--sequential", type=_positive, default=300, help="invoices of the sequential design (default %(default)s)")
    add("--in-flight", type=_numbers, default=(16, 64), metavar="N,N", help="calls at once (default 16,64)")
    add("--latency", type=float, default=0.05, help="of the destination, in seconds (default %(default)s)")
    add("--seed", type=int, default=1, help="of the generated documents (default %(default)s)")
    add("--data", type=Path, default=DATA, help="holds one data directory a run, wiped first (default %(default)s)")
    add("--memory", action="store_true", help="write the memory of all parts, each second, to DATA/memory-N.csv")
    add("--noisy", action="store_true", help="do not reject a run on a machine that was not quiet")
    add("--json", action="store_true", help="print the figures as the last line")
    verb.set_defaults(measure=_end_to_end)


def _add_reads(verbs: Verbs) -> None:
    verb = verbs.add_parser("reads", help="the gateway's reads at a million invoices, idle and beside a job")
    add = verb.add_argument
    add("--rows", type=_positive, default=1_000_000, help="invoices (default %(default)s)")
    add("--seconds", type=float, default=60.0, help="of each load by the clock (default %(default)s)")
    add(
        "--slices", type=_positive, default=12, help="of each question in turns with bare FastAPI (default %(default)s)"
    )
    add("--seed", type=int, default=1, help="of rows and questions (default %(default)s)")
    add("--data", type=Path, default=READS_DATA, help="data directory, wiped first (default %(default)s)")
    add("--noisy", action="store_true", help="exit code 0 also where a goal was missed")
    add("--json", action="store_true", help="print the figures as the last line")
    verb.set_defaults(measure=reads)


def _add_telemetry(verbs: Verbs) -> None:
    verb = verbs.add_parser("telemetry", help="CPU with traces, scrapes and log lines against CPU without, in turns")
    add = verb.add_argument
    add("--pairs", type=_positive, default=9, help="how often both are measured (default %(default)s)")
    add("--count", type=_positive, default=2_000, help="invoices of each half (default %(default)s)")
    add("--warmup", type=_positive, default=300, help="invoices before each (default %(default)s)")
    add("--in-flight", type=_positive, default=64, metavar="N", help="calls at once (default %(default)s)")
    add("--latency", type=float, default=0.05, help="of the destination, in seconds (default %(default)s)")
    add("--seed", type=int, default=1, help="of the generated documents (default %(default)s)")
    add("--data", type=Path, default=TELEMETRY_DATA, help="data directory, wiped first (default %(default)s)")
    add("--noisy", action="store_true", help="exit code 0 also on a machine that was not quiet or where it cost more")
    add("--json", action="store_true", help="print the figures as the last line")
    verb.set_defaults(measure=telemetry)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a number of at least 1 is needed")
    return int(text)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_positive(number) for number in text.split(","))
