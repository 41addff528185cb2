"""The life of one part: started, probed, restarted with back-off, stopped."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeAlias

from local.errors import LocalError
from local.part import Part, State
from local.ports import is_free

Changed: TypeAlias = Callable[["Keeper"], None]

PROBE_EVERY = 0.1
PROBE_TIMEOUT = 3.0
FIRST_DELAY = 0.2
LONGEST_DELAY = 10.0
# A part that stayed ready for this long has recovered: its next restart is at once again.
RECOVERED_AFTER = 1.0


class Starter(Protocol):
    """Starts a part's process in a group of its own, whose number is the process's."""

    async def spawn(self, part: Part) -> Process: ...

    def forget(self, process: Process) -> None: ...


class Keeper:
    """Keeps one part running until it is closed.

    Its first start has to succeed, else `failure` says why and it ends; later ends are followed by restarts.
    """

    def __init__(self, part: Part, starter: Starter, changed: Changed, last_words: Callable[[], str]) -> None:
        self.part = part
        self.state = State.WAITING
        self.restarts = 0
        self.pid: int | None = None
        self.failure: LocalError | None = None
        self.exit_code: int | None = None
        self.settled = asyncio.Event()  # ready, or failed, or closed: nobody has to wait any longer
        self.ended = asyncio.Event()
        self._ready = asyncio.Event()
        self._gone = asyncio.Event()  # no process at the moment
        self._gone.set()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._closing = asyncio.Event()
        self._was_ready = False
        self._starter = starter
        self._changed = changed
        self._last_words = last_words

    async def run(self) -> None:
        try:
            await self._keep()
        finally:
            self.end()  # also where it is cancelled: others wait for the end

    async def _keep(self) -> None:
        delay = FIRST_DELAY
        while not self._closing.is_set() and self.failure is None:
            if not self._wanted.is_set():
                self._become(State.HELD)
                await self._first_of(self._wanted, self._closing)
                continue
            ready_for = await self._live()
            if self._closing.is_set() or self.failure is not None or not self._wanted.is_set():
                continue
            delay = FIRST_DELAY if ready_for > RECOVERED_AFTER else delay
            self.restarts += 1
            self._become(State.RESTARTING)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), delay)
            delay = min(delay * 2, LONGEST_DELAY)

    def end(self) -> None:
        self._become(State.STOPPED if self.failure is None else State.FAILED)
        self.settled.set()
        self.ended.set()

    def fail(self, failure: LocalError) -> None:
        self.failure = failure

    async def wait_ready(self) -> None:
        """Return when it serves; raise the LocalError that keeps it from ever doing so."""
        while not self._ready.is_set():  # it may end again before the waiter runs
            await self._first_of(self._ready, self.ended)
            if self.failure is not None:
                raise self.failure
            if self.ended.is_set():
                raise LocalError(f"{self.part.name} was stopped")

    def signal(self, number: int) -> None:
        """Send the part's main process a signal; nothing where there is none."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """Send KILL to the main process; return when its end is noticed, before the restart."""
        self.signal(signal.SIGKILL)
        await self._gone.wait()

    async def hold(self) -> None:
        """Stop it and keep it down until `release`."""
        self._wanted.clear()
        while self.state is not State.HELD and not self.ended.is_set():
            await self._terminate()
            await asyncio.sleep(PROBE_EVERY)

    async def release(self) -> None:
        """Start it again and wait until it is ready."""
        self._wanted.set()
        await self.wait_ready()

    def close(self) -> None:
        """From now on it is not restarted."""
        self._closing.set()

    async def stop(self) -> None:
        self.close()
        while not self.ended.is_set():
            await self._terminate()
            await asyncio.sleep(PROBE_EVERY)

    def kill_group(self) -> None:
        self._signal_group(signal.SIGKILL)

    async def _live(self) -> float:
        """One process from start to end; for how long it was ready, in seconds."""
        if self.part.port is not None and not is_free(self.part.port):
            self._first_start_failed(f"port {self.part.port} for {self.part.name} is in use: stop what listens there")
            return 0.0
        self._become(State.STARTING)
        process = await self._starter.spawn(self.part)
        self.pid = process.pid
        self._gone.clear()
        loop = asyncio.get_running_loop()
        try:
            if await self._reach_ready(process):
                began = loop.time()
                self._become(State.READY)
                await process.wait()
                return loop.time() - began
            return 0.0
        finally:
            await self._bury(process)

    async def _reach_ready(self, process: Process) -> bool:
        name, log = self.part.name, self._last_words
        deadline = asyncio.get_running_loop().time() + self.part.start_timeout.total_seconds()
        while process.returncode is None and not self._closing.is_set() and self._wanted.is_set():
            if await self._probe() and process.returncode is None:
                return True
            if asyncio.get_running_loop().time() > deadline:
                self._first_start_failed(f"{name} is not ready after {self.part.start_timeout.seconds} s: {log()}")
                return False
            await asyncio.sleep(PROBE_EVERY)
        if process.returncode is not None:
            self._first_start_failed(f"{name} ended with code {process.returncode} before it was ready: {log()}")
        else:
            self._signal_group(self.part.stop_signal)
            await process.wait()
        return False

    async def _probe(self) -> bool:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT):
                return await self.part.ready()
        except (OSError, TimeoutError):
            return False

    def _first_start_failed(self, message: str) -> None:
        if not self._was_ready and not self._closing.is_set():
            self.failure = LocalError(message)

    async def _bury(self, process: Process) -> None:
        self._signal_group(signal.SIGKILL)  # what the part itself started must not outlive it
        self.exit_code = await process.wait()
        self._starter.forget(process)
        self.pid = None
        self._ready.clear()
        self._gone.set()

    async def _terminate(self) -> None:
        self._signal_group(self.part.stop_signal)
        self._signal_group(signal.SIGCONT)  # a suspended process would never hear the stop signal
        try:
            await asyncio.wait_for(self._gone.wait(), self.part.stop_timeout.total_seconds())
        except TimeoutError:
            self._signal_group(signal.SIGKILL)
            await self._gone.wait()

    def _signal_group(self, number: int) -> None:
        if self.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _become(self, state: State) -> None:
        self.state = state
        if state is State.READY:
            self._was_ready = True
            self._ready.set()
            self.settled.set()
        self._changed(self)

    @staticmethod
    async def _first_of(*events: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            waiting = [tasks.create_task(event.wait()) for event in events]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
