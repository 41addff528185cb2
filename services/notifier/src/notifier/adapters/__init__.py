"""Outside things: PostgreSQL and Slack."""
