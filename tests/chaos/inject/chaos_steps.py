"""Counts each step of a coroutine of our packages, and kills the process at the one that it is told.

A point is where a step begins or ends: our frames from the outermost to the innermost (file:line, and the instruction
of the last, since BEGIN and COMMIT of `async with` are one line), and whether the coroutine resumes there (the answer
is here, nothing has been done with it) or suspends (the request may have left). Word comes in `arm-SERVICE.json`; what
was seen goes to `seen-SERVICE.json`, a kill to `struck.jsonl`.
"""

import asyncio
import atexit
import gc
import itertools
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Generator
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

OURS = ("common", "fetcher", "gateway", "notifier", "sender", "validator")
_POLL = 0.05
_REPORT_EVERY = 4  # polls
_OPAQUE = {"async_generator_asend", "async_generator_athrow", "coroutine_wrapper", "async_generator_aclose"}

Point = tuple[str, str]
"""Where, and the phase."""


def install(folder: Path, service: str) -> None:
    """Wrap every task of every loop that this process makes with `asyncio.Runner`, as uvloop.run does."""
    steps = Steps(folder, service)
    original = asyncio.Runner._lazy_init  # pyright: ignore[reportAttributeAccessIssue]

    def lazy_init(self: Any) -> None:
        original(self)
        self._loop.set_task_factory(steps.task)

    asyncio.Runner._lazy_init = lazy_init  # pyright: ignore[reportAttributeAccessIssue]
    threading.Thread(target=steps.listen, name="chaos", daemon=True).start()
    atexit.register(steps.report)


class Steps:
    """What was seen since the last word, and where to strike."""

    def __init__(self, folder: Path, service: str) -> None:
        self._folder = folder
        self._service = service
        self._names: dict[CodeType, str | None] = {}
        self._wheres: dict[tuple[Any, ...], str] = {}
        self._seen: Counter[Point] = Counter()
        self._serial = 0
        self._target: Point | None = None
        self._visit = 0
        self._signal = int(signal.SIGKILL)
        self._reported = 0
        self._hear()

    def task(self, loop: Any, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        stepped: Any = Stepped(coro, self) if asyncio.iscoroutine(coro) else coro
        return asyncio.Task(stepped, loop=loop, **options)

    def see(self, coro: Any, phase: str) -> None:
        where = self._where(coro)
        if where is None:
            return
        point = where, phase
        self._seen[point] += 1
        if self._target == point and self._seen[point] == self._visit:
            self._strike(point)

    def listen(self) -> None:
        """Look for word, and leave word, until the process ends."""
        for poll in itertools.count():
            time.sleep(_POLL)
            with suppress(OSError, ValueError):
                self._hear()
                if poll % _REPORT_EVERY == 0:
                    self.report()

    def report(self) -> None:
        """Write down what was seen, where it is more than before."""
        seen = self._seen.copy()
        if (total := seen.total()) == self._reported:
            return
        self._reported = total
        lines = {"serial": self._serial, "points": [[*point, count] for point, count in seen.items()]}
        partial = self._folder / f"seen-{self._service}.{os.getpid()}"
        partial.write_text(json.dumps(lines), encoding="utf-8")
        partial.replace(self._folder / f"seen-{self._service}.json")

    def _hear(self) -> None:
        word = self._folder / f"arm-{self._service}.json"
        if not word.exists():
            return
        told = json.loads(word.read_text(encoding="utf-8"))
        if told["serial"] == self._serial:
            return
        done = self._struck(told["serial"])
        self._seen.clear()
        self._target = None if done or told["point"] is None else tuple(told["point"])
        self._visit, self._signal, self._serial = told["visit"], told["signal"], told["serial"]
        (self._folder / f"armed-{self._service}").write_text(str(self._serial), encoding="utf-8")

    def _struck(self, serial: int) -> bool:
        log = self._folder / "struck.jsonl"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return any(json.loads(line)["serial"] == serial for line in lines)

    def _strike(self, point: Point) -> None:
        self._target = None
        if self._struck(self._serial):  # another process of this service was first
            return
        told = {"serial": self._serial, "service": self._service, "where": point[0], "phase": point[1]}
        text = json.dumps({**told, "visit": self._visit, "pid": os.getpid()}) + "\n"
        log = os.open(self._folder / "struck.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(log, text.encode())
        os.close(log)
        os.kill(os.getpid(), self._signal)

    def _where(self, coro: Any) -> str | None:
        """Our frames in what `coro` awaits, outermost first; None where there is none."""
        frames: list[FrameType] = []
        while coro is not None:
            frame, coro = _step(coro)
            if frame is not None and self._name(frame.f_code) is not None:
                frames.append(frame)
        if not frames:
            return None
        key = *((frame.f_code, frame.f_lineno) for frame in frames), frames[-1].f_lasti
        if key not in self._wheres:
            chain = ">".join(f"{self._name(frame.f_code)}:{frame.f_lineno}" for frame in frames)
            self._wheres[key] = f"{chain}@{frames[-1].f_lasti}"
        return self._wheres[key]

    def _name(self, code: CodeType) -> str | None:
        if code not in self._names:
            self._names[code] = _ours(code.co_filename)
        return self._names[code]


class Stepped(Coroutine[Any, Any, Any]):
    """A coroutine that tells of each of its steps; everything else of it is the original's."""

    def __init__(self, coro: Coroutine[Any, Any, Any], steps: Steps) -> None:
        self._coro = coro
        self._steps = steps
        self._begun = False

    def send(self, value: Any) -> Any:
        self._resume()
        asked = self._coro.send(value)
        self._steps.see(self._coro, "suspend")
        return asked

    def throw(self, *error: Any) -> Any:
        self._resume()
        asked = self._coro.throw(*error)
        self._steps.see(self._coro, "suspend")
        return asked

    def close(self) -> None:
        self._coro.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coro.__await__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._coro, name)  # anyio asks for cr_frame and the like

    def _resume(self) -> None:
        if self._begun:
            self._steps.see(self._coro, "resume")
        self._begun = True


def _step(coro: Any) -> tuple[FrameType | None, Any]:
    """The frame of an awaitable, and what it awaits."""
    for kind in ("cr", "ag", "gi"):
        if hasattr(coro, f"{kind}_frame"):
            inner = getattr(coro, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")
            return getattr(coro, f"{kind}_frame"), inner
    if type(coro).__name__ in _OPAQUE:
        return None, next(
            (held for held in gc.get_referents(coro) if hasattr(held, "gi_frame") or _is_ours(held)), None
        )
    return None, None


def _is_ours(held: Any) -> bool:
    return hasattr(held, "cr_frame") or hasattr(held, "ag_frame")


def _ours(path: str) -> str | None:
    """`sender/pump.py` for a file of our packages."""
    _, found, inside = path.replace(os.sep, "/").rpartition("/src/")
    return inside if found and inside.split("/", 1)[0] in OURS else None
