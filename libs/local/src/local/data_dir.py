"""One data directory: who owns it, its secrets, its logs, and its status for other processes to read."""

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from local.errors import LocalError

LOCK = "lock"
STATUS = "status.json"
KEPT_LOGS = 3
# The watchdog of a killed starter keeps the lock until its parts have ended, a little over three seconds at most.
WATCHDOG_TIME = 8.0


class DataDir:
    """A data directory that this process holds the lock of."""

    def __init__(self, root: Path, lock_descriptor: int) -> None:
        self.root = root
        self.lock_descriptor = lock_descriptor

    def folder(self, *names: str) -> Path:
        path = self.root.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def secret(self, name: str) -> str:
        """A random secret, made at the first call for this data directory and the same ever after."""
        path = self.secret_file(name)
        return path.read_text(encoding="ascii")

    def secret_file(self, name: str) -> Path:
        """The file that holds `secret(name)`, readable by its owner only."""
        path = self.folder("secrets") / name
        if not path.exists():
            partial = path.with_suffix(".partial")
            partial.touch(mode=0o600)
            partial.write_text(secrets.token_urlsafe(24), encoding="ascii")
            partial.replace(path)
        return path

    def log_of(self, part: str) -> Path:
        return self.folder("logs") / f"{part}.log"

    def rotate_log(self, part: str) -> None:
        """Begin a new log; the last three stay as `PART.1.log`, the newest, to `PART.3.log`."""
        log = self.log_of(part)
        for number in range(KEPT_LOGS, 0, -1):
            newer = log if number == 1 else log.with_name(f"{part}.{number - 1}.log")
            if newer.exists():
                newer.replace(log.with_name(f"{part}.{number}.log"))

    def write_status(self, status: Mapping[str, Any]) -> None:
        partial = self.root / f"{STATUS}.partial"
        partial.write_text(json.dumps(status, indent=1), encoding="utf-8")
        partial.replace(self.root / STATUS)

    def wipe(self) -> None:
        """Remove all that is in it, except the lock."""
        for path in self.root.iterdir():
            if path.name == LOCK:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


@contextmanager
def held(root: Path, *, fresh: bool = False) -> Generator[DataDir]:
    """Own `root` for the time of the block; `fresh` wipes it first.

    Raises LocalError where it cannot be written, belongs to somebody else, or another instance runs on it.
    """
    root = root.absolute()
    with _lock_file(root) as lock:
        _lock(lock, root)
        # The lock outlives an exec of the watchdog only, which is handed its descriptor.
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        data = DataDir(root, lock.fileno())
        if fresh:
            data.wipe()
        yield data


@contextmanager
def _lock_file(root: Path) -> Generator[IO[str]]:
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not (root / LOCK).exists() and any(root.iterdir()):
            raise LocalError(f"{root} is neither empty nor a data directory of ours: choose another one")
        file = (root / LOCK).open("a+", encoding="ascii")
    except OSError as error:
        raise LocalError(f"cannot write the data directory {root}: {error.strerror or error}") from error
    with file:
        yield file


def _lock(lock: IO[str], root: Path) -> None:
    deadline = time.monotonic() + WATCHDOG_TIME
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        lock.seek(0)
        holder = lock.read().strip()
        if _is_alive(holder) or time.monotonic() > deadline:
            raise LocalError(f"another instance (pid {holder}) runs on {root}: stop it, or choose another directory")
        time.sleep(0.05)


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def is_held(root: Path) -> bool:
    """Whether an instance runs on it, or its watchdog still ends its parts."""
    try:
        with (root / LOCK).open("r", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
