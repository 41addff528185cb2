"""The checks that CI runs, in its order, for `./run test`, `./run lint` and `./run check`."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from local.errors import LocalError

BIN = Path(sys.executable).parent
# Unix sockets stay: the event loop has one for itself.
UNIT = ("pytest", "-q", "--disable-socket", "--allow-unix-socket", "tests/unit", "tests/architecture")
LINT = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("lint-imports",), ("pyright",))
EVERYTHING = ("pytest", "-q", "tests")


def test(arguments: Sequence[str]) -> int:
    """Run everything as CI does; `unit`: only what needs no sockets; more words go to pytest."""
    match list(arguments):
        case []:
            return _run([*LINT, EVERYTHING])
        case ["unit", *rest]:
            return _run([(*UNIT, *rest)])
        case chosen:
            return _run([("pytest", "-q", *chosen)])


def lint(arguments: Sequence[str]) -> int:
    """Run ruff, the import contracts and pyright."""
    if arguments:
        raise LocalError("./run lint takes no arguments")
    return _run(LINT)


def check(arguments: Sequence[str]) -> int:
    """Run lint, then the unit tests."""
    return lint(arguments) or _run([UNIT])


def _run(steps: Sequence[Sequence[str]]) -> int:
    """The exit code of the first step that fails."""
    for program, *arguments in steps:
        print(f"== {program} {' '.join(arguments)}", flush=True)
        began = time.monotonic()
        code = subprocess.run([BIN / program, *arguments], check=False).returncode
        print(f"== {program}: exit {code} after {time.monotonic() - began:.1f} s", flush=True)
        if code != 0:
            return code
    return 0
