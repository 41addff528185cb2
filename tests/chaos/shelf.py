"""A source whose documents a test writes one by one, and changes under the same number."""

import itertools
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.invoices.documents import document


@dataclass(slots=True)
class Shelf:
    """The folder that the sandbox serves; an id is a file's name without `.xml`."""

    folder: Path
    seed: int
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def put(self, count: int) -> list[str]:
        """New documents; their ids."""
        return [self._write(next(self._numbers)) for _ in range(count)]

    def change(self, source_id: str) -> str:
        """Another version of a document, as a document of its own; its id."""
        return self._write(int(source_id.rpartition("-")[2]), revision=1, suffix="-changed")

    def _write(self, place: int, *, revision: int = 0, suffix: str = "") -> str:
        made = document(self.seed, place, revision=revision)
        partial = self.folder / f"{made.id}{suffix}.partial"
        partial.write_bytes(made.ubl)
        partial.rename(partial.with_suffix(".xml"))
        return f"{made.id}{suffix}"
