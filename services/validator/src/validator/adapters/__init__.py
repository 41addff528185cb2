"""The outside of the validator: PostgreSQL and the worker processes."""
