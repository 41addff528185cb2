"""Outside things: PostgreSQL, Kafka, Valkey, keys and hashes."""
