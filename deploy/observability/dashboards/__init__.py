"""Grafana's dashboards as code: `python -m deploy.observability.dashboards` writes them to `grafana/dashboards`."""
