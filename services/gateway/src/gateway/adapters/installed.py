"""Which versions run here."""

import platform
from collections.abc import Mapping
from importlib.metadata import distributions

SHOWN = ("aiokafka", "asyncpg", "fastapi", "faststream", "joserfc", "lxml", "pydantic", "redis", "starlette", "uvicorn")


def installed() -> Mapping[str, str]:
    """Python, our own packages, and those on which a fault most often depends."""
    found = {distribution.metadata["Name"].lower(): distribution.version for distribution in distributions()}
    ours = {name: version for name, version in sorted(found.items()) if name.startswith("clearfacts-")}
    return {"python": platform.python_version(), **ours, **{name: found[name] for name in SHOWN if name in found}}
