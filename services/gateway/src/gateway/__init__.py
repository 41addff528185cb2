"""The HTTP face: sign-in, jobs, invoices, what failed, what waits for a person.

Consumes: -
Emits: jobs.requested.v1; invoices.fetched.v1, invoices.validated.v1, invoices.outcomes.v1 for what a person decided
Owns: users, audit_logs, idempotency_keys, dead_letters, replays, replay_items, document_versions, configuration,
configuration_versions, webhook_endpoints, webhook_requests
"""
