"""The supervisor with real, small processes. A part is ready once it has made its file."""

import asyncio
import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from local.data_dir import held
from local.errors import LocalError
from local.keeper import Keeper
from local.part import Part, State
from local.processes import Processes
from local.supervisor import Supervisor

STAY = """\
import os, pathlib, signal, sys, time
def stop(*_):
    with open(sys.argv[1] + '/stopped', 'a') as file: file.write(sys.argv[2] + ' ')
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
pathlib.Path(sys.argv[1], sys.argv[2]).write_text(str(time.monotonic()))
while True: signal.pause()
"""


def part(folder: Path, name: str, code: str = STAY, **settings: object) -> Part:
    async def ready() -> bool:
        await asyncio.sleep(0)
        return (folder / name).exists()

    argv = [sys.executable, "-I", "-S", "-c", code, str(folder), name]
    return Part(name=name, argv=argv, ready=ready, **settings)  # pyright: ignore[reportArgumentType]


@asynccontextmanager
async def supervising(folder: Path, said: list[str] | None = None) -> AsyncGenerator[Supervisor]:
    said = [] if said is None else said
    with held(folder / "data") as data:
        async with Supervisor(data, say=said.append) as supervisor:
            yield supervisor


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_a_part_starts_only_when_those_before_it_are_ready(tmp_path: Path) -> None:
    slow = "import time; time.sleep(0.3)\n" + STAY
    async with supervising(tmp_path) as supervisor:
        await supervisor.start(
            [part(tmp_path, "second", after=frozenset({"first"})), part(tmp_path, "first", slow), part(tmp_path, "x")]
        )

        began = {name: float((tmp_path / name).read_text()) for name in ("first", "second", "x")}
    assert began["x"] < began["first"] < began["second"]


async def test_parts_stop_after_those_that_came_after_them(tmp_path: Path) -> None:
    async with supervising(tmp_path) as supervisor:
        await supervisor.start([part(tmp_path, "first"), part(tmp_path, "second", after=frozenset({"first"}))])
        pids = [status.pid for status in supervisor.status()]

    assert (tmp_path / "stopped").read_text() == "second first "
    assert not any(is_running(pid) for pid in pids if pid)


async def test_a_killed_part_is_started_again_and_the_status_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    async with supervising(tmp_path, said) as supervisor:
        await supervisor.start([part(tmp_path, "one")])
        before = supervisor.keeper("one").pid

        await supervisor.keeper("one").kill()
        await supervisor.keeper("one").wait_ready()

        written = json.loads((tmp_path / "data" / "status.json").read_text())["parts"][0]
        assert (written["state"], written["restarts"]) == ("ready", 1)
        assert written["pid"] not in {before, None}
        assert written["since"].endswith("Z")
    assert said == [f"one ended with code -9 and is started again ({tmp_path / 'data/logs/one.log'})"]


async def test_what_a_dead_part_had_started_ends_with_it(tmp_path: Path) -> None:
    code = "import subprocess, pathlib, sys\np = subprocess.Popen(['sleep', '60'])\n" + (
        "pathlib.Path(sys.argv[1], 'grandchild').write_text(str(p.pid))\n" + STAY
    )
    async with supervising(tmp_path) as supervisor:
        await supervisor.start([part(tmp_path, "one", code)])
        grandchild = int((tmp_path / "grandchild").read_text())

        await supervisor.keeper("one").kill()

        await eventually(lambda: not is_running(grandchild))


async def test_a_first_start_that_fails_says_the_last_line_of_its_log(tmp_path: Path) -> None:
    async with supervising(tmp_path) as supervisor:
        with pytest.raises(
            LocalError, match=r"one ended with code 3 before it was ready: no such setting \(.*one\.log"
        ):
            await supervisor.start([part(tmp_path, "one", "print('no such setting'); raise SystemExit(3)")])

        assert supervisor.keeper("one").state is State.FAILED


async def test_a_part_after_one_that_fails_is_not_started(tmp_path: Path) -> None:
    async with supervising(tmp_path) as supervisor:
        with pytest.raises(LocalError, match="first ended with code 3"):
            await supervisor.start(
                [part(tmp_path, "second", after=frozenset({"first"})), part(tmp_path, "first", "raise SystemExit(3)")]
            )

    assert not (tmp_path / "second").exists()


async def test_a_part_that_is_never_ready_is_one_clear_line(tmp_path: Path) -> None:
    hangs = part(tmp_path, "one", "import time; time.sleep(60)", start_timeout=timedelta(seconds=1))
    async with supervising(tmp_path) as supervisor:
        with pytest.raises(LocalError, match="one is not ready after 1 s: no output"):
            await supervisor.start([hangs])


