"""Runs the parts: in order of readiness, restarted when they die, stopped in reverse, none left running."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeAlias

from local.data_dir import DataDir
from local.errors import LocalError
from local.keeper import Keeper
from local.part import Part, PartStatus, State
from local.processes import Processes

Say: TypeAlias = Callable[[str], None]


class Supervisor:
    """Use as an async context manager, in the main thread: parts end with the thread that started them."""

    def __init__(self, data: DataDir, *, say: Say = print, clock: Callable[[], float] = time.time) -> None:
        self._data = data
        self._say = say
        self._clock = clock
        self._keepers: dict[str, Keeper] = {}
        self._since: dict[str, str] = {}
        self._tasks = asyncio.TaskGroup()
        self._stack = ExitStack()
        self._state = "starting"

    async def __aenter__(self) -> Self:
        self._processes = Processes(self._data)
        self._stack.callback(self._processes.close)
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            try:
                await self.stop()
            finally:
                # Reached with something left only where stopping was interrupted: a second Ctrl-C.
                for keeper in self._keepers.values():
                    keeper.kill_group()
                await self._tasks.__aexit__(None, None, None)

    async def start(self, parts: Sequence[Part]) -> None:
        """Start `parts`, each once those that it comes after are ready; return when all are.

        Raises LocalError with the first reason why one of them could not be started.
        """
        for part in parts:
            if part.name in self._keepers:
                raise LocalError(f"{part.name} runs already")
            self._data.rotate_log(part.name)
            self._keepers[part.name] = Keeper(part, self._processes, self._changed, self._last_words_of(part.name))
        for part in parts:
            if unknown := part.after - self._keepers.keys():
                raise LocalError(f"{part.name} comes after {', '.join(sorted(unknown))}, which is not started")
        for part in parts:
            self._tasks.create_task(self._run(self._keepers[part.name]))
        await asyncio.gather(*[self._keepers[part.name].wait_ready() for part in parts])

    def complete(self) -> None:
        """Say in the status that all that belongs to the system has been started."""
        self._state = "running"
        self._write_status()

    async def stop(self) -> None:
        """Stop everything, each part after those that came after it."""
        self._state = "stopping"
        for keeper in self._keepers.values():
            keeper.close()
        async with asyncio.TaskGroup() as tasks:
            for keeper in self._keepers.values():
                tasks.create_task(self._stop_after_dependents(keeper))
        self._state = "stopped"
        self._write_status()

    def keeper(self, name: str) -> Keeper:
        """The part `name`: to signal, kill, hold or release it, or to wait until it is ready."""
        if name not in self._keepers:
            raise LocalError(f"{name} is not one of the parts: {', '.join(self._keepers)}")
        return self._keepers[name]

    @property
    def watchdog_pid(self) -> int:
        return self._processes.watchdog_pid

    def status(self) -> list[PartStatus]:
        return [
            PartStatus(
                name=name,
                state=keeper.state,
                restarts=keeper.restarts,
                pid=keeper.pid,
                since=self._since.get(name, ""),
                port=keeper.part.port,
                log=str(self._data.log_of(name)),
            )
            for name, keeper in self._keepers.items()
        ]

    async def _run(self, keeper: Keeper) -> None:
        try:
            for name in keeper.part.after:
                before = self._keepers[name]
                await before.settled.wait()
                if before.failure is not None:
                    keeper.fail(before.failure)
        except asyncio.CancelledError:
            keeper.end()
            raise
        await keeper.run()

    async def _stop_after_dependents(self, keeper: Keeper) -> None:
        for other in self._keepers.values():
            if keeper.part.name in other.part.after:
                await other.ended.wait()
        await keeper.stop()

    def _changed(self, keeper: Keeper) -> None:
        name = keeper.part.name
        moment = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        self._since[name] = moment.replace("+00:00", "Z")
        if keeper.state is State.RESTARTING:
            self._say(f"{name} ended with code {keeper.exit_code} and is started again ({self._data.log_of(name)})")
        self._write_status()

    def _write_status(self) -> None:
        parts = [asdict(part) for part in self.status()]
        self._data.write_status({"state": self._state, "pid": os.getpid(), "parts": parts})

    def _last_words_of(self, name: str) -> Callable[[], str]:
        log = self._data.log_of(name)

        def last_words() -> str:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
            return next((line.strip() for line in reversed(lines) if line.strip()), "no output") + f" ({log})"

        return last_words
