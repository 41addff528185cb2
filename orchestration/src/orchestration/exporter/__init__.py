"""Dagster's own numbers for Prometheus: `python -m orchestration.exporter`, one process beside the daemon.

Dagster serves no metrics, and counters inside runs die with their pods. This process reads what Dagster's storage says,
so it counts runs that were killed, whatever launched them, and it needs no web interface.
"""
