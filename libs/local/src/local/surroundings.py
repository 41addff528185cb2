"""What the local system reads from its surroundings: the only file that looks at the environment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path


def inherited_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The starter's own environment with `extra` over it."""
    return {**os.environ, **extra}  # noqa: TID251 - parts inherit certificates, proxies and the path


def cache_folder() -> Path:
    """The user's cache folder for us, shared among clones: `$XDG_CACHE_HOME/clearfacts` or `~/.cache/clearfacts`."""
    configured = os.environ.get("XDG_CACHE_HOME", "")  # noqa: TID251 - a convention of the machine, no setting of ours
    base = Path(configured) if Path(configured).is_absolute() else Path.home() / ".cache"
    return base / "clearfacts"


_SERVICE_SETTINGS = re.compile(
    r"^(DATABASE|KAFKA|REDIS|SOURCE|DESTINATION|SLACK|SEND|VALIDATION|JOB|JOBS|WATERMARK|FULL_LISTING|ADMINISTRATIONS|"
    r"DEFAULT_ADMINISTRATION|BOTH_OURS|PUBLIC_URL|LOG|SCHEDULE|GRAPHQL|WEBHOOK)(_|$)"
)


def given_settings() -> dict[str, str]:
    """Settings of our services that the caller's environment has: they win over what this machine would give.

    `X_FILE` counts as `X`.
    """
    found = {name: value for name, value in os.environ.items() if _SERVICE_SETTINGS.match(name)}  # noqa: TID251
    return {**found, **{name.removesuffix("_FILE"): value for name, value in found.items()}}


def is_root() -> bool:
    return os.geteuid() == 0
