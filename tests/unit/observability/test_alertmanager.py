"""Who is told of what: as Alertmanager reads its configuration."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.observability.files import ALERTMANAGER, alerts, run, tool

CONFIG = ALERTMANAGER / "alertmanager.yml"


def config() -> Any:
    return yaml.safe_load(CONFIG.read_text())


def test_alertmanager_takes_its_configuration_and_templates() -> None:
    said = run(tool("amtool"), "check-config", CONFIG)
    assert "SUCCESS" in said
    assert "1 templates" in said


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("alertname=BalanceBroken", "severity=critical", "owner=operations"), "critical-operations"),
        (("alertname=ServiceDown", "severity=critical", "owner=platform", "app=sender"), "critical-platform"),
        (("alertname=Foreign", "severity=critical"), "critical-platform"),
        (("alertname=SendingPaused", "severity=warning", "owner=operations"), "slack"),
        (("alertname=Anything", "severity=info"), "slack"),
        (("alertname=WithoutAnything",), "slack"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0].partition("=")[2],
)
def test_an_alert_goes_to_who_should_know(labels: tuple[str, ...], receiver: str) -> None:
    said = run(tool("amtool"), "config", "routes", "test", f"--config.file={CONFIG}", *labels)
    assert receiver in said.split()


def test_every_owner_has_a_receiver_of_the_critical_ones_by_mail() -> None:
    by_mail = {receiver["name"] for receiver in config()["receivers"] if "email_configs" in receiver}
    assert by_mail == {f"critical-{alert['labels']['owner']}" for alert in alerts()}


def test_what_is_silenced_and_by_what_are_alerts_that_exist() -> None:
    """A renamed alert would silence nothing any more."""
    names = {alert["alert"] for alert in alerts()}
    named = {
        name
        for rule in config()["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
        if matcher.startswith("alertname")
        for name in matcher.split()[-1].strip('"').split("|")
    }
    assert named
    assert named <= names, named - names


def test_no_secret_stands_in_the_configuration() -> None:
    globals_of = config()["global"]
    assert {name for name in globals_of if "password" in name or "url" in name} == {
        "slack_api_url_file",
        "smtp_auth_password_file",
    }
    assert all(Path(globals_of[name]).is_absolute() for name in globals_of if name.endswith("_file"))