async def test_a_program_that_is_missing_is_one_clear_line(tmp_path: Path) -> None:
    missing = Part(name="one", argv=["/no/such/program"], ready=never)
    async with supervising(tmp_path) as supervisor:
        with pytest.raises(LocalError, match="cannot start /no/such/program: No such file"):
            await supervisor.start([missing])


async def test_a_held_part_stays_down_until_it_is_released(tmp_path: Path) -> None:
    async with supervising(tmp_path) as supervisor:
        await supervisor.start([part(tmp_path, "one")])
        keeper = supervisor.keeper("one")

        await keeper.hold()
        assert (keeper.state, keeper.pid) == (State.HELD, None)
        await keeper.release()

        assert (keeper.state, keeper.restarts) == (State.READY, 0)


async def test_a_suspended_part_can_be_stopped(tmp_path: Path) -> None:
    async with supervising(tmp_path) as supervisor:
        await supervisor.start([part(tmp_path, "one")])
        supervisor.keeper("one").signal(signal.SIGSTOP)

    assert (tmp_path / "stopped").read_text() == "one "


async def test_a_part_that_ignores_its_stop_signal_is_killed(tmp_path: Path) -> None:
    deaf = STAY.replace("signal.signal(signal.SIGTERM, stop)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    async with supervising(tmp_path) as supervisor:
        await supervisor.start([part(tmp_path, "one", deaf, stop_timeout=timedelta(seconds=0.3))])
        pid = supervisor.keeper("one").pid

    assert pid is not None
    assert not is_running(pid)


async def test_restarts_come_later_and_later(tmp_path: Path) -> None:
    dies = STAY.replace("while True: signal.pause()", "time.sleep(0.1)")
    async with supervising(tmp_path) as supervisor:
        await supervisor.start([part(tmp_path, "one", dies)])
        began = time.monotonic()

        await eventually(lambda: supervisor.keeper("one").restarts >= 4)

        assert time.monotonic() - began > 0.2 + 0.4 + 0.8  # the fourth end comes after three pauses


async def test_stopping_ends_even_where_the_task_of_a_part_was_cancelled(tmp_path: Path) -> None:
    """What an event loop that is closed by force does, as after a test's timeout."""
    with held(tmp_path / "data") as data, closing(Processes(data)) as processes:
        keeper = Keeper(part(tmp_path, "one"), processes, lambda _: None, str)
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(keeper.run())
            await keeper.wait_ready()
            pid = keeper.pid

            running.cancel()
            await keeper.stop()

    assert pid is not None
    assert not is_running(pid)


PR_SET_CHILD_SUBREAPER = 36


@contextmanager
def adoption() -> Generator[list[int]]:
    """Orphans come to this process, which reaps those in the list: not every machine's first process does."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    orphans: list[int] = []
    try:
        yield orphans
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        for orphan in orphans:
            with suppress(ChildProcessError):
                os.waitpid(orphan, 0)


@pytest.mark.parametrize("with_watchdog", [True, False])
async def test_nothing_is_left_when_the_starter_is_killed(tmp_path: Path, *, with_watchdog: bool) -> None:
    """A direct child ends by its parent-death signal; a grandchild needs the watchdog."""
    with adoption() as orphans:
        starter, (watchdog, child, grandchild) = await started(tmp_path)
        orphans.extend([watchdog, child, grandchild])
        if not with_watchdog:
            os.kill(watchdog, signal.SIGKILL)

        starter.kill()
        await starter.wait()

        await eventually(lambda: not is_running(child))
        if with_watchdog:
            await eventually(lambda: not is_running(grandchild))
            await eventually(lambda: not is_running(watchdog))
        else:
            os.kill(grandchild, signal.SIGKILL)


async def test_a_new_start_waits_for_the_watchdog_of_a_killed_one(tmp_path: Path) -> None:
    with adoption() as orphans:
        starter, pids = await started(tmp_path)
        orphans.extend(pids)
        starter.kill()
        await starter.wait()

        with held(tmp_path / "data"):
            assert not is_running(pids[2])


async def started(folder: Path) -> tuple[asyncio.subprocess.Process, list[int]]:
    """A starter with one part, and the pids of its watchdog, the part and the part's child."""
    script = Path(__file__).with_name("starter.py")
    starter = await asyncio.create_subprocess_exec(sys.executable, str(script), str(folder))
    await eventually((folder / "pids").exists)
    return starter, [int(pid) for pid in (folder / "pids").read_text().split()]


async def never() -> bool:
    await asyncio.sleep(0)
    return False
