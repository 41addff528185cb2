"""What people were told, read from the receivers of the sandbox."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from sandbox.received import MAIL_FILE, SLACK_FILE

PATIENCE = 5.0
LOOK_EVERY = 0.1


async def told(folder: Path, job_id: str) -> Sequence[str]:
    """A line for each channel that told of the job within some seconds."""
    ways: Mapping[str, tuple[Path, Callable[[Any], str]]] = {
        "Slack": (folder / SLACK_FILE, lambda stored: str(stored["message"]["text"]).splitlines()[0]),
        "e-mail": (folder / MAIL_FILE, lambda stored: f"{stored['subject']} (to {', '.join(stored['to'])})"),
    }
    give_up = monotonic() + PATIENCE
    while True:
        found = {way: said for way, (path, say) in ways.items() if (said := _about(path, job_id, say))}
        if len(found) == len(ways) or monotonic() > give_up:
            return [f"{way:<9} {said}" for way, said in found.items()]
        await asyncio.sleep(LOOK_EVERY)


def _about(path: Path, job_id: str, say: Callable[[Any], str]) -> str | None:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((say(json.loads(line)) for line in reversed(lines) if job_id in line), None)
