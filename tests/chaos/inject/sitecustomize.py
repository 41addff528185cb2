"""Loaded by Python's start in a process under test (PYTHONPATH): the service's own code and command are unchanged.

`CHAOS_DIR` is where the test and the process leave word for each other. Only `python -m SERVICE` is touched, not the
workers that a service starts.
"""

import os
import sys
from pathlib import Path

SERVICES = {"gateway", "fetcher", "validator", "sender", "notifier"}


def _service() -> str | None:
    """The name in `python -m NAME`."""
    words = sys.orig_argv
    name = words[words.index("-m") + 1] if "-m" in words[:-1] else ""
    return name if name in SERVICES else None


def _install(folder: Path, service: str) -> None:
    import chaos_clocks  # noqa: PLC0415 - only where a service is touched
    import chaos_controls  # noqa: PLC0415
    import chaos_steps  # noqa: PLC0415

    chaos_clocks.install(service)
    chaos_controls.install(folder, service)
    chaos_steps.install(folder, service)


if (_folder := os.environ.get("CHAOS_DIR")) and (_name := _service()):  # noqa: TID251 - there are no settings yet
    _install(Path(_folder), _name)
