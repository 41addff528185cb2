"""The repository as text and syntax trees: what the checks of this folder look at."""

import ast
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SERVICES = tuple(sorted(path.parent.name for path in ROOT.glob("services/*/pyproject.toml")))
GENERATED = ("/migrations/versions/", "/client/shapes.py")


@cache
def members() -> Sequence[Path]:
    """The folders of the workspace's members."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    return sorted(path.parent for pattern in patterns for path in ROOT.glob(f"{pattern}/pyproject.toml"))


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text())


@cache
def sources() -> Sequence[Path]:
    """Every hand-written source file, tests excluded."""
    files = (path for member in members() for path in (member / "src").rglob("*.py"))
    return sorted(path for path in files if not any(part in path.as_posix() for part in GENERATED))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    """`services/sender/src/sender/pump.py` is `sender.pump`."""
    parts = path.with_suffix("").parts
    inside = parts[parts.index("src") + 1 :]
    return ".".join(inside[:-1] if inside[-1] == "__init__" else inside)


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every module that a file imports; `from a import b` counts as `a`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Line and value of every string that is not a docstring."""
    module = tree(path)
    loose = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in loose:
            yield node.lineno, node.value


@cache
def tracked() -> Sequence[Path]:
    """Every file that is in the repository, or will be with the next commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]
