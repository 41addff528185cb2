"""The dispatcher behind `./run`."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from local.errors import LocalError
from local.foreground import INTERRUPTED, run
from local.run_command import main


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0

    shown = capsys.readouterr().out
    assert all(f"\n  {verb}" in shown for verb in ("infra", "status", "test", "lint", "check"))


def test_an_unknown_verb_is_refused_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frobnicate"]) == 2

    assert capsys.readouterr().err.startswith("usage: ./run VERB")


def test_status_of_what_was_never_started_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--data", str(tmp_path)]) == 1

    assert capsys.readouterr().err == f"error: nothing was ever started on {tmp_path}: ./run up starts it\n"


def test_an_error_is_one_line_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> int:
        raise LocalError("port 1 for kafka is in use: stop what listens there")

    assert run(main) == 1
    assert capsys.readouterr().err == "error: port 1 for kafka is in use: stop what listens there\n"


def test_an_error_of_one_of_several_tasks_is_one_line_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    async def fail() -> None:
        raise LocalError("sender ended with code 2")

    async def main() -> int:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())
        return 0

    assert run(main) == 1
    assert capsys.readouterr().err == "error: sender ended with code 2\n"


def test_an_error_that_nobody_foresaw_keeps_its_traceback() -> None:
    async def main() -> int:
        raise ExceptionGroup("two", [LocalError("known"), ZeroDivisionError()])

    with pytest.raises(ExceptionGroup):
        run(main)


def test_a_signal_interrupts() -> None:
    async def main() -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(10)
        return 0

    assert run(main) == INTERRUPTED
