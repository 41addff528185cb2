"""`./run demo`: the whole system on this machine, a job through all five services, and what happened, proven."""

import argparse
import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from cli.demo_report import report
from cli.demo_told import told
from cli.progress import Progress
from client import GatewayClient, Job
from local.foreground import make_say, run
from local.infrastructure import Infrastructure
from local.proof import Proof, listed_ids, prove
from local.service_settings import ADMIN
from local.supervisor import Say
from local.system import Options, System
from sandbox.folder import administrations_in

DATA = Path(".clearfacts/demo")
SANDBOX = {
    "SANDBOX_DUPLICATES": "12",
    "SANDBOX_CHANGED": "3",
    "SANDBOX_MALFORMED": "6",
    "SANDBOX_INVALID": "5",
    "SANDBOX_REFUSED": "8",
    "SANDBOX_UNKNOWN": "4",
    "SANDBOX_LATENCY": "0.05",
    "SANDBOX_RULES": json.dumps(
        [
            {"effect": "refuse", "matching": "-REFUSED$"},
            {"effect": "conflict", "matching": "-UNKNOWN$", "next": 1},
            {"effect": "reset_after", "matching": "-UNKNOWN$", "times": 1},
        ]
    ),
}
"""How many of the documents are not ordinary; the destination answers after 50 ms, and what it does with those of which
the outcome is unknown: it says of one that it has it already, under another reference, and takes the others without an
answer."""
CLOCKS = {"SEND_DEADLINE": "2", "SEND_LEASE": "3", "SEND_SETTLE": "4"}
"""Unknown outcomes are looked up after seconds instead of minutes."""


def main(arguments: Sequence[str]) -> int:
    """Run the demo; 0 when the balance holds."""
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop everything at the end")
    parser.add_argument("--source", type=Path, metavar="DIR", help="process the UBL files (*.xml) of a folder")
    parser.add_argument("--count", type=int, default=260, help="generated documents (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the generated documents (default %(default)s)")
    parser.add_argument("--data", type=Path, default=DATA, help="data directory, wiped first (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as the last line")
    options = parser.parse_args(arguments)
    return run(lambda: _demo(options))


async def _demo(options: argparse.Namespace) -> int:
    began = time.monotonic()
    say = make_say()
    async with Infrastructure(options.data, fresh=True, say=say) as infrastructure:
        system = System(infrastructure, _system_options(options))
        await system.start()
        infrastructure.supervisor.complete()
        say("everything is ready")
        console = Console()
        job = await asyncio.to_thread(_process, system, console)
        proof = await _prove(system)
        contradictions = [*([job.error.message] if job.error else []), *proof.contradictions]
        report(console, system, job, proof, contradictions, await told(system.oracle, str(job.job_id)))
        figures = _figures(job, proof, balanced=not contradictions, seconds=time.monotonic() - began)
        if not options.once:
            await _stay(say, figures if options.json else None)
    say("stopped, nothing is left running")
    if options.json and options.once:
        print(json.dumps(figures), flush=True)
    return 1 if contradictions else 0


def _system_options(options: argparse.Namespace) -> Options:
    if options.source is None:
        sandbox = {**SANDBOX, "SANDBOX_COUNT": str(options.count), "SANDBOX_SEED": str(options.seed)}
        return Options(sandbox=sandbox, env=CLOCKS, traces=1.0)
    ours = administrations_in(options.source)
    return Options(
        sandbox={"SANDBOX_FOLDER": str(options.source.resolve()), "SANDBOX_LATENCY": "0.05"},
        env=CLOCKS,
        traces=1.0,
        administrations=ours,
        default_administration=ours[0],
    )


def _process(system: System, console: Console) -> Job:
    with GatewayClient(system.gateway_url, credentials=(ADMIN, system.admin_password)) as client:
        started = client.start()
        console.print(f"job {started.job_id} asked for; five services work on it")
        with Progress(console) as progress:
            return client.wait(started.job_id, on_progress=progress.show)


async def _prove(system: System) -> Proof:
    token = system.infrastructure.data.secret("sandbox-token")
    listed = await listed_ids(system.url_of("sandbox-source"), token)
    return await prove(system.infrastructure.database_url, system.oracle, listed)


def _figures(job: Job, proof: Proof, *, balanced: bool, seconds: float) -> Mapping[str, object]:
    results = job.results
    return {
        "total": results.total_invoices,
        "sent": results.processed,
        "failed": results.failed,
        "duplicates": results.duplicates,
        "held": results.held,
        "balanced": balanced,
        "oracle_accepted": proof.accepted,
        "oracle_duplicates": proof.twice,
        "seconds": round(seconds, 1),
    }


async def _stay(say: Say, figures: Mapping[str, object] | None) -> None:
    say("everything stays up; Ctrl-C stops it")
    if figures is not None:
        print(json.dumps(figures), flush=True)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        say("stopping")
