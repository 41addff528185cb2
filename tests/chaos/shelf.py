"""A source whose documents a test writes one by one, and changes under the same number."""

import itertools
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.invoices.documents import document
from sandbox.invoices.variants import INVALID, MALFORMED, Variant


@dataclass(slots=True)
class Shelf:
    """The folder that the sandbox serves; an id is a file's name without `.xml`."""

    folder: Path
    seed: int
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def put(self, count: int) -> list[str]:
        """New documents; their ids."""
        return [self._write(next(self._numbers)) for _ in range(count)]

    def put_odd(self) -> list[str]:
        """A document that cannot be read, one that breaks a rule, one that comes twice, one in two versions."""
        first, second = self._write(next(self._numbers)), self._write(next(self._numbers))
        return [
            self._write(next(self._numbers), spoil=MALFORMED[0], suffix="-malformed"),
            self._write(next(self._numbers), spoil=INVALID[0], suffix="-invalid"),
            first,
            self._write(int(first.rpartition("-")[2]), suffix="-again"),
            second,
            self.change(second),
        ]

    def change(self, source_id: str) -> str:
        """Another version of a document, as a document of its own; its id."""
        return self._write(int(source_id.rpartition("-")[2]), revision=1, suffix="-changed")

    def _write(self, place: int, *, revision: int = 0, suffix: str = "", spoil: Variant = bytes) -> str:
        made = document(self.seed, place, revision=revision)
        partial = self.folder / f"{made.id}{suffix}.partial"
        partial.write_bytes(spoil(made.ubl))
        partial.rename(partial.with_suffix(".xml"))
        return f"{made.id}{suffix}"
