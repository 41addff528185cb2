"""Where a document belongs: whose books, under which key; or the finding that says why nobody can tell."""

from dataclasses import dataclass
from typing import Final

from ubl.identity import Direction, Identity, dedupe_key, direction
from ubl.rules import NOT_OURS, malformed_finding
from ubl.safe import MalformedDocument
from ubl.verdict import Finding

_LONGEST: Final = 255


@dataclass(frozen=True, slots=True)
class Ours:
    """Whose documents we take, and what to do where that is unclear."""

    administrations: frozenset[str]
    default: str | None
    both: Direction


@dataclass(frozen=True, slots=True)
class Placed:
    identity: Identity
    dossier: str
    direction: Direction
    key: str


@dataclass(frozen=True, slots=True)
class Unplaced:
    """`identity` is there where the document could be read."""

    finding: Finding
    identity: Identity | None = None


def place(answer: Identity | MalformedDocument, ours: Ours, source_id: str) -> Placed | Unplaced:
    """The place of a document that was identified, listed by its source as `source_id`."""
    if isinstance(answer, MalformedDocument):
        return Unplaced(malformed_finding(answer))
    found = direction(answer, ours.administrations, both=ours.both, default=ours.default)
    if found is None:
        return Unplaced(NOT_OURS, answer)
    key = dedupe_key(found.administration, found.direction, answer, source_id)
    return Placed(answer, found.administration, found.direction, key)


def clip(text: str | None) -> str | None:
    """What is kept in a column of what a document says of itself: an index entry has to fit a page of the database."""
    return text[:_LONGEST] if text is not None else None


def currency_code(code: str | None) -> str | None:
    """A code as ISO 4217 has them; amounts in anything else are in no sum."""
    return code if code is not None and len(code) == 3 and code.isascii() and code.isalpha() else None
