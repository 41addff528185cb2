"""`./run bench reads`."""

import argparse
import json
from pathlib import Path

from rich.console import Console

from benchmarks.reads.figures import figures, misses
from benchmarks.reads.measuring import Plan, measure
from benchmarks.reads.report import report
from local.foreground import make_say

DATA = Path(".clearfacts/bench/reads")
WIDTH = 140
"""Characters: the table is as readable in a file as on a screen."""
MISSED = 4
"""Exit code: measured, but a goal was not reached."""


async def reads(options: argparse.Namespace) -> int:
    """0, or 4 where a goal was missed."""
    plan = Plan(rows=options.rows, seconds=options.seconds, seed=options.seed, slices=options.slices)
    found = await measure(options.data, plan, say=make_say())
    report(Console(width=WIDTH), found)
    if options.json:
        print(json.dumps(figures(found)), flush=True)
    return MISSED if misses(found) and not options.noisy else 0
