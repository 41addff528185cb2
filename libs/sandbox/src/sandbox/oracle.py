"""The durable log of accepted documents: one JSON line each, written before the client is answered.

A line without its newline was never acknowledged: it is ignored when read and removed when the log is opened again.
"""

import fcntl
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import orjson

FILE = "oracle.jsonl"
Identity: TypeAlias = tuple[str, str, str, str, str]


class Accepted(NamedTuple):
    """`accepted_at` is RFC 3339 in UTC by the destination's clock; `supplier` and `number` as found in the document."""

    accepted_at: str
    uuid: str
    reference: str
    sha256: str
    administration: str
    direction: str
    kind: str
    supplier: str
    number: str
    filename: str
    comment: str
    journal: str
    size: int

    @property
    def identity(self) -> Identity:
        """What makes two accepted documents the same one to an accountant; without a number, the bytes do."""
        return self.administration, self.direction, self.kind, self.supplier, self.number or self.sha256


class LogInUseError(RuntimeError):
    """Another process writes this log."""


class AcceptanceLog:
    """The writing side; one process at a time. `durable` also survives the machine (an fsync for each line)."""

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._durable = durable
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise LogInUseError(f"{path} is written by another process: stop it, or choose another folder") from None
        self._size = _complete_size(path)
        os.ftruncate(self._descriptor, self._size)

    def append(self, accepted: Accepted) -> None:
        """Raises OSError when the line is not in the file; the file then ends where it ended before."""
        line = orjson.dumps(accepted._asdict(), option=orjson.OPT_APPEND_NEWLINE)
        try:
            _write(self._descriptor, line)
            if self._durable:
                os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(line)

    def close(self) -> None:
        os.close(self._descriptor)


class Oracle:
    """The reading side, for tests: every call reads the log as it is now. `path` is the log, or the folder it is in."""

    def __init__(self, path: Path) -> None:
        self._path = path / FILE if path.is_dir() else path

    def accepted(self) -> list[Accepted]:
        return list(read(self._path))

    def references(self) -> set[str]:
        return {accepted.reference for accepted in read(self._path)}

    def duplicates(self) -> list[list[Accepted]]:
        """Groups of accepted documents that are the same one; none has fewer than two."""
        groups: defaultdict[Identity, list[Accepted]] = defaultdict(list)
        for accepted in read(self._path):
            groups[accepted.identity].append(accepted)
        return [group for group in groups.values() if len(group) > 1]


def read(path: Path) -> Iterator[Accepted]:
    """The complete lines of a log, oldest first; nothing where there is no file."""
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield Accepted(**orjson.loads(line))


def _write(descriptor: int, line: bytes) -> None:
    written = os.write(descriptor, line)
    if written != len(line):
        raise OSError(f"only {written} of {len(line)} bytes were written")


def _complete_size(path: Path) -> int:
    """The length of the file up to and with its last newline."""
    size = path.stat().st_size
    with path.open("rb") as log:
        while size:
            start = max(0, size - 65536)
            log.seek(start)
            found = log.read(size - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            size = start
    return 0
