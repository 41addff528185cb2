"""Outcomes to Slack."""
