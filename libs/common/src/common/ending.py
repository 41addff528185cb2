"""The end of a process that cannot go on: every stack is written down first, and nothing is cleaned up."""

import asyncio
import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, NoReturn

import structlog

from common.clock import SYSTEM_CLOCK, Clock

log = structlog.get_logger()

STANDSTILL = 75
"""The exit code of a process that stood still: `sysexits` calls it a temporary failure, try again."""

_MOST_TASKS = 50


def end_standstill(reason: str) -> NoReturn:
    """Write down all threads and tasks, then end at once: what hangs would hang a graceful stop too."""
    log.critical("ended_by_the_watchdog", reason=reason, code=STANDSTILL)
    faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
    try:
        for task in list(asyncio.all_tasks())[:_MOST_TASKS]:
            sys.stderr.write(f"Task {task.get_name()}:\n{''.join(_awaits(task.get_coro()))}")
    except RuntimeError:
        pass  # called by the thread: the loop's own stack is among the threads'
    sys.stderr.flush()
    os._exit(STANDSTILL)


def _awaits(coroutine: Any) -> Generator[str]:
    """Where a suspended task stands, from the outside in: `Task.print_stack` knows the outermost frame only."""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None:
            yield f'  File "{frame.f_code.co_filename}", line {frame.f_lineno} in {frame.f_code.co_name}\n'
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)


class LoopGuard:
    """A thread that ends the process when the event loop has not turned for `limit` seconds.

    Its own lateness (the whole process was stopped) is no verdict.
    """

    def __init__(
        self,
        end: Callable[[str], None] = end_standstill,
        *,
        limit: float = 12.0,
        tick: float = 0.5,
        clock: Clock = SYSTEM_CLOCK,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._end = end
        self._limit = limit
        self._tick = tick
        self._clock = clock
        self._sleep = sleep
        self._beat = clock.monotonic()
        self._over = False

    async def run(self) -> None:
        """Beat until cancelled."""
        self._beat = self._clock.monotonic()
        threading.Thread(target=self.watch, name="loop-guard", daemon=True).start()
        try:
            while True:
                self._beat = self._clock.monotonic()
                await asyncio.sleep(self._tick)
        finally:
            self._over = True

    def watch(self) -> None:
        """What the thread does; it returns once the loop is over."""
        looked = self._clock.monotonic()
        while not self._over:
            self._sleep(self._tick)
            now = self._clock.monotonic()
            if now - looked > 3 * self._tick:
                self._beat = now
            looked = now
            if now - self._beat > self._limit:
                self._end(f"the event loop has not turned for {now - self._beat:.1f} s")
