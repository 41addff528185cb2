"""Nobody has to read more than a screen or two to understand a piece."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.architecture.source import ROOT, shown, sources, tree

FILE_LINES, FUNCTION_LINES = 300, 40
MEDIAN_FILE, MEDIAN_FUNCTION = 80, 10
WRITTEN = (*sources(), *sorted((ROOT / "benchmarks").rglob("*.py")))


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and number of lines; the decorators do not count."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{shown(path)}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_file_is_longer_than_its_cap() -> None:
    long = [f"{shown(path)}: {lines(path)} lines" for path in WRITTEN if lines(path) > FILE_LINES]
    assert not long, "\n".join(long)


def test_no_function_is_longer_than_its_cap() -> None:
    long = [f"{name}: {size} lines" for path in WRITTEN for name, size in functions(path) if size > FUNCTION_LINES]
    assert not long, "\n".join(long)


def test_the_usual_piece_is_small() -> None:
    files = median(lines(path) for path in WRITTEN if path.name != "__init__.py")
    pieces = median(size for path in WRITTEN for _, size in functions(path))
    assert (files <= MEDIAN_FILE, pieces <= MEDIAN_FUNCTION) == (True, True), (files, pieces)
