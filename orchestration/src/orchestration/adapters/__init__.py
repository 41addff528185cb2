"""Outside things: Kafka and the gateway."""
