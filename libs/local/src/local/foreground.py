"""Runs the local system in the foreground until Ctrl-C, and turns what goes wrong into one line."""

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from local.errors import LocalError
from local.infrastructure import Infrastructure
from local.supervisor import Say

# Starts what comes on top of the infrastructure; returns lines to show once all is ready.
Compose: TypeAlias = Callable[[Infrastructure], Awaitable[Sequence[str]]]

INTERRUPTED = 130


def make_say() -> Say:
    """Progress lines with the seconds since the start, also where the output is not a terminal."""
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)

    return say


def run(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run `main`, cancelled by Ctrl-C, TERM and HUP; its exit code, or 1 after a LocalError, told in one line."""

    async def interruptible() -> int:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if task is not None:
                loop.add_signal_handler(number, task.cancel)
        return await main()

    try:
        return asyncio.run(interruptible())
    except asyncio.CancelledError:
        return INTERRUPTED
    except (LocalError, ExceptionGroup) as error:
        told = _first_told(error)
        if told is None:
            raise
        print(f"error: {told}", file=sys.stderr, flush=True)
        return 1


def _first_told(error: Exception) -> LocalError | None:
    """The first LocalError of those that tasks raised side by side; None where something else is among them."""
    if isinstance(error, LocalError):
        return error
    if isinstance(error, ExceptionGroup):
        told = [_first_told(inner) for inner in error.exceptions]
        return told[0] if None not in told else None
    return None


async def serve(infrastructure: Infrastructure, compose: Compose, *, say: Say) -> int:
    """Start everything, show what `compose` returned, and stay until cancelled; 0 when that was after the start."""
    async with infrastructure as running:
        lines = await compose(running)
        running.supervisor.complete()
        for line in lines:
            print(f"          {line}", flush=True)
        say("everything is ready; Ctrl-C stops it")
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        say("stopping")
    say("stopped, nothing is left running")
    return 0


async def infrastructure_only(running: Infrastructure) -> Sequence[str]:
    return [
        f"DATABASE_URL={running.database_url}",
        f"KAFKA_BOOTSTRAP_SERVERS={running.kafka_bootstrap}",
        f"REDIS_URL={running.redis_url}",
    ]
