"""`./run` takes a Python that is built to be quick before one that is only new enough."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

NEW_ENOUGH = "*version_info*) exit 0 ;;"
SLOW, QUICK = "*libpython*) exit 1 ;;", "*libpython*) exit 0 ;;"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "run", tmp_path / "run")
    (tmp_path / "bin" / "dirname").symlink_to(shutil.which("dirname") or "/usr/bin/dirname")
    return tmp_path


def add(clone: Path, path: str, *answers: str) -> None:
    """A Python that gives these answers to the questions of `./run`, and its own path when it is handed over to."""
    python = clone / path
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f'#!/bin/sh\ncase "$*" in\n{chr(10).join(answers)}\n*) echo {path} ;;\nesac\n', encoding="utf-8")
    python.chmod(0o755)


def chosen(clone: Path, **environment: str) -> str:
    environment = {"PATH": str(clone / "bin"), **environment}
    return subprocess.run([clone / "run"], env=environment, capture_output=True, check=True, text=True).stdout.strip()


def test_of_two_the_quick_one_is_taken(clone: Path) -> None:
    add(clone, "bin/python3", NEW_ENOUGH, SLOW)
    add(clone, "bin/python3.13", "*version_info*) exit 1 ;;", QUICK)
    add(clone, "bin/python3.12", NEW_ENOUGH, QUICK)
    assert chosen(clone) == "bin/python3.12"


def test_of_two_quick_ones_the_usual_one(clone: Path) -> None:
    add(clone, "bin/python3", NEW_ENOUGH, QUICK)
    add(clone, "bin/python3.14", NEW_ENOUGH, QUICK)
    assert chosen(clone) == "bin/python3"


def test_what_is_installed_already_and_what_somebody_says_go_before(clone: Path) -> None:
    add(clone, "bin/python3", NEW_ENOUGH, QUICK)
    add(clone, "bin/mine", NEW_ENOUGH, SLOW)
    assert chosen(clone, CLEARFACTS_PYTHON="mine") == "bin/mine"
    add(clone, ".venv/bin/python", NEW_ENOUGH, SLOW)
    assert chosen(clone, CLEARFACTS_PYTHON="mine") == ".venv/bin/python"
