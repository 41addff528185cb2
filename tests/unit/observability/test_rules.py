"""Rules and alerts: Prometheus takes them, each alert is shown to fire and to stay quiet, each metric exists."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.observability.files import PROMETHEUS, alerts, rules, run, selectors, tool, unknown

SHOWN = re.compile(r'ALERTS\{alertname="(\w+)"(?:, alertstate="firing")?')


def expectations() -> list[tuple[str, str | None, bool]]:
    """(alert, severity where it is named, whether it fires) of every expectation in the tests of promtool."""
    found: list[tuple[str, str | None, bool]] = []
    for path in sorted((PROMETHEUS / "tests").glob("*.yml")):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test.get("promql_expr_test", []):
                if (match := SHOWN.search(case["expr"])) is None:
                    continue
                fires = bool(case["exp_samples"])
                shown = case["expr"] + "".join(sample.get("labels", "") for sample in case["exp_samples"])
                severity = re.search(r'severity="(\w+)"', shown)
                found.append((match[1], severity[1] if severity else None, fires))
            found += [
                (case["alertname"], alert["exp_labels"]["severity"], True)
                for case in test.get("alert_rule_test", [])
                for alert in case["exp_alerts"]
            ]
    return found


def test_prometheus_takes_the_rules_and_its_configuration(tmp_path: Path) -> None:
    promtool = tool("promtool")
    run(promtool, "check", "rules", *sorted((PROMETHEUS / "rules").glob("*.yml")))
    # Debian's is built without discovery in Kubernetes: all the rest is checked.
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    for job in config["scrape_configs"]:
        job.pop("kubernetes_sd_configs", None)
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    run(promtool, "check", "config", "--syntax-only", tmp_path / "prometheus.yml")


def test_alerts_fire_and_stay_quiet_as_they_should() -> None:
    run(tool("promtool"), "test", "rules", *sorted((PROMETHEUS / "tests").glob("*.yml")))


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: f"{alert['alert']}-{alert['labels']['severity']}")
def test_every_alert_is_shown_to_fire_and_to_stay_quiet(alert: Mapping[str, Any]) -> None:
    name, severity = alert["alert"], alert["labels"]["severity"]
    of_it = [(severity_of, fires) for of, severity_of, fires in expectations() if of == name]
    assert (severity, True) in of_it
    assert {(severity, False), (None, False)} & set(of_it)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_every_rule_asks_for_what_somebody_emits(rule: Mapping[str, Any]) -> None:
    assert unknown(rule["expr"]) == []


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_what_how_bad_whose_and_what_to_do(alert: Mapping[str, Any]) -> None:
    assert set(alert["labels"]) == {"severity", "owner"}
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert alert["labels"]["owner"] in {"operations", "platform"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert alert["annotations"]["runbook_url"] == "{{ $externalLabels.runbooks }}/" + alert["alert"] + ".md"


def test_alerts_of_one_name_differ_in_how_bad_it_is() -> None:
    named = [(alert["alert"], alert["labels"]["severity"]) for alert in alerts()]
    assert len(set(named)) == len(named)


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("sum(rate(http_request_total[5m]))", ["http_request_total"]),
        ('http_requests_total{code="500"}', ["http_requests_total{code}"]),
        ("sum by (rute) (http_requests_total)", ["by (rute)"]),
        ("histogram_quantile(0.9, sum by (le) (rate(invoice_end_to_end_seconds_bucket[5m])))", []),
    ],
)
def test_control_a_metric_or_label_that_nobody_emits_is_found(query: str, wrong: list[str]) -> None:
    assert unknown(query) == wrong


def test_control_what_is_no_query_is_refused() -> None:
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        selectors("sum(rate(up[5m])")
