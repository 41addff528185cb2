"""The lock of Kafka's jars and the cache that is filled from it."""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from local.errors import LocalError
from local.jars import LOCK, Fetch, Jar, JarCache, locked_jars

CONTENT = b"the bytes of a jar" * 100


def jar(artifact: str, content: bytes = CONTENT) -> Jar:
    return Jar("org.example", artifact, "1.0", hashlib.sha256(content).hexdigest())


class FakeRegistry:
    """Serves CONTENT for every jar, after `failures` refusals; counts what it was asked for."""

    def __init__(self, content: bytes = CONTENT, failures: int = 0) -> None:
        self.asked: list[str] = []
        self.content = content
        self.failures = failures

    def connect(self) -> Fetch:
        return self.fetch

    def fetch(self, wanted: Jar, to: Path) -> None:
        self.asked.append(wanted.artifact)
        if self.failures > 0:
            self.failures -= 1
            raise ConnectionError("refused")
        to.write_bytes(self.content)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def cache(tmp_path: Path, said: list[str]) -> Callable[[FakeRegistry], JarCache]:
    return lambda registry: JarCache(tmp_path / "jars", say=said.append, make_fetch=registry.connect, pauses=(0, 0, 0))


CacheOf = Callable[[FakeRegistry], JarCache]


def test_the_committed_lock_has_all_jars_of_kafka_and_names_no_host() -> None:
    assert len(locked_jars()) == 45
    assert all(re.fullmatch(r"[0-9a-f]{64}", locked.sha256) for locked in locked_jars())
    assert len({locked.file_name for locked in locked_jars()}) == 45
    assert "//" not in LOCK.read_text(encoding="ascii")


def test_jars_are_fetched_once_and_found_offline_ever_after(cache: CacheOf) -> None:
    jars = [jar("a"), jar("b")]

    paths = cache(FakeRegistry()).ensure(jars)
    offline = FakeRegistry(failures=1_000)
    again = cache(offline).ensure(jars)

    assert [path.read_bytes() for path in paths] == [CONTENT, CONTENT]
    assert again == paths
    assert offline.asked == []


def test_a_truncated_jar_is_noticed_and_fetched_again(cache: CacheOf, said: list[str]) -> None:
    (path,) = cache(FakeRegistry()).ensure([jar("a")])
    path.write_bytes(CONTENT[:50])

    cache(FakeRegistry()).ensure([jar("a")])

    assert path.read_bytes() == CONTENT
    assert "a-1.0.jar is damaged and is fetched again" in said


def test_a_jar_of_the_right_size_but_other_bytes_is_fetched_again(cache: CacheOf) -> None:
    (path,) = cache(FakeRegistry()).ensure([jar("a")])
    path.write_bytes(bytes(len(CONTENT)))
    os.utime(path, ns=(1, 1))

    cache(FakeRegistry()).ensure([jar("a")])

    assert path.read_bytes() == CONTENT


def test_a_copied_jar_is_verified_instead_of_fetched(cache: CacheOf, tmp_path: Path) -> None:
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "a-1.0.jar").write_bytes(CONTENT)
    registry = FakeRegistry()

    cache(registry).ensure([jar("a")])

    assert registry.asked == []


def test_a_download_that_fails_is_tried_again(cache: CacheOf) -> None:
    registry = FakeRegistry(failures=2)

    (path,) = cache(registry).ensure([jar("a")])

    assert path.read_bytes() == CONTENT
    assert registry.asked == ["a", "a", "a"]


def test_a_registry_that_cannot_be_reached_is_one_clear_line(cache: CacheOf) -> None:
    with pytest.raises(LocalError, match=r"^cannot download a-1\.0\.jar: ConnectionError: refused; check the network"):
        cache(FakeRegistry(failures=1_000)).ensure([jar("a")])


def test_a_file_that_is_not_the_one_of_the_lock_is_never_kept(cache: CacheOf, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="not the file of the lock"):
        cache(FakeRegistry(content=b"something else")).ensure([jar("a")])

    assert not (tmp_path / "jars" / "a-1.0.jar").exists()


def test_a_cache_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = JarCache(tmp_path / "file" / "jars", say=print, make_fetch=FakeRegistry().connect)

    with pytest.raises(LocalError, match="cannot write the cache folder"):
        cache.ensure([jar("a")])


def test_what_a_killed_download_left_behind_is_removed(cache: CacheOf, tmp_path: Path) -> None:
    (tmp_path / "jars" / ".fetching-x").mkdir(parents=True)

    cache(FakeRegistry()).ensure([jar("a")])

    assert sorted(path.name for path in (tmp_path / "jars").iterdir()) == ["a-1.0.jar", "lock", "verified.json"]


def test_giving_up_ends_a_download(cache: CacheOf) -> None:
    interrupted = cache(FakeRegistry())
    interrupted.give_up()

    with pytest.raises(LocalError, match="interrupted"):
        interrupted.ensure([jar("a")])
