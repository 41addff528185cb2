"""Starts one part with a grandchild that hears no stop signal, for a test that kills this starter."""

import asyncio
import sys
from pathlib import Path

from local.data_dir import held
from local.part import Part
from local.supervisor import Supervisor

PART = """\
import pathlib, subprocess, sys, time
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
grandchild = subprocess.Popen([sys.executable, '-I', '-S', '-c', deaf], stdout=subprocess.PIPE)
grandchild.stdout.readline()
pathlib.Path(sys.argv[1]).write_text(str(grandchild.pid))
time.sleep(60)
"""


async def main(folder: Path) -> None:
    async def ready() -> bool:
        await asyncio.sleep(0)
        return (folder / "grandchild").exists() and (folder / "grandchild").read_text() != ""

    argv = [sys.executable, "-I", "-S", "-c", PART, str(folder / "grandchild")]
    with held(folder / "data") as data:
        async with Supervisor(data) as supervisor:
            await supervisor.start([Part(name="one", argv=argv, ready=ready)])
            watchdog = supervisor.watchdog_pid
            pids = f"{watchdog} {supervisor.keeper('one').pid} {(folder / 'grandchild').read_text()}"
            (folder / "partial").write_text(pids)
            (folder / "partial").rename(folder / "pids")
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
