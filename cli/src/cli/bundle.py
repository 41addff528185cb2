"""A support bundle: one zip with how the system is, what it was told and its last log lines, all of it scrubbed."""

import json
import os
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cli.scrubbing import scrub, scrub_line
from client import Answer, ApiError, ClientError, GatewayClient

README = """\
Support bundle of the Clearfacts invoice integration, made {at}.

summary.json  versions, the gateway's settings without secrets, health, open alerts, pauses, what waits at each
              stage, the latest jobs; "errors" says what could not be asked
status.json   the parts of the local system, where the logs came from one
logs/         the last {lines} lines of each part

Left out or masked: documents, names, numbers of companies and accounts, addresses of people, secrets, quoted values.
Look through it before you hand it on: what a rule does not know it cannot mask.

On Kubernetes the logs are with the cluster. Save them into a folder, one file a part, and name it:
  for app in gateway fetcher validator sender notifier; do
    kubectl -n clearfacts-system logs -l app=$app --tail={lines} --prefix > logs/$app.log
  done
  clearfacts support-bundle --logs logs
"""

_ROTATED = re.compile(r".*\.\d+$")
_TAIL_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Made:
    path: Path
    parts: Sequence[str]
    errors: Sequence[str]


def make_bundle(
    path: Path, client: GatewayClient, logs: Path | None, *, at: datetime, lines: int, version: str
) -> Made:
    """Write the bundle, readable by its owner alone; what cannot be asked is noted in it. Raises OSError."""
    summary, errors = _summary(client)
    found = sorted(log for log in logs.glob("*.log") if not _ROTATED.fullmatch(log.stem)) if logs else []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("README.txt", README.format(at=f"{at:%Y-%m-%d %H:%M:%S} UTC", lines=lines))
        whole = {"made_at": at.isoformat(), "cli": version, **summary, "errors": errors}
        bundle.writestr("summary.json", _json(scrub(whole)))
        for log in found:
            bundle.writestr(f"logs/{log.name}", "\n".join(last_lines(log, lines)) + "\n")
        if logs and (status := _status(logs.parent / "status.json")) is not None:
            bundle.writestr("status.json", _json(scrub(status)))
    return Made(path, [log.stem for log in found], errors)


def last_lines(log: Path, count: int) -> list[str]:
    """The last lines, scrubbed; those that quote rows or statements are not there."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        text = file.read().decode("utf-8", "replace")
    shown = (scrub_line(line) for line in text.splitlines()[-count:])
    return [line for line in shown if line is not None]


def _summary(client: GatewayClient) -> tuple[dict[str, Any], list[str]]:
    asked: Mapping[str, Callable[[], Any]] = {
        "health": client.health,
        "system": client.system_settings,
        "stages": client.stages,
        "alerts": lambda: client.alerts(limit=200),
        "pauses": lambda: [pause.model_dump(mode="json", exclude={"actor"}) for pause in client.switches().items],
        "jobs": lambda: [_job(job.model_dump(mode="json")) for job in client.jobs(limit=10).items],
    }
    found: dict[str, Any] = {}
    errors: list[str] = []
    for name, ask in asked.items():
        try:
            value = ask()
        except ClientError as error:
            errors.append(f"{name}: {error.code if isinstance(error, ApiError) else error}")
        else:
            found[name] = value.model_dump(mode="json") if isinstance(value, Answer) else value
    return found, errors


def _job(job: Mapping[str, Any]) -> dict[str, Any]:
    names = ("job_id", "job_type", "status", "created_at", "started_at", "completed_at", "error")
    counts = {name: count for name, count in job["results"].items() if name != "amounts"}
    return {**{name: job[name] for name in names}, "results": counts}


def _status(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
