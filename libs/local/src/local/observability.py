"""Prometheus and Alertmanager as parts, where they are installed: they watch this system and tell its sandbox."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local.errors import LocalError
from local.infrastructure import Infrastructure
from local.part import Part
from local.probes import HOST, http_answers

FILES = Path(__file__).parents[4] / "deploy/observability"
RUNBOOKS = Path(__file__).parents[4] / "docs/runbooks"
READY_PATH = "/-/ready"
EXPORTER = "dagster-exporter"
HOW_TO_GET = (
    "{missing} not found on the PATH: `apt-get install prometheus prometheus-alertmanager` on Debian and Ubuntu, "
    "elsewhere from prometheus.io/download; or leave out --observability"
)


@dataclass(frozen=True, slots=True)
class Programs:
    """Paths of the two programs."""

    prometheus: str
    alertmanager: str


@dataclass(frozen=True, slots=True)
class Mail:
    """Where Alertmanager's mails go, without a password: a receiver on this machine."""

    port: int
    host: str = HOST


def find_programs() -> Programs:
    """Raises LocalError with how to get them: who asks for them must not go without."""
    prometheus = shutil.which("prometheus")
    alertmanager = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    found = {"prometheus": prometheus, "alertmanager": alertmanager}
    if prometheus is None or alertmanager is None:
        missing = " and ".join(name for name, path in found.items() if path is None)
        raise LocalError(HOW_TO_GET.format(missing=missing))
    return Programs(prometheus, alertmanager)


def prometheus_part(infrastructure: Infrastructure, program: str, targets: Mapping[str, int]) -> Part:
    """`targets`: where each service, and the exporter of Dagster's numbers, serves `/metrics`."""
    port, folder = infrastructure.port("prometheus"), infrastructure.data.folder("prometheus")
    config = folder / "prometheus.yml"
    config.write_text(prometheus_config(targets, alertmanager=infrastructure.port("alertmanager")), encoding="utf-8")
    return Part(
        name="prometheus",
        argv=[
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'series'}",
            "--storage.tsdb.retention.time=15d",
            f"--web.listen-address={HOST}:{port}",
        ],
        ready=partial(http_answers, port, READY_PATH),
        port=port,
        folder=folder,
    )


def alertmanager_part(infrastructure: Infrastructure, program: str, *, slack: str, mail: Mail) -> Part:
    """`slack` is the address that Slack's messages are posted to."""
    port, folder = infrastructure.port("alertmanager"), infrastructure.data.folder("alertmanager")
    address = folder / "slack-webhook-url"
    address.write_text(slack, encoding="utf-8")
    config = folder / "alertmanager.yml"
    config.write_text(alertmanager_config(slack_file=address, mail=mail), encoding="utf-8")
    return Part(
        name="alertmanager",
        argv=[
            program,
            f"--config.file={config}",
            f"--storage.path={folder / 'state'}",
            f"--web.listen-address={HOST}:{port}",
            "--cluster.listen-address=",  # there is one
        ],
        ready=partial(http_answers, port, READY_PATH),
        port=port,
        folder=folder,
    )


def prometheus_config(targets: Mapping[str, int], *, alertmanager: int) -> str:
    """The rules of deploy/observability over fixed targets. YAML takes JSON."""
    jobs = {
        "clearfacts": [app for app in targets if app != EXPORTER],
        "dagster": [app for app in targets if app == EXPORTER],
    }
    config = {
        "global": {
            "scrape_interval": "5s",
            "evaluation_interval": "10s",
            "external_labels": {"runbooks": RUNBOOKS.as_uri()},
        },
        "rule_files": [str(FILES / "prometheus/rules/*.yml")],
        "alerting": {
            "alert_relabel_configs": [{"action": "labeldrop", "regex": "runbooks"}],
            "alertmanagers": [{"static_configs": [{"targets": [f"{HOST}:{alertmanager}"]}]}],
        },
        "scrape_configs": [
            {
                "job_name": job,
                "honor_labels": job == "dagster",  # its metrics have a label `job` of their own
                "static_configs": [{"targets": [f"{HOST}:{targets[app]}"], "labels": {"app": app}} for app in apps],
            }
            for job, apps in jobs.items()
        ],
    }
    return json.dumps(config, indent=1)


def alertmanager_config(*, slack_file: Path, mail: Mail) -> str:
    """The one of deploy/observability, with the addresses of this machine in place of a deployment's."""
    text = (FILES / "alertmanager/alertmanager.yml").read_text(encoding="utf-8")
    here = {
        "slack_api_url_file: /etc/alertmanager/secrets/slack-webhook-url": f"slack_api_url_file: {slack_file}",
        "smtp_smarthost: smtp.clearfacts.example:587": f"smtp_smarthost: {mail.host}:{mail.port}",
        "  smtp_auth_username: alerts@clearfacts.example\n": "",
        "  smtp_auth_password_file: /etc/alertmanager/secrets/smtp-password\n": "",
        "smtp_require_tls: true": "smtp_require_tls: false",
        "- templates/*.tmpl": f"- {FILES / 'alertmanager/templates'}/*.tmpl",
    }
    for line, replacement in here.items():
        if line not in text:
            raise LocalError(f"alertmanager.yml has no `{line.strip()}` any more: change local.observability with it")
        text = text.replace(line, replacement)
    return text
