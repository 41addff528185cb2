"""Outcomes for integrators: collected, signed, delivered at least once (docs/architecture/webhooks.md)."""
