"""`./run demo --once --json`, as a person types it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FIGURES = {
    "total",
    "sent",
    "failed",
    "duplicates",
    "held",
    "balanced",
    "oracle_accepted",
    "oracle_duplicates",
    "seconds",
}


def command_lines_with(text: str) -> list[bytes]:
    """The command lines of running processes that name `text`."""
    found: list[bytes] = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes()
        except OSError:  # it ended meanwhile
            continue
        if text.encode() in line:
            found.append(line)
    return found


@pytest.mark.timeout(180)
def test_the_demo_processes_everything_proves_its_balance_and_leaves_nothing_running(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.run_command", "demo", "--once", "--json", "--data", str(tmp_path / "demo")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures.keys() == FIGURES
    assert figures["total"] >= 200
    assert figures["sent"] + figures["failed"] + figures["duplicates"] + figures["held"] == figures["total"]
    assert min(figures["failed"], figures["duplicates"], figures["held"]) > 0
    assert figures["balanced"] is True
    assert figures["oracle_duplicates"] == 0
    assert command_lines_with(str(tmp_path)) == []
