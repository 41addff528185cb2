"""Many documents, of which stated numbers repeat, contradict, break or provoke."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from sandbox.invoices.documents import BENCH_1, DEMO, Generated, Kind, LineShares, document, identifier, modified
from sandbox.invoices.parties import STRANGER
from sandbox.invoices.variants import INVALID, MALFORMED, REPEATS

LINES: Mapping[str, LineShares] = {"bench-1": BENCH_1, "demo": DEMO}
Roles: TypeAlias = dict[int, tuple[Kind, int]]


@dataclass(frozen=True)
class Corpus:
    """`count` documents; each kind is a count, or below 1 a share. The rest are plain invoices and credit notes.

    Raises ValueError when the kinds do not leave one plain document. The k-th document of a kind takes the k-th of
    its variants in turn, so that a handful shows them all; the first document is always plain.
    """

    seed: int
    count: int
    duplicates: float = 0
    changed: float = 0
    malformed: float = 0
    invalid: float = 0
    refused: float = 0
    unknown: float = 0
    lines: LineShares = BENCH_1
    _roles: Roles = field(init=False, repr=False, compare=False)
    _plain: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        wanted = {
            Kind.DUPLICATE: self._number(self.duplicates),
            Kind.CHANGED: self._number(self.changed),
            Kind.MALFORMED: self._number(self.malformed),
            Kind.INVALID: self._number(self.invalid),
            Kind.REFUSED: self._number(self.refused),
            Kind.UNKNOWN: self._number(self.unknown),
        }
        special = sum(wanted.values())
        if self.count < 0 or special >= max(self.count, 1):
            raise ValueError(f"{special} special documents of {self.count}: at least one must be plain")
        dice = random.Random(f"{self.seed}/roles")  # noqa: S311 reproducible on purpose
        places = iter(dice.sample(range(1, self.count), special) if special else [])
        roles = {next(places): (kind, turn) for kind, number in wanted.items() for turn in range(number)}
        object.__setattr__(self, "_roles", roles)
        object.__setattr__(self, "_plain", self.count - special)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Generated]:
        return (self.document(n) for n in range(self.count))

    def kinds(self) -> dict[Kind, int]:
        """How many of each special kind there are; plain ones are not told apart without making them."""
        return dict(Counter(kind for kind, _ in self._roles.values()))

    @property
    def plain(self) -> int:
        return self._plain

    def key(self, n: int) -> tuple[datetime, str]:
        """What the n-th document is sorted by, without making it."""
        return modified(n), identifier(self.seed, n)

    def find(self, source_id: str) -> int | None:
        seed, _, place = source_id.rpartition("-")
        n = int(place) if place.isdecimal() else self.count
        return n if seed == str(self.seed) and n < self.count and self.key(n)[1] == source_id else None

    def document(self, n: int) -> Generated:
        kind, turn = self._roles.get(n, (None, 0))
        if kind is None:
            return self._good(n)
        if kind is Kind.DUPLICATE or kind is Kind.CHANGED:
            return self._again(n, kind, turn)
        suffix = f"-{kind.upper()}"
        if kind is Kind.INVALID and turn % (len(INVALID) + 1) == len(INVALID):
            made = document(self.seed, n, lines=self.lines, suffix=suffix, supplier=STRANGER, customer=STRANGER)
            return replace(made, kind=kind)
        made = document(self.seed, n, lines=self.lines, suffix=suffix)
        if kind is Kind.MALFORMED:
            return replace(made, kind=kind, ubl=MALFORMED[turn % len(MALFORMED)](made.ubl))
        if kind is Kind.INVALID:
            return replace(made, kind=kind, ubl=INVALID[turn % (len(INVALID) + 1)](made.ubl))
        return replace(made, kind=kind)

    def _good(self, n: int) -> Generated:
        return document(self.seed, n, lines=self.lines)

    def _again(self, n: int, kind: Kind, turn: int) -> Generated:
        """A plain document from before, once more."""
        dice = random.Random(f"{self.seed}/{n}/again")  # noqa: S311 reproducible on purpose
        earlier = dice.randrange(n)
        while earlier in self._roles:
            earlier = dice.randrange(n)
        made = document(self.seed, earlier, lines=self.lines, revision=0 if kind is Kind.DUPLICATE else turn + 1)
        ubl = REPEATS[turn % len(REPEATS)](made.ubl) if kind is Kind.DUPLICATE else made.ubl
        modified_at, source_id = self.key(n)
        return Generated(source_id, made.number, modified_at, ubl, kind, original=made.id)

    def _number(self, share: float) -> int:
        return round(share * self.count) if share < 1 else int(share)
