"""The API over HTTP: envelopes, errors, permissions."""
