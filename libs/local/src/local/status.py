"""What another process reads of a running local system."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local.data_dir import STATUS, is_held
from local.errors import LocalError


def read_status(root: Path) -> dict[str, Any]:
    """The last status written there; `state` is "gone" where its starter was killed."""
    try:
        status: dict[str, Any] = json.loads((root / STATUS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LocalError(f"nothing was ever started on {root}: ./run up starts it") from None
    if status["state"] != "stopped" and not is_held(root):
        status["state"] = "gone"
    return status


def show_status(root: Path) -> int:
    """Print it as a table; 0 where everything is ready."""
    status = read_status(root)
    table = Table("part", "state", "since", "restarts", "pid", "port")
    for part in status["parts"]:
        cells = [part["name"], part["state"], f"{part['since'][:19]}Z", part["restarts"], part["pid"], part["port"]]
        table.add_row(*("" if cell is None else str(cell) for cell in cells))
    console = Console()
    console.print(f"{status['state']}; logs in {root / 'logs'}", soft_wrap=True)
    console.print(table)
    ready = status["state"] == "running" and all(part["state"] == "ready" for part in status["parts"])
    return 0 if ready else 1
