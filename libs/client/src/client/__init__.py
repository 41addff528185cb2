"""A typed client of the gateway's API."""
