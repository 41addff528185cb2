"""Dagster's home and its processes. Imports nothing of Dagster, so that a starter stays light."""

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
freshness: {enabled: true}
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  poll_interval_seconds: 60
  max_resume_run_attempts: 0
  free_slots_after_run_end_seconds: 300
run_retries:
  enabled: true
  retry_on_asset_or_op_failure: false
retention:
  schedule: {purge_after_days: {skipped: 7, failure: 90, success: 365}}
  sensor: {purge_after_days: {skipped: 7, failure: 90, success: 90}}
"""


# A run is a Kubernetes Job with the code server's own image (DAGSTER_CURRENT_IMAGE). Defaults stand here and not in
# tags of jobs, which an ad-hoc "Materialize" ignores. Runs ask the cluster for nothing, so they get no token.
_KUBERNETES = """\
run_launcher:
  module: dagster_k8s
  class: K8sRunLauncher
  config:
    job_namespace: {namespace}
    service_account_name: {service_account}
    instance_config_map: dagster-instance
    dagster_home: {home}
    env_config_maps: [orchestration]
    env_secrets: [orchestration, dagster-storage]
    run_k8s_config:
      container_config:
        resources:
          requests: {{cpu: 100m, memory: 256Mi}}
          limits: {{memory: 512Mi}}
        security_context:
          allow_privilege_escalation: false
          capabilities: {{drop: [ALL]}}
      pod_template_spec_metadata:
        labels: {{app: orchestration-run}}
      pod_spec_config:
        automount_service_account_token: false
        security_context: {{run_as_non_root: true, seccomp_profile: {{type: RuntimeDefault}}}}
        termination_grace_period_seconds: 60
      job_spec_config:
        ttl_seconds_after_finished: 3600
"""

_LOGS = ("--log-format", "json")  # the default is coloured, also in a file


@dataclass(frozen=True, slots=True)
class Processes:
    """The argument lists, to be started in this order with DAGSTER_HOME set. There must be one daemon and no more.

    The exporter takes its address from HTTP_HOST and HTTP_PORT.
    """

    code_server: Sequence[str]
    daemon: Sequence[str]
    webserver: Sequence[str]
    exporter: Sequence[str]


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """Where runs are started as Kubernetes Jobs, instead of as children of the code server.

    They get the config map `orchestration` and the secrets `orchestration` and `dagster-storage` (DAGSTER_POSTGRES_URL)
    as their environment, and `dagster.yaml` from the config map `dagster-instance`.
    """

    namespace: str = "clearfacts-system"
    service_account: str = "dagster"
    home: str = "/opt/dagster/home"

    def run_launcher(self) -> str:
        return _KUBERNETES.format(namespace=self.namespace, service_account=self.service_account, home=self.home)


def write_home(
    home: Path,
    *,
    code_server_port: int,
    host: str = "127.0.0.1",
    postgres: bool = True,
    kubernetes: Kubernetes | None = None,
) -> None:
    """Write `dagster.yaml` and `workspace.yaml` into `home`, replacing what is there; the rest of it stays.

    With `postgres` Dagster's storage is DAGSTER_POSTGRES_URL (a database of its own), else SQLite files in `home`.
    """
    home.mkdir(parents=True, exist_ok=True)
    launcher = kubernetes.run_launcher() if kubernetes else ""
    _replace(home / "dagster.yaml", (_POSTGRES if postgres else "") + launcher + _DAGSTER)
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
    """The processes over a home that `write_home` wrote."""
    workspace = ("-w", str(home / "workspace.yaml"), *_LOGS)
    address = ("--host", host, "--port", str(code_server_port))
    serve = ("--location-name", LOCATION, "--use-python-environment-entry-point", "--empty-working-directory", *_LOGS)
    return Processes(
        code_server=(python, "-m", "orchestration", *address, *serve),
        daemon=(python, "-m", "dagster._daemon", "run", *workspace),
        webserver=(python, "-m", "dagster_webserver", *workspace, "--host", host, "--port", str(webserver_port)),
        exporter=(python, "-m", "orchestration.exporter"),
    )


def _replace(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


if __name__ == "__main__":
    # `python -m orchestration.home FOLDER` writes what a cluster mounts: deploy/dagster.
    write_home(Path(sys.argv[1]), code_server_port=4000, host="dagster-code-server", kubernetes=Kubernetes())
