"""Where the source finds its documents: a folder of files, or a generated corpus. Both in keyset order."""

import os
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

import orjson

from sandbox.invoices import Corpus

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Key(NamedTuple):
    """The keyset: microseconds since the epoch, then the source id."""

    modified: int
    id: str


class Catalogue(Protocol):
    """`refresh` sees what was added since; places are valid until the next one."""

    def refresh(self) -> None: ...
    def __len__(self) -> int: ...
    def key(self, place: int) -> Key: ...
    def find(self, source_id: str) -> int | None: ...
    def item(self, place: int) -> bytes: ...


def as_text(raw: bytes) -> str:
    """UTF-8; what is not UTF-8 as Latin-1, which gives every byte a character, so that nothing is lost or refused."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def render_item(key: Key, ubl: bytes) -> bytes:
    content = {"id": key.id, "modified_at": timestamp(key.modified), "ubl": as_text(ubl)}
    return orjson.dumps(content)


def timestamp(microseconds: int) -> str:
    at = _EPOCH + timedelta(microseconds=microseconds)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


class CorpusCatalogue:
    """Makes items when they are asked for and keeps the last `cache_bytes` of them; `add` appends plain documents."""

    def __init__(self, corpus: Corpus, cache_bytes: int = 512 * 1024 * 1024) -> None:
        self._corpus = corpus
        self._added: list[Key] = []
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._cached = 0
        self._cache_bytes = cache_bytes

    def refresh(self) -> None:
        """A corpus only grows by `add`."""

    def __len__(self) -> int:
        return self._corpus.count + len(self._added)

    def key(self, place: int) -> Key:
        if place >= self._corpus.count:
            return self._added[place - self._corpus.count]
        modified_at, source_id = self._corpus.key(place)
        return Key(microseconds(modified_at), source_id)

    def find(self, source_id: str) -> int | None:
        found = self._corpus.find(source_id)
        if found is not None:
            return found
        places = (place for place, key in enumerate(self._added, self._corpus.count) if key.id == source_id)
        return next(places, None)

    def add(self, count: int, at: datetime) -> list[str]:
        """The new source ids; they are the last ones in keyset order."""
        last = self.key(len(self) - 1).modified if len(self) else 0
        first = max(microseconds(at), last + 1)
        keys = [Key(first + n, self._corpus.key(len(self) + n)[1]) for n in range(count)]
        self._added.extend(keys)
        return [key.id for key in keys]

    def item(self, place: int) -> bytes:
        cached = self._cache.get(place)
        if cached is None:
            cached = render_item(self.key(place), self._corpus.document(place).ubl)
            self._keep(place, cached)
        return cached

    def warm(self) -> None:
        for place in range(len(self)):
            self.item(place)

    def _keep(self, place: int, item: bytes) -> None:
        self._cache[place] = item
        self._cached += len(item)
        while self._cached > self._cache_bytes:
            self._cached -= len(self._cache.popitem(last=False)[1])


class FolderCatalogue:
    """Every `*.xml` of a folder: the id is the name without it, `modified_at` the file's time."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is not a folder")
        self._folder = folder
        self._keys: list[Key] = []
        self._paths: dict[str, Path] = {}
        self._places: dict[str, int] = {}
        self.refresh()

    def refresh(self) -> None:
        self._paths = {_stem(path): path for path in self._folder.glob("*.xml") if path.is_file()}
        self._keys = sorted(Key(path.stat().st_mtime_ns // 1000, name) for name, path in self._paths.items())
        self._places = {key.id: place for place, key in enumerate(self._keys)}

    def __len__(self) -> int:
        return len(self._keys)

    def key(self, place: int) -> Key:
        return self._keys[place]

    def find(self, source_id: str) -> int | None:
        return self._places.get(source_id)

    def item(self, place: int) -> bytes:
        key = self._keys[place]
        return render_item(key, self._paths[key.id].read_bytes())


def _stem(path: Path) -> str:
    """A file name need not be UTF-8, an id in JSON must be."""
    return os.fsencode(path.stem).decode("utf-8", errors="replace")
