"""The jars of Apache Kafka: a lock with the SHA-256 of each, and a cache that all clones of a user share."""

import fcntl
import hashlib
import json
import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from local import daemon_threads
from local.errors import LocalError

LOCK = Path(__file__).with_name("kafka.lock")
THREADS = 8
FETCHING = ".fetching-"
PAUSES = (0.5, 1.0, 2.0)  # seconds between the tries of one jar
FETCH_TIMEOUT = 15


@dataclass(frozen=True)
class Jar:
    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


# Downloads one jar to a path; raises OSError or RuntimeError where it cannot.
Fetch: TypeAlias = Callable[[Jar, Path], None]


def locked_jars(lock: Path = LOCK) -> list[Jar]:
    lines = [line for line in lock.read_text(encoding="ascii").splitlines() if not line.startswith("#")]
    return [_parse(line) for line in lines]


def jgo_fetch() -> Fetch:
    """By jgo's download of one artifact, which knows the registry; it never looks at the SHA-256."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it wants a folder of the login session, which we do not use
        from jgo.maven import MavenContext  # noqa: PLC0415 - 0.2 s that only a first start has to spend

    def fetch(jar: Jar, to: Path) -> None:
        with tempfile.TemporaryDirectory(dir=to.parent) as folder:
            context = MavenContext(repo_cache=Path(folder), timeout=FETCH_TIMEOUT)
            artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
            path = context.resolver.download(artifact)
            if path is None:
                raise RuntimeError("not found")
            path.replace(to)

    return fetch


def _parse(line: str) -> Jar:
    coordinate, sha256 = line.split()
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, sha256)


class JarCache:
    """Jars in one folder. Each is verified after its download, and again whenever its size or time has changed."""

    def __init__(
        self,
        folder: Path,
        *,
        say: Callable[[str], None],
        make_fetch: Callable[[], Fetch] = jgo_fetch,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._folder = folder
        self._say = say
        self._make_fetch = make_fetch
        self._pauses = pauses
        self._verified = folder / "verified.json"
        self._given_up = threading.Event()

    def ensure(self, jars: Sequence[Jar]) -> list[Path]:
        """The paths of `jars`, all verified, in their order; what is missing or damaged is downloaded.

        Blocks: call it in a thread. Raises LocalError where a jar cannot be had.
        """
        paths = [self._folder / jar.file_name for jar in jars]
        if self._unverified(jars):
            with self._alone():
                self._complete(self._unverified(jars), len(jars))
        return paths

    def give_up(self) -> None:
        """Let a running `ensure` end soon, with a LocalError."""
        self._given_up.set()

    def _unverified(self, jars: Sequence[Jar]) -> list[Jar]:
        known = _read_marks(self._verified)
        return [jar for jar in jars if known.get(jar.file_name) != _mark(self._folder / jar.file_name, jar)]

    def _complete(self, jars: Sequence[Jar], total: int) -> None:
        missing = [jar for jar in jars if not self._accept(jar)]
        done = total - len(missing)
        if not missing:
            return
        self._say(f"downloading Apache Kafka: {len(missing)} of {total} jars")
        said, fetch = time.monotonic(), self._make_fetch()
        slots = threading.Semaphore(THREADS)
        try:
            for obtained in as_completed([self._start(jar, fetch, slots) for jar in missing]):
                obtained.result()
                done += 1
                if time.monotonic() - said > 1 or done == total:
                    said = time.monotonic()
                    self._say(f"Apache Kafka: {done} of {total} jars")
        except BaseException:
            self.give_up()
            raise

    def _start(self, jar: Jar, fetch: Fetch, slots: threading.Semaphore) -> Future[None]:
        def obtain() -> None:
            with slots:
                self._obtain(jar, fetch)

        return daemon_threads.start(obtain)

    def _accept(self, jar: Jar) -> bool:
        """Verify a file that is there already; one that is damaged is removed."""
        path = self._folder / jar.file_name
        if not path.exists():
            return False
        if _sha256(path) == jar.sha256:
            self._remember(jar)
            return True
        self._say(f"{jar.file_name} is damaged and is fetched again")
        path.unlink()
        return False

    def _obtain(self, jar: Jar, fetch: Fetch) -> None:
        cause = "interrupted"
        with tempfile.TemporaryDirectory(prefix=FETCHING, dir=self._folder) as folder:
            partial = Path(folder) / jar.file_name
            for pause in (*self._pauses, 0.0):
                if self._given_up.is_set():
                    break
                try:
                    fetch(jar, partial)
                except (OSError, RuntimeError) as error:
                    cause = f"{type(error).__name__}: {str(error).split(' (Caused by')[0][:200]}"
                else:
                    if _sha256(partial) == jar.sha256:
                        partial.replace(self._folder / jar.file_name)
                        self._remember(jar)
                        return
                    cause = "what came is not the file of the lock (SHA-256)"
                self._given_up.wait(pause)
        raise LocalError(f"cannot download {jar.file_name}: {cause}; check the network, then start again")

    def _remember(self, jar: Jar) -> None:
        with _MARKS:
            known = _read_marks(self._verified)
            known[jar.file_name] = _mark(self._folder / jar.file_name, jar)
            partial = self._verified.with_suffix(".partial")
            partial.write_text(json.dumps(known, indent=0), encoding="utf-8")
            partial.replace(self._verified)

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Hold the cache's lock, so that two starters do not fetch the same."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = (self._folder / "lock").open("w", encoding="ascii")
        except OSError as error:
            raise LocalError(f"cannot write the cache folder {self._folder}: {error.strerror}") from error
        with lock:
            waited = False
            while not _try_lock(lock.fileno()):
                if not waited:
                    waited = True
                    self._say("waiting for another start that is downloading Apache Kafka")
                if self._given_up.wait(0.2):
                    raise LocalError("interrupted")
            for left_over in self._folder.glob(f"{FETCHING}*"):  # of a start that was killed
                shutil.rmtree(left_over, ignore_errors=True)
            yield


_MARKS = threading.Lock()


def _read_marks(path: Path) -> dict[str, list[object]]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _mark(path: Path, jar: Jar) -> list[object]:
    """What tells a verified file from any other without reading it."""
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns, jar.sha256]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
