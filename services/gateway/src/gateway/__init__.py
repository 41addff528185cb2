"""The HTTP face: sign-in, jobs, invoices.

Consumes: -
Emits: jobs.requested.v1
Owns: users, audit_logs, idempotency_keys
"""
