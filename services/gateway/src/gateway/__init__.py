"""The HTTP face: sign-in, jobs, invoices, what waits for a person.

Consumes: -
Emits: jobs.requested.v1; invoices.validated.v1 and invoices.outcomes.v1 for rows that a person decided on
Owns: users, audit_logs, idempotency_keys
"""
