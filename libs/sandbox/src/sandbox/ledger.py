"""What the destination knows: the oracle's log, and by it the keys, the lookups and the documents."""

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

from sandbox.oracle import AcceptanceLog, Accepted, read


class Known(NamedTuple):
    """What a key or a lookup needs; the time in seconds since the epoch."""

    uuid: str
    sha256: str
    at: float

    def item(self, reference: str) -> dict[str, str]:
        return {"uuid": self.uuid, "reference": reference, "sha256": self.sha256, "accepted_at": rfc3339(self.at)}


class Upload(NamedTuple):
    """A document that passed every check; all texts as the client sent them, or as found in the body."""

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


class Ledger:
    """Loads the log when made, so that a killed process forgets neither keys nor documents.

    A key lives for `key_life` seconds (None: for ever; 0: keys are ignored). Lookups see a document `lookup_lag`
    seconds after it was accepted.
    """

    def __init__(
        self,
        path: Path,
        *,
        key_life: float | None = None,
        lookup_lag: float = 0,
        durable: bool = False,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self.path = path
        self._log = AcceptanceLog(path, durable=durable)
        self._key_life = key_life
        self._lookup_lag = lookup_lag
        self._clock = clock
        self._new_id = new_id
        self._known: defaultdict[str, list[Known]] = defaultdict(list)
        self._identities: set[int] = set()
        self._count = 0
        for accepted in read(path):
            self._remember(accepted, datetime.fromisoformat(accepted.accepted_at).timestamp())

    def replayable(self, reference: str) -> Known | None:
        """The acceptance under a key that is still alive."""
        known = self._known.get(reference) if reference else None
        if not known or (self._key_life is not None and self._clock() - known[-1].at >= self._key_life):
            return None
        return known[-1]

    def find(self, reference: str) -> list[Known]:
        visible = self._clock() - self._lookup_lag
        return [known for known in self._known.get(reference, ()) if known.at <= visible]

    def accept(self, upload: Upload) -> Known:
        """The line is in the file when this returns. Raises OSError when it could not be written."""
        now = self._clock()
        accepted = Accepted(rfc3339(now), str(self._new_id()), *upload)
        self._log.append(accepted)
        return self._remember(accepted, now)

    def holds(self, upload: Upload) -> bool:
        """The same document was accepted before, under whatever key."""
        return hash(Accepted("", "", *upload).identity) in self._identities

    def summary(self) -> dict[str, int]:
        return {
            "accepted": self._count,
            "distinct_references": len(self._known) - ("" in self._known),
            "duplicates": self._count - len(self._identities),
        }

    def close(self) -> None:
        self._log.close()

    def _remember(self, accepted: Accepted, at: float) -> Known:
        known = Known(accepted.uuid, accepted.sha256, at)
        self._count += 1
        self._identities.add(hash(accepted.identity))
        self._known[accepted.reference].append(known)
        return known


def rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
