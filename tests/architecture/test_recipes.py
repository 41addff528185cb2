"""CI, the hooks and `./run` call the recipes of one file, in one order."""

import re

from local.checks import LINT
from tests.architecture.source import ROOT

JUSTFILE = (ROOT / "justfile").read_text()
RECIPES = set(re.findall(r"^([a-z-]+)(?: [^:\n]*)?:(?!=)", JUSTFILE, re.MULTILINE))


def test_run_check_and_just_check_are_the_same() -> None:
    check = re.search(r"^check: (.+)$", JUSTFILE, re.MULTILINE)
    assert check is not None
    assert check[1].split() == [*(recipe for (recipe,) in LINT), "unit"]


def test_hooks_only_call_recipes() -> None:
    entries = re.findall(r"^\s+entry: (.+)$", (ROOT / ".pre-commit-config.yaml").read_text(), re.MULTILINE)
    called = [entry.removeprefix(".venv/bin/just ") for entry in entries]
    assert set(called) <= RECIPES, set(called) - RECIPES
    assert {recipe for (recipe,) in LINT} <= set(called)


def test_ci_calls_run_test() -> None:
    assert "\n./run test" in (ROOT / ".ci/run").read_text()


def test_recipes_named_by_the_guide_exist() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    assert set(re.findall(r"`(?:\.venv/bin/)?just ([a-z-]+)", guide)) <= RECIPES
