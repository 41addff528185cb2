"""Outside things: Kafka, the gateway, Slack, and Dagster's own runs."""
