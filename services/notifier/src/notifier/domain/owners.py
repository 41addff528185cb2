"""Who answers for a kind of trouble, by how its name begins."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """`channels` are told of what is theirs, besides those who are told anyway."""

    name: str
    prefixes: Sequence[str]
    channels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Owners:
    all: Sequence[Owner] = ()

    def of(self, *names: str) -> Owner | None:
        """Whose prefix says most about any of `names`."""
        fitting = [
            (len(prefix), owner)
            for owner in self.all
            for prefix in owner.prefixes
            if any(name.startswith(prefix) for name in names)
        ]
        return max(fitting, key=lambda found: found[0])[1] if fitting else None

    @property
    def channels(self) -> Sequence[str]:
        """Every channel that somebody owns something in."""
        return sorted({channel for owner in self.all for channel in owner.channels})


NOBODY = Owners()
