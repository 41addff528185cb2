"""What `./run` hands over to: `python -m local.run_command VERB ...`."""

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from local.checks import check, lint
from local.checks import test as run_tests
from local.errors import LocalError
from local.foreground import infrastructure_only, make_say, run, serve
from local.infrastructure import ALL_PARTS, Infrastructure
from local.status import show_status

DATA = Path(".clearfacts/data")
# Verbs that are modules of their own, `main(arguments) -> exit code`, loaded when they are asked for.
MODULES = {
    "up": ("local.system", "start the whole system; --fresh wipes its data first"),
    "demo": ("cli.demo", "start it, process sandbox invoices, show what happened"),
    "bench": ("benchmarks.run", "measure"),
    "chaos": ("tests.chaos.run", "break it in random ways, then prove that nothing was lost or sent twice"),
}


def infra(arguments: Sequence[str]) -> int:
    """Start Kafka, PostgreSQL and Valkey only."""
    parser = argparse.ArgumentParser(prog="./run infra", description=infra.__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="data directory (default %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="wipe the data directory first")
    for name in sorted(ALL_PARTS):
        parser.add_argument(f"--{name}-port", type=int, metavar="N", help="default: a free one, kept")
    options = parser.parse_args(arguments)
    given = {name: vars(options)[f"{name}_port"] for name in ALL_PARTS}
    ports = {name: port for name, port in given.items() if port is not None}
    say = make_say()
    infrastructure = Infrastructure(options.data, ports=ports, fresh=options.fresh, say=say)
    return run(lambda: serve(infrastructure, infrastructure_only, say=say))


def status(arguments: Sequence[str]) -> int:
    """Show the parts of a running system; exit code 0 where all are ready."""
    parser = argparse.ArgumentParser(prog="./run status", description=status.__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="data directory (default %(default)s)")
    return show_status(parser.parse_args(arguments).data)


VERBS: dict[str, Callable[[Sequence[str]], int]] = {
    "infra": infra,
    "status": status,
    "test": run_tests,
    "lint": lint,
    "check": check,
}


def main(arguments: Sequence[str]) -> int:
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    try:
        if verb in VERBS:
            return VERBS[verb](rest)
        if verb in MODULES and importlib.util.find_spec(MODULES[verb][0]) is not None:
            return importlib.import_module(MODULES[verb][0]).main(rest)
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    asked = verb in {"help", "-h", "--help"}
    print(usage(), file=sys.stdout if asked else sys.stderr)
    return 0 if asked else 2


def usage() -> str:
    """All verbs that this checkout has, one a line."""
    there = {verb: text for verb, (module, text) in MODULES.items() if importlib.util.find_spec(module) is not None}
    lines = there | {verb: (call.__doc__ or "").splitlines()[0] for verb, call in VERBS.items()}
    return "\n".join(["usage: ./run VERB [--help]", *(f"  {verb:<8}{text}" for verb, text in lines.items())])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
