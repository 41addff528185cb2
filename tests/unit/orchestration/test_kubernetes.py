"""Runs as Kubernetes Jobs, without a cluster: Dagster reads the home, and its launcher makes the Job that we want.

Nothing here may touch `InstanceRef.run_launcher`, which loads the cluster's configuration at once.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dagster import DagsterInstance
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.instance.ref import InstanceRef  # private: Dagster is locked
from dagster._core.launcher.base import LaunchRunContext
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.test_utils import create_run_for_test
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster_k8s import K8sRunLauncher
from kubernetes.client import ApiClient

from orchestration.home import Kubernetes, write_home
from tests.architecture.source import ROOT

RENDERED = ROOT / "deploy/dagster"
NO_CLUSTER = """\
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
users: [{name: none, user: {}}]
current-context: none
"""


class FakeBatchApi:
    def __init__(self) -> None:
        self.made: list[tuple[str, Any]] = []

    def create_namespaced_job(self, *, body: Any, namespace: str, _request_timeout: float) -> None:
        self.made.append((namespace, ApiClient().sanitize_for_serialization(body)))


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    """Namespace and Job of a run with tags of its own, made by the launcher that the rendered home describes."""
    tmp_path = tmp_path_factory.mktemp("dagster")
    (tmp_path / "kubeconfig").write_text(NO_CLUSTER)
    launcher_of = InstanceRef.from_dir(str(RENDERED)).run_launcher_data
    assert launcher_of is not None
    assert (launcher_of.module_name, launcher_of.class_name) == ("dagster_k8s", "K8sRunLauncher")
    api = FakeBatchApi()
    launcher = K8sRunLauncher(
        **launcher_of.config_dict,
        load_incluster_config=False,
        kubeconfig_file=str(tmp_path / "kubeconfig"),
        k8s_client_batch_api=api,
        k8s_client_core_api=SimpleNamespace(),
    )
    pointer = ModuleCodePointer("orchestration.definitions", "defs", working_directory=None)
    image = "registry.example/clearfacts/orchestration:1.2.3"
    repository = RepositoryPythonOrigin("python", pointer, container_image=image)
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        launcher.register_instance(instance)
        run = create_run_for_test(
            instance, job_name="daily_processing", job_code_origin=JobPythonOrigin("daily_processing", repository)
        )
        launcher.launch_run(LaunchRunContext(dagster_run=run, workspace=None))
    (job,) = api.made
    return job


def container(job: Any) -> Any:
    (only,) = job["spec"]["template"]["spec"]["containers"]
    return only


def test_the_rendered_home_is_what_the_code_writes(tmp_path: Path) -> None:
    """`python -m orchestration.home deploy/dagster` writes it anew."""
    write_home(tmp_path, code_server_port=4000, host="dagster-code-server", kubernetes=Kubernetes())
    for name in ("dagster.yaml", "workspace.yaml"):
        assert (RENDERED / name).read_text() == (tmp_path / name).read_text(), f"{name}: write it anew"


def test_dagster_takes_the_rendered_home() -> None:
    ref = InstanceRef.from_dir(str(RENDERED))
    settings: dict[str, Any] = dict(ref.settings)
    assert ref.event_storage_data
    assert ref.event_storage_data.config_dict["postgres_url"] == {"env": "DAGSTER_POSTGRES_URL"}
    assert settings["run_monitoring"]["enabled"] is True
    assert settings["run_retries"] == {"enabled": True, "retry_on_asset_or_op_failure": False}
    (origin,) = location_origins_from_yaml_paths([str(RENDERED / "workspace.yaml")])
    assert (origin.location_name, getattr(origin, "host", None)) == ("orchestration", "dagster-code-server")


def test_a_run_is_a_job_with_limits_that_is_not_started_twice_and_goes_away(launched: tuple[str, Any]) -> None:
    namespace, job = launched
    assert namespace == "clearfacts-system"
    assert container(job)["resources"] == {
        "requests": {"cpu": "100m", "memory": "256Mi"},
        "limits": {"memory": "512Mi"},
    }
    spec = job["spec"]
    assert (spec["backoffLimit"], spec["ttlSecondsAfterFinished"]) == (0, 3600)
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert container(job)["image"] == "registry.example/clearfacts/orchestration:1.2.3"


def test_a_run_reads_its_settings_from_the_cluster_and_holds_no_secret_itself(launched: tuple[str, Any]) -> None:
    _, job = launched
    sources = container(job)["envFrom"]
    assert [source["configMapRef"]["name"] for source in sources if "configMapRef" in source] == ["orchestration"]
    secrets = [source["secretRef"]["name"] for source in sources if "secretRef" in source]
    assert secrets == ["orchestration", "dagster-storage"]
    plain = {variable["name"]: variable.get("value") for variable in container(job)["env"]}
    assert plain["DAGSTER_HOME"] == "/opt/dagster/home"
    assert not [name for name in plain if "PASSWORD" in name or "URL" in name]


def test_a_run_has_no_right_and_no_token(launched: tuple[str, Any]) -> None:
    _, job = launched
    pod = job["spec"]["template"]
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert container(job)["securityContext"]["allowPrivilegeEscalation"] is False
    assert pod["metadata"]["labels"]["app"] == "orchestration-run"
    assert pod["metadata"]["labels"]["dagster/job"] == "daily_processing"
