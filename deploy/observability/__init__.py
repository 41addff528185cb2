"""Metrics, alerts and dashboards: docs/observability.md."""
