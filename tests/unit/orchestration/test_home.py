"""Dagster's home: written without Dagster, read by Dagster."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dagster._core.instance.config import dagster_instance_config
from dagster._core.workspace.load import location_origins_from_yaml_paths

from orchestration.home import processes, write_home


def test_dagster_takes_both_files(tmp_path: Path) -> None:
    write_home(tmp_path, code_server_port=4000)
    config, _ = dagster_instance_config(str(tmp_path))
    assert config["telemetry"] == {"enabled": False}
    assert config["storage"] == {"postgres": {"postgres_url": {"env": "DAGSTER_POSTGRES_URL"}}}
    (origin,) = location_origins_from_yaml_paths([str(tmp_path / "workspace.yaml")])
    assert (origin.location_name, getattr(origin, "port", None)) == ("orchestration", 4000)


def test_without_postgres_dagster_keeps_its_files_in_its_home(tmp_path: Path) -> None:
    write_home(tmp_path, code_server_port=4000, postgres=False)
    assert "storage" not in yaml.safe_load((tmp_path / "dagster.yaml").read_text())


def test_writing_again_replaces_the_files_and_keeps_the_rest(tmp_path: Path) -> None:
    write_home(tmp_path, code_server_port=4000)
    (tmp_path / "history").mkdir()
    write_home(tmp_path, code_server_port=4001)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dagster.yaml", "history", "workspace.yaml"]
    assert "4001" in (tmp_path / "workspace.yaml").read_text()


def test_the_processes_share_one_workspace(tmp_path: Path) -> None:
    three = processes(tmp_path, code_server_port=4000, webserver_port=4001, python="py")
    assert three.code_server[:3] == ("py", "-m", "orchestration")
    assert str(tmp_path / "workspace.yaml") in three.daemon
    assert str(tmp_path / "workspace.yaml") in three.webserver


def test_a_starter_that_writes_the_home_does_not_load_dagster() -> None:
    code = "import sys, orchestration.home; sys.exit(any(name.startswith('dagster') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "value"), [("GATEWAY_PASSWORD", ""), ("SCHEDULE_TIMEZONE", "Mars/North"), ("SCHEDULE_CRON", "daily")]
)
def test_a_code_server_that_is_not_configured_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for setting in ("KAFKA_BOOTSTRAP_SERVERS", "GATEWAY_URL", "GATEWAY_USERNAME", "GATEWAY_PASSWORD"):
        monkeypatch.setenv(setting, "something")
    monkeypatch.setenv(name, value)
    start = processes(tmp_path, code_server_port=0, webserver_port=0).code_server
    ended = subprocess.run(start, check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"cannot start: {name}")
