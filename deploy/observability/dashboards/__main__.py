"""Writes every dashboard beside the files that Grafana is provisioned with."""

import json
from pathlib import Path

from deploy.observability.dashboards.dagster import DAGSTER
from deploy.observability.dashboards.night import NIGHT
from deploy.observability.dashboards.panels import Dashboard, rendered
from deploy.observability.dashboards.pipeline import PIPELINE
from deploy.observability.dashboards.service import SERVICE
from deploy.observability.dashboards.stores import STORES

ALL = (NIGHT, PIPELINE, SERVICE, STORES, DAGSTER)
FOLDER = Path(__file__).parents[1] / "grafana/dashboards"


def text_of(dashboard: Dashboard) -> str:
    return json.dumps(rendered(dashboard), indent=1) + "\n"


if __name__ == "__main__":
    for one in ALL:
        (FOLDER / f"{one.uid}.json").write_text(text_of(one), encoding="utf-8")
