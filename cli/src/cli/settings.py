"""What the environment says, names that begin with `CLEARFACTS_`, and where settings are kept (XDG Base Directory)."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CliSettings:
    url: str | None
    config_dir: Path
    traces_url: str | None = None

    @classmethod
    def from_environment(cls) -> "CliSettings":
        environment = os.environ  # noqa: TID251 - this is the settings room
        home = environment.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return cls(
            environment.get("CLEARFACTS_URL") or None,
            Path(home) / "clearfacts",
            environment.get("CLEARFACTS_TRACES_URL") or None,
        )
