"""Starts processes that do not outlive the starter, however it ends."""

import asyncio
import os
import subprocess
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

from local.data_dir import DataDir
from local.errors import LocalError
from local.part import Part
from local.surroundings import inherited_environment, is_root

HERE = Path(__file__).parent
# Isolated and without site packages: these start in 20 ms.
PLAIN_PYTHON = (sys.executable, "-I", "-S")


def launcher(argv: Sequence[str], *, death_signal: int, not_as_root: bool) -> list[str]:
    """The command line of something that gets `death_signal` when this process ends."""
    user = "nobody" if not_as_root and is_root() else "same"
    return [*PLAIN_PYTHON, str(HERE / "launch.py"), str(os.getpid()), str(int(death_signal)), user, *argv]


async def run_tool(argv: Sequence[str], *, env: dict[str, str] | None = None, not_as_root: bool = False) -> None:
    """Run a short command to its end; LocalError with its last line of output where it fails."""
    process = await asyncio.create_subprocess_exec(
        *launcher(argv, death_signal=SIGKILL, not_as_root=not_as_root),
        stdin=DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=STDOUT,
        env=inherited_environment(env or {}),
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = output.decode(errors="replace").strip().splitlines() or ["no output"]
        raise LocalError(f"{Path(argv[0]).name} ended with code {process.returncode}: {lines[-1]}")


class Processes:
    """The processes of the parts, each in a group of its own, known to a watchdog that outlives the starter."""

    def __init__(self, data: DataDir) -> None:
        self._data = data
        # In a session of its own, so that Ctrl-C does not reach it; it holds the lock as long as it runs.
        self._watchdog = subprocess.Popen(
            [*PLAIN_PYTHON, str(HERE / "watchdog.py")],
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            pass_fds=(data.lock_descriptor,),
        )

    @property
    def watchdog_pid(self) -> int:
        return self._watchdog.pid

    async def spawn(self, part: Part) -> Process:
        with self._data.log_of(part.name).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *launcher(part.argv, death_signal=part.stop_signal, not_as_root=part.not_as_root),
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                cwd=part.folder,
                env=inherited_environment({"PYTHONUNBUFFERED": "1", **part.env}),
                start_new_session=True,
            )
        self._tell(f"+ {process.pid} {int(part.stop_signal)}")
        return process

    def forget(self, process: Process) -> None:
        """Its group is gone: its number may soon belong to somebody else."""
        self._tell(f"- {process.pid}")

    def close(self) -> None:
        """Let the watchdog end what is left, if anything."""
        if self._watchdog.stdin is not None:
            self._watchdog.stdin.close()
        self._watchdog.wait()

    def _tell(self, line: str) -> None:
        if self._watchdog.stdin is not None:
            with suppress(BrokenPipeError):
                self._watchdog.stdin.write(f"{line}\n".encode())
