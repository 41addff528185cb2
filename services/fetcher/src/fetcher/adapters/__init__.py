"""The outside of the fetcher: the Java backend and PostgreSQL."""
