"""Who is signed in where: one file, readable by its owner alone. A token goes only to the gateway that gave it."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Session:
    url: str
    token: str
    username: str


class Sessions:
    """`current` is the gateway of the latest sign-in."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "sessions.json"

    def current_url(self) -> str | None:
        url = self._read().get("current")
        return url if isinstance(url, str) else None

    def of(self, url: str) -> Session | None:
        try:
            return Session(**self._read()["sessions"][url])
        except (KeyError, TypeError):
            return None

    def keep(self, session: Session) -> Path:
        """Store it, mode 0600; raises OSError."""
        known = self._read().get("sessions")
        others: dict[str, Any] = dict(known) if isinstance(known, Mapping) else {}
        self._write({"current": session.url, "sessions": {**others, session.url: asdict(session)}})
        return self._path

    def _read(self) -> dict[str, Any]:
        """Empty where there is no such file, or one that is not ours."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, content: Mapping[str, Any]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file)
        draft.replace(self._path)
