"""Dagster's home and its three processes. Imports nothing of Dagster, so that a starter stays light."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LOCATION = "orchestration"
HEALTH_PATH = "/server_info"
"""Of the webserver; the code server is ready when its port takes connections."""

# A database of its own: Dagster keeps an `alembic_version` table, as we do.
_POSTGRES = """\
storage:
  postgres:
    postgres_url: {env: DAGSTER_POSTGRES_URL}
"""

_DAGSTER = """\
telemetry: {enabled: false}
nux: {enabled: false}
compute_logs: {module: dagster._core.storage.noop_compute_log_manager, class: NoOpComputeLogManager}
auto_materialize: {enabled: false}
freshness: {enabled: false}
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  poll_interval_seconds: 60
  max_resume_run_attempts: 0
run_retries:
  enabled: true
  retry_on_asset_or_op_failure: false
retention:
  schedule: {purge_after_days: {skipped: 7, failure: 90, success: 365}}
"""


_LOGS = ("--log-format", "json")  # the default is coloured, also in a file


@dataclass(frozen=True, slots=True)
class Processes:
    """The argument lists, to be started in this order with DAGSTER_HOME set. There must be one daemon and no more."""

    code_server: Sequence[str]
    daemon: Sequence[str]
    webserver: Sequence[str]


def write_home(home: Path, *, code_server_port: int, host: str = "127.0.0.1", postgres: bool = True) -> None:
    """Write `dagster.yaml` and `workspace.yaml` into `home`, replacing what is there; the rest of it stays.

    With `postgres` Dagster's storage is DAGSTER_POSTGRES_URL (a database of its own), else SQLite files in `home`.
    """
    home.mkdir(parents=True, exist_ok=True)
    _replace(home / "dagster.yaml", (_POSTGRES if postgres else "") + _DAGSTER)
    server = {"host": host, "port": code_server_port, "location_name": LOCATION}
    _replace(home / "workspace.yaml", f"load_from:\n  - grpc_server: {json.dumps(server)}\n")


def processes(
    home: Path,
    *,
    code_server_port: int,
    webserver_port: int,
    host: str = "127.0.0.1",
    python: str = sys.executable,
) -> Processes:
    """The three processes over a home that `write_home` wrote."""
    workspace = ("-w", str(home / "workspace.yaml"), *_LOGS)
    address = ("--host", host, "--port", str(code_server_port))
    serve = ("--location-name", LOCATION, "--use-python-environment-entry-point", "--empty-working-directory", *_LOGS)
    return Processes(
        code_server=(python, "-m", "orchestration", *address, *serve),
        daemon=(python, "-m", "dagster._daemon", "run", *workspace),
        webserver=(python, "-m", "dagster_webserver", *workspace, "--host", host, "--port", str(webserver_port)),
    )


def _replace(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
