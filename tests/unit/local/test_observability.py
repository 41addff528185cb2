"""`./run up --observability`: what Prometheus and Alertmanager are told here, and what happens without them."""

import json
from pathlib import Path

import pytest
import yaml

from local import observability
from local.errors import LocalError
from local.observability import Mail, alertmanager_config, find_programs, prometheus_config
from local.run_command import main
from local.system import SERVICES
from tests.architecture.source import ROOT

MAIL = Mail(2525)


def test_without_the_programs_nothing_is_started_and_one_line_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["up", "--observability", "--data", str(tmp_path / "data")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: prometheus and alertmanager not found on the PATH: `apt-get install prometheus")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", ["prometheus-alertmanager", "alertmanager"])
def test_alertmanager_is_found_under_debians_name_and_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for program in ("prometheus", name):
        (tmp_path / program).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_programs().alertmanager == str(tmp_path / name)


def test_every_service_is_watched_under_its_name_and_dagsters_labels_win() -> None:
    targets = {name: 1000 + number for number, name in enumerate((*SERVICES, "dagster-exporter"))}
    config = json.loads(prometheus_config(targets, alertmanager=9))
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert [one["labels"]["app"] for one in jobs["clearfacts"]["static_configs"]] == list(SERVICES)
    assert jobs["clearfacts"]["honor_labels"] is False
    assert jobs["dagster"]["static_configs"] == [{"targets": ["127.0.0.1:1005"], "labels": {"app": "dagster-exporter"}}]
    assert jobs["dagster"]["honor_labels"] is True


def test_prometheus_here_reads_the_rules_of_the_deployment() -> None:
    config = json.loads(prometheus_config({}, alertmanager=9))
    assert config["rule_files"] == [str(ROOT / "deploy/observability/prometheus/rules/*.yml")]
    deployed = yaml.safe_load((ROOT / "deploy/observability/prometheus/prometheus.yml").read_text())
    assert set(config["global"]["external_labels"]) == set(deployed["global"]["external_labels"])
    assert config["alerting"]["alert_relabel_configs"] == deployed["alerting"]["alert_relabel_configs"]


def test_alertmanager_here_is_that_of_the_deployment_but_for_addresses(tmp_path: Path) -> None:
    here = yaml.safe_load(alertmanager_config(slack_file=tmp_path / "url", mail=MAIL))
    deployed = yaml.safe_load((ROOT / "deploy/observability/alertmanager/alertmanager.yml").read_text())
    for part in ("route", "receivers", "inhibit_rules"):
        assert here[part] == deployed[part]
    assert here["global"]["slack_api_url_file"] == str(tmp_path / "url")
    assert here["global"]["smtp_smarthost"] == "127.0.0.1:2525"
    assert not [name for name in here["global"] if "password" in name]


def test_a_deployment_whose_lines_changed_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alertmanager").mkdir()
    (tmp_path / "alertmanager/alertmanager.yml").write_text("global: {}\n")
    monkeypatch.setattr(observability, "FILES", tmp_path)
    with pytest.raises(LocalError, match="slack_api_url_file"):
        alertmanager_config(slack_file=tmp_path, mail=MAIL)
