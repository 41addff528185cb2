"""The checks that CI runs, in its order, for `./run test`, `./run lint` and `./run check`: recipes of the justfile."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from local.errors import LocalError

JUST = Path(sys.executable).parent / "just"
LINT = (("lint",), ("format-check",), ("contracts",), ("deps",), ("dead",), ("types",))


def test(arguments: Sequence[str]) -> int:
    """Run everything as CI does; `unit`: only what needs no sockets; more words go to pytest."""
    match list(arguments):
        case []:
            return _run([*LINT, ("test",)])
        case ["unit", *rest]:
            return _run([("unit", *rest)])
        case chosen:
            return _run([("test", *chosen)])


def lint(arguments: Sequence[str]) -> int:
    """Run ruff, the import contracts, deptry, vulture and pyright."""
    if arguments:
        raise LocalError("./run lint takes no arguments")
    return _run(LINT)


def check(arguments: Sequence[str]) -> int:
    """Run lint, then the unit tests."""
    return lint(arguments) or _run([("unit",)])


def _run(recipes: Sequence[Sequence[str]]) -> int:
    """The exit code of the first recipe that fails; how long each took is said at the end."""
    took: list[str] = []
    code = 0
    for recipe in recipes:
        print(f"== {' '.join(recipe)}", flush=True)
        began = time.monotonic()
        code = subprocess.run([JUST, *recipe], check=False).returncode
        took.append(f"{recipe[0]} {time.monotonic() - began:.1f} s{'' if code == 0 else f' (exit {code})'}")
        if code != 0:
            break
    print(f"== {', '.join(took)}", flush=True)
    return code
