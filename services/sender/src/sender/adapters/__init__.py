"""The outside of the sender: PostgreSQL and the destination."""
