"""What worker processes run: top-level functions of bytes, whose answers travel back by pickle."""

from collections.abc import Sequence

from ubl.identity import Identity, identify
from ubl.profile import Profile, load
from ubl.safe import MalformedDocument
from ubl.verdict import Verdict


def warm(profile: Profile) -> None:
    """Compiles the profile, for use as the initializer of a pool."""
    load(profile)


def identify_many(raws: Sequence[bytes], volatile: frozenset[str] = frozenset()) -> list[Identity | MalformedDocument]:
    """One answer per document, in order; a malformed one is returned, not raised."""
    return [_identify(raw, volatile) for raw in raws]


def _identify(raw: bytes, volatile: frozenset[str]) -> Identity | MalformedDocument:
    try:
        return identify(raw, volatile=volatile)
    except MalformedDocument as malformed:
        return malformed


def validate_many(profile: Profile, raws: Sequence[bytes]) -> list[Verdict]:
    """One verdict per document, in order. The profile is compiled once per process."""
    validator = load(profile)
    return [validator.validate(raw) for raw in raws]
