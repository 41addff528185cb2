"""Logs, metrics, traces: identical in every service."""
